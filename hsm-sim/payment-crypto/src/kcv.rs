//! Key check values: the encipherment of zeros for TDES (X9.24-1, annex A), the CMAC of zeros for AES (X9.24-1:2017,
//! annex A; X9.143), and the older AES form, the encipherment of zeros.

use crate::{AesKey, Fault, TdesKey, cmac};

/// All eight bytes; what is shown is usually the first two or three.
pub fn tdes(key: &TdesKey) -> [u8; 8] {
    key.encrypt_block([0; 8])
}

/// All sixteen bytes; what is shown is usually the first three or five.
pub fn aes(key: &AesKey) -> Result<[u8; 16], Fault> {
    cmac::aes(key, &[&[0; 16]])
}

/// The older form, which some devices still show.
pub fn aes_ecb(key: &AesKey) -> [u8; 16] {
    key.encrypt_block([0; 16])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors;

    #[test]
    fn kcv_vectors() {
        let mut seen = 0;
        for vector in vectors::of("kcv") {
            let key = vectors::bytes(&vector["inputs"]["key"]);
            let aes_key = || AesKey::from_bytes(&key).unwrap();
            let kcv = match vector["inputs"]["algorithm"].as_str().unwrap() {
                "DES/TDES zero-block encryption" => tdes(&TdesKey::from_bytes(&key).unwrap()).to_vec(),
                "AES ECB of a zero block (legacy AES KCV)" => aes_ecb(&aes_key()).to_vec(),
                _ => aes(&aes_key()).unwrap().to_vec(),
            };
            let expected = vectors::bytes(&vector["expected"]["kcv"]);
            assert_eq!(kcv[..expected.len()], expected, "{}", vector["name"]);
            seen += 1;
        }
        assert!(seen >= 22);
    }
}
