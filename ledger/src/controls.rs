//! What is judged and counted of an event beside its funds, in the step that moves the money: limits of use, the card's
//! transaction counter, the terminal's totals. The values it is judged by come with the event.

use serde::{Deserialize, Serialize};

use crate::event::{AccountId, CardId, Millis};
use crate::messages::Outgoing;

/// Judged by events that post or hold; other events carry none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Controls {
    /// Up to twelve, judged in their order. All that an approved event passed are charged.
    pub limits: Vec<Limit>,
    /// Of card events.
    pub atc: Option<Atc>,
    /// Of events that post: a hold is counted when something is posted in its place.
    pub total: Option<Total>,
    /// Queued if the event is approved; of a reversal, if it takes something back that was posted or held.
    pub send: Option<Outgoing>,
}

impl Controls {
    pub fn is_empty(&self) -> bool {
        self.limits.is_empty() && self.atc.is_none() && self.total.is_none() && self.send.is_none()
    }
}

/// How often, and up to what sum, something may be done in a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    pub usage: UsageKey,
    /// End of the current period. Where the period ends (a time zone's midnight, say) is for the caller to know; the
    /// first event of a period fixes it.
    pub ends_at: Millis,
    pub count_max: Option<u32>,
    /// In minor units of the entries charged.
    pub amount_max: Option<i64>,
}

/// What is counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UsageKey {
    pub of: Subject,
    /// The caller's number for a type of transaction, or for all of them.
    pub class: u8,
    pub period: Period,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Subject {
    Account(AccountId),
    Card(CardId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Period {
    Day,
    Week,
    Month,
}

impl Period {
    /// No period is longer, whatever its end is said to be: a day on which clocks go back, and as much for the others.
    pub fn longest(self) -> Millis {
        const HOUR: Millis = 60 * 60 * 1000;
        match self {
            Self::Day => 25 * HOUR,
            Self::Week => (7 * 24 + 1) * HOUR,
            Self::Month => (31 * 24 + 1) * HOUR,
        }
    }
}

/// What was counted of a [`UsageKey`] in its current period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    pub count: u32,
    pub amount: i128,
}

/// The application transaction counter of a chip (EMV Book 3, tag 9F36), whose cryptogram was verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Atc {
    pub value: u16,
    /// How far it may be ahead of the highest that was seen.
    pub ahead_max: u16,
}

pub type TerminalId = u64;

/// Where what is posted is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Total {
    pub terminal: TerminalId,
    pub side: Side,
    /// As YYYYMMDD, for a terminal that is counted for the first time; afterwards closing sets it.
    pub business_date: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Side {
    /// The cardholder pays.
    Debit,
    /// The cardholder is paid, as by a refund.
    Credit,
}

/// How many, and how much in minor units. Both stop at the end of their range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    pub count: u32,
    pub amount: u64,
}

/// Of one terminal, currency and business day, as in ISO 8583 data elements 74 to 77 and 86 to 89.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    pub debits: Sum,
    pub debit_reversals: Sum,
    pub credits: Sum,
    pub credit_reversals: Sum,
}

/// The business day of a terminal in one currency, and the day before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminalDay {
    /// As YYYYMMDD.
    pub business_date: u32,
    pub totals: Totals,
    /// `None` until a day has been closed.
    pub closed: Option<ClosedDay>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedDay {
    pub business_date: u32,
    pub totals: Totals,
    /// Whether the terminal has counted the same, or has not said.
    pub agrees: bool,
}
