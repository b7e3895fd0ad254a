//! Wallets: a name, an owner and a status for an account of the ledger.

use sqlx::FromRow;

use crate::error::StoreError;
use crate::scope::Scope;
use crate::store::{Store, Transaction, now};

pub struct NewWalletType<'a> {
    pub tenant_id: i64,
    /// Numbered within the tenant.
    pub id: i64,
    pub name: &'a str,
    pub mode: &'a str,
    pub currency: i64,
    pub hold_life_s: i64,
    pub tolerance_bp: i64,
}

pub struct NewWallet<'a> {
    pub tenant_id: i64,
    pub customer_id: i64,
    pub wallet_type_id: i64,
    pub account: i64,
    pub name: &'a str,
    pub description: &'a str,
    /// Eight characters, the reference of bank deposits.
    pub friendly_id: &'a str,
    pub external_unique_id: &'a str,
}

#[derive(Clone, Debug, FromRow)]
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
    pub version: i64,
    pub created_at: i64,
    /// Of the wallet type, ISO 4217 numeric.
    pub currency: i64,
}

impl NewWalletType<'_> {
    pub async fn insert(&self, change: &mut Transaction) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO wallet_types (id, tenant_id, name, mode, currency, hold_life_s, tolerance_bp)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(self.id)
        .bind(self.tenant_id)
        .bind(self.name)
        .bind(self.mode)
        .bind(self.currency)
        .bind(self.hold_life_s)
        .bind(self.tolerance_bp)
        .execute(&mut **change)
        .await?;
        Ok(())
    }
}

impl NewWallet<'_> {
    pub async fn insert(&self, change: &mut Transaction) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar(
            "INSERT INTO wallets (tenant_id, customer_id, wallet_type_id, account, name, description, status,
                                  friendly_id, external_unique_id, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, 'ACTIVE', $7, $8, $9) RETURNING id",
        )
        .bind(self.tenant_id)
        .bind(self.customer_id)
        .bind(self.wallet_type_id)
        .bind(self.account)
        .bind(self.name)
        .bind(self.description)
        .bind(self.friendly_id)
        .bind(self.external_unique_id)
        .bind(now())
        .fetch_one(&mut **change)
        .await?)
    }
}

impl Store {
    pub async fn wallet(&self, scope: Scope, id: i64) -> Result<Option<WalletRow>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT w.id, w.tenant_id, w.customer_id, w.wallet_type_id, w.account, w.name, w.description, w.status,
                    w.friendly_id, w.external_unique_id, w.version, w.created_at, t.currency
             FROM wallets w JOIN wallet_types t ON t.tenant_id = w.tenant_id AND t.id = w.wallet_type_id
             WHERE w.id = $1 AND (CAST($2 AS BIGINT) IS NULL OR w.tenant_id = $2)",
        )
        .bind(id)
        .bind(scope.tenant())
        .fetch_optional(&self.readers)
        .await?)
    }
}
