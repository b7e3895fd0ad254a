//! Clear PIN blocks of eight bytes: ISO 9564-1 format 0 and the older IBM 3624 (Diebold) form.

use crate::tdes::xor;
use crate::{Fault, Pin};

/// The account part of format 0: four zero digits and the twelve rightmost digits without the check digit.
fn account_field(account12: &str) -> Result<[u8; 8], Fault> {
    let digits: Vec<u8> = account12.bytes().map(|byte| byte.wrapping_sub(b'0')).collect();
    if digits.len() != 12 || digits.iter().any(|digit| *digit > 9) {
        return Err(Fault::Account);
    }
    Ok(std::array::from_fn(|index| match index {
        0 | 1 => 0,
        _ => digits[index * 2 - 4] << 4 | digits[index * 2 - 3],
    }))
}

fn nibbles(block: [u8; 8]) -> [u8; 16] {
    std::array::from_fn(|index| if index % 2 == 0 { block[index / 2] >> 4 } else { block[index / 2] & 0x0F })
}

fn from_nibbles(nibbles: [u8; 16]) -> [u8; 8] {
    std::array::from_fn(|index| nibbles[index * 2] << 4 | nibbles[index * 2 + 1])
}

/// ISO 9564-1, 9.3.2: control 0, length, PIN, fill F; XOR the account field.
pub fn encode_format0(pin: &Pin, account12: &str) -> Result<[u8; 8], Fault> {
    let digits = pin.digits();
    let length = u8::try_from(digits.len()).map_err(|_| Fault::PinLength)?;
    let pin_field = std::array::from_fn(|index| match index {
        0 => 0,
        1 => length,
        _ => digits.get(index - 2).copied().unwrap_or(0x0F),
    });
    Ok(xor(from_nibbles(pin_field), account_field(account12)?))
}

/// The inverse of [`encode_format0`]. A wrong length is told apart from other faults, as HSMs do.
pub fn parse_format0(block: [u8; 8], account12: &str) -> Result<Pin, Fault> {
    let field = nibbles(xor(block, account_field(account12)?));
    let length = usize::from(field[1]);
    if field[0] != 0 {
        return Err(Fault::PinBlockContent);
    }
    if !(4..=12).contains(&length) {
        return Err(Fault::PinLength);
    }
    let (digits, fill) = field[2..].split_at(length);
    if fill.iter().any(|nibble| *nibble != 0x0F) {
        return Err(Fault::PinBlockContent);
    }
    Pin::from_digits(digits.to_vec())
}

/// PIN digits from the left, fill F (payShield format 03).
pub fn encode_ibm3624(pin: &Pin) -> [u8; 8] {
    from_nibbles(std::array::from_fn(|index| pin.digits().get(index).copied().unwrap_or(0x0F)))
}

/// The inverse of [`encode_ibm3624`].
pub fn parse_ibm3624(block: [u8; 8]) -> Result<Pin, Fault> {
    let field = nibbles(block);
    let length = field.iter().position(|nibble| *nibble == 0x0F).unwrap_or(field.len());
    let (digits, fill) = field.split_at(length);
    if fill.iter().any(|nibble| *nibble != 0x0F) {
        return Err(Fault::PinBlockContent);
    }
    Pin::from_digits(digits.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors;
    use proptest::prelude::*;

    fn account12(pan: &str) -> String {
        let body = &pan[..pan.len() - 1];
        format!("{:0>12}", &body[body.len().saturating_sub(12)..])
    }

    #[test]
    fn format0_vectors() {
        let mut seen = 0;
        for vector in vectors::of("pinblock") {
            let inputs = &vector["inputs"];
            if inputs["format"] != "ISO-0" {
                continue;
            }
            seen += 1;
            let account = account12(inputs["pan"].as_str().unwrap());
            if let Some(block) = inputs.get("clear_block") {
                let block = vectors::bytes(block).try_into().unwrap();
                assert!(parse_format0(block, &account).is_err(), "{}", vector["name"]);
                continue;
            }
            let pin = Pin::parse(inputs["pin"].as_str().unwrap()).unwrap();
            let block = encode_format0(&pin, &account).unwrap();
            assert_eq!(block.to_vec(), vectors::bytes(&vector["expected"]["clear_block"]), "{}", vector["name"]);
            assert_eq!(parse_format0(block, &account), Ok(pin));
        }
        assert!(seen > 5);
    }

    proptest! {
        #[test]
        fn any_block_is_refused_or_gives_a_pin_that_makes_it(block: [u8; 8]) {
            if let Ok(pin) = parse_format0(block, "123456789012") {
                prop_assert_eq!(encode_format0(&pin, "123456789012"), Ok(block));
            }
            if let Ok(pin) = parse_ibm3624(block) {
                prop_assert_eq!(encode_ibm3624(&pin), block);
            }
        }

        #[test]
        fn pins_round_trip(digits in proptest::collection::vec(0_u8..10, 4..=12)) {
            let pin = Pin::from_digits(digits).unwrap();
            prop_assert_eq!(parse_format0(encode_format0(&pin, "987654321098").unwrap(), "987654321098"), Ok(pin.clone()));
            prop_assert_eq!(parse_ibm3624(encode_ibm3624(&pin)), Ok(pin));
        }
    }
}
