//! Issued cards. The number is enciphered and hashed; what proves a PIN is a verification value.

use sqlx::FromRow;

use crate::error::StoreError;
use crate::scope::Scope;
use crate::store::{Store, Transaction, now};

pub struct NewCard<'a> {
    pub tenant_id: i64,
    pub wallet_id: i64,
    pub pan_hash: [u8; 32],
    /// As [`crate::DataKeys::seal_pan`] gives it.
    pub pan_cipher: Vec<u8>,
    /// `YYMM`.
    pub expiry: &'a str,
    pub status: &'static str,
    pub holder_name: &'a str,
    pub service_code: &'a str,
    pub pvk: &'a str,
    pub pvki: i64,
    pub pvv: Option<&'a str>,
    pub pin_tries_max: i64,
}

#[derive(Clone, FromRow)]
pub struct CardRow {
    pub id: i64,
    pub tenant_id: i64,
    pub wallet_id: i64,
    pub customer_id: Option<i64>,
    pub pan_cipher: Vec<u8>,
    pub expiry: String,
    pub status: String,
    pub holder_name: String,
    pub version: i64,
    pub created_at: i64,
}

impl NewCard<'_> {
    pub async fn insert(&self, change: &mut Transaction) -> Result<i64, StoreError> {
        let id: i64 = sqlx::query_scalar(
            "INSERT INTO cards (tenant_id, wallet_id, pan_hash, pan_cipher, expiry, status, holder_name, service_code,
                                pvk, pvki, pvv, pin_tries_max, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING id",
        )
        .bind(self.tenant_id)
        .bind(self.wallet_id)
        .bind(&self.pan_hash[..])
        .bind(&self.pan_cipher)
        .bind(self.expiry)
        .bind(self.status)
        .bind(self.holder_name)
        .bind(self.service_code)
        .bind(self.pvk)
        .bind(self.pvki)
        .bind(self.pvv)
        .bind(self.pin_tries_max)
        .bind(now())
        .fetch_one(&mut **change)
        .await?;
        crate::directory_feed::note_card(change, id).await?;
        Ok(id)
    }
}

impl Store {
    pub async fn card(&self, scope: Scope, id: i64) -> Result<Option<CardRow>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT c.id, c.tenant_id, c.wallet_id, w.customer_id, c.pan_cipher, c.expiry, c.status, c.holder_name,
                    c.version, c.created_at
             FROM cards c JOIN wallets w ON w.id = c.wallet_id
             WHERE c.id = $1 AND (CAST($2 AS BIGINT) IS NULL OR c.tenant_id = $2)",
        )
        .bind(id)
        .bind(scope.tenant())
        .fetch_optional(&self.readers)
        .await?)
    }

    /// Changes a card that still has the version the caller has read.
    pub async fn update_card(
        &self,
        change: &mut Transaction,
        scope: Scope,
        id: i64,
        version: i64,
        status: &str,
        holder_name: &str,
    ) -> Result<(), StoreError> {
        let done = sqlx::query(
            "UPDATE cards SET status = $4, holder_name = $5, version = version + 1
             WHERE id = $1 AND version = $3 AND (CAST($2 AS BIGINT) IS NULL OR tenant_id = $2)",
        )
        .bind(id)
        .bind(scope.tenant())
        .bind(version)
        .bind(status)
        .bind(holder_name)
        .execute(&mut **change)
        .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::StaleVersion);
        }
        crate::directory_feed::note_card(change, id).await
    }
}
