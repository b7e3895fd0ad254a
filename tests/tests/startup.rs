//! Starting, stopping, and what operators see of it.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use parties::DemoFile;
use serde_json::Value;
use system_tests::{Daemon, Rest, binary, root, run_umbra};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_is_as_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("data");
    let (daemon, printed) = Daemon::start_with(&data_dir, &[]);
    for part in [
        "0200 financial request",
        "0210 financial response",
        "12.50 ZAR",
        "Balance before  1000000.00 ZAR",
        "Balance after   999987.50 ZAR",
    ] {
        assert!(printed.contains(part), "{part} is missing:\n{printed}");
    }
    let mode = |name: &str| std::fs::metadata(data_dir.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("demo.json"), mode("")), (0o600, 0o700));
    let ready: Value = serde_json::from_slice(&std::fs::read(data_dir.join("ready.json")).unwrap()).unwrap();
    for listener in ["pos-binary", "pos-ascii", "hsm", "admin"] {
        assert_eq!(ready["listeners"][listener], daemon.address(listener).to_string());
    }
    let file: Value = serde_json::from_slice(&std::fs::read(data_dir.join("demo.json")).unwrap()).unwrap();
    for key in ["baseUrl", "admin", "global", "tenantId", "listeners", "terminals", "cards"] {
        assert!(!file[key].is_null(), "demo.json lacks {key}");
    }
    let rest = Rest::log_in(&daemon.demo).await;
    for page in ["/healthz", "/readyz", "/metrics", "/openapi.json", "/docs/"] {
        assert_eq!(rest.page(page).await.0, 200, "{page}");
    }
    let (_, metrics) = rest.page("/metrics").await;
    for name in
        ["umbra_messages_total", "umbra_message_seconds", "umbra_hsm_commands_total", "umbra_ledger_sync_seconds"]
    {
        assert!(metrics.contains(name), "{name} is missing");
    }
    assert_eq!(daemon.stop().code(), Some(0));
    assert!(!data_dir.join("ready.json").exists(), "nobody is ready any more");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_sample_does_not_stop_the_demo() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("data");
    let first = Daemon::start(&data_dir);
    let change = serde_json::json!({"status": "BLOCKED", "reason": "test"});
    let card = format!("/cards/{}", first.demo.cards[0].card_id);
    assert_eq!(Rest::log_in(&first.demo).await.put(&card, &change).await["status"], "BLOCKED");
    assert_eq!(first.stop().code(), Some(0));
    let (second, printed) = Daemon::start_with(&data_dir, &[]);
    assert!(printed.contains("0210 financial response"), "{printed}");
    assert!(second.log().contains("--no-sample"), "{}", second.log());
    assert_eq!(Rest::log_in(&second.demo).await.page("/healthz").await.0, 200);
    assert_eq!(second.stop().code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_seeds_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("data");
    let first = Daemon::start(&data_dir);
    let before = first.demo.clone();
    first.kill();
    let second = Daemon::start(&data_dir);
    for (one, other) in before.cards.iter().zip(&second.demo.cards) {
        assert!(one.pan == other.pan && one.wallet_id == other.wallet_id && one.balance == other.balance);
    }
    assert!(before.terminals.iter().zip(&second.demo.terminals).all(|(one, other)| one.tmk == other.tmk));
    let shown = Rest::log_in(&second.demo).await.get(&format!("/wallets/{}", before.cards[0].wallet_id)).await;
    assert_eq!(shown["currentBalance"].to_string(), before.cards[0].balance);
}

/// Killed at any moment of the first start, the next one completes it.
#[test]
fn a_first_start_that_is_killed_is_completed() {
    for pause in (0..12).map(|step| step * 25) {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = folder.path().join("data");
        let mut killed = Command::new(binary())
            .args(["demo", "--ephemeral-ports", "--no-sample", "--data-dir"])
            .arg(&data_dir)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(pause));
        killed.kill().unwrap();
        killed.wait().unwrap();
        let daemon = Daemon::start(&data_dir);
        let balances: Vec<&str> = daemon.demo.cards.iter().map(|card| &*card.balance).collect();
        assert_eq!(balances, ["1000000.00", "25.00", "500.00", "500.00", "250.00"], "killed after {pause} ms");
        assert_eq!(daemon.stop().code(), Some(0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_card_blocked_over_rest_is_refused_at_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(&folder.path().join("data"));
    let mut terminal = daemon.terminal(0, "pos-binary");
    let mut link = daemon.connect("pos-binary").await;
    terminal.open_session(&mut link).await.unwrap();
    let rest = Rest::log_in(&daemon.demo).await;
    let path = format!("/cards/{}", daemon.demo.cards[0].card_id);
    for (status, expected) in [("BLOCKED", "62"), ("ACTIVE", "00")] {
        let change = serde_json::json!({"status": status, "reason": "test"});
        assert_eq!(rest.put(&path, &change).await["status"], status);
        let mut code = String::new();
        // Well within a second on an idle machine; a loaded one gets three.
        for _ in 0..60 {
            let request = terminal.request(parties::Kind::Purchase, &daemon.card(0), 100).unwrap();
            code = link.exchange(&request).await.unwrap().code().to_owned();
            if code == expected {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        assert_eq!(code, expected, "after {status}");
    }
}

/// One line on standard error that says what to do, and the exit status.
fn fails(args: &[&str], status: i32, says: &str) {
    let output = run_umbra(args);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{args:?}: {told}");
    assert!(told.contains(says), "{args:?}: {told}");
    if status == 1 {
        let lines = told.lines().filter(|line| line.starts_with("umbra: ")).count();
        assert_eq!(lines, 1, "{args:?}: {told}");
    }
}

#[test]
fn errors_say_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("data");
    let data = data_dir.to_str().unwrap();
    fails(&["nonsense"], 2, "Usage");
    fails(&["demo", "--nonsense"], 2, "Usage");
    fails(&["ledger", "verify", data], 1, "");
    fails(&["terminal", "purchase", "--amount", "1", "--data-dir", data], 1, "umbra demo");
    fails(&["iso", "decode", "--spec", "nonsense"], 1, "nonsense");
    let daemon = Daemon::start(&data_dir);
    fails(&["demo", "--ephemeral-ports", "--data-dir", data], 1, "in use");
    let taken = daemon.address("hsm").to_string();
    fails(&["hsm", "--listen", &taken], 1, "choose another");
    let demo_file = data_dir.join("demo.json");
    assert_eq!(daemon.stop().code(), Some(0));
    std::fs::remove_file(demo_file).unwrap();
    // As a killed daemon leaves it.
    std::fs::write(data_dir.join("ready.json"), "{}").unwrap();
    fails(&["demo", "--ephemeral-ports", "--data-dir", data], 1, "start afresh");
    assert!(!data_dir.join("ready.json").exists(), "what did not start is not ready");
}

#[test]
fn the_ledger_can_be_checked_and_printed() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("data");
    let (daemon, _) = Daemon::start_with(&data_dir, &[]);
    let data = data_dir.to_str().unwrap();
    assert!(run_umbra(&["ledger", "verify", data]).status.success(), "also while the daemon runs");
    assert_eq!(daemon.stop().code(), Some(0));
    for path in [data, data_dir.join("ledger").to_str().unwrap()] {
        assert!(run_umbra(&["ledger", "verify", path]).status.success());
    }
    let dumped = run_umbra(&["ledger", "dump", data]);
    let lines = String::from_utf8(dumped.stdout).unwrap();
    let purchase =
        lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).find(|event| event["kind"] == "card");
    let record = &purchase.expect("the sample purchase")["record"];
    assert_eq!(record["card"].as_str().unwrap().matches('*').count(), 6, "{record}");
    // One damaged byte is found and its place named.
    let segment = std::fs::read_dir(data_dir.join("ledger"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|end| end == "wal"))
        .unwrap();
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes[200] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    fails(&["ledger", "verify", data], 1, segment.file_name().unwrap().to_str().unwrap());
}

#[test]
fn the_openapi_document_is_printed() {
    let output = run_umbra(&["openapi"]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(document["paths"].as_object().unwrap().len() >= 7);
}

/// The README's example of `demo.json` stays readable by the type that writes it.
#[test]
fn the_readme_names_the_two_commands() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.contains("cargo run --release -- demo") && readme.contains("tests/run"));
    let _ = DemoFile::read;
}
