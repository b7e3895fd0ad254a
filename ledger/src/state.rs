//! The state machine: accounts, holds, what is remembered. Pure and total.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::event::{
    AccountId, AccountKind, Body, CardAction, CardEvent, CardId, Content, Entry, Event, EventId, Floor, Key, Millis,
    PinCheck, Posting, Reference,
};
use crate::limits::{
    ACCOUNTS_MAX, ADVICE_HORIZON_MS, AHEAD_MS, HOLDS_MAX, HORIZON_MS, POSTINGS_MAX, POSTINGS_MIN, RECORDS_MAX,
    TICK_WORK_MAX,
};
use crate::outcome::{Applied, Code, Outcome};

/// Fixed hashing, so that nothing depends on the run; order is never taken from these maps.
type Map<K, V> = HashMap<K, V, foldhash::fast::FixedState>;

/// An account's four numbers: debits and credits, pending and posted. None is ever negative.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Account {
    currency: u16,
    kind: AccountKind,
    floor: Floor,
    closed: bool,
    debits: i64,
    credits: i64,
    pending_debits: i64,
    pending_credits: i64,
}

impl Account {
    fn balance(&self) -> i64 {
        self.credits.saturating_sub(self.debits)
    }

    fn available(&self) -> i64 {
        self.balance().saturating_sub(self.pending_debits)
    }
}

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

#[derive(Clone, Debug, PartialEq, Eq)]
struct Hold {
    /// What is still held.
    entry: Entry,
    expires_at: Millis,
    card: Option<CardId>,
    approval: u32,
}

/// What an event did that can be undone.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Effect {
    Nothing,
    Posted(Entry),
    /// A hold was placed; it may still be open.
    Held,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Record {
    content: Content,
    outcome: Outcome,
    answer: Arc<[u8]>,
    aliases: Vec<Key>,
    effect: Effect,
    reversed: bool,
    forget_at: Millis,
}

/// A remembered event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    pub content: Content,
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
#[derive(Clone, Debug, Default)]
pub struct State {
    accounts: Map<AccountId, Account>,
    holds: BTreeMap<EventId, Hold>,
    records: BTreeMap<EventId, Record>,
    aliases: Map<Key, EventId>,
    /// Originals whose reversal came first, until when.
    tombstones: BTreeMap<Reference, Millis>,
    pin_tries: BTreeMap<CardId, u8>,
    hold_expiries: BTreeSet<(Millis, EventId)>,
    record_expiries: BTreeSet<(Millis, EventId)>,
    tombstone_expiries: BTreeSet<(Millis, Reference)>,
    /// Ids of a time before this are too old, whatever the horizon: their records had to make room.
    forgotten_before: Millis,
    seq: u64,
    at: Millis,
}

/// What a successful step gives: the amount, the account it is about, and what could be undone.
struct Done {
    amount: i64,
    account: Option<AccountId>,
    effect: Effect,
}

type Step = Result<Done, Code>;

impl State {
    /// Sequence of the last event applied; 0 before the first.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Time of the last event applied.
    pub fn at(&self) -> Millis {
        self.at
    }

    pub fn account(&self, id: AccountId) -> Option<AccountView> {
        let account = self.accounts.get(&id)?;
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

    /// Wrong PINs in a row.
    pub fn pin_tries(&self, card: CardId) -> u8 {
        self.pin_tries.get(&card).copied().unwrap_or(0)
    }

    /// A remembered event, by id, or for a repeat by the alias of its first copy.
    pub fn lookup(&self, id: EventId, repeat_of: Option<Key>) -> Option<Recorded> {
        let by_alias = || self.records.get(self.aliases.get(&repeat_of?)?);
        let record = self.records.get(&id).or_else(by_alias)?;
        let applied = Applied { outcome: record.outcome.clone(), replayed: true, answer: Arc::clone(&record.answer) };
        Some(Recorded { content: record.content, applied })
    }

    /// The earliest moment at which a tick has something to do.
    pub fn next_due(&self) -> Option<Millis> {
        let firsts = [
            self.hold_expiries.first().map(|(at, _)| *at),
            self.record_expiries.first().map(|(at, _)| *at),
            self.tombstone_expiries.first().map(|(at, _)| *at),
        ];
        firsts.into_iter().flatten().min()
    }

    /// Applies one event. `seq` and `at` rise with every event; everything else follows from state and event.
    pub fn apply(&mut self, seq: u64, at: Millis, event: &Event) -> (Applied, Changes) {
        debug_assert!(seq == self.seq + 1 && at > self.at);
        (self.seq, self.at) = (seq, at);
        let repeat_of = match &event.body {
            Body::Card(card) => card.repeat_of,
            _ => None,
        };
        let mut changes = Changes::default();
        if matches!(event.body, Body::Tick) {
            let released = self.tick(&mut changes);
            let outcome =
                self.outcome(Ok(&Done { amount: released, account: None, effect: Effect::Nothing }), 0, false);
            return (Applied { outcome, replayed: false, answer: Arc::from([]) }, changes);
        }
        if let Some(known) = self.lookup(event.id, repeat_of) {
            if known.content == event.content {
                return (known.applied, changes);
            }
            return (self.unrecorded(Code::ReusedWithOtherContent), changes);
        }
        let horizon = horizon(event);
        let time = event.id.time();
        if time < at.saturating_sub(horizon).max(self.forgotten_before) || time > at + AHEAD_MS {
            return (self.unrecorded(Code::IdTooOld), changes);
        }
        let result = self.run(event, &mut changes);
        let applied = self.record(event, result, horizon);
        (applied, changes)
    }

    fn unrecorded(&self, code: Code) -> Applied {
        Applied { outcome: self.outcome(Err(code), 0, false), replayed: false, answer: Arc::from([]) }
    }

    fn run(&mut self, event: &Event, changes: &mut Changes) -> Step {
        let tombstone = |key: &Key| self.tombstones.contains_key(&Reference::Key(*key));
        let aliased = matches!(&event.body, Body::Card(card) if card.aliases.iter().any(tombstone));
        if aliased || self.tombstones.contains_key(&Reference::Id(event.id)) {
            return Err(Code::TooLate);
        }
        match &event.body {
            Body::OpenAccount { account, currency, kind, floor } => {
                self.open_account(*account, *currency, *kind, *floor)
            }
            Body::CloseAccount { account } => self.close_account(*account),
            Body::Post { entry, .. } => self.post(entry, changes),
            Body::PlaceHold { entry, expires_at, .. } => self.place_hold(event.id, entry, *expires_at, None, changes),
            Body::CaptureHold { hold, amount, last, .. } => self.capture(*hold, *amount, *last, changes),
            Body::VoidHold { hold } => self.void(*hold, changes),
            Body::Reverse { original, remaining, .. } => {
                self.reverse(Reference::Id(*original), None, *remaining, changes)
            }
            Body::Card(card) => self.card(event, card, changes),
            Body::ResetPinTries { card } => {
                self.pin_tries.remove(card);
                Ok(Done { amount: 0, account: None, effect: Effect::Nothing })
            }
            Body::Tick => Ok(Done { amount: 0, account: None, effect: Effect::Nothing }),
        }
    }

    /// Decline, then PIN, then the action.
    fn card(&mut self, event: &Event, card: &CardEvent, changes: &mut Changes) -> Step {
        if matches!(card.action, CardAction::Decline { .. }) {
            return Err(Code::Declined);
        }
        self.judge_pin(card)?;
        match &card.action {
            CardAction::Decline { .. } => Err(Code::Declined),
            CardAction::Inquire { account } => {
                self.open(*account)?;
                Ok(Done { amount: 0, account: Some(*account), effect: Effect::Nothing })
            }
            CardAction::Post { entry } => self.post(entry, changes),
            CardAction::Hold { entry, expires_at } => self.place_hold(event.id, entry, *expires_at, card.card, changes),
            CardAction::Complete { hold, approval, entry, tolerance_bp } => {
                self.complete(*hold, card.card, *approval, entry, *tolerance_bp, changes)
            }
            CardAction::Reverse { original, remaining } => {
                self.reverse(*original, Some(event.content), *remaining, changes)
            }
        }
    }

    fn judge_pin(&mut self, card: &CardEvent) -> Result<(), Code> {
        let (Some(id), PinCheck::Right | PinCheck::Wrong) = (card.card, card.pin) else { return Ok(()) };
        let tries = self.pin_tries(id);
        if tries >= card.pin_tries_max {
            return Err(Code::PinTriesExceeded);
        }
        if card.pin == PinCheck::Wrong {
            self.pin_tries.insert(id, tries + 1);
            return Err(Code::WrongPin);
        }
        self.pin_tries.remove(&id);
        Ok(())
    }

    fn open_account(&mut self, id: AccountId, currency: u16, kind: AccountKind, floor: Floor) -> Step {
        if self.accounts.contains_key(&id) {
            return Err(Code::AccountExists);
        }
        if self.accounts.len() >= ACCOUNTS_MAX {
            return Err(Code::Full);
        }
        let account = Account {
            currency,
            kind,
            floor,
            closed: false,
            debits: 0,
            credits: 0,
            pending_debits: 0,
            pending_credits: 0,
        };
        self.accounts.insert(id, account);
        Ok(Done { amount: 0, account: Some(id), effect: Effect::Nothing })
    }

    fn close_account(&mut self, id: AccountId) -> Step {
        let account = self.open(id)?;
        if account.balance() != 0 || account.pending_debits != 0 || account.pending_credits != 0 {
            return Err(Code::AccountInUse);
        }
        if let Some(account) = self.accounts.get_mut(&id) {
            account.closed = true;
        }
        Ok(Done { amount: 0, account: Some(id), effect: Effect::Nothing })
    }

    fn open(&self, id: AccountId) -> Result<&Account, Code> {
        match self.accounts.get(&id) {
            None => Err(Code::AccountNotFound),
            Some(account) if account.closed => Err(Code::AccountClosed),
            Some(account) => Ok(account),
        }
    }

    /// The entry's form, its accounts, and whether they can bear it. `released`: a hold that is let go in the same
    /// step. `forced`: floors are not asked, because the money goes back where it came from.
    fn check(&self, entry: &Entry, released: Option<&Entry>, forced: bool) -> Result<(), Code> {
        let postings = &entry.postings;
        let distinct: BTreeSet<AccountId> = postings.iter().map(|posting| posting.account).collect();
        let sum: i128 = postings.iter().map(|posting| i128::from(posting.amount)).sum();
        let count = (POSTINGS_MIN..=POSTINGS_MAX).contains(&postings.len());
        if !count
            || sum != 0
            || distinct.len() != postings.len()
            || postings.iter().any(|posting| posting.amount == 0 || posting.amount == i64::MIN)
        {
            return Err(Code::InvalidEntry);
        }
        for posting in postings {
            let account = self.open(posting.account)?;
            if account.currency != entry.currency {
                return Err(Code::CurrencyMismatch);
            }
        }
        for posting in postings {
            let account = self.open(posting.account)?;
            let freed = released.into_iter().flat_map(|entry| &entry.postings);
            let freed: i64 =
                freed.filter(|held| held.account == posting.account && held.amount < 0).map(|held| -held.amount).sum();
            let floor = match account.floor {
                Floor::Limited(floor) if !forced => i128::from(floor),
                _ => i128::MIN,
            };
            let available = i128::from(account.available()) + i128::from(freed);
            if posting.amount < 0 && available + i128::from(posting.amount) < floor {
                return Err(Code::InsufficientFunds);
            }
        }
        for posting in postings {
            let account = self.open(posting.account)?;
            let size = posting.amount.abs();
            let (posted, pending) = if posting.amount < 0 {
                (account.debits, account.pending_debits)
            } else {
                (account.credits, account.pending_credits)
            };
            // Posted and pending together stay in range, so that no later capture can leave it.
            if posted.checked_add(pending).and_then(|sum| sum.checked_add(size)).is_none() {
                return Err(Code::Overflow);
            }
        }
        Ok(())
    }

    /// Adds to the posted numbers. The entry has been checked.
    fn move_posted(&mut self, entry: &Entry, changes: &mut Changes) {
        for posting in &entry.postings {
            if let Some(account) = self.accounts.get_mut(&posting.account) {
                if posting.amount < 0 {
                    account.debits += -posting.amount;
                } else {
                    account.credits += posting.amount;
                }
            }
        }
        changes.moves.extend_from_slice(&entry.postings);
    }

    /// Adds to, or with `release` takes from, the pending numbers.
    fn move_pending(&mut self, entry: &Entry, release: bool, changes: &mut Changes) {
        let sign = if release { -1 } else { 1 };
        for posting in &entry.postings {
            if let Some(account) = self.accounts.get_mut(&posting.account) {
                if posting.amount < 0 {
                    account.pending_debits += sign * -posting.amount;
                } else {
                    account.pending_credits += sign * posting.amount;
                }
            }
            changes.holds.push(Posting { account: posting.account, amount: sign * posting.amount });
        }
    }

    fn post(&mut self, entry: &Entry, changes: &mut Changes) -> Step {
        self.check(entry, None, false)?;
        self.move_posted(entry, changes);
        Ok(Done { amount: size(entry), account: first(entry), effect: Effect::Posted(entry.clone()) })
    }

    fn place_hold(
        &mut self,
        id: EventId,
        entry: &Entry,
        expires_at: Millis,
        card: Option<CardId>,
        changes: &mut Changes,
    ) -> Step {
        self.check(entry, None, false)?;
        if self.holds.len() >= HOLDS_MAX {
            return Err(Code::Full);
        }
        self.move_pending(entry, false, changes);
        self.holds.insert(id, Hold { entry: entry.clone(), expires_at, card, approval: approval(self.seq) });
        self.hold_expiries.insert((expires_at, id));
        Ok(Done { amount: size(entry), account: first(entry), effect: Effect::Held })
    }

    /// Takes a hold out of the table and its amounts out of the pending numbers.
    fn release(&mut self, id: EventId, changes: &mut Changes) -> Option<Hold> {
        let hold = self.holds.remove(&id)?;
        self.hold_expiries.remove(&(hold.expires_at, id));
        self.move_pending(&hold.entry, true, changes);
        Some(hold)
    }

    fn capture(&mut self, id: EventId, amount: i64, last: bool, changes: &mut Changes) -> Step {
        let hold = self.holds.get(&id).ok_or(Code::HoldNotFound)?;
        let part = scaled(&hold.entry, amount).ok_or(Code::InvalidAmount)?;
        let left = size(&hold.entry) - amount;
        if left < 0 {
            return Err(Code::InvalidAmount);
        }
        let rest = if left > 0 { scaled(&hold.entry, left) } else { None };
        self.check(&part, Some(&hold.entry), false)?;
        let hold = self.release(id, changes).ok_or(Code::HoldNotFound)?;
        self.move_posted(&part, changes);
        if let (Some(rest), false) = (rest, last) {
            self.move_pending(&rest, false, changes);
            self.hold_expiries.insert((hold.expires_at, id));
            self.holds.insert(id, Hold { entry: rest, ..hold });
        }
        Ok(Done { amount, account: first(&part), effect: Effect::Posted(part) })
    }

    fn void(&mut self, id: EventId, changes: &mut Changes) -> Step {
        let hold = self.release(id, changes).ok_or(Code::HoldNotFound)?;
        Ok(Done { amount: size(&hold.entry), account: first(&hold.entry), effect: Effect::Nothing })
    }

    fn resolve(&self, reference: Reference) -> Option<EventId> {
        match reference {
            Reference::Id(id) => Some(id),
            Reference::Key(key) => self.aliases.get(&key).copied(),
        }
    }

    /// Posts the entry in place of a hold, which is closed by it.
    fn complete(
        &mut self,
        reference: Reference,
        card: Option<CardId>,
        stated: Option<u32>,
        entry: &Entry,
        tolerance_bp: u32,
        changes: &mut Changes,
    ) -> Step {
        let id = self.resolve(reference).ok_or(Code::HoldNotFound)?;
        let hold = self.holds.get(&id).filter(|hold| hold.card == card).ok_or(Code::HoldNotFound)?;
        if stated.is_some_and(|stated| stated != hold.approval) {
            return Err(Code::ApprovalMismatch);
        }
        let held = i128::from(size(&hold.entry));
        let most = held + held * i128::from(tolerance_bp) / 10_000;
        if i128::from(size(entry)) > most {
            return Err(Code::OverTolerance);
        }
        self.check(entry, Some(&hold.entry), false)?;
        self.release(id, changes);
        self.move_posted(entry, changes);
        Ok(Done { amount: size(entry), account: first(entry), effect: Effect::Posted(entry.clone()) })
    }

    /// Undoes an event in full or down to `remaining`. `content`: what it must share with the original.
    fn reverse(
        &mut self,
        reference: Reference,
        content: Option<Content>,
        remaining: i64,
        changes: &mut Changes,
    ) -> Step {
        let nothing = |account| Done { amount: 0, account, effect: Effect::Nothing };
        let Some((id, original)) = self.resolve(reference).and_then(|id| Some((id, self.records.get(&id)?))) else {
            self.bury(reference);
            return Err(Code::OriginalNotFound);
        };
        if content.is_some_and(|content| content != original.content) {
            return Err(Code::OriginalDiffers);
        }
        let account = original.outcome.account;
        if original.reversed || original.outcome.code != Code::Approved {
            self.mark_reversed(id);
            return Ok(nothing(account));
        }
        let done = match original.effect.clone() {
            Effect::Nothing => nothing(account),
            Effect::Posted(entry) => self.unpost(&entry, remaining, changes)?,
            Effect::Held => self.reduce(id, remaining, changes)?,
        };
        self.mark_reversed(id);
        Ok(done)
    }

    fn unpost(&mut self, entry: &Entry, remaining: i64, changes: &mut Changes) -> Step {
        let back = size(entry) - remaining;
        if remaining < 0 || back < 0 {
            return Err(Code::InvalidAmount);
        }
        let account = first(entry);
        if back == 0 {
            return Ok(Done { amount: 0, account, effect: Effect::Nothing });
        }
        let part = if remaining == 0 { entry.clone() } else { scaled(entry, back).ok_or(Code::NotReversible)? };
        let postings = part.postings.iter().map(|posting| Posting { amount: -posting.amount, ..*posting }).collect();
        let reversal = Entry { postings, ..part };
        self.check(&reversal, None, true)?;
        self.move_posted(&reversal, changes);
        Ok(Done { amount: back, account, effect: Effect::Nothing })
    }

    fn reduce(&mut self, id: EventId, remaining: i64, changes: &mut Changes) -> Step {
        let hold = self.holds.get(&id).ok_or(Code::NotReversible)?;
        let back = size(&hold.entry) - remaining;
        if remaining < 0 || back < 0 {
            return Err(Code::InvalidAmount);
        }
        let account = first(&hold.entry);
        let rest = if remaining == 0 { None } else { Some(scaled(&hold.entry, remaining).ok_or(Code::NotReversible)?) };
        if let Some(hold) = self.release(id, changes)
            && let Some(rest) = rest
        {
            self.move_pending(&rest, false, changes);
            self.hold_expiries.insert((hold.expires_at, id));
            self.holds.insert(id, Hold { entry: rest, ..hold });
        }
        Ok(Done { amount: back, account, effect: Effect::Nothing })
    }

    fn mark_reversed(&mut self, id: EventId) {
        if let Some(record) = self.records.get_mut(&id) {
            record.reversed = true;
        }
    }

    /// Remembers that an original's reversal came first.
    fn bury(&mut self, reference: Reference) {
        let until = self.at + ADVICE_HORIZON_MS;
        if let Some(before) = self.tombstones.insert(reference, until) {
            self.tombstone_expiries.remove(&(before, reference));
        }
        self.tombstone_expiries.insert((until, reference));
    }

    fn outcome(&self, result: Result<&Done, Code>, reason: u16, is_card: bool) -> Outcome {
        let (code, amount, account) = match result {
            Ok(done) => (Code::Approved, done.amount, done.account),
            Err(code) => (code, 0, None),
        };
        let view = account.and_then(|account| self.accounts.get(&account));
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
    fn record(&mut self, event: &Event, result: Step, horizon: Millis) -> Applied {
        let (aliases, answer, reason, is_card) = match &event.body {
            Body::Card(card) => {
                let reason = match card.action {
                    CardAction::Decline { reason } if matches!(result, Err(Code::Declined)) => reason,
                    _ => 0,
                };
                (card.aliases.clone(), Arc::from(card.answer.as_slice()), reason, true)
            }
            _ => (Vec::new(), Arc::from([]), 0, false),
        };
        let outcome = self.outcome(result.as_ref().map_err(|code| *code), reason, is_card);
        let applied = Applied { outcome: outcome.clone(), replayed: false, answer: Arc::clone(&answer) };
        if self.records.len() >= RECORDS_MAX {
            self.make_room();
        }
        for key in &aliases {
            self.aliases.insert(*key, event.id);
        }
        // A hold is found by its aliases as long as it may be open, and its completion as long after.
        let held_until = self.holds.get(&event.id).map_or(0, |hold| hold.expires_at.saturating_add(HORIZON_MS));
        let forget_at = event.id.time().saturating_add(horizon).max(held_until);
        let effect = result.map_or(Effect::Nothing, |done| done.effect);
        self.record_expiries.insert((forget_at, event.id));
        let record = Record { content: event.content, outcome, answer, aliases, effect, reversed: false, forget_at };
        self.records.insert(event.id, record);
        applied
    }

    fn make_room(&mut self) {
        let oldest = self.records.keys().find(|id| !self.holds.contains_key(id)).copied();
        if let Some(id) = oldest {
            self.forgotten_before = self.forgotten_before.max(id.time() + 1);
            self.forget(id);
        }
    }

    fn forget(&mut self, id: EventId) {
        if let Some(record) = self.records.remove(&id) {
            self.record_expiries.remove(&(record.forget_at, id));
            for key in record.aliases {
                if self.aliases.get(&key) == Some(&id) {
                    self.aliases.remove(&key);
                }
            }
        }
    }

    /// Expires holds and forgets ids, a bounded number at once. Gives how many holds went.
    fn tick(&mut self, changes: &mut Changes) -> i64 {
        let now = self.at;
        let due = |first: Option<&(Millis, EventId)>| first.filter(|(at, _)| *at <= now).map(|(_, id)| *id);
        let mut expired = 0;
        for _ in 0..TICK_WORK_MAX {
            let Some(id) = due(self.hold_expiries.first()) else { break };
            self.release(id, changes);
            expired += 1;
        }
        for _ in 0..TICK_WORK_MAX {
            let Some(id) = due(self.record_expiries.first()) else { break };
            self.forget(id);
        }
        while let Some((at, reference)) = self.tombstone_expiries.first().copied().filter(|(at, _)| *at <= now) {
            self.tombstone_expiries.remove(&(at, reference));
            self.tombstones.remove(&reference);
        }
        expired
    }

    /// What must hold after every event; the text names what does not.
    pub fn check_invariants(&self) -> Result<(), String> {
        let mut totals: BTreeMap<u16, [i128; 4]> = BTreeMap::new();
        let mut pending: BTreeMap<AccountId, (i64, i64)> = BTreeMap::new();
        for hold in self.holds.values() {
            for posting in &hold.entry.postings {
                let sums = pending.entry(posting.account).or_default();
                if posting.amount < 0 { sums.0 -= posting.amount } else { sums.1 += posting.amount }
            }
        }
        for (id, account) in &self.accounts {
            let numbers = [account.debits, account.credits, account.pending_debits, account.pending_credits];
            if numbers.iter().any(|number| *number < 0) {
                return Err(format!("account {id} has a negative number"));
            }
            let held = pending.remove(id).unwrap_or_default();
            if held != (account.pending_debits, account.pending_credits) {
                return Err(format!("account {id}: open holds and pending amounts differ"));
            }
            for (total, number) in totals.entry(account.currency).or_default().iter_mut().zip(numbers) {
                *total += i128::from(number);
            }
        }
        if !pending.is_empty() {
            return Err("a hold names an account that does not exist".into());
        }
        for (currency, [debits, credits, pending_debits, pending_credits]) in totals {
            if debits != credits || pending_debits != pending_credits {
                return Err(format!("currency {currency}: debits and credits differ"));
            }
        }
        Ok(())
    }

    /// Equal states have equal digests, however they came about.
    pub fn digest(&self) -> u64 {
        let mut text = String::new();
        let accounts: BTreeMap<_, _> = self.accounts.iter().collect();
        let aliases: BTreeMap<_, _> = self.aliases.iter().collect();
        use std::fmt::Write;
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "{accounts:?}{:?}{:?}{aliases:?}{:?}{:?}",
            self.holds, self.records, self.tombstones, self.pin_tries
        );
        let _ = write!(text, "{}{}{}", self.forgotten_before, self.seq, self.at);
        let (first, second) = text.as_bytes().split_at(text.len() / 2);
        u64::from(crc32c::crc32c(first)) << 32 | u64::from(crc32c::crc32c(second))
    }

    /// Figures for reports and gauges.
    pub fn sizes(&self) -> [(&'static str, usize); 4] {
        [
            ("accounts", self.accounts.len()),
            ("open_holds", self.holds.len()),
            ("remembered_events", self.records.len()),
            ("cards_with_wrong_pins", self.pin_tries.len()),
        ]
    }

    /// Per currency: posted debits, posted credits.
    pub fn trial_balance(&self) -> BTreeMap<u16, (i128, i128)> {
        let mut totals: BTreeMap<u16, (i128, i128)> = BTreeMap::new();
        for account in self.accounts.values() {
            let total = totals.entry(account.currency).or_default();
            total.0 += i128::from(account.debits);
            total.1 += i128::from(account.credits);
        }
        totals
    }
}

fn horizon(event: &Event) -> Millis {
    match &event.body {
        Body::Card(card) if card.advice => ADVICE_HORIZON_MS,
        _ => HORIZON_MS,
    }
}

/// Six digits that follow from the sequence; neighbours differ visibly.
fn approval(seq: u64) -> u32 {
    u32::try_from(seq.wrapping_mul(387_420_489) % 1_000_000).unwrap_or(0)
}

/// What an entry moves: the sum of its credits.
fn size(entry: &Entry) -> i64 {
    entry.postings.iter().map(|posting| posting.amount).filter(|amount| *amount > 0).fold(0, i64::saturating_add)
}

fn first(entry: &Entry) -> Option<AccountId> {
    entry.postings.first().map(|posting| posting.account)
}

/// The same two accounts with another amount.
fn scaled(entry: &Entry, amount: i64) -> Option<Entry> {
    let [from, to] = entry.postings.as_slice() else { return None };
    if amount <= 0 {
        return None;
    }
    let part = |posting: &Posting| Posting { amount: posting.amount.signum() * amount, ..*posting };
    Some(Entry { currency: entry.currency, postings: vec![part(from), part(to)] })
}
