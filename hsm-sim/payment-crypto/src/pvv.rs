//! Visa PIN verification value.
//!
//! The transformed security parameter, eleven account digits, the key indicator and four PIN digits, is enciphered
//! under the double-length PVK; the first four decimal digits of the result are the PVV, and where there are fewer,
//! hexadecimal digits A to F follow as 0 to 5.

use crate::{Fault, Pin, TdesKey};

/// `account12`: the twelve rightmost account digits without the check digit; the last eleven are used.
pub fn generate(pvk: &TdesKey, pin: &Pin, account12: &str, pvki: u8) -> Result<[u8; 4], Fault> {
    if pvk.bytes().len() < 16 {
        return Err(Fault::KeyLength);
    }
    let account: Vec<u8> = account12.bytes().skip(1).map(|byte| byte.wrapping_sub(b'0')).collect();
    let pin = pin.digits().get(..4).ok_or(Fault::PinLength)?;
    if account.len() != 11 || account.iter().any(|digit| *digit > 9) || pvki > 9 {
        return Err(Fault::Account);
    }
    let parameter: Vec<u8> = account.into_iter().chain([pvki]).chain(pin.iter().copied()).collect();
    let block = std::array::from_fn(|index| parameter[index * 2] << 4 | parameter[index * 2 + 1]);
    Ok(decimalise(pvk.encrypt_block(block)))
}

/// Decimal digits first, then A to F less ten; always enough for `N` of up to 16.
pub(crate) fn decimalise<const N: usize>(block: [u8; 8]) -> [u8; N] {
    let nibbles = || block.iter().flat_map(|byte| [byte >> 4, byte & 0x0F]);
    let mut digits =
        nibbles().filter(|nibble| *nibble <= 9).chain(nibbles().filter(|nibble| *nibble > 9).map(|nibble| nibble - 10));
    std::array::from_fn(|_| digits.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors;

    #[test]
    fn pvv_vectors() {
        for vector in vectors::of("pvv") {
            let inputs = &vector["inputs"];
            let text = |key: &str| inputs[key].as_str().unwrap().to_owned();
            let pan = text("pan");
            let body = &pan[..pan.len() - 1];
            let account = format!("{:0>12}", &body[body.len().saturating_sub(12)..]);
            let key = TdesKey::from_bytes(&vectors::bytes(&inputs["pvk"])).unwrap();
            let pvki = text("pvki").parse().unwrap();
            let pvv = generate(&key, &Pin::parse(&text("pin")).unwrap(), &account, pvki).unwrap();
            let pvv: String = pvv.iter().map(|digit| char::from(b'0' + digit)).collect();
            assert_eq!(pvv, vector["expected"]["pvv"].as_str().unwrap(), "{}", vector["name"]);
        }
    }
}
