//! The published OpenAPI document against the whole daemon: valid, and kept to.

use std::process::Command;

use system_tests::{Daemon, root, run_umbra};

/// Requests of each operation and phase: about a hundred seconds, or with `UMBRA_TESTS_LONG` some minutes.
const EXAMPLES: &str = "10";
const EXAMPLES_LONG: &str = "40";

#[test]
fn every_operation_keeps_to_its_document() {
    let python = root().join("target/openapi-venv/bin/python");
    assert!(python.exists(), "{} is missing; tests/run installs it", python.display());
    let folder = tempfile::tempdir().unwrap();
    let document = folder.path().join("openapi.json");
    let printed = run_umbra(&["openapi"]);
    assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    std::fs::write(&document, printed.stdout).unwrap();

    let daemon = Daemon::start(&folder.path().join("data"));
    let long = std::env::var_os("UMBRA_TESTS_LONG").is_some();
    let output = Command::new(python)
        .arg(root().join("tests/openapi/conformance.py"))
        .arg("--document")
        .arg(&document)
        .arg("--demo-json")
        .arg(daemon.data_dir().join("demo.json"))
        .args(["--examples", if long { EXAMPLES_LONG } else { EXAMPLES }])
        .output()
        .expect("python can be started");
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(!daemon.log().contains("panicked"), "{}", daemon.log());
    assert_eq!(daemon.stop().code(), Some(0));
}
