//! The parts alone, through the program: short runs, and what programs rely on in their reports.

use std::process::Command;

use serde_json::Value;

fn report(arguments: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_loadtest")).args(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    assert_eq!(errors.lines().filter(|line| line.starts_with("round ")).count(), 2, "a line a round: {errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Every key is a number above zero.
fn assert_positive(object: &Value, keys: &[&str]) {
    for key in keys {
        assert!(object[key].as_f64().is_some_and(|number| number > 0.0), "{key}: {}", object[key]);
    }
}

/// Kind, verdict, and a value a round of each figure.
fn assert_complete(report: &Value, kind: &str, first_figure: &str) {
    assert_eq!((&report["kind"], &report["passed"]), (&kind.into(), &true.into()), "{report:#}");
    assert_eq!(report["rounds"].as_array().map(Vec::len), Some(2));
    assert!(report["rounds"][0]["others_cores"].is_number());
    assert_eq!(report["settings"]["seconds"], 1);
    // Notices say that the machine is busy, which with tests it is.
    let faults = report["findings"].as_array().unwrap().iter().filter(|finding| finding["severity"] == "fault");
    assert_eq!(faults.count(), 0, "{}", report["findings"]);
    let figures = report["figures"].as_array().unwrap();
    assert_eq!(figures[0]["name"], first_figure);
    assert_eq!(figures[0]["unit"], "ratio");
    for figure in figures.iter().filter(|figure| figure["name"] != "bytes_per_account") {
        assert_eq!(figure["per_round"].as_array().map(Vec::len), Some(2), "{figure}");
    }
}

#[test]
fn ledger() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().to_str().unwrap();
    let report =
        report(&["ledger", "--json", "--seconds", "1", "--accounts", "1000", "--rounds", "2", "--dir", data_dir]);
    assert_complete(&report, "ledger", "single_p50_to_sync_p50");
    assert_positive(
        &report,
        &[
            "entries_per_s",
            "two_phase_per_s",
            "sync_p50_us",
            "sync_p99_us",
            "single_p50_us",
            "single_p99_us",
            "bytes_per_account",
        ],
    );
    let truth = &report["truth"];
    assert_eq!(truth["events"], truth["approved"]);
    assert_eq!((&truth["accounts_compared"], &truth["accounts_wrong"]), (&1000.into(), &0.into()));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
}

#[test]
fn hsm() {
    let report = report(&["hsm", "--json", "--seconds", "1", "--rounds", "2"]);
    assert_complete(&report, "hsm", "pin_verify_to_echo");
    for workload in ["pin_verify", "pin_translate", "mac_generate", "mac_verify", "aes_pin_verify", "aes_mac"] {
        let keys = ["per_s", "p50_us", "p99_us", "server_us", "bare_us", "echo_per_s"];
        assert_positive(&report[workload], &keys);
        assert_positive(&report["rounds"][1][workload], &keys);
    }
}
