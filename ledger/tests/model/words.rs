//! Random numbers as events. Zero is the simplest event, so that a failing series shrinks to one that can be read.

use ledger::{
    AccountKind, Atc, Body, CardAction, CardEvent, Content, Controls, Entry, Event, EventId, Floor, ForwardResult, Key,
    Limit, MessageDid, Outgoing, Period, PinCheck, Posting, Reference, Side, Subject, Total, Totals, UsageKey,
};

/// Choices taken out of one number, one after the other.
struct Choices(u128);

impl Choices {
    /// One of `n`, 0 being the simplest.
    fn of(&mut self, n: u128) -> u64 {
        let choice = self.0 % n;
        self.0 /= n;
        u64::try_from(choice).unwrap()
    }

    fn one_in(&mut self, n: u128) -> bool {
        self.of(n) == n as u64 - 1
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.of(from.len() as u128)).unwrap()]
    }
}

/// What is counted together in these series.
pub const USAGES: [UsageKey; 5] = [
    UsageKey { of: Subject::Card(0), class: 0, period: Period::Day },
    UsageKey { of: Subject::Card(0), class: 1, period: Period::Day },
    UsageKey { of: Subject::Account(2), class: 0, period: Period::Week },
    UsageKey { of: Subject::Account(0), class: 0, period: Period::Day },
    UsageKey { of: Subject::Account(2), class: 0, period: Period::Month },
];

pub const ACCOUNTS: u64 = 8;

/// Makes events that have to do with each other.
pub struct Author {
    now: u64,
    past: Vec<Event>,
    /// Holds that were approved, newest last: most events about holds are about one of these.
    holds: Vec<Event>,
}

const SECOND: u64 = 1000;
const HOUR: u64 = 3600 * SECOND;
const DAY: u64 = 24 * HOUR;

impl Author {
    pub fn new() -> Self {
        Self { now: 1_800_000_000_000, past: Vec::new(), holds: Vec::new() }
    }

    /// What every series begins with: accounts with money on them.
    pub fn opening(&mut self) -> Vec<(u64, Event)> {
        let open = |account, currency, floor| Body::OpenAccount { account, currency, kind: AccountKind::Wallet, floor };
        let fund = |from, to| Body::Post { entry: pair(710, from, to, 100), record: Vec::new() };
        let bodies = [
            open(1, 710, Floor::Unlimited),
            open(2, 710, Floor::Limited(0)),
            open(3, 710, Floor::Limited(-20)),
            open(4, 710, Floor::Limited(0)),
            open(5, 840, Floor::Unlimited),
            open(6, 840, Floor::Limited(0)),
            fund(1, 2),
            fund(1, 3),
        ];
        bodies.map(|body| self.write(Event::new(EventId(0), Content([0; 16]), body), 0, None)).into()
    }

    /// Gives the event its id.
    fn write(&mut self, event: Event, back: i64, id: Option<EventId>) -> (u64, Event) {
        self.now += 1;
        let mut low = [0; 10];
        low[..8].copy_from_slice(&(self.past.len() as u64).to_be_bytes());
        let id = id.unwrap_or_else(|| EventId::new(self.now.saturating_add_signed(-back), low));
        let event = Event { id, ..event };
        self.past.push(event.clone());
        (self.now, event)
    }

    pub fn event(&mut self, word: u128) -> (u64, Event) {
        let mut choices = Choices(word);
        self.now += choices.pick(&[0, 0, 0, 1, SECOND, 2 * SECOND, 60 * SECOND, HOUR]);
        if choices.one_in(40) {
            self.now += choices.pick(&[5 * HOUR, DAY, 6 * DAY, 8 * DAY]);
        }
        // A copy of an earlier event, or one that only has its id.
        if choices.one_in(8) {
            let event = self.earlier(&mut choices);
            self.now += 1;
            return (self.now, event);
        }
        let id = choices.one_in(50).then(|| self.earlier(&mut choices).id);
        let back = self.back(&mut choices);
        let content = u8::from(choices.one_in(6));
        let body = self.body(&mut choices);
        let controls = if body.is_controlled() { self.controls(&mut choices) } else { Controls::default() };
        self.write(Event { controls, ..Event::new(EventId(0), Content([content; 16]), body) }, back, id)
    }

    /// How far an id's time lies back.
    fn back(&self, choices: &mut Choices) -> i64 {
        let usual = [0, 0, 0, 0, 0, 0, 500, 1500, 60_000];
        let unusual = [3_600_000, 86_400_000, 90_000_000, 600_000_000, -1000, -86_400_000, -90_000_000];
        if choices.one_in(8) { choices.pick(&unusual) } else { choices.pick(&usual) }
    }

    fn earlier(&self, choices: &mut Choices) -> Event {
        let reach = (self.past.len() as u128).min(24);
        let back = usize::try_from(choices.of(reach)).unwrap();
        self.past[self.past.len() - 1 - back].clone()
    }

    /// An earlier event of a kind, if there is one among the last.
    fn earlier_where(&self, choices: &mut Choices, wanted: fn(&Event) -> bool) -> EventId {
        let recent = self.past.iter().rev().take(40).filter(|event| wanted(event));
        let ids: Vec<EventId> = recent.map(|event| event.id).take(6).collect();
        if ids.is_empty() { self.earlier(choices).id } else { choices.pick(&ids) }
    }

    fn controls(&self, choices: &mut Choices) -> Controls {
        let count = choices.pick(&[0, 0, 1, 1, 2, 3]);
        let atc = choices.one_in(4).then(|| Atc {
            value: u16::try_from(choices.of(6)).unwrap() + u16::try_from(self.past.len() / 16).unwrap(),
            ahead_max: choices.pick(&[u16::MAX, 4, 0]),
        });
        let limit = |_| Limit {
            usage: choices.pick(&USAGES),
            count_max: choices.pick(&[None, Some(3), Some(1), Some(0)]),
            amount_max: choices.pick(&[None, Some(60), Some(20), Some(i64::MAX), Some(-1)]),
            ends_at: self.now + choices.pick(&[DAY, HOUR, SECOND, 0, 40 * DAY]),
        };
        let limits = (0..count).map(limit).collect();
        let total = choices.one_in(3).then(|| Total {
            terminal: choices.of(2),
            side: choices.pick(&[Side::Debit, Side::Credit]),
            business_date: choices.pick(&[20_261_127, 20_261_128]),
        });
        let send = choices
            .one_in(5)
            .then(|| Outgoing { link: u32::try_from(choices.of(2)).unwrap(), message: b"advice".to_vec() });
        Controls { limits, atc, total, send }
    }

    fn body(&self, choices: &mut Choices) -> Body {
        let record = Vec::new();
        match choices.pick(&[0, 0, 0, 1, 1, 2, 2, 3, 4, 5, 5, 5, 5, 5, 5, 5, 5, 5, 6, 7, 8, 9, 10, 11, 11, 12, 12]) {
            0 => Body::Post { entry: entry(choices), record },
            1 => Body::PlaceHold { entry: entry(choices), expires_at: self.expiry(choices), record },
            2 => {
                Body::CaptureHold { hold: self.hold(choices), amount: amount(choices), last: choices.one_in(3), record }
            }
            3 => Body::VoidHold { hold: self.hold(choices) },
            11 => Body::CloseForward {
                forward: self.earlier_where(choices, is_forward),
                result: if choices.one_in(3) {
                    ForwardResult::Declined { reason: 5 }
                } else {
                    ForwardResult::Approved { entry: entry(choices) }
                },
                answer: Vec::new(),
                record,
            },
            12 => Body::Message {
                message: self.earlier_where(choices, |event| is_forward(event) || event.controls.send.is_some()),
                did: choices.pick(&[
                    MessageDid::Failed { retry_at: self.now + SECOND, tries_max: 2 },
                    MessageDid::Delivered,
                    MessageDid::Failed { retry_at: self.now, tries_max: 0 },
                    MessageDid::Retried,
                    MessageDid::Discarded,
                ]),
            },
            10 => Body::PostAll { entries: (0..choices.of(5)).map(|_| entry(choices)).collect(), record },
            9 => Body::IncreaseHold { hold: self.hold(choices), amount: amount(choices), record },
            4 => Body::Reverse { original: self.original(choices), remaining: remaining(choices), record },
            5 => Body::Card(self.card(choices)),
            6 => Body::Tick,
            7 if choices.one_in(4) => Body::CloseTotals {
                terminal: choices.of(2),
                currency: choices.pick(&[710, 710, 840]),
                next_date: 20_261_100 + u32::try_from(choices.of(120)).unwrap(),
                counted: choices.pick(&[None, Some(Totals::default())]),
                record,
            },
            7 if choices.one_in(3) => Body::ForgetAtc { card: choices.of(3) },
            7 if !choices.one_in(4) => Body::ResetPinTries { card: choices.of(3) },
            7 => Body::CloseAccount { account: 1 + choices.of(u128::from(ACCOUNTS)) },
            _ => Body::OpenAccount {
                account: 1 + choices.of(u128::from(ACCOUNTS)),
                currency: 710,
                kind: AccountKind::Wallet,
                floor: choices.pick(&[Floor::Limited(0), Floor::Unlimited, Floor::Limited(i64::MIN)]),
            },
        }
    }

    /// Tells that a hold was approved.
    pub fn held(&mut self, event: Event) {
        self.holds.push(event);
    }

    /// How a completion may name a hold: its id or its first key, and its card.
    fn completable(&self, choices: &mut Choices) -> (Reference, Option<u64>) {
        let id = self.hold(choices);
        let hold = self.holds.iter().rev().find(|event| event.id == id);
        match hold.map(|event| &event.body) {
            Some(Body::Card(card)) => {
                let key = card.aliases.first().filter(|_| choices.one_in(2));
                let unknown = EventId::new(self.now, [0xEE; 10]);
                let reference = match key {
                    None => Reference::Id(id),
                    Some(key) if choices.one_in(3) => Reference::IdOrRepeat(unknown, *key),
                    Some(key) => Reference::Key(*key),
                };
                (reference, card.card)
            }
            _ => (Reference::Id(id), None),
        }
    }

    fn hold(&self, choices: &mut Choices) -> EventId {
        if self.holds.is_empty() || choices.one_in(5) {
            return self.earlier_where(choices, is_hold);
        }
        let reach = self.holds.len().min(6);
        self.holds[self.holds.len() - 1 - usize::try_from(choices.of(reach as u128)).unwrap()].id
    }

    /// Something to reverse; now and then something that has not come yet, and may come later as a copy.
    fn original(&self, choices: &mut Choices) -> EventId {
        if choices.one_in(3) {
            return self.hold(choices);
        }
        if choices.one_in(5) {
            let mut low = [0; 10];
            low[..8].copy_from_slice(&(self.past.len() as u64 + 1 + choices.of(3)).to_be_bytes());
            return EventId::new(self.now + 2 + choices.of(2), low);
        }
        self.earlier_where(choices, |event| !matches!(event.body, Body::OpenAccount { .. } | Body::Tick))
    }

    fn expiry(&self, choices: &mut Choices) -> u64 {
        choices.pick(&[DAY, DAY, HOUR, 7 * DAY, 9 * DAY, SECOND, 1, 0]).saturating_add(self.now)
    }

    fn card(&self, choices: &mut Choices) -> CardEvent {
        let mut card = choices.pick(&[Some(0), Some(0), Some(1), Some(2), None]);
        let action = self.action(choices, &mut card);
        let keys: Vec<Key> = (0..choices.pick(&[0_u64, 1, 1, 2, 4])).map(|_| u128::from(choices.of(6))).collect();
        CardEvent {
            repeat_of: keys.first().copied().filter(|_| choices.one_in(4)),
            aliases: keys,
            advice: choices.one_in(4),
            card,
            pin: choices.pick(&[
                PinCheck::NotChecked,
                PinCheck::NotChecked,
                PinCheck::NotChecked,
                PinCheck::NotChecked,
                PinCheck::Right,
                PinCheck::Wrong,
            ]),
            pin_tries_max: choices.pick(&[3, 3, 2, 0, u8::MAX]),
            action,
            answer: Vec::new(),
            record: Vec::new(),
        }
    }

    fn action(&self, choices: &mut Choices, card: &mut Option<u64>) -> CardAction {
        match choices.pick(&[0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 5, 6, 7, 7]) {
            0 => CardAction::Post { entry: entry(choices) },
            1 => CardAction::Hold { entry: entry(choices), expires_at: self.expiry(choices) },
            2 => {
                let (hold, its_card) = self.completable(choices);
                if !choices.one_in(6) {
                    *card = its_card;
                }
                CardAction::Complete {
                    hold,
                    approval: if choices.one_in(5) { Some(1) } else { None },
                    entry: pair(710, 2, 4, amount(choices)),
                    tolerance_bp: choices.pick(&[10_000, 0, 1_500, u32::MAX]),
                }
            }
            3 => {
                let id = self.original(choices);
                let original = match choices.of(4) {
                    0 => Reference::Id(id),
                    1 => Reference::IdOrRepeat(id, u128::from(choices.of(6))),
                    _ => Reference::Key(u128::from(choices.of(6))),
                };
                CardAction::Reverse { original, remaining: remaining(choices) }
            }
            6 => {
                let (hold, its_card) = self.completable(choices);
                if !choices.one_in(6) {
                    *card = its_card;
                }
                let hold = if choices.one_in(4) { None } else { Some(hold) };
                CardAction::Force { entry: pair(710, 2, 4, amount(choices)), hold }
            }
            7 => CardAction::Forward {
                link: u32::try_from(choices.of(2)).unwrap(),
                expires_at: self.now.saturating_add(choices.pick(&[HOUR, HOUR, SECOND, DAY, 0])),
                reversal: b"reversal".to_vec(),
            },
            4 => CardAction::Inquire { account: 1 + choices.of(u128::from(ACCOUNTS)) },
            _ => CardAction::Decline { reason: u16::try_from(choices.of(99)).unwrap() },
        }
    }
}

fn is_forward(event: &Event) -> bool {
    matches!(&event.body, Body::Card(card) if matches!(card.action, CardAction::Forward { .. }))
}

pub fn is_hold(event: &Event) -> bool {
    match &event.body {
        Body::PlaceHold { .. } => true,
        Body::Card(card) => matches!(card.action, CardAction::Hold { .. }),
        _ => false,
    }
}

/// The kind of an event, for counting.
pub fn kind(event: &Event) -> &'static str {
    match &event.body {
        Body::OpenAccount { .. } => "open",
        Body::CloseAccount { .. } => "close",
        Body::Post { .. } => "post",
        Body::PlaceHold { .. } => "hold",
        Body::PostAll { .. } => "post all",
        Body::IncreaseHold { .. } => "increase",
        Body::CaptureHold { .. } => "capture",
        Body::VoidHold { .. } => "void",
        Body::Reverse { .. } => "reverse",
        Body::ResetPinTries { .. } => "reset",
        Body::ForgetAtc { .. } => "forget",
        Body::CloseTotals { .. } => "close totals",
        Body::CloseForward { .. } => "close forward",
        Body::Message { .. } => "message",
        Body::Tick => "tick",
        Body::Card(card) => match &card.action {
            CardAction::Decline { .. } => "card decline",
            CardAction::Inquire { .. } => "card inquire",
            CardAction::Post { .. } => "card post",
            CardAction::Hold { .. } => "card hold",
            CardAction::Complete { hold: Reference::Id(_), .. } => "card complete id",
            CardAction::Complete { hold: Reference::Key(_), .. } => "card complete key",
            CardAction::Complete { hold: Reference::IdOrRepeat(..), .. } => "card complete id or repeat",
            CardAction::Forward { .. } => "card forward",
            CardAction::Force { hold: None, .. } => "card force",
            CardAction::Force { hold: Some(_), .. } => "card force hold",
            CardAction::Reverse { original: Reference::Id(_), .. } => "card reverse id",
            CardAction::Reverse { original: Reference::Key(_), .. } => "card reverse key",
            CardAction::Reverse { original: Reference::IdOrRepeat(..), .. } => "card reverse id or repeat",
        },
    }
}

fn pair(currency: u16, from: u64, to: u64, amount: i64) -> Entry {
    let debit = Posting { account: from, amount: amount.wrapping_neg() };
    Entry { currency, postings: vec![debit, Posting { account: to, amount }] }
}

fn amount(choices: &mut Choices) -> i64 {
    if choices.one_in(20) {
        return choices.pick(&[0, -1, i64::MAX, i64::MAX - 150, i64::MIN, 1 << 62]);
    }
    1 + i64::try_from(choices.of(40)).unwrap()
}

fn remaining(choices: &mut Choices) -> i64 {
    if choices.one_in(3) { amount(choices) } else { 0 }
}

fn entry(choices: &mut Choices) -> Entry {
    let currency = if choices.one_in(12) { 840 } else { 710 };
    let amount = amount(choices);
    let (from, to) = choices.pick(&[(2, 4), (2, 4), (1, 2), (3, 4), (1, 3), (4, 1), (2, 3), (5, 6), (4, 2)]);
    if choices.one_in(10) {
        let third = 1 + choices.of(u128::from(ACCOUNTS));
        let rest = amount.checked_sub(1).unwrap_or(1);
        let postings = [(from, amount.wrapping_neg()), (to, rest), (third, 1)];
        return Entry { currency, postings: postings.map(|(account, amount)| Posting { account, amount }).into() };
    }
    let to = if choices.one_in(15) { 1 + choices.of(u128::from(ACCOUNTS)) } else { to };
    pair(currency, from, to, amount)
}
