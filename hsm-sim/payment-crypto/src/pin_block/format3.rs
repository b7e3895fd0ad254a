//! Format 3 (ISO 9564-1, 9.3.5): control 3, length, PIN, random fill of A to F; XOR the account field.

use super::{account_field, from_nibbles, nibbles, pin_field, read_pin_field};
use crate::modes::xor;
use crate::{Fault, Pin, Random};

/// `account12`: the twelve rightmost digits without the check digit.
pub fn encode(pin: &Pin, account12: &str, random: Random<'_>) -> Result<[u8; 8], Fault> {
    let mut fill = [0; 16];
    random(&mut fill)?;
    // Sixteen values on six digits: a little uneven, in a place that is not secret.
    Ok(xor(from_nibbles(pin_field(3, pin, |index| 0x0A + fill[index] % 6)), account_field(account12)?))
}

/// The inverse of [`encode`].
pub fn decode(block: [u8; 8], account12: &str) -> Result<Pin, Fault> {
    read_pin_field(3, &nibbles(xor(block, account_field(account12)?)), |fill| fill >= 0x0A)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{os_random, pin_block, vectors};

    #[test]
    fn format3_vectors() {
        let mut seen = 0;
        for vector in vectors::of("pinblock") {
            let inputs = &vector["inputs"];
            if inputs["format"] != "ISO-3" {
                continue;
            }
            seen += 1;
            let account = pin_block::account12(inputs["pan"].as_str().unwrap()).unwrap();
            let read = decode(vectors::bytes(&inputs["clear_block"]).try_into().unwrap(), &account);
            match vector["expected"]["pin"].as_str() {
                None => assert!(read.is_err(), "{}", vector["name"]),
                Some(pin) => {
                    let pin = Pin::parse(pin).unwrap();
                    assert_eq!(read, Ok(pin.clone()), "{}", vector["name"]);
                    assert_eq!(decode(encode(&pin, &account, &mut os_random).unwrap(), &account), Ok(pin));
                }
            }
        }
        assert!(seen >= 5);
    }
}
