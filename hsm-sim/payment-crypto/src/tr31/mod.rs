//! Key blocks of TR-31 (ANSI X9.143): keys that carry what they may be used for.
//!
//! Versions A and C (variant binding), B (TDES key derivation binding) and D (AES key derivation binding).

mod binding;
mod header;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{Fault, Random};
use binding::Binding;
pub use header::{Header, Version};

/// Longest block taken; its length is four digits.
const LENGTH_MAX: usize = 9999;

/// Longest key wrapped, in bytes.
const KEY_MAX: usize = 512;

/// Wraps a key under a key block protection key: 16 or 24 bytes of TDES for versions A, B and C, 16, 24 or 32 of AES
/// for D. Random bytes fill the key to a whole block, and no further: its length shows.
pub fn wrap(kbpk: &[u8], version: Version, header: &Header, key: &[u8], random: Random<'_>) -> Result<String, Fault> {
    if key.is_empty() || key.len() > KEY_MAX {
        return Err(Fault::KeyLength);
    }
    let binding = Binding::new(version, kbpk)?;
    let bits = u16::try_from(key.len() * 8).map_err(|_| Fault::KeyLength)?;
    let mut clear = Zeroizing::new(Vec::with_capacity(key.len() + 2 * version.block()));
    clear.extend_from_slice(&bits.to_be_bytes());
    clear.extend_from_slice(key);
    let start = clear.len();
    clear.resize(start.next_multiple_of(version.block()), 0);
    random(clear.get_mut(start..).unwrap_or_default())?;
    let head = header.write(version, (clear.len() + version.mac()) * 2)?;
    let (enciphered, mac) = binding.seal(head.as_bytes(), &clear)?;
    Ok(format!("{head}{}{}", hex(&enciphered), hex(&mac)))
}

/// Checks and opens a block.
pub fn unwrap(kbpk: &[u8], block: &str) -> Result<(Header, Zeroizing<Vec<u8>>), Fault> {
    if !block.is_ascii() || block.len() > LENGTH_MAX {
        return Err(Fault::KeyBlock("not text of at most 9999 characters"));
    }
    let (version, header, at) = Header::read(block)?;
    let body = block.get(at..).unwrap_or_default();
    let split = body.len().checked_sub(version.mac() * 2).ok_or(Fault::KeyBlock("length"))?;
    let (enciphered, mac) = body.split_at(split);
    let enciphered = unhex(enciphered).filter(|bytes| !bytes.is_empty()).ok_or(Fault::KeyBlock("key"))?;
    let mac = unhex(mac).ok_or(Fault::KeyBlock("MAC"))?;
    let head = block.get(..at).unwrap_or_default();
    let (clear, expected) = Binding::new(version, kbpk)?.open(head.as_bytes(), &enciphered, &mac)?;
    if !bool::from(expected.ct_eq(&mac)) {
        return Err(Fault::KeyBlockMac);
    }
    let (bits, rest) = clear.split_first_chunk::<2>().ok_or(Fault::KeyBlock("key"))?;
    let bits = usize::from(u16::from_be_bytes(*bits));
    let key =
        rest.get(..bits / 8).filter(|key| bits % 8 == 0 && !key.is_empty()).ok_or(Fault::KeyBlock("key length"))?;
    Ok((header, Zeroizing::new(key.to_vec())))
}

/// Characters of the block that `text` begins with, as its header tells.
pub fn length(text: &str) -> Option<usize> {
    let digits = text.get(1..5).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    digits.parse().ok()
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
    fn tr31_vectors() {
        let mut seen = 0;
        for vector in vectors::of("tr31") {
            let block = vector["inputs"]["key_block"].as_str().unwrap();
            let opened = unwrap(&vectors::bytes(&vector["inputs"]["kbpk"]), block);
            let expected = &vector["expected"];
            seen += 1;
            if expected.get("error").is_some() {
                assert!(opened.is_err(), "{}", vector["name"]);
                continue;
            }
            let (header, key) = opened.unwrap_or_else(|error| panic!("{}: {error}", vector["name"]));
            let text = |name: &str| expected[name].as_str().unwrap().as_bytes();
            assert_eq!(*key, vectors::bytes(&expected["key"]), "{}", vector["name"]);
            assert_eq!(header.usage, text("key_usage"), "{}", vector["name"]);
            assert_eq!([header.algorithm], text("algorithm"));
            assert_eq!([header.mode], text("mode_of_use"));
            assert_eq!(header.key_version, text("key_version"));
            assert_eq!([header.exportability], text("exportability"));
            let mut optional = expected["optional_blocks"].as_object().unwrap().clone();
            for (id, value) in header.optional() {
                if id != "PB" {
                    assert_eq!(optional.remove(id).unwrap(), value, "{}", vector["name"]);
                }
            }
            assert!(optional.is_empty(), "{}", vector["name"]);
        }
        assert!(seen >= 26);
    }

    #[test]
    fn every_changed_character_is_refused() {
        for (version, kbpk) in [(Version::A, 16), (Version::B, 16), (Version::C, 24), (Version::D, 32)] {
            let kbpk = vec![0x45; kbpk];
            let header = Header::new(*b"P0", b'T', b'E', b'N');
            let block = wrap(&kbpk, version, &header, &[0x23; 16], &mut os_random).unwrap();
            for at in 0..block.len() {
                for bit in 0..8 {
                    let mut changed = block.clone().into_bytes();
                    changed[at] ^= 1 << bit;
                    if let Ok(changed) = String::from_utf8(changed) {
                        assert!(unwrap(&kbpk, &changed).is_err(), "{version:?} byte {at} bit {bit}");
                    }
                }
            }
        }
    }

    #[test]
    fn keys_of_the_wrong_kind_are_refused() {
        let header = Header::new(*b"P0", b'T', b'E', b'N');
        for (version, kbpk) in [(Version::A, 8), (Version::B, 32), (Version::C, 15), (Version::D, 8), (Version::D, 20)]
        {
            assert!(wrap(&vec![1; kbpk], version, &header, &[2; 16], &mut os_random).is_err(), "{version:?} {kbpk}");
        }
        assert!(wrap(&[1; 16], Version::B, &header, &[], &mut os_random).is_err());
        assert!(wrap(&[1; 16], Version::B, &header, &[0; KEY_MAX + 1], &mut os_random).is_err());
    }

    proptest! {
        #[test]
        fn what_is_wrapped_is_opened(
            version in prop_oneof![Just(Version::A), Just(Version::B), Just(Version::C), Just(Version::D)],
            kbpk in prop_oneof![proptest::collection::vec(any::<u8>(), 16), proptest::collection::vec(any::<u8>(), 24)],
            key in proptest::collection::vec(any::<u8>(), 1..=64),
            serial in proptest::option::of("[0-9A-F]{20}"),
            time in proptest::option::of("[0-9]{14}Z"),
        ) {
            let mut header = Header::new(*b"M3", b'T', b'C', b'N');
            for (id, value) in [("KS", serial), ("TS", time)] {
                if let Some(value) = value {
                    header = header.with_optional(id, &value).unwrap();
                }
            }
            let block = wrap(&kbpk, version, &header, &key, &mut os_random).unwrap();
            prop_assert!(block.len().is_multiple_of(version.block()));
            prop_assert_eq!(length(&block), Some(block.len()));
            let (read, opened) = unwrap(&kbpk, &block).unwrap();
            prop_assert_eq!(read.without_padding(), header);
            prop_assert_eq!(&*opened, &key);
        }

        #[test]
        fn any_text_is_refused_quietly(version in "[A-E]", tail in "[0-9A-F]{0,120}", length in 0_u32..200, blocks in 0..4) {
            let block = format!("{version}{length:04}P0TE00N{blocks:02}00{tail}");
            prop_assert!(unwrap(&[1; 16], &block).is_err());
            prop_assert!(unwrap(&[1; 16], &tail).is_err());
            let _ = super::length(&tail);
        }
    }
}
