//! Local master keys of the variant kind, and keys under them.
//!
//! An LMK pair is two DES keys. A key type's variant changes the first byte of the pair. Schemes U and T encipher
//! each part of a key with the first byte of the pair's second half changed too; X, Y and single-length keys are
//! plain ECB. The same scheme rules hold under a zone or terminal master key.

use payment_crypto::{Fault, TdesKey, os_random};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{KeyType, Scheme};
use crate::error::Code;

pub(super) const PAIRS: usize = 20;

/// Index of the pair that enciphers PINs (02-03).
const PIN_PAIR: usize = 1;

/// Index of the pair that enciphers private RSA keys (34-35).
const RSA_PAIR: usize = 17;

/// First byte of the pair for variants 0 to 9.
const VARIANTS: [u8; 10] = [0x00, 0xA6, 0x5A, 0x6A, 0xDE, 0x2B, 0x50, 0x74, 0x9C, 0xFA];

/// The twenty pairs.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct VariantLmk([[u8; 16]; PAIRS]);

impl std::fmt::Debug for VariantLmk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("VariantLmk")
    }
}

/// Enciphers `clear` under `master` (16 bytes, or 8 for old single-length zone master keys) by the scheme's rule.
pub fn encipher(master: &TdesKey, scheme: Scheme, clear: &[u8]) -> Result<Vec<u8>, Code> {
    by_parts(master, scheme, clear, TdesKey::encrypt_ecb).map(|cryptogram| cryptogram.to_vec())
}

/// The inverse of [`encipher`].
pub fn decipher(master: &TdesKey, scheme: Scheme, cryptogram: &[u8]) -> Result<Zeroizing<Vec<u8>>, Code> {
    by_parts(master, scheme, cryptogram, TdesKey::decrypt_ecb)
}

type Ecb = fn(&TdesKey, &[u8]) -> Result<Zeroizing<Vec<u8>>, Fault>;

fn by_parts(master: &TdesKey, scheme: Scheme, data: &[u8], act: Ecb) -> Result<Zeroizing<Vec<u8>>, Code> {
    if !scheme.fits(data.len()) {
        return Err(Code::KEY_LENGTH);
    }
    let changes = scheme.part_changes();
    if changes.is_empty() {
        return Ok(act(master, data)?);
    }
    let mut out = Zeroizing::new(Vec::with_capacity(data.len()));
    for (part, change) in data.chunks(8).zip(changes) {
        let mut changed = Zeroizing::new(master.bytes().to_vec());
        *changed.get_mut(8).ok_or(Code::KEY_LENGTH)? ^= change;
        out.extend_from_slice(&act(&TdesKey::from_bytes(&changed)?, part)?);
    }
    Ok(out)
}

impl PartialEq for VariantLmk {
    fn eq(&self, other: &Self) -> bool {
        self.bytes().ct_eq(&other.bytes()).into()
    }
}

impl Eq for VariantLmk {}

impl VariantLmk {
    /// Fresh pairs of odd parity.
    pub fn generate() -> Result<Self, Code> {
        let mut pairs = Self([[0; 16]; PAIRS]);
        for pair in &mut pairs.0 {
            let mut bytes = Zeroizing::new([0; 16]);
            os_random(&mut *bytes)?;
            pair.copy_from_slice(&TdesKey::with_odd_parity(&*bytes));
        }
        Ok(pairs)
    }

    /// The pairs one after the other.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (pairs, []) = bytes.as_chunks::<16>() else { return None };
        Some(Self(pairs.try_into().ok()?))
    }

    pub(super) fn bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.0.concat())
    }

    /// The published test set, which protects nothing: for demonstrations and tests.
    pub fn test() -> Self {
        let repeated = |pairs: [(u8, u8); 17]| pairs.map(|(left, right)| [[left; 8], [right; 8]]);
        let mut keys = [[0; 16]; PAIRS];
        let plain = repeated([
            (0x20, 0x31),
            (0x40, 0x51),
            (0x61, 0x70),
            (0x80, 0x91),
            (0xA1, 0xB0),
            (0x01, 0x01),
            (0x02, 0x04),
            (0x07, 0x10),
            (0x13, 0x15),
            (0x16, 0x19),
            (0x1A, 0x1C),
            (0x23, 0x25),
            (0x26, 0x29),
            (0x2A, 0x2C),
            (0x2F, 0x31),
            (0x01, 0x01),
            (0x01, 0x01),
        ]);
        let places = [1, 2, 3, 4, 5, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 19];
        for (place, halves) in places.into_iter().zip(plain) {
            keys[place] = halves.concat().try_into().unwrap_or([0; 16]);
        }
        keys[0] = 0x0101_0101_0101_0101_7902_CD1F_D36E_F8BA_u128.to_be_bytes();
        keys[6] = 0xC1C1_0101_0101_0101_D0D0_0101_0101_0101_u128.to_be_bytes();
        keys[7] = 0xE0E0_0101_0101_0101_F1F1_0101_0101_0101_u128.to_be_bytes();
        keys[8] = 0x1C58_7F1C_1392_4FEF_0101_0101_0101_0101_u128.to_be_bytes();
        Self(keys)
    }

    /// The pair of a key type, changed by its variant.
    pub(super) fn pair(&self, key_type: KeyType) -> Result<TdesKey, Code> {
        let mut key = Zeroizing::new(*self.0.get(key_type.pair()).ok_or(Code::KEY_TYPE)?);
        key[0] ^= VARIANTS.get(key_type.variant()).ok_or(Code::KEY_TYPE)?;
        Ok(TdesKey::from_bytes(&key[..])?)
    }

    pub(super) fn pin_pair(&self) -> Result<TdesKey, Code> {
        Ok(TdesKey::from_bytes(&self.0[PIN_PAIR])?)
    }

    pub(super) fn rsa_pair(&self) -> Result<TdesKey, Code> {
        Ok(TdesKey::from_bytes(&self.0[RSA_PAIR])?)
    }

    /// A key put under the LMK: scheme letter and cryptogram.
    pub(crate) fn wrap(&self, key_type: KeyType, scheme: Scheme, clear: &[u8]) -> Result<String, Code> {
        if matches!(scheme, Scheme::KeyBlock | Scheme::Tr31) {
            return Err(Code::LMK_SCHEME);
        }
        let cryptogram = encipher(&self.pair(key_type)?, scheme, clear)?;
        Ok(format!("{}{}", scheme.letter(), crate::hex::upper(&cryptogram)))
    }

    /// Sixteen digits that tell one LMK from another: zeros under every pair in turn.
    pub(super) fn check_value(&self) -> Result<String, Code> {
        let mut block = [0; 8];
        for key in &self.0 {
            block = TdesKey::from_bytes(key)?.encrypt_block(block);
        }
        Ok(crate::hex::upper(&block))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vectors() -> Vec<serde_json::Value> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/payshield_keys.json");
        let file: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        file["vectors"].as_array().unwrap().clone()
    }

    #[test]
    fn the_test_set_is_the_published_one() {
        let lmk = VariantLmk::test();
        let pairs = vectors()[0]["expected"]["variant_test_lmk_pairs"].as_object().unwrap().clone();
        for (index, (name, value)) in pairs.iter().enumerate() {
            assert_eq!(hex::encode_upper(lmk.0[index]), value.as_str().unwrap(), "{name}");
        }
        assert_eq!(pairs.len(), PAIRS);
        assert_eq!(VariantLmk::from_bytes(&lmk.bytes()), Some(lmk));
    }

    #[test]
    fn published_keys_decipher() {
        let lmk = VariantLmk::test();
        let mut seen = 0;
        for vector in vectors().iter().skip(1) {
            let (inputs, expected) = (&vector["inputs"], &vector["expected"]);
            let text = |key: &str| inputs[key].as_str().or_else(|| expected[key].as_str()).unwrap().to_owned();
            let key_type = KeyType::parse(&text("key_type")).unwrap();
            let wrapped = text("under_lmk");
            let mut fields = crate::fields::Fields::new(wrapped.as_bytes());
            let key = fields.key("key", 0).unwrap();
            let clear = decipher(&lmk.pair(key_type).unwrap(), key.scheme, &key.cryptogram().unwrap()).unwrap();
            assert_eq!(hex::encode_upper(&*clear), text("clear_key"), "{}", vector["name"]);
            assert!(text("under_lmk").ends_with(&lmk.wrap(key_type, key.scheme, &clear).unwrap()[1..]));
            let kcv = payment_crypto::kcv::tdes(&TdesKey::from_bytes(&clear).unwrap());
            assert_eq!(hex::encode_upper(&kcv[..3]), text("kcv"));
            seen += 1;
        }
        assert!(seen > 15);
    }

    #[test]
    fn generated_pairs_are_odd_and_different() {
        let lmk = VariantLmk::generate().unwrap();
        assert!(lmk.0.iter().all(|pair| TdesKey::has_odd_parity(pair)));
        assert_ne!(lmk.check_value().unwrap(), VariantLmk::generate().unwrap().check_value().unwrap());
        assert_eq!(format!("{lmk:?}"), "VariantLmk");
    }
}
