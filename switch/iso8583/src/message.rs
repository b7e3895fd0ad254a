//! Decoding to spans, encoding in one pass.

use std::borrow::Cow;
use std::ops::Range;

use bytes::{BufMut, BytesMut};

use crate::fields::{Fields, Value};
use crate::plan::{Class, Encoding, Length, Plan, Side};
use crate::spec::Spec;

/// Why bytes are no message of the spec. Never holds a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("data element {de} at byte {offset}: {reason}")]
pub struct DecodeError {
    /// `mti`, `bitmap`, a number, or `trailing`.
    pub de: String,
    pub offset: usize,
    pub reason: &'static str,
}

/// Why fields cannot be written in the spec. Never holds a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("data element {de}: {reason}")]
pub struct EncodeError {
    pub de: String,
    pub reason: &'static str,
}

/// Where a field is: `start..end` with its prefix, the value from `value` on, `units` long in its own units.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    start: u16,
    value: u16,
    end: u16,
    units: u16,
}

const SLOTS: usize = 129;

/// A decoded message: spans over the bytes it was decoded from. About a kilobyte, no allocation.
pub struct Message<'a> {
    spec: &'a Spec,
    wire: &'a [u8],
    mti: [u8; 4],
    has_mti: bool,
    present: u128,
    spans: [Span; SLOTS],
}

impl std::fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message").field("mti", &self.mti()).field("present", &self.des().collect::<Vec<_>>()).finish()
    }
}

/// The bit of a data element: 1 is the most significant.
fn bit(de: u8) -> u128 {
    1_u128.checked_shl(128 - u32::from(de)).unwrap_or(0)
}

impl<'a> Message<'a> {
    /// The four digits; empty when not even they could be read.
    pub fn mti(&self) -> &str {
        if self.has_mti { std::str::from_utf8(&self.mti).unwrap_or_default() } else { "" }
    }

    pub fn has(&self, de: u8) -> bool {
        self.present & bit(de) != 0
    }

    /// Data elements present, ascending.
    pub fn des(&self) -> impl Iterator<Item = u8> {
        let present = self.present;
        (2..=crate::LAST_DATA_ELEMENT).filter(move |de| present & bit(*de) != 0)
    }

    /// All bytes the message was decoded from.
    pub fn wire(&self) -> &'a [u8] {
        self.wire
    }

    fn parts(&self, de: u8) -> Option<(&'a Plan, Span, &'a [u8])> {
        if !self.has(de) {
            return None;
        }
        let span = *self.spans.get(usize::from(de))?;
        let value = self.wire.get(usize::from(span.value)..usize::from(span.end))?;
        Some((self.spec.plan(de)?, span, value))
    }

    /// The bytes of a field, its length prefix included.
    pub fn span(&self, de: u8) -> Option<Range<usize>> {
        let (_, span, _) = self.parts(de)?;
        Some(usize::from(span.start)..usize::from(span.end))
    }

    /// The value of a field that is not binary.
    pub fn text(&self, de: u8) -> Option<Cow<'a, str>> {
        let (plan, span, value) = self.parts(de)?;
        match (plan.class, plan.encoding) {
            (Class::Binary, _) => None,
            (_, Encoding::Bcd) => Some(Cow::Owned(unpack(plan, value, usize::from(span.units)))),
            (Class::Track, _) => Some(Cow::Owned(std::str::from_utf8(value).ok()?.replace('D', "="))),
            _ => std::str::from_utf8(value).ok().map(Cow::Borrowed),
        }
    }

    /// The value of a binary field.
    pub fn binary(&self, de: u8) -> Option<Cow<'a, [u8]>> {
        let (plan, _, value) = self.parts(de)?;
        match (plan.class, plan.encoding) {
            (Class::Binary, Encoding::Hex) => crate::tool::from_hex(std::str::from_utf8(value).ok()?).map(Cow::Owned),
            (Class::Binary, _) => Some(Cow::Borrowed(value)),
            _ => None,
        }
    }

    /// An owned copy.
    pub fn to_fields(&self) -> Fields {
        let mut fields = Fields::new(self.mti());
        for de in self.des() {
            if let Some(text) = self.text(de) {
                fields.set(de, text);
            } else if let Some(bytes) = self.binary(de) {
                fields.set_binary(de, bytes.into_owned());
            }
        }
        fields
    }
}

/// Digits of a packed value; D is track 2's separator.
fn unpack(plan: &Plan, value: &[u8], units: usize) -> String {
    let mut text = String::with_capacity(units + 1);
    let (sign, packed) = match (plan.class, value) {
        (Class::SignedAmount, [sign, rest @ ..]) => (Some(*sign), rest),
        _ => (None, value),
    };
    text.extend(sign.map(char::from));
    let digits = units - usize::from(sign.is_some());
    let skip = usize::from(digits % 2 == 1 && plan.odd == Side::Left);
    let nibbles = packed.iter().flat_map(|byte| [byte >> 4, byte & 0x0F]);
    text.extend(nibbles.skip(skip).take(digits).map(|nibble| match nibble {
        0..=9 => char::from(b'0' + nibble),
        _ => '=',
    }));
    text
}

/// Reads forward over the wire; nothing is taken that is not there.
struct Reader<'a> {
    wire: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], &'static str> {
        let end = self.at.checked_add(count).ok_or("is longer than the message")?;
        let taken = self.wire.get(self.at..end).ok_or("is longer than what is left of the message")?;
        self.at = end;
        Ok(taken)
    }

    /// A number of `digits` digits, packed or as characters.
    fn number(&mut self, digits: u8, packed: bool) -> Result<usize, &'static str> {
        let bytes = self.take(if packed { usize::from(digits).div_ceil(2) } else { usize::from(digits) })?;
        bytes.iter().try_fold(0_usize, |sum, byte| match (packed, byte >> 4, byte & 0x0F) {
            (true, high @ 0..=9, low @ 0..=9) => Ok(sum * 100 + usize::from(high) * 10 + usize::from(low)),
            (false, 3, low @ 0..=9) => Ok(sum * 10 + usize::from(low)),
            _ => Err("has a length prefix that is no number"),
        })
    }
}

impl Spec {
    /// Decodes a whole message; bytes left over are an error.
    pub fn decode<'a>(&'a self, wire: &'a [u8]) -> Result<Message<'a>, DecodeError> {
        match self.decode_partial(wire) {
            (message, None) => Ok(message),
            (_, Some(error)) => Err(error),
        }
    }

    /// Decodes as far as it goes: the fields before a fault stay readable.
    pub fn decode_partial<'a>(&'a self, wire: &'a [u8]) -> (Message<'a>, Option<DecodeError>) {
        let mut message =
            Message { spec: self, wire, mti: [0; 4], has_mti: false, present: 0, spans: [Span::default(); SLOTS] };
        let fault = self.decode_into(&mut message).err();
        (message, fault)
    }

    fn decode_into(&self, message: &mut Message<'_>) -> Result<(), DecodeError> {
        let error = |de: &str, offset, reason| DecodeError { de: de.to_owned(), offset, reason };
        if message.wire.len() > usize::from(u16::MAX) {
            return Err(error("mti", 0, "the message is longer than 65535 bytes"));
        }
        let mut reader = Reader { wire: message.wire, at: 0 };
        message.mti = self.read_mti(&mut reader).map_err(|reason| error("mti", 0, reason))?;
        message.has_mti = true;
        let bitmap_at = reader.at;
        let mut waiting = self.read_bitmap(&mut reader).map_err(|reason| error("bitmap", bitmap_at, reason))?;
        while waiting != 0 {
            let index = waiting.leading_zeros();
            waiting &= !(1_u128 << (127 - index));
            let de = u8::try_from(index + 1).unwrap_or(crate::LAST_DATA_ELEMENT);
            let start = reader.at;
            let span = self.read_field(de, &mut reader).map_err(|reason| error(&de.to_string(), start, reason))?;
            if let Some(slot) = message.spans.get_mut(usize::from(de)) {
                *slot = span;
                message.present |= bit(de);
            }
        }
        if reader.at < message.wire.len() {
            return Err(error("trailing", reader.at, "bytes are left after the last field"));
        }
        Ok(())
    }

    fn read_mti(&self, reader: &mut Reader<'_>) -> Result<[u8; 4], &'static str> {
        let digits = match self.mti {
            Encoding::Bcd => {
                let packed = reader.take(2)?;
                [packed[0] >> 4, packed[0] & 0x0F, packed[1] >> 4, packed[1] & 0x0F].map(|nibble| nibble + b'0')
            }
            _ => reader.take(4)?.try_into().map_err(|_| "is not four digits")?,
        };
        if digits.iter().all(u8::is_ascii_digit) { Ok(digits) } else { Err("is not four digits") }
    }

    /// Both bitmaps as one number, without the bit that only says a second follows.
    fn read_bitmap(&self, reader: &mut Reader<'_>) -> Result<u128, &'static str> {
        let mut half = || -> Result<u64, &'static str> {
            match self.bitmap {
                Encoding::Hex => {
                    let digits = std::str::from_utf8(reader.take(16)?).map_err(|_| "is not hexadecimal")?;
                    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                        return Err("is not hexadecimal");
                    }
                    u64::from_str_radix(digits, 16).map_err(|_| "is not hexadecimal")
                }
                _ => Ok(u64::from_be_bytes(reader.take(8)?.try_into().map_err(|_| "is cut short")?)),
            }
        };
        let first = half()?;
        let second = if first >> 63 == 1 { half()? } else { 0 };
        Ok((u128::from(first & (u64::MAX >> 1)) << 64) | u128::from(second))
    }

    fn read_field(&self, de: u8, reader: &mut Reader<'_>) -> Result<Span, &'static str> {
        let plan = self.plan(de).ok_or("is not part of this spec")?;
        let start = reader.at;
        let units = match plan.length {
            Length::Fixed(units) => usize::from(units),
            Length::Variable { digits, packed, max } => {
                let stated = reader.number(digits, packed)?;
                let units = match plan.encoding {
                    Encoding::Hex if stated % 2 == 1 => return Err("has an odd number of hexadecimal digits"),
                    Encoding::Hex => stated / 2,
                    _ => stated,
                };
                if stated > usize::from(max) {
                    return Err("is longer than its maximum");
                }
                units
            }
        };
        let value = reader.at;
        let bytes = reader.take(plan.wire_length(units))?;
        check(plan, bytes, units)?;
        // The whole wire is at most 65535 bytes long, so every position fits.
        let narrow = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
        Ok(Span { start: narrow(start), value: narrow(value), end: narrow(reader.at), units: narrow(units) })
    }

    /// Writes a message behind what `out` holds. The spans are relative to the message's first byte.
    pub fn encode(&self, fields: &Fields, out: &mut BytesMut) -> Result<Spans, EncodeError> {
        let base = out.len();
        let error = |de: &str, reason| EncodeError { de: de.to_owned(), reason };
        let mti = fields.mti().as_bytes();
        if mti.len() != 4 || !mti.iter().all(u8::is_ascii_digit) {
            return Err(error("mti", "is not four digits"));
        }
        match self.mti {
            Encoding::Bcd => pack(mti, Side::Left, out),
            _ => out.put_slice(mti),
        }
        let present = fields.iter().fold(0_u128, |bits, (de, _)| bits | bit(de));
        self.write_bitmap(present, out);
        let mut spans = Spans(Vec::with_capacity(24));
        for (de, value) in fields.iter() {
            let start = out.len() - base;
            let plan = self.plan(de).ok_or_else(|| error(&de.to_string(), "is not part of this spec"))?;
            write_field(plan, value, out).map_err(|reason| error(&de.to_string(), reason))?;
            spans.0.push((de, start, out.len() - base));
        }
        Ok(spans)
    }

    fn write_bitmap(&self, present: u128, out: &mut BytesMut) {
        let second = present & u128::from(u64::MAX) != 0;
        let bits = if second { present | bit(1) } else { present };
        let bytes = bits.to_be_bytes();
        let used = if second { &bytes[..] } else { &bytes[..8] };
        match self.bitmap {
            Encoding::Hex => out.put_slice(crate::tool::to_hex(used).as_bytes()),
            _ => out.put_slice(used),
        }
    }

    /// Writes a fixed binary field over the bytes of one already encoded: for the MAC, which covers what stands before.
    pub fn write_binary(&self, de: u8, value: &[u8], at: &mut [u8]) -> Result<(), EncodeError> {
        let error = |reason| EncodeError { de: de.to_string(), reason };
        let plan = self.plan(de).ok_or_else(|| error("is not part of this spec"))?;
        let mut encoded = BytesMut::with_capacity(at.len());
        if !matches!(plan.length, Length::Fixed(_)) {
            return Err(error("has no fixed length"));
        }
        write_field(plan, &Value::Binary(value.to_vec()), &mut encoded).map_err(error)?;
        if encoded.len() != at.len() {
            return Err(error("does not fit its place"));
        }
        at.copy_from_slice(&encoded);
        Ok(())
    }
}

/// Whether the value's characters are of its class.
fn check(plan: &Plan, bytes: &[u8], units: usize) -> Result<(), &'static str> {
    match (plan.class, plan.encoding) {
        (Class::Binary, Encoding::Hex) => {
            bytes.iter().all(u8::is_ascii_hexdigit).then_some(()).ok_or("is not hexadecimal")
        }
        (Class::Binary, _) => Ok(()),
        (Class::Text, _) => bytes
            .iter()
            .all(|byte| (0x20..0x7F).contains(byte))
            .then_some(())
            .ok_or("has a character that cannot be printed"),
        (Class::Numeric, Encoding::Bcd) => check_packed(plan, bytes, units, 0),
        (Class::Track, Encoding::Bcd) => check_packed(plan, bytes, units, 1),
        (Class::SignedAmount, Encoding::Bcd) => match bytes {
            [b'C' | b'D', rest @ ..] => check_packed(plan, rest, units - 1, 0),
            _ => Err("has a sign that is neither C nor D"),
        },
        (Class::Numeric, _) => {
            bytes.iter().all(u8::is_ascii_digit).then_some(()).ok_or("has a character that is no digit")
        }
        (Class::Track, _) => {
            let separators = bytes.iter().filter(|byte| matches!(byte, b'=' | b'D')).count();
            let rest = bytes.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'=' | b'D'));
            (rest && separators <= 1).then_some(()).ok_or("has a character that track 2 does not have")
        }
        (Class::SignedAmount, _) => match bytes {
            [b'C' | b'D', rest @ ..] if rest.iter().all(u8::is_ascii_digit) => Ok(()),
            _ => Err("is not a sign C or D before digits"),
        },
    }
}

/// Half bytes are digits, but for so many separators; the spare half byte is 0.
fn check_packed(plan: &Plan, bytes: &[u8], units: usize, separators: usize) -> Result<(), &'static str> {
    let odd = units % 2 == 1;
    let count = bytes.len() * 2;
    let mut left = separators;
    for (index, nibble) in bytes.iter().flat_map(|byte| [byte >> 4, byte & 0x0F]).enumerate() {
        let spare = odd
            && match plan.odd {
                Side::Left => index == 0,
                Side::Right => index + 1 == count,
            };
        match nibble {
            0 if spare => {}
            _ if spare => return Err("has a spare half byte that is not 0"),
            0..=9 => {}
            0x0D if left > 0 => left -= 1,
            _ => return Err("has a half byte that is no digit"),
        }
    }
    Ok(())
}

fn write_field(plan: &Plan, value: &Value, out: &mut BytesMut) -> Result<(), &'static str> {
    match (plan.class, value) {
        (Class::Binary, Value::Binary(bytes)) => write_binary(plan, bytes, out),
        (Class::Binary, Value::Text(text)) => {
            let bytes = crate::tool::from_hex(text).ok_or("is not hexadecimal")?;
            write_binary(plan, &bytes, out)
        }
        (_, Value::Text(text)) => write_text(plan, text, out),
        (_, Value::Binary(_)) => Err("is a text field"),
    }
}

fn write_binary(plan: &Plan, bytes: &[u8], out: &mut BytesMut) -> Result<(), &'static str> {
    let on_wire = plan.wire_length(bytes.len());
    match plan.length {
        Length::Fixed(length) if usize::from(length) != bytes.len() => return Err("is not of its fixed length"),
        Length::Fixed(_) => {}
        Length::Variable { digits, packed, max } => write_prefix(on_wire, digits, packed, max, out)?,
    }
    match plan.encoding {
        Encoding::Hex => out.put_slice(crate::tool::to_hex(bytes).as_bytes()),
        _ => out.put_slice(bytes),
    }
    Ok(())
}

fn write_text(plan: &Plan, text: &str, out: &mut BytesMut) -> Result<(), &'static str> {
    let filled = fill(plan, text)?;
    let units = filled.len();
    if let Length::Variable { digits, packed, max } = plan.length {
        write_prefix(units, digits, packed, max, out)?;
    }
    let start = out.len();
    match (plan.encoding, plan.class) {
        (Encoding::Bcd, Class::SignedAmount) => {
            let (sign, digits) = filled.as_bytes().split_first().ok_or("is empty")?;
            out.put_u8(*sign);
            pack(digits, plan.odd, out);
        }
        (Encoding::Bcd, _) => pack(filled.as_bytes(), plan.odd, out),
        _ => out.put_slice(filled.as_bytes()),
    }
    check(plan, out.get(start..).unwrap_or_default(), units)
}

/// Short values of fixed fields are filled: digits with zeros on the left, texts with spaces on the right.
fn fill<'a>(plan: &Plan, text: &'a str) -> Result<Cow<'a, str>, &'static str> {
    if !text.is_ascii() {
        return Err("has a character that cannot be printed");
    }
    let Length::Fixed(length) = plan.length else { return Ok(Cow::Borrowed(text)) };
    let length = usize::from(length);
    match (text.len().cmp(&length), plan.class) {
        (std::cmp::Ordering::Equal, _) => Ok(Cow::Borrowed(text)),
        (std::cmp::Ordering::Less, Class::Numeric) => Ok(Cow::Owned(format!("{text:0>length$}"))),
        (std::cmp::Ordering::Less, Class::Text) => Ok(Cow::Owned(format!("{text:<length$}"))),
        (std::cmp::Ordering::Less, _) => Err("is shorter than its fixed length"),
        (std::cmp::Ordering::Greater, _) => Err("is longer than its fixed length"),
    }
}

fn write_prefix(units: usize, digits: u8, packed: bool, max: u16, out: &mut BytesMut) -> Result<(), &'static str> {
    if units > usize::from(max) {
        return Err("is longer than its maximum");
    }
    let width = if packed { usize::from(digits).next_multiple_of(2) } else { usize::from(digits) };
    let text = format!("{units:0>width$}");
    if text.len() != width {
        return Err("is longer than its length prefix can say");
    }
    if packed {
        pack(text.as_bytes(), Side::Left, out)
    } else {
        out.put_slice(text.as_bytes())
    }
    Ok(())
}

/// Two digits a byte. What is no digit becomes a half byte that [`check`] refuses, but for the separator.
fn pack(text: &[u8], odd: Side, out: &mut BytesMut) {
    let nibble = |byte: u8| match byte {
        b'0'..=b'9' => byte - b'0',
        b'=' | b'D' => 0x0D,
        _ => 0x0F,
    };
    let mut rest = text;
    if text.len() % 2 == 1
        && odd == Side::Left
        && let [first, tail @ ..] = text
    {
        out.put_u8(nibble(*first));
        rest = tail;
    }
    for pair in rest.chunks(2) {
        match pair {
            [high, low] => out.put_u8(nibble(*high) << 4 | nibble(*low)),
            [high] => out.put_u8(nibble(*high) << 4),
            _ => {}
        }
    }
}

/// Where each field of an encoded message is, its prefix included.
#[derive(Clone, Debug, Default)]
pub struct Spans(Vec<(u8, usize, usize)>);

impl Spans {
    pub fn span(&self, de: u8) -> Option<Range<usize>> {
        self.0.iter().find(|(known, ..)| *known == de).map(|(_, start, end)| *start..*end)
    }
}
