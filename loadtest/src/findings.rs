//! What the reader of a report should know.

use load_report::{Finding, Severity, median};

/// Median cores of other programs from which figures are doubtful.
const OTHERS_NOTICED: f64 = 0.15;

/// Fails the run.
pub fn fault(what: &str, text: String) -> Finding {
    Finding { severity: Severity::Fault, what: what.into(), text }
}

/// Makes the figures say less.
pub fn notice(what: &str, text: String) -> Finding {
    Finding { severity: Severity::Notice, what: what.into(), text }
}

/// Whether other programs had a good part of the machine.
pub fn others(cores_per_round: &[f64]) -> Option<Finding> {
    let cores = median(cores_per_round);
    let text = || {
        format!(
            "other programs used {cores:.2} cores meanwhile; compare ratios, not absolute figures, or stop them and measure again"
        )
    };
    (cores > OTHERS_NOTICED).then(|| notice("others", text()))
}

pub fn passed(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.severity != Severity::Fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_machine_is_noticed_and_fails_nothing() {
        assert_eq!(others(&[0.01, 0.9, 0.1]), None);
        let found: Vec<Finding> = others(&[0.2, 0.9, 0.1]).into_iter().collect();
        assert_eq!(found[0].what, "others");
        assert!(passed(&found) && !passed(&[fault("wrong_answers", String::new())]));
    }
}
