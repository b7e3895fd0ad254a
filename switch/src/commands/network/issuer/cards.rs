//! `--cards FILE`.

use std::path::Path;

use anyhow::Context;
use parties::IssuerCard;
use serde::Deserialize;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::commands::terminal::setup::{minor_units, usage};

// Has no `Debug`: it holds a PAN and a PIN.
#[derive(Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct Card {
    pan: String,
    pin: Option<String>,
    /// Major units.
    balance: Option<String>,
    #[serde(default = "rand")]
    currency: String,
    /// DE 39.
    decline: Option<String>,
}

fn rand() -> String {
    "710".to_owned()
}

pub fn read(path: &Path) -> anyhow::Result<Vec<IssuerCard>> {
    let text = std::fs::read_to_string(path)
        .map(Zeroizing::new)
        .with_context(|| format!("cannot read {}; give --cards another file", path.display()))?;
    let cards: Vec<Card> = serde_json::from_str(&text).map_err(|error| {
        // The parser's own words may quote the file.
        let (line, column) = (error.line(), error.column());
        usage(format!("{} is no list of cards at line {line} column {column}; correct it", path.display()))
    })?;
    cards.iter().map(card).collect()
}

fn card(from: &Card) -> anyhow::Result<IssuerCard> {
    let mut card = IssuerCard::new(&from.pan).map_err(usage)?;
    if let Some(pin) = &from.pin {
        card = card.with_pin(pin).map_err(usage)?;
    }
    if let Some(balance) = &from.balance {
        card = card.with_balance(minor_units("a card's balance", balance, &from.currency)?);
    }
    match &from.decline {
        Some(code) => card.declined_with(code).map_err(usage),
        None => Ok(card),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> anyhow::Result<Vec<IssuerCard>> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cards.json");
        std::fs::write(&path, text).unwrap();
        read(&path)
    }

    #[test]
    fn cards_are_read_and_faults_quote_nothing() {
        let good = r#"[{"pan": "9999980000000007", "pin": "4711", "balance": "12.50"},
            {"pan": "9999980000000015", "decline": "41", "balance": "12", "currency": "392"}]"#;
        assert_eq!(read_text(good).unwrap().len(), 2);
        for bad in [
            r#"{"pan": "9999980000000007"}"#,
            r#"[{"pan": "9999980000000007", "pni": "4711"}]"#,
            r#"[{"pan": "99999800x0000007"}]"#,
            r#"[{"pan": "9999980000000007", "pin": "47x1"}]"#,
            r#"[{"pan": "9999980000000007", "balance": "1.234"}]"#,
            r#"[{"pan": "9999980000000007", "decline": "00"}]"#,
        ] {
            let error = format!("{:#}", read_text(bad).unwrap_err());
            assert!(!error.contains("99999800") && !error.contains("47"), "{error}");
        }
    }
}
