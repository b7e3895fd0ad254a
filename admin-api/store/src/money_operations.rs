//! Money moved over REST: an intent, the ledger's event, a result.
//!
//! The intent is durable before the event is submitted, the result after it. A crash in between leaves an intent, and
//! the next start asks the ledger by the event's id what became of it.

use crate::error::StoreError;
use crate::scope::Scope;
use crate::sql::{Transaction, row, sql};
use crate::store::{Page, Store, now};

pub struct NewMoneyOperation<'a> {
    pub tenant_id: i64,
    /// TRANSFER, RESERVATION, RELEASE or REVERSAL.
    pub kind: &'static str,
    pub external_unique_id: Option<&'a str>,
    /// Of the ledger's event, 32 hexadecimal digits.
    pub event_id: &'a str,
    pub from_wallet: Option<i64>,
    pub to_wallet: Option<i64>,
    /// Minor units.
    pub amount: i64,
    /// JSON.
    pub request: &'a str,
    pub reverses: Option<i64>,
    pub expires_at: Option<i64>,
    pub actor: &'a str,
    pub idempotency_key: Option<&'a str>,
    pub request_hash: &'a str,
    /// The record of its beginning.
    pub audit_id: i64,
}

row! {
    #[derive(Clone, Debug)]
    pub struct MoneyOperationRow {
        pub id: i64,
        pub tenant_id: i64,
        pub kind: String,
        pub state: String,
        pub external_unique_id: Option<String>,
        pub event_id: String,
        pub from_wallet: Option<i64>,
        pub to_wallet: Option<i64>,
        pub amount: i64,
        pub request: String,
        pub reverses: Option<i64>,
        pub outcome: Option<i64>,
        pub seq: Option<i64>,
        pub expires_at: Option<i64>,
        pub request_hash: String,
        pub audit_id: i64,
        pub created_at: i64,
        pub finished_at: Option<i64>,
    }
}

impl NewMoneyOperation<'_> {
    pub async fn insert(&self, change: &mut Transaction) -> Result<i64, StoreError> {
        sql("INSERT INTO money_operations (tenant_id, kind, state, external_unique_id, event_id, from_wallet, to_wallet,
                 amount, request, reverses, expires_at, actor, idempotency_key, request_hash, audit_id, created_at)
             VALUES ($1, $2, 'INTENT', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) RETURNING id")
        .bind(self.tenant_id)
        .bind(self.kind)
        .bind(self.external_unique_id)
        .bind(self.event_id)
        .bind(self.from_wallet)
        .bind(self.to_wallet)
        .bind(self.amount)
        .bind(self.request)
        .bind(self.reverses)
        .bind(self.expires_at)
        .bind(self.actor)
        .bind(self.idempotency_key)
        .bind(self.request_hash)
        .bind(self.audit_id)
        .bind(now())
        .value(change)
        .await
    }
}

/// What came of an intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoneyResult {
    /// The ledger's outcome: its number, sequence, whether it was approved.
    Applied { outcome: i64, seq: i64, approved: bool },
    /// The ledger never had the event, and never will.
    Abandoned,
}

impl Store {
    /// Whoever began an operation before this moment has given up writing its result.
    pub fn given_up_before(&self) -> i64 {
        const PATIENCE_MS: i64 = 60_000;
        now() - PATIENCE_MS
    }

    /// Gives an `Idempotency-Key` free that was used longer ago than answers are kept.
    pub async fn free_old_key(&self, change: &mut Transaction, actor: &str, key: &str) -> Result<(), StoreError> {
        sql("UPDATE money_operations SET idempotency_key = NULL
             WHERE actor = $1 AND idempotency_key = $2 AND created_at <= $3 AND state <> 'INTENT'")
        .bind(actor)
        .bind(key)
        .bind(self.idempotency_horizon())
        .run(change)
        .await?;
        Ok(())
    }

    /// Writes what came of an intent. One that moved nothing gives its unique ids free, so that it can be asked again.
    /// Gives whether it was still an intent.
    pub async fn finish_money_operation(
        &self,
        change: &mut Transaction,
        id: i64,
        result: MoneyResult,
    ) -> Result<bool, StoreError> {
        let (state, outcome, seq) = match result {
            MoneyResult::Applied { outcome, seq, approved } => {
                (if approved { "DONE" } else { "REFUSED" }, Some(outcome), Some(seq))
            }
            MoneyResult::Abandoned => ("ABANDONED", None, None),
        };
        let finished = sql("UPDATE money_operations SET state = $2, outcome = $3, seq = $4, finished_at = $5,
                 external_unique_id = CASE WHEN $6 THEN external_unique_id END,
                 idempotency_key = CASE WHEN $6 THEN idempotency_key END,
                 reverses = CASE WHEN $6 THEN reverses END
             WHERE id = $1 AND state = 'INTENT'")
        .bind(id)
        .bind(state)
        .bind(outcome)
        .bind(seq)
        .bind(now())
        .bind(state == "DONE")
        .run(change)
        .await?;
        Ok(finished == 1)
    }

    pub async fn money_operation(&self, scope: Scope, id: i64) -> Result<Option<MoneyOperationRow>, StoreError> {
        sql("SELECT id, tenant_id, kind, state, external_unique_id, event_id, from_wallet, to_wallet, amount, request,
                    reverses, outcome, seq, expires_at, request_hash, audit_id, created_at, finished_at
             FROM money_operations WHERE id = $1 AND (CAST($2 AS BIGINT) IS NULL OR tenant_id = $2)")
        .bind(id)
        .bind(scope.tenant())
        .optional(&self.readers)
        .await
    }

    pub async fn money_operation_named(
        &self,
        scope: Scope,
        external_unique_id: &str,
    ) -> Result<Option<MoneyOperationRow>, StoreError> {
        sql("SELECT id, tenant_id, kind, state, external_unique_id, event_id, from_wallet, to_wallet, amount, request,
                    reverses, outcome, seq, expires_at, request_hash, audit_id, created_at, finished_at
             FROM money_operations
             WHERE external_unique_id = $1 AND (CAST($2 AS BIGINT) IS NULL OR tenant_id = $2)")
        .bind(external_unique_id)
        .bind(scope.tenant())
        .optional(&self.readers)
        .await
    }

    /// The operation under an `Idempotency-Key` of this caller.
    pub async fn money_operation_under_key(
        &self,
        actor: &str,
        key: &str,
    ) -> Result<Option<MoneyOperationRow>, StoreError> {
        sql("SELECT id, tenant_id, kind, state, external_unique_id, event_id, from_wallet, to_wallet, amount, request,
                    reverses, outcome, seq, expires_at, request_hash, audit_id, created_at, finished_at
             FROM money_operations WHERE actor = $1 AND idempotency_key = $2")
        .bind(actor)
        .bind(key)
        .optional(&self.readers)
        .await
    }

    /// Intents without a result, oldest first.
    pub async fn money_intents(&self) -> Result<Vec<MoneyOperationRow>, StoreError> {
        sql("SELECT id, tenant_id, kind, state, external_unique_id, event_id, from_wallet, to_wallet, amount, request,
                    reverses, outcome, seq, expires_at, request_hash, audit_id, created_at, finished_at
             FROM money_operations WHERE state = 'INTENT' ORDER BY id")
        .all(&self.readers)
        .await
    }

    /// Reservations of a wallet that the ledger has taken.
    pub async fn reservations(
        &self,
        scope: Scope,
        wallet: i64,
        page: Page,
    ) -> Result<Vec<MoneyOperationRow>, StoreError> {
        sql("SELECT id, tenant_id, kind, state, external_unique_id, event_id, from_wallet, to_wallet, amount, request,
                    reverses, outcome, seq, expires_at, request_hash, audit_id, created_at, finished_at
             FROM money_operations
             WHERE from_wallet = $1 AND kind = 'RESERVATION' AND state = 'DONE'
               AND (CAST($2 AS BIGINT) IS NULL OR tenant_id = $2) AND (CAST($3 AS BIGINT) IS NULL OR id > $3)
             ORDER BY id LIMIT $4 OFFSET $5")
        .bind(wallet)
        .bind(scope.tenant())
        .page(page)
        .all(&self.readers)
        .await
    }
}
