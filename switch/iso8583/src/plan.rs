//! The compiled form of one field: small, flat, no strings on the way of a message.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::charset::CodePage;

/// Which characters a field may hold (ISO 8583:1987, 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum Class {
    /// Digits.
    #[serde(rename = "n")]
    Numeric,
    /// Letters and spaces.
    #[serde(rename = "a")]
    Alphabetic,
    /// Letters, digits and spaces.
    #[serde(rename = "an")]
    Alphanumeric,
    /// Printable characters.
    #[serde(rename = "ans")]
    Text,
    /// Bytes.
    #[serde(rename = "b")]
    Binary,
    /// Track 2: digits and one separator `=`.
    #[serde(rename = "z")]
    Track,
    /// A sign C or D before digits.
    #[serde(rename = "x+n")]
    SignedAmount,
}

/// How a value stands on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// One byte a character.
    Ascii,
    /// One byte a character.
    Ebcdic(CodePage),
    /// Two digits a byte. The sign of a signed amount stays an ASCII character.
    Bcd,
    /// Bytes as upper-case hexadecimal characters.
    Hex,
    /// The same, the characters in EBCDIC.
    HexEbcdic,
    /// Bytes as they are.
    Binary,
}

/// Where the spare half byte of an odd number of packed digits is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    Left,
    Right,
}

/// The spare half byte of an odd number of packed digits: where, and what it holds (0 to 15).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spare {
    pub side: Side,
    pub holds: u8,
}

/// What short values of a fixed length are filled with when they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fill {
    pub side: Side,
    pub with: u8,
}

/// What must not be shown, and how much of it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Sensitivity {
    /// First six and last four digits may be shown.
    Pan,
    /// Track data: its PAN may be shown masked, nothing else.
    Track,
    Pin,
    Mac,
    Key,
    Emv,
    Card,
}

/// A number in front of a value that says how long it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix {
    /// Digits; bytes where `form` is binary.
    pub width: u8,
    pub form: PrefixForm,
    pub counts: Counts,
    /// Whether the number counts the prefix itself too.
    pub inclusive: bool,
}

impl Prefix {
    /// Bytes on the wire.
    pub fn size(self) -> usize {
        let width = usize::from(self.width);
        if self.form == PrefixForm::Bcd { width.div_ceil(2) } else { width }
    }

    /// The largest number it can say.
    pub fn largest(self) -> usize {
        let base = if self.form == PrefixForm::Binary { 256_usize } else { 10 };
        base.checked_pow(u32::from(self.width)).map_or(usize::MAX, |above| above - 1)
    }
}

/// How the number of a [`Prefix`] is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PrefixForm {
    Ascii,
    Ebcdic,
    Bcd,
    /// Big-endian.
    Binary,
}

/// What the number of a [`Prefix`] counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Counts {
    /// The value's own units: characters, digits, or bytes of a binary field.
    #[default]
    Units,
    /// Bytes on the wire: half the digits of a packed value, twice the bytes of a hexadecimal one.
    Wire,
}

/// How long a value is, in its own units (characters, digits, or bytes of a binary field).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    Fixed(u16),
    Variable {
        prefix: Prefix,
        max: u16,
    },
    /// As long as what holds it says: the value of a tag.
    Given {
        max: u16,
    },
}

impl Length {
    pub fn max(self) -> u16 {
        match self {
            Self::Fixed(max) | Self::Variable { max, .. } | Self::Given { max } => max,
        }
    }
}

/// Everything decoding and encoding must know of one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    pub class: Class,
    pub encoding: Encoding,
    pub length: Length,
    pub spare: Spare,
    /// `None`: short values are refused.
    pub fill: Option<Fill>,
    /// Which of the spec's layouts its value has, where it is made of parts.
    pub layout: Option<LayoutId>,
}

/// An index into a spec's layouts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayoutId(pub(crate) u16);

impl Plan {
    /// Bytes on the wire for a value of `units`.
    #[inline]
    pub fn wire_length(&self, units: usize) -> usize {
        match (self.encoding, self.class) {
            (Encoding::Bcd, Class::SignedAmount) => 1 + units.saturating_sub(1).div_ceil(2),
            (Encoding::Bcd, _) => units.div_ceil(2),
            (Encoding::Hex | Encoding::HexEbcdic, _) => units * 2,
            (Encoding::Ascii | Encoding::Ebcdic(_) | Encoding::Binary, _) => units,
        }
    }

    /// Units of a value of so many bytes on the wire; `None` where no value is that long.
    pub fn units(&self, wire: usize) -> Option<usize> {
        match (self.encoding, self.class) {
            (Encoding::Bcd, Class::SignedAmount) => Some(1 + wire.checked_sub(1)? * 2),
            (Encoding::Bcd, _) => Some(wire * 2),
            (Encoding::Hex | Encoding::HexEbcdic, _) => wire.is_multiple_of(2).then_some(wire / 2),
            (Encoding::Ascii | Encoding::Ebcdic(_) | Encoding::Binary, _) => Some(wire),
        }
    }

    /// Whether the length of a packed value is told in bytes, of which a last digit more or less says nothing.
    pub(crate) fn packs_unseen(&self) -> bool {
        let in_bytes = match self.length {
            Length::Fixed(_) => false,
            Length::Variable { prefix, .. } => prefix.counts == Counts::Wire,
            Length::Given { .. } => true,
        };
        in_bytes && self.encoding == Encoding::Bcd
    }

    /// The units of a value whose length was told in bytes: one less where its spare half byte is filled with F, which
    /// is no digit. `None` where that is more than the field's maximum.
    #[inline]
    pub(crate) fn units_within(&self, units: usize, value: &[u8]) -> Option<usize> {
        if self.spare.holds != 0x0F || !self.packs_unseen() {
            return Some(units);
        }
        let half = match self.spare.side {
            Side::Left => value.first().map(|byte| byte >> 4),
            Side::Right => value.last().map(|byte| byte & 0x0F),
        };
        let units = if half == Some(self.spare.holds) { units - 1 } else { units };
        (units <= usize::from(self.length.max())).then_some(units)
    }

    /// Whether the same bytes are the same value by both.
    pub(crate) fn is_same_on_the_wire(&self, other: &Self) -> bool {
        let length = match (self.length, other.length) {
            (Length::Variable { prefix, .. }, Length::Variable { prefix: theirs, .. }) => prefix == theirs,
            (ours, theirs) => ours == theirs,
        };
        length && self.class == other.class && self.encoding == other.encoding && self.spare == other.spare
    }
}

/// What people and tools may want to know of a field.
#[derive(Clone, Debug)]
pub struct FieldInfo {
    pub name: String,
    pub sensitivity: Option<Sensitivity>,
    pub is_binary: bool,
    /// Largest value, in its own units.
    pub max: u16,
}
