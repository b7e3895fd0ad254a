//! Every dialect against messages made by other people's encoders, and against its own inverse.

use bytes::BytesMut;
use iso8583::tool::{decode_lines, encode_lines, from_hex, to_hex};
use iso8583::{Fields, Spec};

fn vectors() -> Vec<serde_json::Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/iso8583.json");
    let file: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    file["vectors"].as_array().unwrap().clone()
}

/// Decoded as expected and encoded to the same bytes; what is broken is refused.
#[test]
fn vectors_are_byte_exact_both_ways() {
    let mut seen = 0;
    for vector in vectors() {
        let packager = vector["inputs"]["packager"].as_str().unwrap();
        if !Spec::builtin_names().any(|name| name == packager) {
            continue;
        }
        seen += 1;
        let spec = Spec::builtin(packager).unwrap();
        let hex = vector["inputs"]["message"].as_str().unwrap();
        let wire = from_hex(hex).unwrap();
        let expected = &vector["expected"];
        let decoded = spec.decode(&wire);
        if expected.get("error").is_some() {
            assert!(decoded.is_err(), "{}", vector["name"]);
            continue;
        }
        let message = decoded.unwrap_or_else(|error| panic!("{}: {error}", vector["name"]));
        let json = message.json(false);
        assert_eq!(json["mti"], expected["mti"], "{}", vector["name"]);
        assert_eq!(json["fields"], expected["fields"], "{}", vector["name"]);
        let mut again = BytesMut::new();
        spec.encode(&message.to_fields(), &mut again).unwrap();
        assert_eq!(to_hex(&again), hex, "{}", vector["name"]);
        for cut in 0..wire.len() {
            assert!(spec.decode(&wire[..cut]).is_err(), "{} cut at {cut}", vector["name"]);
        }
    }
    assert!(seen == 75, "all vectors but two, whose spec is of their own: {seen}");
}

/// Odd digits with the spare half byte on the right, 0 or F, as two vectors have them in specs of their own.
#[test]
fn odd_digits_are_filled_as_the_spec_says() {
    let mut seen = 0;
    for vector in vectors() {
        let packager = vector["inputs"]["packager"].as_str().unwrap();
        let Some((_, change)) = packager.split_once("iso87ascii with 2 as BCD LL, ") else { continue };
        let (side, spare) = match change {
            "right pad 0, length in digits" => ("right", "0"),
            "right pad F, length in digits" => ("right", "F"),
            "left pad 0, length in digits" => ("left", "0"),
            other => panic!("{other}"),
        };
        seen += 1;
        let spec = Spec::parse(&format!(
            r#"{{"name":"x","extends":"iso87ascii","fields":{{"2":{{"name":"PAN","class":"n","max":19,"prefix":2,
            "prefix_encoding":"bcd","encoding":"bcd","odd_side":"{side}","odd_spare":"{spare}"}}}}}}"#
        ))
        .unwrap();
        let hex = vector["inputs"]["message"].as_str().unwrap();
        let wire = from_hex(hex).unwrap();
        let message = spec.decode(&wire).unwrap();
        assert_eq!(message.json(false)["fields"], vector["expected"]["fields"]);
        let mut again = BytesMut::new();
        spec.encode(&message.to_fields(), &mut again).unwrap();
        assert_eq!(to_hex(&again), hex);
    }
    assert_eq!(seen, 2);
}

#[test]
fn lines_go_both_ways_and_bad_ones_stand_alone() {
    let spec = Spec::builtin("iso87ascii").unwrap();
    let good = r#"{"mti":"0800","fields":{"11":"000001","64":"0123456789ABCDEF","70":"301"}}"#;
    let input = format!("{good}\nnonsense\n{good}\n");
    let mut hex = Vec::new();
    assert!(!encode_lines(&spec, input.as_bytes(), &mut hex).unwrap());
    let hex = String::from_utf8(hex).unwrap();
    assert_eq!(hex.lines().filter(|line| line.contains("error")).count(), 1);
    let mut json = Vec::new();
    assert!(!decode_lines(&spec, false, hex.as_bytes(), &mut json).unwrap());
    let json = String::from_utf8(json).unwrap();
    let lines: Vec<serde_json::Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0], serde_json::from_str::<serde_json::Value>(good).unwrap());
    assert!(lines[1]["error"]["reason"].is_string());
    assert_eq!(lines[2], lines[0]);
}

#[test]
fn masking_hides_all_but_the_ends_of_a_pan() {
    let spec = Spec::builtin("iso87binary").unwrap();
    let mut fields = Fields::new("0200");
    fields.set(2, "4111111111111111");
    fields.set(35, "4111111111111111=29122010000012345678");
    fields.set_binary(52, vec![0xAB; 8]);
    let mut wire = BytesMut::new();
    spec.encode(&fields, &mut wire).unwrap();
    let message = spec.decode(&wire).unwrap();
    for shown in [message.json(true).to_string(), iso8583::describe(&spec, &message), format!("{fields:?} {message:?}")]
    {
        assert!(
            !shown.contains("4111111111111111") && !shown.contains("2912201") && !shown.contains("ABAB"),
            "{shown}"
        );
    }
}

#[test]
fn a_mac_is_written_in_place() {
    for name in Spec::builtin_names().filter(|name| *name != "cmf") {
        let spec = Spec::builtin(name).unwrap();
        let mut fields = Fields::new("0800");
        fields.set(11, "000001");
        fields.set_binary(64, vec![0; 8]);
        let mut wire = BytesMut::new();
        let span = spec.encode(&fields, &mut wire).unwrap().span(64).unwrap();
        spec.write_binary(64, &[1, 2, 3, 4, 5, 6, 7, 0xFF], &mut wire[span.clone()]).unwrap();
        let message = spec.decode(&wire).unwrap();
        assert_eq!(message.binary(64).unwrap().as_ref(), [1, 2, 3, 4, 5, 6, 7, 0xFF]);
        assert_eq!(message.span(64), Some(span));
    }
}

#[test]
fn fields_before_a_fault_stay_readable() {
    let spec = Spec::builtin("iso87ascii").unwrap();
    let wire = b"02002020000000000000000000ABCDEF";
    let (message, fault) = spec.decode_partial(wire);
    assert_eq!((message.mti(), message.text(3).as_deref()), ("0200", Some("000000")));
    let fault = fault.unwrap();
    assert_eq!((fault.de.as_str(), fault.offset), ("11", 26));
}

/// Every dialect has samples that others' encoders made; they are decoded to their JSON and encoded to their bytes.
#[test]
fn samples_go_both_ways() {
    for name in Spec::builtin_names() {
        let spec = Spec::builtin(name).unwrap();
        let read = |ending: &str| {
            let path = format!("{}/../../specs/samples/{name}.{ending}", env!("CARGO_MANIFEST_DIR"));
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
        };
        let (wire, json) = (read("hex"), read("jsonl"));
        let (mut decoded, mut encoded) = (Vec::new(), Vec::new());
        assert!(decode_lines(&spec, false, wire.as_bytes(), &mut decoded).unwrap());
        assert_eq!(String::from_utf8(decoded).unwrap(), json, "{name}");
        assert!(encode_lines(&spec, json.as_bytes(), &mut encoded).unwrap());
        assert_eq!(String::from_utf8(encoded).unwrap(), wire, "{name}");
    }
}
