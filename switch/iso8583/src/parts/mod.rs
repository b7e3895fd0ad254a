//! Values made of parts: reading and writing each layout.

use bytes::{BufMut, BytesMut};

use crate::check::check;
use crate::decode::{DecodeError, TOO_LONG, given_units, read_bits, read_units};
use crate::encode::{EncodeError, write_value};
use crate::message::{binary_of, text_of};
use crate::plan::{Encoding, Plan, PrefixForm};
use crate::spec::Spec;
use crate::spec::compile::PARTS_MAX;
use crate::spec::layout::{Layout, PartPlan, Shape, TagForm, UnknownTag};
use crate::tlv;
use crate::value::{Parts, Value};
use crate::wire::{Reader, from_hex, hexadecimal, pack, put_each, put_pairs, to_hex, unpack, write_length};

/// Tags within tags that no spec describes are followed so deep.
const TEMPLATES_MAX: usize = 8;

/// What is wrong, and with which part: its path from the inside out.
#[derive(Debug)]
pub(crate) struct PartFault {
    path: Vec<String>,
    offset: usize,
    reason: &'static str,
}

impl PartFault {
    fn new(offset: usize, reason: &'static str) -> Self {
        Self { path: Vec::new(), offset, reason }
    }

    fn at(mut self, key: impl Into<String>) -> Self {
        self.path.push(key.into());
        self
    }

    fn path_in(&self, de: u8) -> String {
        self.path.iter().rev().fold(de.to_string(), |path, key| path + "." + key)
    }

    pub fn in_element(self, de: u8) -> DecodeError {
        DecodeError { de: self.path_in(de), offset: self.offset, reason: self.reason }
    }

    pub fn in_written_element(self, de: u8) -> EncodeError {
        EncodeError { de: self.path_in(de), reason: self.reason }
    }
}

const UNKNOWN: &str = "is not part of this spec";
const LEFT_OVER: &str = "has bytes left after its last part";
const TOO_MANY: &str = "has more parts than a value may have; expected at most 256";

/// Goes through the parts of a value that begins at byte `base` of the message. Where `found` is given they are put
/// there; without it nothing is allocated.
pub(crate) fn read(
    spec: &Spec,
    layout: &Layout,
    value: &[u8],
    base: usize,
    mut found: Option<&mut Parts>,
) -> Result<(), PartFault> {
    let mut reader = Reader::new(value);
    let fault = |at: usize, reason| PartFault::new(base + at, reason);
    match layout.shape {
        Shape::Positional => {
            for part in layout.parts.iter() {
                if !reader.is_empty() {
                    read_part(spec, part, &mut reader, base, found.as_deref_mut())?;
                }
            }
        }
        Shape::Bitmap { encoding, bytes } => {
            let mut bits = [0; 16];
            let bits = bits.get_mut(..usize::from(bytes)).ok_or_else(|| fault(0, "has a bitmap of no such length"))?;
            read_bits(encoding, &mut reader, bits).map_err(|reason| fault(0, reason))?;
            for number in set_bits(bits) {
                let missing = || fault(reader.at(), UNKNOWN).at(number.to_string());
                let part = layout.by_number(number).ok_or_else(missing)?;
                read_part(spec, part, &mut reader, base, found.as_deref_mut())?;
            }
        }
        Shape::Tagged { tag, length, length_first } => {
            let mut seen = 0;
            while !reader.is_empty() {
                let at = reader.at();
                count(&mut seen).map_err(|reason| fault(at, reason))?;
                let (key, value) = read_tagged(tag, length, length_first, &mut reader).map_err(|e| fault(at, e))?;
                let value_at = base + reader.at() - value.len();
                let part = layout.parts.iter().find(|part| tag.is(&part.key, key));
                if part.is_none() && !tag.can_be(key) {
                    return Err(fault(at, NO_TAG));
                }
                read_tag(spec, layout, part, || tag.read(key), value, value_at, found.as_deref_mut())?;
            }
        }
        Shape::BerTlv => {
            let mut seen = 0;
            for item in tlv::read(value) {
                let item = item.map_err(|error| fault(error.offset, error.reason))?;
                count(&mut seen).map_err(|reason| fault(item.value_at, reason))?;
                let part = layout.parts.iter().find(|part| is_hexadecimal_of(&part.key, item.tag));
                let at = base + item.value_at;
                match (part, layout.unknown, found.as_deref_mut()) {
                    (None, UnknownTag::Keep(_), Some(found)) if item.is_constructed() => {
                        let inner = template(item.value, at, TEMPLATES_MAX).map_err(|f| f.at(to_hex(item.tag)))?;
                        found.push(to_hex(item.tag), inner);
                    }
                    (None, UnknownTag::Keep(_), None) if item.is_constructed() => {
                        check_template(item.value, at, TEMPLATES_MAX).map_err(|f| f.at(to_hex(item.tag)))?;
                    }
                    (part, _, found) => read_tag(spec, layout, part, || to_hex(item.tag), item.value, at, found)?,
                }
            }
            return Ok(());
        }
    }
    if reader.is_empty() { Ok(()) } else { Err(fault(reader.at(), LEFT_OVER)) }
}

/// One part more, unless there are too many.
fn count(seen: &mut usize) -> Result<(), &'static str> {
    *seen += 1;
    if *seen <= PARTS_MAX { Ok(()) } else { Err(TOO_MANY) }
}

/// The numbers of the bits that are set, from 1.
fn set_bits(bits: &[u8]) -> impl Iterator<Item = u16> {
    let bits = bits.iter().fold(0_u128, |sum, byte| sum << 8 | u128::from(*byte)) << (128 - bits.len() * 8);
    crate::message::elements(bits).map(u16::from)
}

/// A part that says itself how long it is.
fn read_part(
    spec: &Spec,
    part: &PartPlan,
    reader: &mut Reader<'_>,
    base: usize,
    found: Option<&mut Parts>,
) -> Result<(), PartFault> {
    let start = base + reader.at();
    let fault = |reason| PartFault::new(start, reason).at(part.key.as_str());
    let units = read_units(&part.plan, reader).map_err(fault)?;
    let value_at = base + reader.at();
    let value = reader.take(part.plan.wire_length(units)).map_err(fault)?;
    let units = part.plan.units_within(units, value).ok_or(TOO_LONG).map_err(fault)?;
    take(spec, &part.plan, value, units, value_at, || part.key.clone(), found)
}

/// The value of a tag.
fn read_tag(
    spec: &Spec,
    layout: &Layout,
    part: Option<&PartPlan>,
    key: impl Fn() -> String,
    value: &[u8],
    value_at: usize,
    found: Option<&mut Parts>,
) -> Result<(), PartFault> {
    let plan = match (part, &layout.unknown) {
        (Some(part), _) => &part.plan,
        (None, UnknownTag::Keep(plan)) => plan,
        (None, UnknownTag::Skip) => return Ok(()),
        (None, UnknownTag::Reject) => return Err(PartFault::new(value_at, UNKNOWN).at(key())),
    };
    let units = given_units(plan, value).map_err(|reason| PartFault::new(value_at, reason).at(key()))?;
    take(spec, plan, value, units, value_at, key, found)
}

/// Checks a part's value, goes into it where it is made of parts itself, and keeps it.
fn take(
    spec: &Spec,
    plan: &Plan,
    value: &[u8],
    units: usize,
    value_at: usize,
    key: impl Fn() -> String,
    found: Option<&mut Parts>,
) -> Result<(), PartFault> {
    check(plan, value, units).map_err(|reason| PartFault::new(value_at, reason).at(key()))?;
    let layout = plan.layout.and_then(|id| spec.layout(id));
    let Some(found) = found else {
        return match layout {
            Some(layout) => read(spec, layout, value, value_at, None).map_err(|fault| fault.at(key())),
            None => Ok(()),
        };
    };
    let kept = match layout {
        Some(layout) => {
            let mut inner = Parts::new();
            read(spec, layout, value, value_at, Some(&mut inner)).map_err(|fault| fault.at(key()))?;
            Value::Parts(inner)
        }
        None => match text_of(plan, value, units) {
            Some(text) => Value::Text(text.into_owned()),
            None => Value::Binary(binary_of(plan, value).unwrap_or_default().into_owned()),
        },
    };
    found.push(key(), kept);
    Ok(())
}

/// A constructed value that no spec describes.
fn template(value: &[u8], base: usize, depth: usize) -> Result<Value, PartFault> {
    let (mut parts, mut seen) = (Parts::new(), 0);
    for item in tlv::read(value) {
        let item = item.map_err(|error| PartFault::new(base + error.offset, error.reason))?;
        count(&mut seen).map_err(|reason| PartFault::new(base + item.value_at, reason))?;
        let key = to_hex(item.tag);
        let inner = if item.is_constructed() && depth > 0 {
            template(item.value, base + item.value_at, depth - 1).map_err(|fault| fault.at(key.as_str()))?
        } else {
            Value::Binary(item.value.to_vec())
        };
        parts.push(key, inner);
    }
    Ok(Value::Parts(parts))
}

/// The same without keeping anything.
fn check_template(value: &[u8], base: usize, depth: usize) -> Result<(), PartFault> {
    let mut seen = 0;
    for item in tlv::read(value) {
        let item = item.map_err(|error| PartFault::new(base + error.offset, error.reason))?;
        count(&mut seen).map_err(|reason| PartFault::new(base + item.value_at, reason))?;
        if item.is_constructed() && depth > 0 {
            let inner = check_template(item.value, base + item.value_at, depth - 1);
            inner.map_err(|fault| fault.at(to_hex(item.tag)))?;
        }
    }
    Ok(())
}

fn read_tagged<'a>(
    tag: TagForm,
    length: crate::plan::Prefix,
    length_first: bool,
    reader: &mut Reader<'a>,
) -> Result<(&'a [u8], &'a [u8]), &'static str> {
    if length_first {
        let both = reader.length(length)?;
        let value = both.checked_sub(tag.size()).ok_or("has a length that is shorter than its tag")?;
        Ok((reader.take(tag.size())?, reader.take(value)?))
    } else {
        let key = reader.take(tag.size())?;
        let value = reader.length(length)?;
        Ok((key, reader.take(value)?))
    }
}

/// Whether `key` is these bytes in upper-case hexadecimal.
fn is_hexadecimal_of(key: &str, bytes: &[u8]) -> bool {
    let (pairs, rest) = key.as_bytes().as_chunks::<2>();
    rest.is_empty() && pairs.len() == bytes.len() && pairs.iter().zip(bytes).all(|(pair, b)| *pair == hexadecimal(*b))
}

const LEFT_ZERO: crate::plan::Spare = crate::plan::Spare { side: crate::plan::Side::Left, holds: 0 };

const NO_TAG: &str = "is no tag of this layout";

impl TagForm {
    /// Whether a tag on the wire is the one that is written like this.
    fn is(self, key: &str, wire: &[u8]) -> bool {
        match self.form {
            PrefixForm::Ascii => key.as_bytes() == wire,
            PrefixForm::Binary => is_hexadecimal_of(key, wire),
            PrefixForm::Ebcdic => {
                let page = crate::charset::CodePage::default();
                key.len() == wire.len()
                    && key.bytes().zip(wire).all(|(character, byte)| page.ebcdic(character) == *byte)
            }
            PrefixForm::Bcd => {
                let digits = key.bytes().rev().chain(std::iter::once(b'0'));
                let halves = wire.iter().rev().flat_map(|byte| [byte & 0x0F, byte >> 4]);
                halves.zip(digits).all(|(half, digit)| digit & 0x0F == half)
            }
        }
    }

    /// A tag on the wire as it is written.
    fn read(self, wire: &[u8]) -> String {
        match self.form {
            PrefixForm::Ascii => String::from_utf8_lossy(wire).into_owned(),
            PrefixForm::Binary => to_hex(wire),
            PrefixForm::Ebcdic => {
                let page = crate::charset::CodePage::default();
                wire.iter().map(|byte| char::from(page.ascii(*byte))).collect()
            }
            PrefixForm::Bcd => {
                let mut text = Vec::new();
                unpack(wire, usize::from(self.width), LEFT_ZERO, &mut text);
                String::from_utf8_lossy(&text).into_owned()
            }
        }
    }

    /// Whether bytes on the wire are a tag at all: what is read of others could not be written again.
    fn can_be(self, wire: &[u8]) -> bool {
        match self.form {
            PrefixForm::Ascii => crate::check::printable(wire),
            PrefixForm::Binary => true,
            PrefixForm::Ebcdic => {
                let page = crate::charset::CodePage::default();
                wire.iter().all(|byte| {
                    let character = page.ascii(*byte);
                    crate::check::printable(&[character]) && page.ebcdic(character) == *byte
                })
            }
            PrefixForm::Bcd => {
                let mut halves = wire.iter().flat_map(|byte| [byte >> 4, byte & 0x0F]);
                let spare = if self.width.is_multiple_of(2) { Some(0) } else { halves.next() };
                spare == Some(0) && halves.all(|half| half <= 9)
            }
        }
    }

    fn write(self, key: &str, out: &mut BytesMut) -> Result<(), &'static str> {
        let right = |length: usize, wanted: usize| if length == wanted { Ok(()) } else { Err(NO_TAG) };
        let width = usize::from(self.width);
        match self.form {
            PrefixForm::Binary => {
                let bytes = from_hex(key).ok_or(NO_TAG)?;
                right(bytes.len(), width)?;
                out.put_slice(&bytes);
                return Ok(());
            }
            PrefixForm::Bcd if !crate::check::digits(key.as_bytes()) => return Err(NO_TAG),
            _ if !crate::check::printable(key.as_bytes()) => return Err(NO_TAG),
            _ => right(key.len(), width)?,
        }
        match self.form {
            PrefixForm::Bcd => pack(key.as_bytes(), LEFT_ZERO, out),
            PrefixForm::Ebcdic => {
                let page = crate::charset::CodePage::default();
                put_each(key.as_bytes(), out, |character| page.ebcdic(*character));
            }
            _ => out.put_slice(key.as_bytes()),
        }
        Ok(())
    }
}

/// Writes parts behind what `out` holds. The faults' offsets mean nothing.
pub(crate) fn write(spec: &Spec, layout: &Layout, parts: &Parts, out: &mut BytesMut) -> Result<(), PartFault> {
    if parts.iter().count() > PARTS_MAX {
        return Err(PartFault::new(0, TOO_MANY));
    }
    match layout.shape {
        Shape::Positional => write_positions(spec, layout, parts, out),
        Shape::Bitmap { encoding, bytes } => write_bitmap(spec, layout, parts, encoding, bytes, out),
        Shape::Tagged { tag, length, length_first } => {
            for (key, value) in parts.iter() {
                let fault = |reason| PartFault::new(0, reason).at(key);
                let bytes = write_tag_value(spec, layout, key, value)?;
                let counted = bytes.len() + if length_first { tag.size() } else { 0 };
                if length_first {
                    write_length(length, counted, counted, out).map_err(fault)?;
                }
                tag.write(key, out).map_err(fault)?;
                if !length_first {
                    write_length(length, counted, counted, out).map_err(fault)?;
                }
                out.put_slice(&bytes);
            }
            Ok(())
        }
        Shape::BerTlv => {
            for (key, value) in parts.iter() {
                let no_tag = || PartFault::new(0, "is no tag; expected upper-case hexadecimal: 9F02").at(key);
                let tag = from_hex(key).filter(|tag| tlv::is_tag(tag)).ok_or_else(no_tag)?;
                let bytes = match (layout.by_key(key), &layout.unknown, value) {
                    (None, UnknownTag::Keep(_), Value::Parts(inner)) => {
                        write_template(inner, TEMPLATES_MAX).map_err(|fault| fault.at(key))?
                    }
                    _ => write_tag_value(spec, layout, key, value)?,
                };
                tlv::write(&tag, &bytes, out);
            }
            Ok(())
        }
    }
}

fn write_positions(spec: &Spec, layout: &Layout, parts: &Parts, out: &mut BytesMut) -> Result<(), PartFault> {
    if let Some((key, _)) = parts.iter().find(|(key, _)| layout.by_key(key).is_none()) {
        return Err(PartFault::new(0, UNKNOWN).at(key));
    }
    let mut given = parts.iter().count();
    for part in &layout.parts {
        match parts.get(&part.key) {
            Some(value) => {
                write_part(spec, part, value, out)?;
                given -= 1;
            }
            None if given == 0 => break,
            None => return Err(PartFault::new(0, "is missing before one that is there").at(part.key.as_str())),
        }
    }
    if given == 0 { Ok(()) } else { Err(PartFault::new(0, "has a part twice")) }
}

fn write_bitmap(
    spec: &Spec,
    layout: &Layout,
    parts: &Parts,
    encoding: Encoding,
    bytes: u8,
    out: &mut BytesMut,
) -> Result<(), PartFault> {
    let mut given = Vec::new();
    for (key, value) in parts.iter() {
        let part = layout.by_key(key).ok_or_else(|| PartFault::new(0, UNKNOWN).at(key))?;
        given.push((part, value));
    }
    given.sort_by_key(|(part, _)| part.number);
    let mut bits = 0_u128;
    for (part, _) in &given {
        let bit = crate::message::bit(u8::try_from(part.number).unwrap_or(0));
        if bits & bit != 0 {
            return Err(PartFault::new(0, "is there twice").at(part.key.as_str()));
        }
        bits |= bit;
    }
    put_bits(encoding, bits.to_be_bytes().get(..usize::from(bytes)).unwrap_or_default(), out);
    given.into_iter().try_for_each(|(part, value)| write_part(spec, part, value, out))
}

/// A bitmap as its encoding has it.
pub(crate) fn put_bits(encoding: Encoding, bits: &[u8], out: &mut BytesMut) {
    match encoding {
        Encoding::Hex => put_pairs(bits, out, hexadecimal),
        Encoding::HexEbcdic => {
            let page = crate::charset::CodePage::default();
            put_pairs(bits, out, |byte| hexadecimal(byte).map(|character| page.ebcdic(character)));
        }
        _ => out.put_slice(bits),
    }
}

fn write_part(spec: &Spec, part: &PartPlan, value: &Value, out: &mut BytesMut) -> Result<(), PartFault> {
    write_value(spec, &part.plan, value.into(), out).map_err(|fault| fault.at(part.key.as_str()))
}

/// The bytes of a tag's value.
fn write_tag_value(spec: &Spec, layout: &Layout, key: &str, value: &Value) -> Result<BytesMut, PartFault> {
    let plan = match (layout.by_key(key), &layout.unknown) {
        (Some(part), _) => &part.plan,
        (None, UnknownTag::Keep(plan)) => plan,
        (None, UnknownTag::Skip | UnknownTag::Reject) => return Err(PartFault::new(0, UNKNOWN).at(key)),
    };
    let mut bytes = BytesMut::new();
    write_value(spec, plan, value.into(), &mut bytes).map_err(|fault| fault.at(key))?;
    Ok(bytes)
}

fn write_template(parts: &Parts, depth: usize) -> Result<BytesMut, PartFault> {
    if parts.iter().count() > PARTS_MAX {
        return Err(PartFault::new(0, TOO_MANY));
    }
    let mut out = BytesMut::new();
    for (key, value) in parts.iter() {
        let fault = |reason| PartFault::new(0, reason).at(key);
        let tag = from_hex(key).filter(|tag| tlv::is_tag(tag));
        let tag = tag.ok_or_else(|| fault("is no tag; expected upper-case hexadecimal: 9F02"))?;
        match value {
            Value::Binary(bytes) => tlv::write(&tag, bytes, &mut out),
            Value::Text(text) => {
                tlv::write(&tag, &from_hex(text).ok_or_else(|| fault("is not hexadecimal"))?, &mut out);
            }
            Value::Parts(_) if depth == 0 => return Err(fault("is nested deeper than any message may be")),
            Value::Parts(inner) => {
                tlv::write(&tag, &write_template(inner, depth - 1).map_err(|fault| fault.at(key))?, &mut out);
            }
        }
    }
    Ok(out)
}

impl From<&'static str> for PartFault {
    fn from(reason: &'static str) -> Self {
        Self::new(0, reason)
    }
}

#[cfg(test)]
mod tests;
