//! Card verification values: CVV and CVC of the stripe, CVV2 and CVC2 of the back (service code 000), iCVV (999).
//!
//! Visa's algorithm, which the other schemes share: account number, date and service code in two blocks, the first
//! enciphered under half of the key, both together under all of it; the first three decimal digits of the result.

use crate::modes::xor;
use crate::pvv::decimalise;
use crate::{Fault, TdesKey};

/// `date`: four digits as the scheme feeds them (YYMM on the stripe, MMYY for CVV2 at some issuers).
pub fn generate(cvk: &TdesKey, pan: &str, date: &str, service_code: &str) -> Result<[u8; 3], Fault> {
    if cvk.bytes().len() != 16 {
        return Err(Fault::KeyLength);
    }
    let mut digits: Vec<u8> =
        pan.bytes().chain(date.bytes()).chain(service_code.bytes()).map(|byte| byte.wrapping_sub(b'0')).collect();
    if digits.iter().any(|digit| *digit > 9) || digits.len() > 32 || date.len() != 4 || service_code.len() != 3 {
        return Err(Fault::Account);
    }
    digits.resize(32, 0);
    let block = |half: usize| {
        std::array::from_fn(|index| digits[half * 16 + index * 2] << 4 | digits[half * 16 + index * 2 + 1])
    };
    let first = cvk.encrypt_with_first(block(0));
    Ok(decimalise(cvk.encrypt_block(xor(first, block(1)))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors;

    #[test]
    fn cvv_vectors() {
        for vector in vectors::of("cvv") {
            let inputs = &vector["inputs"];
            let text = |key: &str| inputs[key].as_str().unwrap();
            let key = TdesKey::from_bytes(&vectors::bytes(&inputs["cvk"])).unwrap();
            let cvv = generate(&key, text("pan"), text("date"), text("service_code")).unwrap();
            let cvv: String = cvv.iter().map(|digit| char::from(b'0' + digit)).collect();
            assert_eq!(cvv, vector["expected"]["cvv"].as_str().unwrap(), "{}", vector["name"]);
        }
    }
}
