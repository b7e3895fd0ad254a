//! Numbers of ledger accounts and whose they are. What is on them only the ledger knows.

use sqlx::FromRow;

use crate::error::StoreError;
use crate::store::{Store, Transaction};

pub struct NewAccount<'a> {
    pub tenant_id: i64,
    /// `WALLET`, `MERCHANT` or `SYSTEM`.
    pub kind: &'static str,
    pub name: &'a str,
    /// ISO 4217 numeric.
    pub currency: i64,
}

#[derive(Clone, Debug, FromRow)]
pub struct AccountRow {
    pub id: i64,
    pub tenant_id: i64,
    pub kind: String,
    pub name: String,
    pub currency: i64,
}

impl Store {
    /// Every account there should be; start-up opens in the ledger what a crash left out.
    pub async fn accounts(&self) -> Result<Vec<AccountRow>, StoreError> {
        Ok(sqlx::query_as("SELECT id, tenant_id, kind, name, currency FROM accounts ORDER BY id")
            .fetch_all(&self.readers)
            .await?)
    }
}

impl NewAccount<'_> {
    /// Gives the account's number.
    pub async fn insert(&self, change: &mut Transaction) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar(
            "INSERT INTO accounts (tenant_id, kind, name, currency) VALUES ($1, $2, $3, $4) RETURNING id",
        )
        .bind(self.tenant_id)
        .bind(self.kind)
        .bind(self.name)
        .bind(self.currency)
        .fetch_one(&mut **change)
        .await?)
    }
}
