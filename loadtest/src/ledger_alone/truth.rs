//! Whether the ledger and its journal say what the driver was told.

use std::path::Path;
use std::time::Instant;

use ledger::{Millis, Report};
use load_report::Finding;
use serde::Serialize;

use super::driver::Driver;
use super::step::CURRENCY;
use crate::findings::{fault, notice};

/// What was compared.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Truth {
    /// Events the driver was told are approved.
    pub approved: u64,
    /// Answers with a wrong code, amount or account, or out of turn.
    pub wrong_answers: u64,
    pub accounts_compared: usize,
    pub accounts_wrong: u64,
    /// In the journal.
    pub events: u64,
    /// Seconds to read and check the journal.
    pub journal_s: f64,
    /// Seconds that the ledger's time was ahead of the clock at the end: every event takes a millisecond of it.
    pub ahead_s: f64,
}

/// Compares every account, closes the ledger and replays its journal. What differs is added to the findings.
pub fn check(driver: Driver, folder: &Path, findings: &mut Vec<Finding>) -> Truth {
    let differences = driver.books.compare(driver.ledger());
    let digest = driver.ledger().digest();
    driver.ledger().close();
    let (books, tally) = driver.into_books();
    let mut truth = Truth {
        approved: tally.approved,
        wrong_answers: tally.wrong,
        accounts_compared: books.len(),
        accounts_wrong: differences.count,
        ahead_s: tally.ahead_ms as f64 / 1000.0,
        ..Truth::default()
    };
    if let Some(first) = &tally.first_wrong {
        findings.push(fault("wrong_answers", format!("{} answers are wrong; first: {first}", tally.wrong)));
    }
    if let Some(first) = &differences.first {
        findings.push(fault("accounts", format!("{} accounts differ; first: {first}", differences.count)));
    }
    findings.extend(ahead(tally.ahead_ms));
    let started = Instant::now();
    // Checks every checksum, link, outcome and invariant.
    match (ledger::verify(folder), digest) {
        (Ok(report), Ok(digest)) => {
            truth.events = report.events;
            findings.extend(differences_of(&report, digest, tally.answered, books.posted()));
        }
        (Err(error), _) => findings.push(fault("journal", format!("the journal does not verify: {error}"))),
        (_, Err(stopped)) => findings.push(fault("stopped", stopped.to_string())),
    }
    truth.journal_s = started.elapsed().as_secs_f64();
    truth
}

/// Said from a minute on. Events carry times that rise by a millisecond at least, so that more than a thousand a second
/// push the ledger's time ahead of the clock.
fn ahead(ms: Millis) -> Option<Finding> {
    let text = format!(
        "the ledger's time is {} s ahead of the clock, a millisecond an event: holds expire that much early, and from a \
         day on fresh ids are refused as too old",
        ms / 1000
    );
    (ms > 60_000).then(|| notice("ledger_time", text))
}

/// The journal against the ledger that wrote it and against what was answered.
fn differences_of(report: &Report, digest: u64, answered: u64, posted: i128) -> Vec<Finding> {
    let mut found = Vec::new();
    if report.events != answered {
        found.push(fault("events", format!("the journal has {} events; {answered} were answered", report.events)));
    }
    if report.digest != digest {
        found.push(fault("digest", "the journal gives another state than the ledger had".into()));
    }
    let (debits, credits) = report.trial_balance.get(&CURRENCY).copied().unwrap_or_default();
    if (debits, credits) != (posted, posted) {
        let text = format!("the journal's debits are {debits} and its credits {credits}; {posted} were answered");
        found.push(fault("trial_balance", text));
    }
    if let Some((file, at)) = &report.unfinished {
        found.push(fault("unfinished", format!("{file} has bytes behind its last frame, at {at}")));
    }
    found
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use ledger::{FileStorage, Ledger, LedgerConfig, SystemClock};

    use super::super::settings::Settings;
    use super::super::step::{Movement, Step};
    use super::*;

    fn loaded(folder: &Path) -> Driver {
        let storage = FileStorage::open(&folder.join("ledger")).unwrap();
        let ledger = Ledger::open(Arc::new(storage), LedgerConfig::new(Arc::new(SystemClock))).unwrap();
        let settings = Settings { seconds: 1, rounds: 1, accounts: 50, in_flight: 32, batch: 5, fill: false, seed: 9 };
        let mut driver = Driver::new(ledger, &settings);
        driver.open_accounts().unwrap();
        driver.open_books();
        driver.load(Duration::from_millis(30), Step::Post).unwrap();
        driver.load(Duration::from_millis(30), Step::Hold).unwrap();
        driver
    }

    #[test]
    fn what_was_answered_is_in_the_journal() {
        let folder = tempfile::tempdir().unwrap();
        let mut findings = Vec::new();
        let truth = check(loaded(folder.path()), folder.path(), &mut findings);
        assert_eq!(findings, []);
        assert_eq!((truth.events, truth.accounts_compared, truth.accounts_wrong), (truth.approved, 50, 0));
    }

    #[test]
    fn a_posting_too_many_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let mut driver = loaded(folder.path());
        driver.books.post(Movement { from: 1, to: 2, amount: 1 });
        driver.tally.answered += 1;
        let mut findings = Vec::new();
        let truth = check(driver, folder.path(), &mut findings);
        let what: Vec<&str> = findings.iter().map(|finding| finding.what.as_str()).collect();
        assert_eq!(what, ["accounts", "events", "trial_balance"]);
        assert_eq!(truth.accounts_wrong, 2);
    }
}
