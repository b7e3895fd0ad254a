//! Enrolled terminals and their types.

use crate::error::StoreError;
use crate::key_sessions::{self, KeyHolder};
use crate::scope::Scope;
use crate::sql::{Transaction, row, sql};
use crate::store::{Page, Store, now};

pub struct NewTerminal<'a> {
    pub tenant_id: i64,
    pub terminal_type_id: Option<i64>,
    pub terminal_id: &'a str,
    pub merchant_id: &'a str,
    pub key_scheme: &'a str,
    /// Terminal master key under the LMK.
    pub tmk: &'a str,
    pub tmk_kcv: &'a str,
    pub mac_required: bool,
    pub merchant_account: i64,
}

row! {
    #[derive(Clone, Debug)]
    pub struct TerminalRow {
        pub id: i64,
        pub tenant_id: i64,
        pub terminal_type_id: Option<i64>,
        pub terminal_id: String,
        pub merchant_id: String,
        pub active: bool,
        pub key_scheme: String,
        pub tmk_kcv: String,
        pub mac_required: bool,
        pub version: i64,
        pub created_at: i64,
        pub modified_at: i64,
    }
}

impl NewTerminal<'_> {
    pub async fn insert(&self, change: &mut Transaction) -> Result<TerminalRow, StoreError> {
        let row: TerminalRow =
            sql("INSERT INTO terminals (tenant_id, terminal_type_id, terminal_id, merchant_id, active, key_scheme, tmk,
                                    tmk_kcv, mac_required, merchant_account, created_at, modified_at)
             VALUES ($1, $2, $3, $4, TRUE, $5, $6, $7, $8, $9, $10, $10) RETURNING id, tenant_id, terminal_type_id, terminal_id, merchant_id, active, key_scheme, tmk_kcv,
                       mac_required, version, created_at, modified_at")
            .bind(self.tenant_id)
            .bind(self.terminal_type_id)
            .bind(self.terminal_id)
            .bind(self.merchant_id)
            .bind(self.key_scheme)
            .bind(self.tmk)
            .bind(self.tmk_kcv)
            .bind(self.mac_required)
            .bind(self.merchant_account)
            .bind(now())
            .one(&mut *change)
            .await?;
        crate::directory_feed::note_terminal(change, row.id).await?;
        Ok(row)
    }
}

impl Store {
    pub async fn terminal(&self, scope: Scope, id: i64) -> Result<Option<TerminalRow>, StoreError> {
        sql("SELECT id, tenant_id, terminal_type_id, terminal_id, merchant_id, active, key_scheme, tmk_kcv,
                    mac_required, version, created_at, modified_at
             FROM terminals WHERE id = $1 AND (CAST($2 AS BIGINT) IS NULL OR tenant_id = $2)")
        .bind(id)
        .bind(scope.tenant())
        .optional(&self.readers)
        .await
    }

    /// Terminals in scope whose id (DE 41) is as stated, or all.
    pub async fn terminals(
        &self,
        scope: Scope,
        terminal_id: Option<&str>,
        page: Page,
    ) -> Result<Vec<TerminalRow>, StoreError> {
        sql("SELECT id, tenant_id, terminal_type_id, terminal_id, merchant_id, active, key_scheme, tmk_kcv,
                    mac_required, version, created_at, modified_at
             FROM terminals
             WHERE (CAST($1 AS BIGINT) IS NULL OR tenant_id = $1) AND (CAST($2 AS TEXT) IS NULL OR terminal_id = $2)
               AND (CAST($3 AS BIGINT) IS NULL OR id > $3)
             ORDER BY id LIMIT $4 OFFSET $5")
        .bind(scope.tenant())
        .bind(terminal_id)
        .page(page)
        .all(&self.readers)
        .await
    }

    /// Gives a terminal a new master key; the old session keys end with the old one.
    pub async fn replace_terminal_key(
        &self,
        change: &mut Transaction,
        scope: Scope,
        id: i64,
        tmk: &str,
        tmk_kcv: &str,
    ) -> Result<TerminalRow, StoreError> {
        let row: TerminalRow =
            sql("UPDATE terminals SET tmk = $3, tmk_kcv = $4, active = TRUE, modified_at = $5, version = version + 1
             WHERE id = $1 AND tenant_id = $2
             RETURNING id, tenant_id, terminal_type_id, terminal_id, merchant_id, active, key_scheme, tmk_kcv,
                       mac_required, version, created_at, modified_at")
            .bind(id)
            .bind(scope.tenant())
            .bind(tmk)
            .bind(tmk_kcv)
            .bind(now())
            .one_versioned(&mut *change)
            .await?;
        key_sessions::forget(change, KeyHolder::Terminal(id)).await?;
        crate::directory_feed::note_terminal(change, id).await?;
        Ok(row)
    }

    pub async fn delete_terminal(&self, change: &mut Transaction, scope: Scope, id: i64) -> Result<(), StoreError> {
        sql("DELETE FROM terminals WHERE id = $1 AND tenant_id = $2")
            .bind(id)
            .bind(scope.tenant())
            .run_versioned(&mut *change)
            .await?;
        key_sessions::forget(change, KeyHolder::Terminal(id)).await?;
        crate::directory_feed::note_terminal(change, id).await
    }
}
