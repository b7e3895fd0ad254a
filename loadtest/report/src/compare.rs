//! Whether one run is better or worse than another, or only differs as any two do.
//!
//! A figure has changed when its rounds differ more than chance would have them differ (exact rank test, 5 %) and its
//! median by more than what matters (3 %). Absolute figures are judged only where other programs left the machine alike;
//! ratios to baselines of the same round carry over.

mod alike;
mod any_report;
mod change;
mod rank_test;
mod text;
mod verdict;

use serde::Serialize;

pub use any_report::{AnyReport, AnyRound};
pub use change::Change;
pub use verdict::Verdict;

/// What `loadtest compare A B` says; as JSON, or as [`text`](Comparison::text).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// One line.
    pub summary: String,
    pub a: Side,
    pub b: Side,
    /// What makes the two another test, and how to run alike. Nothing is judged then.
    pub differences: Vec<String>,
    /// What else to know of the comparison.
    pub notes: Vec<String>,
    /// Ratios first.
    pub figures: Vec<Change>,
}

/// One of the runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Side {
    pub kind: String,
    pub workload: Option<String>,
    pub version: String,
    pub started_at: String,
    pub passed: bool,
    pub rounds: usize,
    /// Cores that other programs used, the median round.
    pub others_cores: Option<f64>,
}

impl Side {
    fn of(report: &AnyReport) -> Self {
        Self {
            kind: report.kind.clone(),
            workload: report.workload.clone(),
            version: report.version.clone(),
            started_at: report.started_at.clone(),
            passed: report.has_passed(),
            rounds: report.round_count(),
            others_cores: report.others_cores(),
        }
    }
}

/// `a` is then, `b` is now.
pub fn compare(a: &AnyReport, b: &AnyReport) -> Comparison {
    let mut differences = alike::differences(a, b);
    let obstacle = differences.first().map(|_| "not the same test".to_owned());
    let busy = alike::load_differs(a, b);
    let pairs = a.figures.iter().filter_map(|figure| Some((figure, b.figure_like(figure)?)));
    let judged =
        pairs.map(|(a, b)| Change::of(a, b, obstacle.as_deref().or(busy.as_deref().filter(|_| !a.is_ratio()))));
    let mut figures: Vec<Change> = judged.collect();
    figures.sort_by_key(|change| !change.is_ratio());
    if figures.is_empty() {
        differences.push("The reports have no figure in common.".into());
    }
    let notes = alike::notes(a, b, &figures);
    let mut comparison =
        Comparison { summary: String::new(), a: Side::of(a), b: Side::of(b), differences, notes, figures };
    comparison.summary = text::summary(&comparison);
    comparison
}

impl Comparison {
    /// A ratio is worse, or a run had not passed.
    pub fn is_worse(&self) -> bool {
        let has_worse = self.figures.iter().any(|change| change.is_ratio() && change.verdict == Verdict::Worse);
        has_worse || !self.a.passed || !self.b.passed
    }

    /// Whether the two are the same test at all, so that its figures were judged.
    pub fn is_alike(&self) -> bool {
        self.differences.is_empty()
    }

    /// For people, the summary first.
    pub fn text(&self) -> String {
        text::text(self)
    }
}

#[cfg(test)]
mod tests;
