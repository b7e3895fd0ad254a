//! Who changed what: written in the transaction of the change itself.

use crate::error::StoreError;
use crate::store::{Transaction, now};

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

impl AuditRecord<'_> {
    pub async fn insert(&self, change: &mut Transaction) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO audit (at, tenant_id, actor, address, operation, target, before, after, trace_id)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(now())
        .bind(self.tenant_id)
        .bind(self.actor)
        .bind(self.address)
        .bind(self.operation)
        .bind(self.target)
        .bind(self.before)
        .bind(self.after)
        .bind(self.trace_id)
        .execute(&mut **change)
        .await?;
        Ok(())
    }
}
