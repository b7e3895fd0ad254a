//! The licence: so many commands a second, one after the other, and a queue in front.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A unit that works on one command at a time, each taking an equal part of a second.
#[derive(Debug)]
pub struct Capacity {
    per_second: u32,
    /// When the unit is done with all that it has admitted.
    free: Mutex<Option<Instant>>,
}

impl Capacity {
    pub fn new(per_second: std::num::NonZeroU32) -> Self {
        Self { per_second: per_second.get(), free: Mutex::new(None) }
    }

    pub fn per_second(&self) -> u32 {
        self.per_second
    }

    /// When a command that comes at `now` is done.
    pub fn admit(&self, now: Instant) -> Instant {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let done = free.map_or(now, |free| free.max(now)) + Duration::from_secs(1) / self.per_second;
        *free = Some(done);
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroU32;

    #[test]
    fn commands_queue_for_a_unit() {
        let capacity = Capacity::new(NonZeroU32::new(20).unwrap());
        let now = Instant::now();
        let waits: Vec<u128> = (0..3).map(|_| (capacity.admit(now) - now).as_millis()).collect();
        assert_eq!(waits, [50, 100, 150]);
        // After a pause there is no queue.
        let later = now + Duration::from_secs(1);
        assert_eq!((capacity.admit(later) - later).as_millis(), 50);
    }
}
