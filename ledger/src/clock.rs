//! Time, passed in so that tests can move it.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::event::Millis;

/// Where the ledger and its callers read the time.
pub trait Clock: Send + Sync {
    /// Unix time in milliseconds.
    fn now(&self) -> Millis;

    /// Milliseconds since some fixed moment, never going back.
    fn monotonic(&self) -> Millis;
}

/// The system's clocks.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Millis {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
    }

    fn monotonic(&self) -> Millis {
        static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
        Millis::try_from(START.get_or_init(Instant::now).elapsed().as_millis()).unwrap_or(Millis::MAX)
    }
}
