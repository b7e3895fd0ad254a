//! Format 4 (ISO 9564-1, 9.4): a PIN field and an account field of sixteen bytes, enciphered together with AES.

use super::read_pin_field;
use crate::modes::xor;
use crate::{AesKey, Fault, Pin, Random};

/// The clear PIN field: control 4, length, PIN, fill A to the middle, then eight random bytes.
pub fn pin_field(pin: &Pin, random: [u8; 8]) -> [u8; 16] {
    let digits = super::pin_field(4, pin, |_| 0x0A);
    std::array::from_fn(|index| match index {
        0..8 => digits[index * 2] << 4 | digits[index * 2 + 1],
        _ => random[index - 8],
    })
}

/// The account field: how much longer than twelve digits the number is, the number, zeros. Shorter numbers are filled
/// with zeros on the left.
///
/// `pan`: at most nineteen digits, with the check digit.
pub fn pan_field(pan: &str) -> Result<[u8; 16], Fault> {
    if pan.is_empty() || pan.len() > 19 || !pan.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Fault::Account);
    }
    let digits = format!("{}{pan:0>12}", pan.len().max(12) - 12);
    let digit = |index: usize| digits.as_bytes().get(index).map_or(0, |byte| byte & 0x0F);
    Ok(std::array::from_fn(|index| digit(index * 2) << 4 | digit(index * 2 + 1)))
}

/// The enciphered block.
pub fn encipher(key: &AesKey, pin: &Pin, pan: &str, random: Random<'_>) -> Result<[u8; 16], Fault> {
    let mut fill = [0; 8];
    random(&mut fill)?;
    let first = key.encrypt_block(pin_field(pin, fill));
    Ok(key.encrypt_block(xor(first, pan_field(pan)?)))
}

/// The inverse of [`encipher`].
pub fn decipher(key: &AesKey, block: [u8; 16], pan: &str) -> Result<Pin, Fault> {
    read(&open(key, block, pan)?)
}

fn open(key: &AesKey, block: [u8; 16], pan: &str) -> Result<[u8; 16], Fault> {
    Ok(key.decrypt_block(xor(key.decrypt_block(block), pan_field(pan)?)))
}

fn read(field: &[u8; 16]) -> Result<Pin, Fault> {
    let first = field.first_chunk::<8>().copied().unwrap_or_default();
    read_pin_field(4, &super::nibbles(first), |fill| fill == 0x0A)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{os_random, vectors};

    #[test]
    fn format4_vectors() {
        let mut seen = 0;
        for vector in vectors::of("pinblock") {
            let (inputs, expected) = (&vector["inputs"], &vector["expected"]);
            match inputs["format"].as_str().unwrap() {
                "ISO-4 PAN field" => {}
                "ISO-4" => {
                    let key = AesKey::from_bytes(&vectors::bytes(&inputs["key"])).unwrap();
                    let pan = inputs["pan"].as_str().unwrap();
                    let block = vectors::bytes(&inputs["encrypted_block"]).try_into().unwrap();
                    let field = open(&key, block, pan).unwrap();
                    assert_eq!(field.to_vec(), vectors::bytes(&expected["pin_field"]), "{}", vector["name"]);
                    let pin = Pin::parse(expected["pin"].as_str().unwrap()).unwrap();
                    assert_eq!(decipher(&key, block, pan), Ok(pin.clone()));
                    let random = *field.last_chunk::<8>().unwrap();
                    let made = encipher(&key, &pin, pan, &mut |target| {
                        target.copy_from_slice(&random);
                        Ok(())
                    });
                    assert_eq!(made, Ok(block));
                    let fresh = encipher(&key, &pin, pan, &mut os_random).unwrap();
                    assert_ne!(fresh, block);
                    assert_eq!(decipher(&key, fresh, pan), Ok(pin));
                    assert!(decipher(&key, fresh, "4999999999999").is_err());
                }
                _ => continue,
            }
            let field = pan_field(inputs["pan"].as_str().unwrap()).unwrap();
            assert_eq!(field.to_vec(), vectors::bytes(&expected["pan_field"]), "{}", vector["name"]);
            seen += 1;
        }
        assert!(seen >= 12);
        assert!(pan_field("").is_err());
        assert!(pan_field("12345678901234567890").is_err());
    }
}
