//! The ledger as it runs: its clock, its bounds, its followers, its folder.

mod support;

use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ledger::limits::{BATCH_EVENTS_MAX, LAG_BYTES_MAX};
use ledger::testing::{ManualClock, SimStorage};
use ledger::{
    Body, CardAction, Clock, Code, Event, EventId, FileStorage, Floor, Ledger, LedgerConfig, Millis, OpenError,
    Posting, Storage, StorageFile, SubmitError, SystemClock, dump, verify, verify_storage,
};
use support::{START, card, config, entry, event, open, open_account, post, script, submit_all};

/// Asks until the answer is yes.
fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A wall clock that is set by hand, beside a monotonic one that stands still.
#[derive(Default)]
struct WallClock(Mutex<Millis>);

impl Clock for WallClock {
    fn now(&self) -> Millis {
        *self.0.lock().unwrap()
    }

    fn monotonic(&self) -> Millis {
        0
    }
}

#[test]
fn time_never_falls_whatever_the_clock_does_and_a_jump_ahead_stops_the_ledger() {
    let clock = Arc::new(WallClock::default());
    let set = |now| *clock.0.lock().unwrap() = now;
    set(START);
    let (stopped, reason) = channel();
    let on_stop = Box::new(move |reason| stopped.send(reason).unwrap());
    let config = LedgerConfig { on_stop, prepare_ahead: false, ..LedgerConfig::new(clock.clone()) };
    let ledger = Ledger::open(Arc::new(SimStorage::default()), config).unwrap();
    let at = |number| ledger.submit_blocking(open_account(number, number, Floor::Unlimited)).unwrap().outcome.at;
    assert_eq!(at(1), START);
    assert_eq!(at(2), START, "two events in a millisecond");
    set(START - 5_000);
    assert_eq!(at(3), START, "the clock was set back");
    set(START + 1_000);
    assert_eq!(at(4), START + 1_000);
    set(START + 1_000 + 60_001);
    let jumped = ledger.submit_blocking(open_account(5, 5, Floor::Unlimited));
    assert_eq!(jumped, Err(SubmitError::Stopped));
    assert!(reason.recv().unwrap().contains("clock jumped ahead"));
    assert_eq!(ledger.last_seq().unwrap(), 4);
}

#[test]
fn many_events_in_a_moment_do_not_move_time_ahead_of_the_clock() {
    let (storage, clock) = (SimStorage::default(), Arc::new(ManualClock::new(START)));
    let ledger = Ledger::open(Arc::new(storage.clone()), config(&clock)).unwrap();
    for number in 1..=2 {
        ledger.submit_blocking(open_account(number, number, Floor::Unlimited)).unwrap();
    }
    let hold = Body::PlaceHold { entry: entry(1, 2, 5), expires_at: START + 1_000, record: vec![] };
    ledger.submit_blocking(event(3, hold)).unwrap();
    for number in 4..3_000 {
        ledger.submit_blocking(post(number, 1, 2, 1)).unwrap();
    }
    let capture = Body::CaptureHold { hold: support::id(3), amount: 5, last: true, record: vec![] };
    let captured = ledger.submit_blocking(event(3_000, capture)).unwrap();
    assert_eq!((captured.outcome.code, captured.outcome.at), (Code::Approved, START));
    ledger.close();
    assert_eq!(verify_storage(&storage).unwrap().events, 3_000);
}

/// A disk whose next sync waits until the test says go.
struct Gated {
    disk: SimStorage,
    gate: Arc<Mutex<Option<Receiver<()>>>>,
}

struct GatedFile {
    file: Box<dyn StorageFile>,
    gate: Arc<Mutex<Option<Receiver<()>>>>,
}

impl StorageFile for GatedFile {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.write_at(offset, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        if let Some(gate) = self.gate.lock().unwrap().take() {
            gate.recv().unwrap();
        }
        self.file.sync()
    }
}

impl Storage for Gated {
    fn list(&self) -> io::Result<Vec<String>> {
        self.disk.list()
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        self.disk.read(name)
    }

    fn create(&self, name: &str, size: u64) -> io::Result<()> {
        self.disk.create(name, size)
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        Ok(Box::new(GatedFile { file: self.disk.open(name)?, gate: Arc::clone(&self.gate) }))
    }

    fn reader(&self, name: &str) -> io::Result<Box<dyn io::Read + Send>> {
        self.disk.reader(name)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.disk.remove(name)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn sync_dir(&self) -> io::Result<()> {
        self.disk.sync_dir()
    }
}

/// A ledger of one account whose next sync waits for the sender.
fn gated(queue_max: usize, segment_bytes: u64) -> (Ledger, SimStorage, Sender<()>) {
    let disk = SimStorage::default();
    let gate = Arc::new(Mutex::new(None));
    let storage = Gated { disk: disk.clone(), gate: Arc::clone(&gate) };
    let clock = Arc::new(ManualClock::new(START));
    let config = LedgerConfig { queue_max, segment_bytes, ..config(&clock) };
    let ledger = Ledger::open(Arc::new(storage), config).unwrap();
    ledger.submit_blocking(open_account(1, 1, Floor::Unlimited)).unwrap();
    std::thread::sleep(Duration::from_millis(30));
    let (go, wait) = channel();
    *gate.lock().unwrap() = Some(wait);
    (ledger, disk, go)
}

/// Events wait in the queue up to its bound; what did wait goes into one frame.
#[test]
fn a_full_queue_refuses_and_a_queue_becomes_one_frame() {
    let (ledger, disk, go) = gated(100, 1 << 16);
    let before = verify_storage(&disk).unwrap().frames;
    let first = {
        let ledger = ledger.clone();
        std::thread::spawn(move || ledger.submit_blocking(open_account(2, 2, Floor::Limited(0))))
    };
    eventually("the first is being written", || verify_storage(&disk).unwrap().events == 2);
    assert_eq!(ledger.last_seq().unwrap(), 1, "written and not synced, it cannot be read");
    assert_eq!(ledger.account(2).unwrap(), None);

    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let answers = runtime.block_on(async {
        let events = (3..=103).map(|number| post(number, 1, 2, 1));
        let waiting = events.map(|event| {
            let ledger = ledger.clone();
            tokio::spawn(async move { ledger.submit(event).await })
        });
        let waiting: Vec<_> = waiting.collect();
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
        go.send(()).unwrap();
        let mut answers = Vec::new();
        for answer in waiting {
            answers.push(answer.await.unwrap());
        }
        answers
    });
    assert!(first.join().unwrap().is_ok());
    let (last, queued) = answers.split_last().unwrap();
    assert_eq!(*last, Err(SubmitError::Busy));
    assert!(queued.iter().all(|answer| answer.as_ref().unwrap().outcome.code == Code::Approved));
    assert_eq!(ledger.account(2).unwrap().unwrap().balance, 100);
    ledger.close();
    let report = verify_storage(&disk).unwrap();
    assert_eq!(report.events, 102);
    // The first, the queue (a record of 300 bytes each: one frame), and the seal.
    assert_eq!(report.frames - before, 3);
}

/// Frames are cut where a segment's size or the bound of a batch demands it.
#[test]
fn a_queue_larger_than_a_segment_is_written_in_several() {
    let (ledger, disk, go) = gated(2 * BATCH_EVENTS_MAX, support::SEGMENT);
    go.send(()).unwrap();
    let events: Vec<Event> = (2..=400).map(|number| open_account(number, number, Floor::Limited(0))).collect();
    assert!(submit_all(&ledger, &events).iter().all(|answer| answer.is_ok()));
    ledger.close();
    let report = verify_storage(&disk).unwrap();
    assert_eq!(report.events, 400);
    assert!(report.segments > 5);
}

#[test]
fn several_events_at_once_are_decided_one_by_one_in_one_frame() {
    let (ledger, disk, go) = gated(64, support::SEGMENT);
    go.send(()).unwrap();
    let events = || vec![post(2, 1, 2, 5), post(3, 2, 1, 99), open_account(4, 2, Floor::Limited(0)), post(5, 1, 2, 7)];
    submit_all(&ledger, &[open_account(11, 2, Floor::Limited(0)), open_account(12, 1, Floor::Unlimited)]);
    let before = verify_storage(&disk).unwrap().frames;
    let codes = |answers: Vec<ledger::Applied>| -> Vec<(Code, u64, bool)> {
        answers.iter().map(|applied| (applied.outcome.code, applied.outcome.seq, applied.replayed)).collect()
    };
    let first = codes(ledger.submit_all_later(events()).unwrap().outcomes_blocking().unwrap());
    let expected = [(Code::Approved, 4), (Code::InsufficientFunds, 5), (Code::AccountExists, 6), (Code::Approved, 7)];
    assert_eq!(first, expected.map(|(code, seq)| (code, seq, false)));
    assert_eq!(verify_storage(&disk).unwrap().frames - before, 1);
    let again = codes(ledger.submit_all_later(events()).unwrap().outcomes_blocking().unwrap());
    assert_eq!(again, expected.map(|(code, seq)| (code, seq, true)));
    assert_eq!(ledger.account(2).unwrap().unwrap().balance, 12);
    let none = ledger.submit_all_later(Vec::new()).unwrap().outcomes_blocking().unwrap();
    assert!(none.is_empty());
    ledger.close();
    // Nothing was written for nothing: the journal reads back.
    assert_eq!(verify_storage(&disk).unwrap().events, 11);
    open(disk).unwrap().close();
}

/// The queue is bounded in events, however they come; what can never fit is told from what has no room now.
#[test]
fn several_events_at_once_wait_like_as_many_single_ones() {
    let (ledger, _disk, go) = gated(64, 1 << 16);
    let opens = |from: u64, count: u64| (from..from + count).map(|n| open_account(n, n, Floor::Unlimited)).collect();
    let submit = |events: Vec<Event>| ledger.submit_all_later(events);
    // The sequencer is at its first event, or comes to it while the others wait.
    let mut waiting = vec![submit(opens(2, 60)).unwrap()];
    assert_eq!(submit(opens(100, 65)).unwrap_err(), SubmitError::TooLarge);
    let refused = loop {
        match submit(opens(200 + 60 * waiting.len() as u64, 60)) {
            Ok(submitted) => waiting.push(submitted),
            Err(error) => break error,
        }
    };
    assert_eq!((refused, waiting.len() <= 3), (SubmitError::Busy, true));
    go.send(()).unwrap();
    assert!(waiting.into_iter().all(|all| all.outcomes_blocking().unwrap().len() == 60));
    ledger.close();
    assert_eq!(submit(opens(900, 1)).unwrap_err(), SubmitError::Stopped);
}

#[test]
fn any_event_fits_and_what_is_larger_is_refused() {
    let disk = SimStorage::default();
    let ledger = open(disk.clone()).unwrap();
    let largest = |number, record: usize| {
        let postings = (0..16).map(|account| Posting { account, amount: 1 }).collect();
        let action = CardAction::Complete {
            hold: ledger::Reference::Key(u128::MAX),
            approval: Some(1),
            entry: ledger::Entry { currency: 710, postings },
            tolerance_bp: u32::MAX,
        };
        let Body::Card(mut card) = card(action, vec![1, 2, 3, 4]) else { unreachable!() };
        card.repeat_of = Some(9);
        card.answer = vec![0; 512];
        card.record = vec![0; record];
        event(number, Body::Card(card))
    };
    for number in 1..10 {
        assert_eq!(ledger.submit_blocking(largest(number, 1024)).unwrap().outcome.code, Code::InvalidEntry);
    }
    assert_eq!(ledger.submit_blocking(largest(10, 1025)), Err(SubmitError::TooLarge));
    let seventeen = (0..17).map(|account| Posting { account, amount: 1 }).collect();
    let body = Body::Post { entry: ledger::Entry { currency: 710, postings: seventeen }, record: vec![] };
    assert_eq!(ledger.submit_blocking(event(11, body)), Err(SubmitError::TooLarge));
    ledger.close();
    assert!(verify_storage(&disk).unwrap().segments > 5);

    let config = LedgerConfig { segment_bytes: 4095, ..config(&Arc::new(ManualClock::new(START))) };
    assert!(matches!(Ledger::open(Arc::new(SimStorage::default()), config), Err(OpenError::Storage(_))));
}

/// A storage in which something goes wrong that nobody has thought of.
struct Panicking(SimStorage, Arc<Mutex<bool>>);
struct PanickingFile(Box<dyn StorageFile>, Arc<Mutex<bool>>);

impl StorageFile for PanickingFile {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let panics = *self.1.lock().unwrap();
        assert!(!panics, "planned by the test");
        self.0.write_at(offset, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync()
    }
}

impl Storage for Panicking {
    fn list(&self) -> io::Result<Vec<String>> {
        self.0.list()
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        self.0.read(name)
    }

    fn create(&self, name: &str, size: u64) -> io::Result<()> {
        self.0.create(name, size)
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        Ok(Box::new(PanickingFile(self.0.open(name)?, Arc::clone(&self.1))))
    }

    fn reader(&self, name: &str) -> io::Result<Box<dyn io::Read + Send>> {
        self.0.reader(name)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.0.remove(name)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.0.rename(from, to)
    }

    fn sync_dir(&self) -> io::Result<()> {
        self.0.sync_dir()
    }
}

#[test]
fn a_panic_stops_the_ledger_like_a_failed_write() {
    let panics = Arc::new(Mutex::new(false));
    let (stopped, reason) = channel();
    let on_stop = Box::new(move |reason| stopped.send(reason).unwrap());
    let storage = Panicking(SimStorage::default(), Arc::clone(&panics));
    let config = LedgerConfig { on_stop, ..config(&Arc::new(ManualClock::new(START))) };
    let ledger = Ledger::open(Arc::new(storage), config).unwrap();
    ledger.submit_blocking(open_account(1, 1, Floor::Unlimited)).unwrap();
    *panics.lock().unwrap() = true;
    assert_eq!(ledger.submit_blocking(open_account(2, 2, Floor::Unlimited)), Err(SubmitError::Stopped));
    assert!(reason.recv_timeout(Duration::from_secs(10)).unwrap().contains("panicked"));
}

/// Money that goes to and fro is all there in every read of both accounts, and so much of it as the sequence says.
#[test]
fn several_reads_are_of_one_sequence() {
    const EVENTS: u64 = 3_000;
    let clock = Arc::new(ManualClock::new(START));
    let ledger = Ledger::open(Arc::new(SimStorage::default()), config(&clock)).unwrap();
    for number in 1..=2 {
        ledger.submit_blocking(open_account(number, number, Floor::Unlimited)).unwrap();
    }
    let reads = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for number in 0..EVENTS {
                ledger.submit_blocking(post(10 + number, 1, 2, 1)).unwrap();
            }
        });
        let mut reads = Vec::new();
        while !writer.is_finished() {
            reads.push(
                ledger.read(|state| (state.seq(), state.account(1).unwrap(), state.account(2).unwrap())).unwrap(),
            );
        }
        reads
    });
    for (seq, from, to) in &reads {
        let posted = i64::try_from(seq - 2).unwrap();
        assert_eq!((from.debits, to.credits), (posted, posted), "at {seq}");
    }
    assert!(reads.iter().any(|(seq, ..)| (3..EVENTS).contains(seq)), "some were made in the middle");
    assert_eq!(ledger.read(|state| state.seq()).unwrap(), EVENTS + 2);
}

#[test]
fn holds_expire_by_themselves_and_followers_see_it() {
    let clock = Arc::new(ManualClock::new(START));
    let (feed, mut subscription) = ledger::subscribe("test", 0);
    let config = LedgerConfig { feeds: vec![feed], ..config(&clock) };
    let ledger = Ledger::open(Arc::new(SimStorage::default()), config).unwrap();
    let hold = |number| Body::PlaceHold { entry: entry(1, 2, number), expires_at: START + 60_000, record: vec![] };
    let mut events = vec![open_account(1, 1, Floor::Unlimited), open_account(2, 2, Floor::Limited(0))];
    // More than one tick may let go.
    events.extend((3..5_003).map(|number| event(number, hold(i64::try_from(number).unwrap()))));
    for part in events.chunks(50) {
        assert!(submit_all(&ledger, part).iter().all(|answer| answer.is_ok()));
    }
    let pending = || ledger.account(1).unwrap().unwrap().pending_debits;
    let all: i64 = (3..5_003).sum();
    assert_eq!(pending(), all);
    clock.advance(59_000);
    eventually("time moves in the ledger", || {
        clock.advance(100);
        pending() < all
    });
    assert!(clock.now() >= START + 60_000, "expired too early");
    eventually("all have expired", || {
        clock.advance(50);
        pending() == 0
    });
    ledger.check_invariants().unwrap();
    ledger.close();

    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (mut held, mut ticks, mut seq) = (0, 0, 0);
    while let Some(batch) = runtime.block_on(subscription.recv(100)) {
        for applied in batch {
            assert_eq!(applied.seq, seq + 1);
            seq = applied.seq;
            held +=
                applied.holds.iter().filter(|posting| posting.account == 1).map(|posting| posting.amount).sum::<i64>();
            ticks += u64::from(applied.event.body == Body::Tick);
        }
    }
    assert_eq!(held, 0, "what was held was released");
    assert!((2..=10).contains(&ticks), "{ticks} ticks for what two can do");
}

#[test]
fn a_follower_goes_on_where_it_was() {
    let disk = SimStorage::default();
    let follow = |after_seq| {
        let (feed, subscription) = ledger::subscribe("test", after_seq);
        let config = LedgerConfig { feeds: vec![feed], ..config(&Arc::new(ManualClock::new(START))) };
        let ledger = Ledger::open(Arc::new(disk.clone()), config).unwrap();
        (ledger, subscription)
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (ledger, _) = follow(0);
    for event in script(1, 20) {
        ledger.submit_blocking(event).unwrap();
    }
    ledger.close();
    let (ledger, mut subscription) = follow(15);
    ledger.submit_blocking(post(99, 1, 2, 5)).unwrap();
    ledger.close();
    let mut seen = Vec::new();
    while let Some(batch) = runtime.block_on(subscription.recv(2)) {
        assert!(batch.len() <= 2);
        seen.extend(batch);
    }
    assert_eq!(seen.iter().map(|applied| applied.seq).collect::<Vec<_>>(), [16, 17, 18, 19, 20, 21]);
    assert_eq!(seen[5].moves, entry(1, 2, 5).postings);
}

#[test]
fn a_follower_that_lags_too_far_behind_holds_events_up() {
    let (feed, mut subscription) = ledger::subscribe("test", 0);
    let clock = Arc::new(ManualClock::new(START));
    let config = LedgerConfig { feeds: vec![feed], queue_max: 8192, segment_bytes: 1 << 20, ..config(&clock) };
    let ledger = Ledger::open(Arc::new(SimStorage::default()), config).unwrap();
    ledger.submit_blocking(open_account(1, 1, Floor::Unlimited)).unwrap();
    // Copies of one event: they change nothing, and followers are shown them all the same.
    let copies = vec![open_account(1, 1, Floor::Unlimited); 1024];
    let mut sent = 1;
    while submit_all(&ledger, &copies).iter().all(|answer| answer.is_ok()) {
        sent += copies.len() as u64;
        assert!(sent < LAG_BYTES_MAX / 512, "no bound on the lag");
    }
    assert_eq!(ledger.submit_blocking(copies[0].clone()), Err(SubmitError::Lagging));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(subscription.recv(10_000)).unwrap();
    assert!(ledger.submit_blocking(copies[0].clone()).is_ok(), "it has caught up");
    while submit_all(&ledger, &copies).iter().all(|answer| answer.is_ok()) {}
    drop(subscription);
    assert!(ledger.submit_blocking(copies[0].clone()).is_ok(), "it has gone");
    ledger.close();
}

#[test]
fn a_follower_that_is_far_behind_holds_up_the_start_and_not_the_memory() {
    let disk = SimStorage::default();
    let clock = Arc::new(ManualClock::new(START));
    let ledger = Ledger::open(Arc::new(disk.clone()), LedgerConfig { queue_max: 8192, ..config(&clock) }).unwrap();
    let copies = vec![open_account(1, 1, Floor::Unlimited); 1024];
    // What one queued event counts for.
    let rounds = 2 * LAG_BYTES_MAX / 1024 / copies.len() as u64;
    (0..rounds).for_each(|_| assert!(submit_all(&ledger, &copies).iter().all(|answer| answer.is_ok())));
    ledger.close();

    let (feed, mut subscription) = ledger::subscribe("test", 0);
    let config = LedgerConfig { feeds: vec![feed], ..config(&clock) };
    let opening = std::thread::spawn(move || Ledger::open(Arc::new(disk), config).unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    std::thread::sleep(Duration::from_millis(500));
    let mut seen = 0;
    while !opening.is_finished() && seen < rounds * 1024 {
        assert!(subscription.waiting() <= LAG_BYTES_MAX + 1024 * 1024, "{} bytes wait", subscription.waiting());
        seen += runtime.block_on(subscription.recv(4096)).unwrap().len() as u64;
    }
    let ledger = opening.join().unwrap();
    ledger.close();
    while let Some(events) = runtime.block_on(subscription.recv(4096)) {
        seen += events.len() as u64;
    }
    assert_eq!(seen, rounds * 1024);
}

fn on_disk(folder: &Path, segment_bytes: u64) -> Ledger {
    let storage = FileStorage::open(folder).unwrap();
    let config = LedgerConfig { segment_bytes, ..LedgerConfig::new(Arc::new(SystemClock)) };
    Ledger::open(Arc::new(storage), config).unwrap()
}

/// As [`script`], with ids of today.
fn todays_script(seed: u64, events: u64) -> Vec<Event> {
    let now = SystemClock.now();
    let today = |id: EventId| EventId(id.0 & ((1 << 80) - 1) | u128::from(now) << 80);
    script(seed, events).into_iter().map(|event| Event { id: today(event.id), ..event }).collect()
}

#[test]
fn a_folder_belongs_to_one_process_and_is_checked_beside_it() {
    let data_dir = tempfile::tempdir().unwrap();
    let folder = data_dir.path().join("ledger");
    let ledger = on_disk(&folder, 4096);
    let second = FileStorage::open(&folder).err().unwrap().to_string();
    assert!(second.contains("in use by another process"), "{second}");
    for event in todays_script(1, 200) {
        ledger.submit_blocking(event).unwrap();
    }
    for dir in [data_dir.path(), &folder] {
        let report = verify(dir).unwrap();
        assert_eq!((report.events, report.digest), (200, ledger.digest().unwrap()));
        assert!(report.segments > 5);
    }
    ledger.close();
    drop(ledger);
    let again = on_disk(&folder, 8192);
    assert_eq!(again.last_seq(), Ok(200));
    again.close();
    drop(again);

    let missing = verify(&data_dir.path().join("nowhere")).unwrap_err().to_string();
    assert!(missing.contains("nowhere"), "{missing}");
    let empty = tempfile::tempdir().unwrap();
    let error = verify(empty.path()).unwrap_err().to_string();
    assert!(error.contains("no journal"), "{error}");
}

/// Reading beside a process that writes as fast as it can is never taken for damage.
#[test]
fn a_busy_journal_is_checked_beside_its_writer() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = on_disk(folder.path(), 1 << 16);
    let writer = {
        let ledger = ledger.clone();
        std::thread::spawn(move || {
            for event in todays_script(1, 4_000) {
                ledger.submit_blocking(event).unwrap();
            }
        })
    };
    let (mut checks, mut segments) = (0, 0);
    while !writer.is_finished() {
        let seen = ledger.last_seq().unwrap();
        let report = verify(folder.path()).unwrap();
        assert!(report.events >= seen, "what was answered is there");
        (checks, segments) = (checks + 1, report.segments);
    }
    writer.join().unwrap();
    println!("{checks} checks, {segments} segments");
    ledger.close();
    assert_eq!(verify(folder.path()).unwrap().digest, ledger.digest().unwrap());
}

#[test]
fn a_dump_is_one_json_object_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = on_disk(folder.path(), 4096);
    let script = todays_script(2, 60);
    for event in &script {
        ledger.submit_blocking(event.clone()).unwrap();
    }
    let mut out = Vec::new();
    dump(folder.path(), &mut out).unwrap();
    let lines: Vec<serde_json::Value> =
        String::from_utf8(out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 60);
    for ((line, event), seq) in lines.iter().zip(&script).zip(1..) {
        assert_eq!(line["seq"], seq);
        assert_eq!(line["id"], format!("{:032x}", event.id.0));
    }
    let hold = &lines[4];
    assert_eq!(hold["kind"], "card");
    assert_eq!(hold["outcome"]["code"], "Approved");
    assert_eq!(hold["held"][0], serde_json::json!({"account": 2, "amount": -40}));
    assert_eq!(hold["record"]["kind"], "test");
    assert_eq!(hold["outcome"]["copy_of"], serde_json::Value::Null);
    let copy = lines.iter().find(|line| !line["outcome"]["copy_of"].is_null()).unwrap();
    assert!(copy["outcome"]["copy_of"].as_u64() < copy["seq"].as_u64());
    ledger.close();

    // A reader that has seen enough is not a damaged journal.
    struct Closed(usize);
    impl io::Write for Closed {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::BrokenPipe)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    match dump(folder.path(), Closed(2000)) {
        Err(OpenError::Storage(error)) => assert_eq!(error.kind(), io::ErrorKind::BrokenPipe),
        other => panic!("{other:?}"),
    }
}

/// Batches of 500 entries, more at once than a frame holds.
#[test]
fn large_batches_are_posted_whole_and_read_back() {
    let storage = SimStorage::default();
    let clock = Arc::new(ManualClock::new(START));
    let config = || LedgerConfig { segment_bytes: 1 << 22, ..config(&clock) };
    let ledger = Ledger::open(Arc::new(storage.clone()), config()).unwrap();
    for number in 1..=3 {
        let floor = if number == 1 { Floor::Unlimited } else { Floor::Limited(0) };
        ledger.submit_blocking(open_account(number, number, floor)).unwrap();
    }
    let batch = |number: u64, entries: usize| {
        let entries = (0..entries).map(|odd| entry(1, 2 + odd as u64 % 2, 1)).collect();
        event(number, Body::PostAll { entries, record: vec![] })
    };
    // While the first is synced the others queue, so that one of them does not fit behind those before it.
    let events: Vec<Event> = (10..70).map(|number| batch(number, 500)).collect();
    for answer in submit_all(&ledger, &events) {
        assert_eq!(answer.unwrap().outcome.amount, 500);
    }
    assert_eq!(ledger.account(2).unwrap().unwrap().credits, 60 * 250);
    assert_eq!(ledger.submit_blocking(batch(80, 501)), Err(SubmitError::TooLarge));
    let refused = ledger
        .submit_blocking(event(
            81,
            Body::PostAll { entries: vec![entry(1, 2, 5), entry(3, 2, 99_999)], record: vec![] },
        ))
        .unwrap()
        .outcome;
    assert_eq!((refused.code, refused.reason), (Code::InsufficientFunds, 2));
    let digest = ledger.digest().unwrap();
    ledger.close();
    let report = verify_storage(&storage).unwrap();
    assert_eq!((report.digest, report.events), (digest, 64));
    assert_eq!(Ledger::open(Arc::new(storage), config()).unwrap().digest(), Ok(digest));
    // Segments that are too small for it.
    let small = open(SimStorage::default()).unwrap();
    assert_eq!(small.submit_blocking(batch(1, 200)), Err(SubmitError::TooLarge));
    assert_eq!(small.submit_blocking(open_account(2, 2, Floor::Unlimited)).unwrap().outcome.code, Code::Approved);
}
