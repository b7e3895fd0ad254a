//! The letters in front of a key that say how it is enciphered and how long it is.

use crate::error::Code;

/// How a key's parts are enciphered, and how long it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `Z` or `0`, or 16 digits without a letter. Where a longer key is to be written by it, that is plain ECB too.
    Single,
    /// `U`.
    DoubleVariant,
    /// `T`.
    TripleVariant,
    /// `X`, or 32 digits without a letter.
    DoubleAnsi,
    /// `Y`.
    TripleAnsi,
    /// `S`: a key block under a key-block LMK.
    KeyBlock,
    /// `R`: a TR-31 key block under a zone or terminal master key.
    Tr31,
}

/// Changes for the parts of a double (U) and a triple (T) length key.
const PARTS_OF_TWO: [u8; 2] = [0xA6, 0x5A];
const PARTS_OF_THREE: [u8; 3] = [0x6A, 0xDE, 0x2B];

impl Scheme {
    pub fn parse(letter: u8) -> Result<Self, Code> {
        match letter {
            b'Z' | b'0' => Ok(Self::Single),
            b'U' => Ok(Self::DoubleVariant),
            b'T' => Ok(Self::TripleVariant),
            b'X' => Ok(Self::DoubleAnsi),
            b'Y' => Ok(Self::TripleAnsi),
            b'S' => Ok(Self::KeyBlock),
            b'R' => Ok(Self::Tr31),
            _ => Err(Code::KEY_SCHEME),
        }
    }

    /// The letter; none for a key without one.
    pub fn letter(self) -> &'static str {
        match self {
            Self::Single => "",
            Self::DoubleVariant => "U",
            Self::TripleVariant => "T",
            Self::DoubleAnsi => "X",
            Self::TripleAnsi => "Y",
            Self::KeyBlock => "S",
            Self::Tr31 => "R",
        }
    }

    /// Bytes of a key of this scheme, where the scheme says.
    pub fn key_length(self) -> Result<usize, Code> {
        match self {
            Self::Single => Ok(8),
            Self::DoubleVariant | Self::DoubleAnsi => Ok(16),
            Self::TripleVariant | Self::TripleAnsi => Ok(24),
            Self::KeyBlock | Self::Tr31 => Err(Code::KEY_SCHEME),
        }
    }

    /// Whether a key of so many bytes can be written by it. Without a letter, two parts of ECB are the older form of X.
    pub fn fits(self, bytes: usize) -> bool {
        match self {
            Self::Single => bytes == 8 || bytes == 16,
            Self::KeyBlock | Self::Tr31 => true,
            _ => self.key_length() == Ok(bytes),
        }
    }

    /// What the master key's right half is changed by for each part of the key.
    pub fn part_changes(self) -> &'static [u8] {
        match self {
            Self::DoubleVariant => &PARTS_OF_TWO,
            Self::TripleVariant => &PARTS_OF_THREE,
            _ => &[],
        }
    }
}
