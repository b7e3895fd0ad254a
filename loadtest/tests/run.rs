//! The load tester itself: whole runs are sound, and every planted fault is seen under its name.

use std::process::Command;

use serde_json::Value;

/// A short run; gives whether it says that it passed, and its report.
fn run(arguments: &[&str]) -> (bool, Value) {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_loadtest"))
        .args(["run", "--json", "--cards", "30", "--terminals", "8", "--connections", "8", "--patience", "2", "--dir"])
        .arg(folder.path())
        .args(arguments)
        .output()
        .expect("the load tester can be started");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("no report: {said}"));
    assert_eq!(report["passed"].as_bool(), Some(output.status.success()), "{said}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "it leaves nothing behind");
    (output.status.success(), report)
}

fn number(report: &Value, key: &str) -> f64 {
    report[key].as_f64().unwrap_or_else(|| panic!("{key} is no number: {report}"))
}

/// Names of the findings, without those that only say how busy the machine is.
fn findings(report: &Value) -> Vec<String> {
    let all = report["findings"].as_array().unwrap().iter();
    let names = all.map(|finding| finding["what"].as_str().unwrap().to_owned());
    names
        .filter(|name| !["others", "clients_late", "projection_lag", "tranlog_lag", "stall"].contains(&name.as_str()))
        .collect()
}

fn finding(report: &Value, name: &str) -> String {
    let all = report["findings"].as_array().unwrap();
    let found = all.iter().find(|finding| finding["what"] == name);
    let found = found.unwrap_or_else(|| panic!("{name} is not among {:?}", report["findings"]));
    found["text"].as_str().unwrap().to_owned()
}

#[test]
fn a_sound_daemon_passes_and_every_figure_is_there() {
    let (passed, report) = run(&["--workload", "pin-purchase", "--seconds", "1.5", "--rounds", "3"]);
    assert!(passed, "{}", report["findings"]);
    assert_eq!(findings(&report), [""; 0]);
    for key in
        ["approved_per_s", "echo_per_s", "echo_p50_us", "p50_us", "p99_us", "p999_us", "sync_p50_us", "sync_p99_us"]
    {
        assert!(number(&report, key) > 0.0, "{key}");
    }
    for key in ["declined", "lost", "doubled"] {
        assert_eq!(number(&report, key), 0.0, "{key}");
    }
    assert!(number(&report, "p50_us") <= number(&report, "p99_us"));
    assert_eq!(report["rounds"].as_array().unwrap().len(), 3);
    let truth = &report["truth"];
    assert_eq!(truth["sent"], truth["approved"]);
    assert!(truth["sent"].as_u64() > Some(50) && truth["wallets_compared"].as_u64() == Some(33), "{truth}");
    let named = |list: &str, key: &str| -> Vec<String> {
        report[list].as_array().unwrap().iter().map(|item| item[key].as_str().unwrap().to_owned()).collect()
    };
    let steps = named("steps", "step");
    for step in ["queue", "decode", "verify_mac", "duplicate", "decide", "verify_pin", "post", "answer", "make_mac"] {
        assert!(steps.contains(&step.to_owned()), "{step} is not among {steps:?}");
    }
    let parts = named("cpu", "part");
    for part in ["daemon: cards", "daemon: hsm", "daemon: sequencer", "loadtest: clients", "others"] {
        assert!(parts.contains(&part.to_owned()), "{part} is not among {parts:?}");
    }
    assert_eq!(named("baselines", "name"), ["echo", "sync", "cipher"]);
    assert!(named("figures", "name").contains(&"approved_to_echo".to_owned()));
}

#[test]
fn every_workload_agrees_with_the_ledger() {
    for workload in ["pre-auth", "reversal-storm", "hot-account", "zipf-accounts", "shopping-day"] {
        let (passed, report) = run(&["--workload", workload, "--seconds", "1", "--rounds", "2"]);
        assert!(passed && findings(&report).is_empty(), "{workload}: {}", report["findings"]);
        assert_eq!(number(&report, "declined"), 0.0, "{workload}");
        assert!(report["truth"]["sent"].as_u64() > Some(30), "{workload}");
    }
    // The same from a card network.
    for workload in ["pin-purchase", "shopping-day"] {
        let arguments = ["--workload", workload, "--listener", "network", "--seconds", "1", "--rounds", "2"];
        let (passed, report) = run(&arguments);
        assert!(passed && findings(&report).is_empty(), "{workload}: {}", report["findings"]);
        assert_eq!(number(&report, "declined"), 0.0, "{workload} from a network");
        assert!(report["truth"]["sent"].as_u64() > Some(30), "{workload} from a network");
    }
}

#[test]
fn the_open_model_keeps_its_rate() {
    let arguments = ["--workload", "shopping-day", "--rate", "100", "--seconds", "4", "--rounds", "2"];
    let (passed, report) = run(&[&arguments[..], &["--listener", "pos-ascii"]].concat());
    assert!(passed, "{}", report["findings"]);
    let answers: f64 = report["rounds"].as_array().unwrap().iter().map(|round| number(round, "answers_per_s")).sum();
    assert!((170.0..=230.0).contains(&answers), "two rounds of some 100/s: {answers}");
}

#[test]
fn transfers_over_rest_agree_with_the_ledger() {
    let (passed, report) = run(&["--workload", "rest-transfer", "--seconds", "1", "--rounds", "2"]);
    assert!(passed && findings(&report).is_empty(), "{}", report["findings"]);
    assert!(number(&report, "approved_per_s") > 0.0 && number(&report, "declined") == 0.0);
    assert_eq!(report["baselines"][0]["name"], "http");
}

#[test]
fn a_lost_answer_is_seen() {
    let plan = ["--workload", "purchase", "--seconds", "1", "--rounds", "2", "--plant", "lost-answer"];
    let (passed, report) = run(&plan);
    assert!(!passed);
    assert_eq!(findings(&report), ["unanswered", "lost_answer"]);
    assert!(finding(&report, "lost_answer").contains("the answer was lost on its way"));
    assert_eq!((number(&report, "lost"), number(&report, "doubled")), (0.0, 0.0));
}

#[test]
fn a_doubled_posting_is_seen() {
    let plan = ["--workload", "purchase", "--seconds", "1", "--rounds", "2", "--plant", "doubled-posting"];
    let (passed, report) = run(&plan);
    assert!(!passed && number(&report, "doubled") > 0.0);
    assert_eq!(findings(&report), ["doubled", "wallet_wrong"]);
    assert!(finding(&report, "doubled").contains("no client sent"));
}

#[test]
fn a_lost_posting_is_seen() {
    let plan = ["--workload", "purchase", "--seconds", "1", "--rounds", "2", "--plant", "lost-posting"];
    let (passed, report) = run(&plan);
    assert!(!passed && number(&report, "lost") > 0.0);
    assert_eq!(findings(&report), ["lost", "wallet_wrong"]);
}

#[test]
fn a_stall_every_second_is_named() {
    let plan = ["--workload", "purchase", "--rate", "200", "--seconds", "12", "--rounds", "2", "--plant", "stall"];
    let (passed, report) = run(&plan);
    assert!(passed, "a stall loses nothing");
    let text = finding(&report, "stall");
    assert!(text.contains("every 1.0") || text.contains("every 0.9"), "{text}");
}

#[test]
fn what_cannot_be_run_is_refused_with_a_way_out() {
    let refused = |arguments: &[&str], says: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_loadtest")).arg("run").args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(says), "{said}");
    };
    refused(&["--workload", "pin-purchase", "--plant", "lost-posting"], "choose --workload purchase");
    refused(&["--workload", "purchase", "--listener", "network"], "choose --workload pin-purchase");
    let planted = ["--workload", "pin-purchase", "--listener", "network", "--plant", "lost-answer"];
    refused(&planted, "choose --listener pos-binary");
    refused(&["--workload", "purchase", "--dir", "/nowhere"], "choose another --dir");
    refused(&["--workload", "purchase", "--umbra", "/nowhere/umbra"], "is --umbra right?");
    refused(&["--workload", "purchase", "--seconds", "0"], "give 0.5 to 86400");
}
