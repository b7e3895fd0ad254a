//! Who changed what: written in the transaction of the change itself.

use crate::error::StoreError;
use crate::sql::{Transaction, row, sql};
use crate::store::{Page, Store, now};

pub struct AuditRecord<'a> {
    pub tenant_id: Option<i64>,
    pub actor: &'a str,
    /// Network address of the caller.
    pub address: &'a str,
    pub operation: &'a str,
    /// Path of what was changed.
    pub target: &'a str,
    /// JSON, masked.
    pub before: &'a str,
    pub after: &'a str,
    pub trace_id: &'a str,
}

row! {
    #[derive(Clone, Debug)]
    pub struct AuditRow {
        pub id: i64,
        pub at: i64,
        pub tenant_id: Option<i64>,
        pub actor: String,
        pub address: String,
        pub operation: String,
        pub target: String,
        pub before: String,
        pub after: String,
        pub trace_id: String,
    }
}

impl AuditRecord<'_> {
    /// Gives the record's number.
    pub async fn insert(&self, change: &mut Transaction) -> Result<i64, StoreError> {
        sql("INSERT INTO audit (at, tenant_id, actor, address, operation, target, before, after, trace_id)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id")
        .bind(now())
        .bind(self.tenant_id)
        .bind(self.actor)
        .bind(self.address)
        .bind(self.operation)
        .bind(self.target)
        .bind(self.before)
        .bind(self.after)
        .bind(self.trace_id)
        .value(change)
        .await
    }
}

impl Store {
    /// Adds to a record of something begun what came of it.
    pub async fn finish_audit(&self, change: &mut Transaction, id: i64, after: &str) -> Result<(), StoreError> {
        sql("UPDATE audit SET after = $2 WHERE id = $1").bind(id).bind(after).run(change).await?;
        Ok(())
    }

    /// Records in the order they were written.
    pub async fn audit(&self, page: Page) -> Result<Vec<AuditRow>, StoreError> {
        sql("SELECT id, at, tenant_id, actor, address, operation, target, before, after, trace_id
             FROM audit WHERE (CAST($1 AS BIGINT) IS NULL OR id > $1) ORDER BY id LIMIT $2 OFFSET $3")
        .page(page)
        .all(&self.readers)
        .await
    }
}
