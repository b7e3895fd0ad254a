//! TDES DUKPT (ANSI X9.24-1): every transaction of a terminal has a key of its own, found again from the base
//! derivation key and the key serial number.

use zeroize::Zeroizing;

use crate::modes::xor;
use crate::tdes::BLOCK;
use crate::{Fault, TdesKey};

/// A key serial number: key set, terminal and a counter of 21 bits.
pub type Ksn = [u8; 10];

const COUNTER_BITS: u32 = 21;

/// What turns one half of a key derivation around the other (X9.24-1, annex A).
const HALVES: [u8; BLOCK] = [0xC0, 0xC0, 0xC0, 0xC0, 0, 0, 0, 0];

/// What a transaction key is used for (X9.24-1, annex A.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    Pin,
    /// MAC of a request, or of both ways.
    MacRequest,
    MacResponse,
    /// Data of a request, or of both ways.
    DataRequest,
    DataResponse,
}

impl Use {
    fn mask(self) -> [u8; BLOCK] {
        let place = match self {
            Self::Pin => 7,
            Self::MacRequest => 6,
            Self::MacResponse => 4,
            Self::DataRequest => 5,
            Self::DataResponse => 3,
        };
        std::array::from_fn(|index| if index == place { 0xFF } else { 0 })
    }
}

/// The key a terminal is given at first (IPEK).
pub fn initial_key(bdk: &TdesKey, ksn: Ksn) -> Result<TdesKey, Fault> {
    double(bdk)?;
    let mut block = [0; BLOCK];
    block.copy_from_slice(&ksn[..BLOCK]);
    block[7] &= 0xE0;
    joined(bdk.encrypt_block(block), bdk.masked(HALVES)?.encrypt_block(block))
}

/// The key of a transaction, from the terminal's initial key.
pub fn transaction_key(initial: &TdesKey, ksn: Ksn) -> Result<TdesKey, Fault> {
    double(initial)?;
    let mut register = [0; BLOCK];
    register.copy_from_slice(&ksn[2..]);
    register[5] &= 0xE0;
    register[6..].fill(0);
    let counter = u32::from_be_bytes([0, ksn[7] & 0x1F, ksn[8], ksn[9]]);
    let mut key = TdesKey::from_bytes(initial.bytes())?;
    for bit in (0..COUNTER_BITS).rev().map(|place| 1 << place).filter(|bit| counter & bit != 0) {
        let bytes = u64::from_be_bytes(register) | u64::from(bit);
        register = bytes.to_be_bytes();
        let right = half(&key.masked(HALVES)?, register)?;
        key = joined(right, half(&key, register)?)?;
    }
    Ok(key)
}

/// The key of a transaction for one use, which carries that use's variant; data keys are enciphered once more.
pub fn working_key(transaction: &TdesKey, usage: Use) -> Result<TdesKey, Fault> {
    let variant = transaction.masked(usage.mask())?;
    match usage {
        Use::Pin | Use::MacRequest | Use::MacResponse => Ok(variant),
        Use::DataRequest | Use::DataResponse => TdesKey::from_bytes(&variant.encrypt_ecb(variant.bytes())?),
    }
}

/// Single DES under the left half of `key`, its right half XORed in before and behind.
fn half(key: &TdesKey, register: [u8; BLOCK]) -> Result<[u8; BLOCK], Fault> {
    let right: [u8; BLOCK] = key.bytes().last_chunk().copied().ok_or(Fault::KeyLength)?;
    Ok(xor(key.encrypt_with_first(xor(register, right)), right))
}

fn joined(left: [u8; BLOCK], right: [u8; BLOCK]) -> Result<TdesKey, Fault> {
    TdesKey::from_bytes(&Zeroizing::new([left, right].concat()))
}

fn double(key: &TdesKey) -> Result<(), Fault> {
    if key.bytes().len() == 2 * BLOCK { Ok(()) } else { Err(Fault::KeyLength) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mac::{self, Algorithm, Padding};
    use crate::{Pin, pin_block, vectors};

    #[test]
    fn dukpt_vectors() {
        let mut seen = 0;
        for vector in vectors::of("dukpt_tdes") {
            let (inputs, expected) = (&vector["inputs"], &vector["expected"]);
            let bdk = TdesKey::from_bytes(&vectors::bytes(&inputs["bdk"])).unwrap();
            let ksn: Ksn = vectors::bytes(&inputs["ksn"]).try_into().unwrap();
            let initial = initial_key(&bdk, ksn).unwrap();
            let transaction = transaction_key(&initial, ksn).unwrap();
            let key = |usage| working_key(&transaction, usage).unwrap();
            for (name, made) in [
                ("initial_key", TdesKey::from_bytes(initial.bytes()).unwrap()),
                ("transaction_key", TdesKey::from_bytes(transaction.bytes()).unwrap()),
                ("pin_key", key(Use::Pin)),
                ("mac_request_key", key(Use::MacRequest)),
                ("mac_response_key", key(Use::MacResponse)),
                ("data_request_key", key(Use::DataRequest)),
                ("data_response_key", key(Use::DataResponse)),
            ] {
                assert_eq!(made.bytes(), vectors::bytes(&expected[name]), "{} {name}", vector["name"]);
            }
            let account = pin_block::account12(inputs["pan"].as_str().unwrap()).unwrap();
            let pin = Pin::parse(inputs["pin"].as_str().unwrap()).unwrap();
            let block = pin_block::format0::encode(&pin, &account).unwrap();
            let enciphered = key(Use::Pin).encrypt_block(block).to_vec();
            assert_eq!(enciphered, vectors::bytes(&expected["encrypted_pin_block"]), "{}", vector["name"]);
            let message = vectors::bytes(&inputs["message"]);
            for (name, usage) in [("mac_request", Use::MacRequest), ("mac_response", Use::MacResponse)] {
                let mac = mac::generate(Algorithm::Three, &key(usage), Padding::Zeros, &message).unwrap();
                assert_eq!(mac[..4].to_vec(), vectors::bytes(&expected[name]), "{} {name}", vector["name"]);
            }
            seen += 1;
        }
        assert!(seen >= 21);
        assert!(initial_key(&TdesKey::from_bytes(&[1; 8]).unwrap(), [0; 10]).is_err());
    }
}
