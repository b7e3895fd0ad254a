//! Tenants, and the institutions some of them belong to.

use crate::error::StoreError;
use crate::scope::Scope;
use crate::sql::{On, Transaction, row, sql};
use crate::store::{Page, Store, now};

row! {
    #[derive(Clone, Debug)]
    pub struct TenantRow {
        pub id: i64,
        /// Code of the institution.
        pub institution: Option<String>,
        pub institution_id: Option<i64>,
        pub name: String,
        /// JSON.
        pub profile: String,
        pub version: i64,
        pub created_at: i64,
        pub modified_at: i64,
    }
}

impl Store {
    pub async fn insert_tenant(
        &self,
        change: &mut Transaction,
        name: &str,
        institution_id: Option<i64>,
        profile: &str,
    ) -> Result<i64, StoreError> {
        sql("INSERT INTO tenants (name, institution_id, profile, created_at, modified_at)
             VALUES ($1, $2, $3, $4, $4) RETURNING id")
        .bind(name)
        .bind(institution_id)
        .bind(profile)
        .bind(now())
        .value(change)
        .await
    }

    pub async fn update_tenant(
        &self,
        change: &mut Transaction,
        id: i64,
        version: i64,
        name: &str,
        profile: &str,
    ) -> Result<(), StoreError> {
        sql("UPDATE tenants SET name = $3, profile = $4, modified_at = $5, version = version + 1
             WHERE id = $1 AND version = $2")
        .bind(id)
        .bind(version)
        .bind(name)
        .bind(profile)
        .bind(now())
        .run_versioned(change)
        .await
    }

    pub async fn tenant(&self, scope: Scope, id: i64) -> Result<Option<TenantRow>, StoreError> {
        read(&self.readers, scope, id).await
    }

    /// As a change has left it so far.
    pub async fn changed_tenant(&self, change: &mut Transaction, id: i64) -> Result<TenantRow, StoreError> {
        read(change, Scope::Global, id).await?.ok_or(StoreError::StaleVersion)
    }

    pub async fn tenants(&self, scope: Scope, page: Page) -> Result<Vec<TenantRow>, StoreError> {
        sql("SELECT t.id, i.code AS institution, t.institution_id, t.name, t.profile, t.version, t.created_at,
                    t.modified_at
             FROM tenants t LEFT JOIN institutions i ON i.id = t.institution_id
             WHERE (CAST($1 AS BIGINT) IS NULL OR t.id = $1)
               AND (CAST($2 AS BIGINT) IS NULL OR t.institution_id = $2)
               AND (CAST($3 AS BIGINT) IS NULL OR t.id > $3)
             ORDER BY t.id LIMIT $4 OFFSET $5")
        .bind(scope.own_tenant())
        .bind(scope.institution())
        .page(page)
        .all(&self.readers)
        .await
    }

    pub async fn tenant_named(&self, name: &str) -> Result<Option<i64>, StoreError> {
        sql("SELECT id FROM tenants WHERE name = $1").bind(name).optional_value(&self.readers).await
    }

    /// Makes an institution known. Gives its id.
    pub async fn insert_institution(&self, change: &mut Transaction, code: &str) -> Result<i64, StoreError> {
        sql("INSERT INTO institutions (code, created_at) VALUES ($1, $2) RETURNING id")
            .bind(code)
            .bind(now())
            .value(change)
            .await
    }

    pub async fn institution(&self, code: &str) -> Result<Option<i64>, StoreError> {
        sql("SELECT id FROM institutions WHERE code = $1").bind(code).optional_value(&self.readers).await
    }
}

async fn read(on: impl Into<On<'_>>, scope: Scope, id: i64) -> Result<Option<TenantRow>, StoreError> {
    sql("SELECT t.id, i.code AS institution, t.institution_id, t.name, t.profile, t.version, t.created_at,
                t.modified_at
         FROM tenants t LEFT JOIN institutions i ON i.id = t.institution_id
         WHERE t.id = $1 AND (CAST($2 AS BIGINT) IS NULL OR t.id = $2)
           AND (CAST($3 AS BIGINT) IS NULL OR t.institution_id = $3)")
    .bind(id)
    .bind(scope.own_tenant())
    .bind(scope.institution())
    .optional(on)
    .await
}
