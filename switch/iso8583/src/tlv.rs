//! Tag, length, value as EMV has it (ISO/IEC 8825-1 basic encoding rules; EMV Book 3, annex B).

use bytes::{BufMut, BytesMut};

use crate::wire::Reader;

/// The longest tag taken, in bytes.
const TAG_MAX: usize = 4;

/// A tag with its value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Tlv<'a> {
    pub tag: &'a [u8],
    pub value: &'a [u8],
    /// Where the value begins in the bytes that were read.
    pub value_at: usize,
}

impl Tlv<'_> {
    /// Whether the value is made of tags again.
    pub fn is_constructed(&self) -> bool {
        self.tag.first().is_some_and(|first| first & 0x20 != 0)
    }
}

/// Shows no value.
impl std::fmt::Debug for Tlv<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tlv({}, {} bytes)", crate::wire::to_hex(self.tag), self.value.len())
    }
}

/// Why bytes are no tags with values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("byte {offset}: {reason}")]
pub struct TlvError {
    pub offset: usize,
    pub reason: &'static str,
}

/// The tags of one level, in their order. Zero bytes between them are filling (EMV Book 3, annex B1). Ends after the
/// first error.
pub fn read(bytes: &[u8]) -> Items<'_> {
    Items { reader: Reader::new(bytes) }
}

/// See [`read`].
pub struct Items<'a> {
    reader: Reader<'a>,
}

impl<'a> Iterator for Items<'a> {
    type Item = Result<Tlv<'a>, TlvError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.reader.rest().first() == Some(&0) {
            self.reader.take(1).ok()?;
        }
        if self.reader.is_empty() {
            return None;
        }
        let offset = self.reader.at();
        let item = read_one(&mut self.reader).map_err(|reason| TlvError { offset, reason });
        if item.is_err() {
            self.reader = Reader::new(&[]);
        }
        Some(item)
    }
}

fn read_one<'a>(reader: &mut Reader<'a>) -> Result<Tlv<'a>, &'static str> {
    let tag = reader.take(tag_length(reader.rest())?)?;
    let cut = "has a length that is cut short";
    let first = reader.take(1).map_err(|_| cut)?.first().copied().unwrap_or_default();
    let length = match first {
        0..=0x7F => usize::from(first),
        0x81..=0x84 => {
            let bytes = reader.take(usize::from(first & 0x7F)).map_err(|_| cut)?;
            bytes.iter().fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte))
        }
        _ => return Err("has a length of a form that EMV does not use; expected one byte, or 81 to 84 and so many"),
    };
    let value = reader.take(length).map_err(|_| "has a value that is cut short")?;
    Ok(Tlv { tag, value, value_at: reader.at() - length })
}

/// Bytes of the tag in front.
fn tag_length(bytes: &[u8]) -> Result<usize, &'static str> {
    let (first, rest) = bytes.split_first().ok_or("has a tag that is cut short")?;
    if first & 0x1F != 0x1F {
        return Ok(1);
    }
    match rest.iter().take(TAG_MAX - 1).position(|byte| byte & 0x80 == 0) {
        Some(at) => Ok(at + 2),
        None if rest.len() < TAG_MAX - 1 => Err("has a tag that is cut short"),
        None => Err("has a tag of more than four bytes"),
    }
}

/// Whether the bytes are one tag.
pub fn is_tag(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|first| *first != 0) && tag_length(bytes) == Ok(bytes.len())
}

/// Writes a tag with its value, the length in as few bytes as can be.
pub fn write(tag: &[u8], value: &[u8], out: &mut BytesMut) {
    out.put_slice(tag);
    match value.len() {
        short @ 0..=0x7F => out.put_u8(short as u8),
        long => {
            let bytes = long.to_be_bytes();
            let used = bytes.iter().position(|byte| *byte != 0).map_or(&[][..], |at| &bytes[at..]);
            out.put_u8(0x80 | used.len() as u8);
            out.put_slice(used);
        }
    }
    out.put_slice(value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{from_hex, to_hex};
    use serde_json::{Map, Value as Json};

    /// As the vectors have it: nested tags are objects.
    fn decode(bytes: &[u8]) -> Result<Json, TlvError> {
        let mut map = Map::new();
        for item in read(bytes) {
            let item = item?;
            let value = if item.is_constructed() { decode(item.value)? } else { Json::String(to_hex(item.value)) };
            map.insert(to_hex(item.tag), value);
        }
        Ok(Json::Object(map))
    }

    fn encode(bytes: &[u8], out: &mut BytesMut) {
        for item in read(bytes).map(Result::unwrap) {
            if item.is_constructed() {
                let mut inner = BytesMut::new();
                encode(item.value, &mut inner);
                write(item.tag, &inner, out);
            } else {
                write(item.tag, item.value, out);
            }
        }
    }

    #[test]
    fn vectors() {
        let path = format!("{}/../../tests/vectors/emv_tlv.json", env!("CARGO_MANIFEST_DIR"));
        let file: Json = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        for vector in file["vectors"].as_array().unwrap() {
            let hex = vector["inputs"]["tlv"].as_str().unwrap();
            let bytes = from_hex(hex).unwrap();
            let decoded = decode(&bytes);
            if vector["expected"].get("error").is_some() {
                assert!(decoded.is_err(), "{}", vector["name"]);
                continue;
            }
            let decoded = decoded.unwrap_or_else(|error| panic!("{}: {error}", vector["name"]));
            assert_eq!(decoded, vector["expected"]["decoded"], "{}", vector["name"]);
            let mut out = BytesMut::new();
            encode(&bytes, &mut out);
            if vector["name"].as_str().unwrap().starts_with("gen/") {
                assert_eq!(to_hex(&out), hex, "{}", vector["name"]);
            }
            // Lengths that were longer than need be are not: the content is the same.
            assert_eq!(decode(&out).unwrap(), vector["expected"]["decoded"]);
        }
    }

    #[test]
    fn filling_is_passed_over_and_lengths_have_every_size() {
        let tags: Vec<_> = read(&[0, 0x9C, 1, 5, 0, 0, 0x82, 0, 0]).map(|item| item.unwrap().tag.to_vec()).collect();
        assert_eq!(tags, [[0x9C], [0x82]]);
        for length in [0, 0x7F, 0x80, 0xFF, 0x100, 0xFFFF, 0x10000] {
            let value = vec![7; length];
            let mut out = BytesMut::new();
            write(&[0x9F, 0x02], &value, &mut out);
            let items: Vec<_> = read(&out).collect::<Result<_, _>>().unwrap();
            assert_eq!((items.len(), items[0].value), (1, &value[..]));
            for cut in 1..out.len().min(8) {
                assert!(read(&out[..cut]).any(|item| item.is_err()), "{length} cut at {cut}");
            }
        }
    }

    #[test]
    fn what_is_no_tag() {
        for (bytes, good) in [
            (&[0x9C][..], true),
            (&[0x9F, 0x02], true),
            (&[0xDF, 0x81, 0x01], true),
            (&[0x9F], false),
            (&[0x9C, 0x9C], false),
            (&[0], false),
            (&[], false),
            (&[0x9F, 0x80, 0x80, 0x80, 0x01], false),
        ] {
            assert_eq!(is_tag(bytes), good, "{bytes:?}");
        }
    }
}
