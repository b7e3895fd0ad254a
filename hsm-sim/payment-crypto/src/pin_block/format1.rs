//! Format 1 (ISO 9564-1, 9.3.3): control 1, length, PIN, random fill. It is not bound to an account.

use super::{from_nibbles, nibbles, pin_field, read_pin_field};
use crate::{Fault, Pin, Random};

pub fn encode(pin: &Pin, random: Random<'_>) -> Result<[u8; 8], Fault> {
    let mut fill = [0; 16];
    random(&mut fill)?;
    Ok(from_nibbles(pin_field(1, pin, |index| fill[index] & 0x0F)))
}

/// The inverse of [`encode`]; any fill is taken.
pub fn decode(block: [u8; 8]) -> Result<Pin, Fault> {
    read_pin_field(1, &nibbles(block), |_| true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{os_random, vectors};

    #[test]
    fn format1_vectors() {
        let mut seen = 0;
        for vector in vectors::of("pinblock") {
            if vector["inputs"]["format"] != "ISO-1" {
                continue;
            }
            let block = vectors::bytes(&vector["inputs"]["clear_block"]).try_into().unwrap();
            let pin = Pin::parse(vector["expected"]["pin"].as_str().unwrap()).unwrap();
            assert_eq!(decode(block), Ok(pin.clone()), "{}", vector["name"]);
            assert_eq!(decode(encode(&pin, &mut os_random).unwrap()), Ok(pin));
            seen += 1;
        }
        assert!(seen >= 3);
    }
}
