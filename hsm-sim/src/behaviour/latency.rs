//! How long a device takes beyond its queue: a mean and a spread.

use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

/// Normally distributed, never below zero. Written `2ms`, or `2ms~500us` with a standard deviation.
#[derive(Debug)]
pub struct Latency {
    mean: Duration,
    deviation: Duration,
    random: Mutex<SmallRng>,
}

/// Why a latency could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no latency; write for example 2ms, or 2ms~500us for a mean and a standard deviation")]
pub struct ParseLatencyError(String);

impl Latency {
    pub fn new(mean: Duration, deviation: Duration) -> Self {
        Self { mean, deviation, random: Mutex::new(SmallRng::from_os_rng()) }
    }

    /// One command's.
    pub fn draw(&self) -> Duration {
        if self.deviation.is_zero() {
            return self.mean;
        }
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        // Twelve even draws less six are close enough to a normal one.
        let normal: f64 = (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0;
        Duration::from_secs_f64((self.mean.as_secs_f64() + normal * self.deviation.as_secs_f64()).max(0.0))
    }
}

impl FromStr for Latency {
    type Err = ParseLatencyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseLatencyError(text.to_owned());
        let (mean, deviation) = text.split_once('~').unwrap_or((text, "0us"));
        Ok(Self::new(duration(mean).ok_or_else(wrong)?, duration(deviation).ok_or_else(wrong)?))
    }
}

/// A whole number of `us`, `ms` or `s`, at most a minute.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let at = text.find(|character: char| !character.is_ascii_digit())?;
    let (number, unit) = text.split_at(at);
    let number: u64 = number.parse().ok()?;
    let duration = match unit {
        "us" => Duration::from_micros(number),
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        _ => return None,
    };
    (duration <= Duration::from_secs(60)).then_some(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        for (text, micros) in [("2ms", 2_000), ("15us", 15), ("1s", 1_000_000)] {
            assert_eq!(duration(text), Some(Duration::from_micros(micros)));
        }
        for wrong in ["", "2", "ms", "2 ms", "-2ms", "2m", "61s", "2ms~", "2ms~x", "99999999999999999999ms"] {
            assert!(wrong.parse::<Latency>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn draws_lie_around_the_mean() {
        let steady: Latency = "3ms".parse().unwrap();
        assert_eq!(steady.draw(), Duration::from_millis(3));
        let spread: Latency = "10ms~2ms".parse().unwrap();
        let draws: Vec<f64> = (0..2000).map(|_| spread.draw().as_secs_f64() * 1e3).collect();
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        let deviation = (draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f64>() / draws.len() as f64).sqrt();
        assert!((9.5..10.5).contains(&mean) && (1.6..2.4).contains(&deviation), "{mean} {deviation}");
    }
}
