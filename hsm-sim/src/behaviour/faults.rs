//! Failures on purpose: what a host must bear.

use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

/// What happens to an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It never comes.
    Drop,
    /// It comes later.
    Delay(Duration),
    /// An error code comes instead.
    Error([u8; 2]),
    /// The connection is closed instead.
    Disconnect,
    /// One bit behind the error code is changed; an answer without fields says that verification failed, or held.
    Tamper,
}

/// A fault, how often, and to which command alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FaultRule {
    pub command: Option<[u8; 2]>,
    pub probability: f64,
    pub fault: Fault,
}

/// Why a rule could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no fault; write drop=P, delay=P:TIME, error=P:CODE, disconnect=P or tamper=P with P from 0 to 1, and a \
     command with a colon in front for that command alone, as in CA:error=0.1:41"
)]
pub struct ParseFaultError(String);

impl FromStr for FaultRule {
    type Err = ParseFaultError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::read(text).ok_or_else(|| ParseFaultError(text.to_owned()))
    }
}

impl FaultRule {
    fn read(text: &str) -> Option<Self> {
        let (name, rest) = text.split_once('=')?;
        let (command, name) = match name.split_once(':') {
            Some((command, name)) => (Some(two(command)?), name),
            None => (None, name),
        };
        let (probability, detail) = rest.split_once(':').map_or((rest, None), |(left, right)| (left, Some(right)));
        let probability: f64 = probability.parse().ok().filter(|probability| (0.0..=1.0).contains(probability))?;
        let fault = match (name, detail) {
            ("drop", None) => Fault::Drop,
            ("disconnect", None) => Fault::Disconnect,
            ("tamper", None) => Fault::Tamper,
            ("delay", Some(time)) => Fault::Delay(super::latency::duration(time)?),
            ("error", Some(code)) => Fault::Error(two(code)?),
            _ => return None,
        };
        Some(Self { command, probability, fault })
    }
}

fn two(text: &str) -> Option<[u8; 2]> {
    let two: [u8; 2] = text.as_bytes().try_into().ok()?;
    two.iter().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase()).then_some(two)
}

/// All rules, drawn in order; the first that hits counts.
#[derive(Debug)]
pub struct Faults {
    rules: Vec<FaultRule>,
    random: Mutex<SmallRng>,
}

impl Default for Faults {
    fn default() -> Self {
        Self::new(Vec::new(), 0)
    }
}

impl Faults {
    /// The same seed gives the same faults to the same commands in the same order.
    pub fn new(rules: Vec<FaultRule>, seed: u64) -> Self {
        Self { rules, random: Mutex::new(SmallRng::seed_from_u64(seed)) }
    }

    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    pub fn draw(&self, command: [u8; 2]) -> Option<Fault> {
        if self.rules.is_empty() {
            return None;
        }
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        let mut hits = self.rules.iter().filter(|rule| rule.command.is_none_or(|only| only == command));
        hits.find(|rule| random.random_bool(rule.probability)).map(|rule| rule.fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read() {
        let read = |text: &str| text.parse::<FaultRule>().unwrap();
        assert_eq!(read("drop=0.01"), FaultRule { command: None, probability: 0.01, fault: Fault::Drop });
        assert_eq!(
            read("CA:error=1:41"),
            FaultRule { command: Some(*b"CA"), probability: 1.0, fault: Fault::Error(*b"41") }
        );
        assert_eq!(read("delay=0.5:250ms").fault, Fault::Delay(Duration::from_millis(250)));
        assert_eq!(read("M6:tamper=0").fault, Fault::Tamper);
        for wrong in [
            "",
            "drop",
            "drop=2",
            "drop=-1",
            "drop=0.1:3",
            "delay=0.1",
            "error=0.1",
            "error=0.1:4",
            "ca:drop=1",
            "break=1",
            "drop=NaN",
        ] {
            assert!(wrong.parse::<FaultRule>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn faults_come_as_often_as_asked_and_again_with_the_same_seed() {
        let rules = || vec!["CA:drop=0.25".parse().unwrap()];
        let draws = |seed| {
            let faults = Faults::new(rules(), seed);
            (0..2000).map(|_| faults.draw(*b"CA").is_some()).collect::<Vec<_>>()
        };
        let hits = draws(7).iter().filter(|hit| **hit).count();
        assert!((400..600).contains(&hits), "{hits}");
        assert_eq!(draws(7), draws(7));
        assert_ne!(draws(7), draws(8));
        assert_eq!(Faults::new(rules(), 1).draw(*b"M6"), None);
    }
}
