//! What a real network does besides answering: takes its time, loses, declines, goes away.

use std::time::Duration;

use super::NetworkError;
use super::chance::{Chance, Draw};
use super::latency::Latency;

/// All of it follows from the seed and the number of a message in the order of arrival.
#[derive(Clone, Debug, PartialEq)]
pub struct Behaviour {
    pub seed: u64,
    pub latency: Latency,
    /// The fraction of messages that do not even arrive.
    pub lose_requests: f64,
    /// The fraction of messages that are decided and not answered.
    pub lose_answers: f64,
    /// The fraction of messages that are decided and answered after [`Behaviour::late_after`].
    pub late: f64,
    pub late_after: Duration,
    /// The fraction of messages at which the connection is closed instead of an answer.
    pub disconnect: f64,
    /// The fraction of messages at which the network signs off, for [`Behaviour::away`].
    pub sign_off: f64,
    pub away: Duration,
    /// DE 39 and the fraction of authorizations that get it. Advices and reversals are never refused.
    pub declines: Vec<(String, f64)>,
}

impl Default for Behaviour {
    /// A network as one wishes it to be.
    fn default() -> Self {
        Self {
            seed: 1,
            latency: Latency::default(),
            lose_requests: 0.0,
            lose_answers: 0.0,
            late: 0.0,
            late_after: Duration::from_secs(15),
            disconnect: 0.0,
            sign_off: 0.0,
            away: Duration::from_secs(5),
            declines: Vec::new(),
        }
    }
}

/// How a message's answer is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    Answered,
    RequestLost,
    AnswerLost,
    Late,
    Disconnect,
    SignOff,
}

/// What becomes of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fate {
    pub delivery: Delivery,
    /// From its arrival to its answer.
    pub delay: Duration,
    /// DE 39, should the message be one that may be declined.
    pub decline: Option<[u8; 2]>,
}

impl Behaviour {
    /// Refuses fractions that are none, and codes that approve.
    pub fn check(&self) -> Result<(), NetworkError> {
        within_one("the sum of lost, late, disconnects and sign-offs", self.deliveries().map(|(_, part)| part))?;
        within_one("the fraction of declines", self.declines.iter().map(|(_, part)| *part))?;
        let unfit = self.declines.iter().find(|(code, _)| decline_code(code).is_none());
        unfit.map_or(Ok(()), |(code, _)| Err(NetworkError::Code(code.clone())))
    }

    pub(crate) fn fate(&self, number: u64) -> Fate {
        let chance = Chance::new(self.seed);
        let delivery = pick(self.deliveries(), chance.unit(number, Draw::Delivery)).unwrap_or(Delivery::Answered);
        let declines = self.declines.iter().map(|(code, part)| (code, *part));
        let decline = pick(declines, chance.unit(number, Draw::Decline)).and_then(|code| decline_code(code));
        let delay = match delivery {
            Delivery::Late => self.late_after,
            _ => self.latency.of(number, chance),
        };
        Fate { delivery, delay, decline }
    }

    fn deliveries(&self) -> impl Iterator<Item = (Delivery, f64)> {
        [
            (Delivery::RequestLost, self.lose_requests),
            (Delivery::AnswerLost, self.lose_answers),
            (Delivery::Late, self.late),
            (Delivery::Disconnect, self.disconnect),
            (Delivery::SignOff, self.sign_off),
        ]
        .into_iter()
    }
}

/// The item in whose part of the line from 0 to 1 the point lies.
fn pick<T>(parts: impl Iterator<Item = (T, f64)>, point: f64) -> Option<T> {
    let mut end = 0.0;
    for (item, part) in parts {
        end += part;
        if point < end {
            return Some(item);
        }
    }
    None
}

fn within_one(what: &'static str, parts: impl Iterator<Item = f64>) -> Result<(), NetworkError> {
    let mut sum = 0.0;
    for part in parts {
        if !(0.0..=1.0).contains(&part) {
            return Err(NetworkError::Fraction { what, value: part });
        }
        sum += part;
    }
    // Tenths do not add up exactly.
    if sum > 1.0 + 1e-9 { Err(NetworkError::Fraction { what, value: sum }) } else { Ok(()) }
}

/// Two letters or digits that promise no money.
pub(crate) fn decline_code(text: &str) -> Option<[u8; 2]> {
    let code: [u8; 2] = text.as_bytes().try_into().ok()?;
    (code.iter().all(u8::is_ascii_alphanumeric) && !crate::exchange::PROMISING.contains(&text)).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn troubled() -> Behaviour {
        Behaviour {
            seed: 42,
            lose_requests: 0.05,
            lose_answers: 0.1,
            late: 0.1,
            disconnect: 0.01,
            sign_off: 0.01,
            declines: vec![("51".to_owned(), 0.2), ("05".to_owned(), 0.1)],
            ..Behaviour::default()
        }
    }

    #[test]
    fn fates_are_repeatable_and_in_proportion() {
        let behaviour = troubled();
        behaviour.check().unwrap();
        let fates = |behaviour: &Behaviour| (0..10_000).map(|number| behaviour.fate(number)).collect::<Vec<_>>();
        let seen = fates(&behaviour);
        assert_eq!(seen, fates(&troubled()));
        assert_ne!(seen, fates(&Behaviour { seed: 43, ..troubled() }));
        let share = |of: &dyn Fn(&Fate) -> bool| seen.iter().filter(|fate| of(fate)).count();
        assert!((900..1_100).contains(&share(&|fate| fate.delivery == Delivery::AnswerLost)));
        assert!((900..1_100).contains(&share(&|fate| fate.delivery == Delivery::Late)));
        assert!((60..140).contains(&share(&|fate| fate.delivery == Delivery::SignOff)));
        assert!((1_900..2_100).contains(&share(&|fate| fate.decline == Some(*b"51"))));
        assert!((900..1_100).contains(&share(&|fate| fate.decline == Some(*b"05"))));
        assert!(seen.iter().all(|fate| (fate.delivery == Delivery::Late) == (fate.delay == behaviour.late_after)));
    }

    #[test]
    fn one_more_trouble_does_not_change_the_others() {
        let declines = |behaviour: &Behaviour| (0..500).map(|n| behaviour.fate(n).decline).collect::<Vec<_>>();
        assert_eq!(declines(&troubled()), declines(&Behaviour { late: 0.0, ..troubled() }));
    }

    #[test]
    fn impossible_behaviour_is_refused() {
        for behaviour in [
            Behaviour { lose_answers: 1.1, ..Behaviour::default() },
            Behaviour { lose_answers: 0.6, late: 0.6, ..Behaviour::default() },
            Behaviour { late: -0.1, ..Behaviour::default() },
            Behaviour { late: f64::NAN, ..Behaviour::default() },
            Behaviour { declines: vec![("51".to_owned(), 1.5)], ..Behaviour::default() },
            Behaviour { declines: vec![("00".to_owned(), 0.5)], ..Behaviour::default() },
            Behaviour { declines: vec![("5".to_owned(), 0.5)], ..Behaviour::default() },
        ] {
            assert!(behaviour.check().is_err(), "{behaviour:?}");
        }
        let all = Behaviour { declines: (0..10).map(|n| (format!("5{n}"), 0.1)).collect(), ..Behaviour::default() };
        all.check().unwrap();
    }
}
