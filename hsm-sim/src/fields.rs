//! Reading the fields of a command. Every length is checked before anything is taken.

use payment_crypto::TdesKey;

use crate::error::Code;
use crate::key_type::KeyType;
use crate::lmk::{Lmk, Scheme};

/// What is left of a command.
pub struct Fields<'a>(&'a [u8]);

/// A key as it stands in a command.
pub struct CipheredKey {
    pub scheme: Scheme,
    pub cryptogram: Vec<u8>,
}

impl CipheredKey {
    /// The clear key of a type; `parity` is the error code for a key without odd parity.
    pub fn open(&self, lmk: &Lmk, key_type: KeyType, parity: Code) -> Result<TdesKey, Code> {
        lmk.unwrap(key_type, self.scheme, &self.cryptogram, parity)
    }
}

impl<'a> Fields<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// Raw bytes.
    pub fn bytes(&mut self, count: usize) -> Result<&'a [u8], Code> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Code::INPUT)?;
        self.0 = rest;
        Ok(taken)
    }

    pub fn byte(&mut self) -> Result<u8, Code> {
        Ok(self.bytes(1)?[0])
    }

    /// Printable characters.
    pub fn text(&mut self, count: usize) -> Result<&'a str, Code> {
        std::str::from_utf8(self.bytes(count)?).ok().filter(|text| text.is_ascii()).ok_or(Code::INPUT)
    }

    /// Decimal digits; `fault` when they are not.
    pub fn digits(&mut self, count: usize, fault: Code) -> Result<&'a str, Code> {
        let text = self.text(count)?;
        if text.bytes().all(|byte| byte.is_ascii_digit()) { Ok(text) } else { Err(fault) }
    }

    /// Bytes given as hexadecimal digits.
    pub fn hex(&mut self, count: usize) -> Result<Vec<u8>, Code> {
        let text = self.text(count * 2)?;
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let pairs = text.as_bytes().chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?));
        pairs.collect::<Option<_>>().ok_or(Code::INPUT)
    }

    /// Eight bytes as hexadecimal digits.
    pub fn block(&mut self) -> Result<[u8; 8], Code> {
        self.hex(8)?.try_into().map_err(|_| Code::INPUT)
    }

    /// A length of four hexadecimal digits.
    pub fn length(&mut self) -> Result<usize, Code> {
        let bytes = self.hex(2)?;
        Ok(usize::from(bytes[0]) << 8 | usize::from(bytes[1]))
    }

    /// A key: with a scheme letter, or without one and `bare` bytes long (0 takes what is there, up to 16 bytes).
    pub fn key(&mut self, bare: usize) -> Result<CipheredKey, Code> {
        let letter = *self.0.first().ok_or(Code::INPUT)?;
        let scheme = match letter {
            b'U' | b'T' | b'X' | b'Y' | b'Z' => {
                self.byte()?;
                Scheme::parse(letter)?
            }
            _ if bare == 16 || bare == 0 && self.0.len() >= 32 => Scheme::DoubleAnsi,
            _ => Scheme::Single,
        };
        Ok(CipheredKey { scheme, cryptogram: self.hex(scheme.key_length())? })
    }

    /// Whether the delimiter comes next; it is taken.
    pub fn delimiter(&mut self, wanted: u8) -> bool {
        match self.0 {
            [first, rest @ ..] if *first == wanted => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }
}
