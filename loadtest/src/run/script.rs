//! The script of one connection: what its senders say, prepared before the clock starts, and what they make of the
//! answers after it stops.

use std::collections::VecDeque;
use std::sync::Arc;

use anyhow::Context;
use bytes::Bytes;
use parties::{CardProfile, Exchange, Kind, Original, Request, Reversal};
use rand::Rng;
use rand::distr::Distribution;
use rand::distr::weighted::WeightedIndex;
use rand::rngs::StdRng;

use super::book::{Effect, Meant, MessageKey, Seen, Told};
use super::sender::Sender;
use super::workload::{Act, Cards, Mix};

/// Purchases are of 1 to this many cents.
const AMOUNT_MAX: u64 = 500;

/// More cents than are on the demo's nearly empty card.
const NEARLY_EMPTY: u64 = 100_000;

/// The cards there are, all of one currency.
pub struct CardStock {
    /// With money.
    pub good: Vec<CardProfile>,
    /// Each with the code it is refused with.
    pub refused: Vec<(CardProfile, [u8; 2])>,
}

impl CardStock {
    /// Refused cards are numbered behind the good ones.
    fn refused_number(&self, index: usize) -> usize {
        self.good.len() + index
    }
}

/// A message ready to be sent, and what is to be known of it afterwards.
pub struct Prepared {
    pub request: Request,
    /// With frame and TPDU.
    pub frame: Bytes,
    seen: Seen,
    act: Act,
    sender: Arc<Sender>,
}

/// An approved pre-authorization that waits to be completed.
struct OpenHold {
    sender: Arc<Sender>,
    original: Original,
    approval: String,
    card: usize,
    amount: u64,
}

/// One connection's senders and their memory. Seeded, so that the same run sends the same acts.
pub struct Script {
    senders: Vec<Arc<Sender>>,
    stock: Arc<CardStock>,
    mix: Mix,
    in_order: bool,
    acts: WeightedIndex<u32>,
    cards: Option<WeightedIndex<f64>>,
    random: StdRng,
    turn: usize,
    open_holds: VecDeque<OpenHold>,
    /// Follows right behind what was sent last; before it comes what was prepared and not sent.
    behind: VecDeque<Prepared>,
}

impl Script {
    /// `in_order`: each message goes out after the answer to the one before.
    pub fn new(
        senders: Vec<Arc<Sender>>,
        stock: Arc<CardStock>,
        mix: Mix,
        in_order: bool,
        random: StdRng,
    ) -> anyhow::Result<Self> {
        let acts = WeightedIndex::new(mix.acts.iter().map(|(_, weight)| *weight)).context("a mix needs acts")?;
        let zipf = || WeightedIndex::new((1..=stock.good.len()).map(|rank| 1.0 / rank as f64));
        let cards = match mix.cards {
            Cards::Zipf => Some(zipf().context("there are no cards")?),
            Cards::Uniform | Cards::One => None,
        };
        let (open_holds, behind) = (VecDeque::new(), VecDeque::new());
        Ok(Self { senders, stock, mix, in_order, acts, cards, random, turn: 0, open_holds, behind })
    }

    /// What the connection must begin with.
    pub fn greeting(&self) -> anyhow::Result<Option<Request>> {
        self.senders.first().map_or(Ok(None), |sender| sender.greeting())
    }

    /// The next messages in order.
    pub fn prepare(&mut self, count: usize) -> anyhow::Result<Vec<Prepared>> {
        let mut all = Vec::with_capacity(count);
        while all.len() < count {
            let next = match self.behind.pop_front() {
                Some(next) => next,
                None => self.next()?,
            };
            all.push(next);
        }
        Ok(all)
    }

    /// Takes back what was not sent; it goes out first when more is asked for.
    pub fn put_back(&mut self, unsent: Vec<Prepared>) {
        for prepared in unsent.into_iter().rev() {
            self.behind.push_front(prepared);
        }
    }

    /// Reads the answers of sent messages. `None` where none came.
    pub fn judge(&mut self, sent: impl IntoIterator<Item = (Prepared, Option<Bytes>)>) -> Vec<Seen> {
        sent.into_iter().map(|(prepared, answer)| self.judge_one(prepared, answer)).collect()
    }

    fn judge_one(&mut self, prepared: Prepared, answer: Option<Bytes>) -> Seen {
        let Prepared { request, mut seen, act, sender, .. } = prepared;
        let Some(wire) = answer else { return seen };
        match Exchange::check(request, wire) {
            Ok(exchange) => {
                seen.told = told(&exchange);
                seen.unsound = seen.told.is_none();
                if act == Act::PreAuth && exchange.is_approved() {
                    self.remember_hold(sender, &exchange, &seen);
                }
            }
            Err(_) => seen.unsound = true,
        }
        seen
    }

    fn remember_hold(&mut self, sender: Arc<Sender>, exchange: &Exchange, seen: &Seen) {
        let (Ok(original), Some(approval)) = (Original::of(&exchange.request), exchange.approval()) else { return };
        let (card, amount) = (seen.card as usize, u64::try_from(seen.amount).unwrap_or(0));
        let approval = approval.to_owned();
        self.open_holds.push_back(OpenHold { sender, original, approval, card, amount });
    }

    fn next(&mut self) -> anyhow::Result<Prepared> {
        let act = self.mix.acts.get(self.acts.sample(&mut self.random)).map_or(Act::Purchase, |(act, _)| *act);
        let sender = self.senders.get(self.turn % self.senders.len()).context("there are no senders")?;
        let sender = Arc::clone(sender);
        self.turn += 1;
        let amount = self.random.random_range(1..=AMOUNT_MAX);
        match act {
            Act::DeclinedPurchase => self.declined(sender, amount),
            Act::Completion => match self.open_holds.pop_front() {
                Some(hold) => self.completion(hold),
                None => self.payment(sender, Act::PreAuth, Kind::PreAuth, amount),
            },
            Act::TakenBack => self.taken_back(sender, amount),
            Act::ReversalOfNothing => self.reversal_of_nothing(sender, amount),
            Act::Purchase => self.payment(sender, act, Kind::Purchase, amount),
            Act::Cashback => self.payment(sender, act, Kind::Cashback { cash: amount.div_ceil(2) }, amount),
            Act::Refund => self.payment(sender, act, Kind::Refund, amount),
            Act::Balance => self.payment(sender, act, Kind::Balance, 0),
            Act::PreAuth => self.payment(sender, act, Kind::PreAuth, amount),
        }
    }

    fn choose_card(&mut self) -> usize {
        match (self.mix.cards, &self.cards) {
            (Cards::One, _) => 0,
            (_, Some(weights)) => weights.sample(&mut self.random),
            _ => self.random.random_range(0..self.stock.good.len()),
        }
    }

    fn good_card(&self, number: usize) -> anyhow::Result<&CardProfile> {
        self.stock.good.get(number).context("there are no cards")
    }

    fn payment(&mut self, sender: Arc<Sender>, act: Act, kind: Kind, amount: u64) -> anyhow::Result<Prepared> {
        let number = self.choose_card();
        let request = sender.request(kind, self.good_card(number)?, amount)?;
        let minor = i64::try_from(amount)?;
        let effect = match act {
            Act::Purchase | Act::Cashback | Act::TakenBack => Effect::Post(-minor),
            Act::Refund => Effect::Post(minor),
            _ => Effect::None,
        };
        Prepared::new(sender, request, number, effect, Meant::Approved, act)
    }

    fn declined(&mut self, sender: Arc<Sender>, amount: u64) -> anyhow::Result<Prepared> {
        let stock = Arc::clone(&self.stock);
        let index = self.random.random_range(0..stock.refused.len().max(1));
        let (card, code) = stock.refused.get(index).context("there are no cards that are refused")?;
        // More than the nearly empty card has.
        let amount = NEARLY_EMPTY + amount;
        let request = sender.request(Kind::Purchase, card, amount)?;
        let effect = Effect::Post(-i64::try_from(amount)?);
        let meant = Meant::Declined(*code);
        Prepared::new(sender, request, stock.refused_number(index), effect, meant, Act::DeclinedPurchase)
    }

    /// All of the hold or less, at the sender that placed it.
    fn completion(&mut self, hold: OpenHold) -> anyhow::Result<Prepared> {
        let amount = self.random.random_range(1..=hold.amount.max(1));
        let card = self.good_card(hold.card)?;
        let request = hold.sender.completion(card, amount, &hold.approval, &hold.original)?;
        let effect = Effect::Post(-i64::try_from(amount)?);
        Prepared::new(hold.sender, request, hold.card, effect, Meant::Approved, Act::Completion)
    }

    /// The reversal goes out right behind the purchase, as after a time-out; some are advices, some of these are sent
    /// twice, some take back a part.
    fn taken_back(&mut self, sender: Arc<Sender>, amount: u64) -> anyhow::Result<Prepared> {
        let mut purchase = self.payment(Arc::clone(&sender), Act::TakenBack, Kind::Purchase, amount)?;
        let remaining = if self.random.random_bool(0.2) { self.random.random_range(0..amount) } else { 0 };
        let how = Reversal {
            advice: self.random.random_bool(0.5) || sender.reverses_by_advice(),
            remaining_minor: (remaining > 0).then_some(remaining),
        };
        let number = purchase.seen.card as usize;
        let original = Original::of(&purchase.request)?;
        let request = sender.reversal(how, self.good_card(number)?, &original)?;
        let effect = Effect::Undo { original: purchase.seen.key, remaining: i64::try_from(remaining)? };
        let meant = if self.in_order { Meant::Approved } else { Meant::Either };
        purchase.seen.meant = meant;
        let again = if how.advice && self.random.random_bool(0.3) { Some(sender.repeat(&request)?) } else { None };
        self.behind.push_back(Prepared::new(Arc::clone(&sender), request, number, effect, meant, Act::TakenBack)?);
        if let Some(request) = again {
            let mut repeat = Prepared::new(sender, request, number, Effect::None, meant, Act::TakenBack)?;
            repeat.seen.repeat = true;
            self.behind.push_back(repeat);
        }
        Ok(purchase)
    }

    /// An 0400 is told that there is none, an 0420 is taken.
    fn reversal_of_nothing(&mut self, sender: Arc<Sender>, amount: u64) -> anyhow::Result<Prepared> {
        let number = self.choose_card();
        let card = self.good_card(number)?;
        let original = Original::of(&sender.request(Kind::Purchase, card, amount)?)?;
        let advice = self.random.random_bool(0.5) || sender.reverses_by_advice();
        let how = Reversal { advice, remaining_minor: None };
        let request = sender.reversal(how, self.good_card(number)?, &original)?;
        let meant = if advice { Meant::Approved } else { Meant::Declined(*b"25") };
        Prepared::new(sender, request, number, Effect::None, meant, Act::ReversalOfNothing)
    }
}

impl Prepared {
    fn new(
        sender: Arc<Sender>,
        request: Request,
        card: usize,
        effect: Effect,
        meant: Meant,
        act: Act,
    ) -> anyhow::Result<Self> {
        let key = MessageKey::of(request.fields()).context("a request has no name")?;
        let amount = request.fields().text(4).unwrap_or("0").parse()?;
        let frame = sender.framed(&request)?;
        let card = u32::try_from(card)?;
        let seen = Seen { key, card, amount, effect, meant, repeat: false, told: None, unsound: false };
        Ok(Self { request, frame, seen, act, sender })
    }

    /// What its answer names, too.
    pub fn key(&self) -> MessageKey {
        self.seen.key
    }
}

fn told(exchange: &Exchange) -> Option<Told> {
    let code = exchange.code().as_bytes().try_into().ok()?;
    let approval = match exchange.approval() {
        Some(text) => Some(text.trim_end().parse().ok()?),
        None => None,
    };
    Some(Told { code, approval })
}

#[cfg(test)]
mod tests {
    use parties::{Dialect, KeyScheme, Terminal, TerminalProfile};
    use rand::SeedableRng;

    use super::*;
    use crate::run::workload::Workload;

    fn script(workload: Workload, seed: u64) -> Script {
        let profile = TerminalProfile {
            terminal_id: "T0000001".into(),
            merchant_id: "UMBRASHOP000001".into(),
            tmk: TerminalProfile::tmk(&"1F".repeat(16)).unwrap(),
            key_scheme: KeyScheme::Tr31,
            mac: false,
        };
        let terminal = Terminal::new(profile, Dialect::of_listener("pos-binary").unwrap());
        let card = |number: u64| CardProfile::keyed(&format!("999900{number:010}"), None, "710").unwrap();
        let stock = CardStock { good: (1..=20).map(card).collect(), refused: vec![(card(99), *b"62")] };
        let random = StdRng::seed_from_u64(seed);
        Script::new(
            vec![Arc::new(Sender::Terminal(Box::new(terminal)))],
            Arc::new(stock),
            workload.mix().unwrap(),
            true,
            random,
        )
        .unwrap()
    }

    /// What is sent, without what the clock decides.
    fn acts(script: &mut Script) -> Vec<(String, i64, u32, Act)> {
        let prepared = script.prepare(300).unwrap();
        let act = |one: &Prepared| (one.request.mti().to_owned(), one.seen.amount, one.seen.card, one.act);
        prepared.iter().map(act).collect()
    }

    #[test]
    fn the_same_seed_sends_the_same() {
        for workload in [Workload::Purchase, Workload::ReversalStorm, Workload::ShoppingDay] {
            let first = acts(&mut script(workload, 7));
            assert_eq!(first, acts(&mut script(workload, 7)));
            assert_ne!(first, acts(&mut script(workload, 8)));
        }
    }

    #[test]
    fn a_reversal_follows_its_purchase_even_when_the_slice_ends_between_them() {
        let mut script = script(Workload::ReversalStorm, 3);
        let mut sent = Vec::new();
        for _ in 0..200 {
            let mut prepared = script.prepare(5).unwrap();
            let unsent = prepared.split_off(2);
            script.put_back(unsent);
            sent.extend(prepared);
        }
        let mut last = None;
        for one in &sent {
            if let Effect::Undo { original, .. } = one.seen.effect {
                assert_eq!(Some(original), last, "the message before it");
            }
            if one.act == Act::TakenBack && one.request.mti() == "0200" {
                assert_eq!(one.seen.meant, Meant::Approved);
            }
            last = Some(one.key());
        }
        assert!(sent.iter().any(|one| one.seen.repeat) && sent.iter().any(|one| one.act == Act::ReversalOfNothing));
    }

    #[test]
    fn the_first_cards_are_used_most_where_they_are_said_to_be() {
        let count = |workload| {
            let mut used = [0_u32; 20];
            acts(&mut script(workload, 5)).iter().for_each(|act| used[act.2 as usize] += 1);
            used
        };
        assert_eq!(count(Workload::HotAccount)[0], 300);
        let zipf = count(Workload::ZipfAccounts);
        assert!(zipf[0] > 3 * zipf[10] && zipf[0] > 50, "{zipf:?}");
        assert!(count(Workload::Purchase).iter().all(|used| *used > 0));
    }
}
