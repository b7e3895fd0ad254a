//! CVC3, also called dynamic CVV: the value a contactless card writes into its track data.

use crate::mac::{self, Algorithm, Padding};
use crate::{Fault, TdesKey};

/// Five digits. `card`: derived from the issuer's CVC3 key as other card keys are. `track`: the static track data as
/// the card holds it. The MAC of it is the vector; `unpredictable` is four bytes of digits, zeros where none is used.
pub fn generate(card: &TdesKey, track: &[u8], unpredictable: [u8; 4], atc: [u8; 2]) -> Result<[u8; 5], Fault> {
    let vector = mac::generate(Algorithm::Three, card, Padding::Bit, track)?;
    let [u0, u1, u2, u3] = unpredictable;
    let block = card.encrypt_block([vector[6], vector[7], u0, u1, u2, u3, atc[0], atc[1]]);
    let number = u16::from_be_bytes([block[6], block[7]]);
    let digits = format!("{number:05}");
    digits.as_bytes().try_into().map(|digits: [u8; 5]| digits.map(|digit| digit - b'0')).map_err(|_| Fault::DataLength)
}
