//! The PIN in a PIN CHANGE command, enciphered under a session key.

use zeroize::Zeroizing;

use crate::modes::xor;
use crate::pin_block::format2;
use crate::{Fault, Pin, TdesKey};

/// Visa (VIS): a length, the block, padding, in ECB; 16 bytes. The block is [`visa_block`] for CVN 10 and 18, and where
/// the old PIN is given; for CVN 22 it is otherwise format 2 (ISO 9564-1).
pub fn visa(session: &TdesKey, block: [u8; 8]) -> Result<Vec<u8>, Fault> {
    let message = Zeroizing::new([&[8][..], &block, &[0x80, 0, 0, 0, 0, 0, 0]].concat());
    Ok(session.encrypt_ecb(&message)?.to_vec())
}

/// PIN length and PIN with fill F, XOR four zeros and four bytes of the card's application cryptogram key; where the old
/// PIN is known, it is XORed too.
pub fn visa_block(card_ac: &TdesKey, pin: &Pin, old: Option<&Pin>) -> Result<[u8; 8], Fault> {
    let key: [u8; 4] = card_ac.bytes().get(4..8).and_then(|part| part.try_into().ok()).ok_or(Fault::KeyLength)?;
    let mut block = format2::encode(pin);
    // As format 2, with control 0.
    block[0] &= 0x0F;
    block = xor(block, [0, 0, 0, 0, key[0], key[1], key[2], key[3]]);
    if let Some(old) = old {
        let digit = |index: usize| old.digits().get(index).copied().unwrap_or(0);
        block = xor(block, std::array::from_fn(|index| digit(index * 2) << 4 | digit(index * 2 + 1)));
    }
    Ok(block)
}

/// Mastercard and common core definitions: format 2 in ECB; eight bytes.
pub fn mastercard(session: &TdesKey, pin: &Pin) -> [u8; 8] {
    session.encrypt_block(format2::encode(pin))
}
