//! Following the ledger: every applied event, from any sequence on, in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;

use crate::event::{Event, Millis, Posting};
use crate::limits::LAG_BYTES_MAX;
use crate::outcome::{Applied, Outcome};
use crate::state::Changes;

/// An event that has been applied and is durable.
#[derive(Clone, Debug)]
pub struct AppliedEvent {
    pub seq: u64,
    pub at: Millis,
    pub event: Arc<Event>,
    pub outcome: Outcome,
    /// The event was a copy of an earlier one and changed nothing.
    pub replayed: bool,
    /// What was posted.
    pub moves: Vec<Posting>,
    /// What was held, or with the opposite sign released.
    pub holds: Vec<Posting>,
}

impl AppliedEvent {
    pub(crate) fn new(seq: u64, at: Millis, event: Event, applied: &Applied, changes: Changes) -> Self {
        let Changes { moves, holds } = changes;
        let (outcome, replayed) = (applied.outcome.clone(), applied.replayed);
        Self { seq, at, event: Arc::new(event), outcome, replayed, moves, holds }
    }
}

/// About what one queued event costs in memory, for the bound on lag.
const EVENT_BYTES: u64 = 1024;

/// The same of an event with all it moved; only batches move much.
fn cost(applied: &AppliedEvent) -> u64 {
    const POSTING_BYTES: u64 = 64;
    EVENT_BYTES.max((applied.moves.len() + applied.holds.len()) as u64 * POSTING_BYTES)
}

/// The sending end, given to the ledger when it is opened. The queue has no bound of its own: while it is too long the
/// ledger refuses new events, and waits with those that it reads back.
pub struct Feed {
    pub(crate) name: String,
    pub(crate) after_seq: u64,
    queue: mpsc::UnboundedSender<AppliedEvent>,
    waiting: Arc<AtomicU64>,
}

/// The receiving end.
pub struct Subscription {
    queue: mpsc::UnboundedReceiver<AppliedEvent>,
    waiting: Arc<AtomicU64>,
}

/// A follower by name, and the last sequence that it has. It must take events from before the ledger is opened on:
/// one that is far behind is shown the whole journal by then.
pub fn subscribe(name: &str, after_seq: u64) -> (Feed, Subscription) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let waiting = Arc::new(AtomicU64::new(0));
    let feed = Feed { name: name.to_owned(), after_seq, queue: sender, waiting: Arc::clone(&waiting) };
    (feed, Subscription { queue: receiver, waiting })
}

impl Feed {
    /// Waits until the follower is near enough.
    pub(crate) fn wait(&self) {
        const LOOK_AGAIN: Duration = Duration::from_millis(1);
        while self.waiting.load(Ordering::Relaxed) > LAG_BYTES_MAX && !self.queue.is_closed() {
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    pub(crate) fn send(&self, applied: &AppliedEvent) {
        if applied.seq <= self.after_seq || self.queue.is_closed() {
            return;
        }
        // Counted before it can be taken: the count must not pass below zero, which would read as a huge lag.
        self.waiting.fetch_add(cost(applied), Ordering::Relaxed);
        if self.queue.send(applied.clone()).is_err() {
            self.waiting.store(0, Ordering::Relaxed);
        }
    }

    /// Bytes not yet taken; 0 when nobody listens any more.
    pub(crate) fn lag(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.waiting)
    }
}

impl Subscription {
    /// About how many bytes of events wait to be taken.
    pub fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// The next events, at least one and at most `max`; `None` when the ledger is closed and all are taken.
    pub async fn recv(&mut self, max: usize) -> Option<Vec<AppliedEvent>> {
        let mut events = Vec::new();
        if self.queue.recv_many(&mut events, max).await == 0 {
            return None;
        }
        self.waiting.fetch_sub(events.iter().map(cost).sum(), Ordering::Relaxed);
        Some(events)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        // A follower that has gone must not hold up the ledger.
        self.queue.close();
        self.waiting.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Body, Content, EventId};
    use crate::outcome::Code;

    fn applied(seq: u64) -> AppliedEvent {
        let event = Event::new(EventId::new(seq, [0; 10]), Content([0; 16]), Body::Tick);
        let outcome = Outcome {
            code: Code::Approved,
            reason: 0,
            seq,
            at: seq,
            amount: 0,
            account: None,
            balance: 0,
            available: 0,
            approval: 0,
        };
        AppliedEvent { seq, at: seq, event: Arc::new(event), outcome, replayed: false, moves: vec![], holds: vec![] }
    }

    #[tokio::test]
    async fn the_lag_is_what_was_not_taken() {
        let (feed, mut subscription) = subscribe("test", 2);
        (1..=5).for_each(|seq| feed.send(&applied(seq)));
        assert_eq!(feed.lag().load(Ordering::Relaxed), 3 * EVENT_BYTES);
        let taken: Vec<u64> = subscription.recv(2).await.unwrap().iter().map(|applied| applied.seq).collect();
        assert_eq!(taken, [3, 4]);
        assert_eq!(feed.lag().load(Ordering::Relaxed), EVENT_BYTES);
        drop(subscription);
        feed.send(&applied(6));
        assert_eq!(feed.lag().load(Ordering::Relaxed), 0, "who has gone does not lag");
    }

    #[test]
    fn the_lag_never_passes_below_zero() {
        const EVENTS: u64 = 100_000;
        let (feed, mut subscription) = subscribe("test", 0);
        let lag = feed.lag();
        let receiver = std::thread::spawn(move || {
            let mut taken = 0;
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            while taken < EVENTS {
                taken += runtime.block_on(subscription.recv(16)).unwrap().len() as u64;
            }
            subscription
        });
        for seq in 1..=EVENTS {
            feed.send(&applied(seq));
            assert!(lag.load(Ordering::Relaxed) <= EVENTS * EVENT_BYTES);
        }
        receiver.join().unwrap();
        assert_eq!(lag.load(Ordering::Relaxed), 0);
    }
}
