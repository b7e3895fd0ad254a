//! How much a device was used: commands and error codes counted, and the load of the last minute.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::commands::TABLE;
use crate::device::Outcome;

/// Seconds of load kept.
const SECONDS: usize = 60;

/// Counters of one device.
#[derive(Debug)]
pub struct Usage {
    /// One for each row of the table, then one for what is not offered: run, and answered with an error.
    commands: Vec<(AtomicU64, AtomicU64)>,
    minute: Mutex<Minute>,
}

#[derive(Debug)]
struct Minute {
    /// Commands run in each second, in a ring.
    seconds: [u64; SECONDS],
    at: usize,
    filled: usize,
    before: u64,
}

/// What the counters say. Shares are of the licensed commands a second, and only there with a licence.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    pub commands: u64,
    pub errors: u64,
    pub last_second: u64,
    pub per_second_of_last_minute: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub licensed_per_second: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utilisation_percent: Option<f64>,
    /// Commands that were run at all, in the order of their codes.
    pub by_command: Vec<CommandFigures>,
}

/// One command's.
#[derive(Clone, Debug, Serialize)]
pub struct CommandFigures {
    pub command: &'static str,
    pub run: u64,
    pub errors: u64,
}

/// Name of the counter for what is not offered.
const OTHER: &str = "other";

impl Default for Usage {
    fn default() -> Self {
        Self {
            commands: (0..=TABLE.len()).map(|_| Default::default()).collect(),
            minute: Mutex::new(Minute { seconds: [0; SECONDS], at: 0, filled: 0, before: 0 }),
        }
    }
}

impl Usage {
    /// One command was run.
    pub(crate) fn note(&self, outcome: Outcome) {
        let place = outcome.command.and_then(|row| TABLE.iter().position(|other| other == row)).unwrap_or(TABLE.len());
        if let Some((run, errors)) = self.commands.get(place) {
            run.fetch_add(1, Ordering::Relaxed);
            if outcome.code != "00" {
                errors.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// A second has gone by: closes its figure, and tells the metrics.
    pub(crate) fn tick(&self, licensed: Option<u32>) {
        let figures = {
            let mut minute = self.minute.lock().unwrap_or_else(PoisonError::into_inner);
            let total = self.total();
            let count = total - minute.before;
            minute.before = total;
            let at = minute.at;
            minute.seconds[at] = count;
            minute.at = (at + 1) % SECONDS;
            minute.filled = (minute.filled + 1).min(SECONDS);
            drop(minute);
            self.figures(licensed)
        };
        for command in &figures.by_command {
            metrics::counter!("umbra_hsm_simulator_commands_total", "command" => command.command).absolute(command.run);
            metrics::counter!("umbra_hsm_simulator_errors_total", "command" => command.command)
                .absolute(command.errors);
        }
        if let Some(percent) = figures.utilisation_percent {
            metrics::gauge!("umbra_hsm_simulator_utilisation_percent").set(percent);
        }
    }

    fn total(&self) -> u64 {
        self.commands.iter().map(|(run, _)| run.load(Ordering::Relaxed)).sum()
    }

    /// `licensed`: commands a second.
    pub fn figures(&self, licensed: Option<u32>) -> Figures {
        let minute = self.minute.lock().unwrap_or_else(PoisonError::into_inner);
        let last = minute.seconds[(minute.at + SECONDS - 1) % SECONDS];
        let sum: u64 = minute.seconds.iter().sum();
        let names = TABLE.iter().map(|row| row.name()).chain([OTHER]);
        let by_command = names
            .zip(&self.commands)
            .map(|(command, (run, errors))| CommandFigures {
                command,
                run: run.load(Ordering::Relaxed),
                errors: errors.load(Ordering::Relaxed),
            })
            .filter(|figures| figures.run > 0)
            .collect::<Vec<_>>();
        Figures {
            commands: by_command.iter().map(|figures| figures.run).sum(),
            errors: by_command.iter().map(|figures| figures.errors).sum(),
            last_second: last,
            per_second_of_last_minute: sum as f64 / minute.filled.max(1) as f64,
            licensed_per_second: licensed,
            utilisation_percent: licensed.map(|licensed| 100.0 * last as f64 / f64::from(licensed)),
            by_command,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::find;

    #[test]
    fn figures_follow_the_commands() {
        let usage = Usage::default();
        let run = |command: &[u8; 2], code| usage.note(Outcome { code, command: find(*command) });
        for _ in 0..3 {
            run(b"M6", "00");
        }
        run(b"M6", "10");
        run(b"ZZ", "68");
        usage.tick(Some(20));
        let figures = usage.figures(Some(20));
        assert_eq!((figures.commands, figures.errors, figures.last_second), (5, 2, 5));
        assert_eq!(figures.utilisation_percent, Some(25.0));
        assert_eq!(
            figures.by_command.iter().map(|one| (one.command, one.run, one.errors)).collect::<Vec<_>>(),
            [("M6", 4, 1), ("other", 1, 1)]
        );
        usage.tick(None);
        assert_eq!(usage.figures(None).last_second, 0);
        assert_eq!(usage.figures(None).per_second_of_last_minute, 2.5);
    }
}
