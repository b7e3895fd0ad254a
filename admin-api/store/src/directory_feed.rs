//! What the switch must know: loaded whole at start, then row by row in commit order.

use std::collections::BTreeSet;

use directory::{Card, CardStatus, Change, KeyScheme, Network, PanHash, Terminal, TerminalName};

use crate::error::StoreError;
use crate::sql::{Transaction, row, sql};
use crate::store::Store;

/// Notes, in the transaction that changes it, that a card must be looked at again.
pub(crate) async fn note_card(change: &mut Transaction, id: i64) -> Result<(), StoreError> {
    note(change, "CARD", id).await
}

pub(crate) async fn note_terminal(change: &mut Transaction, id: i64) -> Result<(), StoreError> {
    note(change, "TERMINAL", id).await
}

pub(crate) async fn note_network(change: &mut Transaction, id: i64) -> Result<(), StoreError> {
    note(change, "NETWORK", id).await
}

/// The same for all cards of a wallet, whose status is part of theirs.
pub(crate) async fn note_cards_of_wallet(change: &mut Transaction, wallet: i64) -> Result<(), StoreError> {
    take_turn(change).await?;
    sql("INSERT INTO directory_changes (kind, row_id) SELECT 'CARD', id FROM cards WHERE wallet_id = $1 ORDER BY id")
        .bind(wallet)
        .run(change)
        .await?;
    Ok(())
}

pub(crate) async fn note_cards_of_wallet_type(change: &mut Transaction, wallet_type: i64) -> Result<(), StoreError> {
    take_turn(change).await?;
    sql("INSERT INTO directory_changes (kind, row_id)
         SELECT 'CARD', c.id FROM cards c JOIN wallets w ON w.id = c.wallet_id
         WHERE w.wallet_type_id = $1 ORDER BY c.id")
    .bind(wallet_type)
    .run(change)
    .await?;
    Ok(())
}

async fn note(change: &mut Transaction, kind: &str, id: i64) -> Result<(), StoreError> {
    take_turn(change).await?;
    sql("INSERT INTO directory_changes (kind, row_id) VALUES ($1, $2)").bind(kind).bind(id).run(change).await?;
    Ok(())
}

/// Positions are numbered in commit order: whoever takes one keeps others from doing so until he has committed. SQLite
/// has one writer anyhow.
async fn take_turn(change: &mut Transaction) -> Result<(), StoreError> {
    /// Any number, the same for all: "UMBRA" and a one.
    const LOCK: i64 = 0x55_4D_42_52_41_01;
    if let Transaction::Postgres(change) = change {
        sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut **change).await?;
    }
    Ok(())
}

row! {
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
}

row! {
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
}

row! {
    struct NetworkColumns {
        id: i64,
        tenant_id: i64,
        institution: String,
        active: bool,
        key_scheme: String,
        zmk: String,
        account: i64,
    }
}

impl Store {
    /// Everything, and the feed's position it corresponds to.
    pub async fn load_directory(&self) -> Result<(Vec<Change>, i64), StoreError> {
        // The position is read first: a change in between is loaded and then seen once more, which does no harm.
        let position: i64 =
            sql("SELECT COALESCE(MAX(position), 0) FROM directory_changes").value(&self.readers).await?;
        let mut all = self.read_cards(None).await?;
        all.extend(self.read_terminals(None).await?);
        all.extend(self.read_networks(None).await?);
        Ok((all, position))
    }

    /// Forgets changes up to a position, once the directory has them: the next start loads everything anyhow.
    pub async fn forget_directory_changes(&self, up_to: i64) -> Result<(), StoreError> {
        let mut change = self.begin().await?;
        sql("DELETE FROM directory_changes WHERE position <= $1").bind(up_to).run(&mut change).await?;
        change.commit().await
    }

    /// Changes behind a position, at most `limit`, each with the row as it is now; and the position of the last.
    pub async fn directory_changes(&self, after: i64, limit: i64) -> Result<(Vec<Change>, i64), StoreError> {
        let notes: Vec<(i64, String, i64)> =
            sql("SELECT position, kind, row_id FROM directory_changes WHERE position > $1 ORDER BY position LIMIT $2")
                .bind(after)
                .bind(limit)
                .all(&self.readers)
                .await?;
        let Some(last) = notes.last().map(|(position, ..)| *position) else { return Ok((Vec::new(), after)) };
        let between = Some((after, last));
        let mut changes = self.read_cards(between).await?;
        changes.extend(self.read_terminals(between).await?);
        changes.extend(self.read_networks(between).await?);
        // What was noted and has no row any more is gone. Cards and networks stay for ever.
        let read: BTreeSet<i64> = changes.iter().filter_map(terminal_of).collect();
        let noted = notes.iter().filter(|(_, kind, _)| kind == "TERMINAL").map(|(.., id)| *id);
        changes.extend(noted.filter(|id| !read.contains(id)).map(Change::NoTerminal));
        Ok((changes, last))
    }

    /// Cards that were noted between two positions, or all. A card of a wallet that is not active is blocked.
    async fn read_cards(&self, between: Option<(i64, i64)>) -> Result<Vec<Change>, StoreError> {
        let rows: Vec<CardColumns> = sql(
            "SELECT c.id, c.tenant_id, c.wallet_id, c.pan_hash, c.expiry, w.account, t.currency, c.pvk, c.pvki, c.pvv,
                    c.pin_tries_max, t.tolerance_bp, t.hold_life_s,
                    CASE WHEN w.status = 'ACTIVE' AND t.mode <> 'SYSTEM' THEN c.status ELSE 'BLOCKED' END AS status
             FROM cards c
             JOIN wallets w ON w.id = c.wallet_id
             JOIN wallet_types t ON t.id = w.wallet_type_id
             WHERE CAST($1 AS BIGINT) IS NULL OR c.id IN
                 (SELECT row_id FROM directory_changes WHERE kind = 'CARD' AND position > $1 AND position <= $2)",
        )
        .bind(between.map(|(after, _)| after))
        .bind(between.map(|(_, last)| last))
        .all(&self.readers)
        .await?;
        Ok(rows.into_iter().map(card_change).collect())
    }

    async fn read_terminals(&self, between: Option<(i64, i64)>) -> Result<Vec<Change>, StoreError> {
        let rows: Vec<TerminalColumns> = sql(
            "SELECT id, tenant_id, terminal_id, merchant_id, active, key_scheme, tmk, mac_required, merchant_account
             FROM terminals
             WHERE CAST($1 AS BIGINT) IS NULL OR id IN
                 (SELECT row_id FROM directory_changes WHERE kind = 'TERMINAL' AND position > $1 AND position <= $2)",
        )
        .bind(between.map(|(after, _)| after))
        .bind(between.map(|(_, last)| last))
        .all(&self.readers)
        .await?;
        Ok(rows.into_iter().map(terminal_change).collect())
    }

    async fn read_networks(&self, between: Option<(i64, i64)>) -> Result<Vec<Change>, StoreError> {
        let rows: Vec<NetworkColumns> = sql("SELECT id, tenant_id, institution, active, key_scheme, zmk, account
             FROM networks
             WHERE CAST($1 AS BIGINT) IS NULL OR id IN
                 (SELECT row_id FROM directory_changes WHERE kind = 'NETWORK' AND position > $1 AND position <= $2)")
        .bind(between.map(|(after, _)| after))
        .bind(between.map(|(_, last)| last))
        .all(&self.readers)
        .await?;
        Ok(rows.into_iter().map(network_change).collect())
    }
}

/// The row id of a terminal that a change is about.
fn terminal_of(change: &Change) -> Option<i64> {
    match change {
        Change::Terminal(terminal) => Some(terminal.id),
        Change::NoTerminal(id) => Some(*id),
        Change::Card(_) | Change::NoCard(_) | Change::Network(_) | Change::NoNetwork(_) => None,
    }
}

/// A row that the switch cannot understand is named and taken out: better one card unknown than an old copy of it.
fn card_change(row: CardColumns) -> Change {
    let (id, hash) = (row.id, row.pan_hash.clone());
    card(row).map_or_else(
        || {
            tracing::error!(id, "card row has a value the switch does not know; the card is left out");
            Change::NoCard(PanHash(hash.try_into().unwrap_or_default()))
        },
        Change::Card,
    )
}

fn terminal_change(row: TerminalColumns) -> Change {
    let id = row.id;
    terminal(row).map_or_else(
        || {
            tracing::error!(id, "terminal row has a value the switch does not know; the terminal is left out");
            Change::NoTerminal(id)
        },
        Change::Terminal,
    )
}

fn network_change(row: NetworkColumns) -> Change {
    let id = row.id;
    network(row).map_or_else(
        || {
            tracing::error!(id, "network row has a value the switch does not know; the network is left out");
            Change::NoNetwork(id)
        },
        Change::Network,
    )
}

fn network(row: NetworkColumns) -> Option<Network> {
    Some(Network {
        id: row.id,
        tenant_id: row.tenant_id,
        institution: row.institution,
        active: row.active,
        key_scheme: KeyScheme::parse(&row.key_scheme)?,
        zmk: row.zmk,
        account: u64::try_from(row.account).ok()?,
    })
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
