//! How a version binds header and key: the keys it takes from the protection key, its MAC and its cipher.

use zeroize::Zeroizing;

use super::Version;
use crate::tdes::BLOCK;
use crate::{AesKey, Fault, TdesKey, cmac, mac};

/// Encryption and authentication key of a block.
pub(super) enum Binding {
    /// Versions A and C (X9.143, 5.3.2.1): variants of the key; the header is the vector, the MAC over ciphertext.
    Variant { encryption: TdesKey, authentication: TdesKey },
    /// Version B (5.3.2.2): derived keys; the MAC over clear text is the vector.
    Tdes { encryption: TdesKey, authentication: TdesKey },
    /// Version D (5.3.2.3): as B, with AES.
    Aes { encryption: AesKey, authentication: AesKey },
}

/// What the protection key is XORed with in versions A and C.
const ENCRYPTION_VARIANT: [u8; BLOCK] = [0x45; BLOCK];
const AUTHENTICATION_VARIANT: [u8; BLOCK] = [0x4D; BLOCK];

/// Key usage indicators of the derivation.
const ENCRYPTION: u8 = 0;
const AUTHENTICATION: u8 = 1;

type Sealed = (Zeroizing<Vec<u8>>, Vec<u8>);

impl Binding {
    pub fn new(version: Version, kbpk: &[u8]) -> Result<Self, Fault> {
        if version == Version::D {
            let kbpk = AesKey::from_bytes(kbpk)?;
            let (encryption, authentication) = (derive_aes(&kbpk, ENCRYPTION)?, derive_aes(&kbpk, AUTHENTICATION)?);
            return Ok(Self::Aes { encryption, authentication });
        }
        let kbpk = TdesKey::from_bytes(kbpk)?;
        if kbpk.bytes().len() < 2 * BLOCK {
            return Err(Fault::KeyLength);
        }
        if version == Version::B {
            let (encryption, authentication) = (derive_tdes(&kbpk, ENCRYPTION)?, derive_tdes(&kbpk, AUTHENTICATION)?);
            return Ok(Self::Tdes { encryption, authentication });
        }
        let (encryption, authentication) = (kbpk.masked(ENCRYPTION_VARIANT)?, kbpk.masked(AUTHENTICATION_VARIANT)?);
        Ok(Self::Variant { encryption, authentication })
    }

    /// Enciphered key and MAC.
    pub fn seal(&self, head: &[u8], clear: &[u8]) -> Result<Sealed, Fault> {
        match self {
            Self::Variant { encryption, .. } => {
                let enciphered = encryption.encrypt_cbc(vector(head)?, clear)?;
                let mac = self.variant_mac(head, &enciphered)?;
                Ok((enciphered, mac))
            }
            Self::Tdes { encryption, authentication } => {
                let mac = cmac::tdes(authentication, &[head, clear])?;
                Ok((encryption.encrypt_cbc(mac, clear)?, mac.to_vec()))
            }
            Self::Aes { encryption, authentication } => {
                let mac = cmac::aes(authentication, &[head, clear])?;
                Ok((encryption.encrypt_cbc(mac, clear)?, mac.to_vec()))
            }
        }
    }

    /// The clear text and the MAC that should have been there; nothing may be done with the one before the other fits.
    pub fn open(&self, head: &[u8], enciphered: &[u8], mac: &[u8]) -> Result<Sealed, Fault> {
        let malformed = |_| Fault::KeyBlock("MAC");
        match self {
            Self::Variant { encryption, .. } => {
                let expected = self.variant_mac(head, enciphered)?;
                Ok((encryption.decrypt_cbc(vector(head)?, enciphered)?, expected))
            }
            Self::Tdes { encryption, authentication } => {
                let clear = encryption.decrypt_cbc(mac.try_into().map_err(malformed)?, enciphered)?;
                let expected = cmac::tdes(authentication, &[head, &clear])?;
                Ok((clear, expected.to_vec()))
            }
            Self::Aes { encryption, authentication } => {
                let clear = encryption.decrypt_cbc(mac.try_into().map_err(malformed)?, enciphered)?;
                let expected = cmac::aes(authentication, &[head, &clear])?;
                Ok((clear, expected.to_vec()))
            }
        }
    }

    /// Four bytes of the CBC-MAC over header and ciphertext.
    fn variant_mac(&self, head: &[u8], enciphered: &[u8]) -> Result<Vec<u8>, Fault> {
        let Self::Variant { authentication, .. } = self else { return Err(Fault::KeyBlock("version")) };
        let message = [head, enciphered].concat();
        let mac = mac::update(mac::Algorithm::One, authentication, [0; BLOCK], &message)?;
        Ok(mac[..4].to_vec())
    }
}

/// The first bytes of the header, as they stand.
fn vector(head: &[u8]) -> Result<[u8; BLOCK], Fault> {
    head.first_chunk().copied().ok_or(Fault::KeyBlock("header"))
}

/// CMAC of a counter block for each part of the key.
fn derive_tdes(kbpk: &TdesKey, usage: u8) -> Result<TdesKey, Fault> {
    let parts = kbpk.bytes().len() / BLOCK;
    let (algorithm, bits) = if parts == 2 { (0, 0x80) } else { (1, 0xC0) };
    let mut key = Zeroizing::new(Vec::with_capacity(3 * BLOCK));
    for counter in 1..=parts as u8 {
        key.extend_from_slice(&cmac::tdes(kbpk, &[&[counter, 0, usage, 0, 0, algorithm, 0, bits]])?);
    }
    TdesKey::from_bytes(&key)
}

fn derive_aes(kbpk: &AesKey, usage: u8) -> Result<AesKey, Fault> {
    let length = kbpk.bytes().len();
    let algorithm = match length {
        16 => 2,
        24 => 3,
        _ => 4,
    };
    let [high, low] = ((length * 8) as u16).to_be_bytes();
    let mut key = Zeroizing::new(Vec::with_capacity(2 * 16));
    for counter in 1..=length.div_ceil(16) as u8 {
        key.extend_from_slice(&cmac::aes(kbpk, &[&[counter, 0, usage, 0, 0, algorithm, high, low]])?);
    }
    key.truncate(length);
    AesKey::from_bytes(&key)
}
