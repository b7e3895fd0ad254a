//! Test keys: in clear, to know what the HSM must answer, and under the published test LMKs, as commands carry them.

use hsm_sim::{Lmk, console};
use payment_crypto::{AesKey, TdesKey};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

pub struct Key {
    pub clear: TdesKey,
    pub under_lmk: String,
}

pub struct Keys {
    /// Terminal PIN key.
    pub tpk: Key,
    /// PIN verification key.
    pub pvk: Key,
    /// Zone PIN key.
    pub zpk: Key,
    /// Terminal authentication key.
    pub tak: Key,
    /// The keys of AES and what they work with, in key blocks under LMK 01.
    pub aes: AesKeys,
}

/// Under the test LMK of the AES key-block kind.
pub struct AesKeys {
    /// Zone PIN key of format 4.
    pub zpk: (AesKey, String),
    /// PIN verification key, which is always TDES.
    pub pvk: Key,
    /// Message authentication key.
    pub mac: (AesKey, String),
}

/// Identifier of that LMK.
pub const AES_LMK: u8 = 1;

impl Keys {
    pub fn new(seed: u64) -> Option<Self> {
        let mut random = SmallRng::seed_from_u64(seed);
        let mut key = |key_type: &str| {
            let clear = TdesKey::with_odd_parity(&random.random::<[u8; 16]>());
            let (under_lmk, _) = console::form_key(&Lmk::test_variant(), key_type, 'U', &clear)?;
            Some(Key { clear: TdesKey::from_bytes(&clear).ok()?, under_lmk })
        };
        let [tpk, pvk, zpk, tak] = [key("002")?, key("002")?, key("001")?, key("003")?];
        let lmk = Lmk::test_aes()?;
        let in_block = |tail: &[u8; 10], clear: &[u8]| console::form_key_block(&lmk, AES_LMK, tail, clear);
        let mut aes = |tail: &[u8; 10]| {
            let clear = random.random::<[u8; 16]>();
            Some((AesKey::from_bytes(&clear).ok()?, in_block(tail, &clear)?))
        };
        let (zpk_of_aes, mac) = (aes(b"P0A1D00N00")?, aes(b"M6A1C00N00")?);
        let under_lmk = in_block(b"V2T2C00N00", pvk.clear.bytes())?;
        let pvk_in_block = Key { clear: TdesKey::from_bytes(pvk.clear.bytes()).ok()?, under_lmk };
        Some(Self { tpk, pvk, zpk, tak, aes: AesKeys { zpk: zpk_of_aes, pvk: pvk_in_block, mac } })
    }
}
