//! Distribution of times.

use std::time::Duration;

use hdrhistogram::Histogram;
use load_report::LatencyPoint;

/// From a tenth of a microsecond to ten minutes, to three digits. Longer times count as ten minutes.
pub struct Latencies(Histogram<u64>);

const HIGHEST_NS: u64 = 600_000_000_000;

impl Default for Latencies {
    fn default() -> Self {
        Self::new()
    }
}

impl Latencies {
    pub fn new() -> Self {
        Self(Histogram::new_with_bounds(100, HIGHEST_NS, 3).expect("these constants are bounds the library takes"))
    }

    pub fn record(&mut self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(HIGHEST_NS);
        self.0.saturating_record(nanos.min(HIGHEST_NS));
    }

    pub fn add(&mut self, other: &Self) {
        // Both have the same bounds, so nothing can fall outside.
        let _ = self.0.add(&other.0);
    }

    pub fn len(&self) -> u64 {
        self.0.len()
    }

    pub fn mean_us(&self) -> f64 {
        self.0.mean() / 1000.0
    }

    /// Microseconds at a percentile, 0 to 100; 0 where nothing was recorded.
    pub fn us(&self, percentile: f64) -> f64 {
        if self.0.is_empty() { 0.0 } else { self.0.value_at_percentile(percentile) as f64 / 1000.0 }
    }

    /// The curve, closer and closer to 100.
    pub fn points(&self) -> Vec<LatencyPoint> {
        if self.0.is_empty() {
            return Vec::new();
        }
        const AT: [f64; 18] = [
            0.0, 10.0, 25.0, 50.0, 75.0, 90.0, 95.0, 97.5, 99.0, 99.5, 99.75, 99.9, 99.95, 99.975, 99.99, 99.995,
            99.999, 100.0,
        ];
        AT.iter().map(|at| LatencyPoint { percentile: *at, us: self.us(*at) }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_what_was_recorded() {
        let mut all = Latencies::new();
        assert_eq!((all.us(50.0), all.points().len()), (0.0, 0));
        let mut half = Latencies::new();
        for micros in 1..=500 {
            all.record(Duration::from_micros(micros));
            half.record(Duration::from_micros(500 + micros));
        }
        all.add(&half);
        assert_eq!(all.len(), 1000);
        for (percentile, micros) in [(50.0, 500.0), (99.0, 990.0), (100.0, 1000.0)] {
            let got = all.us(percentile);
            assert!((got / micros - 1.0_f64).abs() < 0.002, "{percentile}: {got}");
        }
        all.record(Duration::from_secs(10_000));
        assert!(all.us(100.0) > 599_000_000.0, "the longest counts as ten minutes");
    }
}
