//! Session keys of terminals.

use crate::error::StoreError;
use crate::sql::{row, sql};
use crate::store::Store;

/// TPK and TAK under the LMK.
type Pair = Option<(String, String)>;

/// All key pairs of one terminal.
#[derive(Clone)]
pub struct SessionRow {
    /// Row id of the terminal.
    pub terminal: i64,
    /// The master key they were exchanged under, itself under the LMK.
    pub tmk: String,
    pub current: Pair,
    pub pending: Pair,
    pub previous: Pair,
    /// Unix milliseconds.
    pub previous_until: Option<i64>,
}

row! {
    struct Columns {
        terminal: i64,
        tmk: String,
        current_tpk: Option<String>,
        current_tak: Option<String>,
        pending_tpk: Option<String>,
        pending_tak: Option<String>,
        previous_tpk: Option<String>,
        previous_tak: Option<String>,
        previous_until: Option<i64>,
    }
}

impl Store {
    pub async fn load_sessions(&self) -> Result<Vec<SessionRow>, StoreError> {
        let rows: Vec<Columns> =
            sql("SELECT terminal, tmk, current_tpk, current_tak, pending_tpk, pending_tak, previous_tpk, previous_tak,
                    previous_until
             FROM terminal_sessions")
            .all(&self.readers)
            .await?;
        Ok(rows
            .into_iter()
            .map(|row| SessionRow {
                terminal: row.terminal,
                tmk: row.tmk,
                current: row.current_tpk.zip(row.current_tak),
                pending: row.pending_tpk.zip(row.pending_tak),
                previous: row.previous_tpk.zip(row.previous_tak),
                previous_until: row.previous_until,
            })
            .collect())
    }

    pub async fn save_session(&self, row: &SessionRow) -> Result<(), StoreError> {
        let split = |pair: &Pair| match pair {
            Some((tpk, tak)) => (Some(tpk.clone()), Some(tak.clone())),
            None => (None, None),
        };
        let (current, pending, previous) = (split(&row.current), split(&row.pending), split(&row.previous));
        let mut change = self.begin().await?;
        sql("INSERT INTO terminal_sessions (terminal, tmk, current_tpk, current_tak, pending_tpk, pending_tak,
                                            previous_tpk, previous_tak, previous_until)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT (terminal) DO UPDATE SET tmk = excluded.tmk,
                 current_tpk = excluded.current_tpk, current_tak = excluded.current_tak,
                 pending_tpk = excluded.pending_tpk, pending_tak = excluded.pending_tak,
                 previous_tpk = excluded.previous_tpk, previous_tak = excluded.previous_tak,
                 previous_until = excluded.previous_until")
        .bind(row.terminal)
        .bind(&row.tmk)
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
