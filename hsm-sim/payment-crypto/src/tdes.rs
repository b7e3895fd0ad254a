//! Single, double and triple length DES keys (FIPS 46-3, SP 800-67).

use des::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use des::{Des, TdesEde2, TdesEde3};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::Fault;

/// A DES key of 8, 16 or 24 bytes with its schedule, which costs as much as a block to make and is kept.
pub struct TdesKey {
    bytes: Zeroizing<Vec<u8>>,
    cipher: Cipher,
}

// The schedules are of different sizes; keys are few and live long, so the space does not matter.
#[allow(clippy::large_enum_variant)]
enum Cipher {
    Single(Des),
    Double(TdesEde2),
    Triple(TdesEde3),
}

pub(crate) const BLOCK: usize = 8;

impl TdesKey {
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Fault> {
        let cipher = match bytes.len() {
            8 => Des::new_from_slice(bytes).map(Cipher::Single),
            16 => TdesEde2::new_from_slice(bytes).map(Cipher::Double),
            24 => TdesEde3::new_from_slice(bytes).map(Cipher::Triple),
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
            Cipher::Single(cipher) => cipher.encrypt_block(&mut block),
            Cipher::Double(cipher) => cipher.encrypt_block(&mut block),
            Cipher::Triple(cipher) => cipher.encrypt_block(&mut block),
        }
        block.into()
    }

    pub fn decrypt_block(&self, block: [u8; BLOCK]) -> [u8; BLOCK] {
        let mut block = block.into();
        match &self.cipher {
            Cipher::Single(cipher) => cipher.decrypt_block(&mut block),
            Cipher::Double(cipher) => cipher.decrypt_block(&mut block),
            Cipher::Triple(cipher) => cipher.decrypt_block(&mut block),
        }
        block.into()
    }

    /// ECB over whole blocks, as key encipherment has it.
    pub fn encrypt_ecb(&self, data: &[u8]) -> Result<Zeroizing<Vec<u8>>, Fault> {
        each_block(data, |block| self.encrypt_block(block))
    }

    pub fn decrypt_ecb(&self, data: &[u8]) -> Result<Zeroizing<Vec<u8>>, Fault> {
        each_block(data, |block| self.decrypt_block(block))
    }

    /// CBC over whole blocks.
    pub fn encrypt_cbc(&self, iv: [u8; BLOCK], data: &[u8]) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let mut chain = iv;
        each_block(data, |block| {
            chain = self.encrypt_block(xor(block, chain));
            chain
        })
    }

    pub fn decrypt_cbc(&self, iv: [u8; BLOCK], data: &[u8]) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let mut chain = iv;
        each_block(data, |block| {
            let clear = xor(self.decrypt_block(block), chain);
            chain = block;
            clear
        })
    }

    /// Whether every byte has odd parity.
    pub fn has_odd_parity(bytes: &[u8]) -> bool {
        bytes.iter().all(|byte| byte.count_ones() % 2 == 1)
    }

    /// Sets each byte's lowest bit so that its parity is odd.
    pub fn with_odd_parity(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
        let odd = |byte: &u8| (byte & 0xFE) | u8::from((byte & 0xFE).count_ones().is_multiple_of(2));
        Zeroizing::new(bytes.iter().map(odd).collect())
    }
}

pub(crate) fn xor(left: [u8; BLOCK], right: [u8; BLOCK]) -> [u8; BLOCK] {
    std::array::from_fn(|index| left[index] ^ right[index])
}

fn each_block(data: &[u8], mut act: impl FnMut([u8; BLOCK]) -> [u8; BLOCK]) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let (blocks, rest) = data.as_chunks::<BLOCK>();
    if !rest.is_empty() {
        return Err(Fault::DataLength);
    }
    let mut out = Zeroizing::new(Vec::with_capacity(data.len()));
    for block in blocks {
        out.extend_from_slice(&act(*block));
    }
    Ok(out)
}

impl PartialEq for TdesKey {
    fn eq(&self, other: &Self) -> bool {
        self.bytes.ct_eq(&other.bytes).into()
    }
}

impl Eq for TdesKey {}

impl std::fmt::Debug for TdesKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TdesKey({} bytes)", self.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn parity() {
        assert!(TdesKey::has_odd_parity(&[0x01, 0xFE, 0x80]));
        assert!(!TdesKey::has_odd_parity(&[0x00]));
        assert_eq!(*TdesKey::with_odd_parity(&[0x00, 0xFF, 0x02]), [0x01, 0xFE, 0x02]);
        assert_eq!(format!("{:?}", TdesKey::from_bytes(&[1; 16]).unwrap()), "TdesKey(16 bytes)");
        assert!(TdesKey::from_bytes(&[1; 15]).is_err());
    }

    proptest! {
        #[test]
        fn decryption_undoes_encryption(key in prop_oneof![
            proptest::collection::vec(any::<u8>(), 8), proptest::collection::vec(any::<u8>(), 16), proptest::collection::vec(any::<u8>(), 24)],
            iv: [u8; 8], blocks in proptest::collection::vec(any::<[u8; 8]>(), 0..5)) {
            let key = TdesKey::from_bytes(&key).unwrap();
            let data = blocks.concat();
            prop_assert_eq!(&*key.decrypt_cbc(iv, &key.encrypt_cbc(iv, &data).unwrap()).unwrap(), &data);
            prop_assert_eq!(&*key.decrypt_ecb(&key.encrypt_ecb(&data).unwrap()).unwrap(), &data);
        }
    }
}
