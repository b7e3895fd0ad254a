//! CMAC (NIST SP 800-38B, RFC 4493; ISO 9797-1 algorithm 5) with TDES and AES.

use ::aes::{Aes128, Aes192, Aes256};
use ::cmac::{Cmac, KeyInit, Mac};
use des::{TdesEde2, TdesEde3};

use crate::{AesKey, Fault, TdesKey};

/// The MAC of `parts` one after the other, under a double or triple length key.
pub fn tdes(key: &TdesKey, parts: &[&[u8]]) -> Result<[u8; 8], Fault> {
    let tag = match key.bytes() {
        bytes if bytes.len() == 16 => run(Cmac::<TdesEde2>::new_from_slice(bytes), parts),
        bytes if bytes.len() == 24 => run(Cmac::<TdesEde3>::new_from_slice(bytes), parts),
        _ => Err(Fault::KeyLength),
    };
    tag?.try_into().map_err(|_| Fault::DataLength)
}

/// The MAC of `parts` one after the other.
pub fn aes(key: &AesKey, parts: &[&[u8]]) -> Result<[u8; 16], Fault> {
    let tag = match key.bytes() {
        bytes if bytes.len() == 16 => run(Cmac::<Aes128>::new_from_slice(bytes), parts),
        bytes if bytes.len() == 24 => run(Cmac::<Aes192>::new_from_slice(bytes), parts),
        bytes => run(Cmac::<Aes256>::new_from_slice(bytes), parts),
    };
    tag?.try_into().map_err(|_| Fault::DataLength)
}

fn run<M: Mac, E>(mac: Result<M, E>, parts: &[&[u8]]) -> Result<Vec<u8>, Fault> {
    let mut mac = mac.map_err(|_| Fault::KeyLength)?;
    for part in parts {
        mac.update(part);
    }
    Ok(mac.finalize().into_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors;

    #[test]
    fn cmac_vectors() {
        let mut seen = 0;
        for vector in vectors::of("cmac") {
            let inputs = &vector["inputs"];
            let (key, message) = (vectors::bytes(&inputs["key"]), vectors::bytes(&inputs["message"]));
            let mac = if inputs["algorithm"].as_str().unwrap().contains("TDES") {
                tdes(&TdesKey::from_bytes(&key).unwrap(), &[&message]).unwrap().to_vec()
            } else {
                aes(&AesKey::from_bytes(&key).unwrap(), &[&message]).unwrap().to_vec()
            };
            let expected = vectors::bytes(&vector["expected"]["mac"]);
            assert_eq!(mac[..expected.len()], expected, "{}", vector["name"]);
            seen += 1;
        }
        assert!(seen >= 15);
    }
}
