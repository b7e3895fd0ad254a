//! What a party has seen and done so far.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// Connections opened.
    Links,
    /// Messages of any kind that could be decoded.
    Received,
    Sent,
    Undecodable,
    /// Messages whose MAC was missing, misplaced or wrong.
    MacRefused,
    Approved,
    Declined,
    /// Requests and advices that got the first answer again.
    Duplicates,
    /// Reversals that gave something back.
    Reversed,
    WrongPins,
    /// Messages the issuer remembers no more, to make room: a copy or a reversal of one finds nothing.
    Forgotten,
    /// Messages that were not answered, on purpose.
    Lost,
    /// Messages answered too late, on purpose.
    Late,
    Disconnects,
    SignOffs,
    /// Own requests that were not answered in time.
    TimedOut,
    /// Answers to own requests that came after their time.
    LateAnswers,
    /// Answers to nothing that was asked.
    Unmatched,
}

const ALL: [(Count, &str); 18] = [
    (Count::Links, "links"),
    (Count::Received, "received"),
    (Count::Sent, "sent"),
    (Count::Undecodable, "undecodable"),
    (Count::MacRefused, "mac_refused"),
    (Count::Approved, "approved"),
    (Count::Declined, "declined"),
    (Count::Duplicates, "duplicates"),
    (Count::Reversed, "reversed"),
    (Count::WrongPins, "wrong_pins"),
    (Count::Forgotten, "forgotten"),
    (Count::Lost, "lost"),
    (Count::Late, "late"),
    (Count::Disconnects, "disconnects"),
    (Count::SignOffs, "sign_offs"),
    (Count::TimedOut, "timed_out"),
    (Count::LateAnswers, "late_answers"),
    (Count::Unmatched, "unmatched"),
];

#[derive(Debug, Default)]
pub struct Counts([AtomicU64; ALL.len()]);

impl Counts {
    pub(crate) fn add(&self, count: Count) {
        if let Some(counter) = self.0.get(count as usize) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub fn get(&self, count: Count) -> u64 {
        self.0.get(count as usize).map_or(0, |counter| counter.load(Ordering::Relaxed))
    }

    /// All of them by name.
    pub fn by_name(&self) -> BTreeMap<&'static str, u64> {
        ALL.into_iter().map(|(count, name)| (name, self.get(count))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_count_has_a_place_of_its_own() {
        let counts = Counts::default();
        for (index, (count, _)) in ALL.into_iter().enumerate() {
            assert_eq!(count as usize, index);
            counts.add(count);
        }
        assert!(counts.by_name().values().all(|value| *value == 1));
        assert_eq!(counts.by_name().len(), ALL.len());
    }
}
