//! One round: the disk alone, one client, many entries, many holds and captures.

use std::time::Duration;

use serde::Serialize;

use super::driver::Driver;
use super::single;
use super::step::{Movement, SINGLE_FRAME_BYTES, Step};
use crate::measure::cpu::{CpuUse, Outsiders, Watched};
use crate::measure::recycled_file::RecycledFile;

/// What was written before may still be on its way to the disk: the next segment, made ahead.
const SETTLE: Duration = Duration::from_millis(200);

#[derive(Clone, Debug, Default, Serialize)]
pub struct Round {
    pub entries_per_s: f64,
    /// Pairs of a hold and its capture.
    pub two_phase_per_s: f64,
    pub sync_p50_us: f64,
    pub sync_p99_us: f64,
    pub single_p50_us: f64,
    pub single_p99_us: f64,
    /// Bytes of one sync of the baseline and of one frame of the single client.
    pub sync_bytes: usize,
    /// Cores that the ledger's thread had while entries were posted.
    pub sequencer_cores: f64,
    /// Cores that the driver had meanwhile.
    pub driver_cores: f64,
    /// Cores that other programs had during the round.
    pub others_cores: f64,
}

impl Round {
    /// For a progress line.
    pub fn line(&self) -> String {
        format!(
            "{:.0} entries/s, {:.0} holds and captures/s, single client p50 {:.0} us p99 {:.0} us, sync p50 {:.0} us \
             p99 {:.0} us",
            self.entries_per_s,
            self.two_phase_per_s,
            self.single_p50_us,
            self.single_p99_us,
            self.sync_p50_us,
            self.sync_p99_us
        )
    }
}

pub fn measure_round(driver: &mut Driver, file: &mut RecycledFile, slice: Duration) -> anyhow::Result<Round> {
    std::thread::sleep(SETTLE);
    let outsiders = Outsiders::start(&[]);
    let single::Paired { syncs, singles } = single::measure(driver, file, 2 * slice)?;
    let threads = Watched::new(vec![(std::process::id(), "")]);
    let before = threads.read();
    let entries_per_s = rate(driver, slice, Step::Post)?;
    let used = CpuUse::between(&before, &threads.read());
    let two_phase_per_s = rate(driver, slice, Step::Hold)?;
    let sequencer = used.groups.get("sequencer").copied().unwrap_or_default();
    let driver_time = used.groups.iter().filter(|(thread, _)| !is_ledgers(thread)).map(|(_, time)| *time).sum();
    Ok(Round {
        entries_per_s,
        two_phase_per_s,
        sync_p50_us: syncs.us(50.0),
        sync_p99_us: syncs.us(99.0),
        single_p50_us: singles.us(50.0),
        single_p99_us: singles.us(99.0),
        sync_bytes: SINGLE_FRAME_BYTES,
        sequencer_cores: used.cores(sequencer),
        driver_cores: used.cores(driver_time),
        others_cores: outsiders.cores(),
    })
}

/// Whether a thread of that name is the ledger's, and not the clients'.
fn is_ledgers(thread: &str) -> bool {
    ["sequencer", "snapshot", "ledger-memory"].iter().any(|name| thread.starts_with(name))
}

fn rate(driver: &mut Driver, length: Duration, step: fn(Movement) -> Step) -> anyhow::Result<f64> {
    let (posted, elapsed) = driver.load(length, step)?;
    Ok(posted as f64 / elapsed.as_secs_f64().max(f64::MIN_POSITIVE))
}
