//! One client that waits for each answer, and beside it the disk that makes it wait.

use std::time::{Duration, Instant};

use super::driver::Driver;
use super::step::{SINGLE_FRAME_BYTES, Step};
use crate::measure::latency::Latencies;
use crate::measure::recycled_file::RecycledFile;

/// Latencies of the sync baseline and of the single client.
#[derive(Default)]
pub struct Paired {
    pub syncs: Latencies,
    pub singles: Latencies,
}

/// The two take turns, sync by sync and entry by entry, so that whatever slows the disk down slows both. On a disk
/// that syncs within ten milliseconds no turn is so long that the ledger would write a seal of its own into it.
pub fn measure(driver: &mut Driver, file: &mut RecycledFile, length: Duration) -> anyhow::Result<Paired> {
    let mut times = Paired::default();
    let end = Instant::now() + length;
    while Instant::now() < end {
        times.syncs.record(file.write_and_sync(SINGLE_FRAME_BYTES)?);
        times.singles.record(one_entry(driver)?);
    }
    driver.write_books();
    Ok(times)
}

fn one_entry(driver: &mut Driver) -> anyhow::Result<Duration> {
    let (id, step) = (driver.fresh_id(), Step::Post(driver.movement()));
    let event = step.event(id);
    let started = Instant::now();
    let applied = driver.ledger().submit_blocking(event)?;
    let elapsed = started.elapsed();
    driver.settle(id, step, &applied);
    Ok(elapsed)
}
