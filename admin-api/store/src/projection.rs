//! The projection of the journal into SQL: what moved on which account, exactly once.
//!
//! Movements, balances and the last sequence change in one SQL transaction. A crash before its commit leaves the
//! sequence where it was, and the ledger sends the events again.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use ledger::{AppliedEvent, Body, Subscription};

use crate::error::StoreError;
use crate::sql::{Transaction, Value, row, sql};
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
        let mut projector = Projector::new(self);
        while let Some(events) = subscription.recv(BATCH).await {
            while let Err(error) = projector.take_over(&events).await {
                match error {
                    // Trying again heals neither; until somebody does, the ledger is held up, and nobody misled.
                    StoreError::Gap { .. } | StoreError::Balance(_) => tracing::error!(%error, "statements held up"),
                    error => tracing::warn!(%error, "projection not written; it is tried again. Is the disk full?"),
                }
                tokio::time::sleep(PAUSE).await;
            }
            if let Some(last) = events.last() {
                metrics::gauge!("umbra_projection_seq").set(last.seq as f64);
                projector.store.projected_to(last.seq);
            }
        }
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

/// Writes the projection. It knows the balances it has written, so that it need not read them again: nobody else writes
/// them.
struct Projector {
    store: Store,
    /// Account to balance and pending amount, as they stand in SQL at `seq`.
    balances: HashMap<i64, (i64, i64)>,
    seq: i64,
}

/// Accounts whose balances are known at most; then they are read anew.
const BALANCES_MAX: usize = 1_000_000;

/// Rows of one statement at most: each costs a little, and SQLite looks up every placeholder among all those of its
/// statement. Statements with fewer rows have half as many, and so on: there are few texts then, and the engines keep
/// all of them prepared.
const ROWS_MAX: usize = 16;

impl Projector {
    fn new(store: Store) -> Self {
        Self { store, balances: HashMap::new(), seq: 0 }
    }

    async fn take_over(&mut self, events: &[AppliedEvent]) -> Result<(), StoreError> {
        let taken = self.write(events).await;
        if taken.is_err() || self.balances.len() > BALANCES_MAX {
            // Whether a failed commit was made is not known.
            self.balances.clear();
        }
        taken
    }

    async fn write(&mut self, events: &[AppliedEvent]) -> Result<(), StoreError> {
        let Some(last) = events.last() else { return Ok(()) };
        let mut change = begin(&self.store.projector).await?;
        // Where it stands, taken so that nobody moves it: a commit whose answer was lost has taken these over already.
        let seq: i64 = sql("UPDATE projection SET seq = seq RETURNING seq").value(&mut change).await?;
        if seq != self.seq {
            self.balances.clear();
        }
        let events: Vec<&AppliedEvent> = events.iter().filter(|event| signed(event.seq) > seq).collect();
        if (seq + 1..).zip(&events).any(|(expected, event)| signed(event.seq) != expected) {
            return Err(StoreError::Gap { seq });
        }
        let (movements, balances) = self.sum_up(&events, &mut change).await?;
        for rows in dealt_out(movements) {
            let insert = sql("INSERT INTO account_movements (account, seq, at, amount, balance, record)
                 VALUES ($1, $2, $3, $4, $5, $6)");
            insert.rows(rows).run(&mut change).await?;
        }
        let rows = balances.iter().map(|(account, (balance, pending))| [*account, *balance, *pending].map(Value::from));
        for rows in dealt_out(rows.map(Vec::from).collect()) {
            let upsert = sql("INSERT INTO account_balances (account, balance, pending) VALUES ($1, $2, $3)
                 ON CONFLICT (account) DO UPDATE SET balance = excluded.balance, pending = excluded.pending");
            upsert.rows(rows).run(&mut change).await?;
        }
        let seq = signed(last.seq).max(seq);
        sql("UPDATE projection SET seq = $1").bind(seq).run(&mut change).await?;
        change.commit().await?;
        self.balances.extend(balances);
        self.seq = seq;
        Ok(())
    }

    /// The rows of the events' movements, and the balances afterwards of the accounts they are on.
    async fn sum_up(
        &self,
        events: &[&AppliedEvent],
        change: &mut Transaction,
    ) -> Result<(Vec<Vec<Value>>, BTreeMap<i64, (i64, i64)>), StoreError> {
        let (mut movements, mut balances) = (Vec::new(), BTreeMap::new());
        for event in events {
            let record = record_of(event);
            for (account, (amount, pending)) in changes_of(event) {
                let before = match (balances.get(&account), self.balances.get(&account)) {
                    (Some(known), _) | (None, Some(known)) => *known,
                    (None, None) => read_balance(account, change).await?,
                };
                let sum = |one: i64, other: i64| one.checked_add(other).ok_or(StoreError::Balance(account));
                let after = (sum(before.0, amount)?, sum(before.1, pending)?);
                balances.insert(account, after);
                if amount != 0 {
                    let at = signed(event.at);
                    let row: [Value; 5] = [account, signed(event.seq), at, amount, after.0].map(Value::from);
                    movements.push(row.into_iter().chain([Value::from(&*record)]).collect());
                }
            }
        }
        Ok((movements, balances))
    }
}

/// Nothing has moved on an account that has no row.
async fn read_balance(account: i64, change: &mut Transaction) -> Result<(i64, i64), StoreError> {
    let known = sql("SELECT balance, pending FROM account_balances WHERE account = $1").bind(account);
    Ok(known.optional(change).await?.unwrap_or_default())
}

/// Rows dealt out over few statements.
fn dealt_out(mut rows: Vec<Vec<Value>>) -> Vec<Vec<Vec<Value>>> {
    let (mut statements, mut count) = (Vec::new(), ROWS_MAX);
    while !rows.is_empty() {
        if rows.len() < count {
            count /= 2;
        } else {
            let rest = rows.split_off(count);
            statements.push(std::mem::replace(&mut rows, rest));
        }
    }
    statements
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
        | Body::PostAll { record, .. }
        | Body::PlaceHold { record, .. }
        | Body::IncreaseHold { record, .. }
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
        let event = Event::new(EventId::new(seq, [0; 10]), Content([0; 16]), Body::Tick);
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
        let mut projector = Projector::new(store.clone());
        projector.take_over(&[one.clone(), two.clone()]).await.unwrap();
        // As after a commit that was made and whose answer was lost.
        projector.take_over(&[one, two.clone()]).await.unwrap();
        projector.take_over(&[two, three]).await.unwrap();
        let balances = store.projected_balances().await.unwrap();
        assert_eq!(balances, [(1, -30, 0), (2, 30, -3)]);
        let gap = projector.take_over(&[five]).await.unwrap_err();
        assert!(matches!(gap, StoreError::Gap { seq: 3 }), "{gap}");
        assert_eq!(store.projected_seq().await.unwrap(), 3);
    }

    /// However many rows a transaction has, and whoever wrote the one before it: every movement with its balance.
    #[tokio::test]
    async fn many_events_at_once_and_a_projector_that_knows_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&Database::Sqlite(folder.path().join("umbra.sqlite"))).await.unwrap();
        let mut next = 1;
        for count in [1, 2, 3, 63, 64, 65, 200, 512] {
            let events: Vec<AppliedEvent> = (next..next + count).map(applied).collect();
            next += count;
            Projector::new(store.clone()).take_over(&events).await.unwrap();
        }
        let last = i64::try_from(next - 1).unwrap();
        assert_eq!(store.projected_balances().await.unwrap(), [(1, -10 * last, 0), (2, 10 * last, -last)]);
        for (account, sign) in [(1, -10), (2, 10)] {
            let page = Page { offset: 0, limit: 10_000, after: None };
            let movements = store.movements(account, None, None, page).await.unwrap();
            let shown: Vec<(i64, i64)> = movements.iter().rev().map(|row| (row.seq, row.balance)).collect();
            let expected: Vec<(i64, i64)> = (1..=last).map(|seq| (seq, sign * seq)).collect();
            assert_eq!(shown, expected);
        }
    }

    #[tokio::test]
    async fn what_is_known_of_balances_is_forgotten_with_a_failed_transaction() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&Database::Sqlite(folder.path().join("umbra.sqlite"))).await.unwrap();
        let mut projector = Projector::new(store.clone());
        projector.take_over(&[applied(1)]).await.unwrap();
        assert_eq!(projector.balances.len(), 2);
        projector.take_over(&[applied(3)]).await.unwrap_err();
        assert!(projector.balances.is_empty());
        // Another projector was at work: what this one knew is old.
        projector.take_over(&[applied(2)]).await.unwrap();
        Projector::new(store.clone()).take_over(&[applied(3)]).await.unwrap();
        projector.take_over(&[applied(4)]).await.unwrap();
        assert_eq!(store.projected_balances().await.unwrap(), [(1, -40, 0), (2, 40, -4)]);
    }

    #[tokio::test]
    async fn a_sum_that_does_not_fit_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&Database::Sqlite(folder.path().join("umbra.sqlite"))).await.unwrap();
        let most = AppliedEvent { moves: vec![Posting { account: 1, amount: i64::MAX }], ..applied(1) };
        let one_more = AppliedEvent { moves: vec![Posting { account: 1, amount: 1 }], ..applied(2) };
        let refused = Projector::new(store).take_over(&[most, one_more]).await.unwrap_err();
        assert!(matches!(refused, StoreError::Balance(1)), "{refused}");
    }
}
