//! What must hold of any bytes, for the fuzz targets in `fuzz/` and the test that replays what they have found.

use std::sync::{Arc, LazyLock};

use bytes::BytesMut;
use tokio_util::codec::Decoder;

use crate::exchange::{self, Library};
use crate::framing::{FrameCodec, Framing, HeaderKind, LengthHeader};
use crate::{Route, Spec, detect, tlv};

/// The layouts that no builtin dialect has.
const LAYOUTS: &str = r#"{"name":"layouts","extends":"iso87ascii","bitmap":"binary","encodings":{"b":"binary"},"fields":{
"48":{"name":"a","class":"b","max":999,"prefix":3,"parts":{"layout":"tlv","tag":2,"prefix":2,"unknown":"keep","fields":{
    "01":{"name":"b","class":"n","max":9},"02":{"name":"c","class":"ans"}}}},
"60":{"name":"a","class":"ans","max":999,"prefix":3,"parts":{"layout":"ltv","tag":2,"prefix":2,"unknown":"skip","fields":{
    "01":{"name":"b","class":"an","length":3},"02":{"name":"c","class":"ans"}}}},
"61":{"name":"a","class":"b","max":999,"prefix":3,"parts":{"layout":"ber-tlv","unknown":"keep","fields":{
    "9F02":{"name":"b","class":"n","length":12,"encoding":"bcd"},"70":{"name":"c","class":"b","parts":{"layout":"ber-tlv",
    "fields":{"5A":{"name":"d","class":"n","encoding":"bcd","odd_spare":"F"}}}}}}},
"62":{"name":"a","class":"b","max":999,"prefix":3,"parts":{"layout":"dataset","unknown":"keep","fields":{
    "01":{"name":"b","class":"b","parts":{"layout":"bitmap","bitmap":"hex","bitmap_bytes":2,"fields":{
        "2":{"name":"c","class":"n","length":3},"16":{"name":"d","class":"ans","max":9,"prefix":1}}}}}}},
"63":{"name":"a","class":"b","max":999,"prefix":3,"parts":{"layout":"tlv","tag":3,"tag_encoding":"bcd","prefix":1,
    "prefix_encoding":"binary","fields":{"123":{"name":"b","class":"b"}}}}}}"#;

/// All builtin dialects and one more.
pub(crate) static DIALECTS: LazyLock<Vec<Arc<Spec>>> = LazyLock::new(|| {
    let builtin = Spec::builtin_names().filter_map(|name| Spec::builtin(name).ok());
    builtin.chain(Spec::parse(LAYOUTS).ok()).collect()
});

/// What must hold of an input, by its name.
pub type Target = (&'static str, fn(&[u8]));

pub const TARGETS: [Target; 6] = [
    ("decode", decode),
    ("round_trip", round_trip),
    ("framing", framing),
    ("tlv", tags),
    ("spec", spec),
    ("import", import),
];

/// The dialect that the first byte chooses, and the rest.
fn chosen(data: &[u8]) -> Option<(&'static Arc<Spec>, &[u8])> {
    let (first, rest) = data.split_first()?;
    Some((DIALECTS.get(usize::from(*first) % DIALECTS.len().max(1))?, rest))
}

/// Bytes are refused, or a message whose every field can be read, shown and hidden.
pub fn decode(data: &[u8]) {
    let Some((spec, wire)) = chosen(data) else { return };
    let (message, fault) = spec.decode_partial(wire);
    for de in message.des() {
        assert!(message.span(de).is_some_and(|span| span.end <= wire.len()));
        assert!(message.value(de).is_some(), "{} {de}", spec.name());
    }
    assert!(!crate::describe(spec, &message).is_empty());
    let _ = (message.json(true), spec.presence_faults(&message));
    if let Some(fault) = fault {
        assert!(fault.offset <= wire.len());
    }
}

/// What is decoded and encoded is decoded to the same, also by way of JSON and of a route into its own dialect.
pub fn round_trip(data: &[u8]) {
    let Some((spec, wire)) = chosen(data) else { return };
    let Ok(message) = spec.decode(wire) else { return };
    let fields = message.to_fields();
    let mut again = BytesMut::new();
    assert!(spec.encode(&fields, &mut again).is_ok(), "{}", spec.name());
    let reread = spec.decode(&again);
    assert!(reread.is_ok_and(|message| message.to_fields() == fields), "{}", spec.name());
    let text = serde_json::to_vec(&crate::json::Shown { message: &message, mask: false }).unwrap_or_default();
    let mut by_json = BytesMut::new();
    let read = crate::json::fields(spec, &text).and_then(|fields| spec.encode(&fields, &mut by_json));
    // A tag that comes more than once is in the place of its first: the bytes may differ, and say the same JSON again.
    let again_json = |wire: &[u8]| {
        let message = spec.decode(wire).ok()?;
        serde_json::to_vec(&crate::json::Shown { message: &message, mask: false }).ok()
    };
    assert!(read.is_ok() && again_json(&by_json).as_ref() == Some(&text), "{}", spec.name());
    let mut routed = BytesMut::new();
    assert!(Route::new(Arc::clone(spec), Arc::clone(spec)).encode(&message, &mut routed).is_ok());
    // What has two forms keeps its own in the fields, which are copied, and not in the bitmap, which is written anew.
    let reread = spec.decode(&routed);
    assert!(reread.is_ok_and(|message| message.to_fields() == fields), "{}", spec.name());
}

/// A stream is cut into frames or refused, and what explains it is said.
pub fn framing(data: &[u8]) {
    let Some(([form, kind], stream)) = data.split_first_chunk::<2>() else { return };
    let length = LengthHeader::ALL[usize::from(*form) % LengthHeader::ALL.len()];
    let header = HeaderKind::ALL[usize::from(*kind) % HeaderKind::ALL.len()];
    let mut codec = FrameCodec::new(Framing { length, header, max: 300 });
    let mut source = BytesMut::from(stream);
    let mut seen = 0;
    while let Ok(Some(frame)) = codec.decode(&mut source) {
        assert!(frame.body.len() <= 300);
        seen += 1;
        assert!(seen <= stream.len());
    }
    if stream.len() < 400 {
        assert!(detect::detect(stream, &DIALECTS).iter().all(|reading| reading.score <= 100));
    }
}

/// Tags that read are written to what reads the same.
pub fn tags(data: &[u8]) {
    let Ok(items) = tlv::read(data).collect::<Result<Vec<_>, _>>() else { return };
    let mut out = BytesMut::new();
    items.iter().for_each(|item| tlv::write(item.tag, item.value, &mut out));
    let again: Vec<_> = tlv::read(&out).filter_map(Result::ok).collect();
    assert!(again.iter().map(|item| (item.tag, item.value)).eq(items.iter().map(|item| (item.tag, item.value))));
    let _ = crate::emv::describe(data, "");
}

/// A spec is refused with a place, or one that messages can be decoded by.
pub fn spec(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Spec::parse(text) {
        Ok(spec) => {
            let _ = spec.decode(b"0200\x40\0\0\0\0\0\0\0");
        }
        Err(error) => assert!(!error.fault.is_empty()),
    }
}

/// A spec of another library is refused, or becomes one of ours.
pub fn import(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let library = [Library::Jpos, Library::Moov, Library::Pyiso8583][usize::from(*first) % 3];
    if let Ok(imported) = exchange::import(library, "fuzzed", text) {
        assert!(Spec::parse(&imported.text).is_ok());
    }
}
