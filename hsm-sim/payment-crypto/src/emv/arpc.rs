//! Authorization response cryptograms (EMV Book 2, 8.2): the issuer's answer that a card can check.

use crate::mac::{self, Algorithm, Padding};
use crate::modes::xor;
use crate::{Fault, TdesKey};

/// Method 1: eight bytes, of the cryptogram and the response code filled with zeros on the right.
pub fn method1(key: &TdesKey, arqc: [u8; 8], response_code: [u8; 2]) -> [u8; 8] {
    key.encrypt_block(xor(arqc, [response_code[0], response_code[1], 0, 0, 0, 0, 0, 0]))
}

/// Method 2: four bytes, of the cryptogram, the card status update and at most eight bytes of the issuer's own.
pub fn method2(key: &TdesKey, arqc: [u8; 8], status_update: [u8; 4], own: &[u8]) -> Result<[u8; 4], Fault> {
    if own.len() > 8 {
        return Err(Fault::DataLength);
    }
    let message = [&arqc[..], &status_update, own].concat();
    let mac = mac::generate(Algorithm::Three, key, Padding::Bit, &message)?;
    Ok([mac[0], mac[1], mac[2], mac[3]])
}
