//! What an event has to pass beside its funds, with the values it is judged by: limits of use, and the card's
//! transaction counter. They are judged and consumed in the step that moves the money.

use crate::event::{AccountId, CardId, Millis};

/// Judged by events that post or hold; other events carry none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Controls {
    /// Up to twelve, judged in their order. All that an approved event passed are charged.
    pub limits: Vec<Limit>,
    /// Of card events.
    pub atc: Option<Atc>,
}

impl Controls {
    pub fn is_empty(&self) -> bool {
        self.limits.is_empty() && self.atc.is_none()
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UsageKey {
    pub of: Subject,
    /// The caller's number for a type of transaction, or for all of them.
    pub class: u8,
    pub period: Period,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    Account(AccountId),
    Card(CardId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
