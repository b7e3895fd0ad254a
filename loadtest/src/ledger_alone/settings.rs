//! What was asked for.

use std::time::Duration;

use serde::Serialize;

#[derive(Clone, Debug, Serialize)]
pub struct Settings {
    /// Of measured time, all rounds together; opening and checking come on top.
    pub seconds: u32,
    pub rounds: u32,
    pub accounts: u32,
    /// Events on their way at once, where there are many.
    pub in_flight: usize,
    /// Events submitted together, where there are many.
    pub batch: usize,
    /// Entries are posted until the ledger remembers as many events as it may, before anything else is measured.
    pub fill: bool,
    pub seed: u64,
}

/// Sync baseline, single client, entries, holds and captures.
const SLICES_OF_A_ROUND: u32 = 4;

impl Settings {
    /// How long each part of a round is measured.
    pub fn slice(&self) -> Duration {
        Duration::from_secs(u64::from(self.seconds)) / (self.rounds.max(1) * SLICES_OF_A_ROUND)
    }
}
