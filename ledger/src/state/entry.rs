//! What can be said of an entry by itself.

use crate::event::{AccountId, Entry, Posting};
use crate::limits::{POSTINGS_MAX, POSTINGS_MIN};
use crate::outcome::Code;

/// 2 to 16 postings on as many accounts, none of them zero, together zero.
pub(super) fn well_formed(entry: &Entry) -> Result<(), Code> {
    let postings = &entry.postings;
    // At most sixteen: comparing each with those before it needs no memory.
    let is_twice =
        |(at, posting): (usize, &Posting)| postings.iter().take(at).any(|before| before.account == posting.account);
    let sum: i128 = postings.iter().map(|posting| i128::from(posting.amount)).sum();
    // The smallest number has no counterpart of the other sign.
    let amounts = postings.iter().all(|posting| posting.amount != 0 && posting.amount != i64::MIN);
    let count = (POSTINGS_MIN..=POSTINGS_MAX).contains(&postings.len()) && !postings.iter().enumerate().any(is_twice);
    if count && amounts && sum == 0 { Ok(()) } else { Err(Code::InvalidEntry) }
}

/// What an entry moves: the sum of its credits. Accounts bear no entry that moves more than 64 bits can say.
pub(super) fn size(entry: &Entry) -> i64 {
    i64::try_from(credits(entry)).unwrap_or(i64::MAX)
}

pub(super) fn credits(entry: &Entry) -> i128 {
    entry.postings.iter().map(|posting| i128::from(posting.amount)).filter(|amount| *amount > 0).sum()
}

/// The account an outcome is about.
pub(super) fn first(entry: &Entry) -> Option<AccountId> {
    entry.postings.first().map(|posting| posting.account)
}

/// The same accounts with another amount above zero. `None` where more than two share the amount: how a part of it
/// is shared is not for the ledger to choose.
pub(super) fn part(entry: &Entry, amount: i64) -> Option<Entry> {
    if amount == size(entry) {
        return Some(entry.clone());
    }
    let [from, to] = entry.postings.as_slice() else { return None };
    if amount <= 0 {
        return None;
    }
    let share = |posting: &Posting| Posting { amount: posting.amount.signum() * amount, ..*posting };
    Some(Entry { currency: entry.currency, postings: vec![share(from), share(to)] })
}

/// An entry of two postings with so much more, above zero. `None` for others, and where 64 bits do not hold it.
pub(super) fn grown(entry: &Entry, amount: i64) -> Option<Entry> {
    let [_, _] = entry.postings.as_slice() else { return None };
    part(entry, size(entry).checked_add(amount).filter(|_| amount > 0)?)
}

/// The entry that takes this one back.
pub(super) fn inverse(entry: &Entry) -> Entry {
    let postings = entry.postings.iter().map(|posting| Posting { amount: -posting.amount, ..*posting }).collect();
    Entry { currency: entry.currency, postings }
}
