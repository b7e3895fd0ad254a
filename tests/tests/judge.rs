//! The outside judge: a terminal that shares no code with this project, against the whole daemon, across a SIGKILL.

use std::path::Path;
use std::process::Command;

use system_tests::{Daemon, root, run_umbra};

/// Runs one phase of the judge; what it prints goes to the test's output.
fn judge(data_dir: &Path, phase: &str) {
    let python = root().join("target/judge-venv/bin/python");
    assert!(python.exists(), "{} is missing; tests/run installs it", python.display());
    let output = Command::new(python)
        .arg(root().join("tests/judge/judge.py"))
        .arg("--demo-json")
        .arg(data_dir.join("demo.json"))
        .args(["--phase", phase, "--state"])
        .arg(data_dir.with_extension("judge"))
        .output()
        .expect("python can be started");
    let printed = String::from_utf8_lossy(&output.stdout);
    println!("{printed}");
    assert!(output.status.success(), "phase {phase}:\n{printed}\n{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn every_scenario_and_across_a_sigkill() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("data");
    let daemon = Daemon::start(&data_dir);
    judge(&data_dir, "before-restart");
    daemon.kill();
    let daemon = Daemon::start(&data_dir);
    judge(&data_dir, "after-restart");
    judge(&data_dir, "all");
    assert!(!daemon.log().contains("panicked"), "{}", daemon.log());
    assert_eq!(daemon.stop().code(), Some(0));
    let verified = run_umbra(&["ledger", "verify", data_dir.to_str().unwrap()]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}
