//! Finding a card without holding its PAN.

use hmac::{Hmac, KeyInit, Mac};
use iso8583::domain::Pan;
use sha2::Sha256;
use zeroize::Zeroizing;

/// HMAC-SHA-256 of the whole PAN under the PAN lookup key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PanHash(pub [u8; 32]);

impl std::fmt::Debug for PanHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PanHash({:02x}{:02x}…)", self.0[0], self.0[1])
    }
}

/// Computes PAN hashes. The key is unwrapped through the HSM at start and lives only in memory (PCI DSS 3.5.1.1).
#[derive(Clone)]
pub struct PanHasher {
    key: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for PanHasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PanHasher")
    }
}

impl PanHasher {
    pub fn new(key: Zeroizing<[u8; 32]>) -> Self {
        Self { key }
    }

    /// The lookup hash of a PAN.
    pub fn hash(&self, pan: &Pan) -> PanHash {
        PanHash(self.mac(&[b"pan", pan.as_str().as_bytes()]))
    }

    /// A keyed digest over several parts, for facts that must be compared but not stored in clear.
    /// Each part is preceded by its length, so that no two lists collide.
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        // An HMAC key may have any length, so this cannot fail; the empty key is never reached.
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.key[..]).unwrap_or_else(|_| Hmac::<Sha256>::new(&Default::default()));
        for part in parts {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}
