//! `umbra hsm` and `umbra keys`, as people use them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use system_tests::{Daemon, binary};

const PASSPHRASE: &str = "correct horse battery staple";

/// The simulator as a process; killed with the value.
struct Hsm {
    child: Child,
    address: String,
    http: Option<String>,
}

impl Hsm {
    fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(binary());
        command.args(["hsm", "--listen", "127.0.0.1:0"]).args(arguments).env("UMBRA_LMK_PASSPHRASE", PASSPHRASE);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut http = None;
        loop {
            let line = lines.next().expect("it says where it listens").unwrap();
            match line.strip_prefix("http://") {
                Some(address) => http = Some(address.to_owned()),
                None => {
                    let address = line.split_whitespace().next_back().unwrap().to_owned();
                    return Self { child, address, http };
                }
            }
        }
    }

    /// The answer to one command, behind the header.
    fn ask(&self, command: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let frame = format!("HEAD{command}{body}");
        let length = u16::try_from(frame.len()).unwrap().to_be_bytes();
        stream.write_all(&[&length[..], frame.as_bytes()].concat()).unwrap();
        let mut length = [0; 2];
        stream.read_exact(&mut length).unwrap();
        let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut answer).unwrap();
        String::from_utf8(answer[4..].to_vec()).unwrap()
    }

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.http.as_ref().unwrap()).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: hsm\r\nConnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    }
}

impl Drop for Hsm {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Standard output, standard error, exit status.
fn run(arguments: &[&str], input: &str) -> (String, String, Option<i32>) {
    let mut command = Command::new(binary());
    command.args(arguments).env("UMBRA_LMK_PASSPHRASE", PASSPHRASE);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that is refused at once does not read.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code())
}

fn check_value(printed: &str) -> &str {
    printed.trim_end().rsplit(' ').next().unwrap()
}

#[test]
fn an_lmk_of_ones_own_serves() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bank.lmk");
    let file = file.to_str().unwrap();
    let (made, _, status) = run(&["hsm", "lmk", "generate", file], "");
    assert_eq!(status, Some(0));
    assert_eq!(run(&["hsm", "lmk", "check", file], "").0, made);
    assert_eq!(run(&["hsm", "lmk", "generate", file], "").2, Some(1), "a file is not overwritten");
    let hsm = Hsm::start(&["--lmk", &format!("00={file}"), "--http", "127.0.0.1:0"]);
    assert!(hsm.ask("NC", "").starts_with(&format!("ND00{}", check_value(&made))));
    assert_eq!(hsm.ask("NC", "%01"), "ND13", "the test LMKs are not there");
    std::thread::sleep(Duration::from_millis(1200));
    assert!(hsm.get("/healthz").ends_with("ok\n"));
    assert!(hsm.get("/metrics").contains("umbra_hsm_simulator_commands_total{command=\"NC\"} 2"));
    let utilisation = hsm.get("/utilisation");
    let figures: Value = serde_json::from_str(utilisation.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert_eq!((figures["commands"].as_u64(), figures["errors"].as_u64()), (Some(2), Some(1)));
}

#[test]
fn options_are_checked_before_anything_starts() {
    for (arguments, word) in [
        (&["--fault", "drop=2"][..], "drop=P"),
        (&["--latency", "fast"], "2ms"),
        (&["--pin-formats", "01,99"], "99"),
        (&["--lmk", "bank.lmk"], "ID=FILE"),
        (&["--lmk", "03=/nowhere/bank.lmk"], "/nowhere/bank.lmk"),
        (&["--tls-cert", "/nowhere.pem", "--tls-key", "/nowhere.key"], "/nowhere"),
        (&["--excluded-pins", "/nowhere"], "/nowhere"),
        (&["--commands-per-second", "0"], "0"),
        (&["--disable-commands", "NG,ZZ"], "ZZ"),
    ] {
        let (_, told, status) = run(&[&["hsm", "--listen", "127.0.0.1:0"], arguments].concat(), "");
        assert_ne!(status, Some(0), "{arguments:?}");
        assert!(told.contains(word), "{arguments:?}: {told}");
    }
}

#[test]
fn messages_are_explained() {
    let text = "0001CY0A61E674E88C6A7EEABC38C2B2BB492F6494999988887777;9105111";
    let (told, _, status) = run(&["hsm", "explain", "--text", text], "");
    assert_eq!(status, Some(0));
    assert!(
        told.contains("verifies a CVV") && told.contains("service code") && !told.contains("4999988887777"),
        "{told}"
    );
    let frame = hex::encode([&[0, text.len() as u8][..], text.as_bytes()].concat());
    assert_eq!(run(&["hsm", "explain", &frame], "").0, told);
    assert_eq!(run(&["hsm", "explain"], &frame).0, told);
    let (told, _, _) = run(&["hsm", "explain", "--text", "--clear", text], "");
    assert!(told.contains("4999988887777"));
    let (told, _, status) = run(&["hsm", "explain", "--json", "--text", "0001CB10"], "");
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((told["command"].as_str(), told["isAnswer"].as_bool(), status), (Some("CA"), Some(true), Some(0)));
    assert_eq!(told["fields"][0]["meaning"], "source key parity error");
    assert_eq!(run(&["hsm", "explain", "--text", "0001CA12"], "").2, Some(1));
    assert_eq!(run(&["hsm", "commands"], "").0.lines().count(), 65);
}

#[test]
fn two_people_form_a_key() {
    let component = || {
        let (told, _, _) = run(&["keys", "component"], "");
        let mut lines = told.lines().map(|line| line[13..].trim().to_owned());
        (lines.next().unwrap(), lines.next().unwrap())
    };
    let (one, two) = (component(), component());
    let (formed, told, status) = run(&["keys", "form", "--type", "000"], &format!("{}\n{}\n", one.0, two.0));
    assert_eq!(status, Some(0), "{told}");
    assert!(told.contains(&one.1) && told.contains(&two.1), "each sees the check value of the own component");
    assert!(!told.contains(&one.0.replace(' ', "")) && !formed.contains(&one.0.replace(' ', "")));
    let mut lines = formed.lines().map(|line| line[13..].trim());
    let (key, check) = (lines.next().unwrap(), lines.next().unwrap());
    let hsm = Hsm::start(&[]);
    assert_eq!(hsm.ask("BU", &format!("FF1{key};000;001")), format!("BV00{check}"));
    assert_eq!(run(&["keys", "form", "--type", "000"], &format!("{}\n1234\n", one.0)).2, Some(1));
    assert_eq!(run(&["keys", "form", "--type", "999"], "").2, Some(1));
}

fn rewrap(data_dir: &Path, hsm: &Hsm, more: &[&str]) -> (String, String, Option<i32>) {
    let data_dir = data_dir.to_str().unwrap();
    run(&[&["keys", "rewrap", "--data-dir", data_dir, "--hsm", &hsm.address], more].concat(), "")
}

#[test]
fn a_database_moves_to_another_lmk_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let (data_dir, file) = (folder.path().join("data"), folder.path().join("bank.lmk"));
    let file = file.to_str().unwrap();
    assert_eq!(run(&["hsm", "lmk", "generate", file], "").2, Some(0));
    let forth = Hsm::start(&["--lmk", &format!("00={file}"), "--old-lmk", "00=test"]);
    let daemon = Daemon::start(&data_dir);
    let (_, told, status) = rewrap(&data_dir, &forth, &[]);
    assert!(status == Some(1) && told.contains("stop the daemon first"), "{told}");
    assert_eq!(daemon.stop().code(), Some(0));

    let (dry, told, _) = rewrap(&data_dir, &forth, &["--dry-run"]);
    assert!(dry.contains("nothing was changed"), "{dry}{told}");
    let without = Hsm::start(&[]);
    let (_, told, status) = rewrap(&data_dir, &without, &[]);
    assert!(status == Some(1) && told.contains("--old-lmk"), "{told}");
    let (moved, told, status) = rewrap(&data_dir, &forth, &[]);
    assert_eq!(status, Some(0), "{told}");
    assert!(moved.contains("under the new LMK"), "{moved}");
    let (_, told, status) = rewrap(&data_dir, &forth, &[]);
    assert!(status == Some(1) && told.contains("rewrapped before"), "{told}");

    // The demo's own HSM has the test LMK: it is no longer the database's.
    let (_, told, status) = run(&["demo", "--ephemeral-ports", "--data-dir", data_dir.to_str().unwrap()], "");
    assert!(status == Some(1) && told.contains("HSM"), "{told}");
    let back = Hsm::start(&["--lmk", "00=test", "--old-lmk", &format!("00={file}")]);
    assert_eq!(rewrap(&data_dir, &back, &[]).2, Some(0));
    // The sample purchase, with a PIN and MACs.
    let (daemon, printed) = Daemon::start_with(&data_dir, &[]);
    assert!(printed.contains("approved"), "{printed}");
    assert_eq!(daemon.stop().code(), Some(0));
}
