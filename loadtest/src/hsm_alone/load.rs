//! All connections at once, and whether every answer was right.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures::future::try_join_all;
use load_report::median;

use super::commands::{HEADER, LENGTH, VARIANTS};
use super::connection::{Connection, Exchange, frame_at, variant_of};
use super::settings::Settings;
use crate::measure::latency::Latencies;

/// Connections to one server.
pub struct Load {
    connections: Vec<Connection>,
}

/// How long to send, and in pieces of what length. Answers are kept until they are checked, after each piece.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    pub length: Duration,
    pub burst: Duration,
}

/// What a load gave.
pub struct Loaded {
    pub latencies: Latencies,
    /// Answers a second of each burst.
    rates: Vec<f64>,
    pub faults: Faults,
}

/// Answers that are not as they should be.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Faults {
    pub wrong: u64,
    pub missing: u64,
    /// To commands that were answered already, or never sent.
    pub strange: u64,
    /// Command's answer code and error code of the first wrong one. Never a field.
    pub first_wrong: Option<String>,
}

impl Loaded {
    /// Answers a second, the median over the bursts.
    pub fn per_s(&self) -> f64 {
        median(&self.rates)
    }
}

impl Load {
    pub async fn open(address: SocketAddr, settings: &Settings) -> anyhow::Result<Self> {
        let mut connections = Vec::new();
        for number in 0..settings.connections as usize {
            let first = number * VARIANTS / settings.connections.max(1) as usize;
            connections.push(Connection::open(address, settings.depth, first).await?);
        }
        Ok(Self { connections })
    }

    /// Sends `frames` round and round; `answers` are what must come back.
    pub async fn run(&mut self, frames: &[Vec<u8>], answers: &[Vec<u8>], timing: Timing) -> anyhow::Result<Loaded> {
        let mut loaded = Loaded { latencies: Latencies::new(), rates: Vec::new(), faults: Faults::default() };
        let bursts = timing.length.as_nanos().div_ceil(timing.burst.as_nanos().max(1));
        let bursts = u32::try_from(bursts).unwrap_or(u32::MAX).max(1);
        for _ in 0..bursts {
            let started = Instant::now();
            let end = started + timing.length / bursts;
            let exchanges = self.connections.iter_mut().map(|connection| connection.exchange(frames, end));
            loaded.take(&try_join_all(exchanges).await?, started, answers);
            // A connection that has lost one answer has no further ones to give.
            if loaded.faults.missing > 0 {
                break;
            }
        }
        Ok(loaded)
    }
}

impl Loaded {
    fn take(&mut self, exchanges: &[Exchange], started: Instant, answers: &[Vec<u8>]) {
        let last = exchanges.iter().map(|exchange| exchange.last_answer).max().unwrap_or(started);
        let count: u64 = exchanges.iter().map(|exchange| exchange.latencies.len()).sum();
        self.rates.push(count as f64 / (last - started).as_secs_f64().max(f64::EPSILON));
        for exchange in exchanges {
            self.latencies.add(&exchange.latencies);
            self.faults.missing += exchange.missing;
            self.faults.strange += exchange.strange;
            self.faults.judge(&exchange.received, answers);
        }
    }
}

impl Faults {
    /// Compares all that was received with what must come back, byte by byte.
    fn judge(&mut self, received: &[u8], answers: &[Vec<u8>]) {
        let mut at = 0;
        while let Some(frame) = frame_at(received, at) {
            at += frame.len();
            let expected = variant_of(frame).and_then(|variant| answers.get(variant));
            if expected.is_none_or(|expected| expected != frame) {
                self.wrong += 1;
                self.first_wrong.get_or_insert_with(|| codes_of(frame));
            }
        }
    }

    pub fn add(&mut self, other: Self) {
        self.wrong += other.wrong;
        self.missing += other.missing;
        self.strange += other.strange;
        self.first_wrong = self.first_wrong.take().or(other.first_wrong);
    }
}

/// Answer code and error code.
fn codes_of(frame: &[u8]) -> String {
    let codes = frame.get(LENGTH + HEADER..LENGTH + HEADER + 4).unwrap_or_default();
    String::from_utf8_lossy(codes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::echo;
    use super::*;

    fn frames(fill: &str) -> Vec<Vec<u8>> {
        let body = |number: usize| format!("{number:04X}B3{fill}");
        let frame = |body: String| [&(body.len() as u16).to_be_bytes()[..], body.as_bytes()].concat();
        (0..VARIANTS).map(|number| frame(body(number))).collect()
    }

    #[test]
    fn every_answer_is_counted_and_compared() {
        let settings = Settings { seconds: 1, rounds: 1, connections: 3, depth: 16, seed: 1 };
        let echo = echo::start().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let timing = Timing { length: Duration::from_millis(20), burst: Duration::from_millis(10) };
        runtime.block_on(async {
            let mut load = Load::open(echo.address, &settings).await.unwrap();
            let sent = frames("00");
            let right = load.run(&sent, &sent, timing).await.unwrap();
            assert!(right.per_s() > 0.0 && right.latencies.len() >= 3 * 16);
            assert_eq!(right.faults, Faults::default());
            let wrong = load.run(&sent, &frames("01"), timing).await.unwrap();
            assert_eq!(wrong.faults.wrong, wrong.latencies.len());
            assert_eq!(wrong.faults.first_wrong.as_deref(), Some("B300"));
        });
    }
}
