//! Kinds of wallets of a tenant.

use crate::error::StoreError;
use crate::scope::Scope;
use crate::sql::{Transaction, row, sql};
use crate::store::{Page, Store, now};

pub struct NewWalletType<'a> {
    pub tenant_id: i64,
    pub name: &'a str,
    pub mode: &'a str,
    /// JSON list of attributes.
    pub configuration: &'a str,
    /// ISO 4217 numeric.
    pub currency: i64,
    pub hold_life_s: i64,
    pub tolerance_bp: i64,
}

row! {
    #[derive(Clone, Debug)]
    pub struct WalletTypeRow {
        pub id: i64,
        pub tenant_id: i64,
        pub name: String,
        pub mode: String,
        pub configuration: String,
        pub currency: i64,
        pub hold_life_s: i64,
        pub tolerance_bp: i64,
        pub version: i64,
        pub created_at: i64,
        pub modified_at: i64,
    }
}

impl NewWalletType<'_> {
    pub async fn insert(&self, change: &mut Transaction) -> Result<WalletTypeRow, StoreError> {
        sql("INSERT INTO wallet_types (tenant_id, name, mode, configuration, currency, hold_life_s, tolerance_bp,
                                       created_at, modified_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) RETURNING id, tenant_id, name, mode, configuration, currency, hold_life_s, tolerance_bp, version,
                       created_at, modified_at")
        .bind(self.tenant_id)
        .bind(self.name)
        .bind(self.mode)
        .bind(self.configuration)
        .bind(self.currency)
        .bind(self.hold_life_s)
        .bind(self.tolerance_bp)
        .bind(now())
        .one(change)
        .await
    }
}

impl Store {
    pub async fn wallet_type(&self, scope: Scope, id: i64) -> Result<Option<WalletTypeRow>, StoreError> {
        sql("SELECT id, tenant_id, name, mode, configuration, currency, hold_life_s, tolerance_bp, version, created_at,
                    modified_at
             FROM wallet_types
             WHERE id = $1 AND NOT removed AND (CAST($2 AS BIGINT) IS NULL OR tenant_id = $2)")
        .bind(id)
        .bind(scope.tenant())
        .optional(&self.readers)
        .await
    }

    /// As [`Store::wallet_type`], also where it has been removed: wallets that still have it keep its rights.
    pub async fn wallet_type_for_rights(&self, scope: Scope, id: i64) -> Result<Option<WalletTypeRow>, StoreError> {
        sql("SELECT id, tenant_id, name, mode, configuration, currency, hold_life_s, tolerance_bp, version, created_at,
                    modified_at
             FROM wallet_types
             WHERE id = $1 AND (CAST($2 AS BIGINT) IS NULL OR tenant_id = $2)")
        .bind(id)
        .bind(scope.tenant())
        .optional(&self.readers)
        .await
    }

    /// Keeps a type from being removed until the change is committed. Gives whether it was there to be kept.
    pub async fn keep_wallet_type(&self, change: &mut Transaction, id: i64) -> Result<bool, StoreError> {
        let kept =
            sql("UPDATE wallet_types SET version = version WHERE id = $1 AND NOT removed").bind(id).run(change).await?;
        Ok(kept == 1)
    }

    pub async fn wallet_types(&self, scope: Scope, page: Page) -> Result<Vec<WalletTypeRow>, StoreError> {
        sql("SELECT id, tenant_id, name, mode, configuration, currency, hold_life_s, tolerance_bp, version, created_at,
                    modified_at
             FROM wallet_types
             WHERE NOT removed AND (CAST($1 AS BIGINT) IS NULL OR tenant_id = $1)
               AND (CAST($2 AS BIGINT) IS NULL OR id > $2)
             ORDER BY id LIMIT $3 OFFSET $4")
        .bind(scope.tenant())
        .page(page)
        .all(&self.readers)
        .await
    }

    /// Writes what may change of a wallet type; the cards of its wallets are looked at again.
    pub async fn update_wallet_type(
        &self,
        change: &mut Transaction,
        scope: Scope,
        row: &WalletTypeRow,
        version: i64,
    ) -> Result<WalletTypeRow, StoreError> {
        let row: WalletTypeRow =
            sql("UPDATE wallet_types SET name = $4, configuration = $5, hold_life_s = $6, tolerance_bp = $7,
                    modified_at = $8, version = version + 1
             WHERE id = $1 AND tenant_id = $2 AND version = $3 AND NOT removed
             RETURNING id, tenant_id, name, mode, configuration, currency, hold_life_s, tolerance_bp, version,
                       created_at, modified_at")
            .bind(row.id)
            .bind(scope.tenant())
            .bind(version)
            .bind(&row.name)
            .bind(&row.configuration)
            .bind(row.hold_life_s)
            .bind(row.tolerance_bp)
            .bind(now())
            .one_versioned(&mut *change)
            .await?;
        crate::directory_feed::note_cards_of_wallet_type(change, row.id).await?;
        Ok(row)
    }

    /// Removes a type that no wallet has.
    pub async fn remove_wallet_type(&self, change: &mut Transaction, scope: Scope, id: i64) -> Result<(), StoreError> {
        // First its row, then a look at the wallets: whoever gives a wallet this type takes the row too.
        self.keep_wallet_type(change, id).await?;
        let removed = sql("UPDATE wallet_types SET removed = TRUE, name = name || ' (removed ' || $3 || ')'
             WHERE id = $1 AND tenant_id = $2 AND NOT removed
               AND NOT EXISTS (SELECT 1 FROM wallets WHERE wallet_type_id = $1)")
        .bind(id)
        .bind(scope.tenant())
        .bind(id.to_string())
        .run(change)
        .await?;
        if removed == 0 { Err(StoreError::Referred) } else { Ok(()) }
    }

    /// Which of its tenant's types this is, counted from 0 in the order they were made, removed ones included.
    pub async fn wallet_type_position(&self, id: i64) -> Result<i64, StoreError> {
        sql("SELECT COUNT(*) FROM wallet_types o JOIN wallet_types t ON o.tenant_id = t.tenant_id AND o.id < t.id
             WHERE t.id = $1")
        .bind(id)
        .value(&self.readers)
        .await
    }
}
