//! Issued cards. The number is enciphered and hashed; what proves a PIN is a verification value.

use crate::error::StoreError;
use crate::scope::Scope;
use crate::sql::{On, Transaction, row, sql};
use crate::store::{Page, Store, now};

pub struct NewCard<'a> {
    pub tenant_id: i64,
    pub wallet_id: i64,
    pub external_unique_id: Option<&'a str>,
    pub pan_hash: [u8; 32],
    /// As [`crate::DataKeys::seal_pan`] gives it.
    pub pan_cipher: Vec<u8>,
    /// `YYMM`.
    pub expiry: &'a str,
    pub status: &'a str,
    pub holder_name: &'a str,
    pub service_code: &'a str,
    /// JSON.
    pub profile: &'a str,
    pub pvk: &'a str,
    pub pvki: i64,
    pub pvv: Option<&'a str>,
    pub pin_tries_max: i64,
}

row! {
    #[derive(Clone)]
    pub struct CardRow {
        pub id: i64,
        pub tenant_id: i64,
        pub wallet_id: i64,
        pub wallet_type_id: i64,
        pub customer_id: Option<i64>,
        pub external_unique_id: Option<String>,
        pub pan_cipher: Vec<u8>,
        pub expiry: String,
        pub status: String,
        pub holder_name: String,
        pub profile: String,
        pub pvk: String,
        pub pvki: i64,
        pub pvv: Option<String>,
        pub version: i64,
        pub created_at: i64,
        pub modified_at: i64,
    }
}

/// Which cards; what is absent does not matter.
#[derive(Clone, Copy, Debug, Default)]
pub struct CardSearch<'a> {
    pub wallet_id: Option<i64>,
    pub customer_id: Option<i64>,
    pub status: Option<&'a str>,
    pub external_unique_id: Option<&'a str>,
}

impl NewCard<'_> {
    pub async fn insert(&self, change: &mut Transaction) -> Result<i64, StoreError> {
        let id: i64 =
            sql("INSERT INTO cards (tenant_id, wallet_id, external_unique_id, pan_hash, pan_cipher, expiry, status,
                                holder_name, service_code, profile, pvk, pvki, pvv, pin_tries_max, created_at,
                                modified_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15) RETURNING id")
            .bind(self.tenant_id)
            .bind(self.wallet_id)
            .bind(self.external_unique_id)
            .bind(&self.pan_hash[..])
            .bind(&self.pan_cipher)
            .bind(self.expiry)
            .bind(self.status)
            .bind(self.holder_name)
            .bind(self.service_code)
            .bind(self.profile)
            .bind(self.pvk)
            .bind(self.pvki)
            .bind(self.pvv)
            .bind(self.pin_tries_max)
            .bind(now())
            .value(&mut *change)
            .await?;
        crate::directory_feed::note_card(change, id).await?;
        Ok(id)
    }
}

impl Store {
    pub async fn card(&self, scope: Scope, id: i64) -> Result<Option<CardRow>, StoreError> {
        read(&self.readers, scope, id).await
    }

    /// As a change has left it so far.
    pub async fn changed_card(&self, change: &mut Transaction, id: i64) -> Result<CardRow, StoreError> {
        read(change, Scope::Global, id).await?.ok_or(StoreError::StaleVersion)
    }

    pub async fn cards(&self, scope: Scope, search: CardSearch<'_>, page: Page) -> Result<Vec<CardRow>, StoreError> {
        sql("SELECT c.id, c.tenant_id, c.wallet_id, w.wallet_type_id, w.customer_id, c.external_unique_id,
                    c.pan_cipher, c.expiry, c.status, c.holder_name, c.profile, c.pvk, c.pvki, c.pvv, c.version,
                    c.created_at, c.modified_at
             FROM cards c JOIN wallets w ON w.id = c.wallet_id
             WHERE (CAST($1 AS BIGINT) IS NULL OR c.tenant_id = $1)
               AND (CAST($2 AS BIGINT) IS NULL OR c.wallet_id = $2)
               AND (CAST($3 AS BIGINT) IS NULL OR w.customer_id = $3)
               AND (CAST($4 AS TEXT) IS NULL OR c.status = $4)
               AND (CAST($5 AS TEXT) IS NULL OR c.external_unique_id = $5)
               AND (CAST($6 AS BIGINT) IS NULL OR c.id > $6)
             ORDER BY c.id LIMIT $7 OFFSET $8")
        .bind(scope.tenant())
        .bind(search.wallet_id)
        .bind(search.customer_id)
        .bind(search.status)
        .bind(search.external_unique_id)
        .page(page)
        .all(&self.readers)
        .await
    }

    /// Writes what may change of a card that still has the version the caller has read.
    pub async fn update_card(
        &self,
        change: &mut Transaction,
        scope: Scope,
        row: &CardRow,
        version: i64,
    ) -> Result<(), StoreError> {
        sql("UPDATE cards SET status = $4, holder_name = $5, profile = $6, pvv = $7, modified_at = $8,
                    version = version + 1
             WHERE id = $1 AND version = $3 AND (CAST($2 AS BIGINT) IS NULL OR tenant_id = $2)")
        .bind(row.id)
        .bind(scope.tenant())
        .bind(version)
        .bind(&row.status)
        .bind(&row.holder_name)
        .bind(&row.profile)
        .bind(row.pvv.as_deref())
        .bind(now())
        .run_versioned(&mut *change)
        .await?;
        crate::directory_feed::note_card(change, row.id).await
    }
}

async fn read(on: impl Into<On<'_>>, scope: Scope, id: i64) -> Result<Option<CardRow>, StoreError> {
    sql("SELECT c.id, c.tenant_id, c.wallet_id, w.wallet_type_id, w.customer_id, c.external_unique_id,
                c.pan_cipher, c.expiry, c.status, c.holder_name, c.profile, c.pvk, c.pvki, c.pvv, c.version,
                c.created_at, c.modified_at
         FROM cards c JOIN wallets w ON w.id = c.wallet_id
         WHERE c.id = $1 AND (CAST($2 AS BIGINT) IS NULL OR c.tenant_id = $2)")
    .bind(id)
    .bind(scope.tenant())
    .optional(on)
    .await
}
