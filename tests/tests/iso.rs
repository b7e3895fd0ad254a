//! `umbra iso`, as people use it: text in, text out, an exit status.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;
use system_tests::{binary, root};

/// Standard output, standard error and exit status.
fn run(args: &[&str], input: &[u8]) -> (String, String, Option<i32>) {
    let mut command = Command::new(binary());
    let piped = command.arg("iso").args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code())
}

fn sample(name: &str) -> String {
    std::fs::read_to_string(root().join("specs/samples").join(name)).unwrap()
}

#[test]
fn every_spec_that_is_listed_decodes_and_encodes_its_samples() {
    let (listed, _, status) = run(&["specs"], b"");
    assert_eq!(status, Some(0));
    let names: Vec<&str> = listed.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names.len(), 9, "{listed}");
    for name in names {
        let (wire, json) = (sample(&format!("{name}.hex")), sample(&format!("{name}.jsonl")));
        assert_eq!(run(&["decode", "--spec", name], wire.as_bytes()), (json.clone(), String::new(), Some(0)));
        assert_eq!(run(&["encode", "--spec", name], json.as_bytes()), (wire, String::new(), Some(0)));
    }
}

#[test]
fn a_line_that_is_no_message_spoils_no_other() {
    let message =
        r#"{"mti":"0800","fields":{"7":"1125041500","11":"000001","41":"UMBRA001","42":"UMBRAMERCHANT01","70":"301"}}"#;
    for spec in ["iso87ascii", "iso87binary"] {
        let (wire, _, _) = run(&["encode", "--spec", spec], message.as_bytes());
        let (json, _, status) = run(&["decode", "--spec", spec], format!("{wire}zz\n{wire}").as_bytes());
        assert_eq!(status, Some(1));
        let lines: Vec<&str> = json.lines().collect();
        assert!(lines.len() == 3 && lines[0] == message && lines[2] == message && lines[1].contains("\"reason\""));
    }
}

#[test]
fn messages_are_described_without_what_is_secret_and_as_far_as_they_go() {
    let wire = sample("iso87ascii.hex");
    let second = wire.lines().nth(1).unwrap();
    let (text, _, status) = run(&["describe", "--spec", "iso87ascii"], second.as_bytes());
    assert_eq!(status, Some(0));
    assert!(text.starts_with("0200 financial request\n") && text.contains("(bytes hidden)"), "{text}");
    let pan = sample("iso87ascii.jsonl").lines().nth(1).unwrap().split("\"2\":\"").nth(1).unwrap()[..16].to_owned();
    assert!(!text.contains(&pan) && text.contains(&pan[..6]), "{text}");
    let (text, _, status) = run(&["describe", "--spec", "iso87ascii"], &second.as_bytes()[..second.len() - 4]);
    assert_eq!(status, Some(1));
    assert!(text.contains("Processing code") && text.contains("! data element"), "{text}");
}

#[test]
fn messages_go_into_another_spec_and_lose_nothing_in_silence() {
    let wire = sample("iso87ascii.hex");
    let (converted, _, status) = run(&["convert", "--from", "iso87ascii", "--to", "iso87binary"], wire.as_bytes());
    assert_eq!(status, Some(0));
    let back = run(&["convert", "--from", "iso87binary", "--to", "iso87ascii"], converted.as_bytes());
    assert_eq!(back, (wire.clone(), String::new(), Some(0)));
    let to_1993 = ["convert", "--from", "iso87ascii", "--to", "iso93binary"];
    let (refused, _, status) = run(&to_1993, wire.as_bytes());
    assert!(status == Some(1) && refused.contains("\"de\":\"22\""), "{refused}");
    let (converted, told, status) = run(&[&to_1993[..], &["--lossy"]].concat(), wire.as_bytes());
    assert_eq!(status, Some(0));
    assert!(converted.lines().all(|line| line.starts_with('1')) && told.contains("line 1: data element 22"), "{told}");
}

#[test]
fn bytes_of_which_nothing_is_known_are_explained() {
    let wire = sample("iso87binary.hex");
    let message = wire.lines().next().unwrap();
    // A TPDU and a length that counts it in front.
    let framed = format!("{:04X}6000010002{message}", message.len() / 2 + 5);
    let (text, _, status) = run(&["detect"], framed.as_bytes());
    assert_eq!(status, Some(0));
    let best = text.lines().nth(1).unwrap();
    assert!(best.contains("2-byte binary length, 5-byte TPDU, spec iso87binary"), "{text}");
    let (json, _, _) = run(&["detect", "--json", "--spec", "iso87ascii"], framed.as_bytes());
    let stream: Value = serde_json::from_str(&json).unwrap();
    assert!(stream["readings"].as_array().unwrap().iter().all(|reading| reading["spec"] == "iso87ascii"));
    let (_, error, status) = run(&["detect"], b"");
    assert!(status == Some(1) && error.contains("hex dump"), "{error}");
}

#[test]
fn specs_are_exchanged_and_the_schema_is_the_published_one() {
    let (written, told, status) = run(&["export", "--spec", "iso87binary", "--to", "moov"], b"");
    assert!(status == Some(0) && told.contains("sensitive: "), "{told}");
    let (read, _, status) = run(&["import", "--from", "moov", "--name", "mine"], written.as_bytes());
    assert_eq!(status, Some(0));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.json");
    std::fs::write(&path, read).unwrap();
    let decoded = run(&["decode", "--spec", path.to_str().unwrap()], sample("iso87binary.hex").as_bytes());
    assert_eq!(decoded, (sample("iso87binary.jsonl"), String::new(), Some(0)));
    let (_, error, status) = run(&["import", "--from", "jpos", "--name", "x"], b"<nothing/>");
    assert!(status == Some(1) && error.contains("isopackager"), "{error}");
    let published = std::fs::read_to_string(root().join("specs/spec.schema.json")).unwrap();
    assert_eq!(run(&["schema"], b""), (published, String::new(), Some(0)));
}
