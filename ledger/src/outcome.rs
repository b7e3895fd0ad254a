//! What became of an event.

use std::sync::Arc;

use crate::event::{AccountId, Millis};

/// Stable numbers, in order of precedence: where several would apply, the first is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum Code {
    Approved = 0,
    /// The id is known with other content. The first event stays as it is; this one is not recorded.
    ReusedWithOtherContent = 1,
    /// The id's time is outside what is remembered, so it cannot be told whether it is new. Not recorded.
    IdTooOld = 2,
    /// Its reversal came first.
    TooLate = 3,
    /// Refused by the caller; the reason is the caller's number.
    Declined = 4,
    PinTriesExceeded = 5,
    WrongPin = 6,
    /// Not 2 to 16 postings that are not zero and add up to zero, or an account twice.
    InvalidEntry = 7,
    AccountExists = 8,
    AccountNotFound = 9,
    AccountClosed = 10,
    CurrencyMismatch = 11,
    /// Closing an account that holds money or has pending amounts.
    AccountInUse = 12,
    HoldNotFound = 13,
    ApprovalMismatch = 14,
    OverTolerance = 15,
    OriginalNotFound = 16,
    /// The reversal's content is not the original's.
    OriginalDiffers = 17,
    /// A completed hold, an entry that cannot be divided, or something that moved nothing reversible.
    NotReversible = 18,
    /// Not above zero, or more than there is to capture or reverse.
    InvalidAmount = 19,
    InsufficientFunds = 20,
    /// A sum leaves the range of 64 bits.
    Overflow = 21,
    /// A table is at its bound.
    Full = 22,
}

/// The result of an event, the same for every copy of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub code: Code,
    /// The caller's number of a decline, else 0.
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

/// An outcome, and whether it is the first copy's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    pub outcome: Outcome,
    /// The event was known: outcome and answer facts are those of its first copy, and nothing has changed.
    pub replayed: bool,
    pub answer: Arc<[u8]>,
}

impl Applied {
    /// Extends the digest that the next frame carries, so that replay proves itself.
    pub(crate) fn digest(&self, digest: u32) -> u32 {
        let outcome = &self.outcome;
        let mut bytes = Vec::with_capacity(64);
        bytes.extend_from_slice(&(outcome.code as u16).to_le_bytes());
        bytes.extend_from_slice(&outcome.reason.to_le_bytes());
        for number in [outcome.seq, outcome.at, outcome.account.unwrap_or(0)] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        for number in [outcome.amount, outcome.balance, outcome.available] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&outcome.approval.to_le_bytes());
        bytes.push(u8::from(self.replayed));
        crc32c::crc32c_append(digest, &bytes)
    }
}
