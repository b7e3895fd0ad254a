//! Data keys: what is enciphered or hashed in the database, and how card numbers are.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use iso8583::domain::Pan;
use zeroize::Zeroizing;

use crate::error::StoreError;

/// In memory only; stored enciphered through the HSM.
#[derive(Clone)]
pub struct DataKeys {
    /// AES-256 for card numbers at rest.
    pub pan_cipher: Zeroizing<[u8; 32]>,
    /// HMAC-SHA-256 key by which cards are found.
    pub pan_lookup: Zeroizing<[u8; 32]>,
    /// AES-256 for the key that signs tokens.
    pub token_seal: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for DataKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DataKeys")
    }
}

/// Ties a cipher text to its purpose: one cannot be put in the place of another.
const PAN: &[u8] = b"umbra card number";
const TOKEN_KEY: &[u8] = b"umbra token key";
const SECRET: &[u8] = b"umbra secret setting";

impl DataKeys {
    /// Nonce, cipher text, tag.
    pub fn seal_pan(&self, pan: &Pan) -> Result<Vec<u8>, StoreError> {
        seal(&self.pan_cipher, PAN, pan.as_str().as_bytes())
    }

    pub fn open_pan(&self, sealed: &[u8]) -> Result<Pan, StoreError> {
        let clear = open(&self.pan_cipher, PAN, sealed)?;
        let text = std::str::from_utf8(&clear).map_err(|_| StoreError::Cipher)?;
        Pan::parse(text).map_err(|_| StoreError::Cipher)
    }

    pub fn seal_token_key(&self, clear: &[u8]) -> Result<Vec<u8>, StoreError> {
        seal(&self.token_seal, TOKEN_KEY, clear)
    }

    pub fn open_token_key(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        open(&self.token_seal, TOKEN_KEY, sealed)
    }
}

impl DataKeys {
    /// For settings that are never shown.
    pub fn seal_secret(&self, clear: &[u8]) -> Result<Vec<u8>, StoreError> {
        seal(&self.token_seal, SECRET, clear)
    }

    pub fn open_secret(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        open(&self.token_seal, SECRET, sealed)
    }
}

fn seal(key: &[u8; 32], purpose: &[u8], clear: &[u8]) -> Result<Vec<u8>, StoreError> {
    let key = RandomizedNonceKey::new(&AES_256_GCM, key).map_err(|_| StoreError::Cipher)?;
    let mut text = clear.to_vec();
    let nonce = key.seal_in_place_append_tag(Aad::from(purpose), &mut text).map_err(|_| StoreError::Cipher)?;
    Ok([nonce.as_ref(), &text[..]].concat())
}

fn open(key: &[u8; 32], purpose: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    let key = RandomizedNonceKey::new(&AES_256_GCM, key).map_err(|_| StoreError::Cipher)?;
    let (nonce, text) = sealed.split_at_checked(NONCE_LEN).ok_or(StoreError::Cipher)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| StoreError::Cipher)?;
    let mut text = Zeroizing::new(text.to_vec());
    let length = key.open_in_place(nonce, Aad::from(purpose), &mut text).map_err(|_| StoreError::Cipher)?.len();
    text.truncate(length);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_number_opens_only_whole_and_for_its_purpose() {
        let key = |byte| Zeroizing::new([byte; 32]);
        let keys = DataKeys { pan_cipher: key(1), pan_lookup: key(2), token_seal: key(1) };
        let pan = Pan::parse("9999000000000018").unwrap();
        let sealed = keys.seal_pan(&pan).unwrap();
        assert_ne!(sealed, keys.seal_pan(&pan).unwrap(), "a fresh nonce each time");
        assert_eq!(keys.open_pan(&sealed).unwrap(), pan);
        for bit in 0..sealed.len() * 8 {
            let mut damaged = sealed.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(keys.open_pan(&damaged).is_err());
        }
        assert!(keys.open_token_key(&sealed).is_err());
        assert!(keys.open_pan(&sealed[..5]).is_err());
    }
}
