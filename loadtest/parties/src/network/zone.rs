//! What two institutions share: a name, a ZMK, and the zone keys that travel under it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use iso8583::Message;
use payment_crypto::TdesKey;

use super::NetworkError;
use super::key_ring::{KeyRing, Verdict};
use crate::{DemoNetwork, Dialect, Error, KeyScheme, SessionKeys, TerminalProfile};

/// Zone keys belong to the two institutions, however many connections there are between them.
///
/// `Debug` shows keys' lengths only; they are wiped on drop.
#[derive(Debug)]
pub struct Zone {
    id: String,
    zmk: TdesKey,
    key_scheme: KeyScheme,
    ring: Mutex<KeyRing>,
}

impl Zone {
    /// `id` is what the network calls itself in DE 33.
    pub fn new(id: &str, zmk: TdesKey, key_scheme: KeyScheme) -> Result<Self, NetworkError> {
        Ok(Self { id: institution(id)?, zmk, key_scheme, ring: Mutex::default() })
    }

    /// The zone of the demo's network.
    pub fn from_demo(network: &DemoNetwork) -> Result<Self, NetworkError> {
        Self::new(&network.id, Self::zmk(&network.zmk)?, network.key_scheme.parse()?)
    }

    /// A ZMK of double or triple length from its hexadecimal form.
    pub fn zmk(text: &str) -> Result<TdesKey, NetworkError> {
        TerminalProfile::tmk(text).map_err(|error| match error {
            Error::Tmk(reason) => NetworkError::Zmk(reason),
            other => other.into(),
        })
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    pub fn key_scheme(&self) -> KeyScheme {
        self.key_scheme
    }

    /// Whether both sides are known to have a pair; one that is only on offer does not count.
    pub fn has_keys(&self) -> bool {
        self.ring().is_in_use()
    }

    /// The pair for what is sent now.
    pub fn keys(&self) -> Option<Arc<SessionKeys>> {
        self.ring().current().cloned()
    }

    pub(crate) fn master_key(&self) -> &TdesKey {
        &self.zmk
    }

    pub(crate) fn verify(&self, message: &Message<'_>) -> Verdict {
        self.ring().verify(message, Instant::now())
    }

    pub(crate) fn ring(&self) -> MutexGuard<'_, KeyRing> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// DE 32 or 33: 1 to 11 digits.
pub(crate) fn institution(id: &str) -> Result<String, NetworkError> {
    match (1..=11).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit()) {
        true => Ok(id.to_owned()),
        false => Err(NetworkError::Id(id.to_owned())),
    }
}

/// How networks speak: `iso87ascii` behind a 2-byte length, without TPDU.
pub(crate) fn dialect() -> Result<Dialect, Error> {
    Dialect::of_listener("network")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_checked_and_never_shown() {
        let zmk = || Zone::zmk(&"1F".repeat(16)).unwrap();
        for id in ["", "12345678901x", "123456789012", "12a"] {
            assert!(Zone::new(id, zmk(), KeyScheme::Tr31).is_err(), "{id}");
        }
        for text in ["", "1F", &"1G".repeat(16), &"1F".repeat(8)] {
            let error = Zone::zmk(text).unwrap_err().to_string();
            assert!(error.starts_with("the ZMK is not") && !error.contains("1F1F"), "{error}");
        }
        let zone = Zone::new("500001", zmk(), KeyScheme::Tr31).unwrap();
        let shown = format!("{zone:?}");
        assert!(shown.contains("500001") && !shown.contains("31, 31") && !shown.contains("1F1F"), "{shown}");
    }
}
