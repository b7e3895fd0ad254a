//! The key of a card, derived from an issuer master key (EMV Book 2, annex A1.4).

use sha1::{Digest, Sha1};
use zeroize::Zeroizing;

use crate::{Fault, TdesKey};

/// The rightmost sixteen digits of account number and sequence number, as eight bytes (option A).
///
/// `sequence`: two digits, `00` where the card has none.
pub fn option_a_data(pan: &str, sequence: &str) -> Result<[u8; 8], Fault> {
    packed(&digits(pan, sequence)?)
}

/// Option A for numbers of at most sixteen digits, option B for longer ones.
pub fn derive(issuer: &TdesKey, pan: &str, sequence: &str) -> Result<TdesKey, Fault> {
    if pan.len() <= 16 { option_a(issuer, pan, sequence) } else { option_b(issuer, pan, sequence) }
}

pub fn option_a(issuer: &TdesKey, pan: &str, sequence: &str) -> Result<TdesKey, Fault> {
    from_data(issuer, option_a_data(pan, sequence)?)
}

/// As option A, of the digits of a hash. Numbers of at most sixteen digits are derived by option A.
pub fn option_b(issuer: &TdesKey, pan: &str, sequence: &str) -> Result<TdesKey, Fault> {
    if pan.len() <= 16 {
        return option_a(issuer, pan, sequence);
    }
    let mut text = digits(pan, sequence)?;
    if !text.len().is_multiple_of(2) {
        text.insert(0, '0');
    }
    let bytes: Vec<u8> =
        text.as_bytes().as_chunks::<2>().0.iter().map(|pair| (pair[0] & 0x0F) << 4 | pair[1] & 0x0F).collect();
    let hash = Sha1::digest(&bytes);
    let nibbles: Vec<u8> = hash.iter().flat_map(|byte| [byte >> 4, byte & 0x0F]).collect();
    let decimal = nibbles.iter().copied().filter(|nibble| *nibble < 10);
    let others = nibbles.iter().filter(|nibble| **nibble >= 10).map(|nibble| nibble - 10);
    let chosen: String = decimal.chain(others).take(16).map(|digit| char::from(b'0' + digit)).collect();
    from_data(issuer, packed(&chosen)?)
}

/// Both halves of the key from eight bytes, with odd parity.
pub fn from_data(issuer: &TdesKey, data: [u8; 8]) -> Result<TdesKey, Fault> {
    let halves = Zeroizing::new([issuer.encrypt_block(data), issuer.encrypt_block(data.map(|byte| !byte))].concat());
    TdesKey::from_bytes(&TdesKey::with_odd_parity(&halves))
}

fn digits(pan: &str, sequence: &str) -> Result<String, Fault> {
    let text = format!("{pan}{sequence}");
    if pan.is_empty() || sequence.len() != 2 || text.len() > 21 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Fault::Account);
    }
    Ok(text)
}

/// The rightmost sixteen digits, zeros on the left.
fn packed(digits: &str) -> Result<[u8; 8], Fault> {
    let text = format!("{digits:0>16}");
    let last: [u8; 16] = text.as_bytes().last_chunk().copied().ok_or(Fault::Account)?;
    Ok(std::array::from_fn(|index| (last[index * 2] & 0x0F) << 4 | last[index * 2 + 1] & 0x0F))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_other_forms_are_refused() {
        let key = TdesKey::from_bytes(&[0x13; 16]).unwrap();
        assert!(derive(&key, "4000000000000002", "0").is_err());
        assert!(derive(&key, "", "00").is_err());
        assert!(derive(&key, "40000000000000x2", "00").is_err());
        assert!(derive(&key, "40000000000000000020", "00").is_err());
        assert_ne!(
            derive(&key, "4000000000000000002", "00").unwrap(),
            derive(&key, "4000000000000000002", "01").unwrap()
        );
    }
}
