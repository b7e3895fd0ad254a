//! How session keys travel under a terminal's TMK.

use payment_crypto::{Fault, TdesKey, kcv, tr31};
use zeroize::Zeroizing;

use crate::Error;

/// The scheme a terminal is set up with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyScheme {
    /// TR-31 key block, version B.
    Tr31,
    /// `X`, the key under the TMK in ECB, and six digits of its check value.
    Ecb,
}

/// What a session key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// `PK`, the TPK: enciphers PIN blocks.
    Pin,
    /// `MK`, the TAK: makes and verifies MACs.
    Mac,
}

/// Session keys are double length.
pub(crate) const KEY_BYTES: usize = 16;

/// Digits of check value behind an ECB cryptogram.
pub(crate) const KCV_DIGITS: usize = 6;

impl Purpose {
    /// The tag in DE 62.
    pub fn tag(self) -> &'static str {
        match self {
            Self::Pin => "PK",
            Self::Mac => "MK",
        }
    }

    /// Usage and mode its key block must state.
    fn usage_and_mode(self) -> ([u8; 2], u8) {
        match self {
            Self::Pin => (*b"P0", b'E'),
            Self::Mac => (*b"M3", b'C'),
        }
    }
}

impl KeyScheme {
    pub fn name(self) -> &'static str {
        match self {
            Self::Tr31 => "tr31",
            Self::Ecb => "ecb",
        }
    }

    /// Opens one session key, and refuses it unless everything it says of itself fits its purpose.
    pub fn open(self, tmk: &TdesKey, purpose: Purpose, value: &str) -> Result<TdesKey, Error> {
        let opened = match self {
            Self::Tr31 => open_tr31(tmk, purpose, value),
            Self::Ecb => open_ecb(tmk, value),
        };
        opened.map_err(|reason| Error::SessionKey { tag: purpose.tag(), reason })
    }
}

impl std::str::FromStr for KeyScheme {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "tr31" => Ok(Self::Tr31),
            "ecb" => Ok(Self::Ecb),
            _ => Err(Error::KeyScheme(text.to_owned())),
        }
    }
}

fn open_tr31(tmk: &TdesKey, purpose: Purpose, block: &str) -> Result<TdesKey, String> {
    let (header, key) = tr31::unwrap(tmk.bytes(), block).map_err(in_words)?;
    let (usage, mode) = purpose.usage_and_mode();
    if (header.usage, header.mode) != (usage, mode) {
        return Err(format!("its usage and mode are not {} and {}", String::from_utf8_lossy(&usage), char::from(mode)));
    }
    if header.algorithm != b'T' {
        return Err("its algorithm is not T".to_owned());
    }
    if header.exportability != b'N' {
        return Err("its exportability is not N".to_owned());
    }
    double_length(&key)
}

pub(crate) fn open_ecb(tmk: &TdesKey, value: &str) -> Result<TdesKey, String> {
    let form = "it is not X, 32 hexadecimal digits and a check value of 6";
    let digits = value.strip_prefix('X').filter(|digits| digits.len() == KEY_BYTES * 2 + KCV_DIGITS).ok_or(form)?;
    let (cryptogram, check) = digits.split_at_checked(KEY_BYTES * 2).ok_or(form)?;
    let cryptogram = hex::decode(cryptogram).map_err(|_| form)?;
    let key: Zeroizing<Vec<u8>> = tmk.decrypt_ecb(&cryptogram).map_err(in_words)?;
    let key = double_length(&key)?;
    let computed = hex::encode_upper(kcv::tdes(&key));
    if !computed.get(..KCV_DIGITS).is_some_and(|computed| computed.eq_ignore_ascii_case(check)) {
        return Err("its check value is wrong".to_owned());
    }
    Ok(key)
}

pub(crate) fn double_length(key: &[u8]) -> Result<TdesKey, String> {
    if key.len() != KEY_BYTES {
        return Err("it is not of double length".to_owned());
    }
    TdesKey::from_bytes(key).map_err(in_words)
}

pub(crate) fn in_words(fault: Fault) -> String {
    fault.to_string()
}
