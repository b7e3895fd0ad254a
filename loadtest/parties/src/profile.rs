//! What a terminal is set up with.

use payment_crypto::TdesKey;
use zeroize::Zeroizing;

use crate::{DemoTerminal, Error, KeyScheme};

/// `Debug` shows the TMK's length only; the TMK is wiped on drop.
#[derive(Debug)]
pub struct TerminalProfile {
    /// DE 41, at most 8 characters.
    pub terminal_id: String,
    /// DE 42, at most 15 characters.
    pub merchant_id: String,
    pub tmk: TdesKey,
    pub key_scheme: KeyScheme,
    /// Whether its messages carry MACs.
    pub mac: bool,
}

impl TerminalProfile {
    pub fn from_demo(terminal: &DemoTerminal) -> Result<Self, Error> {
        Ok(Self {
            terminal_id: terminal.terminal_id.clone(),
            merchant_id: terminal.merchant_id.clone(),
            tmk: Self::tmk(&terminal.tmk)?,
            key_scheme: terminal.key_scheme.parse()?,
            mac: terminal.mac,
        })
    }

    /// A TMK of double or triple length from its hexadecimal form.
    pub fn tmk(text: &str) -> Result<TdesKey, Error> {
        let bytes = Zeroizing::new(hex::decode(text).map_err(|_| Error::Tmk("hexadecimal"))?);
        match bytes.len() {
            16 | 24 => TdesKey::from_bytes(&bytes).map_err(Error::Cipher),
            _ => Err(Error::Tmk("32 or 48 hexadecimal digits")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tmk_is_of_double_or_triple_length_and_never_shown() {
        assert!(TerminalProfile::tmk(&"1f".repeat(16)).is_ok() && TerminalProfile::tmk(&"1F".repeat(24)).is_ok());
        for text in ["", "1F", &"1F".repeat(8), &"1F".repeat(17), &"1G".repeat(16)] {
            assert!(TerminalProfile::tmk(text).is_err_and(|error| !error.to_string().contains("1F1F")));
        }
        let profile = TerminalProfile {
            terminal_id: "UMBRA001".into(),
            merchant_id: "M".into(),
            tmk: TerminalProfile::tmk(&"1F".repeat(16)).unwrap(),
            key_scheme: KeyScheme::Tr31,
            mac: true,
        };
        let shown = format!("{profile:?}");
        assert!(shown.contains("TdesKey(16 bytes)") && !shown.contains("31, 31"), "{shown}");
    }
}
