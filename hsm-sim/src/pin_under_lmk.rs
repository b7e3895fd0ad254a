//! PINs under the LMK, in a form of our own: what real devices do here is not public, and hosts treat it as opaque.
//!
//! The text is one digit longer than the PIN. Its digits are the PIN's length less three and the PIN, enciphered by a
//! ten-round Feistel network on decimal digits whose round function is one cipher block under the LMK's PIN key (pair
//! 02-03) and whose tweak is the account number; enciphered again until the first digit is not 0. So equal PINs of two
//! accounts look different, and a PIN cannot be moved to another account.
//!
//! A text that begins with 0 is the form of another simulator, 0 and the clear PIN. It is read, never written, and under
//! the published test LMKs alone, which protect nothing: the vectors made with that simulator hold here too.

use payment_crypto::Pin;
use zeroize::Zeroizing;

use crate::error::Code;
use crate::keys::{Secret, Vault};

const ROUNDS: u8 = 10;

/// Enciphered at most so often until the first digit fits; nine of ten do.
const WALK_MAX: usize = 1000;

/// `account12`: twelve account digits without the check digit.
pub fn encipher(vault: &Vault<'_>, pin: &Pin, account12: &str) -> Result<String, Code> {
    let length = u8::try_from(pin.digits().len() - 3).map_err(|_| Code::PIN_LENGTH)?;
    let mut digits: Zeroizing<Vec<u8>> =
        Zeroizing::new(std::iter::once(length).chain(pin.digits().iter().copied()).collect());
    let network = Network::new(vault.pin_key(), account12)?;
    for _ in 0..WALK_MAX {
        network.forward(&mut digits);
        if digits.first() != Some(&0) {
            return Ok(digits.iter().map(|digit| char::from(b'0' + digit)).collect());
        }
    }
    Err(Code::INTERNAL)
}

/// The inverse of [`encipher`]; the length digit tells most wrong accounts and LMKs.
pub fn decipher(vault: &Vault<'_>, text: &str, account12: &str) -> Result<Pin, Code> {
    let mut digits: Zeroizing<Vec<u8>> = Zeroizing::new(text.bytes().map(|byte| byte.wrapping_sub(b'0')).collect());
    if !(5..=13).contains(&digits.len()) || digits.iter().any(|digit| *digit > 9) {
        return Err(Code::PIN_UNDER_LMK);
    }
    if digits.first() == Some(&0) {
        let clear = digits.get(1..).filter(|_| vault.lmk().is_public()).ok_or(Code::PIN_UNDER_LMK)?;
        return Pin::from_digits(clear.to_vec()).map_err(|_| Code::PIN_UNDER_LMK);
    }
    let network = Network::new(vault.pin_key(), account12)?;
    for _ in 0..WALK_MAX {
        network.backward(&mut digits);
        match digits.split_first() {
            Some((0, _)) => {}
            Some((length, pin)) if usize::from(*length) + 3 == pin.len() => {
                return Pin::from_digits(pin.to_vec()).map_err(|_| Code::PIN_UNDER_LMK);
            }
            _ => break,
        }
    }
    Err(Code::PIN_UNDER_LMK)
}

/// Twelve digits that stand for an account where it must not be shown: its digits in the network's own way.
pub fn reference(vault: &Vault<'_>, account12: &str) -> Result<String, Code> {
    let network = Network::new(vault.pin_key(), account12)?;
    let digits = network.tweak.iter().flat_map(|byte| [byte >> 4, byte & 0x0F]).map(|digit| digit % 10);
    Ok(digits.take(12).map(|digit| char::from(b'0' + digit)).collect())
}

struct Network<'a> {
    key: &'a Secret,
    tweak: [u8; 8],
}

impl<'a> Network<'a> {
    fn new(key: &'a Secret, account12: &str) -> Result<Self, Code> {
        let account: [u8; 12] = account12.as_bytes().try_into().map_err(|_| Code::ACCOUNT)?;
        let mut tweak = [0; 8];
        for (at, pair) in account.as_chunks::<2>().0.iter().enumerate() {
            tweak[at] = (pair[0] & 0x0F) << 4 | pair[1] & 0x0F;
        }
        Ok(Self { key, tweak: block(key, tweak) })
    }

    fn forward(&self, digits: &mut [u8]) {
        for round in 0..ROUNDS {
            self.mix(round, digits, |digit, pad| (digit + pad) % 10);
        }
    }

    fn backward(&self, digits: &mut [u8]) {
        for round in (0..ROUNDS).rev() {
            self.mix(round, digits, |digit, pad| (digit + 10 - pad) % 10);
        }
    }

    /// One round: one half's digits are moved by a pad computed from the other half, the account and the round. A half is
    /// at most seven digits, which with the round fill a block.
    fn mix(&self, round: u8, digits: &mut [u8], combine: impl Fn(u8, u8) -> u8) {
        let (left, right) = digits.split_at_mut(digits.len() / 2);
        let (moved, source) = if round.is_multiple_of(2) { (left, &*right) } else { (right, &*left) };
        let mut input = self.tweak;
        input[0] ^= round << 4 | source.len() as u8;
        input[1..].iter_mut().zip(source).for_each(|(byte, digit)| *byte ^= digit);
        for (digit, pad) in moved.iter_mut().zip(block(self.key, input)) {
            // 250 of 256 values are even over ten digits; the six others favour 0 to 5 by a hair, which hides nothing less.
            *digit = combine(*digit, pad % 10);
        }
    }
}

fn block(key: &Secret, input: [u8; 8]) -> [u8; 8] {
    match key {
        Secret::Tdes(key) => key.encrypt_block(input),
        Secret::Aes(key) => {
            let mut wide = [0; 16];
            wide[..8].copy_from_slice(&input);
            key.encrypt_block(wide).first_chunk().copied().unwrap_or_default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Device;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pins_come_back_for_their_account(digits in proptest::collection::vec(0_u8..10, 4..=12), id in 0_u8..3) {
            let device = Device::test();
            let vault = device.vault(id).unwrap();
            let pin = Pin::from_digits(digits.clone()).unwrap();
            let text = encipher(&vault, &pin, "123456789012").unwrap();
            prop_assert_eq!(text.len(), digits.len() + 1);
            prop_assert!(!text.starts_with('0'));
            prop_assert_eq!(decipher(&vault, &text, "123456789012"), Ok(pin.clone()));
            prop_assert_ne!(decipher(&vault, &text, "123456789013"), Ok(pin));
        }

        #[test]
        fn any_text_is_refused_or_a_pin(text in "\\PC{0,16}") {
            let _ = decipher(&Device::test().vault(0).unwrap(), &text, "123456789012");
        }
    }

    #[test]
    fn the_clear_form_is_read_under_the_public_lmk_alone() {
        let device = Device::test();
        let read = |id| decipher(&device.vault(id).unwrap(), "01234", "123456789012");
        assert_eq!(read(0), Ok(Pin::parse("1234").unwrap()));
        assert_eq!(read(1), Err(Code::PIN_UNDER_LMK));
        assert_eq!(read(2), Err(Code::PIN_UNDER_LMK));
    }
}
