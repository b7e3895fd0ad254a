//! A clear key of either algorithm.

use payment_crypto::{AesKey, Fault, TdesKey, kcv};

use crate::error::Code;

/// A clear key. It is wiped on drop and never shown.
#[derive(Debug)]
pub enum Secret {
    Tdes(TdesKey),
    Aes(AesKey),
}

impl Secret {
    /// A key of an algorithm of X9.143: `T` and `D` for TDES and DES, `A` for AES.
    pub fn new(algorithm: u8, bytes: &[u8]) -> Result<Self, Code> {
        match algorithm {
            b'T' | b'D' => Ok(Self::Tdes(TdesKey::from_bytes(bytes)?)),
            b'A' => Ok(Self::Aes(AesKey::from_bytes(bytes)?)),
            _ => Err(Code::KEY_BLOCK_ALGORITHM),
        }
    }

    pub fn algorithm(&self) -> u8 {
        match self {
            Self::Tdes(_) => b'T',
            Self::Aes(_) => b'A',
        }
    }

    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Tdes(key) => key.bytes(),
            Self::Aes(key) => key.bytes(),
        }
    }

    /// The key, where only TDES will do.
    pub fn tdes(&self) -> Result<&TdesKey, Code> {
        match self {
            Self::Tdes(key) => Ok(key),
            Self::Aes(_) => Err(Code::KEY_BLOCK_ALGORITHM),
        }
    }

    /// The key, where only AES will do.
    pub fn aes(&self) -> Result<&AesKey, Code> {
        match self {
            Self::Aes(key) => Ok(key),
            Self::Tdes(_) => Err(Code::KEY_BLOCK_ALGORITHM),
        }
    }

    /// Check value in hexadecimal, at most sixteen digits of it.
    pub fn check_value(&self) -> Result<String, Fault> {
        let bytes = match self {
            Self::Tdes(key) => kcv::tdes(key),
            Self::Aes(key) => kcv::aes(key)?.first_chunk().copied().unwrap_or_default(),
        };
        Ok(crate::hex::upper(&bytes))
    }
}
