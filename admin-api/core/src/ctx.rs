//! What a handler is given: who calls, what he may see, and the ways to the store and the ledger.

use std::net::IpAddr;
use std::sync::Arc;

use admin_store::{AuditRecord, DataKeys, Scope, Store, Transaction};
use ledger::Ledger;
use serde::Serialize;

use crate::error::ApiError;
use crate::services::Services;
use crate::token::{Claims, TokenKeys};

/// Who calls.
#[derive(Clone, Debug)]
pub enum Actor {
    Anonymous,
    User(Box<Claims>),
}

impl Actor {
    /// The name for audit records.
    pub fn name(&self) -> &str {
        match self {
            Self::Anonymous => "ANONYMOUS",
            Self::User(claims) => &claims.sub,
        }
    }
}

/// Made by the row's layer alone, once token, permission and tenant have been judged.
#[derive(Clone)]
pub struct Ctx {
    pub(crate) services: Arc<Services>,
    pub(crate) actor: Actor,
    pub(crate) scope: Scope,
    pub(crate) address: IpAddr,
    pub(crate) operation: &'static str,
    pub(crate) target: String,
    pub(crate) trace_id: String,
}

impl Ctx {
    pub fn store(&self) -> &Store {
        &self.services.store
    }

    pub fn ledger(&self) -> &Ledger {
        &self.services.ledger
    }

    pub fn data_keys(&self) -> &DataKeys {
        &self.services.data_keys
    }

    pub fn tokens(&self) -> &TokenKeys {
        &self.services.tokens
    }

    /// Whose rows the caller may see; every store function takes it.
    pub fn scope(&self) -> Scope {
        self.scope
    }

    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Begins a change that ends with its audit record or not at all.
    pub async fn begin(&self) -> Result<Change<'_>, ApiError> {
        Ok(Change { ctx: self, transaction: self.store().begin().await? })
    }
}

/// A change of rows. Dropped before its commit, it has not happened.
pub struct Change<'a> {
    ctx: &'a Ctx,
    transaction: Transaction,
}

impl Change<'_> {
    pub fn transaction(&mut self) -> &mut Transaction {
        &mut self.transaction
    }

    /// Commits the change with its audit record. `before` and `after` are models as the API shows them, masked.
    pub async fn commit(mut self, before: &impl Serialize, after: &impl Serialize) -> Result<(), ApiError> {
        let text = |error: serde_json::Error| {
            ApiError::new(crate::ErrorCode::Unknown, format!("audit record not written: {error}"))
        };
        let record = AuditRecord {
            tenant_id: match self.ctx.scope {
                Scope::Tenant(id) => Some(id),
                Scope::Global => None,
            },
            actor: self.ctx.actor.name(),
            address: &self.ctx.address.to_string(),
            operation: self.ctx.operation,
            target: &self.ctx.target,
            before: &serde_json::to_string(before).map_err(text)?,
            after: &serde_json::to_string(after).map_err(text)?,
            trace_id: &self.ctx.trace_id,
        };
        record.insert(&mut self.transaction).await?;
        Ok(self.ctx.services.store.commit(self.transaction).await?)
    }
}
