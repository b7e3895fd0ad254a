//! Accounts: four numbers each, and who may move them.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::entry::credits;
use crate::event::{AccountId, AccountKind, Entry, Floor, Posting};
use crate::outcome::Code;

/// Fixed hashing, so that nothing depends on the run; order is never taken from it.
type Map<K, V> = HashMap<K, V, foldhash::fast::FixedState>;

/// Debits and credits, pending and posted. None is ever negative.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Account {
    pub currency: u16,
    pub kind: AccountKind,
    pub floor: Floor,
    pub closed: bool,
    pub debits: i64,
    pub credits: i64,
    pub pending_debits: i64,
    pub pending_credits: i64,
}

impl Account {
    pub fn new(currency: u16, kind: AccountKind, floor: Floor) -> Self {
        let (debits, credits, pending_debits, pending_credits) = (0, 0, 0, 0);
        Self { currency, kind, floor, closed: false, debits, credits, pending_debits, pending_credits }
    }

    pub fn balance(&self) -> i64 {
        self.credits.saturating_sub(self.debits)
    }

    pub fn available(&self) -> i64 {
        self.balance().saturating_sub(self.pending_debits)
    }

    /// What floor and range say against a posting.
    fn bear(&self, posting: &Posting, terms: Terms<'_>) -> Option<Code> {
        let freed = i128::from(terms.held(posting));
        let size = i128::from(posting.amount).abs();
        if posting.amount < 0 && !terms.forced {
            let freed = freed.abs();
            let left = i128::from(self.available()) + freed - size;
            if let Floor::Limited(floor) = self.floor
                && size > freed
                && left < i128::from(floor)
            {
                return Some(Code::InsufficientFunds);
            }
        }
        // Posted and pending together stay in range, so that no later capture can leave it.
        let (posted, pending) =
            if posting.amount < 0 { (self.debits, self.pending_debits) } else { (self.credits, self.pending_credits) };
        let sum = i128::from(posted) + i128::from(pending) + size - freed.abs();
        (sum > i128::from(i64::MAX)).then_some(Code::Overflow)
    }
}

/// In place of what, and how strictly, an entry is to be borne.
#[derive(Clone, Copy, Default)]
pub(super) struct Terms<'a> {
    /// A hold that is let go in the same step; what it holds has been promised and is given whatever the floor says now.
    pub released: Option<&'a Entry>,
    /// Floors are not asked, because money goes back where it came from or has been paid elsewhere.
    pub forced: bool,
}

impl Terms<'_> {
    /// What the hold that is let go has held on the same side of the posting's account.
    fn held(&self, posting: &Posting) -> i64 {
        let postings = self.released.into_iter().flat_map(|entry| &entry.postings);
        let same = |held: &&Posting| held.account == posting.account && held.amount.signum() == posting.amount.signum();
        postings.filter(same).map(|held| held.amount).next().unwrap_or(0)
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Accounts(Map<AccountId, Account>);

impl Accounts {
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn get(&self, id: AccountId) -> Option<&Account> {
        self.0.get(&id)
    }

    pub fn sorted(&self) -> BTreeMap<AccountId, &Account> {
        self.0.iter().map(|(id, account)| (*id, account)).collect()
    }

    pub fn from_rows(rows: &mut dyn Iterator<Item = (AccountId, Account)>) -> Self {
        Self(rows.collect())
    }

    pub fn iter(&self) -> impl Iterator<Item = (AccountId, &Account)> {
        self.0.iter().map(|(id, account)| (*id, account))
    }

    pub fn add(&mut self, id: AccountId, account: Account, max: usize) -> Result<(), Code> {
        if self.0.contains_key(&id) {
            return Err(Code::AccountExists);
        }
        if self.0.len() >= max {
            return Err(Code::Full);
        }
        self.0.insert(id, account);
        Ok(())
    }

    pub fn close(&mut self, id: AccountId) -> Result<(), Code> {
        self.open(id)?;
        let account = self.0.get_mut(&id).ok_or(Code::AccountNotFound)?;
        if account.balance() != 0 || account.pending_debits != 0 || account.pending_credits != 0 {
            return Err(Code::AccountInUse);
        }
        account.closed = true;
        Ok(())
    }

    pub fn open(&self, id: AccountId) -> Result<&Account, Code> {
        match self.0.get(&id) {
            None => Err(Code::AccountNotFound),
            Some(account) if account.closed => Err(Code::AccountClosed),
            Some(account) => Ok(account),
        }
    }

    /// Whether all accounts of the entry are there, open and in its currency, and floors and the range of 64 bits allow
    /// it. Each account is looked up once. `also`: what else is said against the entry, to be given if it comes first.
    pub fn judge(&self, entry: &Entry, terms: Terms<'_>, also: Option<Code>) -> Result<(), Code> {
        let fault = |posting: &Posting| match self.0.get(&posting.account) {
            None => Some(Code::AccountNotFound),
            Some(account) if account.closed => Some(Code::AccountClosed),
            Some(account) if account.currency != entry.currency => Some(Code::CurrencyMismatch),
            Some(account) => account.bear(posting, terms),
        };
        let too_large = i64::try_from(credits(entry)).is_err().then_some(Code::Overflow);
        entry.postings.iter().filter_map(fault).chain(also).chain(too_large).min().map_or(Ok(()), Err)
    }

    /// Adds to the posted numbers. The entry has been checked.
    pub fn post(&mut self, entry: &Entry) {
        for posting in &entry.postings {
            if let Some(account) = self.0.get_mut(&posting.account) {
                if posting.amount < 0 {
                    account.debits += -posting.amount;
                } else {
                    account.credits += posting.amount;
                }
            }
        }
    }

    /// Takes back what [`Accounts::post`] has added.
    pub fn unpost(&mut self, entry: &Entry) {
        for posting in &entry.postings {
            if let Some(account) = self.0.get_mut(&posting.account) {
                if posting.amount < 0 {
                    account.debits -= -posting.amount;
                } else {
                    account.credits -= posting.amount;
                }
            }
        }
    }

    /// Adds to, or with `sign` -1 takes from, the pending numbers. The entry has been checked.
    pub fn pend(&mut self, entry: &Entry, sign: i64) {
        for posting in &entry.postings {
            if let Some(account) = self.0.get_mut(&posting.account) {
                if posting.amount < 0 {
                    account.pending_debits += sign * -posting.amount;
                } else {
                    account.pending_credits += sign * posting.amount;
                }
            }
        }
    }
}
