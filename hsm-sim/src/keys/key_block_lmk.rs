//! Local master keys of the key-block kind, and keys under them (scheme S).
//!
//! Real devices' cipher here is not public and hosts treat the blocks as opaque. Ours has their layout and lengths, and
//! its own binding: `S`, version (`0` TDES, `1` AES), length of the block, usage, algorithm, mode, key version,
//! exportability, `00`, LMK identifier; then the key's length in bits, the key and random bytes to a whole cipher block,
//! enciphered in CBC with the header's first bytes as the vector; then the CMAC over header and ciphertext, four bytes
//! with TDES and eight with AES. The two keys are derived from the LMK by CMAC over a counter and a label.

use payment_crypto::{AesKey, TdesKey, cmac, os_random, tr31};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::Secret;
use crate::error::Code;
use crate::hex;

const HEADER: usize = 16;

/// Longest block, in characters.
const LENGTH_MAX: usize = 256;

/// A triple-length TDES key or an AES key of 256 bits, and what is derived from it.
pub struct KeyBlockLmk {
    master: Secret,
    encryption: Secret,
    authentication: Secret,
    pin: Secret,
    rsa: Secret,
}

impl std::fmt::Debug for KeyBlockLmk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyBlockLmk({})", char::from(self.master.algorithm()))
    }
}

impl KeyBlockLmk {
    pub fn new(master: Secret) -> Result<Self, Code> {
        match &master {
            Secret::Tdes(key) if key.bytes().len() == 24 => {}
            Secret::Aes(key) if key.bytes().len() == 32 => {}
            _ => return Err(Code::KEY_LENGTH),
        }
        let derived = |label| derive(&master, label);
        Ok(Self {
            encryption: derived(b"KBENC")?,
            authentication: derived(b"KBMAC")?,
            pin: derived(b"PIN")?,
            rsa: derived(b"RSA")?,
            master,
        })
    }

    /// A fresh one.
    pub fn generate(aes: bool) -> Result<Self, Code> {
        let mut bytes = Zeroizing::new(vec![0; if aes { 32 } else { 24 }]);
        os_random(&mut bytes)?;
        let bytes = if aes { bytes } else { TdesKey::with_odd_parity(&bytes) };
        Self::new(Secret::new(if aes { b'A' } else { b'T' }, &bytes)?)
    }

    /// The test key, which protects nothing: bytes 01, 02, … 20.
    pub fn test_aes() -> Result<Self, Code> {
        let bytes: Vec<u8> = (0x01..=0x20).collect();
        Self::new(Secret::new(b'A', &bytes)?)
    }

    /// The test key, which protects nothing: bytes 01, 02, … 18, with odd parity.
    pub fn test_tdes() -> Result<Self, Code> {
        let bytes: Vec<u8> = (0x01..=0x18).collect();
        Self::new(Secret::new(b'T', &TdesKey::with_odd_parity(&bytes))?)
    }

    pub(super) fn master(&self) -> &Secret {
        &self.master
    }

    /// What PINs are enciphered with.
    pub(super) fn pin(&self) -> &Secret {
        &self.pin
    }

    /// What private RSA keys are enciphered with.
    pub(super) fn rsa(&self) -> &Secret {
        &self.rsa
    }

    /// The block, with its `S`.
    pub(crate) fn wrap(&self, id: u8, header: &tr31::Header, key: &Secret) -> Result<String, Code> {
        let bits = u16::try_from(key.bytes().len() * 8).map_err(|_| Code::KEY_LENGTH)?;
        let mut clear = Zeroizing::new(Vec::with_capacity(64));
        clear.extend_from_slice(&bits.to_be_bytes());
        clear.extend_from_slice(key.bytes());
        let start = clear.len();
        clear.resize(start.next_multiple_of(self.block()), 0);
        os_random(clear.get_mut(start..).unwrap_or_default())?;
        let length = HEADER + (clear.len() + self.mac_length()) * 2;
        let text = [&header.usage[..], &[key.algorithm(), header.mode], &header.key_version, &[header.exportability]];
        let text = text.concat();
        if !text.iter().all(u8::is_ascii_alphanumeric) {
            return Err(Code::KEY_BLOCK);
        }
        let head = format!("{}{length:04}{}00{id:02}", self.version(), String::from_utf8_lossy(&text));
        let enciphered = self.encrypt(head.as_bytes(), &clear)?;
        let mac = self.mac(head.as_bytes(), &enciphered)?;
        Ok(format!("S{head}{}{}", hex::upper(&enciphered), hex::upper(&mac)))
    }

    /// Checks and opens a block without its `S`.
    pub(super) fn open(&self, id: u8, block: &str) -> Result<(tr31::Header, Secret), Code> {
        let header: [u8; HEADER] = block.as_bytes().first_chunk().copied().ok_or(Code::KEY_BLOCK)?;
        if header[0] != self.version() as u8 {
            return Err(Code::LMK_SCHEME);
        }
        if tr31::length(block) != Some(block.len()) || block.len() > LENGTH_MAX || &header[12..14] != b"00" {
            return Err(Code::KEY_BLOCK);
        }
        if header[14..] != *format!("{id:02}").as_bytes() {
            return Err(Code::KEY_BLOCK_LMK);
        }
        let body = block.as_bytes().get(HEADER..).unwrap_or_default();
        let mut bytes = vec![0; body.len() / 2];
        let split = bytes.len().checked_sub(self.mac_length()).ok_or(Code::KEY_BLOCK)?;
        if !hex::read(body, &mut bytes) || split == 0 || !split.is_multiple_of(self.block()) {
            return Err(Code::KEY_BLOCK);
        }
        let (enciphered, mac) = bytes.split_at(split);
        if !bool::from(self.mac(&header, enciphered)?.ct_eq(mac)) {
            return Err(Code::KEY_BLOCK_MAC);
        }
        let clear = self.decrypt(&header, enciphered)?;
        let (bits, rest) = clear.split_first_chunk::<2>().ok_or(Code::KEY_BLOCK)?;
        let key = rest.get(..usize::from(u16::from_be_bytes(*bits)) / 8).ok_or(Code::KEY_BLOCK)?;
        let read = tr31::Header::new([header[5], header[6]], header[7], header[8], header[11]);
        let secret = Secret::new(header[7], key)?;
        Ok((read.with_version([header[9], header[10]]), secret))
    }

    fn version(&self) -> char {
        if matches!(self.master, Secret::Aes(_)) { '1' } else { '0' }
    }

    fn block(&self) -> usize {
        if matches!(self.master, Secret::Aes(_)) { 16 } else { 8 }
    }

    fn mac_length(&self) -> usize {
        if matches!(self.master, Secret::Aes(_)) { 8 } else { 4 }
    }

    fn encrypt(&self, head: &[u8], clear: &[u8]) -> Result<Zeroizing<Vec<u8>>, Code> {
        let malformed = Code::KEY_BLOCK;
        Ok(match &self.encryption {
            Secret::Tdes(key) => key.encrypt_cbc(head.first_chunk().copied().ok_or(malformed)?, clear)?,
            Secret::Aes(key) => key.encrypt_cbc(head.first_chunk().copied().ok_or(malformed)?, clear)?,
        })
    }

    fn decrypt(&self, head: &[u8], enciphered: &[u8]) -> Result<Zeroizing<Vec<u8>>, Code> {
        let malformed = Code::KEY_BLOCK;
        Ok(match &self.encryption {
            Secret::Tdes(key) => key.decrypt_cbc(head.first_chunk().copied().ok_or(malformed)?, enciphered)?,
            Secret::Aes(key) => key.decrypt_cbc(head.first_chunk().copied().ok_or(malformed)?, enciphered)?,
        })
    }

    fn mac(&self, head: &[u8], enciphered: &[u8]) -> Result<Vec<u8>, Code> {
        let mut mac = match &self.authentication {
            Secret::Tdes(key) => cmac::tdes(key, &[head, enciphered])?.to_vec(),
            Secret::Aes(key) => cmac::aes(key, &[head, enciphered])?.to_vec(),
        };
        mac.truncate(self.mac_length());
        Ok(mac)
    }
}

/// A key of the master key's own kind: the CMAC of a counter and a label, as often as it takes.
fn derive(master: &Secret, label: &[u8]) -> Result<Secret, Code> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(32));
    let parts: u8 = if matches!(master, Secret::Aes(_)) { 2 } else { 3 };
    for counter in 1..=parts {
        match master {
            Secret::Tdes(key) => bytes.extend_from_slice(&cmac::tdes(key, &[&[counter], label])?),
            Secret::Aes(key) => bytes.extend_from_slice(&cmac::aes(key, &[&[counter], label])?),
        }
    }
    match master {
        Secret::Tdes(_) => Ok(Secret::Tdes(TdesKey::from_bytes(&bytes)?)),
        Secret::Aes(_) => Ok(Secret::Aes(AesKey::from_bytes(&bytes)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> tr31::Header {
        tr31::Header::new(*b"P0", b'T', b'E', b'S')
    }

    #[test]
    fn blocks_have_the_lengths_of_devices() {
        let key = Secret::new(b'T', &[0x23; 16]).unwrap();
        for (lmk, length) in [(KeyBlockLmk::test_tdes(), 72), (KeyBlockLmk::test_aes(), 96)] {
            let lmk = lmk.unwrap();
            let block = lmk.wrap(1, &header(), &key).unwrap();
            assert_eq!(block.len(), 1 + length);
            let (read, opened) = lmk.open(1, &block[1..]).unwrap();
            assert_eq!(read, header());
            assert_eq!(opened.bytes(), key.bytes());
            assert_eq!(lmk.open(2, &block[1..]).unwrap_err(), Code::KEY_BLOCK_LMK);
        }
    }

    #[test]
    fn every_changed_character_is_refused() {
        let key = Secret::new(b'A', &[0x23; 32]).unwrap();
        for lmk in [KeyBlockLmk::test_tdes().unwrap(), KeyBlockLmk::test_aes().unwrap()] {
            let block = lmk.wrap(1, &header(), &key).unwrap();
            for at in 1..block.len() {
                let mut changed = block.clone().into_bytes();
                changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
                assert!(lmk.open(1, std::str::from_utf8(&changed[1..]).unwrap()).is_err(), "{at}");
            }
            for cut in 1..block.len() {
                assert!(lmk.open(1, &block[1..cut]).is_err());
            }
        }
    }

    #[test]
    fn lmks_of_other_lengths_are_refused() {
        assert!(KeyBlockLmk::new(Secret::new(b'T', &[1; 16]).unwrap()).is_err());
        assert!(KeyBlockLmk::new(Secret::new(b'A', &[1; 16]).unwrap()).is_err());
        for aes in [false, true] {
            let (one, other) = (KeyBlockLmk::generate(aes).unwrap(), KeyBlockLmk::generate(aes).unwrap());
            assert_ne!(one.master().bytes(), other.master().bytes());
        }
    }
}
