//! Format 2 (ISO 9564-1, 9.3.4): control 2, length, PIN, fill F. For offline checks by a chip, and PIN changes.

use super::{from_nibbles, nibbles, pin_field, read_pin_field};
use crate::{Fault, Pin};

pub fn encode(pin: &Pin) -> [u8; 8] {
    from_nibbles(pin_field(2, pin, |_| 0x0F))
}

/// The inverse of [`encode`].
pub fn decode(block: [u8; 8]) -> Result<Pin, Fault> {
    read_pin_field(2, &nibbles(block), |fill| fill == 0x0F)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors;

    #[test]
    fn format2_vectors() {
        let mut seen = 0;
        for vector in vectors::of("pinblock") {
            let inputs = &vector["inputs"];
            if inputs["format"] != "ISO-2" {
                continue;
            }
            seen += 1;
            if let Some(block) = inputs.get("clear_block") {
                assert!(decode(vectors::bytes(block).try_into().unwrap()).is_err(), "{}", vector["name"]);
                continue;
            }
            let pin = Pin::parse(inputs["pin"].as_str().unwrap()).unwrap();
            let block = encode(&pin);
            assert_eq!(block.to_vec(), vectors::bytes(&vector["expected"]["clear_block"]), "{}", vector["name"]);
            assert_eq!(decode(block), Ok(pin));
        }
        assert!(seen >= 4);
    }
}
