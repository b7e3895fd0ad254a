//! `umbra network`: an issuer side and an acquirer side as processes that talk to each other.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use system_tests::{binary, run_umbra};

const PAN: &str = "9999980000000007";
const MASKED: &str = "999998******0007";
/// Too long to be found in a STAN by chance.
const PIN: &str = "47119352";
const ZMK: &str = "0123456789ABCDEFFEDCBA9876543210";

/// Killed when it is dropped.
struct Issuer {
    process: Child,
    lines: BufReader<std::process::ChildStdout>,
    address: String,
    _cards: tempfile::TempDir,
}

impl Issuer {
    /// On a port of its own, knowing [`PAN`] with 100.00 on its account.
    fn start(flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cards = folder.path().join("cards.json");
        std::fs::write(&cards, format!(r#"[{{"pan": "{PAN}", "pin": "{PIN}", "balance": "100.00"}}]"#)).unwrap();
        let mut process = Command::new(binary())
            .args(["network", "issuer", "--listen", "127.0.0.1:0", "--id", "500001", "--cards"])
            .arg(cards)
            .args(flags)
            .env("UMBRA_ZMK", ZMK)
            .stdout(Stdio::piped())
            .spawn()
            .expect("umbra can be started");
        let mut lines = BufReader::new(process.stdout.take().unwrap());
        let mut first = String::new();
        lines.read_line(&mut first).unwrap();
        let address = first.trim().trim_end_matches("\"}").rsplit([' ', '"']).next().unwrap().to_owned();
        Self { process, lines, address, _cards: folder }
    }

    /// SIGTERM; gives all that was printed.
    fn stop(mut self) -> String {
        kill_process(Pid::from_child(&self.process), Signal::TERM).unwrap();
        let mut printed = String::new();
        self.lines.read_to_string(&mut printed).unwrap();
        assert!(self.process.wait().unwrap().success());
        printed
    }

    fn acquire(&self, flags: &[&str]) -> Output {
        self.acquirer(flags).output().expect("umbra can be started")
    }

    fn acquirer(&self, flags: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command
            .args(["network", "acquirer", "--connect", &self.address, "--id", "500001", "--pan", PAN])
            .args(["--acquirer", "500002", "--amount", "12.50"])
            .args(flags)
            .env("UMBRA_ZMK", ZMK)
            .env("UMBRA_PIN", PIN);
        command
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn hides_secrets(shown: &str) {
    for secret in [PAN, PIN, ZMK, &ZMK.to_lowercase()] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn a_purchase_and_its_reversal_are_printed_on_both_sides_masked() {
    for scheme in ["tr31", "ecb"] {
        let issuer = Issuer::start(&["--key-scheme", scheme, "--delay-ms", "5"]);
        let output = issuer.acquire(&["--key-scheme", scheme, "--reverse", "--verbose"]);
        let (shown, errors) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{shown}{errors}");
        for part in ["financial request", "financial response", "approved, 12.50 ZAR", "0420 was answered", MASKED] {
            assert!(shown.contains(part), "{part} in {shown}");
        }
        let printed = issuer.stop();
        for part in ["0800", "DE 70 101", "0200", "12.50 ZAR", "0420", "gives back", MASKED, "1 reversed"] {
            assert!(printed.contains(part), "{part} in {printed}");
        }
        for shown in [shown, errors, printed] {
            hides_secrets(&shown);
        }
    }
}

#[test]
fn declines_and_wrong_pins_are_failures_in_json_too() {
    let issuer = Issuer::start(&["--json"]);
    let output = issuer.acquire(&["--json", "--count", "9", "--preauth"]);
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{shown}");
    let answers: Vec<Value> = shown.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let approved = answers.iter().filter(|answer| answer["approved"] == true).count();
    assert_eq!((answers.len(), approved), (9, 8), "100.00 holds 12.50 eight times");
    assert!(answers.iter().any(|answer| answer["code"] == "51"));
    assert_eq!(answers[0]["request"]["mti"], "0100");
    let wrong = issuer.acquire(&["--json", "--pin", "000000"]);
    assert_eq!(wrong.status.code(), Some(1));
    let answer: Value = serde_json::from_slice(&wrong.stdout).unwrap();
    assert_eq!((&answer["code"], &answer["authenticated"]), (&Value::from("55"), &Value::from(true)));
    let printed = issuer.stop();
    let last: Value = serde_json::from_str(printed.lines().last().unwrap()).unwrap();
    assert_eq!((&last["counts"]["declined"], &last["counts"]["wrong_pins"]), (&Value::from(2), &Value::from(1)));
    hides_secrets(&format!("{shown}{printed}{answer}"));
}

#[test]
fn what_is_not_answered_is_reversed() {
    let issuer = Issuer::start(&["--lose", "0.6", "--seed", "7"]);
    let output = issuer.acquire(&["--json", "--count", "6", "--timeout-ms", "500"]);
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{shown}{}", text(&output.stderr));
    let answers: Vec<Value> = shown.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let reversed = answers.iter().filter(|answer| answer["reversal"]["approved"] == true).count();
    assert_eq!(answers.iter().filter(|answer| answer["approved"] == true).count() + reversed, 6);
    assert!(reversed > 0, "{shown}");
    let printed = issuer.stop();
    assert!(printed.contains("its answer is lost") && printed.contains(&format!("{reversed} reversed")), "{printed}");
    hides_secrets(&printed);
}

/// The last line an issuer prints.
fn counts(printed: &str) -> Value {
    serde_json::from_str::<Value>(printed.lines().last().unwrap()).unwrap()["counts"].take()
}

#[test]
fn a_stopped_acquirer_settles_what_is_under_way() {
    let issuer = Issuer::start(&["--json", "--delay-ms", "200"]);
    let mut acquirer =
        issuer.acquirer(&["--json", "--count", "100000"]).stdout(Stdio::piped()).spawn().expect("umbra can be started");
    let mut lines = BufReader::new(acquirer.stdout.take().unwrap());
    let mut shown = String::new();
    lines.read_line(&mut shown).unwrap();
    kill_process(Pid::from_child(&acquirer), Signal::TERM).unwrap();
    lines.read_to_string(&mut shown).unwrap();
    assert_eq!(acquirer.wait().unwrap().code(), Some(1), "not everything was sent");
    let counts = counts(&issuer.stop());
    let decided = counts["approved"].as_u64().unwrap() + counts["declined"].as_u64().unwrap();
    assert!(decided < 100_000 && shown.lines().count() as u64 == decided, "{counts}");
}

#[test]
fn nobody_has_to_read_what_an_acquirer_prints() {
    let issuer = Issuer::start(&["--json", "--delay-ms", "50"]);
    let mut acquirer =
        issuer.acquirer(&["--count", "8", "--reverse"]).stdout(Stdio::piped()).spawn().expect("umbra can be started");
    drop(acquirer.stdout.take());
    assert!(acquirer.wait().unwrap().success());
    assert_eq!(counts(&issuer.stop())["reversed"], 8);
}

#[test]
fn faults_are_one_line_that_says_what_to_do() {
    let connect = ["network", "acquirer", "--connect", "127.0.0.1:1", "--id", "500001", "--pan", PAN];
    let acquirer = |flags: &[&str]| run_umbra(&[&connect[..], flags].concat());
    for (output, status, part) in [
        (acquirer(&["--zmk", ZMK, "--amount", "1.234"]), 2, "more decimals"),
        (acquirer(&["--zmk", "0123", "--amount", "1"]), 2, "the ZMK is not"),
        (acquirer(&["--zmk", ZMK, "--amount", "1", "--tid", "NET000001"]), 2, "--tid"),
        (acquirer(&["--zmk", ZMK, "--amount", "1"]), 1, "cannot connect to 127.0.0.1:1"),
        (run_umbra(&["network", "issuer", "--id", "1", "--zmk", ZMK]), 2, "--listen"),
        (run_umbra(&["network", "issuer", "--listen", "127.0.0.1:0", "--id", "x", "--zmk", ZMK]), 2, "id"),
        (
            run_umbra(&["network", "issuer", "--listen", "127.0.0.1:0", "--id", "1", "--zmk", ZMK, "--lose", "2"]),
            2,
            "from 0 to 1",
        ),
    ] {
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{errors}");
        assert!(errors.contains(part) && output.stdout.is_empty(), "{errors}");
        hides_secrets(&errors);
        if status == 1 {
            assert_eq!(errors.lines().count(), 1, "{errors}");
        }
    }
    let issuer = Issuer::start(&[]);
    let other = issuer.acquire(&["--zmk", &ZMK.replace("01", "10")]);
    let errors = text(&other.stderr);
    assert_eq!((other.status.code(), errors.lines().count()), (Some(1), 1), "{errors}");
    assert!(errors.contains("refused the key exchange with 63") && errors.contains("compare id, ZMK"), "{errors}");
}
