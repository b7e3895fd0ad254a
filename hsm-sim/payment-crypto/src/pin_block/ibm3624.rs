//! The IBM 3624 form, also called Diebold: PIN digits from the left, fill F. It is not bound to an account.

use super::{from_nibbles, nibbles};
use crate::{Fault, Pin};

pub fn encode(pin: &Pin) -> [u8; 8] {
    from_nibbles(std::array::from_fn(|index| pin.digits().get(index).copied().unwrap_or(0x0F)))
}

/// The inverse of [`encode`].
pub fn decode(block: [u8; 8]) -> Result<Pin, Fault> {
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
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_block_is_refused_or_gives_a_pin_that_makes_it(block: [u8; 8]) {
            if let Ok(pin) = decode(block) {
                prop_assert_eq!(encode(&pin), block);
            }
        }

        #[test]
        fn pins_round_trip(digits in proptest::collection::vec(0_u8..10, 4..=12)) {
            let pin = Pin::from_digits(digits).unwrap();
            prop_assert_eq!(decode(encode(&pin)), Ok(pin));
        }
    }
}
