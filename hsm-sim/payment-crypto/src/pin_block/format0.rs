//! Format 0 (ISO 9564-1, 9.3.2; ANSI X9.8): control 0, length, PIN, fill F; XOR the account field.

use super::{account_field, from_nibbles, nibbles, pin_field, read_pin_field};
use crate::modes::xor;
use crate::{Fault, Pin};

/// `account12`: the twelve rightmost digits without the check digit.
pub fn encode(pin: &Pin, account12: &str) -> Result<[u8; 8], Fault> {
    Ok(xor(from_nibbles(pin_field(0, pin, |_| 0x0F)), account_field(account12)?))
}

/// The inverse of [`encode`].
pub fn decode(block: [u8; 8], account12: &str) -> Result<Pin, Fault> {
    read_pin_field(0, &nibbles(xor(block, account_field(account12)?)), |fill| fill == 0x0F)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{pin_block, vectors};
    use proptest::prelude::*;

    #[test]
    fn format0_vectors() {
        let mut seen = 0;
        for vector in vectors::of("pinblock") {
            let inputs = &vector["inputs"];
            if inputs["format"] != "ISO-0" {
                continue;
            }
            seen += 1;
            let account = pin_block::account12(inputs["pan"].as_str().unwrap()).unwrap();
            if let Some(block) = inputs.get("clear_block") {
                let block = vectors::bytes(block).try_into().unwrap();
                assert!(decode(block, &account).is_err(), "{}", vector["name"]);
                continue;
            }
            let pin = Pin::parse(inputs["pin"].as_str().unwrap()).unwrap();
            let block = encode(&pin, &account).unwrap();
            assert_eq!(block.to_vec(), vectors::bytes(&vector["expected"]["clear_block"]), "{}", vector["name"]);
            assert_eq!(decode(block, &account), Ok(pin));
        }
        assert!(seen > 5);
    }

    proptest! {
        #[test]
        fn any_block_is_refused_or_gives_a_pin_that_makes_it(block: [u8; 8]) {
            if let Ok(pin) = decode(block, "123456789012") {
                prop_assert_eq!(encode(&pin, "123456789012"), Ok(block));
            }
        }

        #[test]
        fn pins_round_trip(digits in proptest::collection::vec(0_u8..10, 4..=12)) {
            let pin = Pin::from_digits(digits).unwrap();
            prop_assert_eq!(decode(encode(&pin, "987654321098").unwrap(), "987654321098"), Ok(pin));
        }
    }
}
