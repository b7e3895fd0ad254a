//! Key blocks of TR-31 (ANSI X9.143) version B: keys that carry what they may be used for.
//!
//! The key is enciphered with TDES-CBC under one key derived from the key block protection key, the MAC over header
//! and clear key made with another; the MAC is the CBC's initial vector.

use cmac::{Cmac, KeyInit, Mac};
use des::{TdesEde2, TdesEde3};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::tdes::BLOCK;
use crate::{Fault, Random, TdesKey};

/// The fixed part of a header.
const HEADER: usize = 16;

/// Longest block taken; its length is four digits.
const LENGTH_MAX: usize = 9999;

/// What a block says of its key. Optional blocks are taken as they stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// `P0` PIN encryption, `M3` ISO 9797-1 algorithm 3, `K0` key encryption …
    pub usage: [u8; 2],
    /// `T` for TDES, `D` for DES, `A` for AES.
    pub algorithm: u8,
    /// `E` encrypt, `C` both generate and verify, `B` both …
    pub mode: u8,
    pub key_version: [u8; 2],
    /// `N` not exportable, `E`, `S`.
    pub exportability: u8,
    /// Optional blocks as text, each `id(2) length(2 hex) data`.
    pub optional: Vec<String>,
}

impl Header {
    /// A header without version number or optional blocks.
    pub fn new(usage: [u8; 2], algorithm: u8, mode: u8, exportability: u8) -> Self {
        Self { usage, algorithm, mode, key_version: *b"00", exportability, optional: Vec::new() }
    }

    fn write(&self, length: usize) -> Result<String, Fault> {
        let count = self.optional.len();
        if count > 99 || length > LENGTH_MAX {
            return Err(Fault::KeyBlock("too long"));
        }
        let text = [&self.usage[..], &[self.algorithm, self.mode], &self.key_version, &[self.exportability]].concat();
        if !text.iter().all(u8::is_ascii_alphanumeric) {
            return Err(Fault::KeyBlock("header"));
        }
        Ok(format!("B{length:04}{}{count:02}00{}", String::from_utf8_lossy(&text), self.optional.concat()))
    }

    /// The header and its length in characters.
    fn read(block: &str) -> Result<(Self, usize), Fault> {
        let malformed = Fault::KeyBlock("header");
        let bytes = block.as_bytes();
        let fixed: [u8; HEADER] = bytes.first_chunk().copied().ok_or(malformed)?;
        if fixed[0] != b'B' {
            return Err(Fault::KeyBlock("version"));
        }
        if !fixed.iter().all(u8::is_ascii_alphanumeric) || &fixed[14..] != b"00" {
            return Err(malformed);
        }
        let number = |range: std::ops::Range<usize>| block.get(range).and_then(|text| text.parse::<usize>().ok());
        if number(1..5) != Some(block.len()) {
            return Err(Fault::KeyBlock("length"));
        }
        let mut optional = Vec::new();
        let mut at = HEADER;
        for _ in 0..number(12..14).ok_or(malformed)? {
            let length = block.get(at + 2..at + 4).and_then(|text| usize::from_str_radix(text, 16).ok());
            let length = length.filter(|length| *length >= 4).ok_or(Fault::KeyBlock("optional block"))?;
            let part = block.get(at..at + length).ok_or(Fault::KeyBlock("optional block"))?;
            optional.push(part.to_owned());
            at += length;
        }
        let header = Self {
            usage: [fixed[5], fixed[6]],
            algorithm: fixed[7],
            mode: fixed[8],
            key_version: [fixed[9], fixed[10]],
            exportability: fixed[11],
            optional,
        };
        Ok((header, at))
    }
}

/// Wraps a key under a double or triple length TDES key block protection key.
pub fn wrap(kbpk: &TdesKey, header: &Header, key: &[u8], random: Random<'_>) -> Result<String, Fault> {
    if key.is_empty() || key.len() > 64 {
        return Err(Fault::KeyLength);
    }
    let (encryption, authentication) = derive(kbpk)?;
    let bits = u16::try_from(key.len() * 8).map_err(|_| Fault::KeyLength)?;
    let mut clear = Zeroizing::new(Vec::with_capacity(key.len() + 16));
    clear.extend_from_slice(&bits.to_be_bytes());
    clear.extend_from_slice(key);
    let filled = clear.len().next_multiple_of(BLOCK);
    let start = clear.len();
    clear.resize(filled, 0);
    random(clear.get_mut(start..).unwrap_or_default())?;
    let optional: usize = header.optional.iter().map(String::len).sum();
    let head = header.write(HEADER + optional + clear.len() * 2 + BLOCK * 2)?;
    if !(HEADER + optional).is_multiple_of(BLOCK) {
        return Err(Fault::KeyBlock("optional blocks do not fill whole cipher blocks"));
    }
    let mac = cmac(&authentication, &[head.as_bytes(), &clear])?;
    let enciphered = encryption.encrypt_cbc(mac, &clear)?;
    Ok(format!("{head}{}{}", hex(&enciphered), hex(&mac)))
}

/// Checks and opens a block.
pub fn unwrap(kbpk: &TdesKey, block: &str) -> Result<(Header, Zeroizing<Vec<u8>>), Fault> {
    if !block.is_ascii() || block.len() > LENGTH_MAX {
        return Err(Fault::KeyBlock("not text of at most 9999 characters"));
    }
    let (header, at) = Header::read(block)?;
    let body = block.get(at..).unwrap_or_default();
    let split = body.len().checked_sub(BLOCK * 2).ok_or(Fault::KeyBlock("length"))?;
    let (enciphered, mac) = body.split_at(split);
    let enciphered = unhex(enciphered).filter(|bytes| !bytes.is_empty()).ok_or(Fault::KeyBlock("key"))?;
    let mac: [u8; BLOCK] = unhex(mac).and_then(|bytes| bytes.try_into().ok()).ok_or(Fault::KeyBlock("MAC"))?;
    let (encryption, authentication) = derive(kbpk)?;
    let clear = encryption.decrypt_cbc(mac, &enciphered)?;
    let head = block.get(..at).unwrap_or_default();
    let expected = cmac(&authentication, &[head.as_bytes(), &clear])?;
    if !bool::from(expected.ct_eq(&mac)) {
        return Err(Fault::KeyBlockMac);
    }
    let (bits, rest) = clear.split_first_chunk::<2>().ok_or(Fault::KeyBlock("key"))?;
    let bits = usize::from(u16::from_be_bytes(*bits));
    let key =
        rest.get(..bits / 8).filter(|key| bits % 8 == 0 && !key.is_empty()).ok_or(Fault::KeyBlock("key length"))?;
    Ok((header, Zeroizing::new(key.to_vec())))
}

/// X9.143, "key block binding method" for TDES: CMAC of a counter block gives encryption and authentication keys.
fn derive(kbpk: &TdesKey) -> Result<(TdesKey, TdesKey), Fault> {
    let (algorithm, length): (u8, u8) = match kbpk.bytes().len() {
        16 => (0, 0x80),
        24 => (1, 0xC0),
        _ => return Err(Fault::KeyLength),
    };
    let derived = |usage: u8| -> Result<TdesKey, Fault> {
        let mut key = Zeroizing::new(Vec::with_capacity(24));
        for counter in 1..=u8::try_from(kbpk.bytes().len() / BLOCK).unwrap_or(3) {
            key.extend_from_slice(&cmac(kbpk, &[&[counter, 0, usage, 0, 0, algorithm, 0, length]])?);
        }
        TdesKey::from_bytes(&key)
    };
    Ok((derived(0)?, derived(1)?))
}

fn cmac(key: &TdesKey, parts: &[&[u8]]) -> Result<[u8; BLOCK], Fault> {
    fn run<M: Mac>(mut mac: M, parts: &[&[u8]]) -> Vec<u8> {
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().to_vec()
    }
    let tag = match key.bytes().len() {
        16 => run(Cmac::<TdesEde2>::new_from_slice(key.bytes()).map_err(|_| Fault::KeyLength)?, parts),
        24 => run(Cmac::<TdesEde3>::new_from_slice(key.bytes()).map_err(|_| Fault::KeyLength)?, parts),
        _ => return Err(Fault::KeyLength),
    };
    tag.try_into().map_err(|_| Fault::DataLength)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte))
    {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{os_random, vectors};
    use proptest::prelude::*;

    #[test]
    fn version_b_vectors() {
        let mut seen = 0;
        for vector in vectors::of("tr31") {
            let block = vector["inputs"]["key_block"].as_str().unwrap();
            if !block.starts_with('B') {
                continue;
            }
            let kbpk = TdesKey::from_bytes(&vectors::bytes(&vector["inputs"]["kbpk"]));
            let opened = kbpk.and_then(|kbpk| unwrap(&kbpk, block));
            let expected = &vector["expected"];
            seen += 1;
            if expected.get("error").is_some() {
                assert!(opened.is_err(), "{}", vector["name"]);
                continue;
            }
            let (header, key) = opened.unwrap_or_else(|error| panic!("{}: {error}", vector["name"]));
            assert_eq!(*key, vectors::bytes(&expected["key"]), "{}", vector["name"]);
            assert_eq!(header.usage, expected["key_usage"].as_str().unwrap().as_bytes(), "{}", vector["name"]);
            assert_eq!(char::from(header.mode).to_string(), expected["mode_of_use"].as_str().unwrap());
            assert_eq!(char::from(header.exportability).to_string(), expected["exportability"].as_str().unwrap());
            assert_eq!(
                header.optional.is_empty(),
                expected["optional_blocks"].as_object().is_none_or(serde_json::Map::is_empty)
            );
        }
        assert!(seen >= 5, "{seen}");
    }

    #[test]
    fn every_changed_character_is_refused() {
        let kbpk = TdesKey::from_bytes(&[0x45; 16]).unwrap();
        let block = wrap(&kbpk, &Header::new(*b"P0", b'T', b'E', b'N'), &[0x23; 16], &mut os_random).unwrap();
        for at in 0..block.len() {
            for bit in 0..8 {
                let mut changed = block.clone().into_bytes();
                changed[at] ^= 1 << bit;
                if let Ok(changed) = String::from_utf8(changed) {
                    assert!(unwrap(&kbpk, &changed).is_err(), "byte {at} bit {bit}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_wrapped_is_opened(kbpk in prop_oneof![proptest::collection::vec(any::<u8>(), 16), proptest::collection::vec(any::<u8>(), 24)], key in proptest::collection::vec(any::<u8>(), 1..=32)) {
            let kbpk = TdesKey::from_bytes(&kbpk).unwrap();
            let header = Header::new(*b"M3", b'T', b'C', b'N');
            let block = wrap(&kbpk, &header, &key, &mut os_random).unwrap();
            let (read, opened) = unwrap(&kbpk, &block).unwrap();
            prop_assert_eq!(read, header);
            prop_assert_eq!(&*opened, &key);
        }

        #[test]
        fn any_text_is_refused_quietly(tail in "[0-9A-F]{0,120}", length in 0_u32..200) {
            let kbpk = TdesKey::from_bytes(&[1; 16]).unwrap();
            let block = format!("B{length:04}P0TE00N0000{tail}");
            prop_assert!(unwrap(&kbpk, &block).is_err());
            prop_assert!(unwrap(&kbpk, &tail).is_err());
        }
    }
}
