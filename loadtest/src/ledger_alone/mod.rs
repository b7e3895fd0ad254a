//! The ledger crate without anything around it, in this process and on a disk: how fast it takes entries, and whether
//! its journal then says what its clients were told.

mod accounts_book;
mod driver;
mod report;
mod round;
mod settings;
mod single;
mod step;
mod truth;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use ledger::{FileStorage, Ledger, LedgerConfig, State, SystemClock};
use load_report::Finding;

use crate::findings;
use crate::measure::cpu::resident_bytes;
use crate::measure::recycled_file::{RecycledFile, is_in_memory};
use crate::progress::Progress;
use driver::Driver;
pub use report::LedgerReport;
use round::{Round, measure_round};
pub use settings::Settings;

/// Freed memory goes back to the system a little later.
const UNTIL_MEMORY_SETTLES: Duration = Duration::from_millis(200);

/// Opens the accounts, measures the rounds, closes the ledger and checks its journal, all in an empty folder.
pub fn run(settings: &Settings, folder: &Path, progress: &Progress) -> anyhow::Result<LedgerReport> {
    let mut findings = warn_of_memory(folder, progress);
    let mut file = RecycledFile::create(folder)?;
    let journal = folder.join("ledger");
    let storage = FileStorage::open(&journal).with_context(|| format!("cannot use {}", journal.display()))?;
    let ledger = Ledger::open(Arc::new(storage), LedgerConfig::new(Arc::new(SystemClock)))?;
    let mut driver = Driver::new(ledger, settings);
    let bytes_per_account = open_accounts(&mut driver, settings, progress)?;
    let growing = if settings.fill { Some(fill(&mut driver, progress)?) } else { None };
    let rounds = measure_rounds(&mut driver, &mut file, settings, progress)?;
    progress.stage("checking the journal");
    let truth = truth::check(driver, folder, &mut findings);
    Ok(LedgerReport::new(settings.clone(), bytes_per_account, growing, rounds, truth, findings))
}

fn warn_of_memory(folder: &Path, progress: &Progress) -> Vec<Finding> {
    if !is_in_memory(folder) {
        return Vec::new();
    }
    let text = format!(
        "{} is kept in memory, where a sync costs and means nothing; name a folder on a disk with --dir",
        folder.parent().unwrap_or(folder).display()
    );
    progress.line(&format!("warning: {text}"));
    vec![findings::notice("no_disk", text)]
}

/// Growth of resident memory for each account, in bytes.
fn open_accounts(driver: &mut Driver, settings: &Settings, progress: &Progress) -> anyhow::Result<f64> {
    progress.stage(format!("opening {} accounts", settings.accounts));
    let before = resident_bytes();
    driver.open_accounts()?;
    std::thread::sleep(UNTIL_MEMORY_SETTLES);
    let grown = resident_bytes().saturating_sub(before);
    // Only now: the driver's own books are not the ledger's memory.
    driver.open_books();
    Ok(grown as f64 / f64::from(settings.accounts))
}

/// Entries until the ledger remembers as many events as it may; gives how many a second.
fn fill(driver: &mut Driver, progress: &Progress) -> anyhow::Result<f64> {
    /// Between two looks at how many it remembers.
    const STRETCH: Duration = Duration::from_secs(1);
    progress.stage("filling the ledger's memory of events");
    let (mut posted, mut time) = (0, Duration::ZERO);
    while driver.ledger().read(|state| remembered(state) < state.bounds().records)? {
        let (count, elapsed) = driver.load(STRETCH, step::Step::Post)?;
        posted += count;
        time += elapsed;
    }
    Ok(posted as f64 / time.as_secs_f64().max(f64::MIN_POSITIVE))
}

fn remembered(state: &State) -> usize {
    state.sizes().into_iter().find(|(table, _)| *table == "remembered_events").map_or(0, |(_, rows)| rows)
}

fn measure_rounds(
    driver: &mut Driver,
    file: &mut RecycledFile,
    settings: &Settings,
    progress: &Progress,
) -> anyhow::Result<Vec<Round>> {
    let mut rounds = Vec::new();
    for number in 1..=settings.rounds {
        progress.stage(format!("round {number} of {}", settings.rounds));
        let round = measure_round(driver, file, settings.slice())?;
        progress.round(number, settings.rounds, &round.line());
        rounds.push(round);
    }
    Ok(rounds)
}
