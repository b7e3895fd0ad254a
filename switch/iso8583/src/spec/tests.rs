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
