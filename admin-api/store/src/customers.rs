//! Customers of tenants.

use crate::error::StoreError;
use crate::scope::Scope;
use crate::sql::{Transaction, row, sql};
use crate::store::{Page, Store, now};

pub struct NewCustomer<'a> {
    pub tenant_id: i64,
    pub external_unique_id: &'a str,
    pub status: &'a str,
    pub phone: Option<&'a str>,
    pub national_identity: Option<&'a str>,
    /// JSON.
    pub profile: &'a str,
}

row! {
    #[derive(Clone, Debug)]
    pub struct CustomerRow {
        pub id: i64,
        pub tenant_id: i64,
        pub external_unique_id: String,
        pub status: String,
        pub phone: Option<String>,
        pub national_identity: Option<String>,
        pub profile: String,
        pub version: i64,
        pub created_at: i64,
        pub modified_at: i64,
    }
}

/// What customers are looked for by; what is absent does not matter.
#[derive(Clone, Copy, Debug, Default)]
pub struct CustomerSearch<'a> {
    pub phone: Option<&'a str>,
    pub national_identity: Option<&'a str>,
    pub external_unique_id: Option<&'a str>,
}

impl NewCustomer<'_> {
    pub async fn insert(&self, change: &mut Transaction) -> Result<CustomerRow, StoreError> {
        sql("INSERT INTO customers (tenant_id, external_unique_id, status, phone, national_identity, profile,
                                    created_at, modified_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $7) RETURNING id, tenant_id, external_unique_id, status, phone, national_identity, profile, version,
                       created_at, modified_at")
        .bind(self.tenant_id)
        .bind(self.external_unique_id)
        .bind(self.status)
        .bind(self.phone)
        .bind(self.national_identity)
        .bind(self.profile)
        .bind(now())
        .one(change)
        .await
    }
}

impl Store {
    pub async fn customer(&self, scope: Scope, id: i64) -> Result<Option<CustomerRow>, StoreError> {
        sql("SELECT id, tenant_id, external_unique_id, status, phone, national_identity, profile, version, created_at,
                    modified_at
             FROM customers WHERE id = $1 AND (CAST($2 AS BIGINT) IS NULL OR tenant_id = $2)")
        .bind(id)
        .bind(scope.tenant())
        .optional(&self.readers)
        .await
    }

    pub async fn customers(
        &self,
        scope: Scope,
        search: CustomerSearch<'_>,
        page: Page,
    ) -> Result<Vec<CustomerRow>, StoreError> {
        sql("SELECT id, tenant_id, external_unique_id, status, phone, national_identity, profile, version, created_at,
                    modified_at
             FROM customers
             WHERE (CAST($1 AS BIGINT) IS NULL OR tenant_id = $1)
               AND (CAST($2 AS TEXT) IS NULL OR phone = $2)
               AND (CAST($3 AS TEXT) IS NULL OR national_identity = $3)
               AND (CAST($4 AS TEXT) IS NULL OR external_unique_id = $4)
               AND (CAST($5 AS BIGINT) IS NULL OR id > $5)
             ORDER BY id LIMIT $6 OFFSET $7")
        .bind(scope.tenant())
        .bind(search.phone)
        .bind(search.national_identity)
        .bind(search.external_unique_id)
        .page(page)
        .all(&self.readers)
        .await
    }

    pub async fn update_customer(
        &self,
        change: &mut Transaction,
        scope: Scope,
        row: &CustomerRow,
        version: i64,
    ) -> Result<CustomerRow, StoreError> {
        sql("UPDATE customers SET external_unique_id = $4, status = $5, phone = $6, national_identity = $7,
                    profile = $8, modified_at = $9, version = version + 1
             WHERE id = $1 AND tenant_id = $2 AND version = $3
             RETURNING id, tenant_id, external_unique_id, status, phone, national_identity, profile, version,
                       created_at, modified_at")
        .bind(row.id)
        .bind(scope.tenant())
        .bind(version)
        .bind(&row.external_unique_id)
        .bind(&row.status)
        .bind(row.phone.as_deref())
        .bind(row.national_identity.as_deref())
        .bind(&row.profile)
        .bind(now())
        .one_versioned(change)
        .await
    }

    /// Removes a customer who has no wallets.
    pub async fn delete_customer(&self, change: &mut Transaction, scope: Scope, id: i64) -> Result<(), StoreError> {
        sql("DELETE FROM customers WHERE id = $1 AND tenant_id = $2")
            .bind(id)
            .bind(scope.tenant())
            .run_versioned(change)
            .await
    }
}
