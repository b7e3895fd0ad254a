//! How long a network takes to answer.

use std::time::Duration;

use super::chance::Chance;

/// The standard normal distribution's 99th percentile.
const Z99: f64 = 2.326_347_874;

/// No answer takes longer than this many medians: the tail is a slow network's, not a lost answer's.
const LONGEST_IN_MEDIANS: f64 = 100.0;

/// A log-normal distribution: what round trips through other people's systems look like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    pub median: Duration,
    /// Below the median it counts as the median: every answer then takes equally long.
    pub p99: Duration,
}

impl Latency {
    /// Every answer takes as long.
    pub fn fixed(delay: Duration) -> Self {
        Self { median: delay, p99: delay }
    }

    /// How long the message of this number takes.
    pub(crate) fn of(self, number: u64, chance: Chance) -> Duration {
        if self.median.is_zero() || self.p99 <= self.median {
            return self.median;
        }
        let deviation = (self.p99.as_secs_f64() / self.median.as_secs_f64()).ln() / Z99;
        let factor = (deviation * chance.normal(number)).exp();
        self.median.mul_f64(factor.min(LONGEST_IN_MEDIANS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_and_tail_are_met() {
        let latency = Latency { median: Duration::from_millis(20), p99: Duration::from_millis(200) };
        let mut delays: Vec<_> = (0..10_000).map(|n| latency.of(n, Chance::new(1))).collect();
        delays.sort();
        let (median, p99) = (delays[5_000].as_millis(), delays[9_900].as_millis());
        assert!((18..=22).contains(&median), "{median}");
        assert!((170..=230).contains(&p99), "{p99}");
    }

    #[test]
    fn without_a_tail_every_answer_takes_as_long() {
        let fixed = Latency::fixed(Duration::from_millis(5));
        assert!((0..100).all(|n| fixed.of(n, Chance::new(1)) == Duration::from_millis(5)));
        assert!((0..100).all(|n| Latency::default().of(n, Chance::new(1)).is_zero()));
    }
}
