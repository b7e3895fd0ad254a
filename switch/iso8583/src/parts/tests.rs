use std::sync::Arc;

use bytes::BytesMut;

use crate::json;
use crate::wire::{from_hex, to_hex};
use crate::{DecodeError, Spec};

/// A spec with a DE 48 of this description.
fn spec(field: &str) -> Arc<Spec> {
    let start = r#"{"name":"x","extends":"iso87ascii-binary-bitmap","encodings":{"b":"binary"},"fields":{"48":"#;
    Spec::parse(&format!("{start}{field}}}}}")).unwrap()
}

fn value(layout: &str) -> Arc<Spec> {
    spec(&format!(r#"{{"name":"Parts","class":"b","max":999,"prefix":3,"parts":{layout}}}"#))
}

/// DE 48's bytes by way of JSON, without its length; the message is decoded and must be the same JSON again.
fn encode(spec: &Spec, parts: &str) -> Result<String, String> {
    let text = format!(r#"{{"mti":"0200","fields":{{"48":{parts}}}}}"#);
    let fields = json::fields(spec, text.as_bytes()).map_err(|error| error.to_string())?;
    let mut wire = BytesMut::new();
    spec.encode(&fields, &mut wire).map_err(|error| error.to_string())?;
    let message = spec.decode(&wire).map_err(|error| error.to_string())?;
    let again = serde_json::to_string(&json::Shown { message: &message, mask: false }).unwrap();
    assert_eq!(again, text);
    Ok(to_hex(&wire[15..]))
}

fn decode(spec: &Spec, hex: &str) -> Result<String, DecodeError> {
    let value = from_hex(hex).unwrap();
    let wire = [b"0200\0\0\0\0\0\x01\0\0", format!("{:03}", value.len()).as_bytes(), &value].concat();
    let message = spec.decode(&wire)?;
    Ok(message.json(false)["fields"]["48"].to_string())
}

/// Where DE 48's value begins in the messages of [`decode`].
const VALUE_AT: usize = 15;

fn refused(spec: &Spec, hex: &str, de: &str, at: usize) {
    let error = decode(spec, hex).unwrap_err();
    assert_eq!((error.de.as_str(), error.offset), (de, VALUE_AT + at), "{error}");
}

#[test]
fn positions_follow_each_other_and_the_last_may_be_missing() {
    let spec = value(
        r#"{"layout":"positional","fields":{"1":{"name":"a","class":"n","length":2},
        "2":{"name":"b","class":"ans","max":5,"prefix":1},"10":{"name":"c","class":"b","length":1}}}"#,
    );
    assert_eq!(encode(&spec, r#"{"1":"12","2":"xyz","10":"FF"}"#).unwrap(), "31323378797AFF");
    assert_eq!(encode(&spec, r#"{"1":"12"}"#).unwrap(), "3132");
    assert!(encode(&spec, r#"{"1":"12","10":"FF"}"#).unwrap_err().contains("48.2"), "a gap");
    assert!(encode(&spec, r#"{"1":"12","3":"FF"}"#).unwrap_err().contains("48.3"), "no such position");
    assert!(encode(&spec, r#"{"1":["12","13"]}"#).is_err(), "a position twice");
    refused(&spec, "313241", "48.2", 2);
    refused(&spec, "3142", "48.1", 0);
    refused(&spec, "31323378797AFFEE", "48", 7);
}

#[test]
fn bits_say_which_parts_are_there() {
    for (bitmap, first, second) in [("binary", "A0", "40"), ("hex", "4130", "3430"), ("hex-ebcdic", "C1F0", "F4F0")] {
        let spec = value(&format!(
            r#"{{"layout":"bitmap","bitmap":"{bitmap}","bitmap_bytes":1,"fields":{{"1":{{"name":"a","class":"n","length":2}},
            "2":{{"name":"b","class":"ans","length":1}},"3":{{"name":"c","class":"b","max":9,"prefix":1}}}}}}"#
        ));
        assert_eq!(encode(&spec, r#"{"1":"12","3":"FFEE"}"#).unwrap(), format!("{first}313232FFEE"));
        assert_eq!(encode(&spec, r#"{"2":"x"}"#).unwrap(), format!("{second}78"));
        // A bit of no part, a part that is cut short, bytes behind the last.
        let width = first.len() / 2;
        let unknown = [("binary", "01"), ("hex", "3031"), ("hex-ebcdic", "F0F1")].into_iter().find(|u| u.0 == bitmap);
        refused(&spec, unknown.unwrap().1, "48.8", width);
        refused(&spec, &format!("{first}31"), "48.1", width);
        refused(&spec, &format!("{second}7879"), "48", width + 1);
        refused(&spec, "", "48", 0);
    }
}

#[test]
fn tags_have_their_lengths_and_keep_their_order() {
    let parts = r#""fields":{"01":{"name":"a","class":"n","max":4},"02":{"name":"b","class":"ans","length":2}}"#;
    let tlv = value(&format!(r#"{{"layout":"tlv","tag":2,"prefix":2,"unknown":"keep",{parts}}}"#));
    assert_eq!(encode(&tlv, r#"{"02":"xy","01":"123","99":"?"}"#).unwrap(), to_hex(b"0202xy01031239901?"));
    assert_eq!(encode(&tlv, r#"{"01":["1","2"]}"#).unwrap(), to_hex(b"0101101012"));
    let ltv = value(&format!(r#"{{"layout":"ltv","tag":2,"prefix":2,{parts}}}"#));
    assert_eq!(encode(&ltv, r#"{"02":"xy","01":"123"}"#).unwrap(), to_hex(b"0402xy0501123"));
    refused(&ltv, &to_hex(b"0402xy0101"), "48", 6);
    refused(&tlv, &to_hex(b"0202xyz"), "48", 6);
    refused(&tlv, &to_hex(b"010512345"), "48.01", 4);
    refused(&tlv, &to_hex(b"0201x"), "48.02", 4);
    refused(&tlv, &to_hex(b"01021x"), "48.01", 4);
}

#[test]
fn unknown_tags_are_refused_left_out_or_kept() {
    let layout = |unknown: &str| {
        value(&format!(
            r#"{{"layout":"tlv","tag":2,"prefix":2,"unknown":"{unknown}","fields":{{"01":{{"name":"a","class":"n"}}}}}}"#
        ))
    };
    let bytes = to_hex(b"9901501011");
    refused(&layout("reject"), &bytes, "48.99", 4);
    assert_eq!(decode(&layout("skip"), &bytes).unwrap(), r#"{"01":"1"}"#);
    assert_eq!(decode(&layout("keep"), &bytes).unwrap(), r#"{"01":"1","99":"5"}"#);
    assert!(encode(&layout("skip"), r#"{"99":"5"}"#).unwrap_err().contains("48.99"));
}

#[test]
fn tags_are_written_in_every_form() {
    for (form, tag, key, on_wire) in
        [("binary", 1, "9F", "9F"), ("bcd", 3, "123", "0123"), ("ebcdic", 2, "A1", "C1F1"), ("ascii", 2, "A1", "4131")]
    {
        let spec = value(&format!(
            r#"{{"layout":"tlv","tag":{tag},"tag_encoding":"{form}","prefix":1,"prefix_encoding":"binary",
            "fields":{{"{key}":{{"name":"a","class":"b"}}}}}}"#
        ));
        assert_eq!(encode(&spec, &format!(r#"{{"{key}":"CAFE"}}"#)).unwrap(), format!("{on_wire}02CAFE"));
    }
}

#[test]
fn datasets_hold_what_their_identifier_says() {
    let spec = value(
        r#"{"layout":"dataset","unknown":"keep","fields":{"71":{"name":"a","class":"b","parts":
        {"layout":"ber-tlv","unknown":"keep"}},"01":{"name":"b","class":"b","parts":{"layout":"bitmap","bitmap_bytes":2,
        "fields":{"2":{"name":"c","class":"n","length":2}}}}}}"#,
    );
    let parts = r#"{"71":{"9F02":"000000001250","E0":{"81":"01"}},"01":{"2":"42"},"7F":"00"}"#;
    let expected = concat!("71000E", "9F0206000000001250", "E003810101", "010004", "40003432", "7F000100");
    assert_eq!(encode(&spec, parts).unwrap(), expected);
    refused(&spec, "7100029F02", "48.71", 3);
    refused(&spec, "01000320003432", "48.01.3", 5);
}

#[test]
fn emv_tags_are_followed_into_their_templates() {
    let spec = value(
        r#"{"layout":"ber-tlv","unknown":"keep","fields":{"9F02":{"name":"a","class":"n","length":12,"encoding":"bcd"},
        "70":{"name":"t","class":"b","parts":{"layout":"ber-tlv","fields":{"5A":{"name":"p","class":"n","encoding":"bcd",
        "sensitive":"pan"}}}}}}"#,
    );
    let parts = r#"{"9F02":"000000001250","70":{"5A":"4111111111111111"},"9F36":"0007"}"#;
    assert_eq!(encode(&spec, parts).unwrap(), "9F0206000000001250700A5A0841111111111111119F36020007");
    refused(&spec, "9F02051234", "48", 0);
    refused(&spec, "9F0205000000001A", "48.9F02", 3);
    refused(&spec, "70039F0101", "48.70", 2);
    refused(&spec, "70049F010101", "48.70.9F01", 5);
    let wire = from_hex("700A5A084111111111111111").unwrap();
    let wire = [&b"0200\0\0\0\0\0\x01\0\0"[..], b"012", &wire].concat();
    let masked = spec.decode(&wire).unwrap().json(true).to_string();
    assert!(masked.contains("411111******1111") && !masked.contains("4111111111111111"), "{masked}");
}

#[test]
fn a_value_that_stands_there_already_must_be_of_its_parts() {
    let spec = value(r#"{"layout":"positional","fields":{"1":{"name":"a","class":"n","length":2}}}"#);
    let mut fields = crate::Fields::new("0200");
    fields.set_binary(48, b"12");
    let mut wire = BytesMut::new();
    spec.encode(&fields, &mut wire).unwrap();
    fields.set_binary(48, b"1x");
    let held = wire.clone();
    assert_eq!(spec.encode(&fields, &mut wire).unwrap_err().de, "48.1");
    assert_eq!(wire, held, "nothing of a message that cannot be written is left");
}

#[test]
fn a_value_has_no_more_parts_than_it_may() {
    let tlv = value(r#"{"layout":"tlv","tag":1,"prefix":1,"unknown":"keep"}"#);
    let ber = value(r#"{"layout":"ber-tlv","unknown":"keep"}"#);
    let inner = |count: usize| {
        let tags = "8100".repeat(count);
        format!("6182{:04X}{tags}", tags.len() / 2)
    };
    for (spec, most, more) in [
        (&tlv, to_hex(b"A0").repeat(256), to_hex(b"A0").repeat(257)),
        (&ber, "8100".repeat(256), "8100".repeat(257)),
        (&ber, inner(256), inner(257)),
    ] {
        assert!(decode(spec, &most).is_ok());
        assert!(decode(spec, &more).unwrap_err().reason.contains("more parts"));
    }
    let many = format!("{{\"81\":[{}]}}", vec!["\"\""; 257].join(","));
    assert!(encode(&ber, &many).unwrap_err().contains("more parts"));
    assert!(encode(&ber, &format!("{{\"61\":{many}}}")).unwrap_err().contains("more parts"));
}

/// EMV's two ways to pack digits behind a length in bytes: filled with F on the right, or an even number of them.
#[test]
fn an_odd_number_of_digits_behind_a_length_in_bytes() {
    let spec = value(
        r#"{"layout":"ber-tlv","fields":{"5A":{"name":"a","class":"n","max":5,"encoding":"bcd","odd_spare":"F"},
        "9A":{"name":"b","class":"n","encoding":"bcd"}}}"#,
    );
    assert_eq!(encode(&spec, r#"{"5A":"12345","9A":"260101"}"#).unwrap(), "5A0312345F9A03260101");
    assert_eq!(encode(&spec, r#"{"5A":"1234"}"#).unwrap(), "5A021234");
    assert!(encode(&spec, r#"{"9A":"26010"}"#).unwrap_err().contains("odd number"));
    refused(&spec, "9A0226F1", "48.9A", 2);
    refused(&spec, "5A03123456", "48.5A", 2);
    let counted = spec_with_wire_prefix();
    for digits in ["12345", "1234"] {
        let mut fields = crate::Fields::new("0200");
        fields.set(48, digits);
        let mut wire = BytesMut::new();
        counted.encode(&fields, &mut wire).unwrap();
        assert_eq!(counted.decode(&wire).unwrap().text(48).unwrap(), digits);
    }
    // Six digits where five are most.
    let wire = [&b"0200\0\0\0\0\0\x01\0\0"[..], b"3", &[0x12, 0x34, 0x56]].concat();
    assert!(counted.decode(&wire).unwrap_err().reason.contains("maximum"));
}

/// Digits behind a prefix that counts bytes, at most five of them.
fn spec_with_wire_prefix() -> Arc<Spec> {
    spec(r#"{"name":"a","class":"n","max":5,"prefix":1,"prefix_counts":"wire","encoding":"bcd","odd_spare":"F"}"#)
}

/// What could not be written again is not read, whether it would be kept or skipped.
#[test]
fn bytes_that_are_no_tag_are_refused() {
    for unknown in ["keep", "skip"] {
        let tlv = |encoding: &str, width: u8| {
            value(&format!(
                r#"{{"layout":"tlv","tag":{width},"tag_encoding":"{encoding}","prefix":1,"prefix_encoding":"binary",
                "unknown":"{unknown}"}}"#
            ))
        };
        refused(&tlv("ascii", 2), "5A5A013130E90131", "48", 4);
        refused(&tlv("ascii", 2), "301F0131", "48", 0);
        refused(&tlv("ebcdic", 2), "F00101F1", "48", 0);
        refused(&tlv("bcd", 3), "012A0131", "48", 0);
        refused(&tlv("bcd", 3), "11230131", "48", 0);
        for (spec, right) in [
            (tlv("ascii", 2), "5A5A0131"),
            (tlv("ebcdic", 2), "F0F101F1"),
            (tlv("bcd", 3), "01230131"),
            (tlv("bcd", 2), "230131"),
        ] {
            decode(&spec, right).unwrap();
        }
    }
}
