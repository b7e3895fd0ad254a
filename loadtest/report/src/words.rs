//! What table and page say in the same words.

use crate::number::{count, per_s, seconds};
use crate::{Finding, RunReport, Settings, Severity, TruthReport};

pub fn verdict(passed: bool) -> &'static str {
    if passed { "PASSED" } else { "FAILED" }
}

/// `closed model, 8 connections with up to 2 messages each`; `open model at 5,000/s, 8 connections`.
pub fn model(settings: &Settings) -> String {
    let rate = settings.rate.map(|rate| format!(" at {}", per_s(rate))).unwrap_or_default();
    let depth = match settings.depth {
        // Without a limit, as in the open model.
        0 => String::new(),
        depth => format!(" with up to {} each", several(depth.into(), "message")),
    };
    format!("{} model{rate}, {}{depth}", settings.model, several(settings.connections.into(), "connection"))
}

/// What the clients are answered by when there is nothing to do: for REST, a handler of HTTP.
pub fn echo(report: &RunReport) -> &'static str {
    if report.baselines.iter().any(|baseline| baseline.name == "http") { "empty handler" } else { "echo server" }
}

/// `5 rounds, 30 s of load`.
pub fn extent(settings: &Settings) -> String {
    format!("{}, {} of load", several(settings.rounds.into(), "round"), seconds(settings.seconds))
}

/// `200 terminals, 10,000 cards, listener iso87, seed 7`.
pub fn parties(settings: &Settings) -> String {
    format!(
        "{}, {}, listener {}, seed {}",
        several(settings.terminals.into(), "terminal"),
        several(settings.cards.into(), "card"),
        settings.listener,
        settings.seed
    )
}

/// A time of RFC 3339 as people read it: `2026-03-14 09:26:53 UTC`. What is none stays as it is.
pub fn moment(rfc3339: &str) -> String {
    match (rfc3339.split_at_checked(10), rfc3339.get(11..19), rfc3339.ends_with('Z')) {
        (Some((day, _)), Some(time), true) => format!("{day} {time} UTC"),
        _ => rfc3339.to_owned(),
    }
}

/// `1 round`, `5 rounds`.
pub fn several(number: u64, thing: &str) -> String {
    format!("{} {thing}{}", count(number), if number == 1 { "" } else { "s" })
}

/// The command that does the same again, in parts that are not to be broken.
pub fn repeat(report: &RunReport) -> Vec<String> {
    let settings = &report.settings;
    let number = |name: &str, value: f64| value.is_finite().then(|| format!("--{name} {value}"));
    let whole = |name: &str, value: u32| Some(format!("--{name} {value}"));
    let parts = [
        Some(format!("loadtest run --workload {}", report.workload)),
        settings.rate.and_then(|rate| number("rate", rate)),
        number("seconds", settings.seconds),
        whole("rounds", settings.rounds),
        whole("connections", settings.connections),
        whole("depth", settings.depth).filter(|_| settings.depth > 0),
        whole("terminals", settings.terminals),
        whole("cards", settings.cards),
        Some(format!("--listener {}", settings.listener)),
        Some(format!("--seed {}", settings.seed)),
    ];
    parts.into_iter().flatten().collect()
}

/// What was held against what.
pub fn compared(truth: &TruthReport) -> String {
    format!(
        "The clients’ books of {} sent and {} approvals, the journal’s {} (read and checked in {}), the transaction \
         log’s {} and the statements of {} (complete {} after the load) were compared.",
        several(truth.sent, "message"),
        count(truth.approved),
        several(truth.journal_events, "event"),
        seconds(truth.journal_s),
        several(truth.tranlog_rows, "row"),
        several(truth.wallets_compared, "wallet"),
        seconds(truth.projection_s)
    )
}

/// Something that must be nought.
pub struct Check {
    pub number: u64,
    pub what: String,
}

impl Check {
    pub fn is_wrong(&self) -> bool {
        self.number > 0
    }
}

/// What the comparison looked for, found or not.
pub fn checks(report: &RunReport) -> Vec<Check> {
    let truth = &report.truth;
    let of_them = match truth.unanswered_approved {
        0 => String::new(),
        approved => format!(", of them {} approved by the ledger", count(approved)),
    };
    let check = |number: u64, what: &str| Check { number, what: what.to_owned() };
    vec![
        check(truth.lost.max(report.lost), "approvals lost: not in the journal, transaction log or statements"),
        check(truth.doubled.max(report.doubled), "postings doubled: more than one for an approval"),
        check(report.declined, "answers declined that were to be approved"),
        Check { number: truth.unanswered, what: format!("messages unanswered{of_them}") },
        check(truth.contradicted, "answers that contradict ledger or transaction log: code, amount or approval number"),
        check(truth.unsound_answers, "answers unsound: wrong MAC, of another message, or unreadable"),
        check(truth.wallets_wrong, "wallets whose statement does not add up to the approvals"),
    ]
}

/// Faults first, otherwise as they came.
pub fn faults_first(findings: &[Finding]) -> Vec<&Finding> {
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by_key(|finding| finding.severity != Severity::Fault);
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        assert_eq!(moment("2026-11-25T22:39:21.532072553Z"), "2026-11-25 22:39:21 UTC");
        for strange in ["", "Z", "2026-11-25T22:39:21+01:00", "ä".repeat(15).as_str()] {
            assert_eq!(moment(strange), strange);
        }
    }

    #[test]
    fn the_open_model_has_a_rate_and_no_depth() {
        let mut report = crate::fixture::report();
        report.settings = Settings { model: "open".into(), rate: Some(5000.0), depth: 0, ..report.settings };
        assert_eq!(model(&report.settings), "open model at 5,000/s, 8 connections");
        let repeat = repeat(&report).join(" ");
        assert!(
            repeat.starts_with("loadtest run --workload purchases --rate 5000 --seconds 30 --rounds 5 "),
            "{repeat}"
        );
        assert!(!repeat.contains("--depth"), "{repeat}");
    }
}
