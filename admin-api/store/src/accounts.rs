//! Numbers of ledger accounts and whose they are. What is on them only the ledger knows.

use crate::error::StoreError;
use crate::sql::{Transaction, row, sql};
use crate::store::Store;

pub struct NewAccount<'a> {
    pub tenant_id: i64,
    /// `WALLET`, `MERCHANT` or `SYSTEM`.
    pub kind: &'static str,
    pub name: &'a str,
    /// ISO 4217 numeric.
    pub currency: i64,
    /// Whether the ledger lets it go below zero without limit.
    pub unlimited: bool,
}

row! {
    #[derive(Clone, Debug)]
    pub struct AccountRow {
        pub id: i64,
        pub tenant_id: i64,
        pub kind: String,
        pub name: String,
        pub currency: i64,
        /// Whether the ledger lets it go below zero without limit.
        pub unlimited: bool,
    }
}

impl Store {
    /// Every account there should be; start-up opens in the ledger what a crash left out.
    pub async fn accounts(&self) -> Result<Vec<AccountRow>, StoreError> {
        sql("SELECT id, tenant_id, kind, name, currency, unlimited FROM accounts ORDER BY id").all(&self.readers).await
    }
}

impl Store {
    /// The number of a tenant's account.
    pub async fn account_named(&self, tenant_id: i64, kind: &str, name: &str) -> Result<Option<i64>, StoreError> {
        sql("SELECT id FROM accounts WHERE tenant_id = $1 AND kind = $2 AND name = $3")
            .bind(tenant_id)
            .bind(kind)
            .bind(name)
            .optional_value(&self.readers)
            .await
    }
}

impl NewAccount<'_> {
    /// Gives the account's number.
    pub async fn insert(&self, change: &mut Transaction) -> Result<i64, StoreError> {
        sql(
            "INSERT INTO accounts (tenant_id, kind, name, currency, unlimited) VALUES ($1, $2, $3, $4, $5) RETURNING id",
        )
        .bind(self.tenant_id)
        .bind(self.kind)
        .bind(self.name)
        .bind(self.currency)
        .bind(self.unlimited)
        .value(change)
        .await
    }
}
