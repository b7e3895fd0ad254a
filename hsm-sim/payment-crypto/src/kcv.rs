//! Key check values (X9.24-1, annex A): the encipherment of zeros.

use crate::TdesKey;

/// All eight bytes; what is shown is usually the first two or three.
pub fn tdes(key: &TdesKey) -> [u8; 8] {
    key.encrypt_block([0; 8])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors;

    #[test]
    fn tdes_vectors() {
        let mut seen = 0;
        for vector in vectors::of("kcv") {
            if vector["inputs"]["algorithm"] != "DES/TDES zero-block encryption" {
                continue;
            }
            seen += 1;
            let key = TdesKey::from_bytes(&vectors::bytes(&vector["inputs"]["key"])).unwrap();
            let expected = vectors::bytes(&vector["expected"]["kcv"]);
            assert_eq!(tdes(&key)[..expected.len()], expected, "{}", vector["name"]);
        }
        assert!(seen > 5);
    }
}
