//! AES DUKPT (ANSI X9.24-3): as TDES DUKPT, with AES, a counter of 32 bits and keys of other algorithms derived.

use zeroize::Zeroizing;

use crate::aes::BLOCK;
use crate::{AesKey, Fault};

/// A key serial number: eight bytes of initial key id, and the transaction counter.
pub type Ksn = [u8; 12];

/// What a working key is used for (X9.24-3, table 3, key usage indicator).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    KeyEncryption,
    Pin,
    MacGeneration,
    MacVerification,
    MacBothWays,
    DataEncryption,
    DataDecryption,
    DataBothWays,
}

impl Use {
    fn indicator(self) -> u16 {
        match self {
            Self::KeyEncryption => 0x0002,
            Self::Pin => 0x1000,
            Self::MacGeneration => 0x2000,
            Self::MacVerification => 0x2001,
            Self::MacBothWays => 0x2002,
            Self::DataEncryption => 0x3000,
            Self::DataDecryption => 0x3001,
            Self::DataBothWays => 0x3002,
        }
    }
}

const KEY_DERIVATION: u16 = 0x8000;
const INITIAL_KEY: u16 = 0x8001;

/// What a derived key is for (X9.24-3, table 4, algorithm indicator).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    Tdea2,
    Tdea3,
    Aes128,
    Aes192,
    Aes256,
}

impl Algorithm {
    fn of_key(key: &AesKey) -> Self {
        match key.bytes().len() {
            16 => Self::Aes128,
            24 => Self::Aes192,
            _ => Self::Aes256,
        }
    }

    fn indicator(self) -> u16 {
        match self {
            Self::Tdea2 => 0,
            Self::Tdea3 => 1,
            Self::Aes128 => 2,
            Self::Aes192 => 3,
            Self::Aes256 => 4,
        }
    }

    fn bytes(self) -> usize {
        match self {
            Self::Tdea2 | Self::Aes128 => 16,
            Self::Tdea3 | Self::Aes192 => 24,
            Self::Aes256 => 32,
        }
    }
}

/// The key a terminal is given at first, of the base derivation key's own kind.
pub fn initial_key(bdk: &AesKey, initial_key_id: [u8; 8]) -> Result<AesKey, Fault> {
    let algorithm = Algorithm::of_key(bdk);
    let data = derivation_data(INITIAL_KEY, algorithm, initial_key_id);
    AesKey::from_bytes(&derive(bdk, algorithm, data))
}

/// The key that a transaction's working keys are derived from.
pub fn derivation_key(initial: &AesKey, ksn: Ksn) -> Result<AesKey, Fault> {
    let (id, counter) = parts(ksn);
    let algorithm = Algorithm::of_key(initial);
    let mut key = AesKey::from_bytes(initial.bytes())?;
    let mut reached: u32 = 0;
    for bit in (0..u32::BITS).rev().map(|place| 1_u32 << place).filter(|bit| counter & bit != 0) {
        reached |= bit;
        let data = derivation_data(KEY_DERIVATION, algorithm, tail(id, reached));
        key = AesKey::from_bytes(&derive(&key, algorithm, data))?;
    }
    Ok(key)
}

/// A transaction's key for one use and algorithm.
pub fn working_key(derivation: &AesKey, ksn: Ksn, usage: Use, algorithm: Algorithm) -> Zeroizing<Vec<u8>> {
    let (id, counter) = parts(ksn);
    derive(derivation, algorithm, derivation_data(usage.indicator(), algorithm, tail(id, counter)))
}

/// The key under which a new initial key of `algorithm` comes to a terminal: derived at the counter that no transaction
/// reaches.
pub fn update_key(
    initial: &AesKey,
    initial_key_id: [u8; 8],
    algorithm: Algorithm,
) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let mut ksn = [0xFF; 12];
    ksn[..8].copy_from_slice(&initial_key_id);
    Ok(working_key(&derivation_key(initial, ksn)?, ksn, Use::KeyEncryption, algorithm))
}

/// The right half of the initial key id, and the counter.
fn parts(ksn: Ksn) -> ([u8; 4], u32) {
    let [_, _, _, _, id @ .., c0, c1, c2, c3] = ksn;
    (id, u32::from_be_bytes([c0, c1, c2, c3]))
}

fn tail(id: [u8; 4], counter: u32) -> [u8; 8] {
    let [c0, c1, c2, c3] = counter.to_be_bytes();
    [id[0], id[1], id[2], id[3], c0, c1, c2, c3]
}

/// X9.24-3, 6.3.2: version, block counter, usage, algorithm, length in bits, then what the key is derived for.
fn derivation_data(usage: u16, algorithm: Algorithm, tail: [u8; 8]) -> [u8; BLOCK] {
    let bits = (algorithm.bytes() * 8) as u16;
    let mut data = [0; BLOCK];
    data[0] = 1;
    data[1] = 1;
    data[2..4].copy_from_slice(&usage.to_be_bytes());
    data[4..6].copy_from_slice(&algorithm.indicator().to_be_bytes());
    data[6..8].copy_from_slice(&bits.to_be_bytes());
    data[8..].copy_from_slice(&tail);
    data
}

/// X9.24-3, 6.3.1: as many enciphered blocks as the key takes, with a counter in the second byte.
fn derive(key: &AesKey, algorithm: Algorithm, mut data: [u8; BLOCK]) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(2 * BLOCK));
    while out.len() < algorithm.bytes() {
        out.extend_from_slice(&key.encrypt_block(data));
        data[1] += 1;
    }
    out.truncate(algorithm.bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors;

    fn usage(name: &str) -> Option<Use> {
        Some(match name {
            "KEK" => Use::KeyEncryption,
            "PIN" => Use::Pin,
            "MAC_GEN" => Use::MacGeneration,
            "MAC_VER" => Use::MacVerification,
            "MAC_BOTH" => Use::MacBothWays,
            "DATA_ENC" => Use::DataEncryption,
            "DATA_DEC" => Use::DataDecryption,
            "DATA_BOTH" => Use::DataBothWays,
            _ => return None,
        })
    }

    fn algorithm(name: &str) -> Algorithm {
        match name {
            "2TDEA" => Algorithm::Tdea2,
            "3TDEA" => Algorithm::Tdea3,
            "AES128" => Algorithm::Aes128,
            "AES192" => Algorithm::Aes192,
            "AES256" => Algorithm::Aes256,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn dukpt_aes_vectors() {
        let mut seen = 0;
        for vector in vectors::of("dukpt_aes") {
            let (inputs, expected) = (&vector["inputs"], vector["expected"].as_object().unwrap());
            seen += 1;
            if let Some(update) = expected.get("update_key") {
                let initial = AesKey::from_bytes(&vectors::bytes(&inputs["initial_key"])).unwrap();
                let id = vectors::bytes(&inputs["initial_key_id"]).try_into().unwrap();
                let made = update_key(&initial, id, algorithm(inputs["algorithm"].as_str().unwrap())).unwrap();
                assert_eq!(*made, vectors::bytes(update), "{}", vector["name"]);
                continue;
            }
            let bdk = AesKey::from_bytes(&vectors::bytes(&inputs["bdk"])).unwrap();
            let ksn: Ksn = vectors::bytes(&inputs["ksn"]).try_into().unwrap();
            let initial = initial_key(&bdk, *ksn.first_chunk().unwrap()).unwrap();
            let derivation = derivation_key(&initial, ksn).unwrap();
            for (name, value) in expected {
                let made = match name.as_str() {
                    "initial_key" => initial.bytes().to_vec(),
                    "derivation_key" => derivation.bytes().to_vec(),
                    name => {
                        let (use_name, algorithm_name) = name.rsplit_once('_').unwrap();
                        let usage = usage(use_name).unwrap();
                        working_key(&derivation, ksn, usage, algorithm(algorithm_name)).to_vec()
                    }
                };
                assert_eq!(made, vectors::bytes(value), "{} {name}", vector["name"]);
            }
        }
        assert!(seen >= 22);
    }
}
