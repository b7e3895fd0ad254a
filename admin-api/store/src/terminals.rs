//! Enrolled terminals.

use sqlx::FromRow;

use crate::error::StoreError;
use crate::scope::Scope;
use crate::store::{Store, Transaction, now};

pub struct NewTerminal<'a> {
    pub tenant_id: i64,
    pub terminal_id: &'a str,
    pub merchant_id: &'a str,
    pub key_scheme: &'a str,
    /// Terminal master key under the LMK.
    pub tmk: &'a str,
    pub tmk_kcv: &'a str,
    pub mac_required: bool,
    pub merchant_account: i64,
}

#[derive(Clone, Debug, FromRow)]
pub struct TerminalRow {
    pub id: i64,
    pub tenant_id: i64,
    pub terminal_id: String,
    pub merchant_id: String,
    pub active: bool,
    pub key_scheme: String,
    pub tmk_kcv: String,
    pub mac_required: bool,
    pub version: i64,
    pub created_at: i64,
}

impl NewTerminal<'_> {
    pub async fn insert(&self, change: &mut Transaction) -> Result<i64, StoreError> {
        let id: i64 = sqlx::query_scalar(
            "INSERT INTO terminals (tenant_id, terminal_id, merchant_id, active, key_scheme, tmk, tmk_kcv,
                                    mac_required, merchant_account, created_at)
             VALUES ($1, $2, $3, TRUE, $4, $5, $6, $7, $8, $9) RETURNING id",
        )
        .bind(self.tenant_id)
        .bind(self.terminal_id)
        .bind(self.merchant_id)
        .bind(self.key_scheme)
        .bind(self.tmk)
        .bind(self.tmk_kcv)
        .bind(self.mac_required)
        .bind(self.merchant_account)
        .bind(now())
        .fetch_one(&mut **change)
        .await?;
        crate::directory_feed::note_terminal(change, id).await?;
        Ok(id)
    }
}

impl Store {
    pub async fn terminal(&self, scope: Scope, id: i64) -> Result<Option<TerminalRow>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT id, tenant_id, terminal_id, merchant_id, active, key_scheme, tmk_kcv, mac_required, version,
                    created_at
             FROM terminals WHERE id = $1 AND (CAST($2 AS BIGINT) IS NULL OR tenant_id = $2)",
        )
        .bind(id)
        .bind(scope.tenant())
        .fetch_optional(&self.readers)
        .await?)
    }

    /// Terminals in scope whose id (DE 41) is as stated, or all.
    pub async fn terminals(
        &self,
        scope: Scope,
        terminal_id: Option<&str>,
        page: crate::Page,
    ) -> Result<Vec<TerminalRow>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT id, tenant_id, terminal_id, merchant_id, active, key_scheme, tmk_kcv, mac_required, version,
                    created_at
             FROM terminals
             WHERE (CAST($1 AS BIGINT) IS NULL OR tenant_id = $1) AND (CAST($2 AS TEXT) IS NULL OR terminal_id = $2)
             ORDER BY id LIMIT $3 OFFSET $4",
        )
        .bind(scope.tenant())
        .bind(terminal_id)
        .bind(page.limit)
        .bind(page.offset)
        .fetch_all(&self.readers)
        .await?)
    }
}
