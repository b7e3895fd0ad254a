//! What may be said of two figures.

use std::fmt;

use serde::{Serialize, Serializer};

use super::rank_test::{least_probability, probability};
use crate::{Better, Figure};

/// How often chance alone may be called a change.
const CHANCE: f64 = 0.05;
/// Changes of the median that are not worth a word, in percent.
const SMALL_PERCENT: f64 = 3.0;

/// Serializes to its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Better,
    Worse,
    Same,
    /// However far apart so few values are, it could be chance.
    TooFewRounds,
    NotComparable(String),
}

impl Verdict {
    /// In a column.
    pub fn short(&self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::Same => "same within noise",
            Self::TooFewRounds => "too few rounds to tell",
            Self::NotComparable(_) => "not comparable",
        }
    }

    /// From the finite rounds of both, and the change of the median in percent.
    pub(super) fn of(better: Better, a: &Figure, b: &Figure, percent: f64) -> (Self, f64) {
        let (a, b) = (&a.per_round, &b.per_round);
        let chance = probability(a, b);
        let verdict = match (better, percent > 0.0) {
            _ if least_probability(a.len(), b.len()) >= CHANCE => Self::TooFewRounds,
            _ if chance >= CHANCE || percent.abs() <= SMALL_PERCENT => Self::Same,
            (Better::Higher, true) | (Better::Lower, false) => Self::Better,
            _ => Self::Worse,
        };
        (verdict, chance)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotComparable(why) => write!(f, "{}: {why}", self.short()),
            _ => f.write_str(self.short()),
        }
    }
}

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
