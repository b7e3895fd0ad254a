//! What table and page say in the same words.

use crate::number::{count, per_s, seconds};
use crate::{Finding, RunReport, Settings, Severity, TruthReport};

pub fn verdict(passed: bool) -> &'static str {
    if passed { "PASSED" } else { "FAILED" }
}

/// `closed model, 8 connections with up to 2 messages each`.
pub fn model(settings: &Settings) -> String {
    let rate = settings.rate.map(|rate| format!(" at {}", per_s(rate))).unwrap_or_default();
    format!(
        "{} model{rate}, {} with up to {} each",
        settings.model,
        several(settings.connections.into(), "connection"),
        several(settings.depth.into(), "message"),
    )
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
        Some(format!("--model {}", settings.model)),
        settings.rate.and_then(|rate| number("rate", rate)),
        number("seconds", settings.seconds),
        whole("rounds", settings.rounds),
        whole("connections", settings.connections),
        whole("depth", settings.depth),
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
        "The clients' books of {} sent and {} approvals, the journal's {} (read and checked in {}) and the statements \
         of {} (complete {} after the load) were compared.",
        several(truth.sent, "message"),
        count(truth.approved),
        several(truth.journal_events, "event"),
        seconds(truth.journal_s),
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
        check(truth.lost.max(report.lost), "approvals lost: not in the journal, or not in the statements"),
        check(truth.doubled.max(report.doubled), "postings doubled: more than one for an approval"),
        check(report.declined, "answers declined that were to be approved"),
        Check { number: truth.unanswered, what: format!("messages unanswered{of_them}") },
        check(truth.contradicted, "answers that contradict the ledger: code, amount or approval number"),
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
