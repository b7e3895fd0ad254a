//! Message authentication codes with DES: ISO 9797-1 algorithms 1 and 3.

use crate::modes::xor;
use crate::tdes::BLOCK;
use crate::{Fault, TdesKey};

/// ISO 9797-1, 6.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// Method 1: zeros to a whole block; an empty message is one block of zeros.
    Zeros,
    /// Method 2: 0x80, then zeros.
    Bit,
    /// Method 3: a block with the length in bits first, then as method 1.
    Length,
}

/// ISO 9797-1, 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// CBC-MAC with the whole key (7.2). With a single-length key and padding method 1 it is ANSI X9.9, FIPS 113.
    One,
    /// CBC-MAC with the first half, the last block under all of the double-length key: "retail MAC" (7.4). With padding
    /// method 1 it is ANSI X9.19.
    Three,
}

/// The whole MAC of a whole message.
pub fn generate(algorithm: Algorithm, key: &TdesKey, padding: Padding, message: &[u8]) -> Result<[u8; BLOCK], Fault> {
    let chain = match padding {
        Padding::Length => {
            let bits = u64::try_from(message.len()).unwrap_or(u64::MAX).saturating_mul(8);
            update(algorithm, key, [0; BLOCK], &bits.to_be_bytes())?
        }
        Padding::Zeros | Padding::Bit => [0; BLOCK],
    };
    finish(algorithm, key, padding, chain, message)
}

/// Chains whole blocks of a message that comes in parts.
pub fn update(algorithm: Algorithm, key: &TdesKey, chain: [u8; BLOCK], part: &[u8]) -> Result<[u8; BLOCK], Fault> {
    let (blocks, rest) = part.as_chunks::<BLOCK>();
    if !rest.is_empty() {
        return Err(Fault::DataLength);
    }
    Ok(match algorithm {
        Algorithm::One => blocks.iter().fold(chain, |chain, block| key.encrypt_block(xor(chain, *block))),
        Algorithm::Three => {
            double(key)?;
            blocks.iter().fold(chain, |chain, block| key.encrypt_with_first(xor(chain, *block)))
        }
    })
}

/// Pads and chains the last part, and applies the algorithm's last step.
pub fn finish(
    algorithm: Algorithm,
    key: &TdesKey,
    padding: Padding,
    chain: [u8; BLOCK],
    part: &[u8],
) -> Result<[u8; BLOCK], Fault> {
    let mut padded = Vec::with_capacity(part.len() + BLOCK);
    padded.extend_from_slice(part);
    match padding {
        Padding::Bit => padded.push(0x80),
        Padding::Zeros | Padding::Length if part.is_empty() => padded.push(0),
        Padding::Zeros | Padding::Length => {}
    }
    padded.resize(padded.len().next_multiple_of(BLOCK), 0);
    let chain = update(algorithm, key, chain, &padded)?;
    match algorithm {
        Algorithm::One => Ok(chain),
        Algorithm::Three => {
            double(key)?;
            Ok(key.encrypt_block_after_first(chain))
        }
    }
}

fn double(key: &TdesKey) -> Result<(), Fault> {
    if key.bytes().len() == 2 * BLOCK { Ok(()) } else { Err(Fault::KeyLength) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors;
    use proptest::prelude::*;

    #[test]
    fn mac_vectors() {
        let mut seen = 0;
        for vector in vectors::of("mac") {
            let inputs = &vector["inputs"];
            let padding = match inputs["padding"].as_u64() {
                Some(2) => Padding::Bit,
                Some(3) => Padding::Length,
                _ => Padding::Zeros,
            };
            let name = inputs["algorithm"].as_str().unwrap();
            let algorithm = if name.contains("alg3") || name.contains("X9.19") || name.contains("alg 3") {
                Algorithm::Three
            } else {
                Algorithm::One
            };
            let key = TdesKey::from_bytes(&vectors::bytes(&inputs["key"])).unwrap();
            let mac = generate(algorithm, &key, padding, &vectors::bytes(&inputs["message"])).unwrap();
            let expected = vectors::bytes(&vector["expected"]["mac"]);
            assert_eq!(mac[..expected.len()], expected, "{} {name}", vector["name"]);
            seen += 1;
        }
        assert!(seen >= 19);
    }

    proptest! {
        #[test]
        fn parts_give_the_mac_of_the_whole(key: [u8; 16], first in proptest::collection::vec(any::<[u8; 8]>(), 0..4), rest in proptest::collection::vec(any::<u8>(), 1..30)) {
            let key = TdesKey::from_bytes(&key).unwrap();
            for algorithm in [Algorithm::One, Algorithm::Three] {
                let chain = update(algorithm, &key, [0; 8], &first.concat()).unwrap();
                let parts = finish(algorithm, &key, Padding::Zeros, chain, &rest).unwrap();
                let whole = generate(algorithm, &key, Padding::Zeros, &[first.concat(), rest.clone()].concat()).unwrap();
                prop_assert_eq!(parts, whole);
            }
        }
    }
}
