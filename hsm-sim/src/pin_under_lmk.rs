//! PINs under the LMK, in a form of our own: what real devices do here is not public, and hosts treat it as opaque.
//!
//! The text is one digit longer than the PIN. Its digits are the PIN's length modulo ten and the PIN, enciphered by a
//! ten-round Feistel network on decimal digits whose round function is TDES under LMK pair 02-03 and whose tweak is
//! the account number. So equal PINs of two accounts look different, and a PIN cannot be moved to another account.

use payment_crypto::{Pin, TdesKey};

use crate::error::Code;
use crate::lmk::Lmk;

const ROUNDS: u8 = 10;

/// `account12`: twelve account digits without the check digit.
pub fn encipher(lmk: &Lmk, pin: &Pin, account12: &str) -> Result<String, Code> {
    let length = u8::try_from(pin.digits().len() % 10).map_err(|_| Code::PIN_LENGTH)?;
    let mut digits: Vec<u8> = std::iter::once(length).chain(pin.digits().iter().copied()).collect();
    let key = lmk.pin_pair()?;
    for round in 0..ROUNDS {
        mix(&key, account12, round, &mut digits, |digit, pad| (digit + pad) % 10);
    }
    Ok(digits.into_iter().map(|digit| char::from(b'0' + digit)).collect())
}

/// The inverse of [`encipher`]; the length digit tells most wrong accounts and LMKs.
pub fn decipher(lmk: &Lmk, text: &str, account12: &str) -> Result<Pin, Code> {
    let mut digits: Vec<u8> = text.bytes().map(|byte| byte.wrapping_sub(b'0')).collect();
    if !(5..=13).contains(&digits.len()) || digits.iter().any(|digit| *digit > 9) {
        return Err(Code::PIN_UNDER_LMK);
    }
    let key = lmk.pin_pair()?;
    for round in (0..ROUNDS).rev() {
        mix(&key, account12, round, &mut digits, |digit, pad| (digit + 10 - pad) % 10);
    }
    let (length, pin) = digits.split_first().ok_or(Code::PIN_UNDER_LMK)?;
    if usize::from(*length) != pin.len() % 10 {
        return Err(Code::PIN_UNDER_LMK);
    }
    Pin::from_digits(pin.to_vec()).map_err(|_| Code::PIN_UNDER_LMK)
}

/// One round: one half's digits are moved by a pad computed from the other half, the account and the round.
fn mix(key: &TdesKey, account12: &str, round: u8, digits: &mut [u8], combine: impl Fn(u8, u8) -> u8) {
    let (left, right) = digits.split_at_mut(digits.len() / 2);
    let (moved, source) = if round.is_multiple_of(2) { (left, &*right) } else { (right, &*left) };
    let mut block = [round; 8];
    for chunk in account12.as_bytes().chunks(8).chain(source.chunks(8)) {
        for (byte, input) in block.iter_mut().zip(chunk) {
            *byte ^= input;
        }
        block = key.encrypt_block(block);
    }
    for (digit, pad) in moved.iter_mut().zip(block) {
        // 250 of 256 values are even over ten digits; the six others favour 0 to 5 by a hair, which hides nothing less.
        *digit = combine(*digit, pad % 10);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pins_come_back_for_their_account(digits in proptest::collection::vec(0_u8..10, 4..=12)) {
            let lmk = Lmk::test_variant();
            let pin = Pin::from_digits(digits.clone()).unwrap();
            let text = encipher(&lmk, &pin, "123456789012").unwrap();
            prop_assert_eq!(text.len(), digits.len() + 1);
            prop_assert_eq!(decipher(&lmk, &text, "123456789012"), Ok(pin.clone()));
            prop_assert_ne!(decipher(&lmk, &text, "123456789013"), Ok(pin));
        }

        #[test]
        fn any_text_is_refused_or_a_pin(text in "\\PC{0,16}") {
            let _ = decipher(&Lmk::test_variant(), &text, "123456789012");
        }
    }
}
