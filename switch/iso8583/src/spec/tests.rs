use super::*;
use crate::LAST_DATA_ELEMENT;

#[test]
fn builtin_specs_compile() {
    for name in Spec::builtin_names() {
        let spec = Spec::builtin(name).unwrap();
        // The common message format has no field for some, others leave no data element out.
        assert!(name == "cmf" || (2..=LAST_DATA_ELEMENT).all(|de| spec.field(de).is_some()), "{name}");
    }
    assert!(Spec::builtin("iso87").is_err(), "the base is not complete");
    assert!(Spec::builtin("nonsense").is_err());
}

#[test]
fn errors_name_file_place_and_remedy() {
    let dir = tempfile::tempdir().unwrap();
    let cases = [
        (r#"{"name":"x","extends":"iso87ascii","fields":{"129":{"name":"a","class":"n","length":1}}}"#, "fields.129"),
        (r#"{"name":"x","extends":"iso87ascii","fields":{"3":{"name":"a","class":"n"}}}"#, "fields.3"),
        (
            r#"{"name":"x","extends":"iso87ascii","fields":{"3":{"name":"a","class":"b","length":1,"encoding":"bcd"}}}"#,
            "fields.3",
        ),
        (r#"{"name":"x","extends":"iso87ascii","nonsense":1}"#, "line 1"),
        (r#"{"name":"x","fields":{}}"#, "mti"),
        (r#"{"name":"x","extends":"x"}"#, "extends"),
    ];
    for (text, place) in cases {
        let path = dir.path().join("x.json");
        std::fs::write(&path, text).unwrap();
        let error = Spec::load(&path).unwrap_err();
        assert!(error.to_string().contains(place) && error.file.ends_with("x.json"), "{error}");
    }
}

#[test]
fn short_values_are_filled_as_the_spec_says() {
    for (class, fill, given, filled) in [
        ("n", "", "7", "007"),
        ("ans", "", "7", "7  "),
        ("ans", r#","fill":"0","fill_side":"left""#, "7", "007"),
        ("n", r#","fill":"9","fill_side":"right""#, "7", "799"),
        ("an", r#","fill":"X""#, "7", "7XX"),
        ("ans", "", "777", "777"),
    ] {
        let field = format!(r#"{{"name":"a","class":"{class}","length":3{fill}}}"#);
        let text = format!(r#"{{"name":"x","extends":"iso87ascii","fields":{{"48":{field}}}}}"#);
        let spec = Spec::parse(&text).unwrap();
        let mut fields = crate::Fields::new("0200");
        fields.set(48, given);
        let mut wire = bytes::BytesMut::new();
        spec.encode(&fields, &mut wire).unwrap();
        assert_eq!(spec.decode(&wire).unwrap().text(48).unwrap(), filled);
    }
}

#[test]
fn a_file_may_change_one_field_of_a_builtin_spec() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mine.json");
    std::fs::write(
        &path,
        r#"{"name":"mine","extends":"iso87ascii","fields":{"48":{"name":"Ours","class":"n","length":4}}}"#,
    )
    .unwrap();
    let spec = Spec::load(&path).unwrap();
    assert_eq!(spec.field(48).unwrap().name, "Ours");
    assert_eq!(spec.field(11).unwrap().name, "System trace audit number");
}

/// The published schema is the one the reader follows, and all specs that come with the library follow it.
#[test]
fn the_schema_is_published_and_followed() {
    let specs = concat!(env!("CARGO_MANIFEST_DIR"), "/../../specs");
    let published = std::fs::read_to_string(format!("{specs}/spec.schema.json")).unwrap_or_default();
    assert!(published == Spec::schema(), "write it anew: umbra iso schema > specs/spec.schema.json");
    let validator = jsonschema::validator_for(&serde_json::from_str(&published).unwrap()).unwrap();
    for builtin in BUILTIN {
        let spec = serde_json::from_str(builtin.text).unwrap();
        let faults: Vec<String> = validator.iter_errors(&spec).map(|error| error.to_string()).collect();
        assert!(faults.is_empty(), "{}: {faults:?}", builtin.name);
    }
    for wrong in
        [r#"{"name":"x","nonsense":1}"#, r#"{"name":"x","fields":{"3":{"name":"a"}}}"#, r#"{"name":"x","mti":"utf"}"#]
    {
        assert!(!validator.is_valid(&serde_json::from_str(wrong).unwrap()), "{wrong}");
        assert!(Spec::parse(wrong).is_err());
    }
}

/// What can be wrong in a spec, where the error says it is, and a word of what it says to write.
#[test]
fn every_fault_of_a_spec_has_its_place_and_a_remedy() {
    let cases = [
        (r#""mti":"hex""#, "mti", "bcd"),
        (r#""bitmap":"ascii""#, "bitmap", "binary"),
        (r#""bitmap_bytes":9"#, "bitmap_bytes", "8 or 16"),
        (r#""code_page":"cp1""#, "code_page", "cp037"),
        (r#""presence":{"20":{}}"#, "presence.20", "four digits"),
        (r#""presence":{"0200":{"required":[1]}}"#, "presence.0200", "1 is no field"),
        (r#""fields":{"0":{"name":"a","class":"n","length":1}}"#, "fields.0", "2 to 128"),
        (r#""fields":{"02":{"name":"a","class":"n","length":1}}"#, "fields.02", "2 to 128"),
        (r#""fields":{"3":{"name":"a","class":"n","length":1,"max":2}}"#, "fields.3", "either"),
        (r#""fields":{"3":{"name":"a","class":"q","length":1}}"#, "fields.3.class", "x+n"),
        (r#""fields":{"3":{"name":"a","class":"ans","length":1,"encoding":"bcd"}}"#, "fields.3.encoding", "ebcdic"),
        (r#""fields":{"3":{"name":"a","class":"n","max":5,"prefix":9}}"#, "fields.3.prefix", "1 to 6"),
        (r#""fields":{"3":{"name":"a","class":"x+n","max":5,"prefix":2}}"#, "fields.3", "fixed length"),
        (r#""fields":{"3":{"name":"a","class":"n","length":5,"fill":" "}}"#, "fields.3.fill", "class"),
        (r#""fields":{"3":{"name":"a","class":"b","length":5,"fill":"0"}}"#, "fields.3.fill", "leave it out"),
        (r#""fields":{"3":{"name":"a","class":"n","max":5,"prefix":2,"fill":"0"}}"#, "fields.3.fill", "leave it out"),
        (
            r#""fields":{"3":{"name":"a","class":"b","length":5,"encoding":"hex","parts":{"layout":"ber-tlv"}}}"#,
            "fields.3.encoding",
            "class b or ans",
        ),
        (
            r#""fields":{"3":{"name":"a","class":"ans","length":5,"parts":{"layout":"bitmap","tag":2}}}"#,
            "fields.3.parts.tag",
            "leave it out",
        ),
        (
            r#""fields":{"3":{"name":"a","class":"ans","length":5,"parts":{"layout":"bitmap"}}}"#,
            "fields.3.parts.bitmap_bytes",
            "1 to 16",
        ),
        (
            r#""fields":{"3":{"name":"a","class":"ans","length":5,"parts":{"layout":"tlv","tag":2,"prefix":2,
               "fields":{"1":{"name":"a","class":"n"}}}}}"#,
            "fields.3.parts.fields.1",
            "no tag",
        ),
        (
            r#""fields":{"3":{"name":"a","class":"ans","length":5,"parts":{"layout":"ber-tlv",
               "fields":{"9f02":{"name":"a","class":"b","encoding":"binary"}}}}}"#,
            "fields.3.parts.fields.9f02",
            "upper-case",
        ),
        (
            r#""fields":{"3":{"name":"a","class":"ans","length":5,"parts":{"layout":"positional","unknown":"skip"}}}"#,
            "fields.3.parts.unknown",
            "leave it out",
        ),
    ];
    for (change, place, remedy) in cases {
        let error = Spec::parse(&format!(r#"{{"name":"x","extends":"iso87ascii",{change}}}"#)).unwrap_err();
        assert_eq!(error.place, place, "{error}");
        assert!(error.fault.contains(remedy), "{error}");
    }
    let mut nested = r#"{"name":"a","class":"ans","length":5}"#.to_owned();
    for _ in 0..6 {
        nested = format!(
            r#"{{"name":"a","class":"ans","length":5,"parts":{{"layout":"positional","fields":{{"1":{nested}}}}}}}"#
        );
    }
    let error =
        Spec::parse(&format!(r#"{{"name":"x","extends":"iso87ascii","fields":{{"3":{nested}}}}}"#)).unwrap_err();
    assert!(error.fault.contains("deep"), "{error}");
}

#[test]
fn a_message_misses_what_its_mti_requires_and_has_what_it_does_not_expect() {
    let spec = Spec::parse(
        r#"{"name":"x","extends":"iso87ascii","presence":{
            "02xx":{"required":[3,4]}, "0200":{"required":[11],"optional":[3,4,39]}, "0800":{"required":[70]}}}"#,
    )
    .unwrap();
    let faults = |mti: &str, des: &[u8]| {
        let mut fields = crate::Fields::new(mti);
        des.iter().for_each(|de| fields.set(*de, "0"));
        let mut wire = bytes::BytesMut::new();
        spec.encode(&fields, &mut wire).unwrap();
        spec.presence_faults(&spec.decode(&wire).unwrap())
    };
    assert_eq!(
        faults("0200", &[3, 7, 39]),
        [PresenceFault::Missing(4), PresenceFault::Unexpected(7), PresenceFault::Missing(11)]
    );
    assert_eq!(faults("0210", &[3, 4, 7]), [PresenceFault::Missing(11), PresenceFault::Missing(39)]);
    assert_eq!(faults("0500", &[3]), []);
}

/// What is secret in every edition is marked in every dialect, whatever file a field is written in.
#[test]
fn secrets_are_marked_in_every_dialect() {
    for name in Spec::builtin_names() {
        let spec = Spec::builtin(name).unwrap();
        for de in [2, 14, 34, 35, 36, 45, 52, 55, 64, 96, 128] {
            assert!(spec.field(de).is_none_or(|field| field.sensitivity.is_some()), "{name} {de}");
        }
    }
}
