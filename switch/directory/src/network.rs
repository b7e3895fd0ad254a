//! A card network as the switch sees it.

use crate::KeyScheme;

/// One institution that brings authorizations for our cards. `Debug` does not show its key.
#[derive(Clone)]
pub struct Network {
    /// Row id in the store.
    pub id: i64,
    pub tenant_id: i64,
    /// What it calls itself in DE 33: 1 to 11 digits, unique on the platform.
    pub institution: String,
    pub active: bool,
    /// How zone keys travel.
    pub key_scheme: KeyScheme,
    /// Zone master key under the LMK.
    pub zmk: String,
    /// Ledger account of what we owe it.
    pub account: u64,
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Network")
            .field("id", &self.id)
            .field("tenant_id", &self.tenant_id)
            .field("institution", &self.institution)
            .field("active", &self.active)
            .field("key_scheme", &self.key_scheme)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_tells_no_secret() {
        let network = Network {
            id: 7,
            tenant_id: 1,
            institution: "500001".into(),
            active: true,
            key_scheme: KeyScheme::Tr31,
            zmk: "U0123456789ABCDEFFEDCBA9876543210".into(),
            account: 11,
        };
        let shown = format!("{network:?}");
        assert!(shown.contains("500001") && !shown.contains("0123456789ABCDEF"), "{shown}");
    }
}
