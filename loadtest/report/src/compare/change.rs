//! One figure, then and now.

use serde::Serialize;

use super::Verdict;
use crate::{Better, Figure};

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    pub name: String,
    pub meaning: String,
    pub unit: String,
    pub better: Better,
    /// Medians; nothing without a round.
    pub a: Option<f64>,
    pub b: Option<f64>,
    /// Of the median; nothing from nought.
    pub percent: Option<f64>,
    /// How often chance alone parts the rounds as far as this.
    pub probability: f64,
    pub verdict: Verdict,
}

impl Change {
    /// `obstacle` is why the two must not be compared.
    pub(super) fn of(a: &Figure, b: &Figure, obstacle: Option<&str>) -> Self {
        let (a, b) = (finite(a), finite(b));
        let median = |figure: &Figure| (!figure.per_round.is_empty()).then(|| figure.median());
        // From nought every change is without end, and one to nought again is none.
        let percent = if a.median() == b.median() { 0.0 } else { (b.median() - a.median()) / a.median().abs() * 100.0 };
        let (verdict, probability) = Verdict::of(a.better, &a, &b, percent);
        Self {
            a: median(&a),
            b: median(&b),
            percent: Some(percent).filter(|percent| percent.is_finite() && !a.per_round.is_empty()),
            probability,
            verdict: obstacle.map_or(verdict, |why| Verdict::NotComparable(why.into())),
            name: b.name,
            meaning: b.meaning,
            unit: b.unit,
            better: a.better,
        }
    }

    pub fn is_ratio(&self) -> bool {
        self.unit == "ratio"
    }
}

fn finite(figure: &Figure) -> Figure {
    let per_round = figure.per_round.iter().copied().filter(|value| value.is_finite()).collect();
    Figure { per_round, ..figure.clone() }
}
