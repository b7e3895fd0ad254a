//! What the switch must know: loaded whole at start, then row by row in commit order.

use directory::{Card, CardStatus, Change, KeyScheme, PanHash, Terminal, TerminalName};
use sqlx::FromRow;

use crate::error::StoreError;
use crate::store::{Store, Transaction};

/// Notes, in the transaction that changes it, that a card must be looked at again.
pub(crate) async fn note_card(change: &mut Transaction, id: i64) -> Result<(), StoreError> {
    note(change, "CARD", id).await
}

pub(crate) async fn note_terminal(change: &mut Transaction, id: i64) -> Result<(), StoreError> {
    note(change, "TERMINAL", id).await
}

async fn note(change: &mut Transaction, kind: &str, id: i64) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO directory_changes (kind, row_id) VALUES ($1, $2)")
        .bind(kind)
        .bind(id)
        .execute(&mut **change)
        .await?;
    Ok(())
}

#[derive(FromRow)]
struct CardColumns {
    id: i64,
    tenant_id: i64,
    wallet_id: i64,
    pan_hash: Vec<u8>,
    status: String,
    expiry: String,
    account: i64,
    currency: i64,
    pvk: String,
    pvki: i64,
    pvv: Option<String>,
    pin_tries_max: i64,
    tolerance_bp: i64,
    hold_life_s: i64,
}

#[derive(FromRow)]
struct TerminalColumns {
    id: i64,
    tenant_id: i64,
    terminal_id: String,
    merchant_id: String,
    active: bool,
    key_scheme: String,
    tmk: String,
    mac_required: bool,
    merchant_account: i64,
}

/// `$1`: one row's id, or NULL for all.
const CARDS: &str =
    "SELECT c.id, c.tenant_id, c.wallet_id, c.pan_hash, c.status, c.expiry, w.account, t.currency, c.pvk,
           c.pvki, c.pvv, c.pin_tries_max, t.tolerance_bp, t.hold_life_s
    FROM cards c
    JOIN wallets w ON w.id = c.wallet_id
    JOIN wallet_types t ON t.tenant_id = w.tenant_id AND t.id = w.wallet_type_id
    WHERE CAST($1 AS BIGINT) IS NULL OR c.id = $1";

const TERMINALS: &str = "SELECT id, tenant_id, terminal_id, merchant_id, active, key_scheme, tmk, mac_required,
           merchant_account
    FROM terminals WHERE CAST($1 AS BIGINT) IS NULL OR id = $1";

impl Store {
    /// Everything, and the feed's position it corresponds to.
    pub async fn load_directory(&self) -> Result<(Vec<Change>, i64), StoreError> {
        // The position is read first: a change in between is loaded and then seen once more, which does no harm.
        let position: i64 = sqlx::query_scalar("SELECT COALESCE(MAX(position), 0) FROM directory_changes")
            .fetch_one(&self.readers)
            .await?;
        let mut all = self.read_cards(None).await?;
        all.extend(self.read_terminals(None).await?);
        Ok((all, position))
    }

    /// Changes behind a position, at most `limit`, each with the row as it is now; and the position of the last.
    pub async fn directory_changes(&self, after: i64, limit: i64) -> Result<(Vec<Change>, i64), StoreError> {
        let notes: Vec<(i64, String, i64)> = sqlx::query_as(
            "SELECT position, kind, row_id FROM directory_changes WHERE position > $1 ORDER BY position LIMIT $2",
        )
        .bind(after)
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        let last = notes.last().map_or(after, |(position, ..)| *position);
        let mut changes = Vec::with_capacity(notes.len());
        for (_, kind, row) in notes {
            changes.extend(match kind.as_str() {
                "CARD" => self.read_cards(Some(row)).await?,
                _ => self.read_terminals(Some(row)).await?,
            });
        }
        Ok((changes, last))
    }

    async fn read_cards(&self, id: Option<i64>) -> Result<Vec<Change>, StoreError> {
        let rows: Vec<CardColumns> = sqlx::query_as(CARDS).bind(id).fetch_all(&self.readers).await?;
        Ok(rows.into_iter().filter_map(|row| usable("card", row.id, card(row))).map(Change::Card).collect())
    }

    async fn read_terminals(&self, id: Option<i64>) -> Result<Vec<Change>, StoreError> {
        let rows: Vec<TerminalColumns> = sqlx::query_as(TERMINALS).bind(id).fetch_all(&self.readers).await?;
        Ok(rows.into_iter().filter_map(|row| usable("terminal", row.id, terminal(row))).map(Change::Terminal).collect())
    }
}

/// A row that the switch cannot understand is left out and named: better one card unknown than none known.
fn usable<T>(kind: &str, id: i64, row: Option<T>) -> Option<T> {
    if row.is_none() {
        tracing::error!(kind, id, "row has a value the switch does not know; it is left out");
    }
    row
}

fn card(row: CardColumns) -> Option<Card> {
    Some(Card {
        card_id: row.id,
        tenant_id: row.tenant_id,
        wallet_id: row.wallet_id,
        pan_hash: PanHash(row.pan_hash.try_into().ok()?),
        status: CardStatus::parse(&row.status)?,
        expiry: row.expiry.as_bytes().try_into().ok()?,
        account: u64::try_from(row.account).ok()?,
        currency: u16::try_from(row.currency).ok()?,
        pvk: row.pvk,
        pvki: u8::try_from(row.pvki).ok()?,
        pvv: row.pvv,
        pin_tries_max: u8::try_from(row.pin_tries_max).ok()?,
        completion_tolerance_bp: u32::try_from(row.tolerance_bp).ok()?,
        hold_life_s: u32::try_from(row.hold_life_s).ok()?,
    })
}

fn terminal(row: TerminalColumns) -> Option<Terminal> {
    Some(Terminal {
        id: row.id,
        tenant_id: row.tenant_id,
        name: TerminalName::new(&row.terminal_id, &row.merchant_id),
        active: row.active,
        key_scheme: KeyScheme::parse(&row.key_scheme)?,
        tmk: row.tmk,
        mac_required: row.mac_required,
        merchant_account: u64::try_from(row.merchant_account).ok()?,
    })
}
