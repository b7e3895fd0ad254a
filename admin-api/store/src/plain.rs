//! Plain resources: a name that is unique in the tenant, and a profile that no rule of the platform looks into. Each has
//! a table of its own with the same columns, so that other tables can refer to it.

use crate::error::StoreError;
use crate::scope::Scope;
use crate::sql::{Transaction, row, sql};
use crate::store::{Page, Store, now};

/// The statements of one table, made by [`plain_table!`].
#[derive(Debug)]
pub struct PlainTable {
    pub insert: &'static str,
    pub read: &'static str,
    pub list: &'static str,
    pub update: &'static str,
    pub delete: &'static str,
}

/// The statements of a table by its name.
macro_rules! plain_table {
    ($table:literal) => {
        PlainTable {
            insert: concat!(
                "INSERT INTO ",
                $table,
                " (tenant_id, name, profile, created_at, modified_at)
                 VALUES ($1, $2, $3, $4, $4)
                 RETURNING id, tenant_id, name, profile, version, created_at, modified_at"
            ),
            read: concat!(
                "SELECT id, tenant_id, name, profile, version, created_at, modified_at FROM ",
                $table,
                " WHERE id = $1 AND (CAST($2 AS BIGINT) IS NULL OR tenant_id = $2)"
            ),
            list: concat!(
                "SELECT id, tenant_id, name, profile, version, created_at, modified_at FROM ",
                $table,
                " WHERE (CAST($1 AS BIGINT) IS NULL OR tenant_id = $1) AND (CAST($2 AS BIGINT) IS NULL OR id > $2)
                 ORDER BY id LIMIT $3 OFFSET $4"
            ),
            update: concat!(
                "UPDATE ",
                $table,
                " SET name = $4, profile = $5, modified_at = $6, version = version + 1
                 WHERE id = $1 AND tenant_id = $2 AND version = $3
                 RETURNING id, tenant_id, name, profile, version, created_at, modified_at"
            ),
            delete: concat!("DELETE FROM ", $table, " WHERE id = $1 AND tenant_id = $2"),
        }
    };
}

/// Kinds of terminals.
pub static TERMINAL_TYPES: PlainTable = plain_table!("terminal_types");

/// All of them, for the test that prepares every statement.
pub static PLAIN_TABLES: [&PlainTable; 1] = [&TERMINAL_TYPES];

row! {
    #[derive(Clone, Debug)]
    pub struct PlainRow {
        pub id: i64,
        pub tenant_id: i64,
        pub name: String,
        /// JSON.
        pub profile: String,
        pub version: i64,
        pub created_at: i64,
        pub modified_at: i64,
    }
}

impl Store {
    pub async fn insert_plain(
        &self,
        change: &mut Transaction,
        table: &PlainTable,
        tenant_id: i64,
        name: &str,
        profile: &str,
    ) -> Result<PlainRow, StoreError> {
        sql(table.insert).bind(tenant_id).bind(name).bind(profile).bind(now()).one(change).await
    }

    pub async fn plain(&self, table: &PlainTable, scope: Scope, id: i64) -> Result<Option<PlainRow>, StoreError> {
        sql(table.read).bind(id).bind(scope.tenant()).optional(&self.readers).await
    }

    pub async fn plains(&self, table: &PlainTable, scope: Scope, page: Page) -> Result<Vec<PlainRow>, StoreError> {
        let list = sql(table.list).bind(scope.tenant()).page(page);
        list.all(&self.readers).await
    }

    pub async fn update_plain(
        &self,
        change: &mut Transaction,
        table: &PlainTable,
        scope: Scope,
        row: &PlainRow,
        version: i64,
    ) -> Result<PlainRow, StoreError> {
        let update = sql(table.update).bind(row.id).bind(scope.tenant()).bind(version);
        update.bind(&row.name).bind(&row.profile).bind(now()).one_versioned(change).await
    }

    /// Removes a row that no other refers to.
    pub async fn delete_plain(
        &self,
        change: &mut Transaction,
        table: &PlainTable,
        scope: Scope,
        id: i64,
    ) -> Result<(), StoreError> {
        sql(table.delete).bind(id).bind(scope.tenant()).run_versioned(change).await
    }
}
