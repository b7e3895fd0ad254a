//! PIN blocks: ISO 9564-1 formats 0 to 4 and the older IBM 3624 (Diebold) form, one file each.
//!
//! Formats 0 to 3 and IBM 3624 are clear blocks of eight bytes that a TDES key enciphers; format 4 is enciphered with
//! AES twice, and clear only in parts.

pub mod format0;
pub mod format1;
pub mod format2;
pub mod format3;
pub mod format4;
pub mod ibm3624;

use crate::{Fault, Pin};

/// The account part of formats 0 and 3: four zero digits and the twelve rightmost digits without the check digit.
fn account_field(account12: &str) -> Result<[u8; 8], Fault> {
    let digits: [u8; 12] = account12.as_bytes().try_into().map_err(|_| Fault::Account)?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(Fault::Account);
    }
    Ok(std::array::from_fn(|index| match index {
        0 | 1 => 0,
        _ => (digits[index * 2 - 4] & 0x0F) << 4 | digits[index * 2 - 3] & 0x0F,
    }))
}

/// The account field's digits from a whole account number with its check digit, filled with zeros on the left.
pub fn account12(pan: &str) -> Result<String, Fault> {
    let body = pan.len().checked_sub(1).and_then(|end| pan.get(..end)).ok_or(Fault::Account)?;
    let digits = format!("{:0>12}", body.get(body.len().saturating_sub(12)..).ok_or(Fault::Account)?);
    if digits.bytes().all(|byte| byte.is_ascii_digit()) { Ok(digits) } else { Err(Fault::Account) }
}

fn nibbles(block: [u8; 8]) -> [u8; 16] {
    std::array::from_fn(|index| if index % 2 == 0 { block[index / 2] >> 4 } else { block[index / 2] & 0x0F })
}

fn from_nibbles(nibbles: [u8; 16]) -> [u8; 8] {
    std::array::from_fn(|index| nibbles[index * 2] << 4 | nibbles[index * 2 + 1])
}

/// Control, length, PIN, and what `fill` gives for the places left.
fn pin_field(control: u8, pin: &Pin, mut fill: impl FnMut(usize) -> u8) -> [u8; 16] {
    let digits = pin.digits();
    std::array::from_fn(|index| match index {
        0 => control,
        1 => digits.len() as u8 & 0x0F,
        _ => digits.get(index - 2).copied().unwrap_or_else(|| fill(index)),
    })
}

/// The PIN of a field with `control` in front whose fill satisfies `fill`. A wrong length is told apart from other
/// faults, as HSMs do.
fn read_pin_field(control: u8, field: &[u8; 16], fill: impl Fn(u8) -> bool) -> Result<Pin, Fault> {
    let length = usize::from(field[1]);
    if field[0] != control {
        return Err(Fault::PinBlockContent);
    }
    if !(4..=12).contains(&length) {
        return Err(Fault::PinLength);
    }
    let (digits, rest) = field[2..].split_at(length);
    if !rest.iter().all(|nibble| fill(*nibble)) {
        return Err(Fault::PinBlockContent);
    }
    Pin::from_digits(digits.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_numbers() {
        assert_eq!(account12("5555555551234567").unwrap(), "555555123456");
        assert_eq!(account12("12345").unwrap(), "000000001234");
        assert!(account12("").is_err());
        assert!(account12("12a45").is_err());
        assert!(account_field("1234").is_err());
        assert!(account_field("12345678901x").is_err());
    }
}
