//! Every key under the LMK, wherever it stands, and all of them replaced at once.

use std::collections::HashMap;

use crate::error::StoreError;
use crate::sql::{row, sql};
use crate::store::Store;

/// What a stored key is for, which tells its type under the LMK.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StoredKeyKind {
    TerminalMaster,
    TerminalPin,
    TerminalMac,
    ZoneMaster,
    ZonePin,
    ZoneMac,
    PinVerification,
    CardVerification,
    DataEncryption,
}

/// A key under the LMK. The same text under the same kind is the same key, wherever it stands.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct StoredKey {
    pub kind: StoredKeyKind,
    pub text: String,
}

/// One column that holds keys: how it is read, and how one text takes another's place in it.
struct Place {
    kind: StoredKeyKind,
    read: &'static str,
    replace: &'static str,
}

macro_rules! place {
    ($kind:ident, $table:literal, $column:literal, $condition:literal) => {
        Place {
            kind: StoredKeyKind::$kind,
            read: concat!(
                "SELECT DISTINCT ",
                $column,
                " AS text FROM ",
                $table,
                " WHERE ",
                $condition,
                " AND ",
                $column,
                " IS NOT NULL"
            ),
            replace: concat!(
                "UPDATE ",
                $table,
                " SET ",
                $column,
                " = $1 WHERE ",
                $condition,
                " AND ",
                $column,
                " = $2"
            ),
        }
    };
}

/// Where keys stand. The keys table is beside it, because names tell what its rows are.
static PLACES: [Place; 17] = [
    place!(TerminalMaster, "terminals", "tmk", "0 = 0"),
    place!(ZoneMaster, "networks", "zmk", "0 = 0"),
    place!(PinVerification, "cards", "pvk", "0 = 0"),
    place!(TerminalMaster, "key_sessions", "master_key", "kind = 'TERMINAL'"),
    place!(TerminalPin, "key_sessions", "current_pin", "kind = 'TERMINAL'"),
    place!(TerminalPin, "key_sessions", "pending_pin", "kind = 'TERMINAL'"),
    place!(TerminalPin, "key_sessions", "previous_pin", "kind = 'TERMINAL'"),
    place!(TerminalMac, "key_sessions", "current_mac", "kind = 'TERMINAL'"),
    place!(TerminalMac, "key_sessions", "pending_mac", "kind = 'TERMINAL'"),
    place!(TerminalMac, "key_sessions", "previous_mac", "kind = 'TERMINAL'"),
    place!(ZoneMaster, "key_sessions", "master_key", "kind = 'NETWORK'"),
    place!(ZonePin, "key_sessions", "current_pin", "kind = 'NETWORK'"),
    place!(ZonePin, "key_sessions", "pending_pin", "kind = 'NETWORK'"),
    place!(ZonePin, "key_sessions", "previous_pin", "kind = 'NETWORK'"),
    place!(ZoneMac, "key_sessions", "current_mac", "kind = 'NETWORK'"),
    place!(ZoneMac, "key_sessions", "pending_mac", "kind = 'NETWORK'"),
    place!(ZoneMac, "key_sessions", "previous_mac", "kind = 'NETWORK'"),
];

row! {
    struct Text {
        text: String,
    }
}

row! {
    struct Named {
        name: String,
        value: String,
    }
}

/// What a row of the keys table is under: the LMK itself, or a key that is (none).
fn kind_of(name: &str) -> Option<StoredKeyKind> {
    match name.split(':').next() {
        Some("pvk") => Some(StoredKeyKind::PinVerification),
        Some("cvk") => Some(StoredKeyKind::CardVerification),
        Some("data-encryption-key") => Some(StoredKeyKind::DataEncryption),
        _ => None,
    }
}

impl Store {
    /// Every key under the LMK, each once.
    pub async fn keys_under_lmk(&self) -> Result<Vec<StoredKey>, StoreError> {
        let mut keys = Vec::new();
        for place in &PLACES {
            let texts: Vec<Text> = sql(place.read).all(&self.readers).await?;
            keys.extend(texts.into_iter().map(|row| StoredKey { kind: place.kind, text: row.text }));
        }
        let named: Vec<Named> = sql("SELECT name, value FROM keys").all(&self.readers).await?;
        keys.extend(named.into_iter().filter_map(|row| Some(StoredKey { kind: kind_of(&row.name)?, text: row.value })));
        let mut seen = std::collections::HashSet::new();
        keys.retain(|key| seen.insert(key.clone()));
        Ok(keys)
    }

    /// Puts new texts in the places of old ones, all in one change. Refused where a key has come up meanwhile that has no
    /// new text: nothing is changed then. Gives how many rows were.
    pub async fn replace_keys_under_lmk(&self, new: &HashMap<StoredKey, String>) -> Result<u64, StoreError> {
        let mut change = self.begin().await?;
        let mut rows = 0;
        for place in &PLACES {
            let texts: Vec<Text> = sql(place.read).all(&mut change).await?;
            for old in texts {
                let key = StoredKey { kind: place.kind, text: old.text };
                let text = new.get(&key).ok_or(StoreError::StaleVersion)?;
                rows += sql(place.replace).bind(text).bind(&key.text).run(&mut change).await?;
            }
        }
        let named: Vec<Named> = sql("SELECT name, value FROM keys").all(&mut change).await?;
        for row in named {
            let Some(kind) = kind_of(&row.name) else { continue };
            let key = StoredKey { kind, text: row.value };
            let text = new.get(&key).ok_or(StoreError::StaleVersion)?;
            rows +=
                sql("UPDATE keys SET value = $1 WHERE name = $2").bind(text).bind(&row.name).run(&mut change).await?;
        }
        change.commit().await?;
        Ok(rows)
    }
}
