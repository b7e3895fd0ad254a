//! Which framing and which dialect explain a stream of bytes: a wrong framing is what beginners fail at most.

use std::sync::Arc;

use bytes::BytesMut;
use tokio_util::codec::Decoder;

use crate::codes;
use crate::domain::{Currency, Track2, luhn_valid};
use crate::framing::{FrameCodec, Framing, Header, HeaderKind, LengthHeader};
use crate::message::Message;
use crate::spec::{Spec, Version};

/// Bytes of a stream that are looked at; more do not make it clearer.
pub const LOOKED_AT: usize = 64 * 1024;

/// One way to read a stream.
#[derive(Clone, Debug)]
pub struct Reading {
    /// `None`: the bytes are one message without any framing.
    pub length: Option<LengthHeader>,
    pub header: HeaderKind,
    pub spec: Arc<Spec>,
    /// 0 to 100.
    pub score: u32,
    pub frames: usize,
    /// Frames that are whole messages, or keep-alives.
    pub read: usize,
    /// What speaks for it and against it, most telling first.
    pub reasons: Vec<String>,
}

/// One frame's message, and what else of it was found.
struct Piece<'a> {
    body: &'a [u8],
    keeps_alive: bool,
    has_header: bool,
}

/// All ways to read the stream that explain any of it, best first.
pub fn detect(stream: &[u8], specs: &[Arc<Spec>]) -> Vec<Reading> {
    let stream = stream.get(..LOOKED_AT).unwrap_or(stream);
    let mut readings = Vec::new();
    let lengths = LengthHeader::ALL.into_iter().map(Some).chain([None]);
    for length in lengths {
        for header in HeaderKind::ALL {
            let Some((bodies, used)) = cut(stream, length, header) else { continue };
            let pieces: Vec<Piece<'_>> = bodies
                .iter()
                .map(|(found, body)| Piece {
                    body,
                    keeps_alive: *found == Header::None && body.is_empty(),
                    has_header: *found != Header::None,
                })
                .collect();
            // A header that is never there is no header.
            if header != HeaderKind::None && !pieces.iter().any(|piece| piece.has_header) {
                continue;
            }
            for spec in specs {
                readings.extend(judge(stream.len(), used, length, header, spec, &pieces));
            }
        }
    }
    // Of readings as good as each other the plainer one: fewer keep-alives between messages, no header.
    readings
        .sort_by_key(|reading| (std::cmp::Reverse(reading.score), reading.frames, reading.header != HeaderKind::None));
    readings
}

/// The frames of a stream and how many of its bytes they are; `None` where it does not begin with one.
fn cut(
    stream: &[u8],
    length: Option<LengthHeader>,
    header: HeaderKind,
) -> Option<(Vec<(Header, bytes::Bytes)>, usize)> {
    let Some(length) = length else {
        let (found, size) = header.read(stream);
        let body = stream.get(size..)?;
        return Some((vec![(found, bytes::Bytes::copy_from_slice(body))], stream.len()));
    };
    let mut codec = FrameCodec::new(Framing { length, header, max: crate::MESSAGE_MAX });
    let mut source = BytesMut::from(stream);
    let mut frames = Vec::new();
    while let Ok(Some(frame)) = codec.decode(&mut source) {
        frames.push((frame.header, frame.body));
    }
    let used = stream.len() - source.len();
    (!frames.is_empty()).then_some((frames, used))
}

fn judge(
    total: usize,
    used: usize,
    length: Option<LengthHeader>,
    header: HeaderKind,
    spec: &Arc<Spec>,
    pieces: &[Piece<'_>],
) -> Option<Reading> {
    let (mut read, mut signs, mut good_signs) = (0, 0, 0);
    let mut explained = 0_usize;
    let mut messages = 0_usize;
    let (mut told, mut fault) = (Vec::new(), None);
    for (at, piece) in pieces.iter().enumerate() {
        if piece.keeps_alive {
            read += 1;
            continue;
        }
        let (message, error) = spec.decode_partial(piece.body);
        match error {
            None => {
                read += 1;
                messages += 1;
                explained += piece.body.len();
                for (sign, good) in plausible(&message) {
                    signs += 1;
                    good_signs += u32::from(good);
                    told.push((good, sign));
                }
            }
            Some(error) => {
                explained += error.offset.min(piece.body.len()) / 4;
                fault.get_or_insert_with(|| format!("frame {}: {error}", at + 1));
            }
        }
    }
    let body: usize = pieces.iter().map(|piece| piece.body.len()).sum();
    if explained == 0 || body == 0 || total == 0 {
        return None;
    }
    // How much of the bytes is explained counts most, then whether what was read makes sense.
    let share = |part: usize, whole: usize| u32::try_from(part * 100 / whole.max(1)).unwrap_or(0);
    let sense = if messages == 0 { 0 } else { (good_signs + 1) * 100 / (signs + 1) };
    let score = (share(explained, body) * share(used, total) / 100 * 65 + sense * 35) / 100;
    let mut reasons = vec![format!("{read} of {} frames are read to their end", pieces.len())];
    if used < total {
        reasons.push(format!("{} bytes at the end are no whole frame", total - used));
    }
    reasons.extend(fault);
    told.sort();
    told.dedup();
    reasons.extend(told.into_iter().map(|(good, sign)| if good { sign.to_owned() } else { format!("not so: {sign}") }));
    Some(Reading { length, header, spec: Arc::clone(spec), score, frames: pieces.len(), read, reasons })
}

/// What is mostly so in real messages, and whether it is in this one.
fn plausible(message: &Message<'_>) -> Vec<(&'static str, bool)> {
    let version = message.spec().version();
    let edition = match version {
        Version::Iso1987 => '0',
        Version::Iso1993 => '1',
        Version::Iso2003 => '2',
    };
    let mut signs = vec![
        ("the MTI is of the spec's edition", message.mti().starts_with(edition)),
        ("the MTI is of a known kind", codes::mti(message.mti()).is_some()),
    ];
    let mut sign = |de: u8, words: &'static str, test: &dyn Fn(&str) -> bool| {
        if let Some(value) = message.text(de) {
            signs.push((words, test(&value)));
        }
    };
    sign(2, "data element 2 passes the Luhn check", &|value| value.len() >= 8 && luhn_valid(value));
    sign(7, "data element 7 is a date and time", &|value| is_date(value.get(..4)) && is_time(value.get(4..10)));
    if version == Version::Iso1987 {
        sign(12, "data element 12 is a time", &|value| is_time(Some(value)));
        sign(13, "data element 13 is a date", &|value| is_date(Some(value)));
        sign(49, "data element 49 is a currency", &|value| is_currency(value));
    } else {
        sign(12, "data element 12 is a date and time", &|value| {
            let from = value.len().saturating_sub(10);
            is_date(value.get(from..from + 4)) && is_time(value.get(from + 4..))
        });
    }
    sign(35, "data element 35 is track 2", &|value| Track2::parse(value).is_ok());
    sign(39, "data element 39 is a known code", &|value| codes::response_code(version, value).is_some());
    signs
}

fn number(text: Option<&str>) -> u8 {
    text.and_then(|text| text.parse().ok()).unwrap_or(u8::MAX)
}

fn is_date(text: Option<&str>) -> bool {
    text.is_some_and(|text| (1..=12).contains(&number(text.get(..2))) && (1..=31).contains(&number(text.get(2..4))))
}

fn is_time(text: Option<&str>) -> bool {
    text.is_some_and(|text| number(text.get(..2)) < 24 && number(text.get(2..4)) < 60 && number(text.get(4..6)) < 60)
}

fn is_currency(value: &str) -> bool {
    let digits = value.get(value.len().saturating_sub(3)..).unwrap_or_default();
    Currency::parse(digits).is_some()
}

/// The bytes of a hex dump as `xxd`, `hexdump -C`, `tcpdump -x` and Wireshark write them, or of plain hexadecimal.
/// `None` where there is anything else.
pub fn from_dump(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let before_gutter = line.split("  |").next().unwrap_or_default();
        let digits = match before_gutter.split_once(':') {
            Some((offset, rest)) if is_offset(offset, bytes.len()) => rest.trim_start().split("  ").next()?,
            Some(_) => return None,
            None => match before_gutter.split_once(char::is_whitespace) {
                Some((offset, rest)) if offset.len() >= 4 && is_offset(offset, bytes.len()) => wireshark(rest),
                _ => before_gutter,
            },
        };
        // `hexdump -C` ends with a line that is an offset alone.
        if digits.len() == 8 && digits == before_gutter && is_offset(digits, bytes.len()) && !bytes.is_empty() {
            continue;
        }
        let plain: String = digits.chars().filter(|character| !character.is_whitespace()).collect();
        bytes.extend(crate::wire::from_hex(&plain)?);
    }
    Some(bytes)
}

/// A dump line of Wireshark without its offset: sixteen bytes, then characters.
fn wireshark(rest: &str) -> &str {
    // 16 bytes are 47 characters; `hexdump -C` has one more space in the middle.
    let rest = rest.trim_start();
    let end = rest.char_indices().nth(48).map_or(rest.len(), |(at, _)| at);
    let (bytes, characters) = rest.split_at(end);
    if characters.is_empty() { rest } else { bytes.trim_end() }
}

fn is_offset(text: &str, at: usize) -> bool {
    let digits = text.trim_start_matches("0x");
    digits.len() >= 4 && usize::from_str_radix(digits, 16) == Ok(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framing::Frame;
    use crate::framing::tests::header;
    use crate::wire::{from_hex, to_hex};
    use bytes::Bytes;
    use tokio_util::codec::Encoder;

    fn specs() -> Vec<Arc<Spec>> {
        Spec::builtin_names().map(|name| Spec::builtin(name).unwrap()).collect()
    }

    fn messages(packager: &str) -> Vec<Vec<u8>> {
        let path = format!("{}/../../tests/vectors/iso8583.json", env!("CARGO_MANIFEST_DIR"));
        let file: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let vectors = file["vectors"].as_array().unwrap().iter();
        let ours = vectors
            .filter(|vector| vector["inputs"]["packager"] == packager && vector["expected"].get("error").is_none());
        let generated = ours.filter(|vector| vector["name"].as_str().unwrap().contains("/gen"));
        generated.map(|vector| from_hex(vector["inputs"]["message"].as_str().unwrap()).unwrap()).take(3).collect()
    }

    /// Messages that others have made, in every framing: the right one comes first, alone or beside its likes.
    #[test]
    fn the_right_framing_and_dialect_come_first() {
        for packager in ["iso87ascii", "iso87binary", "iso87ebcdic", "iso93ascii", "iso93binary", "base1", "postpack"] {
            let messages = messages(packager);
            for length in LengthHeader::ALL {
                // A binary message has the bytes that end frames in some framings.
                let with_etx = messages.iter().any(|message| message.contains(&3));
                for kind in HeaderKind::ALL {
                    if length == LengthHeader::Etx && (with_etx || matches!(kind, HeaderKind::Tpdu | HeaderKind::BaseI))
                    {
                        continue;
                    }
                    let mut codec = FrameCodec::new(Framing { length, header: kind, max: 9_999 });
                    let mut stream = BytesMut::new();
                    for message in &messages {
                        let frame = Frame { header: header(kind), body: Bytes::from(message.clone()) };
                        codec.encode(frame, &mut stream).unwrap();
                    }
                    let readings = detect(&stream, &specs());
                    let best = readings.first().unwrap();
                    let found = readings.iter().take_while(|reading| reading.score == best.score).any(|reading| {
                        (reading.length, reading.header, reading.spec.name()) == (Some(length), kind, packager)
                    });
                    assert!(found, "{packager} {length:?} {kind:?}: {best:?}");
                    assert_eq!(best.read, messages.len());
                    assert!(best.score >= 90, "{packager} {length:?} {kind:?}: {}", best.score);
                }
            }
        }
    }

    #[test]
    fn one_message_without_framing_is_read_as_one() {
        for message in messages("iso87binary") {
            let readings = detect(&message, &specs());
            assert_eq!((readings[0].length, readings[0].spec.name()), (None, "iso87binary"));
        }
    }

    #[test]
    fn noise_is_explained_by_nothing_and_faults_are_told() {
        assert!(detect(b"", &specs()).is_empty());
        assert!(detect(&[0xFF; 100], &specs()).iter().all(|reading| reading.score < 30));
        let mut broken = messages("iso87ascii").remove(0);
        broken.truncate(broken.len() - 5);
        let readings = detect(&broken, &specs());
        assert!(readings[0].reasons.iter().any(|reason| reason.contains("data element")), "{:?}", readings[0]);
    }

    #[test]
    fn dumps_of_every_tool_are_read() {
        let bytes: Vec<u8> = (0..40).map(|byte| byte ^ 0x35).collect();
        let plain = to_hex(&bytes);
        let spaced = |row: &[u8]| row.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
        let rows = || bytes.chunks(16).enumerate();
        let pairs = |row: &[u8]| row.chunks(2).map(|pair| to_hex(pair).to_lowercase()).collect::<Vec<_>>().join(" ");
        let xxd: String = rows().map(|(at, row)| format!("{:08x}: {:<39}  0200..\n", at * 16, pairs(row))).collect();
        let tcpdump: String =
            rows().map(|(at, row)| format!("\t0x{:04x}:  {:<39}  E..4\n", at * 16, pairs(row))).collect();
        let wireshark: String =
            rows().map(|(at, row)| format!("{:04x}   {:<47}   0200\n", at * 16, spaced(row))).collect();
        let hexdump: String = rows()
            .map(|(at, row)| {
                let (left, right) = row.split_at(row.len().min(8));
                format!("{:08x}  {:<23}  {:<23}  |0200|\n", at * 16, spaced(left), spaced(right))
            })
            .chain([format!("{:08x}\n", bytes.len())])
            .collect();
        for dump in [&plain, &spaced(&bytes), &xxd, &tcpdump, &wireshark, &hexdump] {
            assert_eq!(from_dump(dump).as_deref(), Some(&bytes[..]), "{dump}");
        }
        assert!(from_dump("no dump").is_none() && from_dump("Host: example").is_none());
    }
}
