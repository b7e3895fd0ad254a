//! `demo.json`: what `umbra demo` tells terminals and tools of itself. Test keys and test cards only.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::Error;

/// Where the REST API is below the admin listener's address.
const BASE_PATH: &str = "/eclipse-conductor/rest/v1";

/// Keys of the file that are not listed here are ignored.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DemoFile {
    pub base_url: String,
    /// Administers the demo tenant.
    pub admin: Credentials,
    /// Administers the platform.
    pub global: Credentials,
    pub tenant_id: i64,
    /// Listener name to the address it is bound to.
    pub listeners: BTreeMap<String, SocketAddr>,
    pub terminals: Vec<DemoTerminal>,
    pub cards: Vec<DemoCard>,
    /// Brings authorizations; demos of earlier versions have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<DemoNetwork>,
}

impl DemoFile {
    pub fn read(path: &Path) -> Result<Self, Error> {
        let fault = |reason: String| Error::DemoFile { path: path.to_owned(), reason };
        let text =
            Zeroizing::new(std::fs::read_to_string(path).map_err(|error| fault(format!("cannot be read ({error})")))?);
        serde_json::from_str(&text).map_err(|error| {
            // The parser's own words may quote the file, which holds secrets.
            fault(format!("is not of the form of demo.json at line {} column {}", error.line(), error.column()))
        })
    }

    /// Notes the bound addresses; the REST base follows from the admin listener's.
    pub fn serve_at(&mut self, listeners: &BTreeMap<String, SocketAddr>) {
        self.listeners = listeners.clone();
        if let Some(admin) = listeners.get("admin") {
            self.base_url = format!("http://{admin}{BASE_PATH}");
        }
    }
}

#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(rename_all = "camelCase")]
pub struct Credentials {
    pub identity: String,
    pub password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("identity", &self.identity).finish_non_exhaustive()
    }
}

#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(rename_all = "camelCase")]
pub struct DemoTerminal {
    pub terminal_id: String,
    pub merchant_id: String,
    /// The terminal master key in clear, hexadecimal.
    pub tmk: String,
    /// `tr31` or `ecb`. A text, so that a terminal of a scheme this build does not know spoils only itself.
    pub key_scheme: String,
    /// Whether the switch demands MACs of this terminal.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub mac: bool,
}

fn yes() -> bool {
    true
}

fn is_yes(value: &bool) -> bool {
    *value
}

impl std::fmt::Debug for DemoTerminal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DemoTerminal")
            .field("terminal_id", &self.terminal_id)
            .field("merchant_id", &self.merchant_id)
            .field("key_scheme", &self.key_scheme)
            .field("mac", &self.mac)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(rename_all = "camelCase")]
pub struct DemoNetwork {
    /// What it calls itself in DE 33.
    pub id: String,
    /// The zone master key in clear, hexadecimal.
    pub zmk: String,
    /// `tr31` or `ecb`.
    pub key_scheme: String,
    /// DE 32 of what is sent to it.
    pub acquirer_id: String,
}

impl std::fmt::Debug for DemoNetwork {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DemoNetwork")
            .field("id", &self.id)
            .field("key_scheme", &self.key_scheme)
            .field("acquirer_id", &self.acquirer_id)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(rename_all = "camelCase")]
pub struct DemoCard {
    pub pan: String,
    /// `YYMM`.
    pub expiry: String,
    pub pin: String,
    pub cvv2: String,
    pub service_code: String,
    /// `PAN=YYMM` service code, discretionary data.
    pub track2: String,
    pub wallet_id: i64,
    pub customer_id: i64,
    #[serde(default)]
    pub card_id: i64,
    /// ISO 4217 numeric, `710`.
    pub currency: String,
    /// Major units, `10000.00`, as seeded.
    pub balance: String,
    /// `ACTIVE`, `BLOCKED` …, as seeded.
    #[serde(default)]
    pub status: String,
}

impl std::fmt::Debug for DemoCard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DemoCard")
            .field("pan", &iso8583::domain::mask_digits(&self.pan))
            .field("card_id", &self.card_id)
            .field("wallet_id", &self.wallet_id)
            .field("customer_id", &self.customer_id)
            .field("currency", &self.currency)
            .field("balance", &self.balance)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"{
        "baseUrl": "http://127.0.0.1:8080/eclipse-conductor/rest/v1",
        "admin": {"identity": "admin@demo", "password": "secret-one"},
        "global": {"identity": "root", "password": "secret-two"},
        "tenantId": 1,
        "listeners": {"pos-binary": "127.0.0.1:8583", "admin": "127.0.0.1:8080"},
        "terminals": [
            {"terminalId": "UMBRA001", "merchantId": "UMBRAMERCHANT01", "tmk": "0123456789ABCDEFFEDCBA9876543210", "keyScheme": "tr31"},
            {"terminalId": "UMBRA002", "merchantId": "UMBRAMERCHANT01", "tmk": "0123456789ABCDEFFEDCBA9876543210", "keyScheme": "ecb", "mac": false}
        ],
        "cards": [{"pan": "9999990000000008", "expiry": "3012", "pin": "4711", "cvv2": "815", "serviceCode": "201",
            "track2": "9999990000000008=30122010000012300000", "walletId": 7, "customerId": 8, "cardId": 9,
            "currency": "710", "balance": "10000.00", "status": "ACTIVE"}],
        "network": {"id": "500001", "zmk": "89ABCDEF0123456776543210FEDCBA98", "keyScheme": "tr31", "acquirerId": "990001"},
        "offUsPan": "not read yet"
    }"#;

    fn parsed() -> DemoFile {
        serde_json::from_str(FILE).unwrap()
    }

    #[test]
    fn what_is_written_is_read_and_unknown_keys_are_ignored() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("demo.json");
        std::fs::write(&path, FILE).unwrap();
        let read = DemoFile::read(&path).unwrap();
        assert!(read.terminals[0].mac && !read.terminals[1].mac);
        assert_eq!(read.terminals[1].key_scheme, "ecb");
        let again = serde_json::to_value(&read).unwrap();
        assert!(again["terminals"][0].get("mac").is_none(), "the default is left out");
        let mut expected: serde_json::Value = serde_json::from_str(FILE).unwrap();
        expected.as_object_mut().unwrap().remove("offUsPan");
        assert_eq!(again, expected);
    }

    #[test]
    fn addresses_are_noted() {
        let mut file = parsed();
        let listeners = BTreeMap::from([("admin".to_owned(), SocketAddr::from(([127, 0, 0, 1], 4242)))]);
        file.serve_at(&listeners);
        assert_eq!(file.base_url, "http://127.0.0.1:4242/eclipse-conductor/rest/v1");
        assert_eq!(file.listeners, listeners);
    }

    #[test]
    fn a_missing_or_broken_file_says_to_start_the_demo_and_quotes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("demo.json");
        let missing = DemoFile::read(&path).unwrap_err().to_string();
        assert!(missing.contains("demo.json") && missing.contains("start `umbra demo`"), "{missing}");
        std::fs::write(&path, r#"{"tenantId": "4711471147114711"}"#).unwrap();
        let broken = DemoFile::read(&path).unwrap_err().to_string();
        assert!(broken.contains("line 1") && !broken.contains("4711"), "{broken}");
    }

    #[test]
    fn debug_shows_no_secret() {
        let shown = format!("{:?}", parsed());
        for secret in [
            "secret-one",
            "secret-two",
            "0123456789ABCDEF",
            "89ABCDEF01234567",
            "9999990000000008",
            "4711",
            "815",
            "3012",
        ] {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
        assert!(shown.contains("999999******0008"), "{shown}");
    }
}
