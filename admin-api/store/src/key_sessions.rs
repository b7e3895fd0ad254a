//! Session keys of terminals and networks.

use crate::error::StoreError;
use crate::sql::{Transaction, row, sql};
use crate::store::Store;

/// Whose keys, by row id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyHolder {
    Terminal(i64),
    Network(i64),
}

impl KeyHolder {
    fn kind(self) -> &'static str {
        match self {
            Self::Terminal(_) => "TERMINAL",
            Self::Network(_) => "NETWORK",
        }
    }

    fn id(self) -> i64 {
        match self {
            Self::Terminal(id) | Self::Network(id) => id,
        }
    }

    /// The inverse of [`KeyHolder::kind`] and [`KeyHolder::id`].
    fn of(kind: &str, id: i64) -> Option<Self> {
        [Self::Terminal(id), Self::Network(id)].into_iter().find(|holder| holder.kind() == kind)
    }
}

/// PIN key and MAC key under the LMK.
type Pair = Option<(String, String)>;

/// All key pairs of one holder.
#[derive(Clone)]
pub struct SessionRow {
    pub holder: KeyHolder,
    /// The master key they were exchanged under, itself under the LMK.
    pub master_key: String,
    pub current: Pair,
    pub pending: Pair,
    pub previous: Pair,
    /// Unix milliseconds.
    pub previous_until: Option<i64>,
}

row! {
    struct Columns {
        kind: String,
        holder: i64,
        master_key: String,
        current_pin: Option<String>,
        current_mac: Option<String>,
        pending_pin: Option<String>,
        pending_mac: Option<String>,
        previous_pin: Option<String>,
        previous_mac: Option<String>,
        previous_until: Option<i64>,
    }
}

impl Store {
    pub async fn load_sessions(&self) -> Result<Vec<SessionRow>, StoreError> {
        let rows: Vec<Columns> =
            sql("SELECT kind, holder, master_key, current_pin, current_mac, pending_pin, pending_mac, previous_pin,
                    previous_mac, previous_until
             FROM key_sessions")
            .all(&self.readers)
            .await?;
        let row = |row: Columns| {
            Some(SessionRow {
                holder: KeyHolder::of(&row.kind, row.holder)?,
                master_key: row.master_key,
                current: row.current_pin.zip(row.current_mac),
                pending: row.pending_pin.zip(row.pending_mac),
                previous: row.previous_pin.zip(row.previous_mac),
                previous_until: row.previous_until,
            })
        };
        Ok(rows.into_iter().filter_map(row).collect())
    }

    pub async fn save_session(&self, row: &SessionRow) -> Result<(), StoreError> {
        let split = |pair: &Pair| match pair {
            Some((pin, mac)) => (Some(pin.clone()), Some(mac.clone())),
            None => (None, None),
        };
        let (current, pending, previous) = (split(&row.current), split(&row.pending), split(&row.previous));
        let mut change = self.begin().await?;
        sql("INSERT INTO key_sessions (kind, holder, master_key, current_pin, current_mac, pending_pin, pending_mac,
                                       previous_pin, previous_mac, previous_until)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
             ON CONFLICT (kind, holder) DO UPDATE SET master_key = excluded.master_key,
                 current_pin = excluded.current_pin, current_mac = excluded.current_mac,
                 pending_pin = excluded.pending_pin, pending_mac = excluded.pending_mac,
                 previous_pin = excluded.previous_pin, previous_mac = excluded.previous_mac,
                 previous_until = excluded.previous_until")
        .bind(row.holder.kind())
        .bind(row.holder.id())
        .bind(&row.master_key)
        .bind(current.0)
        .bind(current.1)
        .bind(pending.0)
        .bind(pending.1)
        .bind(previous.0)
        .bind(previous.1)
        .bind(row.previous_until)
        .run(&mut change)
        .await?;
        change.commit().await?;
        Ok(())
    }
}

/// Forgets a holder's keys.
pub(crate) async fn forget(change: &mut Transaction, holder: KeyHolder) -> Result<(), StoreError> {
    sql("DELETE FROM key_sessions WHERE kind = $1 AND holder = $2")
        .bind(holder.kind())
        .bind(holder.id())
        .run(change)
        .await?;
    Ok(())
}
