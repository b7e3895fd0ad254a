//! The header of a key block, which is not secret and is protected by the block's MAC.

use crate::Fault;

/// The fixed part of a header.
const FIXED: usize = 16;

/// Characters of an optional block's id and length.
const OPTIONAL_HEAD: usize = 4;

/// How a block is bound and enciphered (X9.143, 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// Key variant binding, TDES; deprecated.
    A,
    /// Key derivation binding, TDES.
    B,
    /// Key variant binding, TDES; as A.
    C,
    /// Key derivation binding, AES.
    D,
}

impl Version {
    pub fn letter(self) -> u8 {
        match self {
            Self::A => b'A',
            Self::B => b'B',
            Self::C => b'C',
            Self::D => b'D',
        }
    }

    pub fn of_letter(letter: u8) -> Result<Self, Fault> {
        match letter {
            b'A' => Ok(Self::A),
            b'B' => Ok(Self::B),
            b'C' => Ok(Self::C),
            b'D' => Ok(Self::D),
            _ => Err(Fault::KeyBlock("version")),
        }
    }

    /// Bytes of a cipher block.
    pub(super) fn block(self) -> usize {
        if self == Self::D { 16 } else { 8 }
    }

    /// Bytes of the MAC.
    pub(super) fn mac(self) -> usize {
        match self {
            Self::A | Self::C => 4,
            Self::B => 8,
            Self::D => 16,
        }
    }
}

/// What a block says of its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// `P0` PIN encryption, `M3` ISO 9797-1 algorithm 3, `K0` key encryption …
    pub usage: [u8; 2],
    /// `T` for TDES, `D` for DES, `A` for AES.
    pub algorithm: u8,
    /// `E` encrypt, `C` both generate and verify, `B` both …
    pub mode: u8,
    pub key_version: [u8; 2],
    /// `N` not exportable, `E` under keys of this kind, `S` under any.
    pub exportability: u8,
    /// Optional blocks as text, each `id(2) length(2 hex) data`.
    optional: Vec<String>,
}

impl Header {
    /// A header without version number or optional blocks.
    pub fn new(usage: [u8; 2], algorithm: u8, mode: u8, exportability: u8) -> Self {
        Self { usage, algorithm, mode, key_version: *b"00", exportability, optional: Vec::new() }
    }

    /// With a key version number, or `c` and a component's number.
    pub fn with_version(self, key_version: [u8; 2]) -> Self {
        Self { key_version, ..self }
    }

    /// With one more optional block: two characters of id, at most 251 of data.
    pub fn with_optional(mut self, id: &str, data: &str) -> Result<Self, Fault> {
        let length = OPTIONAL_HEAD + data.len();
        let fits = id.len() == 2 && length <= 0xFF && self.optional.len() < 98;
        if !fits
            || !id.bytes().all(|byte| byte.is_ascii_alphanumeric())
            || !data.bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Err(Fault::KeyBlock("optional block"));
        }
        self.optional.push(format!("{id}{length:02X}{data}"));
        Ok(self)
    }

    /// Ids and data of the optional blocks, padding (`PB`) included.
    pub fn optional(&self) -> impl Iterator<Item = (&str, &str)> {
        self.optional.iter().filter_map(|block| Some((block.get(..2)?, block.get(OPTIONAL_HEAD..)?)))
    }

    /// Without the optional block that fills the header to whole cipher blocks.
    pub fn without_padding(mut self) -> Self {
        self.optional.retain(|block| !block.starts_with("PB"));
        self
    }

    /// Header of a block whose enciphered key and MAC are `rest` characters long.
    pub(super) fn write(&self, version: Version, rest: usize) -> Result<String, Fault> {
        let text = [&self.usage[..], &[self.algorithm, self.mode], &self.key_version, &[self.exportability]].concat();
        if !text.iter().all(u8::is_ascii_alphanumeric) {
            return Err(Fault::KeyBlock("header"));
        }
        let mut optional: String = self.optional.concat();
        let mut count = self.optional.len();
        if !optional.len().is_multiple_of(version.block()) {
            let filled = (optional.len() + OPTIONAL_HEAD).next_multiple_of(version.block());
            let length = filled - optional.len();
            optional += &format!("PB{length:02X}{}", "0".repeat(length - OPTIONAL_HEAD));
            count += 1;
        }
        let length = FIXED + optional.len() + rest;
        if count > 99 || length > super::LENGTH_MAX {
            return Err(Fault::KeyBlock("too long"));
        }
        let version = char::from(version.letter());
        Ok(format!("{version}{length:04}{}{count:02}00{optional}", String::from_utf8_lossy(&text)))
    }

    /// The version, the header and its length in characters.
    pub(super) fn read(block: &str) -> Result<(Version, Self, usize), Fault> {
        let malformed = Fault::KeyBlock("header");
        let fixed: [u8; FIXED] = block.as_bytes().first_chunk().copied().ok_or(malformed)?;
        let version = Version::of_letter(fixed[0])?;
        if !fixed.iter().all(u8::is_ascii_alphanumeric) || &fixed[14..] != b"00" {
            return Err(malformed);
        }
        if super::length(block) != Some(block.len()) || !block.len().is_multiple_of(version.block()) {
            return Err(Fault::KeyBlock("length"));
        }
        let count = block.get(12..14).and_then(|digits| digits.parse::<usize>().ok()).ok_or(malformed)?;
        let (optional, at) = read_optional(block, count)?;
        let header = Self {
            usage: [fixed[5], fixed[6]],
            algorithm: fixed[7],
            mode: fixed[8],
            key_version: [fixed[9], fixed[10]],
            exportability: fixed[11],
            optional,
        };
        Ok((version, header, at))
    }
}

fn read_optional(block: &str, count: usize) -> Result<(Vec<String>, usize), Fault> {
    let malformed = Fault::KeyBlock("optional block");
    let mut optional = Vec::new();
    let mut at = FIXED;
    for _ in 0..count {
        let length = block.get(at + 2..at + OPTIONAL_HEAD).and_then(|text| usize::from_str_radix(text, 16).ok());
        let length = length.filter(|length| *length >= OPTIONAL_HEAD).ok_or(malformed)?;
        optional.push(block.get(at..at + length).ok_or(malformed)?.to_owned());
        at += length;
    }
    Ok((optional, at))
}
