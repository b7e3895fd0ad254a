//! Kinds of terminals of a tenant.

use sqlx::FromRow;

use crate::error::StoreError;
use crate::scope::Scope;
use crate::sql::{Transaction, sql};
use crate::store::{Page, Store, now};

#[derive(Clone, Debug, FromRow)]
pub struct TerminalTypeRow {
    pub id: i64,
    pub tenant_id: i64,
    pub name: String,
    /// JSON.
    pub profile: String,
    pub version: i64,
    pub created_at: i64,
    pub modified_at: i64,
}

impl Store {
    pub async fn insert_terminal_type(
        &self,
        change: &mut Transaction,
        tenant_id: i64,
        name: &str,
        profile: &str,
    ) -> Result<TerminalTypeRow, StoreError> {
        sql("INSERT INTO terminal_types (tenant_id, name, profile, created_at, modified_at)
             VALUES ($1, $2, $3, $4, $4) RETURNING id, tenant_id, name, profile, version, created_at, modified_at")
        .bind(tenant_id)
        .bind(name)
        .bind(profile)
        .bind(now())
        .one(change)
        .await
    }

    pub async fn terminal_type(&self, scope: Scope, id: i64) -> Result<Option<TerminalTypeRow>, StoreError> {
        sql("SELECT id, tenant_id, name, profile, version, created_at, modified_at
             FROM terminal_types WHERE id = $1 AND (CAST($2 AS BIGINT) IS NULL OR tenant_id = $2)")
        .bind(id)
        .bind(scope.tenant())
        .optional(&self.readers)
        .await
    }

    pub async fn terminal_types(&self, scope: Scope, page: Page) -> Result<Vec<TerminalTypeRow>, StoreError> {
        sql("SELECT id, tenant_id, name, profile, version, created_at, modified_at
             FROM terminal_types
             WHERE (CAST($1 AS BIGINT) IS NULL OR tenant_id = $1) AND (CAST($2 AS BIGINT) IS NULL OR id > $2)
             ORDER BY id LIMIT $3 OFFSET $4")
        .bind(scope.tenant())
        .bind(page.after)
        .bind(page.limit)
        .bind(page.offset)
        .all(&self.readers)
        .await
    }

    pub async fn update_terminal_type(
        &self,
        change: &mut Transaction,
        scope: Scope,
        row: &TerminalTypeRow,
        version: i64,
    ) -> Result<TerminalTypeRow, StoreError> {
        sql("UPDATE terminal_types SET name = $4, profile = $5, modified_at = $6, version = version + 1
             WHERE id = $1 AND tenant_id = $2 AND version = $3
             RETURNING id, tenant_id, name, profile, version, created_at, modified_at")
        .bind(row.id)
        .bind(scope.tenant())
        .bind(version)
        .bind(&row.name)
        .bind(&row.profile)
        .bind(now())
        .one_versioned(change)
        .await
    }

    /// Removes a type that no terminal has.
    pub async fn delete_terminal_type(
        &self,
        change: &mut Transaction,
        scope: Scope,
        id: i64,
    ) -> Result<(), StoreError> {
        sql("DELETE FROM terminal_types WHERE id = $1 AND tenant_id = $2")
            .bind(id)
            .bind(scope.tenant())
            .run_versioned(change)
            .await
    }
}
