//! How long each step of a message takes: metric `umbra_step_seconds`, label `step`.

use std::sync::LazyLock;
use std::time::Instant;

use metrics::Histogram;

/// In the order in which a message meets them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// From the frame's arrival until work on it begins.
    Queue,
    Decode,
    /// In the HSM.
    VerifyMac,
    /// Its turn among its own copies, and whether it is known.
    Duplicate,
    /// Card and PIN.
    Decide,
    /// In the HSM; part of [`Step::Decide`].
    VerifyPin,
    /// Until its event is durable and applied.
    Post,
    /// The answer, its MAC included.
    Answer,
    /// In the HSM; part of [`Step::Answer`].
    MakeMac,
}

const STEPS: [(Step, &str); 9] = [
    (Step::Queue, "queue"),
    (Step::Decode, "decode"),
    (Step::VerifyMac, "verify_mac"),
    (Step::Duplicate, "duplicate"),
    (Step::Decide, "decide"),
    (Step::VerifyPin, "verify_pin"),
    (Step::Post, "post"),
    (Step::Answer, "answer"),
    (Step::MakeMac, "make_mac"),
];

/// Found once: looking a metric up by its labels costs more than a short step takes.
static HISTOGRAMS: LazyLock<[Histogram; STEPS.len()]> =
    LazyLock::new(|| STEPS.map(|(_, name)| metrics::histogram!("umbra_step_seconds", "step" => name)));

impl Step {
    /// The time until the timer is dropped, however the step ends.
    pub fn start(self) -> Timer {
        self.since(Instant::now())
    }

    /// As [`Step::start`], begun earlier.
    pub fn since(self, began: Instant) -> Timer {
        Timer { step: self, began }
    }
}

/// Records when it is dropped.
pub struct Timer {
    step: Step,
    began: Instant,
}

impl Drop for Timer {
    fn drop(&mut self) {
        if let Some(histogram) = HISTOGRAMS.get(self.step as usize) {
            histogram.record(self.began.elapsed().as_secs_f64());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_stands_at_its_place() {
        for (place, (step, name)) in STEPS.into_iter().enumerate() {
            assert_eq!(step as usize, place, "{name}");
        }
    }
}
