//! What became of an event.

use std::cmp::Ordering;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::event::{AccountId, Millis};

/// Stable numbers. Where several apply, the first in [`Code::ALL`] is given; codes are ordered like that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum Code {
    Approved = 0,
    /// The id is known with other content. The first event stays as it is; this one is not recorded.
    ReusedWithOtherContent = 1,
    /// It cannot be told whether the id is new: its time is outside what is remembered, or its event is forgotten while
    /// the message it left still waits. Not recorded.
    IdTooOld = 2,
    /// Its reversal came first.
    TooLate = 3,
    /// Refused by the caller; the reason is the caller's number.
    Declined = 4,
    PinTriesExceeded = 5,
    WrongPin = 6,
    /// There is no room to count a wrong PIN of this card, so it is not told whether the PIN was right.
    PinNotJudged = 7,
    /// Not 2 to 16 postings that are not zero and add up to zero, or an account twice.
    InvalidEntry = 8,
    /// No such hold of this card, or it has been closed or has expired.
    HoldNotFound = 9,
    ApprovalMismatch = 10,
    OverTolerance = 11,
    /// From now on the original, should it still come, is too late.
    OriginalNotFound = 12,
    /// The reversal's content is not the original's.
    OriginalDiffers = 13,
    /// Not above zero, more than there is to capture or reverse, or a part of a hold that cannot be divided.
    InvalidAmount = 14,
    /// A hold of which more was captured than is to remain, an entry that cannot be divided, or an event that cannot
    /// be undone.
    NotReversible = 15,
    AccountExists = 16,
    AccountNotFound = 17,
    AccountClosed = 18,
    CurrencyMismatch = 19,
    /// Closing an account that holds money or has pending amounts.
    AccountInUse = 20,
    InsufficientFunds = 21,
    /// A sum leaves the range of 64 bits.
    Overflow = 22,
    /// A table is at its bound. Not recorded of what tells of something that has happened (reversals, `Force`,
    /// answers to forwards), so that it may be sent again.
    Full = 23,
    /// The card's counter is not above the highest that was seen: a copy of an older cryptogram.
    AtcNotNew = 24,
    /// The card's counter is further ahead than the event allows.
    AtcTooFar = 25,
    /// There is no room to remember this card's counter.
    AtcNotJudged = 26,
    /// One use more than a limit allows; the reason is the limit's number, from 1.
    CountLimitExceeded = 27,
    /// A larger sum than a limit allows; the reason is the limit's number, from 1.
    AmountLimitExceeded = 28,
    /// The next business date is not later than the one that would end.
    DateNotLater = 29,
    /// No refusal: passed on, and the answer that will decide it has not come yet.
    Forwarded = 30,
    /// Passed on, and no answer came before its time was over or it was reversed. Its own reversal is on the way.
    Unanswered = 31,
    /// No such forward, or it was answered or given up.
    ForwardNotFound = 32,
    /// No such message, or none of which this can be said.
    MessageNotFound = 33,
}

impl Code {
    /// Every code, in order of precedence.
    pub const ALL: [Self; 34] = [
        Self::Approved,
        Self::Forwarded,
        Self::ReusedWithOtherContent,
        Self::IdTooOld,
        Self::TooLate,
        Self::Unanswered,
        Self::Declined,
        Self::AtcNotNew,
        Self::AtcTooFar,
        Self::AtcNotJudged,
        Self::PinTriesExceeded,
        Self::WrongPin,
        Self::PinNotJudged,
        Self::InvalidEntry,
        Self::HoldNotFound,
        Self::ForwardNotFound,
        Self::MessageNotFound,
        Self::ApprovalMismatch,
        Self::OverTolerance,
        Self::OriginalNotFound,
        Self::OriginalDiffers,
        Self::InvalidAmount,
        Self::NotReversible,
        Self::AccountExists,
        Self::AccountNotFound,
        Self::AccountClosed,
        Self::CurrencyMismatch,
        Self::AccountInUse,
        Self::DateNotLater,
        Self::CountLimitExceeded,
        Self::AmountLimitExceeded,
        Self::InsufficientFunds,
        Self::Overflow,
        Self::Full,
    ];

    /// Place in [`Code::ALL`].
    fn precedence(self) -> usize {
        Self::ALL.into_iter().position(|code| code == self).unwrap_or(Self::ALL.len())
    }
}

impl Ord for Code {
    fn cmp(&self, other: &Self) -> Ordering {
        self.precedence().cmp(&other.precedence())
    }
}

impl PartialOrd for Code {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The result of an event, the same for every copy of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    pub code: Code,
    /// The caller's number of a decline, or the other party's; of a batch that was refused, the number of the entry, and of a
    /// limit that was exceeded its own, both from 1; 1 where a terminal has counted other totals; else 0.
    pub reason: u16,
    pub seq: u64,
    pub at: Millis,
    /// What was moved, held or released, in minor units.
    pub amount: i64,
    /// The first posting's account, or the one inquired about.
    pub account: Option<AccountId>,
    /// Of that account, afterwards: credits less debits.
    pub balance: i64,
    /// Balance less pending debits.
    pub available: i64,
    /// 0 to 999999, of approved card events.
    pub approval: u32,
}

/// What a card event gave to be said in its answer, as bytes; cheap to clone. Where there are none, nothing is shared:
/// threads would fight for the counter of one empty allocation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnswerBytes(Option<Arc<[u8]>>);

impl Deref for AnswerBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0.as_deref().unwrap_or_default()
    }
}

impl From<&[u8]> for AnswerBytes {
    fn from(bytes: &[u8]) -> Self {
        Self((!bytes.is_empty()).then(|| Arc::from(bytes)))
    }
}

impl Serialize for AnswerBytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for AnswerBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(|bytes| Self::from(bytes.as_slice()))
    }
}

/// An outcome, and whether it is the first copy's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    pub outcome: Outcome,
    /// The event was known: outcome and answer facts are those of its first copy, and nothing has changed.
    pub replayed: bool,
    pub answer: AnswerBytes,
}

impl Applied {
    /// Extends the digest that the next frame carries, so that replay proves itself.
    pub(crate) fn digest(&self, digest: u32) -> u32 {
        let outcome = &self.outcome;
        let mut bytes = [0; 58];
        let mut rest = bytes.as_mut_slice();
        let mut put = |part: &[u8]| {
            if let Some((place, after)) = std::mem::take(&mut rest).split_at_mut_checked(part.len()) {
                place.copy_from_slice(part);
                rest = after;
            }
        };
        put(&(outcome.code as u16).to_le_bytes());
        put(&outcome.reason.to_le_bytes());
        for number in [outcome.seq, outcome.at, outcome.account.unwrap_or(0)] {
            put(&number.to_le_bytes());
        }
        for number in [outcome.amount, outcome.balance, outcome.available] {
            put(&number.to_le_bytes());
        }
        put(&outcome.approval.to_le_bytes());
        put(&[u8::from(outcome.account.is_some()), u8::from(self.replayed)]);
        crc32c::crc32c_append(digest, &bytes)
    }
}
