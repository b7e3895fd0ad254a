//! The key of one transaction of a card.

use zeroize::Zeroizing;

use crate::{Fault, TdesKey};

/// EMV common session key derivation (Book 2, annex A1.3), from eight bytes: for application cryptograms the
/// transaction counter and six zeros, for scripts the application cryptogram.
pub fn common(card: &TdesKey, diversifier: [u8; 8]) -> Result<TdesKey, Fault> {
    let with = |byte: u8| {
        let mut block = diversifier;
        block[2] = byte;
        card.encrypt_block(block)
    };
    joined(with(0xF0), with(0x0F))
}

/// The diversifier of an application cryptogram's common session key.
pub fn counter_alone(atc: [u8; 2]) -> [u8; 8] {
    [atc[0], atc[1], 0, 0, 0, 0, 0, 0]
}

/// Mastercard's own derivation (M/Chip, SKD): transaction counter, two zeros, unpredictable number.
pub fn mastercard(card: &TdesKey, atc: [u8; 2], unpredictable: [u8; 4]) -> Result<TdesKey, Fault> {
    let [u0, u1, u2, u3] = unpredictable;
    common(card, [atc[0], atc[1], 0, 0, u0, u1, u2, u3])
}

/// Visa's keys for scripts (VIS, CVN 10 and 18): the counter XORed into the end of the left half, its complement into the
/// right one.
pub fn visa(card: &TdesKey, atc: [u8; 2]) -> Result<TdesKey, Fault> {
    let mut bytes: [u8; 16] = card.bytes().try_into().map_err(|_| Fault::KeyLength)?;
    for (at, byte) in atc.into_iter().enumerate() {
        bytes[6 + at] ^= byte;
        bytes[14 + at] ^= !byte;
    }
    let key = TdesKey::from_bytes(&TdesKey::with_odd_parity(&bytes));
    zeroize::Zeroize::zeroize(&mut bytes);
    key
}

fn joined(left: [u8; 8], right: [u8; 8]) -> Result<TdesKey, Fault> {
    TdesKey::from_bytes(&TdesKey::with_odd_parity(&Zeroizing::new([left, right].concat())))
}
