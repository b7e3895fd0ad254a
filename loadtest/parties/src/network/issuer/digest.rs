//! Names for cards and messages in the issuer's tables, so that no table holds card numbers.

use std::hash::{DefaultHasher, Hash, Hasher};

/// Two hashes of 64 bits; among a million names, two are alike once in 10^26 runs.
pub(crate) type Digest = u128;

/// A table's name is part of the digest, so that names of different tables never meet.
pub(crate) fn digest(table: &str, parts: &[&str]) -> Digest {
    let half = |which: u8| {
        let mut hasher = DefaultHasher::new();
        which.hash(&mut hasher);
        table.hash(&mut hasher);
        parts.hash(&mut hasher);
        u128::from(hasher.finish())
    };
    half(0) << 64 | half(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_kept_apart() {
        let digests =
            [digest("a", &["12", "3"]), digest("a", &["1", "23"]), digest("a", &["123"]), digest("b", &["12", "3"])];
        for (index, one) in digests.iter().enumerate() {
            assert!(digests.iter().skip(index + 1).all(|other| other != one));
        }
        assert_eq!(digest("a", &["12", "3"]), digests[0]);
    }
}
