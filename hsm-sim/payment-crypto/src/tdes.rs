//! Single, double and triple length DES keys (FIPS 46-3, SP 800-67).

use des::Des;
use des::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{Fault, modes};

/// Bytes of a block.
pub const BLOCK: usize = 8;

/// Bytes of the longest key.
const LONGEST: usize = 24;

/// A DES key of 8, 16 or 24 bytes with the schedules of its parts, which cost as much as a block each to make and are
/// kept.
pub struct TdesKey {
    bytes: Zeroizing<[u8; LONGEST]>,
    length: usize,
    first: Des,
    second: Option<Des>,
    third: Option<Des>,
}

impl TdesKey {
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Fault> {
        let (parts, []) = bytes.as_chunks::<BLOCK>() else { return Err(Fault::KeyLength) };
        let schedule = |part: &[u8; BLOCK]| Des::new(part.into());
        let (first, second, third) = match parts {
            [first] => (first, None, None),
            [first, second] => (first, Some(second), None),
            [first, second, third] => (first, Some(second), Some(third)),
            _ => return Err(Fault::KeyLength),
        };
        let mut kept = Zeroizing::new([0; LONGEST]);
        kept.iter_mut().zip(bytes).for_each(|(kept, byte)| *kept = *byte);
        Ok(Self {
            bytes: kept,
            length: bytes.len(),
            first: schedule(first),
            second: second.map(schedule),
            third: third.map(schedule),
        })
    }

    /// The key itself.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// Encipherment, decipherment, encipherment with the parts in turn; the first serves again where there is no third.
    pub fn encrypt_block(&self, block: [u8; BLOCK]) -> [u8; BLOCK] {
        let mut block = block.into();
        self.first.encrypt_block(&mut block);
        if let Some(second) = &self.second {
            second.decrypt_block(&mut block);
            self.third.as_ref().unwrap_or(&self.first).encrypt_block(&mut block);
        }
        block.into()
    }

    pub fn decrypt_block(&self, block: [u8; BLOCK]) -> [u8; BLOCK] {
        let mut block = block.into();
        if let Some(second) = &self.second {
            self.third.as_ref().unwrap_or(&self.first).decrypt_block(&mut block);
            second.encrypt_block(&mut block);
        }
        self.first.decrypt_block(&mut block);
        block.into()
    }

    /// Single DES with the first part, which chains the blocks of a retail MAC.
    pub(crate) fn encrypt_with_first(&self, block: [u8; BLOCK]) -> [u8; BLOCK] {
        let mut block = block.into();
        self.first.encrypt_block(&mut block);
        block.into()
    }

    /// The two steps that follow single DES with the first part: how a retail MAC's last block is finished.
    pub(crate) fn encrypt_block_after_first(&self, block: [u8; BLOCK]) -> [u8; BLOCK] {
        let mut block = block.into();
        if let Some(second) = &self.second {
            second.decrypt_block(&mut block);
            self.third.as_ref().unwrap_or(&self.first).encrypt_block(&mut block);
        }
        block.into()
    }

    /// ECB over whole blocks, as key encipherment has it.
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

    /// The key with `mask` over each of its parts: variants of TR-31, Atalla and DUKPT.
    pub fn masked(&self, mask: [u8; BLOCK]) -> Result<Self, Fault> {
        let masked: Zeroizing<Vec<u8>> =
            Zeroizing::new(self.bytes().iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect());
        Self::from_bytes(&masked)
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

impl PartialEq for TdesKey {
    fn eq(&self, other: &Self) -> bool {
        self.bytes().ct_eq(other.bytes()).into()
    }
}

impl Eq for TdesKey {}

impl std::fmt::Debug for TdesKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TdesKey({} bytes)", self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use des::{TdesEde2, TdesEde3};
    use proptest::prelude::*;

    #[test]
    fn parity() {
        assert!(TdesKey::has_odd_parity(&[0x01, 0xFE, 0x80]));
        assert!(!TdesKey::has_odd_parity(&[0x00]));
        assert_eq!(*TdesKey::with_odd_parity(&[0x00, 0xFF, 0x02]), [0x01, 0xFE, 0x02]);
        assert_eq!(format!("{:?}", TdesKey::from_bytes(&[1; 16]).unwrap()), "TdesKey(16 bytes)");
        for length in [0, 7, 15, 25, 32] {
            assert!(TdesKey::from_bytes(&vec![1; length]).is_err());
        }
    }

    proptest! {
        #[test]
        fn blocks_are_those_of_the_library(two: [u8; 16], three: [u8; 24], block: [u8; 8]) {
            let of = |mut block: des::cipher::Block<Des>, cipher: &dyn Fn(&mut des::cipher::Block<Des>)| {
                cipher(&mut block);
                <[u8; 8]>::from(block)
            };
            let (ede2, ede3) = (TdesEde2::new(&two.into()), TdesEde3::new(&three.into()));
            prop_assert_eq!(TdesKey::from_bytes(&two).unwrap().encrypt_block(block), of(block.into(), &|block| ede2.encrypt_block(block)));
            prop_assert_eq!(TdesKey::from_bytes(&three).unwrap().encrypt_block(block), of(block.into(), &|block| ede3.encrypt_block(block)));
        }

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
