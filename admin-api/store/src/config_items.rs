//! Settings by key, of a tenant, its institution or the platform.

use crate::error::StoreError;
use crate::scope::Scope;
use crate::sql::{Transaction, row, sql};
use crate::store::{Page, Store, now};

row! {
    #[derive(Clone, Debug)]
    pub struct ConfigItemRow {
        pub id: i64,
        pub key: String,
        /// As stored: where `secret`, what [`crate::DataKeys::seal_secret`] gave.
        pub value: String,
        pub secret: bool,
        pub description: String,
        pub version: i64,
        pub created_at: i64,
        pub modified_at: i64,
    }
}

/// Whose settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    Global,
    Institution(i64),
    Tenant(i64),
}

impl Owner {
    fn text(self) -> String {
        match self {
            Self::Global => "GLOBAL".into(),
            Self::Institution(id) => format!("INSTITUTION:{id}"),
            Self::Tenant(id) => format!("TENANT:{id}"),
        }
    }
}

pub struct NewConfigItem<'a> {
    pub owner: Owner,
    pub key: &'a str,
    pub value: &'a str,
    pub secret: bool,
    pub description: &'a str,
}

impl NewConfigItem<'_> {
    pub async fn insert(&self, change: &mut Transaction) -> Result<ConfigItemRow, StoreError> {
        sql("INSERT INTO config_items (owner, tenant_id, key, value, secret, description, created_at, modified_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $7) RETURNING id, key, value, secret, description, version, created_at, modified_at")
        .bind(self.owner.text())
        .bind(match self.owner {
            Owner::Tenant(id) => Some(id),
            Owner::Global | Owner::Institution(_) => None,
        })
        .bind(self.key)
        .bind(self.value)
        .bind(self.secret)
        .bind(self.description)
        .bind(now())
        .one(change)
        .await
    }
}

impl Store {
    pub async fn config_item(&self, scope: Scope, id: i64) -> Result<Option<ConfigItemRow>, StoreError> {
        sql("SELECT id, key, value, secret, description, version, created_at, modified_at
             FROM config_items WHERE id = $1 AND tenant_id = $2")
        .bind(id)
        .bind(scope.tenant())
        .optional(&self.readers)
        .await
    }

    pub async fn config_items(
        &self,
        scope: Scope,
        key: Option<&str>,
        page: Page,
    ) -> Result<Vec<ConfigItemRow>, StoreError> {
        sql("SELECT id, key, value, secret, description, version, created_at, modified_at
             FROM config_items
             WHERE tenant_id = $1 AND (CAST($2 AS TEXT) IS NULL OR key = $2)
               AND (CAST($3 AS BIGINT) IS NULL OR id > $3)
             ORDER BY id LIMIT $4 OFFSET $5")
        .bind(scope.tenant())
        .bind(key)
        .page(page)
        .all(&self.readers)
        .await
    }

    pub async fn update_config_item(
        &self,
        change: &mut Transaction,
        scope: Scope,
        row: &ConfigItemRow,
        version: i64,
    ) -> Result<ConfigItemRow, StoreError> {
        sql("UPDATE config_items SET value = $4, secret = $5, description = $6, modified_at = $7, version = version + 1
             WHERE id = $1 AND tenant_id = $2 AND version = $3
             RETURNING id, key, value, secret, description, version, created_at, modified_at")
        .bind(row.id)
        .bind(scope.tenant())
        .bind(version)
        .bind(&row.value)
        .bind(row.secret)
        .bind(&row.description)
        .bind(now())
        .one_versioned(change)
        .await
    }

    pub async fn delete_config_item(&self, change: &mut Transaction, scope: Scope, id: i64) -> Result<(), StoreError> {
        sql("DELETE FROM config_items WHERE id = $1 AND tenant_id = $2")
            .bind(id)
            .bind(scope.tenant())
            .run_versioned(change)
            .await
    }

    /// The values of a key where they are set: the tenant's, its institution's, the platform's, nearest first.
    /// `tenant`: `None` for the platform alone.
    pub async fn settings(&self, tenant: Option<i64>, key: &str) -> Result<Vec<ConfigItemRow>, StoreError> {
        let institution: Option<i64> = match tenant {
            Some(id) => {
                let found = sql("SELECT institution_id FROM tenants WHERE id = $1").bind(id);
                found.optional_value::<Option<i64>>(&self.readers).await?.flatten()
            }
            None => None,
        };
        sql("SELECT id, key, value, secret, description, version, created_at, modified_at
             FROM config_items WHERE key = $1 AND (owner = $2 OR owner = $3 OR owner = $4)
             ORDER BY CASE WHEN owner = $2 THEN 0 WHEN owner = $3 THEN 1 ELSE 2 END")
        .bind(key)
        .bind(tenant.map(|id| Owner::Tenant(id).text()))
        .bind(institution.map(|id| Owner::Institution(id).text()))
        .bind(Owner::Global.text())
        .all(&self.readers)
        .await
    }
}
