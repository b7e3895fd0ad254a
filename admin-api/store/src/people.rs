//! Tenants and their customers.

use crate::error::StoreError;
use crate::store::{Store, Transaction, now};

pub struct NewCustomer<'a> {
    pub tenant_id: i64,
    pub first_name: &'a str,
    pub last_name: &'a str,
}

impl NewCustomer<'_> {
    pub async fn insert(&self, change: &mut Transaction) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar(
            "INSERT INTO customers (tenant_id, first_name, last_name, created_at) VALUES ($1, $2, $3, $4) RETURNING id",
        )
        .bind(self.tenant_id)
        .bind(self.first_name)
        .bind(self.last_name)
        .bind(now())
        .fetch_one(&mut **change)
        .await?)
    }
}

impl Store {
    pub async fn insert_tenant(&self, change: &mut Transaction, name: &str) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar("INSERT INTO tenants (name, created_at) VALUES ($1, $2) RETURNING id")
            .bind(name)
            .bind(now())
            .fetch_one(&mut **change)
            .await?)
    }

    pub async fn tenant_named(&self, name: &str) -> Result<Option<i64>, StoreError> {
        Ok(sqlx::query_scalar("SELECT id FROM tenants WHERE name = $1")
            .bind(name)
            .fetch_optional(&self.readers)
            .await?)
    }

    pub async fn tenant_exists(&self, id: i64) -> Result<bool, StoreError> {
        let found: Option<i64> =
            sqlx::query_scalar("SELECT id FROM tenants WHERE id = $1").bind(id).fetch_optional(&self.readers).await?;
        Ok(found.is_some())
    }
}
