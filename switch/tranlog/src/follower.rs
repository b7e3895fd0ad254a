//! Keeping the log up with the ledger.

use std::path::PathBuf;
use std::time::Duration;

use ledger::{AppliedEvent, Subscription};

use crate::error::Error;
use crate::log::Tranlog;
use crate::row::RowOf;

/// Events taken over in one batch at most.
const BATCH: usize = 512;

/// Pause after a failure; the same events are tried again.
const PAUSE: Duration = Duration::from_millis(500);

/// Writes what the ledger applies.
pub struct Follower {
    folder: PathBuf,
    /// `None` after a failure: the store takes nothing more until it is opened anew.
    log: Option<Tranlog>,
    row_of: RowOf,
}

impl Follower {
    pub fn new(log: Tranlog, folder: PathBuf, row_of: RowOf) -> Self {
        Self { folder, log: Some(log), row_of }
    }

    /// Follows the ledger until it is closed, on a thread that may block. What cannot be written is tried again for
    /// ever: meanwhile the subscription's lag grows, and at its bound the ledger refuses events.
    pub fn run(mut self, mut subscription: Subscription) -> std::io::Result<()> {
        let waiting = tokio::runtime::Builder::new_current_thread().build()?;
        while let Some(events) = waiting.block_on(subscription.recv(BATCH)) {
            let seq = self.write(&events);
            metrics::gauge!("umbra_tranlog_seq").set(seq as f64);
        }
        if let Some(Err(error)) = self.log.map(|log| log.sync()) {
            tracing::warn!(%error, "the end of the transaction log is not on disk; the next start completes it");
        }
        Ok(())
    }

    /// As a failure leaves it.
    #[cfg(test)]
    pub(crate) fn close(&mut self) {
        self.log = None;
    }

    fn write(&mut self, events: &[AppliedEvent]) -> u64 {
        loop {
            match self.try_to_write(events) {
                Ok(seq) => return seq,
                Err(error) => {
                    metrics::counter!("umbra_tranlog_failures_total").increment(1);
                    tracing::error!(%error, "transaction log not written; it is tried again");
                    self.log = None;
                    std::thread::sleep(PAUSE);
                }
            }
        }
    }

    fn try_to_write(&mut self, events: &[AppliedEvent]) -> Result<u64, Error> {
        let log = match &mut self.log {
            Some(log) => log,
            closed => closed.insert(Tranlog::open(&self.folder)?),
        };
        log.take_over(events, self.row_of)
    }
}
