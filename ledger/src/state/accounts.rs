//! Accounts: four numbers each, and who may move them.

use std::fmt;
use std::hash::BuildHasher;

use serde::{Deserialize, Serialize};

use super::entry::credits;
use super::index::Index;
use super::records::Place;
use super::rooms::Rooms;
use crate::event::{AccountId, AccountKind, Entry, Floor, Posting};
use crate::limits::BATCH_EVENTS_MAX;
use crate::outcome::Code;

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

/// Rows of a chunk, and tables in which places of rows are found. A table that grows is made anew, so there are many
/// small ones.
const CHUNK: usize = 1024;
const TABLES: usize = 256;

/// Rows lie in chunks that never move, each in one line of the processor's cache; what finds them is small enough to
/// stay at hand. Of millions that are moved in no order, one thing each comes from far away.
#[derive(Clone, Default)]
pub(super) struct Accounts {
    /// None, or [`TABLES`].
    tables: Vec<Index>,
    chunks: Vec<Vec<Row>>,
    /// For the next chunks.
    spare: Vec<Room>,
    len: usize,
}

/// Chunks that are kept ready: as many as one frame may need.
const SPARE: usize = BATCH_EVENTS_MAX.div_ceil(CHUNK) + 1;

/// Memory for a chunk, touched: it is there when it is written to.
#[derive(Clone)]
pub(crate) struct Room(Vec<Row>);

impl Room {
    pub fn new() -> Self {
        let account = Account::new(0, AccountKind::System, Floor::Unlimited);
        let mut rows = vec![Row { id: 0, account }; CHUNK];
        rows.clear();
        Self(rows)
    }
}

#[derive(Clone)]
#[repr(align(64))]
struct Row {
    id: AccountId,
    account: Account,
}

/// The same in every run; order is never taken from it.
fn hash(id: AccountId) -> u64 {
    foldhash::fast::FixedState::with_seed(0).hash_one(id)
}

/// Tables go by bits that they do not use themselves.
fn table(hash: u64) -> usize {
    hash as usize % TABLES
}

fn split(place: Place) -> (usize, usize) {
    (place as usize / CHUNK, place as usize % CHUNK)
}

fn row(chunks: &[Vec<Row>], place: Place) -> Option<&Row> {
    let (chunk, row) = split(place);
    chunks.get(chunk)?.get(row)
}

impl Accounts {
    pub fn len(&self) -> usize {
        self.len
    }

    fn place(&self, id: AccountId) -> Option<Place> {
        let hash = hash(id);
        self.tables.get(table(hash))?.find(hash, |place| row(&self.chunks, place).is_some_and(|row| row.id == id))
    }

    pub fn get(&self, id: AccountId) -> Option<&Account> {
        row(&self.chunks, self.place(id)?).map(|row| &row.account)
    }

    /// Reads some accounts and changes nothing. Of millions any two are far apart in memory; asked for all at once, they
    /// come together and not one after the other. So first where they lie, which is at hand, and then the rows.
    pub fn warm(&self, ids: impl Iterator<Item = AccountId>, places: &mut Vec<Place>) {
        places.clear();
        places.extend(ids.filter_map(|id| {
            let hash = hash(id);
            self.tables.get(table(hash))?.guess(hash)
        }));
        let look = |place: &Place| row(&self.chunks, *place).map_or(0, |row| row.account.debits);
        std::hint::black_box(places.iter().map(look).fold(0, i64::wrapping_add));
    }

    fn get_mut(&mut self, id: AccountId) -> Option<&mut Account> {
        let (chunk, row) = split(self.place(id)?);
        self.chunks.get_mut(chunk)?.get_mut(row).map(|row| &mut row.account)
    }

    pub fn sorted(&self) -> Vec<(AccountId, &Account)> {
        let mut rows: Vec<_> = self.iter().collect();
        rows.sort_unstable_by_key(|(id, _)| *id);
        rows
    }

    /// As many as it wants.
    pub fn take_rooms(&mut self, rooms: impl Iterator<Item = Room>) {
        self.spare.extend(rooms.take(SPARE.saturating_sub(self.spare.len())));
    }

    /// Of rows in the order of their ids; of two rows of one account the first counts.
    pub fn from_rows(rows: &mut dyn Iterator<Item = (AccountId, Account)>, rooms: Option<&Rooms>) -> Self {
        let mut accounts = Self::default();
        let mut last = None;
        for (id, account) in rows {
            if accounts.len.is_multiple_of(CHUNK) {
                accounts.take_rooms(rooms.and_then(Rooms::for_accounts).into_iter());
            }
            // What is behind all others need not be looked for.
            let added = if last < Some(id) { accounts.put(id, account) } else { accounts.add(id, account, usize::MAX) };
            last = last.max(added.is_ok().then_some(id));
        }
        accounts
    }

    pub fn iter(&self) -> impl Iterator<Item = (AccountId, &Account)> {
        self.chunks.iter().flatten().map(|row| (row.id, &row.account))
    }

    pub fn add(&mut self, id: AccountId, account: Account, max: usize) -> Result<(), Code> {
        if self.get(id).is_some() {
            return Err(Code::AccountExists);
        }
        if self.len >= max { Err(Code::Full) } else { self.put(id, account) }
    }

    /// The id is not there yet.
    fn put(&mut self, id: AccountId, account: Account) -> Result<(), Code> {
        let place = Place::try_from(self.len).ok().filter(|place| *place < Place::MAX).ok_or(Code::Full)?;
        self.tables.resize_with(TABLES, Index::default);
        if self.chunks.last().is_none_or(|chunk| chunk.len() >= CHUNK) {
            let Room(rows) = self.spare.pop().unwrap_or_else(|| Room(Vec::with_capacity(CHUNK)));
            self.chunks.push(rows);
        }
        self.chunks.last_mut().ok_or(Code::Full)?.push(Row { id, account });
        self.len += 1;
        let hash = hash(id);
        self.tables.get_mut(table(hash)).ok_or(Code::Full)?.insert(hash, place);
        Ok(())
    }

    pub fn close(&mut self, id: AccountId) -> Result<(), Code> {
        self.open(id)?;
        let account = self.get_mut(id).ok_or(Code::AccountNotFound)?;
        if account.balance() != 0 || account.pending_debits != 0 || account.pending_credits != 0 {
            return Err(Code::AccountInUse);
        }
        account.closed = true;
        Ok(())
    }

    pub fn open(&self, id: AccountId) -> Result<&Account, Code> {
        match self.get(id) {
            None => Err(Code::AccountNotFound),
            Some(account) if account.closed => Err(Code::AccountClosed),
            Some(account) => Ok(account),
        }
    }

    /// Whether all accounts of the entry are there, open and in its currency, and floors and the range of 64 bits allow
    /// it. Each account is looked up once. `also`: what else is said against the entry, to be given if it comes first.
    pub fn judge(&self, entry: &Entry, terms: Terms<'_>, also: Option<Code>) -> Result<(), Code> {
        let fault = |posting: &Posting| match self.get(posting.account) {
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
            if let Some(account) = self.get_mut(posting.account) {
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
            if let Some(account) = self.get_mut(posting.account) {
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
            if let Some(account) = self.get_mut(posting.account) {
                if posting.amount < 0 {
                    account.pending_debits += sign * -posting.amount;
                } else {
                    account.pending_credits += sign * posting.amount;
                }
            }
        }
    }
}

/// Where they lie tells nothing.
impl PartialEq for Accounts {
    fn eq(&self, other: &Self) -> bool {
        self.sorted() == other.sorted()
    }
}

impl Eq for Accounts {}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.sorted()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_one_line_of_the_cache() {
        assert_eq!(size_of::<Row>(), 64);
    }

    #[test]
    fn all_are_found_in_whatever_order_they_came() {
        let (mut one, mut other) = (Accounts::default(), Accounts::default());
        let all = 3 * CHUNK as u64 + 1;
        let account = |id: u64| Account {
            credits: i64::try_from(id).unwrap(),
            ..Account::new(710, AccountKind::Wallet, Floor::Unlimited)
        };
        assert!(one.get(1).is_none());
        for number in 0..all {
            let (forth, back) = (number << 32, (all - 1 - number) << 32);
            one.add(forth, account(forth), all as usize).unwrap();
            other.add(back, account(back), all as usize).unwrap();
        }
        assert!((0..all).all(|number| one.get(number << 32) == Some(&account(number << 32))));
        assert_eq!((one.get(1), one.len() as u64, &one), (None, all, &other));
        assert_eq!(one.add(5 << 32, account(0), usize::MAX), Err(Code::AccountExists));
        assert_eq!(one.add(1, account(1), all as usize), Err(Code::Full));
        one.get_mut(7 << 32).unwrap().credits += 1;
        assert_ne!(one, other);
    }
}
