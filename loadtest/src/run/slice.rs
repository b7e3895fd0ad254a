//! What one slice of load gave.

use std::time::Duration;

use super::lane::{Finish, Record};
use crate::measure::latency::Latencies;

/// One message's end, for the timeline.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    /// When its answer was there, since the start of the slice.
    pub at: Duration,
    pub latency: Duration,
}

/// A slice of load, judged.
#[derive(Default)]
pub struct Slice {
    /// How long the load was whole: rates are over this.
    pub length: Duration,
    pub latencies: Latencies,
    /// How much later than meant messages went out, in the open model.
    pub lateness: Latencies,
    /// In the order of time.
    pub points: Vec<Point>,
    pub answers: u64,
    pub approved: u64,
}

impl Slice {
    /// Takes a message's times; `approved` counts only what was answered while the load was whole. What was never
    /// answered counts as answered when it was waited for no longer.
    pub fn take(&mut self, record: &Record, finish: &Finish, approved: bool) {
        let Some(sent) = record.sent else { return };
        self.lateness.record(sent.saturating_sub(record.due));
        let (Some((at, _)), Some(latency)) = (&record.answer, record.latency()) else {
            self.latencies.record(finish.deadline.saturating_duration_since(finish.start + record.due));
            return;
        };
        self.latencies.record(latency);
        self.points.push(Point { at: *at, latency });
        if *at <= self.length {
            self.answers += 1;
            self.approved += u64::from(approved);
        }
    }

    pub fn finish(mut self) -> Self {
        self.points.sort_unstable_by_key(|point| point.at);
        self
    }

    pub fn approved_per_s(&self) -> f64 {
        per_second(self.approved, self.length)
    }

    pub fn answers_per_s(&self) -> f64 {
        per_second(self.answers, self.length)
    }
}

pub fn per_second(count: u64, length: Duration) -> f64 {
    if length.is_zero() { 0.0 } else { count as f64 / length.as_secs_f64() }
}
