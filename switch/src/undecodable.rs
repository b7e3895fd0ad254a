//! Messages of one connection that could not be understood: how many stand next to each other.
//!
//! Messages are worked on beside each other, so what is in a row is a matter of their arrival, not of when each was
//! found out.

use std::collections::BTreeSet;

use crate::limits::{CONNECTION_IN_FLIGHT_MAX, UNDECODABLE_IN_A_ROW_MAX};

/// Arrival numbers of messages that could not be understood.
#[derive(Default)]
pub struct Undecodable(BTreeSet<u64>);

impl Undecodable {
    /// Notes one, and says whether there are now too many in a row.
    pub fn note(&mut self, arrival: u64) -> bool {
        self.0.insert(arrival);
        // Numbers further back than what can be in work at once have all been told.
        let oldest = arrival.saturating_sub(CONNECTION_IN_FLIGHT_MAX as u64 + UNDECODABLE_IN_A_ROW_MAX);
        self.0 = self.0.split_off(&oldest);
        let before = (1..).take_while(|step| arrival.checked_sub(*step).is_some_and(|at| self.0.contains(&at))).count();
        let after = (1..).take_while(|step| arrival.checked_add(*step).is_some_and(|at| self.0.contains(&at))).count();
        (before + 1 + after) as u64 >= UNDECODABLE_IN_A_ROW_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_counts_is_the_order_of_arrival() {
        let mut seen = Undecodable::default();
        // 1 and 3 are told before the good message 2 between them.
        assert_eq!([0, 1, 3, 4].map(|arrival| seen.note(arrival)), [false; 4]);
        assert!(seen.note(5));
        let mut late = Undecodable::default();
        assert_eq!([9, 7].map(|arrival| late.note(arrival)), [false; 2]);
        assert!(late.note(8), "the one in the middle is told last");
        assert!(!Undecodable::default().note(u64::MAX));
    }
}
