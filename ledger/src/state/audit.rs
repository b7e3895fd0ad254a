//! What must hold, and what the state amounts to.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher};
use std::io::{self, Write};

use super::accounts::Account;
use super::{Changes, State};
use crate::event::{AccountId, Body, CardAction, Event, Floor};
use crate::limits::TABLES;
use crate::outcome::{Applied, Code};

/// Pending debits and credits that open holds make up on one account.
type Pending = BTreeMap<AccountId, (i128, i128)>;

impl State {
    /// What must hold after every event; the text names what does not. Reads the whole state.
    pub fn check_invariants(&self) -> Result<(), String> {
        let mut pending = self.pending()?;
        let mut totals: BTreeMap<u16, [i128; 4]> = BTreeMap::new();
        for (id, account) in self.accounts.iter() {
            check_account(account, pending.remove(&id).unwrap_or_default())
                .map_err(|what| format!("account {id}: {what}"))?;
            let numbers = [account.debits, account.credits, account.pending_debits, account.pending_credits];
            for (total, number) in totals.entry(account.currency).or_default().iter_mut().zip(numbers) {
                *total += i128::from(number);
            }
        }
        if let Some(id) = pending.keys().next() {
            return Err(format!("account {id}: named by a hold and not there"));
        }
        for (currency, [debits, credits, pending_debits, pending_credits]) in totals {
            if debits != credits || pending_debits != pending_credits {
                return Err(format!("currency {currency}: debits and credits differ"));
            }
        }
        for ((table, rows), (_, bound)) in self.sizes().into_iter().zip(self.bounds.tables()) {
            if rows > bound {
                return Err(format!("{rows} {table}, of at most {bound}"));
            }
        }
        self.usages.check(self.memory.charges())?;
        self.messages.check()?;
        self.memory.check(|id| self.holds.contains(id) || self.messages.is_forward(id))
    }

    /// What must hold of the event that was applied last: what it moved and held adds up to zero, and no account that it
    /// took from by its own decision is below its floor. What was decided elsewhere, or goes back, is not asked.
    pub fn check_event(&self, event: &Event, applied: &Applied, changes: &Changes) -> Result<(), String> {
        let mut of_accounts: BTreeMap<AccountId, (i128, i128)> = BTreeMap::new();
        for posting in &changes.moves {
            of_accounts.entry(posting.account).or_default().0 += i128::from(posting.amount);
        }
        for posting in &changes.holds {
            of_accounts.entry(posting.account).or_default().1 += i128::from(posting.amount);
        }
        let sums = of_accounts.values().fold((0, 0), |sum, (moved, held)| (sum.0 + moved, sum.1 + held));
        if sums != (0, 0) {
            return Err("debits and credits differ".into());
        }
        if !asks_floors(&event.body) || applied.outcome.code != Code::Approved {
            return Ok(());
        }
        // What holds takes what it holds. What posts in place of a hold takes what it posts beyond that: less of a hold on
        // the credit side takes nothing.
        let holds = places_hold(&event.body);
        let is_taken = |(moved, held): (i128, i128)| if holds { held < 0 } else { moved < 0 && moved + held < 0 };
        let taken = of_accounts.into_iter().filter(|(_, changed)| is_taken(*changed)).map(|(id, _)| id);
        for id in taken {
            let Some(account) = self.accounts.get(id) else { return Err(format!("account {id}: not there")) };
            if matches!(account.floor, Floor::Limited(floor) if account.available() < floor) {
                return Err(format!("account {id}: below its floor"));
            }
        }
        Ok(())
    }

    fn pending(&self) -> Result<Pending, String> {
        let mut pending = Pending::new();
        for (id, hold) in self.holds.iter() {
            if self.memory.get(id).is_none() || !self.holds.expiries().contains(&(hold.expires_at, id)) {
                return Err(format!("hold {:032x}: its event is not remembered, or it would never expire", id.0));
            }
            for posting in &hold.entry.postings {
                let sums = pending.entry(posting.account).or_default();
                let amount = i128::from(posting.amount);
                if amount < 0 { sums.0 -= amount } else { sums.1 += amount }
            }
        }
        if self.holds.expiries().len() != self.holds.len() {
            return Err("an expiry names a hold that is not there".into());
        }
        Ok(pending)
    }

    /// Equal states have equal digests, however they came about.
    pub fn digest(&self) -> u64 {
        let mut digest = Digest(foldhash::quality::FixedState::with_seed(0).build_hasher());
        // Writing to a digest cannot fail.
        let _ = self.write_image(&mut digest);
        digest.0.finish()
    }

    /// Rows of the tables, for reports and gauges, in the order of `Bounds::tables`.
    pub fn sizes(&self) -> [(&'static str, usize); TABLES] {
        [
            ("accounts", self.accounts.len()),
            ("open_holds", self.holds.len()),
            ("remembered_events", self.memory.len()),
            ("reversed_before_seen", self.memory.tombstone_count()),
            ("cards_with_wrong_pins", self.pin_tries.len()),
            ("cards_with_counters", self.counters.len()),
            ("usages", self.usages.len()),
            ("terminals", self.terminals.len()),
            ("messages", self.messages.len()),
        ]
    }

    /// Per currency: posted debits, posted credits.
    pub fn trial_balance(&self) -> BTreeMap<u16, (i128, i128)> {
        let mut totals: BTreeMap<u16, (i128, i128)> = BTreeMap::new();
        for (_, account) in self.accounts.iter() {
            let total = totals.entry(account.currency).or_default();
            total.0 += i128::from(account.debits);
            total.1 += i128::from(account.credits);
        }
        totals
    }
}

/// Whether events of this kind take only what floors leave.
fn asks_floors(body: &Body) -> bool {
    match body {
        Body::Post { .. } | Body::PostAll { .. } | Body::PlaceHold { .. } => true,
        Body::IncreaseHold { .. } | Body::CaptureHold { .. } => true,
        Body::Card(card) => {
            matches!(card.action, CardAction::Post { .. } | CardAction::Hold { .. } | CardAction::Complete { .. })
        }
        _ => false,
    }
}

fn places_hold(body: &Body) -> bool {
    match body {
        Body::PlaceHold { .. } | Body::IncreaseHold { .. } => true,
        Body::Card(card) => matches!(card.action, CardAction::Hold { .. }),
        _ => false,
    }
}

fn check_account(account: &Account, held: (i128, i128)) -> Result<(), &'static str> {
    let numbers = [account.debits, account.credits, account.pending_debits, account.pending_credits];
    if numbers.iter().any(|number| *number < 0) {
        return Err("a number is negative");
    }
    if held != (i128::from(account.pending_debits), i128::from(account.pending_credits)) {
        return Err("open holds and pending amounts differ");
    }
    if account.debits.checked_add(account.pending_debits).is_none()
        || account.credits.checked_add(account.pending_credits).is_none()
    {
        return Err("posted and pending amounts leave the range of 64 bits");
    }
    if account.closed && (account.balance() != 0 || held != (0, 0)) {
        return Err("closed, and not empty");
    }
    Ok(())
}

/// Over the image as it is written: nothing as large as the state is ever built.
struct Digest(foldhash::quality::FoldHasher<'static>);

impl Write for Digest {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{AccountKind, Content, Entry, EventId, Posting};

    fn state() -> State {
        let mut state = State::default();
        for (seq, (account, floor)) in (1..).zip([(1, Floor::Unlimited), (2, Floor::Limited(-5))]) {
            let body = Body::OpenAccount { account, currency: 710, kind: AccountKind::Wallet, floor };
            state.apply(seq, 1000, &Event::new(EventId::new(1000, [seq as u8; 10]), Content([0; 16]), body));
        }
        state
    }

    fn post(from: AccountId, to: AccountId, amount: i64) -> Event {
        let postings = vec![Posting { account: from, amount: -amount }, Posting { account: to, amount }];
        let body = Body::Post { entry: Entry { currency: 710, postings }, record: Vec::new() };
        Event::new(EventId::new(1000, [9; 10]), Content([0; 16]), body)
    }

    #[test]
    fn a_floor_that_was_crossed_and_sums_that_differ_are_found() {
        let mut state = state();
        let event = post(2, 1, 5);
        let (applied, mut changes) = state.apply(3, 1000, &event);
        assert_eq!((applied.outcome.code, state.check_event(&event, &applied, &changes)), (Code::Approved, Ok(())));
        // As if one more had been let through.
        let more = post(2, 1, 1);
        let Body::Post { entry, .. } = &more.body else { unreachable!() };
        state.accounts.post(entry);
        assert_eq!(state.check_event(&event, &applied, &changes), Err("account 2: below its floor".into()));
        // A hold that would have credited it is let go and takes nothing, so low as the account is.
        let release = vec![Posting { account: 1, amount: 5 }, Posting { account: 2, amount: -5 }];
        let capture = Body::CaptureHold { hold: event.id, amount: 5, last: true, record: Vec::new() };
        let released = Changes { moves: Vec::new(), holds: release };
        assert_eq!(state.check_event(&Event { body: capture, ..event.clone() }, &applied, &released), Ok(()));
        changes.moves.pop();
        assert_eq!(state.check_event(&event, &applied, &changes), Err("debits and credits differ".into()));
    }
}
