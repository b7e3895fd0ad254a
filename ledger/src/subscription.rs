//! Following the ledger: every applied event, from any sequence on, in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc;

use crate::event::{Event, Millis, Posting};
use crate::outcome::Outcome;

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

/// About what one queued event costs in memory, for the bound on lag.
const EVENT_BYTES: u64 = 1024;

/// The sending end. The queue has no bound of its own: the ledger refuses events while it is too long.
pub(crate) struct Feed {
    pub name: String,
    pub after_seq: u64,
    queue: mpsc::UnboundedSender<AppliedEvent>,
    waiting: Arc<AtomicU64>,
}

/// The receiving end.
pub struct Subscription {
    queue: mpsc::UnboundedReceiver<AppliedEvent>,
    waiting: Arc<AtomicU64>,
}

pub(crate) fn pair(name: String, after_seq: u64) -> (Feed, Subscription) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let waiting = Arc::new(AtomicU64::new(0));
    let feed = Feed { name, after_seq, queue: sender, waiting: Arc::clone(&waiting) };
    (feed, Subscription { queue: receiver, waiting })
}

impl Feed {
    pub fn send(&self, applied: &AppliedEvent) {
        if applied.seq > self.after_seq && self.queue.send(applied.clone()).is_ok() {
            self.waiting.fetch_add(EVENT_BYTES, Ordering::Relaxed);
        }
    }

    /// Bytes not yet taken; 0 when nobody listens any more.
    pub fn lag(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.waiting)
    }
}

impl Subscription {
    /// The next events, at least one and at most `max`; `None` when the ledger is closed and all are taken.
    pub async fn recv(&mut self, max: usize) -> Option<Vec<AppliedEvent>> {
        let mut events = Vec::new();
        if self.queue.recv_many(&mut events, max).await == 0 {
            return None;
        }
        self.waiting.fetch_sub(EVENT_BYTES * events.len() as u64, Ordering::Relaxed);
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
