//! The compiled form of one field: small, flat, no strings on the way of a message.

use serde::Deserialize;

/// Which characters a field may hold (ISO 8583:1987, 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Class {
    /// Digits.
    #[serde(rename = "n")]
    Numeric,
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

/// How the value stands on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// One byte a character.
    Ascii,
    /// Two digits a byte. The sign of a signed amount stays a character.
    Bcd,
    /// Bytes as upper-case hexadecimal characters.
    Hex,
    /// Bytes as they are.
    Binary,
}

/// Where the spare half byte of an odd number of packed digits is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    Left,
    Right,
}

/// What must not be shown, and how much of it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
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

/// How long a value is, in its own units (characters, or bytes of a binary field).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    Fixed(u16),
    /// Length prefix of this many digits, packed or not; it counts the value's units, or for
    /// [`Encoding::Hex`] the characters on the wire.
    Variable {
        digits: u8,
        packed: bool,
        max: u16,
    },
}

/// Everything decoding and encoding must know of one field.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub class: Class,
    pub encoding: Encoding,
    pub length: Length,
    pub odd: Side,
}

impl Plan {
    /// Bytes on the wire for a value of `units`.
    pub fn wire_length(&self, units: usize) -> usize {
        match (self.encoding, self.class) {
            (Encoding::Bcd, Class::SignedAmount) => 1 + units.saturating_sub(1).div_ceil(2),
            (Encoding::Bcd, _) => units.div_ceil(2),
            (Encoding::Hex, _) => units * 2,
            (Encoding::Ascii | Encoding::Binary, _) => units,
        }
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
