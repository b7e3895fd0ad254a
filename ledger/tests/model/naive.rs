//! The rules once more, as simply as they can be said: lists that are searched from end to end, sums made anew each
//! time, all faults collected and the smallest given. Nothing here is shared with the ledger but its types.

use std::collections::{BTreeMap, BTreeSet};

use ledger::limits::Bounds;
use ledger::{
    AccountId, Body, CardAction, CardEvent, CardId, Code, Entry, Event, EventId, Floor, Key, Outcome, PinCheck,
    Posting, Reference,
};
use ledger::{
    ClosedDay, ForwardResult, Limit, LinkId, MessageDid, Period, Side, Sum, TerminalDay, Total, Totals, Usage, UsageKey,
};

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;

struct Account {
    currency: u16,
    floor: Floor,
    closed: bool,
}

#[derive(Clone)]
struct Hold {
    id: EventId,
    entry: Entry,
    expires_at: u64,
    card: Option<CardId>,
    approval: u32,
}

#[derive(Clone, PartialEq)]
enum Did {
    Nothing,
    Final,
    Posted(Entry),
    Forwarded,
    Held { captured: i128, increased: i128 },
}

struct Known {
    event: Event,
    /// Ids of other copies, the last eight; and the latest time among all that ever were.
    copies: Vec<EventId>,
    newest: u64,
    outcome: Outcome,
    did: Did,
    reversed: bool,
    /// When the hold it placed was let go.
    hold_ended: Option<u64>,
}

struct Grave {
    reference: Reference,
    reversal_time: u64,
    until: u64,
}

/// What an event was charged of a usage, in the period that ends then.
struct Use {
    key: UsageKey,
    until: u64,
    by: EventId,
    amount: i128,
    counted: bool,
}

/// What was posted, or taken back, on a terminal's day: which of the four sums, and how much.
struct Counted {
    key: (u64, u16),
    date: u32,
    by: EventId,
    total: Total,
    is_reversal: bool,
    amount: u64,
}

#[derive(Clone, Copy, PartialEq)]
enum Mail {
    Open { expires_at: u64 },
    Waiting { queued: u64, due: u64, tries: u16 },
    Dead { tries: u16 },
}

struct Message {
    id: EventId,
    link: LinkId,
    mail: Mail,
}

#[derive(Default)]
pub struct Naive {
    pub bounds: Bounds,
    accounts: BTreeMap<AccountId, Account>,
    posted: Vec<Posting>,
    /// Of the batch at hand, from 1.
    refused_entry: u16,
    holds: Vec<Hold>,
    known: Vec<Known>,
    graves: Vec<Grave>,
    tries: BTreeMap<CardId, u8>,
    counters: BTreeMap<CardId, u16>,
    /// Ends of the current periods.
    periods: BTreeMap<UsageKey, u64>,
    uses: Vec<Use>,
    /// Terminal and currency to the current day and the one closed before it.
    days: BTreeMap<(u64, u16), (u32, Option<ClosedDay>)>,
    counted: Vec<Counted>,
    messages: Vec<Message>,
    /// Of the event at hand, and what they say against it.
    limits: Vec<Limit>,
    exceeded: Vec<(Code, u16)>,
    forgotten_before: u64,
    seq: u64,
    at: u64,
}

type Step = Result<(i128, Option<AccountId>, Did), Code>;

fn card(event: &Event) -> Option<&CardEvent> {
    match &event.body {
        Body::Card(card) => Some(card),
        _ => None,
    }
}

fn aliases(event: &Event) -> &[Key] {
    card(event).map_or(&[], |card| &card.aliases)
}

fn horizon(event: &Event) -> u64 {
    if card(event).is_some_and(|card| card.advice) { 7 * DAY } else { DAY }
}

fn size(entry: &Entry) -> i128 {
    entry.postings.iter().map(|posting| i128::from(posting.amount).max(0)).sum()
}

fn first(entry: &Entry) -> Option<AccountId> {
    Some(entry.postings.first()?.account)
}

/// `entry` with another size; only two postings can be divided.
fn resized(entry: &Entry, amount: i128) -> Option<Entry> {
    let scale = |posting: &Posting| Posting {
        account: posting.account,
        amount: i64::try_from(i128::from(posting.amount.signum()) * amount).unwrap(),
    };
    if size(entry) == amount {
        return Some(entry.clone());
    }
    (entry.postings.len() == 2)
        .then(|| Entry { currency: entry.currency, postings: entry.postings.iter().map(scale).collect() })
}

fn smallest(faults: Vec<Code>) -> Result<(), Code> {
    faults.into_iter().min().map_or(Ok(()), Err)
}

impl Naive {
    pub fn new(bounds: Bounds) -> Self {
        Self { bounds, ..Self::default() }
    }

    pub fn posted(&self, account: AccountId, sign: i64) -> i128 {
        let of = self.posted.iter().filter(|posting| posting.account == account && posting.amount.signum() == sign);
        of.map(|posting| i128::from(posting.amount).abs()).sum()
    }

    pub fn pending(&self, account: AccountId, sign: i64) -> i128 {
        let all = self.holds.iter().flat_map(|hold| &hold.entry.postings);
        let of = all.filter(|posting| posting.account == account && posting.amount.signum() == sign);
        of.map(|posting| i128::from(posting.amount).abs()).sum()
    }

    fn balance(&self, account: AccountId) -> i128 {
        self.posted(account, 1) - self.posted(account, -1)
    }

    fn available(&self, account: AccountId) -> i128 {
        self.balance(account) - self.pending(account, -1)
    }

    pub fn accounts(&self) -> impl Iterator<Item = (AccountId, bool)> {
        self.accounts.iter().map(|(id, account)| (*id, account.closed))
    }

    pub fn tries(&self, card: CardId) -> u8 {
        self.tries.get(&card).copied().unwrap_or(0)
    }

    pub fn counter(&self, card: CardId) -> Option<u16> {
        self.counters.get(&card).copied()
    }

    pub fn used(&self, key: UsageKey) -> Usage {
        let until = self.periods.get(&key).copied().filter(|until| *until > self.at);
        let uses = self.uses.iter().filter(|one| one.key == key && Some(one.until) == until);
        uses.fold(Usage::default(), |sum, one| Usage {
            count: sum.count + u32::from(one.counted),
            amount: sum.amount + one.amount,
        })
    }

    /// Id, tries, when it is due.
    pub fn next_message(&self, link: LinkId) -> Option<(EventId, u16, u64)> {
        let waiting = self.messages.iter().filter(|message| message.link == link).filter_map(|message| {
            let Mail::Waiting { queued, due, tries } = message.mail else { return None };
            Some((queued, (message.id, tries, due)))
        });
        waiting.min().map(|(_, message)| message)
    }

    pub fn dead(&self) -> BTreeSet<EventId> {
        let dead = self.messages.iter().filter(|message| matches!(message.mail, Mail::Dead { .. }));
        dead.map(|message| message.id).collect()
    }

    fn open_forwards(&self) -> impl Iterator<Item = EventId> {
        let open = self.messages.iter().filter(|message| matches!(message.mail, Mail::Open { .. }));
        open.map(|message| message.id)
    }

    /// Ids whose events may not be forgotten.
    fn open(&self) -> BTreeSet<EventId> {
        self.holds.iter().map(|hold| hold.id).chain(self.open_forwards()).collect()
    }

    fn send_fault(&self, event: &Event) -> Option<Code> {
        let is_full = self.messages.len() >= self.bounds.messages;
        (event.controls.send.is_some() && is_full).then_some(Code::Full)
    }

    fn forward(&mut self, id: EventId, link: LinkId, expires_at: u64) -> Step {
        if self.messages.len() >= self.bounds.messages {
            return Err(Code::Full);
        }
        self.messages.push(Message { id, link, mail: Mail::Open { expires_at } });
        Ok((0, None, Did::Forwarded))
    }

    fn give_up(&mut self, id: EventId) {
        let mail = Mail::Waiting { queued: self.seq, due: self.at, tries: 0 };
        self.messages.iter_mut().filter(|message| message.id == id).for_each(|message| message.mail = mail);
        self.answered(id, Code::Unanswered, 0, None);
    }

    /// Writes what the forwarded request is answered from now on.
    fn answered(&mut self, id: EventId, code: Code, reason: u16, entry: Option<&Entry>) {
        let account = entry.and_then(first);
        let number = |of: i128| i64::try_from(of).unwrap();
        let balance = number(account.map_or(0, |account| self.balance(account)));
        let available = number(account.map_or(0, |account| self.available(account)));
        let at = self.at;
        let known = self.known.iter_mut().find(|known| known.event.id == id).unwrap();
        let approved = u32::try_from(u128::from(known.outcome.seq) * 387_420_489 % 1_000_000).unwrap();
        known.outcome = Outcome {
            code,
            reason,
            amount: entry.map_or(0, |entry| number(size(entry))),
            account,
            balance,
            available,
            approval: if code == Code::Approved { approved } else { 0 },
            ..known.outcome
        };
        known.did = entry.map_or(Did::Nothing, |entry| Did::Posted(entry.clone()));
        known.hold_ended = Some(at);
    }

    fn close_forward(&mut self, event: &Event, id: EventId, result: &ForwardResult) -> Step {
        let is_open = |message: &&Message| {
            message.id == id && matches!(message.mail, Mail::Open { expires_at } if expires_at > self.at)
        };
        if !self.messages.iter().any(|message| is_open(&message)) {
            let mut faults = vec![Code::ForwardNotFound];
            if let ForwardResult::Approved { entry } = result {
                faults.extend(self.faults(entry, None, true));
            }
            return smallest(faults).map(|()| unreachable!());
        }
        let (amount, account) = match result {
            ForwardResult::Declined { reason } => {
                smallest(self.send_fault(event).into_iter().collect())?;
                self.answered(id, Code::Declined, *reason, None);
                (0, None)
            }
            ForwardResult::Approved { entry } => {
                let mut faults = self.faults(entry, None, true);
                faults.extend(self.send_fault(event));
                smallest(faults)?;
                self.posted.extend_from_slice(&entry.postings);
                self.answered(id, Code::Approved, 0, Some(entry));
                self.count(event, entry);
                // It is the request that a reversal will name.
                self.counted.iter_mut().filter(|one| one.by == event.id).for_each(|one| one.by = id);
                (size(entry), first(entry))
            }
        };
        self.messages.retain(|message| message.id != id);
        Ok((amount, account, Did::Final))
    }

    fn note(&mut self, id: EventId, did: MessageDid) -> Step {
        let (seq, at) = (self.seq, self.at);
        let message = self.messages.iter_mut().find(|message| message.id == id).ok_or(Code::MessageNotFound)?;
        let mail = match (did, message.mail) {
            (_, Mail::Open { .. }) => return Err(Code::MessageNotFound),
            (MessageDid::Delivered | MessageDid::Discarded, _) => None,
            (MessageDid::Failed { tries_max, .. }, Mail::Waiting { tries, .. }) if tries + 1 >= tries_max => {
                Some(Mail::Dead { tries: tries + 1 })
            }
            (MessageDid::Failed { retry_at, .. }, Mail::Waiting { queued, tries, .. }) => {
                Some(Mail::Waiting { queued, due: retry_at, tries: tries + 1 })
            }
            (MessageDid::Retried, Mail::Dead { .. }) => Some(Mail::Waiting { queued: seq, due: at, tries: 0 }),
            _ => return Err(Code::MessageNotFound),
        };
        match mail {
            Some(mail) => message.mail = mail,
            None => self.messages.retain(|message| message.id != id),
        }
        Ok((0, None, Did::Final))
    }

    pub fn day(&self, terminal: u64, currency: u16) -> Option<TerminalDay> {
        let key = (terminal, currency);
        let (business_date, closed) = *self.days.get(&key)?;
        Some(TerminalDay { business_date, totals: self.totals(key, business_date), closed })
    }

    fn totals(&self, key: (u64, u16), date: u32) -> Totals {
        let sum = |side, is_reversal| {
            let of = self.counted.iter().filter(|one| one.key == key && one.date == date);
            let amounts = of.filter(|one| one.total.side == side && one.is_reversal == is_reversal);
            amounts.fold(Sum::default(), |sum, one| Sum {
                count: sum.count + 1,
                amount: sum.amount.saturating_add(one.amount),
            })
        };
        Totals {
            debits: sum(Side::Debit, false),
            debit_reversals: sum(Side::Debit, true),
            credits: sum(Side::Credit, false),
            credit_reversals: sum(Side::Credit, true),
        }
    }

    fn total_faults(&self, event: &Event, entry: &Entry) -> Option<Code> {
        let key = (event.controls.total?.terminal, entry.currency);
        (!self.days.contains_key(&key) && self.days.len() >= self.bounds.terminals).then_some(Code::Full)
    }

    fn count(&mut self, event: &Event, entry: &Entry) {
        if let Some(total) = event.controls.total
            && self.total_faults(event, entry).is_none()
        {
            let key = (total.terminal, entry.currency);
            let (date, _) = *self.days.entry(key).or_insert((total.business_date, None));
            let amount = u64::try_from(size(entry)).unwrap();
            self.counted.push(Counted { key, date, by: event.id, total, is_reversal: false, amount });
        }
    }

    fn close(&mut self, key: (u64, u16), next: u32, counted: Option<Totals>) -> Step {
        let day = self.day(key.0, key.1);
        let mut faults = Vec::new();
        faults.extend(day.filter(|day| next <= day.business_date).map(|_| Code::DateNotLater));
        faults.extend((day.is_none() && self.days.len() >= self.bounds.terminals).then_some(Code::Full));
        smallest(faults)?;
        let totals = day.map_or(Totals::default(), |day| day.totals);
        let agrees = counted.is_none() || counted == Some(totals);
        self.refused_entry = u16::from(!agrees);
        let closed = day.map(|day| ClosedDay { business_date: day.business_date, totals, agrees });
        self.days.insert(key, (next, closed));
        Ok((0, None, Did::Final))
    }

    /// What the limits say against so much more, and whether there is room to count it.
    fn over_limits(&mut self, amount: i128, counted: bool) -> Vec<Code> {
        let mut faults = Vec::new();
        for (limit, place) in self.limits.iter().zip(1..) {
            let used = self.used(limit.usage);
            if counted && limit.count_max.is_some_and(|max| used.count + 1 > max) {
                faults.push((Code::CountLimitExceeded, place));
            }
            if limit.amount_max.is_some_and(|max| used.amount + amount > i128::from(max)) {
                faults.push((Code::AmountLimitExceeded, place));
            }
        }
        self.exceeded = faults.clone();
        let keys: BTreeSet<UsageKey> = self.limits.iter().map(|limit| limit.usage).collect();
        let new = keys.iter().filter(|key| !self.periods.contains_key(key)).count();
        let full = (self.periods.len() + new > self.bounds.usages).then_some(Code::Full);
        faults.into_iter().map(|(code, _)| code).chain(full).collect()
    }

    fn charge(&mut self, by: EventId, amount: i128, counted: bool) {
        let mut done = BTreeSet::new();
        for limit in self.limits.clone() {
            if !done.insert(limit.usage) {
                continue;
            }
            let current = self.periods.get(&limit.usage).copied();
            if current.is_none() && self.periods.len() >= self.bounds.usages {
                continue;
            }
            let until = current.filter(|until| *until > self.at).unwrap_or_else(|| {
                let hours = match limit.usage.period {
                    Period::Day => 25,
                    Period::Week => 7 * 24 + 1,
                    Period::Month => 31 * 24 + 1,
                };
                limit.ends_at.min(self.at + hours * HOUR).max(self.at + 1)
            });
            self.periods.insert(limit.usage, until);
            self.uses.push(Use { key: limit.usage, until, by, amount, counted });
        }
    }

    /// Something was taken back: so much, or all that is left.
    fn give_back(&mut self, by: EventId, amount: Option<i128>) {
        match amount {
            None => self.uses.retain(|one| one.by != by),
            Some(amount) => {
                let of = self.uses.iter_mut().filter(|one| one.by == by);
                of.for_each(|one| one.amount = (one.amount - amount).max(0));
            }
        }
    }

    /// The outcome, and whether the event was known.
    pub fn apply(&mut self, seq: u64, at: u64, event: &Event) -> (Outcome, bool) {
        (self.seq, self.at) = (seq, at);
        if event.body == Body::Tick {
            let ticked = Ok((self.tick(), None, Did::Final));
            return (self.outcome(&ticked, 0, false), false);
        }
        let known = self.find(event);
        if known.is_some_and(|known| known.event.content != event.content) {
            return (self.outcome(&Err(Code::ReusedWithOtherContent), 0, false), false);
        }
        let (time, now) = (i128::from(event.id.time()), i128::from(at));
        if time < now - i128::from(horizon(event)) || time > now + i128::from(DAY) {
            return (self.outcome(&Err(Code::IdTooOld), 0, false), false);
        }
        if let Some(known) = known {
            let (id, outcome) = (known.event.id, known.outcome.clone());
            let named = self.graves.iter().any(|grave| grave.reference == Reference::Id(event.id));
            if id == event.id || !named {
                self.link(event.id, id);
                return (outcome, true);
            }
        } else if event.id.time() < self.forgotten_before || self.messages.iter().any(|message| message.id == event.id)
        {
            return (self.outcome(&Err(Code::IdTooOld), 0, false), false);
        }
        self.refused_entry = 0;
        self.limits.clone_from(&event.controls.limits);
        self.exceeded.clear();
        let result = self.run(event);
        let is_reversal = match &event.body {
            Body::Reverse { .. } => true,
            Body::Card(card) => matches!(card.action, CardAction::Reverse { .. }),
            _ => false,
        };
        if let (Ok((amount, _, did)), Some(send)) = (&result, &event.controls.send)
            && (*amount > 0 || !is_reversal)
            && *did != Did::Forwarded
        {
            let mail = Mail::Waiting { queued: seq, due: at, tries: 0 };
            self.messages.push(Message { id: event.id, link: send.link, mail });
        }
        let reason = match card(event).map(|card| &card.action) {
            Some(CardAction::Decline { reason }) if matches!(result, Err(Code::Declined)) => *reason,
            _ => {
                let first =
                    self.exceeded.iter().find(|(code, _)| result.as_ref().is_err_and(|refused| refused == code));
                first.map_or(self.refused_entry, |(_, place)| *place)
            }
        };
        let outcome = self.outcome(&result, reason, card(event).is_some());
        let tells = is_reversal
            || matches!(event.body, Body::CloseForward { .. })
            || card(event).is_some_and(|card| matches!(card.action, CardAction::Force { .. }));
        if !(tells && outcome.code == Code::Full) {
            self.remember(event, &outcome, result);
        }
        (outcome, false)
    }

    fn remember(&mut self, event: &Event, outcome: &Outcome, result: Step) {
        let open = self.open();
        if self.known.len() >= self.bounds.records {
            let closed = self.known.iter().filter(|known| !open.contains(&known.event.id));
            let oldest = closed.map(|known| (known.newest, known.outcome.seq, known.event.id)).min();
            if let Some((newest, _, oldest)) = oldest {
                self.known.retain(|known| known.event.id != oldest);
                self.forgotten_before = self.forgotten_before.max(newest + 1);
            }
        }
        let did = result.map_or(Did::Nothing, |(_, _, did)| did);
        self.known.push(Known {
            event: event.clone(),
            copies: Vec::new(),
            newest: event.id.time(),
            outcome: outcome.clone(),
            did,
            reversed: false,
            hold_ended: None,
        });
    }

    fn link(&mut self, copy: EventId, of: EventId) {
        if self.by_id(copy).is_none() {
            let known = self.known.iter_mut().find(|known| known.event.id == of).unwrap();
            known.newest = known.newest.max(copy.time());
            known.copies.push(copy);
            known.copies = known.copies[known.copies.len().saturating_sub(8)..].to_vec();
        }
    }

    fn by_id(&self, id: EventId) -> Option<&Known> {
        let own = self.known.iter().find(|known| known.event.id == id);
        own.or_else(|| self.known.iter().find(|known| known.copies.contains(&id)))
    }

    fn newest(&self, key: Key, keep: impl Fn(&Known) -> bool) -> Option<&Known> {
        let holders = self.known.iter().filter(|known| aliases(&known.event).contains(&key));
        holders.filter(|known| keep(known)).max_by_key(|known| known.event.id)
    }

    fn find(&self, event: &Event) -> Option<&Known> {
        let repeat = card(event).and_then(|card| card.repeat_of);
        let overtaken = |key: &Key| {
            self.newest(*key, |_| true).filter(|known| {
                known.event.id > event.id
                    && card(&known.event).is_some_and(|card| card.repeat_of == Some(*key))
                    && known.event.content == event.content
            })
        };
        self.by_id(event.id)
            .or_else(|| self.newest(repeat?, |_| true))
            .or_else(|| aliases(event).iter().find_map(overtaken))
    }

    fn outcome(&self, result: &Step, reason: u16, is_card: bool) -> Outcome {
        let (code, amount, account) = match result {
            Ok((_, _, Did::Forwarded)) => (Code::Forwarded, 0, None),
            Ok((amount, account, _)) => (Code::Approved, *amount, *account),
            Err(code) => (*code, 0, None),
        };
        let number = |of: i128| i64::try_from(of).unwrap();
        Outcome {
            code,
            reason,
            seq: self.seq,
            at: self.at,
            amount: number(amount),
            account,
            balance: number(account.map_or(0, |account| self.balance(account))),
            available: number(account.map_or(0, |account| self.available(account))),
            approval: if is_card && code == Code::Approved { self.approval() } else { 0 },
        }
    }

    fn approval(&self) -> u32 {
        u32::try_from(u128::from(self.seq) * 387_420_489 % 1_000_000).unwrap()
    }

    fn run(&mut self, event: &Event) -> Step {
        if self.is_buried(event) {
            if let Some(id) = self.find(event).map(|known| known.event.id) {
                let _ = self.reverse(event, Reference::Id(id), true, 0);
            }
            return Err(Code::TooLate);
        }
        match &event.body {
            Body::OpenAccount { account, currency, floor, .. } => {
                smallest(
                    [
                        self.accounts.contains_key(account).then_some(Code::AccountExists),
                        (self.accounts.len() >= self.bounds.accounts).then_some(Code::Full),
                    ]
                    .into_iter()
                    .flatten()
                    .collect(),
                )?;
                let new = Account { currency: *currency, floor: *floor, closed: false };
                self.accounts.insert(*account, new);
                Ok((0, Some(*account), Did::Final))
            }
            Body::CloseAccount { account } => {
                self.usable(*account)?;
                if self.balance(*account) != 0 || self.pending(*account, 1) + self.pending(*account, -1) != 0 {
                    return Err(Code::AccountInUse);
                }
                self.accounts.get_mut(account).unwrap().closed = true;
                Ok((0, Some(*account), Did::Final))
            }
            Body::Post { entry, .. } => self.post(event, entry),
            Body::PostAll { entries, .. } => self.post_all(entries),
            Body::PlaceHold { entry, expires_at, .. } => self.hold(event, entry, *expires_at, None),
            Body::IncreaseHold { hold, amount, .. } => self.increase(event, *hold, i128::from(*amount)),
            Body::CaptureHold { hold, amount, last, .. } => self.capture(event.id, *hold, i128::from(*amount), *last),
            Body::VoidHold { hold } => {
                let hold = self.live(*hold).ok_or(Code::HoldNotFound)?;
                let (id, entry) = (hold.id, hold.entry.clone());
                self.let_go(id);
                self.give_back(id, None);
                Ok((size(&entry), first(&entry), Did::Final))
            }
            Body::Reverse { original, remaining, .. } => {
                self.reverse(event, Reference::Id(*original), false, i128::from(*remaining))
            }
            Body::Card(card) => self.card(event, card),
            Body::ResetPinTries { card } => {
                self.tries.remove(card);
                Ok((0, None, Did::Final))
            }
            Body::CloseForward { forward, result, .. } => self.close_forward(event, *forward, result),
            Body::Message { message, did } => self.note(*message, *did),
            Body::CloseTotals { terminal, currency, next_date, counted, .. } => {
                self.close((*terminal, *currency), *next_date, *counted)
            }
            Body::ForgetAtc { card } => {
                self.counters.remove(card);
                Ok((0, None, Did::Final))
            }
            Body::Tick => unreachable!(),
        }
    }

    fn card(&mut self, event: &Event, card: &CardEvent) -> Step {
        if matches!(card.action, CardAction::Decline { .. }) {
            return Err(Code::Declined);
        }
        if let (Some(id), Some(atc)) = (card.card, event.controls.atc) {
            let late = card.advice || matches!(card.action, CardAction::Force { .. } | CardAction::Reverse { .. });
            let seen = self.counters.get(&id).copied();
            let has_place = seen.is_some() || self.counters.len() < self.bounds.cards_with_counters;
            let mut faults = Vec::new();
            if !late {
                let above = i32::from(atc.value) - seen.map_or(0, i32::from);
                faults.extend((!has_place).then_some(Code::AtcNotJudged));
                faults.extend((seen.is_some() && above <= 0).then_some(Code::AtcNotNew));
                faults.extend((seen.is_some() && above > i32::from(atc.ahead_max)).then_some(Code::AtcTooFar));
            }
            smallest(faults)?;
            if has_place {
                self.counters.insert(id, seen.map_or(atc.value, |seen| seen.max(atc.value)));
            }
        }
        if let (Some(id), PinCheck::Right | PinCheck::Wrong) = (card.card, card.pin) {
            let tries = self.tries(id);
            let mut faults = Vec::new();
            if tries >= card.pin_tries_max {
                faults.push(Code::PinTriesExceeded);
            } else if !self.tries.contains_key(&id) && self.tries.len() >= self.bounds.cards_with_wrong_pins {
                faults.push(Code::PinNotJudged);
            } else if card.pin == PinCheck::Wrong {
                self.tries.insert(id, tries + 1);
                faults.push(Code::WrongPin);
            } else {
                self.tries.remove(&id);
            }
            smallest(faults)?;
        } else if card.pin == PinCheck::Wrong {
            return Err(Code::WrongPin);
        }
        match &card.action {
            CardAction::Decline { .. } => unreachable!(),
            CardAction::Inquire { account } => {
                self.usable(*account)?;
                smallest(self.send_fault(event).into_iter().collect())?;
                Ok((0, Some(*account), Did::Nothing))
            }
            CardAction::Post { entry } => self.post(event, entry),
            CardAction::Hold { entry, expires_at } => self.hold(event, entry, *expires_at, card.card),
            CardAction::Complete { hold, approval, entry, tolerance_bp } => {
                self.complete(event, *hold, card.card, *approval, entry, *tolerance_bp)
            }
            CardAction::Reverse { original, remaining } => self.reverse(event, *original, true, i128::from(*remaining)),
            CardAction::Forward { link, expires_at, .. } => self.forward(event.id, *link, *expires_at),
            CardAction::Force { entry, hold } => self.force(event, *hold, card.card, entry),
        }
    }

    fn usable(&self, account: AccountId) -> Result<&Account, Code> {
        let account = self.accounts.get(&account).ok_or(Code::AccountNotFound)?;
        if account.closed { Err(Code::AccountClosed) } else { Ok(account) }
    }

    fn live(&self, id: EventId) -> Option<&Hold> {
        self.holds.iter().find(|hold| hold.id == id && hold.expires_at > self.at)
    }

    /// Everything that can be said against an entry. `freed`: a hold that it takes the place of.
    fn faults(&self, entry: &Entry, freed: Option<&Entry>, forced: bool) -> Vec<Code> {
        let mut faults = Vec::new();
        let accounts: BTreeSet<AccountId> = entry.postings.iter().map(|posting| posting.account).collect();
        let sum: i128 = entry.postings.iter().map(|posting| i128::from(posting.amount)).sum();
        let bad = |posting: &Posting| posting.amount == 0 || posting.amount == i64::MIN;
        if !(2..=16).contains(&entry.postings.len())
            || accounts.len() != entry.postings.len()
            || sum != 0
            || entry.postings.iter().any(bad)
        {
            faults.push(Code::InvalidEntry);
        }
        if size(entry) > i128::from(i64::MAX) {
            faults.push(Code::Overflow);
        }
        for posting in &entry.postings {
            let account = match self.usable(posting.account) {
                Ok(account) => account,
                Err(code) => {
                    faults.push(code);
                    continue;
                }
            };
            if account.currency != entry.currency {
                faults.push(Code::CurrencyMismatch);
            }
            let sign = posting.amount.signum();
            let freed: i128 = freed
                .iter()
                .flat_map(|entry| &entry.postings)
                .filter(|held| held.account == posting.account && held.amount.signum() == sign)
                .map(|held| i128::from(held.amount).abs())
                .sum();
            let amount = i128::from(posting.amount).abs();
            if let Floor::Limited(floor) = account.floor
                && sign < 0
                && !forced
                && amount > freed
                && self.available(posting.account) + freed - amount < i128::from(floor)
            {
                faults.push(Code::InsufficientFunds);
            }
            let after = self.posted(posting.account, sign) + self.pending(posting.account, sign) - freed + amount;
            if after > i128::from(i64::MAX) {
                faults.push(Code::Overflow);
            }
        }
        faults
    }

    fn post(&mut self, event: &Event, entry: &Entry) -> Step {
        let mut faults = self.faults(entry, None, false);
        faults.extend(self.total_faults(event, entry));
        faults.extend(self.send_fault(event));
        faults.extend(self.over_limits(size(entry), true));
        smallest(faults)?;
        self.charge(event.id, size(entry), true);
        self.count(event, entry);
        self.posted.extend_from_slice(&entry.postings);
        Ok((size(entry), first(entry), Did::Posted(entry.clone())))
    }

    /// All or nothing.
    fn post_all(&mut self, entries: &[Entry]) -> Step {
        if entries.is_empty() {
            return Err(Code::InvalidEntry);
        }
        let before = self.posted.len();
        let mut sum = 0;
        for (entry, number) in entries.iter().zip(1..) {
            match smallest(self.faults(entry, None, false)) {
                Ok(()) => {
                    self.posted.extend_from_slice(&entry.postings);
                    sum += size(entry);
                }
                Err(code) => {
                    self.posted.truncate(before);
                    self.refused_entry = number;
                    return Err(code);
                }
            }
        }
        Ok((sum.min(i128::from(i64::MAX)), first(&entries[0]), Did::Final))
    }

    fn hold(&mut self, event: &Event, entry: &Entry, expires_at: u64, card: Option<CardId>) -> Step {
        let id = event.id;
        let mut faults = self.faults(entry, None, false);
        faults.extend(self.send_fault(event));
        if self.holds.len() >= self.bounds.holds {
            faults.push(Code::Full);
        }
        faults.extend(self.over_limits(size(entry), true));
        smallest(faults)?;
        self.charge(id, size(entry), true);
        self.holds.push(Hold { id, entry: entry.clone(), expires_at, card, approval: self.approval() });
        Ok((size(entry), first(entry), Did::Held { captured: 0, increased: 0 }))
    }

    fn let_go(&mut self, id: EventId) {
        self.holds.retain(|hold| hold.id != id);
        let at = self.at;
        self.known.iter_mut().filter(|known| known.event.id == id).for_each(|known| known.hold_ended = Some(at));
    }

    fn resize(&mut self, id: EventId, amount: i128) {
        if amount == 0 {
            return self.let_go(id);
        }
        let hold = self.holds.iter_mut().find(|hold| hold.id == id).unwrap();
        hold.entry = resized(&hold.entry, amount).unwrap();
    }

    fn captured(&mut self, id: EventId, amount: i128) {
        for known in self.known.iter_mut().filter(|known| known.event.id == id) {
            if let Did::Held { captured, .. } = &mut known.did {
                *captured += amount;
            }
        }
    }

    fn increase(&mut self, event: &Event, id: EventId, amount: i128) -> Step {
        let by = event.id;
        let hold = self.live(id).ok_or(Code::HoldNotFound)?.entry.clone();
        if amount <= 0 || hold.postings.len() != 2 {
            return Err(Code::InvalidAmount);
        }
        let more = resized(&hold, amount).unwrap();
        let mut faults = self.faults(&more, None, false);
        if size(&hold) + amount > i128::from(i64::MAX) {
            faults.push(Code::Overflow);
        }
        faults.extend(self.over_limits(amount, false));
        faults.extend(self.send_fault(event));
        smallest(faults)?;
        self.charge(by, amount, false);
        self.uses.iter_mut().filter(|one| one.by == by).for_each(|one| one.by = id);
        self.resize(id, size(&hold) + amount);
        for known in self.known.iter_mut().filter(|known| known.event.id == id) {
            if let Did::Held { increased, .. } = &mut known.did {
                *increased += amount;
            }
        }
        Ok((amount, first(&hold), Did::Final))
    }

    fn capture(&mut self, by: EventId, id: EventId, amount: i128, last: bool) -> Step {
        let hold = self.live(id).ok_or(Code::HoldNotFound)?;
        let held = hold.entry.clone();
        if amount <= 0 || amount > size(&held) {
            return Err(Code::InvalidAmount);
        }
        let part = resized(&held, amount).ok_or(Code::InvalidAmount)?;
        for at in 0..self.uses.len() {
            let one = &mut self.uses[at];
            if one.by == id {
                let taken = Use { by, amount: one.amount.min(amount), ..*one };
                one.amount -= taken.amount;
                one.counted = false;
                self.uses.push(taken);
            }
        }
        if last || amount == size(&held) {
            self.give_back(id, None);
        }
        self.resize(id, if last { 0 } else { size(&held) - amount });
        self.captured(id, amount);
        self.posted.extend_from_slice(&part.postings);
        Ok((amount, first(&part), Did::Posted(part)))
    }

    fn complete(
        &mut self,
        event: &Event,
        hold: Reference,
        card: Option<CardId>,
        approval: Option<u32>,
        entry: &Entry,
        tolerance_bp: u32,
    ) -> Step {
        let named = self.named(event, hold).map(|known| known.event.id);
        let Some(hold) = named.and_then(|id| self.live(id)).filter(|hold| hold.card == card) else {
            let mut faults = self.faults(entry, None, false);
            faults.push(Code::HoldNotFound);
            return smallest(faults).map(|()| unreachable!());
        };
        let mut faults = self.faults(entry, Some(&hold.entry), false);
        if approval.is_some_and(|approval| approval != hold.approval) {
            faults.push(Code::ApprovalMismatch);
        }
        if size(entry) > size(&hold.entry) + size(&hold.entry) * i128::from(tolerance_bp) / 10_000 {
            faults.push(Code::OverTolerance);
        }
        if hold.entry.currency != entry.currency {
            faults.push(Code::CurrencyMismatch);
        }
        let (id, held) = (hold.id, size(&hold.entry));
        faults.extend(self.total_faults(event, entry));
        faults.extend(self.send_fault(event));
        smallest(faults)?;
        self.count(event, entry);
        self.settle(event.id, id, size(entry) - held);
        self.let_go(id);
        self.captured(id, size(entry));
        self.posted.extend_from_slice(&entry.postings);
        Ok((size(entry), first(entry), Did::Posted(entry.clone())))
    }

    /// What a hold was charged goes over to what is posted in its place, so much more or less.
    fn settle(&mut self, by: EventId, hold: EventId, more: i128) {
        for one in self.uses.iter_mut().filter(|one| one.by == hold) {
            one.by = by;
            one.amount = (one.amount + more).max(0);
        }
    }

    fn force(&mut self, event: &Event, hold: Option<Reference>, card: Option<CardId>, entry: &Entry) -> Step {
        let named = hold.and_then(|hold| self.named(event, hold)).map(|known| known.event.id);
        let hold = named.and_then(|id| self.live(id)).cloned();
        let hold = hold.filter(|hold| hold.card == card && hold.entry.currency == entry.currency);
        let mut faults = self.faults(entry, hold.as_ref().map(|hold| &hold.entry), true);
        faults.extend(self.send_fault(event));
        smallest(faults)?;
        if let Some(hold) = hold {
            self.settle(event.id, hold.id, size(entry) - size(&hold.entry));
            self.let_go(hold.id);
            self.captured(hold.id, size(entry));
        } else {
            self.charge(event.id, size(entry), true);
        }
        self.count(event, entry);
        self.posted.extend_from_slice(&entry.postings);
        Ok((size(entry), first(entry), Did::Posted(entry.clone())))
    }

    fn named(&self, by: &Event, reference: Reference) -> Option<&Known> {
        let by_key = |key| self.newest(key, |known: &Known| known.event.id.time() <= by.id.time());
        match reference {
            Reference::Id(id) => self.by_id(id),
            Reference::Key(key) => by_key(key),
            Reference::IdOrRepeat(id, key) => self.by_id(id).or_else(|| by_key(key)),
        }
    }

    fn reverse(&mut self, by: &Event, reference: Reference, compare: bool, remaining: i128) -> Step {
        let time = by.id.time();
        // A copy that is too late undoes another copy, and what it would send is not asked for.
        let is_reversal = match &by.body {
            Body::Card(card) => matches!(card.action, CardAction::Reverse { .. }),
            body => matches!(body, Body::Reverse { .. }),
        };
        let room = self.send_fault(by).filter(|_| is_reversal && !self.is_buried(by));
        let by_its_id = match reference {
            Reference::Id(id) | Reference::IdOrRepeat(id, _) => self.by_id(id).is_some(),
            Reference::Key(_) => false,
        };
        let Some(original) = self.named(by, reference).filter(|known| {
            let id = known.event.id;
            let in_its_place = matches!(reference, Reference::IdOrRepeat(..)) && !by_its_id;
            let is_another = in_its_place && compare && known.event.content != by.content;
            !is_another && (by_its_id || id.time() + DAY >= time || self.holds.iter().any(|hold| hold.id == id))
        }) else {
            return self.bury(reference, time);
        };
        if compare && original.event.content != by.content {
            return Err(Code::OriginalDiffers);
        }
        let (id, account, amount) = (original.event.id, original.outcome.account, i128::from(original.outcome.amount));
        let nothing = Ok((0, account, Did::Final));
        if original.did == Did::Forwarded {
            self.give_up(id);
            return nothing;
        }
        if original.reversed || original.outcome.code != Code::Approved {
            return nothing;
        }
        let original_did = original.did.clone();
        let back = match original_did.clone() {
            Did::Nothing => return nothing,
            Did::Forwarded => unreachable!("given up above"),
            Did::Final => return Err(Code::NotReversible),
            Did::Posted(entry) => self.unpost(&entry, remaining, room)?,
            Did::Held { captured, increased } => {
                if remaining < 0 || remaining > amount + increased {
                    return Err(Code::InvalidAmount);
                }
                if remaining < captured {
                    return Err(Code::NotReversible);
                }
                let Some(hold) = self.live(id) else { return nothing };
                let (held, keep) = (size(&hold.entry), remaining - captured);
                if keep > 0 && resized(&hold.entry, keep).is_none() {
                    return Err(Code::NotReversible);
                }
                if held > keep {
                    smallest(room.into_iter().collect())?;
                }
                self.resize(id, keep);
                held - keep
            }
        };
        if back > 0 {
            let all = match original_did {
                Did::Posted(entry) => back == size(&entry),
                _ => self.holds.iter().all(|hold| hold.id != id),
            };
            if let Some(one) = self.counted.iter().find(|one| one.by == id && !one.is_reversal) {
                let (key, total) = (one.key, one.total);
                let (date, _) = self.days[&key];
                let amount = u64::try_from(back).unwrap();
                self.counted.push(Counted { key, date, by: by.id, total, is_reversal: true, amount });
            }
            self.give_back(id, (!all).then_some(back));
            self.known.iter_mut().find(|known| known.event.id == id).unwrap().reversed = true;
        }
        Ok((back, account, Did::Final))
    }

    fn unpost(&mut self, entry: &Entry, remaining: i128, room: Option<Code>) -> Result<i128, Code> {
        if remaining < 0 || remaining > size(entry) {
            return Err(Code::InvalidAmount);
        }
        let back = size(entry) - remaining;
        if back == 0 {
            return Ok(0);
        }
        let mut reversal = resized(entry, back).ok_or(Code::NotReversible)?;
        reversal.postings.iter_mut().for_each(|posting| posting.amount = -posting.amount);
        let mut faults = self.faults(&reversal, None, true);
        faults.extend(room);
        smallest(faults)?;
        self.posted.extend_from_slice(&reversal.postings);
        Ok(back)
    }

    fn bury(&mut self, reference: Reference, time: u64) -> Step {
        let by_id = |id: EventId| (Reference::Id(id), 0, id.time().min(self.at + DAY) + 7 * DAY);
        let by_key = |key| (Reference::Key(key), time, time + 7 * DAY);
        let mut wanted = match reference {
            Reference::Id(id) => vec![by_id(id)],
            Reference::Key(key) => vec![by_key(key)],
            Reference::IdOrRepeat(id, key) => vec![by_id(id), by_key(key)],
        };
        wanted.retain(|(.., until)| *until > self.at);
        let name = |grave: &Grave| (grave.reference, grave.reversal_time);
        let is_new = |row: &&(Reference, u64, u64)| self.graves.iter().all(|grave| name(grave) != (row.0, row.1));
        let new = wanted.iter().filter(is_new).count();
        if new > 0 && self.graves.len() + new > self.bounds.tombstones {
            return Err(Code::Full);
        }
        for (reference, reversal_time, until) in wanted {
            self.graves.retain(|grave| name(grave) != (reference, reversal_time));
            self.graves.push(Grave { reference, reversal_time, until });
        }
        Err(Code::OriginalNotFound)
    }

    fn is_buried(&self, event: &Event) -> bool {
        let time = event.id.time();
        self.graves.iter().any(|grave| match grave.reference {
            Reference::Id(id) => id == event.id,
            Reference::Key(key) => {
                let recent = time <= grave.reversal_time && grave.reversal_time - time <= DAY;
                aliases(event).contains(&key) && recent
            }
            Reference::IdOrRepeat(..) => unreachable!("two graves"),
        })
    }

    fn tick(&mut self) -> i128 {
        let due: Vec<EventId> =
            self.holds.iter().filter(|hold| hold.expires_at <= self.at).map(|hold| hold.id).collect();
        let is_over = |message: &&Message| matches!(message.mail, Mail::Open { expires_at } if expires_at <= self.at);
        let over: Vec<EventId> = self.messages.iter().filter(is_over).map(|message| message.id).collect();
        over.iter().for_each(|id| self.give_up(*id));
        for id in &due {
            self.let_go(*id);
            self.give_back(*id, None);
        }
        let now = self.at;
        self.periods.retain(|_, until| *until > now);
        let open = self.open();
        let at = self.at;
        self.known.retain(|known| {
            let accepted = known.newest + horizon(&known.event);
            let until = match (&known.did, known.hold_ended) {
                (Did::Posted(_), Some(ended)) => accepted.max(ended + 7 * DAY),
                (_, Some(ended)) => accepted.max(ended + DAY),
                (Did::Posted(_), None) => accepted.max(known.outcome.at + 7 * DAY),
                _ => accepted,
            };
            until > at || open.contains(&known.event.id)
        });
        self.graves.retain(|grave| grave.until > at);
        (due.len() + over.len()) as i128
    }

    /// What a caller is told of an id.
    pub fn lookup(&self, id: EventId) -> Option<&Outcome> {
        let known = self.by_id(id)?;
        let accepted = id.time() + horizon(&known.event) >= self.at && id.time() <= self.at + DAY;
        accepted.then_some(&known.outcome)
    }

    /// Rows: accounts, holds, remembered events, unknown originals, cards with wrong PINs and
    /// with counters, usages, terminals, messages.
    pub fn sizes(&self) -> [usize; 9] {
        let [accounts, holds, known] = [self.accounts.len(), self.holds.len(), self.known.len()];
        let [graves, tries, counters] = [self.graves.len(), self.tries.len(), self.counters.len()];
        [accounts, holds, known, graves, tries, counters, self.periods.len(), self.days.len(), self.messages.len()]
    }
}
