//! Key types: a variant digit and a code that names the LMK pair.

use crate::error::Code;

/// Which LMK pair a key is under, and which variant of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyType {
    pub variant: usize,
    /// Index of the LMK pair: 2 for pair 04-05.
    pub pair: usize,
}

/// Zone master key.
pub const ZMK: KeyType = KeyType { variant: 0, pair: 2 };
/// Terminal master, terminal PIN and PIN verification key share a type.
pub const TMK: KeyType = KeyType { variant: 0, pair: 7 };
pub const TPK: KeyType = TMK;
pub const PVK: KeyType = TMK;
/// Zone PIN key.
pub const ZPK: KeyType = KeyType { variant: 0, pair: 3 };
/// Terminal and zone authentication keys.
pub const TAK: KeyType = KeyType { variant: 0, pair: 8 };
pub const ZAK: KeyType = KeyType { variant: 0, pair: 13 };
/// Card verification key.
pub const CVK: KeyType = KeyType { variant: 4, pair: 7 };

/// LMK pairs of the codes 00 to 0E.
const PAIRS: [usize; 15] = [2, 3, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19];

impl KeyType {
    /// Three characters: variant digit, then the pair's code in hexadecimal.
    pub fn parse(text: &str) -> Result<Self, Code> {
        let (variant, code) = text.split_at_checked(1).ok_or(Code::KEY_TYPE)?;
        let variant = variant.parse().map_err(|_| Code::KEY_TYPE)?;
        Ok(Self { variant, ..Self::from_code(code)? })
    }

    /// Two characters: the pair's code alone.
    pub fn from_code(code: &str) -> Result<Self, Code> {
        let index = usize::from_str_radix(code, 16).map_err(|_| Code::KEY_TYPE)?;
        let pair = PAIRS.get(index).copied().filter(|_| code.len() == 2).ok_or(Code::KEY_TYPE)?;
        Ok(Self { variant: 0, pair })
    }
}
