//! What the driver was told has happened, account by account.

use ledger::{AccountId, AccountView, Ledger};

use super::step::Movement;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Totals {
    debits: i64,
    credits: i64,
}

/// Posted debits and credits of accounts 1 to n.
#[derive(Default)]
pub struct AccountsBook {
    totals: Vec<Totals>,
    posted: i128,
}

/// Accounts that differ, and the first of them in words.
#[derive(Debug, Default)]
pub struct Differences {
    pub count: u64,
    pub first: Option<String>,
}

impl AccountsBook {
    pub fn new(accounts: u32) -> Self {
        Self { totals: (0..accounts).map(|_| Totals::default()).collect(), posted: 0 }
    }

    pub fn post(&mut self, movement: Movement) {
        if let Some(totals) = place(movement.from).and_then(|at| self.totals.get_mut(at)) {
            totals.debits += movement.amount;
        }
        if let Some(totals) = place(movement.to).and_then(|at| self.totals.get_mut(at)) {
            totals.credits += movement.amount;
        }
        self.posted += i128::from(movement.amount);
    }

    /// Sum of all debits, which is that of all credits.
    pub fn posted(&self) -> i128 {
        self.posted
    }

    pub fn len(&self) -> usize {
        self.totals.len()
    }

    /// Every account, against the ledger. Nothing may be pending: all holds were captured.
    pub fn compare(&self, ledger: &Ledger) -> Differences {
        let mut differences = Differences::default();
        for (account, totals) in (1..).zip(&self.totals) {
            let view = ledger.account(account).unwrap_or_default();
            let Some(text) = difference(account, *totals, view) else { continue };
            differences.count += 1;
            differences.first.get_or_insert(text);
        }
        differences
    }
}

/// Accounts are numbered from 1.
fn place(account: AccountId) -> Option<usize> {
    usize::try_from(account.checked_sub(1)?).ok()
}

fn difference(account: AccountId, totals: Totals, view: Option<AccountView>) -> Option<String> {
    let Some(view) = view else { return Some(format!("account {account} is not in the ledger")) };
    let pending = (view.pending_debits, view.pending_credits);
    if (view.debits, view.credits) == (totals.debits, totals.credits) && pending == (0, 0) {
        return None;
    }
    let (told, has) = (totals, view);
    Some(format!(
        "account {account}: debits {}, credits {} in the ledger ({} and {} pending), {} and {} as answered",
        has.debits, has.credits, pending.0, pending.1, told.debits, told.credits
    ))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ledger::testing::{ManualClock, SimStorage};
    use ledger::{EventId, LedgerConfig};

    use super::super::step::{Ids, Step};
    use super::*;

    const NOW: u64 = 1_800_000_000_000;

    fn ledger_after(steps: &[Step]) -> Ledger {
        let clock = Arc::new(ManualClock::new(NOW));
        let ledger = Ledger::open(Arc::new(SimStorage::default()), LedgerConfig::new(clock)).unwrap();
        let mut ids = Ids::new(1);
        for step in steps {
            assert_eq!(ledger.submit_blocking(step.event(ids.next(NOW))).unwrap().outcome.code, ledger::Code::Approved);
        }
        ledger
    }

    #[test]
    fn what_was_answered_is_compared_with_what_is_there() {
        let movement = Movement { from: 1, to: 2, amount: 70 };
        let ledger = ledger_after(&[Step::Open(1), Step::Open(2), Step::Post(movement)]);
        let mut book = AccountsBook::new(2);
        book.post(movement);
        assert_eq!((book.compare(&ledger).count, book.posted(), book.len()), (0, 70, 2));
        book.post(movement);
        let lost = book.compare(&ledger);
        assert_eq!(lost.count, 2);
        assert!(lost.first.unwrap().starts_with("account 1: debits 70, credits 0 in the ledger"));
        assert_eq!(AccountsBook::new(3).compare(&ledger).count, 3, "the third is not there");
        ledger.close();
    }

    #[test]
    fn what_is_still_held_is_a_difference() {
        let movement = Movement { from: 1, to: 2, amount: 70 };
        let ledger = ledger_after(&[Step::Open(1), Step::Open(2), Step::Hold(movement)]);
        assert_eq!(AccountsBook::new(2).compare(&ledger).count, 2);
        assert!(Step::Hold(movement).follow_up(EventId(1)).is_some());
        ledger.close();
    }
}
