//! How a simulated device differs from an ideal one: it is licensed for so many commands a second, takes its time, and
//! fails.

mod capacity;
mod faults;
mod latency;

pub use capacity::Capacity;
pub use faults::{Fault, FaultRule, Faults, ParseFaultError};
pub use latency::{Latency, ParseLatencyError};

use std::time::{Duration, Instant};

/// All of it. The default is an ideal device.
#[derive(Debug, Default)]
pub struct Behaviour {
    pub capacity: Option<Capacity>,
    pub latency: Option<Latency>,
    pub faults: Faults,
}

/// What is to be done with the answer to a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Treatment {
    /// When the answer may leave; none for at once.
    pub due: Option<Instant>,
    pub fault: Option<Fault>,
}

impl Behaviour {
    /// For a command that came at `now`, with an answer that the device holds back by `delay`.
    pub fn treat(&self, command: [u8; 2], now: Instant, delay: Duration) -> Treatment {
        let start = self.capacity.as_ref().map(|capacity| capacity.admit(now));
        let fault = self.faults.draw(command);
        let mut later = delay + self.latency.as_ref().map_or(Duration::ZERO, Latency::draw);
        if let Some(Fault::Delay(by)) = fault {
            later += by;
        }
        let due = if start.is_some() || !later.is_zero() { Some(start.unwrap_or(now) + later) } else { None };
        Treatment { due, fault }
    }

    /// Whether answers ever wait or fail.
    pub fn is_ideal(&self) -> bool {
        self.capacity.is_none() && self.latency.is_none() && self.faults.is_empty()
    }
}
