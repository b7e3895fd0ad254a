//! Names for cards and messages in the issuer's tables, so that no table holds card numbers.

use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::LazyLock;

/// Card numbers are few enough to be tried one by one: only who knows this process's keys can search one back.
static KEYS: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// Two hashes of 64 bits; among a million names, two are alike once in 10^26 runs. Another process has others.
///
/// `Debug` does not show it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Digest(u128);

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(..)")
    }
}

/// A table's name is part of the digest, so that names of different tables never meet.
pub(crate) fn digest(table: &str, parts: &[&str]) -> Digest {
    let half = |which: u8| {
        let mut hasher = KEYS.build_hasher();
        which.hash(&mut hasher);
        table.hash(&mut hasher);
        parts.hash(&mut hasher);
        u128::from(hasher.finish())
    };
    Digest(half(0) << 64 | half(1))
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

    #[test]
    fn a_digest_is_not_shown() {
        assert_eq!(format!("{:?}", digest("card", &["9999980000000007"])), "Digest(..)");
    }
}
