//! Snapshots: what is kept, what is put aside, and what is read where one does not read.

mod support;

use std::sync::Arc;

use ledger::limits::SNAPSHOT_SHARE;
use ledger::testing::{ManualClock, SimStorage};
use ledger::{AsOf, Feed, FileStorage, Ledger, LedgerConfig, OpenError, Storage, trial_balance, verify_storage};
use support::{SEGMENT, START, config, script};

const EVENTS: u64 = 600;

fn open(disk: &SimStorage, feed: Option<Feed>) -> Result<Ledger, OpenError> {
    let clock = Arc::new(ManualClock::new(START));
    let feeds = feed.into_iter().collect();
    let config = LedgerConfig { snapshot_segments: 2, feeds, ..config(&clock) };
    Ledger::open(Arc::new(disk.clone()), config)
}

/// A ledger that has worked, and its digest.
fn worked() -> (SimStorage, u64) {
    let disk = SimStorage::default();
    let ledger = open(&disk, None).unwrap();
    for event in script(3, EVENTS) {
        ledger.submit_blocking(event).unwrap();
    }
    let digest = ledger.digest().unwrap();
    ledger.close();
    (disk, digest)
}

fn named(disk: &SimStorage, ending: &str) -> Vec<String> {
    let mut names = disk.list().unwrap();
    names.retain(|name| name.ends_with(ending));
    names.sort();
    names
}

#[test]
fn two_are_kept_and_the_journal_before_them_is_put_aside() {
    let (disk, digest) = worked();
    let (snapshots, archived) = (named(&disk, ".snapshot"), named(&disk, ".archived"));
    assert_eq!(snapshots.len(), 2);
    assert!(archived.len() >= 4, "{archived:?}");
    assert_eq!(named(&disk, ".wal")[0].strip_suffix(".wal"), snapshots[0].strip_suffix(".snapshot"));
    archived.iter().for_each(|name| disk.lose(name));
    let report = verify_storage(&disk).unwrap();
    assert_eq!((report.digest, report.events), (digest, EVENTS));
    let ledger = open(&disk, None).unwrap();
    assert_eq!((ledger.digest().unwrap(), ledger.check_invariants()), (digest, Ok(())));
    ledger.close();
}

/// Made on their own thread they are never more than one interval behind, once there is time: segments that were closed
/// while one was being made are counted for the next. Closing does not wait for one, and a start finds all there.
#[test]
fn made_aside_they_catch_up_with_what_was_closed_meanwhile() {
    let clock = Arc::new(ManualClock::new(START));
    for wait in [true, false] {
        let disk = SimStorage::default();
        let aside = LedgerConfig { snapshot_segments: 2, prepare_ahead: true, ..config(&clock) };
        let ledger = Ledger::open(Arc::new(disk.clone()), aside).unwrap();
        for event in script(3, EVENTS) {
            ledger.submit_blocking(event).unwrap();
        }
        let digest = ledger.digest().unwrap();
        let started = std::time::Instant::now();
        let is_near = || {
            let newest = named(&disk, ".snapshot").pop().unwrap_or_default();
            let segments = named(&disk, ".wal");
            let behind = segments.iter().filter(|name| name[..20] > newest[..newest.len().min(20)]).count();
            // As many as are worth half a snapshot.
            let due = (disk.bytes(&newest).len() as u64 / SNAPSHOT_SHARE).div_ceil(SEGMENT).max(2);
            !newest.is_empty() && (behind as u64) < due
        };
        while wait && !is_near() {
            assert!(started.elapsed() < std::time::Duration::from_secs(20), "{:?}", disk.list());
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        ledger.close();
        assert_eq!(verify_storage(&disk).unwrap().digest, digest);
        let ledger = open(&disk, None).unwrap();
        assert_eq!(ledger.digest().unwrap(), digest);
        ledger.close();
    }
}

/// Wherever a bit of a snapshot flips, the one before it serves, and `verify` names the file.
#[test]
fn a_snapshot_that_does_not_read_is_passed_over_and_named() {
    let (disk, digest) = worked();
    let newest = named(&disk, ".snapshot").pop().unwrap();
    let bytes = disk.bytes(&newest);
    for at in (0..bytes.len()).step_by(bytes.len() / 97 + 1).chain([bytes.len() - 1]) {
        let fork = disk.fork();
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << (at % 8);
        fork.replace(&newest, flipped);
        let told = verify_storage(&fork).unwrap_err().to_string();
        assert!(told.starts_with(&format!("ledger damaged in {newest}")), "byte {at}: {told}");
        let ledger = open(&fork, None).unwrap();
        assert_eq!(ledger.digest().unwrap(), digest, "byte {at}");
        ledger.close();
    }
}

/// A snapshot that is whole, and of another ledger's state, is found by `verify`.
#[test]
fn a_snapshot_of_another_state_is_named() {
    let (disk, _) = worked();
    let newest = named(&disk, ".snapshot").pop().unwrap();
    let mut bytes = disk.bytes(&newest);
    // The last row but its length: sequence, time, and what is forgotten, which becomes another.
    *bytes.last_mut().unwrap() ^= 1;
    let sum = crc32c::crc32c(&bytes[64..]).to_le_bytes();
    bytes[56..60].copy_from_slice(&sum);
    let own = crc32c::crc32c(&bytes[..60]).to_le_bytes();
    bytes[60..64].copy_from_slice(&own);
    disk.replace(&newest, bytes);
    let told = verify_storage(&disk).unwrap_err().to_string();
    assert!(told.starts_with(&format!("ledger damaged in {newest}")) && told.contains("another state"), "{told}");
}

#[test]
fn without_a_snapshot_that_reads_the_archived_segments_serve() {
    let (disk, digest) = worked();
    named(&disk, ".snapshot").iter().for_each(|name| disk.replace(name, vec![0; 100]));
    let ledger = open(&disk, None).unwrap();
    assert_eq!(ledger.digest().unwrap(), digest);
    ledger.close();
    named(&disk, ".archived").iter().for_each(|name| disk.lose(name));
    assert!(matches!(open(&disk, None), Err(OpenError::BeginsLate { .. })));
}

/// A follower that begins anew is shown everything, as long as it is there.
#[test]
fn who_follows_from_the_beginning_is_shown_what_is_archived() {
    let (disk, digest) = worked();
    let (feed, mut subscription) = ledger::subscribe("test", 0);
    let ledger = open(&disk, Some(feed)).unwrap();
    assert_eq!(ledger.digest().unwrap(), digest);
    ledger.close();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut seen = Vec::new();
    while let Some(events) = runtime.block_on(subscription.recv(64)) {
        seen.extend(events.into_iter().map(|event| event.seq));
    }
    assert!(seen.into_iter().eq(1..=EVENTS));
    named(&disk, ".archived").iter().for_each(|name| disk.lose(name));
    assert!(matches!(open(&disk, Some(ledger::subscribe("test", 0).0)), Err(OpenError::BeginsLate { .. })));
}

/// Balances are those of the whole journal, or none are given.
#[test]
fn a_trial_balance_counts_what_is_archived() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(START));
    let config = LedgerConfig { snapshot_segments: 2, ..config(&clock) };
    let ledger = Ledger::open(Arc::new(FileStorage::open(folder.path()).unwrap()), config).unwrap();
    for event in script(3, EVENTS) {
        ledger.submit_blocking(event).unwrap();
    }
    let balance = trial_balance(folder.path(), AsOf::Now).unwrap();
    assert_eq!(balance.seq, EVENTS);
    assert!(!balance.accounts.is_empty());
    for (account, view) in &balance.accounts {
        assert_eq!(ledger.account(*account).unwrap().as_ref(), Some(view));
    }
    assert_eq!(trial_balance(folder.path(), AsOf::Seq(1)).unwrap().accounts.len(), 1);
    ledger.close();
    let files = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path());
    let archived = files.filter(|path| path.extension().is_some_and(|ending| ending == "archived"));
    archived.for_each(|path| std::fs::remove_file(path).unwrap());
    assert_eq!(trial_balance(folder.path(), AsOf::Now).unwrap(), balance);
    assert!(matches!(trial_balance(folder.path(), AsOf::Seq(1)), Err(OpenError::BeginsLate { .. })));
}
