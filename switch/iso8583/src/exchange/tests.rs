use super::*;
use crate::wire::{from_hex, to_hex};
use crate::{Parts, Value};
use bytes::BytesMut;

fn losses(exchanged: &Exchanged) -> Vec<&str> {
    exchanged.losses.iter().map(|loss| loss.place.as_str()).collect()
}

/// A packager with every form of field, and what cannot be expressed.
const JPOS: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE isopackager PUBLIC "-//jPOS/jPOS Generic Packager DTD 1.0//EN" "http://jpos.org/dtd/generic-packager-1.0.dtd">
<isopackager headerLength="5">
  <isofield id="0" length="4" name="MTI" class="org.jpos.iso.IFB_NUMERIC" pad="true"/>
  <isofield id="1" length="16" name="BITMAP" class="org.jpos.iso.IFB_BITMAP"/>
  <isofield id="2" length="19" name="PAN" class="org.jpos.iso.IFB_LLNUM" pad="false"/>
  <isofield id="3" length="6" name="CODE" class="org.jpos.iso.IFB_NUMERIC" pad="true"/>
  <isofield id="22" length="3" name="ENTRY" class="org.jpos.iso.IFB_NUMERIC" pad="true"/>
  <isofield id="28" length="9" name="FEE" class="org.jpos.iso.IFB_AMOUNT" pad="true"/>
  <isofield id="32" length="11" name="ACQUIRER" class="org.jpos.iso.IFB_LLHNUM" pad="true"/>
  <isofield id="41" length="8" name="TERMINAL" class="org.jpos.iso.IFE_CHAR"/>
  <isofield id="44" length="25" name="MORE" class="org.jpos.iso.IFB_LLHECHAR"/>
  <isofield id="48" length="99" name="FILLED" class="org.jpos.iso.IFB_FLLNUM" pad="false"/>
  <isofield id="52" length="8" name="PIN" class="org.jpos.iso.IFA_BINARY"/>
  <isofield id="60" length="99" name="ODD" class="org.example.MY_CLASS"/>
  <isofield id="61" length="99" name="TRIMMED" class="org.jpos.iso.IFA_LLLCHAR" trim="true"/>
  <isofieldpackager id="62" length="255" name="NESTED" class="org.jpos.iso.IFB_LLHBINARY"
      packager="org.jpos.iso.packager.GenericSubFieldPackager" emitBitmap="true" bitmapField="0">
    <isofield id="0" length="8" name="BITMAP" class="org.jpos.iso.IFB_BITMAP"/>
    <isofield id="1" length="1" name="FIRST" class="org.jpos.iso.IFE_CHAR"/>
    <isofield id="2" length="15" name="SECOND" class="org.jpos.iso.IFB_NUMERIC" pad="true"/>
  </isofieldpackager>
  <isofield id="129" length="8" name="FAR" class="org.jpos.iso.IFB_NUMERIC"/>
</isopackager>"#;

#[test]
fn a_packager_of_jpos_becomes_a_spec_and_says_what_it_could_not_bring() {
    let imported = import(Library::Jpos, "mine", JPOS).unwrap();
    assert_eq!(losses(&imported), ["headerLength", "60", "61", "129"]);
    let spec = Spec::parse(&imported.text).unwrap();
    assert_eq!(spec.name(), "mine");
    let mut fields = crate::Fields::new("0200");
    let mut parts = Parts::new();
    parts.push("1", Value::Text("A".into()));
    parts.push("2", Value::Text("123456789012345".into()));
    fields.set(2, "12345");
    fields.set(22, "051");
    fields.set(28, "C00000005");
    fields.set(32, "123");
    fields.set(41, "TERM0001");
    fields.set(44, "OK");
    fields.set(48, "123");
    fields.set_binary(52, [0xAB; 8]);
    fields.set_parts(62, parts);
    let mut wire = BytesMut::new();
    spec.encode(&fields, &mut wire).unwrap();
    let expected = [
        "0200",
        "4000041100911004",
        // 2: five digits, the spare half byte on the right; 22: on the left.
        "05123450",
        "0051",
        "4300000005",
        // 32: a binary length that counts digits.
        "030123",
        "E3C5D9D4F0F0F0F1",
        "02D6D2",
        // 48: filled with F.
        "03123F",
        "41424142414241424142414241424142",
        "11C000000000000000C10123456789012345",
    ];
    assert_eq!(to_hex(&wire), expected.concat());
    assert_eq!(spec.decode(&wire).unwrap().to_fields(), fields);
}

#[test]
fn a_spec_of_moov_is_read_in_both_dialects_and_written() {
    let current = r#"{"name":"x","fields":{
        "0":{"type":"String","length":4,"description":"MTI","enc":"ASCII","prefix":"ASCII.Fixed"},
        "1":{"type":"Bitmap","length":16,"description":"Bitmap","enc":"HexToASCII","prefix":"Hex.Fixed"},
        "2":{"type":"String","length":19,"description":"PAN","enc":"ASCII","prefix":"ASCII.LL"},
        "4":{"type":"String","length":12,"description":"Amount","enc":"ASCII","prefix":"ASCII.Fixed",
             "padding":{"type":"Left","pad":"0"}},
        "52":{"type":"Binary","length":8,"description":"PIN","enc":"Binary","prefix":"Binary.Fixed"},
        "60":{"type":"String","length":9,"description":"Odd","enc":"ASCII","prefix":"Hex.LL"}}}"#;
    let older = r#"{"name":"x","fields":{
        "Field000":{"type":"field.String","length":4,"description":"MTI","enc":"encoding.asciiEncoder",
                    "prefix":"prefix.asciiFixedPrefixer","prefix_length":0},
        "Field001":{"type":"field.Bitmap","length":16,"description":"Bitmap","enc":"encoding.hexEncoder",
                    "prefix":"prefix.hexFixedPrefixer","prefix_length":0},
        "Field002":{"type":"field.String","length":19,"description":"PAN","enc":"encoding.asciiEncoder",
                    "prefix":"prefix.asciiVarPrefixer","prefix_length":2},
        "Field004":{"type":"field.String","length":12,"description":"Amount","enc":"encoding.asciiEncoder",
                    "prefix":"prefix.asciiFixedPrefixer","prefix_length":0,
                    "padding":{"type":"padding.leftPadder","pad":48}},
        "Field052":{"type":"field.Binary","length":8,"description":"PIN","enc":"encoding.binaryEncoder",
                    "prefix":"prefix.binaryFixedPrefixer","prefix_length":0}}}"#;
    let mut fields = crate::Fields::new("0200");
    fields.set(2, "4111111111111111");
    // Filled with zeros on the left, as the padding says of a text.
    fields.set(4, "1250");
    fields.set_binary(52, [0xAB; 8]);
    for (text, lost) in [(current, &["60"][..]), (older, &[])] {
        let imported = import(Library::Moov, "mine", text).unwrap();
        assert_eq!(losses(&imported), lost);
        let spec = Spec::parse(&imported.text).unwrap();
        let mut wire = BytesMut::new();
        spec.encode(&fields, &mut wire).unwrap();
        let expected = [b"020050000000000010001641111111111111110000000012".as_slice(), b"50", &[0xAB; 8]].concat();
        assert_eq!(wire, expected);
        assert!(spec.field(2).unwrap().sensitivity.is_some(), "what is secret is marked");
    }
}

/// What is written for moov and read again is the same dialect, but for what was named as lost.
#[test]
fn specs_go_to_moov_and_back() {
    for name in Spec::builtin_names() {
        let written = export(Library::Moov, name).unwrap();
        let read = import(Library::Moov, name, &written.text).unwrap();
        let (ours, theirs) = (Spec::builtin(name).unwrap(), Spec::parse(&read.text).unwrap());
        for de in 2..=crate::LAST_DATA_ELEMENT {
            let (Some(our), Some(their)) = (ours.plan(de), theirs.plan(de)) else {
                assert!(ours.plan(de).is_none() && theirs.plan(de).is_none(), "{name} {de}");
                continue;
            };
            let told = written.losses.iter().any(|loss| loss.place == de.to_string());
            let same = our.length == their.length && our.layout.is_some() == their.layout.is_some();
            let packed = our.encoding == crate::plan::Encoding::Bcd;
            let spare = !packed || our.spare == their.spare;
            assert!(told || (same && spare && our.encoding == their.encoding), "{name} {de}: {our:?} {their:?}");
        }
    }
    assert!(export(Library::Jpos, "iso87ascii").is_err() && export(Library::Moov, "nonsense").is_err());
}

#[test]
fn a_dictionary_of_pyiso8583_is_read_from_a_module_or_from_json() {
    let module = r#"
"""A module. {not a dictionary"""
import iso8583
mine = {
    # the header
    "h": {"data_enc": "ascii", "len_enc": "ascii", "len_type": 0, "max_len": 6, "desc": "Header"},
    "t": {"data_enc": "b", "len_enc": "ascii", "len_type": 0, "max_len": 2, 'desc': 'MTI'},
    "p": {"data_enc": "b", "len_enc": "ascii", "len_type": 0, "max_len": 8, "desc": "Bitmap \x12"},
    "1": {"data_enc": "b", "len_enc": "ascii", "len_type": 0, "max_len": 8, "desc": "Bitmap"},
    "2": {"data_enc": "b", "len_enc": "bcd", "len_type": 1, "len_count": "nibbles", "max_len": 19, "right_pad": "F", "desc": "PAN"},
    "41": {"data_enc": "cp500", "len_enc": "cp500", "len_type": 0, "max_len": 8, "desc": "Terminal"},
    "48": {"data_enc": "cp500", "len_enc": "b", "len_type": 1, "max_len": 99, "desc": "More"},
    "52": {"data_enc": "b", "len_enc": "b", "len_type": 0, "max_len": 8, "desc": "PIN"},
}
other = {"t": {"data_enc": "ascii", "len_enc": "ascii", "len_type": 0, "max_len": 4}, "p": {"data_enc": "ascii", "len_enc": "ascii", "len_type": 0, "max_len": 16}}
"#;
    let imported = import(Library::Pyiso8583, "mine", module).unwrap();
    assert_eq!(losses(&imported), ["h"]);
    let spec = Spec::parse(&imported.text).unwrap();
    let mut fields = crate::Fields::new("0200");
    fields.set(2, "123");
    fields.set(41, "[TERM]! ");
    fields.set(48, "A");
    fields.set_binary(52, [0xCD; 8]);
    let mut wire = BytesMut::new();
    spec.encode(&fields, &mut wire).unwrap();
    let expected = ["0200", "4000000000811000", "03123F", "4AE3C5D9D45A4F40", "01C1", "CDCDCDCDCDCDCDCD"];
    assert_eq!(to_hex(&wire), expected.concat());
    assert_eq!(from_hex(&expected.concat()).unwrap(), wire);
    assert!(import(Library::Pyiso8583, "nameless", module).unwrap_err().to_string().contains("mine, other"));
    let json = r#"{"t": {"data_enc": "ascii", "len_enc": "ascii", "len_type": 0, "max_len": 4, "desc": null},
        "p": {"data_enc": "ascii", "len_enc": "ascii", "len_type": 0, "max_len": 16}}"#;
    assert!(import(Library::Pyiso8583, "any", json).unwrap().losses.is_empty());
}

#[test]
fn what_is_no_spec_is_refused_with_a_place() {
    for (library, text, place) in [
        (Library::Jpos, "<isopackager", "file"),
        (Library::Jpos, "<other/>", "file"),
        (Library::Jpos, "<isopackager><isofield length='1'/></isopackager>", "line 1"),
        (Library::Moov, "[]", "."),
        (Library::Moov, r#"{"fields":{"2":{"type":5}}}"#, "fields.2.type"),
        (Library::Pyiso8583, "spec = 5", "file"),
        (Library::Pyiso8583, r#"x = {"2": {"data_enc": "b"}}"#, "2"),
        // Nothing says how the MTI is written.
        (Library::Jpos, "<isopackager/>", "mti"),
    ] {
        let error = import(library, "x", text).unwrap_err().to_string();
        assert!(error.contains(place), "{error}");
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_refused_or_a_spec(text in "\\PC{0,200}", start in 0_usize..3) {
        let start = ["<isopackager>", r#"{"name":"x","fields":{"2":"#, r#"x = {"t": {"data_enc": "#][start];
        for library in [Library::Jpos, Library::Moov, Library::Pyiso8583] {
            for text in [&text, &format!("{start}{text}")] {
                let _ = import(library, "x", text);
            }
        }
    }
}
