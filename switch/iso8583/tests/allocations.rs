//! Decoding allocates nothing, and routing and encoding no more than their buffers.

use std::sync::Arc;

use bytes::BytesMut;
use iso8583::tool::from_hex;
use iso8583::{Fields, Parts, Route, Spec, Value};

fn messages(packager: &str) -> Vec<Vec<u8>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/iso8583.json");
    let file: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let all = file["vectors"].as_array().unwrap().iter();
    let ours = all.filter(|v| v["inputs"]["packager"] == packager && v["expected"].get("error").is_none());
    ours.map(|vector| from_hex(vector["inputs"]["message"].as_str().unwrap()).unwrap()).collect()
}

/// A message with data element 127 of Postilion, which has a bitmap of its own.
fn nested() -> Vec<u8> {
    let spec = Spec::builtin("postpack").unwrap();
    let mut parts = Parts::new();
    parts.push("2", Value::Text("SWITCHKEY".into()));
    parts.push("25", Value::Text("ICC".into()));
    let mut fields = Fields::new("0200");
    fields.set_parts(127, parts);
    let mut wire = BytesMut::new();
    spec.encode(&fields, &mut wire).unwrap();
    wire.to_vec()
}

#[test]
fn decoding_allocates_nothing() {
    let mut decoded = 0;
    for name in Spec::builtin_names() {
        let spec = Spec::builtin(name).unwrap();
        let further = if name == "postpack" { vec![nested()] } else { Vec::new() };
        for wire in messages(name).into_iter().chain(further) {
            let counted = allocation_counter::measure(|| {
                let message = spec.decode(&wire).unwrap();
                assert!(message.des().count() > 0);
            });
            assert_eq!(counted.count_total, 0, "{name}");
            decoded += 1;
        }
    }
    assert!(decoded > 70, "{decoded}");
}

#[test]
fn a_route_between_like_dialects_allocates_nothing_where_there_is_room() {
    let (from, to) = (Spec::builtin("iso87ascii").unwrap(), Spec::builtin("iso87ascii-binary-bitmap").unwrap());
    let route = Route::new(Arc::clone(&from), to);
    let mut out = BytesMut::with_capacity(4096);
    for wire in messages("iso87ascii") {
        let message = from.decode(&wire).unwrap();
        let counted = allocation_counter::measure(|| {
            out.clear();
            assert!(route.encode(&message, &mut out).is_ok());
        });
        assert_eq!(counted.count_total, 0);
    }
}
