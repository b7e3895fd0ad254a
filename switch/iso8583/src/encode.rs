//! From values to bytes, written once.

use std::ops::Range;

use bytes::{BufMut, BytesMut};

use crate::LAST_DATA_ELEMENT;
use crate::check::{check, digits, writable};
use crate::fields::{Fields, Raw};
use crate::message::{bit, elements};
use crate::parts::{self, PartFault, put_bits};
use crate::plan::{Class, Encoding, Length, Plan, Side, Spare};
use crate::spec::Spec;
use crate::value::Value;
use crate::wire::{from_hexadecimal, pack, put_each, put_from_hexadecimal, write_length};

/// Why fields cannot be written in the spec. Never holds a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("data element {de}: {reason}")]
pub struct EncodeError {
    /// `mti`, a number, or a path to a part (`127.25`).
    pub de: String,
    pub reason: &'static str,
}

/// Where each field of an encoded message is, its prefix included.
#[derive(Clone, Debug)]
pub struct Spans {
    present: u128,
    /// By data element: where the field ends.
    ends: [u16; LAST_DATA_ELEMENT as usize + 1],
    first: u16,
}

impl Spans {
    /// Of a message with these data elements, the first of which begins here.
    pub(crate) fn new(present: u128, first: usize) -> Self {
        Self { present, ends: [0; LAST_DATA_ELEMENT as usize + 1], first: narrow(first) }
    }

    /// Notes where a field ends; those before it have been noted.
    #[inline]
    pub(crate) fn note(&mut self, de: u8, end: usize) {
        if let Some(slot) = self.ends.get_mut(usize::from(de)) {
            *slot = narrow(end);
        }
    }

    /// The bytes of a field, relative to the message's first byte.
    pub fn span(&self, de: u8) -> Option<Range<usize>> {
        if self.present & bit(de) == 0 {
            return None;
        }
        let end = *self.ends.get(usize::from(de))?;
        let start = elements(self.present).take_while(|other| *other < de).last();
        let start = start.and_then(|before| self.ends.get(usize::from(before)).copied()).unwrap_or(self.first);
        Some(usize::from(start)..usize::from(end))
    }
}

/// Places beyond what a message can have are those of messages that are refused.
fn narrow(place: usize) -> u16 {
    u16::try_from(place).unwrap_or(u16::MAX)
}

impl Spec {
    /// Writes a message behind what `out` holds. The spans are relative to the message's first byte. After an error
    /// `out` holds what it held before.
    pub fn encode(&self, fields: &Fields, out: &mut BytesMut) -> Result<Spans, EncodeError> {
        let base = out.len();
        let written = self.write_fields(fields, base, out);
        if written.is_err() {
            out.truncate(base);
        }
        written
    }

    fn write_fields(&self, fields: &Fields, base: usize, out: &mut BytesMut) -> Result<Spans, EncodeError> {
        let present = fields.present();
        self.write_start(fields.mti(), present, out)?;
        let mut spans = Spans::new(present, out.len() - base);
        for (de, value) in fields.raws() {
            let plan = self.plan(de).ok_or_else(|| unknown(de))?;
            match value {
                Raw::Text(text) if plan.layout.is_none() => {
                    write_flat(plan, text, true, out).map_err(|reason| refused(de, reason))?;
                }
                value => write_value(self, plan, value, out).map_err(|fault| fault.in_written_element(de))?,
            }
            spans.note(de, out.len() - base);
        }
        if out.len() - base > crate::decode::MESSAGE_MAX {
            return Err(EncodeError { de: "mti".to_owned(), reason: "the message would be longer than 65535 bytes" });
        }
        Ok(spans)
    }

    /// The MTI and the bitmaps of these data elements.
    pub(crate) fn write_start(&self, mti: &str, present: u128, out: &mut BytesMut) -> Result<(), EncodeError> {
        if mti.len() != 4 || !digits(mti.as_bytes()) {
            return Err(EncodeError { de: "mti".to_owned(), reason: "is not four digits" });
        }
        match self.mti {
            Encoding::Bcd => pack(mti.as_bytes(), Spare { side: Side::Left, holds: 0 }, out),
            Encoding::Ebcdic(page) => put_each(mti.as_bytes(), out, |digit| page.ebcdic(*digit)),
            _ => out.put_slice(mti.as_bytes()),
        }
        let has_second = present & u128::from(u64::MAX) != 0;
        let bits = if has_second { present | bit(1) } else { present };
        let used = if has_second || self.both_bitmaps { 16 } else { 8 };
        put_bits(self.bitmap, bits.to_be_bytes().get(..used).unwrap_or_default(), out);
        Ok(())
    }

    /// Writes a fixed binary field over the bytes of one already encoded: for the MAC, which covers what stands before.
    pub fn write_binary(&self, de: u8, value: &[u8], at: &mut [u8]) -> Result<(), EncodeError> {
        let plan = self.plan(de).ok_or_else(|| unknown(de))?;
        let mut encoded = BytesMut::with_capacity(at.len());
        if !matches!(plan.length, Length::Fixed(_)) {
            return Err(refused(de, "has no fixed length"));
        }
        write_flat(plan, value, false, &mut encoded).map_err(|reason| refused(de, reason))?;
        if encoded.len() != at.len() {
            return Err(refused(de, "does not fit its place"));
        }
        at.copy_from_slice(&encoded);
        Ok(())
    }
}

const NOT_HEXADECIMAL: &str = "is not hexadecimal";

pub(crate) fn refused(de: u8, reason: &'static str) -> EncodeError {
    EncodeError { de: de.to_string(), reason }
}

pub(crate) fn unknown(de: u8) -> EncodeError {
    refused(de, "is not part of this spec")
}

impl<'a> From<&'a Value> for Raw<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Text(text) => Self::Text(text.as_bytes()),
            Value::Binary(bytes) => Self::Binary(bytes),
            Value::Parts(parts) => Self::Parts(parts),
        }
    }
}

/// Writes a value of any kind, its length prefix first.
pub(crate) fn write_value(spec: &Spec, plan: &Plan, value: Raw<'_>, out: &mut BytesMut) -> Result<(), PartFault> {
    let layout = plan.layout.and_then(|id| spec.layout(id));
    match (value, layout) {
        (Raw::Text(text), None) => Ok(write_flat(plan, text, true, out)?),
        (Raw::Binary(bytes), None) => Ok(write_flat(plan, bytes, false, out)?),
        (Raw::Text(text), Some(_)) => write_raw_parts(spec, plan, text, true, out),
        (Raw::Binary(bytes), Some(_)) => write_raw_parts(spec, plan, bytes, false, out),
        (Raw::Parts(_), None) => Err("is not made of parts in this spec".into()),
        (Raw::Parts(parts), Some(layout)) => {
            let mut bytes = BytesMut::new();
            parts::write(spec, layout, parts, &mut bytes)?;
            write_encoded(plan, &bytes, out)?;
            Ok(())
        }
    }
}

/// The bytes of a value that is made of parts, which stand there already: they must be parts of the spec.
fn write_raw_parts(spec: &Spec, plan: &Plan, value: &[u8], is_text: bool, out: &mut BytesMut) -> Result<(), PartFault> {
    let start = out.len();
    write_flat(plan, value, is_text, out)?;
    let layout = plan.layout.and_then(|id| spec.layout(id));
    let prefix = match plan.length {
        Length::Variable { prefix, .. } => prefix.size(),
        Length::Fixed(_) | Length::Given { .. } => 0,
    };
    let written = out.get(start + prefix..).unwrap_or_default();
    layout.map_or(Ok(()), |layout| parts::read(spec, layout, written, 0, None))
}

/// Bytes that are encoded already, behind their length.
fn write_encoded(plan: &Plan, encoded: &[u8], out: &mut BytesMut) -> Result<(), &'static str> {
    let units = plan.units(encoded.len()).ok_or("has a length that no value has")?;
    check(plan, encoded, units)?;
    write_prefix(plan, units, encoded.len(), out)?;
    out.put_slice(encoded);
    Ok(())
}

/// The length in front of a value of so many units, or that it is of its fixed length.
#[inline]
fn write_prefix(plan: &Plan, units: usize, on_wire: usize, out: &mut BytesMut) -> Result<(), &'static str> {
    match plan.length {
        Length::Fixed(length) if units < usize::from(length) => Err("is shorter than its fixed length"),
        Length::Fixed(length) if units > usize::from(length) => Err("is longer than its fixed length"),
        Length::Fixed(_) => Ok(()),
        Length::Variable { max, .. } | Length::Given { max } if units > usize::from(max) => {
            Err("is longer than its maximum")
        }
        Length::Variable { prefix, .. } => write_length(prefix, units, on_wire, out),
        Length::Given { .. } => Ok(()),
    }
}

/// Writes characters or bytes, the length prefix first. Characters of a binary field are hexadecimal.
#[inline]
pub(crate) fn write_flat(plan: &Plan, value: &[u8], is_text: bool, out: &mut BytesMut) -> Result<(), &'static str> {
    match (plan.class, is_text) {
        (Class::Binary, false) => write_binary(plan, value, out),
        (Class::Binary, true) => {
            let (pairs, []) = value.as_chunks::<2>() else { return Err(NOT_HEXADECIMAL) };
            if matches!(plan.encoding, Encoding::Binary) {
                write_prefix(plan, pairs.len(), pairs.len(), out)?;
                return if put_from_hexadecimal(pairs, out) { Ok(()) } else { Err(NOT_HEXADECIMAL) };
            }
            let bytes: Option<Vec<u8>> = pairs.iter().map(|[high, low]| from_hexadecimal(*high, *low)).collect();
            write_binary(plan, &bytes.ok_or(NOT_HEXADECIMAL)?, out)
        }
        (_, true) => write_text(plan, value, out),
        (_, false) => Err("is a text field"),
    }
}

fn write_binary(plan: &Plan, bytes: &[u8], out: &mut BytesMut) -> Result<(), &'static str> {
    write_prefix(plan, bytes.len(), plan.wire_length(bytes.len()), out)?;
    match plan.encoding {
        Encoding::Hex | Encoding::HexEbcdic => put_bits(plan.encoding, bytes, out),
        _ => out.put_slice(bytes),
    }
    Ok(())
}

#[inline]
fn write_text(plan: &Plan, text: &[u8], out: &mut BytesMut) -> Result<(), &'static str> {
    writable(plan.class, text)?;
    write_writable_text(plan, text, out)
}

/// Characters that are of the class. Short values of fixed fields are filled as the spec says.
#[inline]
pub(crate) fn write_writable_text(plan: &Plan, text: &[u8], out: &mut BytesMut) -> Result<(), &'static str> {
    let missing = match plan.length {
        Length::Fixed(length) => usize::from(length).saturating_sub(text.len()),
        Length::Variable { .. } | Length::Given { .. } => 0,
    };
    if missing == 0 {
        return put_text(plan, text, out);
    }
    let Some(fill) = plan.fill else { return Err("is shorter than its fixed length") };
    let filling = std::iter::repeat_n(fill.with, missing);
    let text = text.iter().copied();
    let filled: Vec<u8> = match fill.side {
        Side::Left => filling.chain(text).collect(),
        Side::Right => text.chain(filling).collect(),
    };
    put_text(plan, &filled, out)
}

#[inline]
fn put_text(plan: &Plan, text: &[u8], out: &mut BytesMut) -> Result<(), &'static str> {
    if plan.packs_unseen() && plan.spare.holds != 0x0F && !text.len().is_multiple_of(2) {
        return Err(
            "has an odd number of digits, of which its length, told in bytes, says nothing; expected an even one",
        );
    }
    write_prefix(plan, text.len(), plan.wire_length(text.len()), out)?;
    match (plan.encoding, plan.class, text) {
        (Encoding::Bcd, Class::SignedAmount, [sign, digits @ ..]) => {
            out.put_u8(*sign);
            pack(digits, plan.spare, out);
        }
        (Encoding::Bcd, _, _) => pack(text, plan.spare, out),
        (Encoding::Ebcdic(page), _, _) => put_each(text, out, |character| page.ebcdic(*character)),
        _ => out.put_slice(text),
    }
    Ok(())
}
