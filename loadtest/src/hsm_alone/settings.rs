//! What was asked for.

use std::time::Duration;

use serde::Serialize;

use super::workload::Workload;

#[derive(Clone, Debug, Serialize)]
pub struct Settings {
    /// Of measured time, all rounds and workloads and their baselines together.
    pub seconds: u32,
    pub rounds: u32,
    pub connections: u32,
    /// Commands outstanding on each connection.
    pub depth: usize,
    pub seed: u64,
}

impl Settings {
    /// How long each workload is measured in a round, with its baselines.
    pub fn slice(&self) -> Duration {
        Duration::from_secs(u64::from(self.seconds)) / (self.rounds.max(1) * Workload::ALL.len() as u32)
    }
}
