//! Money over REST: intent, event, result.
//!
//! 1. One SQL transaction writes the intent: the event's id, the request, the audit record of its beginning.
//! 2. The event goes to the ledger.
//! 3. One SQL transaction writes the result, the end of the audit record, and the answer under its `Idempotency-Key`.
//!
//! | crash | leaves | the next start |
//! |---|---|---|
//! | before 1 | nothing | |
//! | between 1 and 2 | an intent | the ledger does not know the event: abandoned, ids are free again |
//! | between 2 and 3 | an intent, and money that has moved | the ledger knows the event: the result is written |
//! | after 3 | all of it | |

use std::time::Duration;

use admin_store::{MoneyOperationRow, MoneyResult, NewMoneyOperation, Store};
use ledger::{Applied, Body, Code, Content, Event, EventId, Ledger, Outcome, Recall};
use serde::Serialize;
use serde_json::json;

use crate::accounts::fresh_event_id;
use crate::ctx::Ctx;
use crate::error::{ApiError, ErrorCode};
use crate::fault_point;

/// Tries to write a result, and the pause between two. After them it is left to [`settle_known_intents`].
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(500);

/// One movement of money.
pub struct MoneyRequest {
    /// TRANSFER, RESERVATION, RELEASE or REVERSAL.
    pub kind: &'static str,
    pub external_unique_id: Option<String>,
    pub from_wallet: Option<i64>,
    pub to_wallet: Option<i64>,
    /// Minor units.
    pub amount: i64,
    /// As the API shows it.
    pub request: String,
    /// The operation that this one takes back.
    pub reverses: Option<i64>,
    pub expires_at: Option<i64>,
    pub body: Body,
}

/// What moved.
#[derive(Clone, Debug)]
pub struct Moved {
    /// Number of the operation.
    pub id: i64,
    pub event_id: EventId,
    pub outcome: Outcome,
}

/// What there is to write of an operation that has ended.
struct Ended<'a, T> {
    id: i64,
    /// Number of its audit record.
    audit: i64,
    result: MoneyResult,
    /// `None` where it was refused.
    answer: &'a Option<T>,
}

impl Ctx {
    /// Moves money, or says why not. `answer` makes the answer, which is remembered with the result.
    pub async fn move_money<T, F>(&self, request: MoneyRequest, answer: F) -> Result<T, ApiError>
    where
        T: Serialize + Send + Sync + 'static,
        F: FnOnce(&Moved) -> Result<T, ApiError> + Send + 'static,
    {
        // On a task of its own: a caller who goes away must not stop it between two steps.
        let ctx = self.clone();
        let moving = tokio::spawn(async move { ctx.move_whole(request, answer).await });
        moving.await.map_err(|_| ApiError::new(ErrorCode::Unknown, "an internal fault; report the trace id"))?
    }

    async fn move_whole<T, F>(&self, request: MoneyRequest, answer: F) -> Result<T, ApiError>
    where
        T: Serialize + Send + Sync + 'static,
        F: FnOnce(&Moved) -> Result<T, ApiError> + Send + 'static,
    {
        fault_point("money-begin");
        if let Some(moved) = self.moved_before().await? {
            return answer(&moved);
        }
        let event_id = fresh_event_id();
        let (id, audit) = match self.write_intent(&request, event_id).await {
            // Perhaps by this request's own double, which came at the same moment and is still in work.
            Err(error) if error.code == ErrorCode::Taken => {
                return self.moved_before().await?.map_or(Err(error), |moved| answer(&moved));
            }
            written => written?,
        };
        fault_point("money-intent");
        let event = Event::new(event_id, Content([0; 16]), request.body);
        let applied = match self.ledger().submit(event).await {
            Ok(applied) => applied,
            Err(ledger::SubmitError::Stopped) => {
                return Err(no_ledger("has stopped; what was asked may have happened"));
            }
            Err(error) => {
                tracing::warn!(%error, "event of a money operation not taken by the ledger");
                self.write_result(Ended { id, audit, result: MoneyResult::Abandoned, answer: &None::<()> }).await?;
                return Err(no_ledger("does not take events now; nothing has moved"));
            }
        };
        fault_point("money-event");
        let moved = Moved { id, event_id, outcome: applied.outcome };
        let answer = if moved.outcome.code == Code::Approved { Some(answer(&moved)?) } else { None };
        // The ledger has decided: whether or not that could be written down, it is what happened.
        if let Err(error) =
            self.write_result(Ended { id, audit, result: result(&moved.outcome), answer: &answer }).await
        {
            tracing::error!(operation = id, %error, "result of a money operation not written; it is written later");
        }
        fault_point("money-result");
        answer.ok_or_else(|| refusal(moved.outcome.code))
    }

    /// What has moved already under the request's `Idempotency-Key`, where a crash came before its answer was kept.
    async fn moved_before(&self) -> Result<Option<Moved>, ApiError> {
        let Some(key) = &self.idempotency else { return Ok(None) };
        let Some(row) = self.store().money_operation_under_key(self.actor.name(), &key.0).await? else {
            return Ok(None);
        };
        // Older than answers are kept: the key is free again.
        if row.created_at <= self.store().idempotency_horizon() && row.state != "INTENT" {
            return Ok(None);
        }
        if row.request_hash != self.request_hash {
            return Err(ApiError::new(ErrorCode::KeyReused, "this Idempotency-Key was used for another request"));
        }
        match known_event(self.ledger(), &row.event_id)?.filter(|_| row.state == "DONE") {
            Some((event_id, applied)) => Ok(Some(Moved { id: row.id, event_id, outcome: applied.outcome })),
            None => Err(ApiError::new(ErrorCode::KeyBusy, "the first request under this key is still in work")),
        }
    }

    async fn write_intent(&self, request: &MoneyRequest, event_id: EventId) -> Result<(i64, i64), ApiError> {
        let mut change = self.store().begin().await?;
        let begun = json!({"state": "INTENT", "request": &request.request});
        let audit = self.audit(&mut change, &(), &begun).await?;
        let intent = NewMoneyOperation {
            tenant_id: self.tenant()?,
            kind: request.kind,
            external_unique_id: request.external_unique_id.as_deref(),
            event_id: &format!("{:032x}", event_id.0),
            from_wallet: request.from_wallet,
            to_wallet: request.to_wallet,
            amount: request.amount,
            request: &request.request,
            reverses: request.reverses,
            expires_at: request.expires_at,
            actor: self.actor.name(),
            idempotency_key: self.idempotency.as_ref().map(|key| key.0.as_str()),
            request_hash: &self.request_hash,
            audit_id: audit,
        };
        if let Some(key) = intent.idempotency_key {
            self.store().free_old_key(&mut change, intent.actor, key).await?;
        }
        let id = intent.insert(&mut change).await?;
        self.store().commit(change).await?;
        Ok((id, audit))
    }

    /// Writes a result, trying again where that fails.
    async fn write_result<T: Serialize>(&self, ended: Ended<'_, T>) -> Result<(), ApiError> {
        let mut tries = 0;
        loop {
            match self.try_result(&ended).await {
                Err(error) if tries < TRIES => {
                    tracing::warn!(%error, "result of a money operation not written; it is tried again");
                    tries += 1;
                    tokio::time::sleep(PAUSE).await;
                }
                done => return done,
            }
        }
    }

    async fn try_result<T: Serialize>(&self, ended: &Ended<'_, T>) -> Result<(), ApiError> {
        let mut change = self.store().begin().await?;
        if !self.store().finish_money_operation(&mut change, ended.id, ended.result).await? {
            // Written before, by a commit whose answer was lost.
            return Ok(());
        }
        self.store().finish_audit(&mut change, ended.audit, &end_of_audit(ended.result, ended.answer)).await?;
        if let Some(answer) = ended.answer {
            self.remember(&mut change, answer).await?;
        }
        Ok(self.store().commit(change).await?)
    }
}

/// Asks the ledger what became of every intent that a crash has left. To be done before anything is served.
pub async fn settle_intents(store: &Store, ledger: &Ledger) -> Result<(), admin_store::StoreError> {
    for row in store.money_intents().await? {
        // A ledger that has stopped can be asked after the next start.
        let Ok(known) = event_id(&row.event_id).map(|id| ledger.recall(id)).transpose() else { break };
        let result = match known {
            Some(Recall::Known(applied)) => result(&applied.outcome),
            Some(Recall::Never) => MoneyResult::Abandoned,
            Some(Recall::Forgotten) | None => {
                tracing::error!(
                    operation = row.id,
                    event = row.event_id,
                    "an intent is too old for the ledger to remember its event; look for the event with `umbra ledger \
                     dump` and set the operation's state by hand"
                );
                continue;
            }
        };
        write_found(store, &row, result).await?;
    }
    Ok(())
}

/// Settles what the ledger has decided and nobody could write down, while it is served: a result whose writers have given
/// up. What the ledger does not know may still be on its way to it, and is left alone.
pub async fn settle_known_intents(store: &Store, ledger: &Ledger) -> Result<(), admin_store::StoreError> {
    let given_up = store.money_intents().await?.into_iter().filter(|row| row.created_at < store.given_up_before());
    for row in given_up {
        if let Ok(Some((_, applied))) = known_event(ledger, &row.event_id) {
            write_found(store, &row, result(&applied.outcome)).await?;
        }
    }
    Ok(())
}

async fn write_found(
    store: &Store,
    row: &MoneyOperationRow,
    result: MoneyResult,
) -> Result<(), admin_store::StoreError> {
    let mut change = store.begin().await?;
    if !store.finish_money_operation(&mut change, row.id, result).await? {
        return Ok(());
    }
    store.finish_audit(&mut change, row.audit_id, &end_of_audit(result, &None::<()>)).await?;
    store.commit(change).await?;
    tracing::info!(operation = row.id, ?result, "an intent whose result was missing has been settled");
    Ok(())
}

fn end_of_audit(result: MoneyResult, answer: &impl Serialize) -> String {
    let state = match result {
        MoneyResult::Applied { approved: true, .. } => "DONE",
        MoneyResult::Applied { .. } => "REFUSED",
        MoneyResult::Abandoned => "ABANDONED",
    };
    json!({"state": state, "answer": answer}).to_string()
}

fn result(outcome: &Outcome) -> MoneyResult {
    MoneyResult::Applied {
        outcome: i64::from(outcome.code as u16),
        seq: i64::try_from(outcome.seq).unwrap_or(i64::MAX),
        approved: outcome.code == Code::Approved,
    }
}

fn no_ledger(why: &str) -> ApiError {
    ApiError::new(ErrorCode::Downstream, format!("the ledger {why}"))
}

/// What the ledger's refusals mean to the caller.
fn refusal(code: Code) -> ApiError {
    let (error, text) = match code {
        Code::InsufficientFunds => (ErrorCode::NoFunds, "the wallet has not so much available"),
        Code::AccountClosed | Code::AccountNotFound => (ErrorCode::WrongState, "a wallet's account is closed"),
        Code::HoldNotFound => (ErrorCode::WrongState, "the reservation is not open any more"),
        Code::CurrencyMismatch => (ErrorCode::Validation, "the wallets have different currencies"),
        Code::InvalidAmount | Code::InvalidEntry => (ErrorCode::Validation, "the amount is not possible here"),
        Code::CountLimitExceeded => (ErrorCode::NoFunds, "a limit allows no further one in this period"),
        Code::AmountLimitExceeded => (ErrorCode::NoFunds, "a limit does not allow so much in this period"),
        Code::Overflow => (ErrorCode::Validation, "the amount is too large for the wallet"),
        Code::Full => (ErrorCode::Downstream, "the ledger has no room for it now; try again later"),
        _ => (ErrorCode::WrongState, "the ledger refuses this"),
    };
    ApiError::new(error, text)
}

/// What the ledger knows of an operation's event.
pub fn known_event(ledger: &Ledger, event_id: &str) -> Result<Option<(EventId, Applied)>, ledger::Stopped> {
    let Some(id) = self::event_id(event_id) else { return Ok(None) };
    match ledger.recall(id)? {
        Recall::Known(applied) => Ok(Some((id, applied))),
        Recall::Never | Recall::Forgotten => Ok(None),
    }
}

fn event_id(text: &str) -> Option<EventId> {
    u128::from_str_radix(text, 16).ok().map(EventId)
}
