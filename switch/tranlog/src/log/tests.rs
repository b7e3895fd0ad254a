//! What a crash leaves, what is found, and what is refused.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ledger::{AppliedEvent, Body, Code, Content, Event, EventId, Outcome};

use super::*;
use crate::follower::Follower;
use crate::search::{Search, Wanted};

/// Of every second millisecond; every third event is no transaction.
fn event(seq: u64) -> AppliedEvent {
    let event = Event::new(EventId::new(seq, [0; 10]), Content([0; 16]), Body::Tick);
    let outcome = Outcome {
        code: Code::Approved,
        reason: 0,
        seq,
        at: seq * 2,
        amount: 0,
        account: None,
        balance: 0,
        available: 0,
        approval: 0,
    };
    let event = Arc::new(event);
    AppliedEvent { seq, at: seq * 2, event, outcome, replayed: false, moves: vec![], holds: vec![] }
}

fn row_of(event: &AppliedEvent) -> Option<Row> {
    let json = format!("{{\"seq\":{}}}", event.seq).into_bytes();
    let terminal = Some(format!("TERM{}   ", event.seq % 2));
    let rrn = (!event.seq.is_multiple_of(5)).then(|| format!("RRN{:02}", event.seq % 10));
    (!event.seq.is_multiple_of(3)).then_some(Row { terminal, rrn, json })
}

fn events(seqs: impl IntoIterator<Item = u64>) -> Vec<AppliedEvent> {
    seqs.into_iter().map(event).collect()
}

fn found(log: &Tranlog, search: &Search) -> Vec<u64> {
    log.search(search).unwrap().map(|row| row.unwrap().seq).collect()
}

/// All that must be there once events up to `seq` were taken over, and nothing beyond.
fn assert_holds(log: &Tranlog, seq: u64) {
    let expected: Vec<u64> = (1..=seq).filter(|seq| !seq.is_multiple_of(3)).collect();
    assert_eq!(log.seq().unwrap(), seq);
    assert_eq!(found(log, &Search::default()), expected);
    for terminal in 0..2 {
        let of_terminal: Vec<u64> = expected.iter().copied().filter(|seq| seq % 2 == terminal).collect();
        let wanted = Wanted::Terminal(format!("TERM{terminal}"));
        assert_eq!(found(log, &Search { wanted, ..Search::default() }), of_terminal);
    }
}

#[test]
fn events_are_taken_over_once_and_without_a_gap() {
    let dir = tempfile::tempdir().unwrap();
    let log = Tranlog::open(dir.path()).unwrap();
    assert_eq!(log.take_over(&events(1..=10), row_of).unwrap(), 10);
    assert_eq!(log.take_over(&events(5..=12), row_of).unwrap(), 12, "known ones are passed over");
    assert_eq!(log.take_over(&events(1..=3), row_of).unwrap(), 12);
    assert_eq!(log.take_over(&[], row_of).unwrap(), 12);
    let gap = log.take_over(&events(14..=15), row_of).unwrap_err();
    assert!(matches!(gap, Error::Gap { seq: 12, given: 14, .. }), "{gap}");
    let gap = log.take_over(&events([13, 15]), row_of).unwrap_err();
    assert!(matches!(gap, Error::Gap { seq: 13, given: 15, .. }), "{gap}");
    assert_holds(&log, 12);
    assert_eq!(log.row(11).unwrap(), Some(StoredRow { seq: 11, at: 22, json: b"{\"seq\":11}".to_vec() }));
    assert_eq!(log.row(12).unwrap(), None, "no transaction");
}

#[test]
fn rows_are_found_by_terminal_rrn_and_time() {
    let dir = tempfile::tempdir().unwrap();
    let log = Tranlog::open(dir.path()).unwrap();
    log.take_over(&events(1..=40), row_of).unwrap();
    let rrn = |rrn: &str| Search { wanted: Wanted::Rrn(rrn.into()), ..Search::default() };
    assert_eq!(found(&log, &rrn("RRN01")), [1, 11, 31]);
    assert_eq!(found(&log, &rrn("RRN0")), [] as [u64; 0], "a part of one is none");
    assert_eq!(found(&log, &Search { newest_first: true, ..rrn("RRN01") }), [31, 11, 1]);
    let between = |from, until| Search { from, until, ..Search::default() };
    assert_eq!(found(&log, &between(Some(20), Some(27))), [10, 11, 13]);
    assert_eq!(found(&log, &between(Some(19), Some(20))), [] as [u64; 0]);
    assert_eq!(found(&log, &between(None, Some(5))), [1, 2]);
    assert_eq!(found(&log, &between(Some(77), None)), [40]);
    assert_eq!(found(&log, &between(Some(81), None)), [] as [u64; 0]);
    assert_eq!(found(&log, &between(Some(30), Some(10))), [] as [u64; 0]);
    assert_eq!(found(&log, &Search { from: Some(12), ..rrn("RRN01") }), [11, 31]);
}

/// The files as the operating system has them, as after a kill.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn a_kill_leaves_whole_batches() {
    let dir = tempfile::tempdir().unwrap();
    let log = Tranlog::open(dir.path().join("log").as_path()).unwrap();
    for (number, last) in [3, 4, 9, 30, 31].into_iter().enumerate() {
        let first = log.seq().unwrap() + 1;
        log.take_over(&events(first..=last), row_of).unwrap();
        let killed = dir.path().join(number.to_string());
        copy(&dir.path().join("log"), &killed);
        let reopened = Tranlog::open(&killed).unwrap();
        assert_holds(&reopened, last);
        reopened.take_over(&events(last - 2..=last + 5), row_of).unwrap();
        assert_holds(&reopened, last + 5);
    }
}

/// A power failure may take any number of bytes from the end of the store's journal.
#[test]
fn a_power_failure_leaves_a_beginning() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("log");
    let log = Tranlog::open(&folder).unwrap();
    for last in (4..=40).step_by(4) {
        log.take_over(&events(last - 3..=last), row_of).unwrap();
    }
    let written = dir.path().join("written");
    copy(&folder, &written);
    drop(log);
    let journal = fs::read_dir(&written)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|extension| extension == "jnl"))
        .unwrap();
    let bytes = fs::read(&journal).unwrap();
    let used = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let mut positions = Vec::new();
    for cut in (0..used).step_by(97) {
        let cut_off = dir.path().join(format!("cut-{cut}"));
        copy(&written, &cut_off);
        fs::write(cut_off.join(journal.file_name().unwrap()), &bytes[..cut]).unwrap();
        let log = Tranlog::open(&cut_off).unwrap();
        let seq = log.seq().unwrap();
        assert_holds(&log, seq);
        assert_eq!(seq % 4, 0, "batches are whole");
        // The ledger sends what follows.
        log.take_over(&events(seq + 1..=44), row_of).unwrap();
        assert_holds(&log, 44);
        positions.push(seq);
        drop(log);
        fs::remove_dir_all(&cut_off).unwrap();
    }
    assert!(positions.is_sorted() && positions.contains(&20), "{positions:?}");
}

#[test]
fn one_process_at_a_time_and_none_makes_a_log_by_looking() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("tranlog");
    assert!(matches!(Tranlog::open_existing(&folder), Err(Error::Missing(_))));
    assert!(!folder.exists());
    let log = Tranlog::open(&folder).unwrap();
    let second = Tranlog::open_existing(&folder).err().unwrap();
    assert!(matches!(second, Error::InUse(_)), "{second}");
    drop(log);
    Tranlog::open_existing(&folder).unwrap();
}

/// The ledger's events come on all the same; the follower takes each over once it can.
#[tokio::test]
async fn a_failure_is_tried_again_until_it_is_over() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, follower) = (tempfile::tempdir().unwrap(), dir.path().join("tranlog"));
    let log = Tranlog::open(&follower).unwrap();
    let (feed, subscription) = ledger::subscribe("tranlog", log.seq().unwrap());
    // Somebody else has it when the first events come.
    let mut running = Follower::new(log, follower.clone(), row_of);
    running.close();
    let other = Tranlog::open(&follower).unwrap();
    let thread = std::thread::spawn(move || running.run(subscription));
    let config = ledger::LedgerConfig { feeds: vec![feed], ..ledger::LedgerConfig::new(Arc::new(ledger::SystemClock)) };
    let storage = Arc::new(ledger::FileStorage::open(ledger.path()).unwrap());
    let ledger = ledger::Ledger::open(storage, config).unwrap();
    for account in 1..=7 {
        let body = Body::OpenAccount {
            account,
            currency: 710,
            kind: ledger::AccountKind::Wallet,
            floor: ledger::Floor::Limited(0),
        };
        let id = EventId::new(ledger::Clock::now(&ledger::SystemClock), [u8::try_from(account).unwrap(); 10]);
        ledger.submit(Event::new(id, Content([0; 16]), body)).await.unwrap();
    }
    let began = Instant::now();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(other.seq().unwrap(), 0);
    drop(other);
    ledger.shutdown().await;
    drop(ledger);
    thread.join().unwrap().unwrap();
    assert!(began.elapsed() < Duration::from_secs(60));
    assert_holds(&Tranlog::open(&follower).unwrap(), 7);
}
