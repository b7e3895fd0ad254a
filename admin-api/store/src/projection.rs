//! The projection of the journal into SQL: what moved on which account, exactly once.
//!
//! Movements, balances and the last sequence change in one SQL transaction. A crash before its commit leaves the
//! sequence where it was, and the ledger sends the events again.

use std::collections::BTreeMap;
use std::time::Duration;

use ledger::{AppliedEvent, Body, Subscription};

use crate::error::StoreError;
use crate::sql::{row, sql};
use crate::store::{Page, Store, begin};

/// Events taken over in one transaction at most.
const BATCH: usize = 512;

/// Pause after a failed transaction; the same events are tried again.
const PAUSE: Duration = Duration::from_millis(500);

/// How long a read after a write waits for the projection.
const READ_WAIT: Duration = Duration::from_secs(2);

row! {
    /// One posted amount on an account.
    #[derive(Clone, Debug)]
    pub struct MovementRow {
        pub seq: i64,
        /// Unix milliseconds.
        pub at: i64,
        /// Minor units; above zero into the account.
        pub amount: i64,
        /// Of the account, afterwards.
        pub balance: i64,
        /// JSON, or empty.
        pub record: String,
    }
}

impl Store {
    /// The last sequence that is in the projection.
    pub async fn projected_seq(&self) -> Result<u64, StoreError> {
        let seq: i64 = sql("SELECT seq FROM projection").value(&self.readers).await?;
        Ok(u64::try_from(seq).unwrap_or(0))
    }

    /// Follows the ledger until it is closed. A transaction that fails is tried again for ever: meanwhile the
    /// subscription's lag grows, and at its bound the ledger refuses events.
    pub async fn project(self, mut subscription: Subscription) {
        while let Some(events) = subscription.recv(BATCH).await {
            while let Err(error) = self.take_over(&events).await {
                tracing::warn!(%error, "projection not written; it is tried again. Is the disk full?");
                tokio::time::sleep(PAUSE).await;
            }
            if let Some(last) = events.last() {
                metrics::gauge!("umbra_projection_seq").set(last.seq as f64);
                self.projected_to(last.seq);
            }
        }
    }

    async fn take_over(&self, events: &[AppliedEvent]) -> Result<(), StoreError> {
        let Some(last) = events.last() else { return Ok(()) };
        let mut change = begin(&self.projector).await?;
        // Where it stands, taken so that nobody moves it: a commit whose answer was lost has taken these over already.
        let seq: i64 = sql("UPDATE projection SET seq = seq RETURNING seq").value(&mut change).await?;
        let events: Vec<&AppliedEvent> = events.iter().filter(|event| signed(event.seq) > seq).collect();
        if events.first().is_some_and(|event| signed(event.seq) != seq + 1) {
            return Err(StoreError::Gap { seq });
        }
        for event in events {
            let record = record_of(event);
            for (account, (amount, pending)) in changes_of(event) {
                let balance: i64 = sql("INSERT INTO account_balances (account, balance, pending) VALUES ($1, $2, $3)
                     ON CONFLICT (account) DO UPDATE SET
                         balance = account_balances.balance + excluded.balance,
                         pending = account_balances.pending + excluded.pending
                     RETURNING balance")
                .bind(account)
                .bind(amount)
                .bind(pending)
                .value(&mut change)
                .await?;
                if amount != 0 {
                    sql("INSERT INTO account_movements (account, seq, at, amount, balance, record)
                         VALUES ($1, $2, $3, $4, $5, $6)")
                    .bind(account)
                    .bind(signed(event.seq))
                    .bind(signed(event.at))
                    .bind(amount)
                    .bind(balance)
                    .bind(&*record)
                    .run(&mut change)
                    .await?;
                }
            }
        }
        sql("UPDATE projection SET seq = $1").bind(signed(last.seq)).run(&mut change).await?;
        change.commit().await?;
        Ok(())
    }

    /// Waits until the projection holds a sequence, at most two seconds. Gives whether it does.
    pub async fn wait_for_projection(&self, seq: u64) -> bool {
        let mut projected = self.projected();
        let reached = projected.wait_for(|projected| *projected >= seq);
        matches!(tokio::time::timeout(READ_WAIT, reached).await, Ok(Ok(_)))
    }

    /// Posted amounts of an account, newest first, between two times (Unix milliseconds, the second exclusive).
    pub async fn movements(
        &self,
        account: i64,
        from: Option<i64>,
        to: Option<i64>,
        page: Page,
    ) -> Result<Vec<MovementRow>, StoreError> {
        sql("SELECT seq, at, amount, balance, record FROM account_movements
             WHERE account = $1 AND (CAST($2 AS BIGINT) IS NULL OR at >= $2) AND (CAST($3 AS BIGINT) IS NULL OR at < $3)
               AND (CAST($4 AS BIGINT) IS NULL OR seq < $4)
             ORDER BY seq DESC LIMIT $5 OFFSET $6")
        .bind(account)
        .bind(from)
        .bind(to)
        .page(page)
        .all(&self.readers)
        .await
    }

    /// Every account's balance and net pending amount as projected: account, balance, pending.
    pub async fn projected_balances(&self) -> Result<Vec<(i64, i64, i64)>, StoreError> {
        sql("SELECT account, balance, pending FROM account_balances ORDER BY account").all(&self.readers).await
    }
}

/// Sequences and times stay far below the sign bit.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Account to posted amount and change of what is pending.
fn changes_of(event: &AppliedEvent) -> BTreeMap<i64, (i64, i64)> {
    let mut changes: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
    for posting in &event.moves {
        changes.entry(signed(posting.account)).or_default().0 += posting.amount;
    }
    for change in &event.holds {
        changes.entry(signed(change.account)).or_default().1 += change.amount;
    }
    changes
}

/// The record that travels in the event, where it has one.
fn record_of(event: &AppliedEvent) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(match &event.event.body {
        Body::Post { record, .. }
        | Body::PlaceHold { record, .. }
        | Body::CaptureHold { record, .. }
        | Body::Reverse { record, .. } => record,
        Body::Card(card) => &card.record,
        _ => &[],
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ledger::{Code, Content, Event, EventId, Outcome, Posting};

    use super::*;
    use crate::store::Database;

    /// Ten cents from account 1 to account 2.
    fn applied(seq: u64) -> AppliedEvent {
        let event = Event { id: EventId::new(seq, [0; 10]), content: Content([0; 16]), body: Body::Tick };
        let outcome = Outcome {
            code: Code::Approved,
            reason: 0,
            seq,
            at: seq,
            amount: 10,
            account: None,
            balance: 0,
            available: 0,
            approval: 0,
        };
        let moves = vec![Posting { account: 1, amount: -10 }, Posting { account: 2, amount: 10 }];
        let holds = vec![Posting { account: 2, amount: -1 }];
        AppliedEvent { seq, at: seq, event: Arc::new(event), outcome, replayed: false, moves, holds }
    }

    #[tokio::test]
    async fn what_was_taken_over_is_not_taken_over_again_and_nothing_is_passed_by() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&Database::Sqlite(folder.path().join("umbra.sqlite"))).await.unwrap();
        let [one, two, three, five] = [1, 2, 3, 5].map(applied);
        store.take_over(&[one.clone(), two.clone()]).await.unwrap();
        // As after a commit that was made and whose answer was lost.
        store.take_over(&[one, two.clone()]).await.unwrap();
        store.take_over(&[two, three]).await.unwrap();
        let balances = store.projected_balances().await.unwrap();
        assert_eq!(balances, [(1, -30, 0), (2, 30, -3)]);
        let gap = store.take_over(&[five]).await.unwrap_err();
        assert!(matches!(gap, StoreError::Gap { seq: 3 }), "{gap}");
        assert_eq!(store.projected_seq().await.unwrap(), 3);
    }
}
