//! AES keys (FIPS 197) of 128, 192 and 256 bits.

use ::aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use ::aes::{Aes128, Aes192, Aes256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{Fault, modes};

/// Bytes of a block.
pub const BLOCK: usize = 16;

/// An AES key with its schedule.
pub struct AesKey {
    bytes: Zeroizing<Vec<u8>>,
    cipher: Cipher,
}

// Keys are few and live long, so the space does not matter.
#[allow(clippy::large_enum_variant)]
enum Cipher {
    Aes128(Aes128),
    Aes192(Aes192),
    Aes256(Aes256),
}

impl AesKey {
    /// 16, 24 or 32 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Fault> {
        let cipher = match bytes.len() {
            16 => Aes128::new_from_slice(bytes).map(Cipher::Aes128),
            24 => Aes192::new_from_slice(bytes).map(Cipher::Aes192),
            32 => Aes256::new_from_slice(bytes).map(Cipher::Aes256),
            _ => return Err(Fault::KeyLength),
        };
        Ok(Self { bytes: Zeroizing::new(bytes.to_vec()), cipher: cipher.map_err(|_| Fault::KeyLength)? })
    }

    /// The key itself.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn encrypt_block(&self, block: [u8; BLOCK]) -> [u8; BLOCK] {
        let mut block = block.into();
        match &self.cipher {
            Cipher::Aes128(cipher) => cipher.encrypt_block(&mut block),
            Cipher::Aes192(cipher) => cipher.encrypt_block(&mut block),
            Cipher::Aes256(cipher) => cipher.encrypt_block(&mut block),
        }
        block.into()
    }

    pub fn decrypt_block(&self, block: [u8; BLOCK]) -> [u8; BLOCK] {
        let mut block = block.into();
        match &self.cipher {
            Cipher::Aes128(cipher) => cipher.decrypt_block(&mut block),
            Cipher::Aes192(cipher) => cipher.decrypt_block(&mut block),
            Cipher::Aes256(cipher) => cipher.decrypt_block(&mut block),
        }
        block.into()
    }

    /// ECB over whole blocks.
    pub fn encrypt_ecb(&self, data: &[u8]) -> Result<Zeroizing<Vec<u8>>, Fault> {
        modes::ecb(data, |block| self.encrypt_block(block))
    }

    pub fn decrypt_ecb(&self, data: &[u8]) -> Result<Zeroizing<Vec<u8>>, Fault> {
        modes::ecb(data, |block| self.decrypt_block(block))
    }

    /// CBC over whole blocks.
    pub fn encrypt_cbc(&self, iv: [u8; BLOCK], data: &[u8]) -> Result<Zeroizing<Vec<u8>>, Fault> {
        modes::encrypt_cbc(iv, data, |block| self.encrypt_block(block))
    }

    pub fn decrypt_cbc(&self, iv: [u8; BLOCK], data: &[u8]) -> Result<Zeroizing<Vec<u8>>, Fault> {
        modes::decrypt_cbc(iv, data, |block| self.decrypt_block(block))
    }
}

impl PartialEq for AesKey {
    fn eq(&self, other: &Self) -> bool {
        self.bytes.ct_eq(&other.bytes).into()
    }
}

impl Eq for AesKey {}

impl std::fmt::Debug for AesKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AesKey({} bytes)", self.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// FIPS 197, appendix C.
    #[test]
    fn published_blocks() {
        let plain: [u8; 16] = std::array::from_fn(|index| index as u8 * 0x11);
        for (length, expected) in [
            (16, "69c4e0d86a7b0430d8cdb78070b4c55a"),
            (24, "dda97ca4864cdfe06eaf70a0ec0d7191"),
            (32, "8ea2b7ca516745bfeafc49904b496089"),
        ] {
            let key: Vec<u8> = (0..length).collect();
            let key = AesKey::from_bytes(&key).unwrap();
            assert_eq!(hex::encode(key.encrypt_block(plain)), expected);
            assert_eq!(key.decrypt_block(key.encrypt_block(plain)), plain);
        }
        assert!(AesKey::from_bytes(&[0; 8]).is_err());
        assert_eq!(format!("{:?}", AesKey::from_bytes(&[7; 32]).unwrap()), "AesKey(32 bytes)");
    }

    proptest! {
        #[test]
        fn decryption_undoes_encryption(key: [u8; 32], iv: [u8; 16], blocks in proptest::collection::vec(any::<[u8; 16]>(), 0..4)) {
            let key = AesKey::from_bytes(&key).unwrap();
            let data = blocks.concat();
            prop_assert_eq!(&*key.decrypt_cbc(iv, &key.encrypt_cbc(iv, &data).unwrap()).unwrap(), &data);
            prop_assert_eq!(&*key.decrypt_ecb(&key.encrypt_ecb(&data).unwrap()).unwrap(), &data);
        }
    }
}
