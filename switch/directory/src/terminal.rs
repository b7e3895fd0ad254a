//! A terminal as the switch sees it.

/// How a terminal's session keys travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyScheme {
    /// TR-31 version B key blocks under a double-length TDES TMK.
    Tr31,
    /// ECB cryptograms under the TMK: legacy, must be switched on by name.
    Ecb,
}

impl KeyScheme {
    /// The name used in SQL, REST and configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tr31 => "tr31",
            Self::Ecb => "ecb",
        }
    }

    /// The inverse of [`KeyScheme::as_str`].
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Tr31, Self::Ecb].into_iter().find(|scheme| scheme.as_str() == name)
    }
}

/// DE 41 and DE 42 together, without trailing spaces: unique on the platform.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TerminalName {
    pub terminal_id: String,
    pub merchant_id: String,
}

impl TerminalName {
    pub fn new(terminal_id: &str, merchant_id: &str) -> Self {
        Self { terminal_id: terminal_id.trim_end().to_owned(), merchant_id: merchant_id.trim_end().to_owned() }
    }
}

/// One enrolled terminal. `Debug` does not show its key.
#[derive(Clone)]
pub struct Terminal {
    /// Row id in the store.
    pub id: i64,
    pub tenant_id: i64,
    pub name: TerminalName,
    pub active: bool,
    pub key_scheme: KeyScheme,
    /// Terminal master key under the LMK.
    pub tmk: String,
    /// Whether a message without a MAC is refused with 63.
    pub mac_required: bool,
    /// Ledger account of the merchant's payable.
    pub merchant_account: u64,
}

impl std::fmt::Debug for Terminal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Terminal")
            .field("id", &self.id)
            .field("tenant_id", &self.tenant_id)
            .field("name", &self.name)
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
        let terminal = Terminal {
            id: 7,
            tenant_id: 1,
            name: TerminalName::new("UMBRA001", "UMBRAMERCHANT01"),
            active: true,
            key_scheme: KeyScheme::Tr31,
            tmk: "U0123456789ABCDEFFEDCBA9876543210".into(),
            mac_required: true,
            merchant_account: 11,
        };
        let shown = format!("{terminal:?}");
        assert!(shown.contains("UMBRA001") && !shown.contains("0123456789ABCDEF"), "{shown}");
    }
}
