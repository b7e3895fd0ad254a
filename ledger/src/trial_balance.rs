//! What was on every account at an earlier moment, from the journal alone.

use std::collections::BTreeMap;
use std::path::Path;

use crate::event::{AccountId, Millis};
use crate::recovery::OpenError;
use crate::state::AccountView;
use crate::subscription::AppliedEvent;
use crate::tools::{beginning, read, storage};

/// A moment in the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// After the event of this sequence.
    Seq(u64),
    /// After the last event of this time or before, Unix milliseconds.
    Time(Millis),
    Now,
}

impl AsOf {
    fn includes(self, event: &AppliedEvent) -> bool {
        match self {
            Self::Seq(seq) => event.seq <= seq,
            Self::Time(time) => event.at <= time,
            Self::Now => true,
        }
    }
}

/// Every account that had been opened at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrialBalance {
    /// Sequence and time of the last event that counts; 0 where none does.
    pub seq: u64,
    pub at: Millis,
    /// In the order of their numbers.
    pub accounts: Vec<(AccountId, AccountView)>,
}

impl TrialBalance {
    /// Currency to the sums of debits and credits, which are the same.
    pub fn totals(&self) -> BTreeMap<u16, (i128, i128)> {
        let mut totals: BTreeMap<u16, (i128, i128)> = BTreeMap::new();
        for (_, account) in &self.accounts {
            let total = totals.entry(account.currency).or_default();
            total.0 += i128::from(account.debits);
            total.1 += i128::from(account.credits);
        }
        totals
    }
}

/// Reads and checks the whole journal of a ledger's folder, or of the data directory it is in, and gives the accounts
/// of a moment. Works beside the process that writes it.
pub fn trial_balance(folder: &Path, as_of: AsOf) -> Result<TrialBalance, OpenError> {
    let (mut state, _) = beginning(&storage(folder))?;
    let is_before = match as_of {
        AsOf::Seq(seq) => seq < state.seq(),
        AsOf::Time(time) => time < state.at(),
        AsOf::Now => false,
    };
    let mut gap = is_before.then_some(state.seq() + 1);
    read(folder, |event| {
        if event.seq > state.seq() + 1 && as_of.includes(&event) {
            gap = Some(event.seq);
        } else if event.seq > state.seq() && as_of.includes(&event) {
            state.apply(event.seq, event.at, &event.event);
        }
    })?;
    // What went before is archived: to leave it out would give other balances.
    if let Some(first) = gap {
        return Err(OpenError::BeginsLate { first });
    }
    let mut accounts: Vec<_> = state.accounts().collect();
    accounts.sort_unstable_by_key(|(account, _)| *account);
    Ok(TrialBalance { seq: state.seq(), at: state.at(), accounts })
}
