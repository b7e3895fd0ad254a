//! One measured quantity, once a round.

use serde::{Deserialize, Serialize};

/// Which way is an improvement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Better {
    Higher,
    Lower,
}

/// What `compare` compares. Ratios to a baseline of the same round carry over to another day and machine; absolute
/// figures do not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// Stable name, `approved_to_echo`.
    pub name: String,
    /// In words, `approvals a second / echoes a second`.
    pub meaning: String,
    /// `ratio`, `1/s`, `us` …
    pub unit: String,
    pub better: Better,
    /// In the order of the rounds.
    pub per_round: Vec<f64>,
}

impl Figure {
    /// A quotient of two quantities of the same round.
    pub fn ratio(name: &str, meaning: &str, better: Better, per_round: Vec<f64>) -> Self {
        Self::new(name, meaning, "ratio", better, per_round)
    }

    pub fn new(name: &str, meaning: &str, unit: &str, better: Better, per_round: Vec<f64>) -> Self {
        Self { name: name.into(), meaning: meaning.into(), unit: unit.into(), better, per_round }
    }

    pub fn is_ratio(&self) -> bool {
        self.unit == "ratio"
    }

    /// Its meaning, or its name where that says it all.
    pub fn in_words(&self) -> &str {
        if self.meaning.is_empty() { &self.name } else { &self.meaning }
    }

    pub fn median(&self) -> f64 {
        median(&self.per_round)
    }

    /// Lowest and highest round.
    pub fn range(&self) -> (f64, f64) {
        let fold = |start: f64, pick: fn(f64, f64) -> f64| self.per_round.iter().copied().fold(start, pick);
        (fold(f64::INFINITY, f64::min), fold(f64::NEG_INFINITY, f64::max))
    }
}

/// 0 of nothing.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match (sorted.len() % 2, sorted.get(middle)) {
        (_, None) => 0.0,
        (1, Some(value)) => *value,
        (_, Some(value)) => sorted.get(middle - 1).map_or(*value, |below| (below + value) / 2.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_odd_and_even_numbers() {
        assert_eq!(median(&[]), 0.0);
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        let figure = Figure::ratio("a", "b", Better::Higher, vec![0.5, 0.2, 0.9]);
        assert_eq!((figure.median(), figure.range()), (0.5, (0.2, 0.9)));
    }
}
