//! Keys of the platform and its tenants, by name: under the LMK, or enciphered under a key that is.

use crate::error::StoreError;
use crate::sql::{Transaction, sql};
use crate::store::{Store, now};

impl Store {
    pub async fn key(&self, name: &str) -> Result<Option<String>, StoreError> {
        sql("SELECT value FROM keys WHERE name = $1").bind(name).optional_value(&self.readers).await
    }

    /// Stores a key under a new name. `kcv`: its check value, or empty where it has none.
    pub async fn put_key(&self, name: &str, value: &str, kcv: &str) -> Result<(), StoreError> {
        let mut change = self.begin().await?;
        self.insert_key(&mut change, name, value, kcv).await?;
        change.commit().await
    }

    /// As [`Store::put_key`], as part of a change.
    pub async fn insert_key(
        &self,
        change: &mut Transaction,
        name: &str,
        value: &str,
        kcv: &str,
    ) -> Result<(), StoreError> {
        sql("INSERT INTO keys (name, value, kcv, created_at) VALUES ($1, $2, $3, $4)")
            .bind(name)
            .bind(value)
            .bind(kcv)
            .bind(now())
            .run(change)
            .await?;
        Ok(())
    }
}
