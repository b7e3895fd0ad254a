//! How long a start takes with many accounts whose opening is forgotten, and what they take in memory:
//! `cargo bench -p ledger --bench restart -- 10000000`. Some 200 bytes of disk an account, in a folder that is removed.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ledger::limits::HORIZON_MS;
use ledger::testing::ManualClock;
use ledger::{
    AccountKind, Body, Clock, Content, Event, EventId, FileStorage, Floor, Ledger, LedgerConfig, SubmitError,
    SystemClock,
};

/// Where nothing is said; `cargo bench` for all benches runs this too.
const ACCOUNTS: u64 = 100_000;
const BATCH: u64 = 2_000;

fn main() {
    tracing_subscriber::fmt().without_time().init();
    let said = std::env::args().skip(1).find_map(|argument| argument.replace('_', "").parse().ok());
    let accounts = said.unwrap_or(ACCOUNTS);
    let folder = tempfile::tempdir().expect("a folder for the ledger");
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    let before = resident();
    let ledger = open(folder.path(), &clock);
    let opened = timed("open the accounts", || open_accounts(&ledger, &clock, 0..accounts));
    println!("{:>12.0} events/s, snapshots being made", accounts as f64 / opened.as_secs_f64());
    println!("{:>12} bytes of memory an account, with the event that opened it", (resident() - before) / accounts);
    timed("let a day go by", || let_a_day_go_by(&ledger, &clock, accounts));
    // So many that further segments are closed and a snapshot is made of what is left.
    timed("open some more", || open_accounts(&ledger, &clock, accounts + DAY..accounts + DAY + MORE));
    timed("finish the snapshots that are due", || wait_for_snapshots(folder.path()));
    let last = ledger.last_seq().unwrap();
    timed("close", || ledger.close());
    files(folder.path());
    let ledger = timed_value("start again", || open(folder.path(), &clock));
    assert_eq!(ledger.last_seq().unwrap(), last, "all of it is there");
    let sizes = ledger.read(|state| state.sizes()).unwrap();
    println!("{sizes:?}");
    ledger.close();
}

/// Openings while a day goes by, and after it.
const DAY: u64 = 10_000;
const MORE: u64 = 600_000;

fn open(folder: &Path, clock: &Arc<ManualClock>) -> Ledger {
    let storage = FileStorage::open(folder).expect("the folder");
    let config = LedgerConfig { snapshot_segments: 1, ..LedgerConfig::new(clock.clone()) };
    Ledger::open(Arc::new(storage), config).expect("a ledger")
}

/// Until what was opened before is forgotten; a clock that jumps would stop the ledger.
fn let_a_day_go_by(ledger: &Ledger, clock: &Arc<ManualClock>, accounts: u64) {
    let end = clock.now() + HORIZON_MS + 60_000;
    for number in accounts..accounts + DAY {
        // Ticks, which forget some thousands of events each, come as time goes on.
        clock.advance(if clock.now() < end { 50_000 } else { 1_000 });
        open_accounts(ledger, clock, number..number + 1);
        let remembered =
            ledger.read(|state| state.sizes().into_iter().find(|(table, _)| *table == "remembered_events")).unwrap();
        if clock.now() >= end && remembered.is_some_and(|(_, rows)| rows < 100_000) {
            return;
        }
    }
}

fn open_accounts(ledger: &Ledger, clock: &Arc<ManualClock>, numbers: std::ops::Range<u64>) {
    let mut waiting = std::collections::VecDeque::new();
    let (mut next, end) = (numbers.start, numbers.end);
    while next < end || !waiting.is_empty() {
        if next < end && waiting.len() < 3 {
            // Where more events come than are remembered, those of this moment must be newer than what makes room.
            clock.advance(5);
            let opening = |number| opening(number, clock.now());
            let events = (next..end.min(next + BATCH)).map(opening).collect::<Vec<_>>();
            match ledger.submit_all_later(events) {
                Ok(submitted) => {
                    waiting.push_back(submitted);
                    next += BATCH;
                    continue;
                }
                Err(SubmitError::Busy) if !waiting.is_empty() => {}
                Err(error) => panic!("{error}"),
            }
        }
        if let Some(submitted) = waiting.pop_front() {
            let outcomes = submitted.outcomes_blocking().expect("outcomes");
            assert!(outcomes.iter().all(|applied| applied.outcome.code == ledger::Code::Approved));
        }
    }
}

/// Until no snapshot has been written to for some seconds: they are made on a thread of their own.
fn wait_for_snapshots(folder: &Path) {
    let state = || {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let snapshots = entries.filter(|entry| entry.file_name().to_string_lossy().ends_with(".snapshot"));
        let mut sizes: Vec<_> =
            snapshots.map(|entry| (entry.file_name(), entry.metadata().map_or(0, |metadata| metadata.len()))).collect();
        sizes.sort();
        sizes
    };
    let mut seen = (state(), Instant::now());
    while seen.1.elapsed() < Duration::from_secs(15) {
        std::thread::sleep(Duration::from_millis(200));
        let now = state();
        if now != seen.0 {
            seen = (now, Instant::now());
        }
    }
}

fn opening(number: u64, now: u64) -> Event {
    let mut low = [0; 10];
    low[2..].copy_from_slice(&number.to_be_bytes());
    let body =
        Body::OpenAccount { account: number + 1, currency: 710, kind: AccountKind::Wallet, floor: Floor::Limited(0) };
    Event::new(EventId::new(now, low), Content([0; 16]), body)
}

fn timed(what: &str, act: impl FnOnce()) -> Duration {
    let started = Instant::now();
    act();
    let taken = started.elapsed();
    println!("{:>12.2} s to {what}", taken.as_secs_f64());
    taken
}

fn timed_value<T>(what: &str, act: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let value = act();
    println!("{:>12.2} s to {what}", started.elapsed().as_secs_f64());
    value
}

/// What the folder holds, by kind.
fn files(folder: &Path) {
    let mut kinds = std::collections::BTreeMap::<String, (u64, u64)>::new();
    for entry in std::fs::read_dir(folder).expect("the folder").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = name.rsplit('.').next().unwrap_or_default().to_owned();
        let (count, bytes) = kinds.entry(kind).or_default();
        *count += 1;
        *bytes += entry.metadata().map_or(0, |metadata| metadata.len());
    }
    for (kind, (count, bytes)) in kinds {
        println!("{:>12} MB in {count} files .{kind}", bytes / 1_000_000);
    }
}

/// Bytes of this process in memory.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap_or(0) * 1024
}
