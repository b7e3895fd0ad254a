//! The report of `loadtest ledger`: for programs as JSON, for people as a table.

use load_report::{Better, Figure, Finding};
use serde::Serialize;

use super::round::Round;
use super::settings::Settings;
use super::truth::Truth;
use crate::findings;

/// The first seven keys are what programs rely on; medians over the rounds.
#[derive(Clone, Debug, Serialize)]
pub struct LedgerReport {
    /// Entries of two postings, from clients that have many on their way.
    pub entries_per_s: f64,
    /// Pairs of a hold and its capture, which is sent once the hold is answered.
    pub two_phase_per_s: f64,
    /// As many bytes as the single client's frame, written and synced in a recycled file.
    pub sync_p50_us: f64,
    pub sync_p99_us: f64,
    /// One client with one entry on its way.
    pub single_p50_us: f64,
    pub single_p99_us: f64,
    /// Resident memory: the account, and the event that opened it, which is remembered for a day.
    pub bytes_per_account: f64,

    /// `ledger`.
    pub kind: &'static str,
    /// Whether every answer was right and the journal proves it: what the exit status says.
    pub passed: bool,
    pub settings: Settings,
    pub findings: Vec<Finding>,
    pub figures: Vec<Figure>,
    pub rounds: Vec<Round>,
    pub truth: Truth,
}

impl LedgerReport {
    pub fn new(
        settings: Settings,
        bytes_per_account: f64,
        growing: Option<f64>,
        rounds: Vec<Round>,
        truth: Truth,
        mut findings: Vec<Finding>,
    ) -> Self {
        findings.extend(findings::others(&rounds.iter().map(|round| round.others_cores).collect::<Vec<_>>()));
        let figures = figures(&rounds, bytes_per_account, growing);
        let of = |name: &str| figures.iter().find(|figure| figure.name == name).map_or(0.0, Figure::median);
        Self {
            entries_per_s: of("entries_per_s"),
            two_phase_per_s: of("two_phase_per_s"),
            sync_p50_us: of("sync_p50_us"),
            sync_p99_us: of("sync_p99_us"),
            single_p50_us: of("single_p50_us"),
            single_p99_us: of("single_p99_us"),
            bytes_per_account,
            kind: "ledger",
            passed: findings::passed(&findings),
            settings,
            findings,
            figures,
            rounds,
            truth,
        }
    }

    /// A small table: medians, and the lowest and highest round.
    pub fn table(&self) -> String {
        let mut lines = vec![format!("{:<24}{:>12}{:>12}{:>12}  {}", "", "median", "lowest", "highest", "unit")];
        lines.extend(self.figures.iter().map(figure_line));
        let truth = &self.truth;
        lines.push(format!(
            "{} events in the journal, {} approved, {} accounts compared, journal checked in {:.1} s",
            truth.events, truth.approved, truth.accounts_compared, truth.journal_s
        ));
        lines.join("\n")
    }
}

/// A figure as a line of a table.
pub fn figure_line(figure: &Figure) -> String {
    let (lowest, highest) = figure.range();
    let digits = if figure.is_ratio() { 2 } else { usize::from(figure.median() < 100.0) };
    let [median, lowest, highest] = [figure.median(), lowest, highest].map(|value| format!("{value:.digits$}"));
    format!("{:<24}{median:>12}{lowest:>12}{highest:>12}  {}", figure.name, figure.unit)
}

fn figures(rounds: &[Round], bytes_per_account: f64, growing: Option<f64>) -> Vec<Figure> {
    let each = |of: fn(&Round) -> f64| rounds.iter().map(of).collect::<Vec<_>>();
    let growing = growing.map(|rate| {
        let meaning = "entries a second before, while the ledger's memory of events grew";
        Figure::new("growing_entries_per_s", meaning, "1/s", Better::Higher, vec![rate])
    });
    let mut figures = vec![
        Figure::ratio(
            "single_p50_to_sync_p50",
            "a single client's median latency / median of writing and syncing its frame's bytes",
            Better::Lower,
            each(|round| quotient(round.single_p50_us, round.sync_p50_us)),
        ),
        Figure::ratio(
            "single_p99_to_sync_p99",
            "the same of the 99th percentiles",
            Better::Lower,
            each(|round| quotient(round.single_p99_us, round.sync_p99_us)),
        ),
        Figure::ratio(
            "two_phase_to_entries",
            "pairs of hold and capture a second / entries a second",
            Better::Higher,
            each(|round| quotient(round.two_phase_per_s, round.entries_per_s)),
        ),
        Figure::new(
            "entries_per_s",
            "entries of two postings a second, many on their way",
            "1/s",
            Better::Higher,
            each(|round| round.entries_per_s),
        ),
        Figure::new(
            "two_phase_per_s",
            "pairs of a hold and its capture a second, many on their way",
            "1/s",
            Better::Higher,
            each(|round| round.two_phase_per_s),
        ),
        microseconds("single_p50_us", "a single client's median latency", each(|round| round.single_p50_us)),
        microseconds("single_p99_us", "its 99th percentile", each(|round| round.single_p99_us)),
        microseconds("sync_p50_us", "write and sync of as many bytes, median", each(|round| round.sync_p50_us)),
        microseconds("sync_p99_us", "its 99th percentile", each(|round| round.sync_p99_us)),
        Figure::new(
            "bytes_per_account",
            "growth of resident memory / accounts opened",
            "bytes",
            Better::Lower,
            vec![bytes_per_account],
        ),
    ];
    figures.extend(growing);
    figures
}

fn microseconds(name: &str, meaning: &str, per_round: Vec<f64>) -> Figure {
    Figure::new(name, meaning, "us", Better::Lower, per_round)
}

/// 0 where nothing was measured to divide by.
fn quotient(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_ratios_are_of_the_rounds() {
        let round = |entries, single, sync| Round {
            entries_per_s: entries,
            single_p50_us: single,
            sync_p50_us: sync,
            ..Round::default()
        };
        let rounds = vec![round(100.0, 30.0, 10.0), round(300.0, 20.0, 10.0), round(200.0, 50.0, 0.0)];
        let settings = Settings { seconds: 1, rounds: 3, accounts: 2, in_flight: 1, batch: 1, fill: false, seed: 1 };
        let report = LedgerReport::new(settings, 512.0, Some(90.0), rounds, Truth::default(), Vec::new());
        assert_eq!((report.entries_per_s, report.single_p50_us, report.passed), (200.0, 30.0, true));
        assert_eq!(report.figures[0].per_round, [3.0, 2.0, 0.0]);
        assert!(report.table().contains("bytes_per_account") && report.table().contains("growing_entries_per_s"));
    }
}
