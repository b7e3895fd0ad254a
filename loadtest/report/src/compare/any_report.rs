//! What reports of every kind have in common.

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::{Better, Figure, Finding, Severity};

/// A report as it was read, of a run or of a part alone. Lenient: of an older or newer program it takes what it knows.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct AnyReport {
    /// `run`, `ledger`, `hsm`.
    pub kind: String,
    pub workload: Option<String>,
    pub settings: Map<String, Value>,
    pub started_at: String,
    pub version: String,
    /// Without it, what the findings say.
    pub passed: Option<bool>,
    pub findings: Vec<Finding>,
    #[serde(deserialize_with = "figures")]
    pub figures: Vec<Figure>,
    pub rounds: Vec<AnyRound>,
}

/// Of a round, what tells how busy the machine was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct AnyRound {
    pub others_cores: Option<f64>,
}

impl AnyReport {
    pub fn has_passed(&self) -> bool {
        self.passed.unwrap_or_else(|| self.findings.iter().all(|finding| finding.severity != Severity::Fault))
    }

    /// Rounds of the figures, some of which may have been taken once only.
    pub fn round_count(&self) -> usize {
        self.figures.iter().map(|figure| figure.per_round.len()).max().unwrap_or_default()
    }

    /// Cores that other programs used, the median round; nothing if no round knows.
    pub fn others_cores(&self) -> Option<f64> {
        let known: Vec<f64> =
            self.rounds.iter().filter_map(|round| round.others_cores).filter(|c| c.is_finite()).collect();
        (!known.is_empty()).then(|| crate::median(&known))
    }

    /// The figure that measures the same.
    pub(super) fn figure_like(&self, other: &Figure) -> Option<&Figure> {
        let same = |figure: &&Figure| figure.name == other.name && figure.unit == other.unit;
        self.figures.iter().find(same)
    }
}

/// JSON writes null for what is not a number; those rounds are left out.
fn figures<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Figure>, D::Error> {
    let figures = Vec::<AnyFigure>::deserialize(deserializer)?;
    Ok(figures.into_iter().map(AnyFigure::into_figure).collect())
}

#[derive(Deserialize)]
struct AnyFigure {
    name: String,
    #[serde(default)]
    meaning: String,
    unit: String,
    better: Better,
    #[serde(default)]
    per_round: Vec<Option<f64>>,
}

impl AnyFigure {
    fn into_figure(self) -> Figure {
        let per_round = self.per_round.into_iter().flatten().collect();
        Figure { name: self.name, meaning: self.meaning, unit: self.unit, better: self.better, per_round }
    }
}
