//! A decoded message: spans over the bytes it was decoded from.

use std::borrow::Cow;
use std::ops::Range;

use crate::LAST_DATA_ELEMENT;
use crate::fields::Fields;
use crate::parts;
use crate::plan::{Class, Encoding, Plan};
use crate::spec::Spec;
use crate::value::{Parts, Value};
use crate::wire::{from_ebcdic_hex, from_hex, unpack};

/// Where a field is: `start..end` with its prefix, the value from `value` on, `units` long in its own units.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Span {
    pub start: u16,
    pub value: u16,
    pub end: u16,
    pub units: u16,
}

const SLOTS: usize = LAST_DATA_ELEMENT as usize + 1;

/// A decoded message: spans over the bytes it was decoded from. About a kilobyte, no allocation.
pub struct Message<'a> {
    pub(crate) spec: &'a Spec,
    pub(crate) wire: &'a [u8],
    pub(crate) mti: [u8; 4],
    pub(crate) has_mti: bool,
    pub(crate) present: u128,
    pub(crate) spans: [Span; SLOTS],
}

impl std::fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message").field("mti", &self.mti()).field("present", &self.des().collect::<Vec<_>>()).finish()
    }
}

/// The bit of a data element: 1 is the most significant. None for what is no data element.
#[inline]
pub(crate) fn bit(de: u8) -> u128 {
    128_u32.checked_sub(u32::from(de)).and_then(|by| 1_u128.checked_shl(by)).unwrap_or(0)
}

/// The data elements of a set of bits, ascending.
pub(crate) fn elements(mut bits: u128) -> impl Iterator<Item = u8> {
    std::iter::from_fn(move || {
        // At most 127 where any bit is set.
        let before = bits.leading_zeros() as u8;
        bits &= !(1_u128 << 127).checked_shr(u32::from(before)).unwrap_or(0);
        (before < 128).then_some(before + 1)
    })
}

impl<'a> Message<'a> {
    pub(crate) fn empty(spec: &'a Spec, wire: &'a [u8]) -> Self {
        Self { spec, wire, mti: [0; 4], has_mti: false, present: 0, spans: [Span::default(); SLOTS] }
    }

    /// The four digits; empty when not even they could be read.
    pub fn mti(&self) -> &str {
        if self.has_mti { std::str::from_utf8(&self.mti).unwrap_or_default() } else { "" }
    }

    pub fn has(&self, de: u8) -> bool {
        self.present & bit(de) != 0
    }

    /// Data elements present, ascending.
    pub fn des(&self) -> impl Iterator<Item = u8> + use<> {
        elements(self.present)
    }

    pub(crate) fn present(&self) -> u128 {
        self.present
    }

    /// The spec it was decoded by.
    pub fn spec(&self) -> &'a Spec {
        self.spec
    }

    /// All bytes the message was decoded from.
    pub fn wire(&self) -> &'a [u8] {
        self.wire
    }

    /// What the field is decoded by, where it is, and its value's bytes without the prefix.
    pub(crate) fn found(&self, de: u8) -> Option<(&'a Plan, Span, &'a [u8])> {
        if self.has(de) { self.located(de) } else { None }
    }

    /// The same of a field that is there.
    #[inline]
    pub(crate) fn located(&self, de: u8) -> Option<(&'a Plan, Span, &'a [u8])> {
        let span = *self.spans.get(usize::from(de))?;
        let value = self.wire.get(usize::from(span.value)..usize::from(span.end))?;
        Some((self.spec.plan(de)?, span, value))
    }

    /// The bytes of a field, its length prefix included.
    pub fn span(&self, de: u8) -> Option<Range<usize>> {
        let (_, span, _) = self.found(de)?;
        Some(usize::from(span.start)..usize::from(span.end))
    }

    /// The value of a field that is not binary.
    pub fn text(&self, de: u8) -> Option<Cow<'a, str>> {
        let (plan, span, value) = self.found(de)?;
        text_of(plan, value, usize::from(span.units))
    }

    /// The value of a binary field.
    pub fn binary(&self, de: u8) -> Option<Cow<'a, [u8]>> {
        let (plan, _, value) = self.found(de)?;
        binary_of(plan, value)
    }

    /// The parts of a field that is made of parts.
    pub fn parts(&self, de: u8) -> Option<Parts> {
        let (plan, span, value) = self.found(de)?;
        let layout = self.spec.layout(plan.layout?)?;
        let mut parts = Parts::new();
        // Decoding has been through it: this does not fail.
        parts::read(self.spec, layout, value, usize::from(span.value), Some(&mut parts)).ok()?;
        Some(parts)
    }

    /// The value of any field.
    pub fn value(&self, de: u8) -> Option<Value> {
        let parts = self.parts(de).map(Value::Parts);
        let text = || self.text(de).map(|text| Value::Text(text.into_owned()));
        parts.or_else(text).or_else(|| self.binary(de).map(|bytes| Value::Binary(bytes.into_owned())))
    }

    /// An owned copy.
    pub fn to_fields(&self) -> Fields {
        let mut fields = Fields::new(self.mti());
        for de in self.des() {
            if let Some(parts) = self.parts(de) {
                fields.set_parts(de, parts);
            } else if let Some(text) = self.text(de) {
                fields.set(de, text);
            } else if let Some(bytes) = self.binary(de) {
                fields.set_binary(de, bytes);
            }
        }
        fields
    }
}

/// The characters of a value that is not binary.
pub(crate) fn text_of<'a>(plan: &Plan, value: &'a [u8], units: usize) -> Option<Cow<'a, str>> {
    match (plan.class, plan.encoding) {
        (Class::Binary, _) => None,
        (Class::Track, Encoding::Ascii) if value.contains(&b'D') => {
            Some(Cow::Owned(std::str::from_utf8(value).ok()?.replace('D', "=")))
        }
        (_, Encoding::Ascii) => std::str::from_utf8(value).ok().map(Cow::Borrowed),
        _ => {
            let mut text = Vec::with_capacity(units);
            put_text(plan, value, units, &mut text);
            String::from_utf8(text).ok().map(Cow::Owned)
        }
    }
}

/// The same behind what `text` holds.
pub(crate) fn put_text(plan: &Plan, value: &[u8], units: usize, text: &mut Vec<u8>) {
    match (plan.class, plan.encoding, value) {
        (Class::SignedAmount, Encoding::Bcd, [sign, packed @ ..]) => {
            text.push(*sign);
            unpack(packed, units.saturating_sub(1), plan.spare, text);
        }
        (_, Encoding::Bcd, packed) => unpack(packed, units, plan.spare, text),
        (class, Encoding::Ebcdic(page), value) => text.extend(value.iter().map(|byte| match page.ascii(*byte) {
            b'D' if class == Class::Track => b'=',
            character => character,
        })),
        (_, _, value) => text.extend_from_slice(value),
    }
}

/// The bytes of a binary value.
pub(crate) fn binary_of<'a>(plan: &Plan, value: &'a [u8]) -> Option<Cow<'a, [u8]>> {
    match (plan.class, plan.encoding) {
        (Class::Binary, Encoding::Hex) => from_hex(std::str::from_utf8(value).ok()?).map(Cow::Owned),
        (Class::Binary, Encoding::HexEbcdic) => from_ebcdic_hex(value).map(Cow::Owned),
        (Class::Binary, _) => Some(Cow::Borrowed(value)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_elements_and_elements_bits() {
        assert_eq!((bit(0), bit(1), bit(128), bit(129)), (0, 1 << 127, 1, 0));
        let all = [1, 2, 63, 64, 65, 127, 128];
        let bits = all.iter().fold(0, |bits, de| bits | bit(*de));
        assert_eq!(elements(bits).collect::<Vec<_>>(), all);
        assert_eq!(elements(0).count(), 0);
    }
}
