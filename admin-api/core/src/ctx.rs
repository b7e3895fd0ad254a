//! What a handler is given: who calls, what he may see, and the ways to the store, the ledger and the HSM.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use admin_store::{AuditRecord, DataKeys, Scope, Store, Transaction, UserRow};
use host_commands::HsmClient;
use ledger::Ledger;
use serde::Serialize;

use crate::error::{ApiError, ErrorCode};
use crate::idempotency::IdempotencyKey;
use crate::paging::Paging;
use crate::permission::{Permissions, Right};
use crate::services::Services;
use crate::session_keys::SessionKeys;
use crate::settings::setting;
use crate::token::{Claims, TokenKeys};

/// Who calls.
#[derive(Clone)]
pub enum Actor {
    Anonymous,
    User(Box<User>),
}

/// A user with an open session.
#[derive(Clone)]
pub struct User {
    pub claims: Claims,
    /// As he is now, not as when the token was made.
    pub row: UserRow,
}

impl Actor {
    /// The name for audit records.
    pub fn name(&self) -> &str {
        match self {
            Self::Anonymous => "ANONYMOUS",
            Self::User(user) => &user.row.identity,
        }
    }

    pub fn user(&self) -> Option<&User> {
        match self {
            Self::Anonymous => None,
            Self::User(user) => Some(user),
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
    pub(crate) idempotency: Option<IdempotencyKey>,
    /// Digest of method, path and body.
    pub(crate) request_hash: String,
    /// Where the next part of the list begins, for the `Link` header.
    pub(crate) next: Arc<OnceLock<i64>>,
}

impl Ctx {
    pub fn store(&self) -> &Store {
        &self.services.store
    }

    pub fn ledger(&self) -> &Ledger {
        &self.services.ledger
    }

    pub fn hsm(&self) -> &HsmClient {
        &self.services.hsm
    }

    pub fn session_keys(&self) -> &dyn SessionKeys {
        &*self.services.session_keys
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

    /// The tenant that the operation is about.
    pub fn tenant(&self) -> Result<i64, ApiError> {
        match self.scope {
            Scope::Tenant(id) => Ok(id),
            Scope::Global | Scope::Institution(_) => Err(ApiError::not_found("tenant")),
        }
    }

    /// A setting of the tenant, its institution or the platform.
    pub async fn setting(&self, key: &str) -> Result<Option<String>, ApiError> {
        setting(self.store(), self.data_keys(), self.tenant().ok(), key).await
    }

    /// Refuses where the caller lacks a right that the row could not name, because what it is about stands in the
    /// body. `wallet_type`: of the wallet it is about.
    pub async fn require(&self, entity: &str, verb: &str, wallet_type: Option<i64>) -> Result<(), ApiError> {
        if self.may(entity, verb, wallet_type).await? {
            return Ok(());
        }
        Err(ApiError::new(ErrorCode::NotAllowed, format!("this needs the right {entity}.{verb}.Allowed")))
    }

    async fn may(&self, entity: &str, verb: &str, wallet_type: Option<i64>) -> Result<bool, ApiError> {
        let wallet_type = match wallet_type {
            Some(id) => self.store().wallet_type_for_rights(self.scope, id).await?,
            None => None,
        };
        let right = Right { entity, verb, wallet_type: wallet_type.as_ref() };
        Permissions { store: self.store(), keys: self.data_keys() }.allow(&self.actor, self.scope, right).await
    }

    /// Those of some wallet types whose wallets, or what is on them, the caller may read.
    pub async fn open_wallet_types(
        &self,
        entity: &str,
        types: impl Iterator<Item = i64>,
    ) -> Result<BTreeSet<i64>, ApiError> {
        let mut open = BTreeSet::new();
        for id in types.collect::<BTreeSet<_>>() {
            if self.may(entity, "READ", Some(id)).await? {
                open.insert(id);
            }
        }
        Ok(open)
    }

    /// Refuses who may not say what others may do.
    pub fn require_administrator(&self) -> Result<(), ApiError> {
        let user = self.actor.user();
        if user.is_some_and(|user| user.row.tenant_id.is_none() || user.is_one_of(&["TENANT_SYSTEM"])) {
            return Ok(());
        }
        Err(ApiError::new(ErrorCode::NotAllowed, "permissions are set by the tenant's administrators"))
    }

    /// A list's rows as models. `place`: of a row in the list's order, for the cursor. The store was asked for one row
    /// more than is given.
    pub fn part<R, T>(
        &self,
        paging: &Paging,
        mut rows: Vec<R>,
        place: impl Fn(&R) -> i64,
        model: impl Fn(R) -> Result<T, ApiError>,
    ) -> Result<Vec<T>, ApiError> {
        if rows.len() > paging.limit() {
            rows.truncate(paging.limit());
            if let Some(last) = rows.last() {
                let _ = self.next.set(place(last));
            }
        }
        rows.into_iter().map(model).collect()
    }

    /// Begins a change that ends with its audit record or not at all.
    pub async fn begin(&self) -> Result<Change<'_>, ApiError> {
        Ok(Change { ctx: self, transaction: self.store().begin().await? })
    }

    /// Writes an audit record. Gives its number.
    pub(crate) async fn audit(
        &self,
        change: &mut Transaction,
        before: &impl Serialize,
        after: &impl Serialize,
    ) -> Result<i64, ApiError> {
        let record = AuditRecord {
            tenant_id: self.tenant().ok(),
            actor: self.actor.name(),
            address: &self.address.to_string(),
            operation: self.operation,
            target: &self.target,
            before: &text(before)?,
            after: &text(after)?,
            trace_id: &self.trace_id,
        };
        Ok(record.insert(change).await?)
    }

    /// Remembers the answer under the request's `Idempotency-Key`, where it has one.
    pub(crate) async fn remember(&self, change: &mut Transaction, answer: &impl Serialize) -> Result<(), ApiError> {
        if let Some(key) = &self.idempotency {
            let answer = text(answer)?;
            self.store().remember(change, self.actor.name(), &key.0, &self.request_hash, &answer).await?;
        }
        Ok(())
    }
}

fn text(model: &impl Serialize) -> Result<String, ApiError> {
    serde_json::to_string(model)
        .map_err(|error| ApiError::new(ErrorCode::Unknown, format!("audit record not written: {error}")))
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

    /// Commits a creation with its audit record, and gives what was created as the answer.
    pub async fn created<T: Serialize>(self, after: T) -> Result<T, ApiError> {
        self.finish(&(), after).await
    }

    /// Commits an update with its audit record. `before` and `after` are models as the API shows them, masked; `after`
    /// is the answer.
    pub async fn updated<T: Serialize>(self, before: &T, after: T) -> Result<T, ApiError> {
        self.finish(before, after).await
    }

    /// Commits a removal, or something that has no answer, with its audit record.
    pub async fn done(self, before: &impl Serialize) -> Result<(), ApiError> {
        self.finish(before, ()).await
    }

    /// Commits the record of something whose answer is not to be kept: it is not given again under its
    /// `Idempotency-Key`, but done again.
    pub async fn recorded(mut self, before: &impl Serialize, after: &impl Serialize) -> Result<(), ApiError> {
        self.ctx.audit(&mut self.transaction, before, after).await?;
        Ok(self.ctx.services.store.commit(self.transaction).await?)
    }

    /// Effect, audit record and remembered answer: all or none.
    async fn finish<T: Serialize>(mut self, before: &impl Serialize, after: T) -> Result<T, ApiError> {
        self.ctx.audit(&mut self.transaction, before, &after).await?;
        self.ctx.remember(&mut self.transaction, &after).await?;
        self.ctx.services.store.commit(self.transaction).await?;
        Ok(after)
    }
}
