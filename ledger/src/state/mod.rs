//! The state machine: pure and total. The same events always give the same state and outcomes.

mod accounts;
mod ahead;
mod audit;
mod entry;
mod forwarding;
mod holds;
mod image;
mod index;
mod memory;
mod messages;
mod record;
mod records;
mod reversal;
mod rooms;
mod schedule;
mod terminals;
mod usages;

use std::collections::BTreeMap;

use self::accounts::{Account, Accounts, Terms};
use self::entry::{credits, first, grown, part, size, well_formed};
use self::holds::{Hold, Holds};
use self::memory::Memory;
use self::messages::Messages;
use self::record::{Effect, Kept, More, Record};
use self::terminals::Terminals;
use self::usages::{Charge, Usages, split};
use crate::controls::{Atc, Controls, Limit, TerminalDay, TerminalId, Total, Usage, UsageKey};
use crate::event::{
    AccountId, AccountKind, Body, CardAction, CardEvent, CardId, Content, Entry, Event, EventId, Key, Millis, PinCheck,
    Posting, Reference,
};
use crate::limits::{ADVICE_HORIZON_MS, AHEAD_MS, BATCH_ENTRIES_MAX, Bounds, HORIZON_MS, REVERSIBLE_MS, TICK_WORK_MAX};
use crate::messages::{LinkId, Outgoing, StoredMessage};
use crate::outcome::{AnswerBytes, Applied, Code, Outcome};

pub(crate) use self::ahead::Ahead;
pub(crate) use self::rooms::Rooms;

/// An account as readers see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountView {
    pub currency: u16,
    pub kind: AccountKind,
    pub closed: bool,
    pub debits: i64,
    pub credits: i64,
    pub pending_debits: i64,
    pub pending_credits: i64,
    /// Credits less debits.
    pub balance: i64,
    /// Balance less pending debits.
    pub available: i64,
}

/// What the ledger can say of an event that it may have had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recall {
    Known(Applied),
    /// It was never applied.
    Never,
    /// It would be forgotten by now: nothing can be said.
    Forgotten,
}

/// An open hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HoldView {
    /// What is still held.
    pub amount: i64,
    pub expires_at: Millis,
}

/// A remembered event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    pub content: Content,
    /// Whether the id itself is known. A repeat that is only known by its alias has to be submitted, so that its id
    /// can be named by a reversal.
    pub by_id: bool,
    pub applied: Applied,
}

/// What an event changed, for those who follow the ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Posted amounts.
    pub moves: Vec<Posting>,
    /// Changes of held amounts; a release has the opposite sign of its hold.
    pub holds: Vec<Posting>,
}

/// The whole state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    bounds: Bounds,
    accounts: Accounts,
    holds: Holds,
    memory: Memory,
    pin_tries: BTreeMap<CardId, u8>,
    /// The highest transaction counter seen of each card.
    counters: BTreeMap<CardId, u16>,
    usages: Usages,
    terminals: Terminals,
    messages: Messages,
    seq: u64,
    at: Millis,
}

/// What a successful step gives: the amount, the account it is about, and what could be undone.
struct Done {
    amount: i64,
    account: Option<AccountId>,
    effect: Effect,
    /// What it was charged of limits.
    charges: Vec<Charge>,
    /// Where what it posted was counted.
    total: Option<Total>,
    /// A terminal has counted other totals.
    counts_differ: bool,
    code: Code,
}

impl Done {
    fn new(amount: i64, account: Option<AccountId>, effect: Effect) -> Self {
        Self { amount, account, effect, charges: Vec::new(), total: None, counts_differ: false, code: Code::Approved }
    }

    fn nothing(account: Option<AccountId>, effect: Effect) -> Self {
        Self::new(0, account, effect)
    }
}

type Step = Result<Done, Code>;

impl State {
    /// An empty state with other bounds than those of production.
    pub fn with_bounds(bounds: Bounds) -> Self {
        Self { bounds, ..Self::default() }
    }

    /// Sequence of the last event applied; 0 before the first.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Time of the last event applied.
    pub fn at(&self) -> Millis {
        self.at
    }

    pub fn account(&self, id: AccountId) -> Option<AccountView> {
        let account = self.accounts.get(id)?;
        Some(AccountView {
            currency: account.currency,
            kind: account.kind,
            closed: account.closed,
            debits: account.debits,
            credits: account.credits,
            pending_debits: account.pending_debits,
            pending_credits: account.pending_credits,
            balance: account.balance(),
            available: account.available(),
        })
    }

    /// Every account, in no order.
    pub fn accounts(&self) -> impl Iterator<Item = (AccountId, AccountView)> {
        self.accounts.iter().filter_map(|(id, _)| Some((id, self.account(id)?)))
    }

    /// Wrong PINs in a row.
    pub fn pin_tries(&self, card: CardId) -> u8 {
        self.pin_tries.get(&card).copied().unwrap_or(0)
    }

    /// The highest transaction counter that was seen of a card.
    pub fn atc(&self, card: CardId) -> Option<u16> {
        self.counters.get(&card).copied()
    }

    /// What was used in the current period.
    pub fn usage(&self, usage: UsageKey) -> Usage {
        self.usages.used(usage, self.at)
    }

    /// The business day of a terminal in a currency.
    pub fn terminal_day(&self, terminal: TerminalId, currency: u16) -> Option<TerminalDay> {
        self.terminals.get(terminal, currency)
    }

    /// The oldest message that waits for a link: no later one is to be sent before it.
    pub fn next_message(&self, link: LinkId) -> Option<StoredMessage> {
        self.messages.next(link)
    }

    /// Messages that were sent in vain as often as they may.
    pub fn dead_letters(&self) -> impl Iterator<Item = StoredMessage> {
        self.messages.dead()
    }

    /// A remembered event, by id, or for a repeat by the alias of its first copy. An event that is remembered longer
    /// than its id is accepted, for its hold or its reversal, is not given: submitting its id again says too old.
    pub fn lookup(&self, id: EventId, repeat_of: Option<Key>) -> Option<Recorded> {
        let (_, record) = self.memory.first_copy(id, repeat_of)?;
        if is_outside(id.time(), record.horizon(), self.at) {
            return None;
        }
        let by_id = self.memory.by_id(id).is_some();
        Some(Recorded { content: record.content, by_id, applied: record.replay() })
    }

    /// What is known of an event of this very id, though it may not be accepted any more.
    pub fn recall(&self, id: EventId) -> Recall {
        match self.memory.get(id) {
            Some(record) => Recall::Known(record.replay()),
            None if self.memory.has_forgotten(id.time()) || is_outside(id.time(), HORIZON_MS, self.at) => {
                Recall::Forgotten
            }
            None => Recall::Never,
        }
    }

    /// The hold that an event placed, while it is open.
    pub fn hold(&self, id: EventId) -> Option<HoldView> {
        let hold = self.holds.usable(id, self.at)?;
        Some(HoldView { amount: size(&hold.entry), expires_at: hold.expires_at })
    }

    /// How many rows each table takes.
    pub fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// The moment before which a tick has nothing to do.
    pub fn next_due(&self) -> Option<Millis> {
        let hold = self.holds.next_expiry().map(|(at, _)| at);
        let forward = self.messages.next_expiry().map(|(at, _)| at);
        hold.into_iter().chain(forward).chain(self.memory.next_due()).chain(self.usages.next_due()).min()
    }

    /// Applies one event. `seq` rises with every event, `at` never falls; everything else follows from state and event.
    pub fn apply(&mut self, seq: u64, at: Millis, event: &Event) -> (Applied, Changes) {
        (self.seq, self.at) = (seq, at);
        let mut changes = Changes::default();
        if matches!(event.body, Body::Tick) {
            let done = Done::new(self.tick(&mut changes), None, Effect::Final);
            return (self.unrecorded(Ok(&done)), changes);
        }
        if let Some(known) = self.answer_known(event) {
            return (known, changes);
        }
        let result = self.run(event, &mut changes);
        if let (Ok(done), Some(send)) = (&result, &event.controls.send)
            && (done.amount > 0 || !is_reversal(event))
            && !matches!(done.effect, Effect::Forwarded)
        {
            self.messages.queue(event.id, send.clone(), seq, at);
        }
        let again = matches!(result, Err(Code::Full)) && may_come_again(event);
        let applied = if again { self.unrecorded(Err(Code::Full)) } else { self.record(event, result) };
        (applied, changes)
    }

    /// The answer to an event that is known, or of which it cannot be told whether it is.
    fn answer_known(&mut self, event: &Event) -> Option<Applied> {
        let time = event.id.time();
        let known = self.memory.known(event);
        if known.is_some_and(|(_, record)| record.content != event.content) {
            return Some(self.unrecorded(Err(Code::ReusedWithOtherContent)));
        }
        if is_outside(time, horizon(event), self.at) {
            return Some(self.unrecorded(Err(Code::IdTooOld)));
        }
        match known {
            // Its reversal came before it: that is news, and means the first copy too.
            Some((id, _)) if id != event.id && self.memory.is_buried_by_id(event.id) => None,
            Some((id, record)) => {
                let replay = record.replay();
                self.memory.link(event.id, id);
                Some(replay)
            }
            // A message may wait for longer than its event is remembered; one that goes by its id would take its place.
            None if self.memory.has_forgotten(time) || self.messages.has(event.id) => {
                Some(self.unrecorded(Err(Code::IdTooOld)))
            }
            None => None,
        }
    }

    fn unrecorded(&self, result: Result<&Done, Code>) -> Applied {
        Applied { outcome: self.outcome(result, 0, false), replayed: false, answer: AnswerBytes::default() }
    }

    fn run(&mut self, event: &Event, changes: &mut Changes) -> Step {
        if self.memory.is_buried(event) {
            self.undo_first_copy(event, changes);
            return Err(Code::TooLate);
        }
        let controls = &event.controls;
        match &event.body {
            Body::OpenAccount { account, currency, kind, floor } => {
                self.accounts.add(*account, Account::new(*currency, *kind, *floor), self.bounds.accounts)?;
                Ok(Done::nothing(Some(*account), Effect::Final))
            }
            Body::CloseAccount { account } => {
                self.accounts.close(*account)?;
                Ok(Done::nothing(Some(*account), Effect::Final))
            }
            Body::Post { entry, .. } => self.post(entry, controls, changes),
            Body::PostAll { entries, .. } => self.post_all(entries, changes),
            Body::PlaceHold { entry, expires_at, .. } => {
                self.place_hold(event.id, entry, *expires_at, None, controls, changes)
            }
            Body::IncreaseHold { hold, amount, .. } => self.increase(*hold, *amount, controls, changes),
            Body::CaptureHold { hold, amount, last, .. } => self.capture(*hold, *amount, *last, changes),
            Body::VoidHold { hold } => self.void(*hold, changes),
            Body::Reverse { original, remaining, .. } => {
                self.reverse(event.id, Reference::Id(*original), None, *remaining, self.may_send(controls), changes)
            }
            Body::Card(card) => self.card(event, card, changes),
            Body::ResetPinTries { card } => {
                self.pin_tries.remove(card);
                Ok(Done::nothing(None, Effect::Final))
            }
            Body::CloseForward { forward, result, answer, .. } => {
                self.close_forward(*forward, result, answer, controls, changes)
            }
            Body::Message { message, did } => {
                self.messages.note(*message, *did, self.seq, self.at)?;
                Ok(Done::nothing(None, Effect::Final))
            }
            Body::CloseTotals { terminal, currency, next_date, counted, .. } => {
                let key = (*terminal, *currency);
                let agrees = self.terminals.close(key, *next_date, counted.as_ref(), self.bounds.terminals)?;
                Ok(Done { counts_differ: !agrees, ..Done::nothing(None, Effect::Final) })
            }
            Body::ForgetAtc { card } => {
                self.counters.remove(card);
                Ok(Done::nothing(None, Effect::Final))
            }
            Body::Tick => Ok(Done::nothing(None, Effect::Final)),
        }
    }

    /// Decline, then the counter, then PIN, then the action.
    fn card(&mut self, event: &Event, card: &CardEvent, changes: &mut Changes) -> Step {
        if matches!(card.action, CardAction::Decline { .. }) {
            return Err(Code::Declined);
        }
        if let (Some(number), Some(atc)) = (card.card, event.controls.atc) {
            self.judge_atc(number, atc, is_after_the_fact(card))?;
        }
        self.judge_pin(card)?;
        let controls = &event.controls;
        match &card.action {
            CardAction::Decline { .. } => Err(Code::Declined),
            CardAction::Inquire { account } => {
                self.accounts.open(*account)?;
                self.may_send(controls)?;
                Ok(Done::nothing(Some(*account), Effect::Nothing))
            }
            CardAction::Post { entry } => self.post(entry, controls, changes),
            CardAction::Hold { entry, expires_at } => {
                self.place_hold(event.id, entry, *expires_at, card.card, controls, changes)
            }
            CardAction::Complete { hold, approval, entry, tolerance_bp } => {
                let hold = self.memory.named(*hold, event.id.time());
                let id = self.completable(hold, card.card, *approval, entry, *tolerance_bp)?;
                self.has_room(entry, controls)?;
                let done = self.post_in_place_of(Some(id), entry, changes);
                Ok(self.count_total(done, entry, controls))
            }
            CardAction::Reverse { original, remaining } => {
                self.reverse(event.id, *original, Some(event.content), *remaining, self.may_send(controls), changes)
            }
            CardAction::Forward { link, expires_at, reversal } => {
                if self.messages.len() >= self.bounds.messages {
                    return Err(Code::Full);
                }
                let reversal = Outgoing { link: *link, message: reversal.clone() };
                self.messages.open_forward(event.id, reversal, *expires_at);
                Ok(Done { code: Code::Forwarded, ..Done::nothing(None, Effect::Forwarded) })
            }
            CardAction::Force { entry, hold } => {
                let hold = hold.and_then(|hold| self.memory.named(hold, event.id.time()));
                self.force(hold, card.card, entry, controls, changes)
            }
        }
    }

    /// The counter passes once and is noted then, whatever else is refused. `only_noted`: it belongs to what has been
    /// decided already, and may come out of order.
    fn judge_atc(&mut self, card: CardId, atc: Atc, only_noted: bool) -> Result<(), Code> {
        let seen = self.atc(card);
        let has_place = seen.is_some() || self.counters.len() < self.bounds.cards_with_counters;
        match seen {
            _ if only_noted => {}
            Some(seen) if atc.value <= seen => return Err(Code::AtcNotNew),
            Some(seen) if atc.value - seen > atc.ahead_max => return Err(Code::AtcTooFar),
            None if !has_place => return Err(Code::AtcNotJudged),
            _ => {}
        }
        if has_place {
            self.counters.insert(card, atc.value.max(seen.unwrap_or(0)));
        }
        Ok(())
    }

    fn judge_pin(&mut self, card: &CardEvent) -> Result<(), Code> {
        let id = match (card.pin, card.card) {
            (PinCheck::NotChecked, _) | (PinCheck::Right, None) => return Ok(()),
            (PinCheck::Wrong, None) => return Err(Code::WrongPin),
            (PinCheck::Right | PinCheck::Wrong, Some(id)) => id,
        };
        let tries = self.pin_tries(id);
        if tries >= card.pin_tries_max {
            return Err(Code::PinTriesExceeded);
        }
        // Were a right PIN let through here, and a wrong one not counted, anybody could try them all.
        if tries == 0 && self.pin_tries.len() >= self.bounds.cards_with_wrong_pins {
            return Err(Code::PinNotJudged);
        }
        if card.pin == PinCheck::Wrong {
            self.pin_tries.insert(id, tries.saturating_add(1));
            return Err(Code::WrongPin);
        }
        self.pin_tries.remove(&id);
        Ok(())
    }

    fn move_posted(&mut self, entry: &Entry, changes: &mut Changes) {
        self.accounts.post(entry);
        changes.moves.extend_from_slice(&entry.postings);
    }

    /// Adds a hold's entry to the pending numbers, or with `sign` -1 takes it out.
    fn move_pending(&mut self, entry: &Entry, sign: i64, changes: &mut Changes) {
        self.accounts.pend(entry, sign);
        let signed = entry.postings.iter().map(|posting| Posting { amount: sign * posting.amount, ..*posting });
        changes.holds.extend(signed);
    }

    /// Whether accounts, limits and floors allow an entry that takes the place of nothing.
    fn allow(&self, entry: &Entry, limits: &[Limit]) -> Result<(), Code> {
        well_formed(entry)?;
        let exceeded = self.usages.exceeded(limits, size(entry), true, self.at).map(|(_, code)| code);
        self.accounts.judge(entry, Terms::default(), exceeded)?;
        if self.usages.has_room(limits, self.bounds.usages) { Ok(()) } else { Err(Code::Full) }
    }

    fn charge(&mut self, limits: &[Limit], amount: i64, counted: bool) -> Vec<Charge> {
        self.usages.charge(limits, amount, counted, self.at, self.bounds.usages)
    }

    /// Whether there is room to count what is posted, and to keep what is to be sent.
    fn has_room(&self, entry: &Entry, controls: &Controls) -> Result<(), Code> {
        let fits = |total: Total| self.terminals.has_room(&total, entry.currency, self.bounds.terminals);
        if controls.total.is_none_or(fits) { self.may_send(controls) } else { Err(Code::Full) }
    }

    fn may_send(&self, controls: &Controls) -> Result<(), Code> {
        let is_full = controls.send.is_some() && self.messages.len() >= self.bounds.messages;
        if is_full { Err(Code::Full) } else { Ok(()) }
    }

    /// Counts what was posted in the terminal's totals, where there is room.
    fn count_total(&mut self, done: Done, entry: &Entry, controls: &Controls) -> Done {
        let max = self.bounds.terminals;
        let total = controls.total.filter(|total| self.terminals.add(total, entry.currency, size(entry), max));
        Done { total, ..done }
    }

    fn post(&mut self, entry: &Entry, controls: &Controls, changes: &mut Changes) -> Step {
        self.allow(entry, &controls.limits)?;
        self.has_room(entry, controls)?;
        let charges = self.charge(&controls.limits, size(entry), true);
        let done = Done { charges, ..self.post_in_place_of(None, entry, changes) };
        Ok(self.count_total(done, entry, controls))
    }

    fn post_all(&mut self, entries: &[Entry], changes: &mut Changes) -> Step {
        if entries.is_empty() || entries.len() > BATCH_ENTRIES_MAX {
            return Err(Code::InvalidEntry);
        }
        let amount: i128 = entries.iter().map(credits).sum();
        if let Some((_, code)) = self.first_refused(entries) {
            return Err(code);
        }
        entries.iter().for_each(|entry| self.move_posted(entry, changes));
        let account = entries.first().and_then(first);
        Ok(Done::new(i64::try_from(amount).unwrap_or(i64::MAX), account, Effect::Final))
    }

    /// The first of some entries, posted in their order, that cannot be, and why. Posts nothing.
    fn first_refused(&mut self, entries: &[Entry]) -> Option<(usize, Code)> {
        let accounts = &mut self.accounts;
        let mut refused = None;
        for (number, entry) in entries.iter().enumerate() {
            match well_formed(entry).and_then(|()| accounts.judge(entry, Terms::default(), None)) {
                Ok(()) => accounts.post(entry),
                Err(code) => {
                    refused = Some((number, code));
                    break;
                }
            }
        }
        let posted = refused.map_or(entries.len(), |(number, _)| number);
        entries.iter().take(posted).for_each(|entry| accounts.unpost(entry));
        refused
    }

    fn place_hold(
        &mut self,
        id: EventId,
        entry: &Entry,
        expires_at: Millis,
        card: Option<CardId>,
        controls: &Controls,
        changes: &mut Changes,
    ) -> Step {
        let limits = controls.limits.as_slice();
        self.allow(entry, limits)?;
        self.may_send(controls)?;
        if self.holds.len() >= self.bounds.holds {
            return Err(Code::Full);
        }
        self.move_pending(entry, 1, changes);
        self.holds.insert(id, Hold { entry: entry.clone(), expires_at, card, approval: approval(self.seq) });
        let charges = self.charge(limits, size(entry), true);
        let effect = Effect::Held { captured: 0, increased: 0 };
        Ok(Done { charges, ..Done::new(size(entry), first(entry), effect) })
    }

    /// Lets a hold go and, where `rest` is something, holds that instead. Gives what was held. What its event was
    /// charged of limits stays.
    fn replace_hold(&mut self, id: EventId, rest: Option<Entry>, changes: &mut Changes) -> Option<Entry> {
        let hold = self.holds.remove(id)?;
        self.move_pending(&hold.entry, -1, changes);
        match rest {
            Some(rest) => {
                self.move_pending(&rest, 1, changes);
                self.holds.insert(id, Hold { entry: rest, ..hold.clone() });
            }
            None => self.memory.ended(id, self.at, HORIZON_MS),
        }
        Some(hold.entry)
    }

    /// Notes on a hold's event that some of it was posted: it cannot be reversed below that.
    fn note_captured(&mut self, id: EventId, amount: i64) {
        if let Some(Record { effect: Effect::Held { captured, .. }, .. }) = self.memory.get_mut(id) {
            *captured = captured.saturating_add(amount);
        }
    }

    /// Gives back what an event was charged of limits: so much, or where nothing is left of what it did, all.
    fn give_back(&mut self, id: EventId, amount: Option<i64>) {
        if let Some(charges) = self.memory.get_mut(id).and_then(Record::charges_mut) {
            match amount {
                Some(amount) => self.usages.adjust(charges, -amount),
                None => self.usages.give_back(charges),
            }
        }
    }

    /// Takes what a hold was charged over to the event that posts so much of it; the rest stays.
    fn split_charges(&mut self, hold: EventId, amount: i64) -> Vec<Charge> {
        let charges = self.memory.get_mut(hold).and_then(Record::charges_mut);
        charges.map_or_else(Vec::new, |charges| split(charges, amount))
    }

    fn increase(&mut self, id: EventId, amount: i64, controls: &Controls, changes: &mut Changes) -> Step {
        let limits = controls.limits.as_slice();
        let held = self.holds.usable(id, self.at).map(|hold| hold.entry.clone()).ok_or(Code::HoldNotFound)?;
        let is_pair = held.postings.len() == 2;
        let more = part(&held, amount).filter(|_| is_pair).ok_or(Code::InvalidAmount)?;
        let exceeded = self.usages.exceeded(limits, amount, false, self.at).map(|(_, code)| code);
        self.accounts.judge(&more, Terms::default(), exceeded)?;
        let whole = grown(&held, amount).ok_or(Code::Overflow)?;
        if !self.usages.has_room(limits, self.bounds.usages) {
            return Err(Code::Full);
        }
        self.may_send(controls)?;
        self.replace_hold(id, Some(whole), changes);
        // No use of its own: the hold's event is charged the more.
        let charges = self.charge(limits, amount, false);
        if let Some(record) = self.memory.get_mut(id) {
            if !charges.is_empty() {
                record.more.get_or_insert_default().charges.extend(charges);
            }
            if let Effect::Held { increased, .. } = &mut record.effect {
                *increased = increased.saturating_add(amount);
            }
        }
        Ok(Done::new(amount, first(&held), Effect::Final))
    }

    fn capture(&mut self, id: EventId, amount: i64, last: bool, changes: &mut Changes) -> Step {
        let held = self.holds.usable(id, self.at).map(|hold| hold.entry.clone()).ok_or(Code::HoldNotFound)?;
        let captured = part(&held, amount).filter(|_| amount <= size(&held)).ok_or(Code::InvalidAmount)?;
        let rest = if last || amount == size(&held) { None } else { part(&held, size(&held) - amount) };
        self.accounts.judge(&captured, Terms { released: Some(&held), forced: false }, None)?;
        let charges = self.split_charges(id, amount);
        if rest.is_none() {
            self.give_back(id, None);
        }
        self.replace_hold(id, rest, changes);
        self.note_captured(id, amount);
        self.move_posted(&captured, changes);
        Ok(Done { charges, ..Done::new(amount, first(&captured), Effect::Posted(Kept::from(&captured))) })
    }

    fn void(&mut self, id: EventId, changes: &mut Changes) -> Step {
        self.holds.usable(id, self.at).ok_or(Code::HoldNotFound)?;
        let held = self.replace_hold(id, None, changes).ok_or(Code::HoldNotFound)?;
        self.give_back(id, None);
        Ok(Done::new(size(&held), first(&held), Effect::Final))
    }

    /// The hold in whose place an entry may be posted.
    fn completable(
        &self,
        id: Option<EventId>,
        card: Option<CardId>,
        stated: Option<u32>,
        entry: &Entry,
        tolerance_bp: u32,
    ) -> Result<EventId, Code> {
        well_formed(entry)?;
        let id = id.ok_or(Code::HoldNotFound)?;
        let hold = self.holds.usable(id, self.at).filter(|hold| hold.card == card).ok_or(Code::HoldNotFound)?;
        if stated.is_some_and(|stated| stated != hold.approval) {
            return Err(Code::ApprovalMismatch);
        }
        let held = i128::from(size(&hold.entry));
        if i128::from(size(entry)) > held + held * i128::from(tolerance_bp) / 10_000 {
            return Err(Code::OverTolerance);
        }
        let other_currency = (entry.currency != hold.entry.currency).then_some(Code::CurrencyMismatch);
        self.accounts.judge(entry, Terms { released: Some(&hold.entry), forced: false }, other_currency)?;
        Ok(id)
    }

    /// Posts the entry whatever the floors say, in place of a hold if there is one.
    /// Limits are charged and not judged, and so are totals.
    fn force(
        &mut self,
        id: Option<EventId>,
        card: Option<CardId>,
        entry: &Entry,
        controls: &Controls,
        changes: &mut Changes,
    ) -> Step {
        well_formed(entry)?;
        let fits = |hold: &Hold| hold.card == card && hold.entry.currency == entry.currency;
        let hold = id.and_then(|id| Some((id, self.holds.usable(id, self.at).filter(|hold| fits(hold))?)));
        let terms = Terms { released: hold.map(|(_, hold)| &hold.entry), forced: true };
        self.accounts.judge(entry, terms, None)?;
        self.may_send(controls)?;
        let id = hold.map(|(id, _)| id);
        let mut done = self.post_in_place_of(id, entry, changes);
        if id.is_none() {
            done.charges = self.charge(&controls.limits, size(entry), true);
        }
        Ok(self.count_total(done, entry, controls))
    }

    /// The entry has been checked; the hold is closed by it.
    fn post_in_place_of(&mut self, hold: Option<EventId>, entry: &Entry, changes: &mut Changes) -> Done {
        let mut charges = Vec::new();
        if let Some(id) = hold {
            let held = self.replace_hold(id, None, changes).map_or(0, |held| size(&held));
            self.note_captured(id, size(entry));
            // Charged as much more or less as is posted.
            charges = self.memory.get_mut(id).and_then(Record::charges_mut).map(std::mem::take).unwrap_or_default();
            self.usages.adjust(&mut charges, size(entry).saturating_sub(held));
        }
        self.move_posted(entry, changes);
        Done { charges, ..Done::new(size(entry), first(entry), Effect::Posted(Kept::from(entry))) }
    }

    fn outcome(&self, result: Result<&Done, Code>, reason: u16, is_card: bool) -> Outcome {
        let (code, amount, account) = match result {
            Ok(done) => (done.code, done.amount, done.account),
            Err(code) => (code, 0, None),
        };
        let view = account.and_then(|account| self.accounts.get(account));
        Outcome {
            code,
            reason,
            seq: self.seq,
            at: self.at,
            amount,
            account,
            balance: view.map_or(0, Account::balance),
            available: view.map_or(0, Account::available),
            approval: if is_card && code == Code::Approved { approval(self.seq) } else { 0 },
        }
    }

    /// Remembers the event under its id and aliases.
    fn record(&mut self, event: &Event, result: Step) -> Applied {
        let card = match &event.body {
            Body::Card(card) => Some(card),
            _ => None,
        };
        let reason = match (card.map(|card| &card.action), &event.body) {
            (Some(CardAction::Decline { reason }), _) if matches!(result, Err(Code::Declined)) => *reason,
            (None, Body::PostAll { entries, .. }) if result.is_err() => match (&result, self.first_refused(entries)) {
                (Err(code), Some((number, refused))) if *code == refused => u16::try_from(number + 1).unwrap_or(0),
                _ => 0,
            },
            _ if result.as_ref().is_ok_and(|done| done.counts_differ) => 1,
            _ => self.exceeded_limit(event, &result),
        };
        let outcome = self.outcome(result.as_ref().map_err(|code| *code), reason, card.is_some());
        let answer = card.map(|card| AnswerBytes::from(card.answer.as_slice())).unwrap_or_default();
        let applied = Applied { outcome, replayed: false, answer: answer.clone() };
        let Done { effect, charges, total, .. } = result.unwrap_or_else(|_| Done::nothing(None, Effect::Nothing));
        let accepted_until = event.id.time().saturating_add(horizon(event));
        let forget_at = match effect {
            Effect::Held { .. } | Effect::Forwarded => None,
            Effect::Posted(_) => Some(accepted_until.max(self.at.saturating_add(REVERSIBLE_MS))),
            Effect::Nothing | Effect::Final => Some(accepted_until),
        };
        let has_more = card.is_some() || !charges.is_empty() || total.is_some();
        let more = has_more.then(|| More {
            answer,
            aliases: card.map_or_else(Vec::new, |card| card.aliases.clone()),
            repeat_of: card.and_then(|card| card.repeat_of),
            charges,
            total,
            ..More::default()
        });
        let advice = card.is_some_and(|card| card.advice);
        let mut record = Record::new(event.content, &applied.outcome, effect, forget_at, advice);
        record.more = more.map(Box::new);
        self.memory.insert(event.id, record, &self.bounds);
        applied
    }

    /// The number of the limit that refused an event, from 1. Nothing was charged since.
    fn exceeded_limit(&self, event: &Event, result: &Step) -> u16 {
        let Err(refused @ (Code::CountLimitExceeded | Code::AmountLimitExceeded)) = result else { return 0 };
        let (amount, counted) = match &event.body {
            Body::IncreaseHold { amount, .. } => (*amount, false),
            Body::Post { entry, .. } | Body::PlaceHold { entry, .. } => (size(entry), true),
            Body::Card(CardEvent { action: CardAction::Post { entry } | CardAction::Hold { entry, .. }, .. }) => {
                (size(entry), true)
            }
            _ => return 0,
        };
        let first = self.usages.exceeded(&event.controls.limits, amount, counted, self.at);
        first.filter(|(_, code)| code == refused).and_then(|(place, _)| u16::try_from(place + 1).ok()).unwrap_or(0)
    }

    /// Expires holds and forwards and forgets what is due, a bounded number at once. Gives how many of the former went.
    fn tick(&mut self, changes: &mut Changes) -> i64 {
        let mut expired = 0;
        for _ in 0..TICK_WORK_MAX {
            let Some((_, id)) = self.holds.next_expiry().filter(|(at, _)| *at <= self.at) else { break };
            self.replace_hold(id, None, changes);
            self.give_back(id, None);
            expired += 1;
        }
        for _ in 0..TICK_WORK_MAX {
            let Some((_, id)) = self.messages.next_expiry().filter(|(at, _)| *at <= self.at) else { break };
            self.give_up_forward(id);
            expired += 1;
        }
        self.memory.tick(self.at);
        self.usages.tick(self.at);
        expired
    }
}

/// Whether a refusal for want of room is not kept: it tells of what has happened, and is sent until it is taken.
fn may_come_again(event: &Event) -> bool {
    is_reversal(event)
        || matches!(event.body, Body::CloseForward { .. })
        || matches!(&event.body, Body::Card(card) if matches!(card.action, CardAction::Force { .. }))
}

fn is_reversal(event: &Event) -> bool {
    match &event.body {
        Body::Reverse { .. } => true,
        Body::Card(card) => matches!(card.action, CardAction::Reverse { .. }),
        _ => false,
    }
}

/// Whether a card event tells of what has been decided elsewhere.
fn is_after_the_fact(card: &CardEvent) -> bool {
    card.advice || matches!(card.action, CardAction::Force { .. } | CardAction::Reverse { .. })
}

fn horizon(event: &Event) -> Millis {
    match &event.body {
        Body::Card(card) if card.advice => ADVICE_HORIZON_MS,
        _ => HORIZON_MS,
    }
}

/// Whether an id's time is so far from now that the id is not accepted.
fn is_outside(time: Millis, horizon: Millis, now: Millis) -> bool {
    time < now.saturating_sub(horizon) || time > now.saturating_add(AHEAD_MS)
}

/// Six digits that follow from the sequence; neighbours differ visibly.
fn approval(seq: u64) -> u32 {
    u32::try_from(seq.wrapping_mul(387_420_489) % 1_000_000).unwrap_or(0)
}
