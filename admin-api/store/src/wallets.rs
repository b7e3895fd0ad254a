//! Wallets: a name, an owner and a status for an account of the ledger.

use crate::error::StoreError;
use crate::scope::Scope;
use crate::sql::{On, Transaction, row, sql};
use crate::store::{Page, Store, now};

pub struct NewWallet<'a> {
    pub tenant_id: i64,
    /// The owner; the tenant itself where there is none.
    pub customer_id: Option<i64>,
    pub wallet_type_id: i64,
    pub account: i64,
    pub name: &'a str,
    pub description: &'a str,
    pub status: &'a str,
    /// Eight characters, the reference of bank deposits.
    pub friendly_id: &'a str,
    pub external_unique_id: &'a str,
    /// JSON list of attributes.
    pub configuration: &'a str,
}

row! {
    #[derive(Clone, Debug)]
    pub struct WalletRow {
        pub id: i64,
        pub tenant_id: i64,
        pub customer_id: Option<i64>,
        pub wallet_type_id: i64,
        pub account: i64,
        pub name: String,
        pub description: String,
        pub status: String,
        pub friendly_id: String,
        pub external_unique_id: String,
        pub configuration: String,
        pub version: i64,
        pub created_at: i64,
        pub modified_at: i64,
        /// Of the wallet type, ISO 4217 numeric.
        pub currency: i64,
        /// Of the wallet type.
        pub mode: String,
    }
}

/// Which wallets; what is absent does not matter.
#[derive(Clone, Copy, Debug, Default)]
pub struct WalletSearch<'a> {
    pub customer_id: Option<i64>,
    /// Those that the tenant itself owns.
    pub of_tenant: bool,
    pub wallet_type_id: Option<i64>,
    pub status: Option<&'a str>,
    pub friendly_id: Option<&'a str>,
    pub external_unique_id: Option<&'a str>,
}

impl NewWallet<'_> {
    pub async fn insert(&self, change: &mut Transaction) -> Result<i64, StoreError> {
        sql("INSERT INTO wallets (tenant_id, customer_id, wallet_type_id, account, name, description, status,
                                  friendly_id, external_unique_id, configuration, created_at, modified_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11) RETURNING id")
        .bind(self.tenant_id)
        .bind(self.customer_id)
        .bind(self.wallet_type_id)
        .bind(self.account)
        .bind(self.name)
        .bind(self.description)
        .bind(self.status)
        .bind(self.friendly_id)
        .bind(self.external_unique_id)
        .bind(self.configuration)
        .bind(now())
        .value(change)
        .await
    }
}

impl Store {
    pub async fn wallet(&self, scope: Scope, id: i64) -> Result<Option<WalletRow>, StoreError> {
        read(&self.readers, scope, id).await
    }

    /// As a change has left it so far.
    pub async fn changed_wallet(&self, change: &mut Transaction, id: i64) -> Result<WalletRow, StoreError> {
        read(change, Scope::Global, id).await?.ok_or(StoreError::StaleVersion)
    }

    /// Whether any tenant has a wallet of this externalUniqueId.
    pub async fn wallet_named(&self, external_unique_id: &str) -> Result<bool, StoreError> {
        let found = sql("SELECT id FROM wallets WHERE external_unique_id = $1").bind(external_unique_id);
        Ok(found.optional_value::<i64>(&self.readers).await?.is_some())
    }

    pub async fn wallets(
        &self,
        scope: Scope,
        search: WalletSearch<'_>,
        page: Page,
    ) -> Result<Vec<WalletRow>, StoreError> {
        sql("SELECT w.id, w.tenant_id, w.customer_id, w.wallet_type_id, w.account, w.name, w.description, w.status,
                    w.friendly_id, w.external_unique_id, w.configuration, w.version, w.created_at, w.modified_at,
                    t.currency, t.mode
             FROM wallets w JOIN wallet_types t ON t.id = w.wallet_type_id
             WHERE (CAST($1 AS BIGINT) IS NULL OR w.tenant_id = $1)
               AND (CAST($2 AS BIGINT) IS NULL OR w.customer_id = $2)
               AND (NOT $3 OR w.customer_id IS NULL)
               AND (CAST($4 AS BIGINT) IS NULL OR w.wallet_type_id = $4)
               AND (CAST($5 AS TEXT) IS NULL OR w.status = $5)
               AND (CAST($6 AS TEXT) IS NULL OR w.friendly_id = $6)
               AND (CAST($7 AS TEXT) IS NULL OR w.external_unique_id = $7)
               AND (CAST($8 AS BIGINT) IS NULL OR w.id > $8)
             ORDER BY w.id LIMIT $9 OFFSET $10")
        .bind(scope.tenant())
        .bind(search.customer_id)
        .bind(search.of_tenant)
        .bind(search.wallet_type_id)
        .bind(search.status)
        .bind(search.friendly_id)
        .bind(search.external_unique_id)
        .page(page)
        .all(&self.readers)
        .await
    }

    /// Writes what may change of a wallet; its cards are looked at again.
    pub async fn update_wallet(
        &self,
        change: &mut Transaction,
        scope: Scope,
        row: &WalletRow,
        version: i64,
    ) -> Result<(), StoreError> {
        sql("UPDATE wallets SET name = $4, description = $5, status = $6, external_unique_id = $7, friendly_id = $8,
                    configuration = $9, wallet_type_id = $10, modified_at = $11, version = version + 1
             WHERE id = $1 AND tenant_id = $2 AND version = $3")
        .bind(row.id)
        .bind(scope.tenant())
        .bind(version)
        .bind(&row.name)
        .bind(&row.description)
        .bind(&row.status)
        .bind(&row.external_unique_id)
        .bind(&row.friendly_id)
        .bind(&row.configuration)
        .bind(row.wallet_type_id)
        .bind(now())
        .run_versioned(&mut *change)
        .await?;
        crate::directory_feed::note_cards_of_wallet(change, row.id).await
    }
}

async fn read(on: impl Into<On<'_>>, scope: Scope, id: i64) -> Result<Option<WalletRow>, StoreError> {
    sql("SELECT w.id, w.tenant_id, w.customer_id, w.wallet_type_id, w.account, w.name, w.description, w.status,
                w.friendly_id, w.external_unique_id, w.configuration, w.version, w.created_at, w.modified_at,
                t.currency, t.mode
         FROM wallets w JOIN wallet_types t ON t.id = w.wallet_type_id
         WHERE w.id = $1 AND (CAST($2 AS BIGINT) IS NULL OR w.tenant_id = $2)")
    .bind(id)
    .bind(scope.tenant())
    .optional(on)
    .await
}
