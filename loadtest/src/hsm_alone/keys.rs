//! Test keys: in clear, to know what the HSM must answer, and under the published test LMKs, as commands carry them.

use hsm_sim::{Lmk, console};
use payment_crypto::TdesKey;
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
    /// Terminal authentication key.
    pub tak: Key,
}

impl Keys {
    pub fn new(seed: u64) -> Option<Self> {
        let mut random = SmallRng::seed_from_u64(seed);
        let mut key = |key_type: &str| {
            let clear = TdesKey::with_odd_parity(&random.random::<[u8; 16]>());
            let (under_lmk, _) = console::form_key(&Lmk::test_variant(), key_type, 'U', &clear)?;
            Some(Key { clear: TdesKey::from_bytes(&clear).ok()?, under_lmk })
        };
        Some(Self { tpk: key("002")?, pvk: key("002")?, tak: key("003")? })
    }
}
