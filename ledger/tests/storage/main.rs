//! The ledger over a disk that fails: power cuts, killed processes and failing calls at every call in turn.
//!
//! Each run works a script of events through until the disk fails, lets power or process go, opens the ledger again and
//! sends whatever was not answered once more. Then everything must be as if nothing had happened: [`Run::check`].

mod planted;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use ledger::testing::{ManualClock, SimStorage};
use ledger::{
    AccountId, AccountView, Applied, Body, CardAction, Code, Event, EventId, Ledger, LedgerConfig, OpenError, State,
    Stopped, Storage, SubmitError, verify_storage,
};
use support::{START, config, on_all_processors, open, script, submit_all};

/// Events sent at once.
const BATCH: usize = 4;
/// Enough to fill a segment, so that going on in the next is part of every run.
const EVENTS: u64 = 26;

fn seeds() -> usize {
    if std::env::var_os("UMBRA_TESTS_LONG").is_some() { 10_000 } else { 200 }
}

/// What of an outcome does not depend on how often the events before it were sent.
type Essence = (Code, i64, Option<AccountId>, i64, i64);

/// A forward's outcome goes on from `Forwarded` with its answer, and copies are told the later one: what it comes to in
/// the end is in the balances.
fn essence(event: &Event, applied: &Applied) -> Essence {
    let outcome = &applied.outcome;
    let is_forward = matches!(&event.body, Body::Card(card) if matches!(card.action, CardAction::Forward { .. }));
    if is_forward && [Code::Approved, Code::Declined, Code::Unanswered].contains(&outcome.code) {
        return (Code::Forwarded, 0, None, 0, 0);
    }
    (outcome.code, outcome.amount, outcome.account, outcome.balance, outcome.available)
}

/// What a script comes to where nothing fails.
struct Expected {
    outcomes: BTreeMap<EventId, Essence>,
    accounts: Vec<Option<AccountView>>,
}

const ACCOUNTS: [AccountId; 3] = [1, 2, 3];

impl Expected {
    fn of(script: &[Event]) -> Self {
        let mut state = State::default();
        let mut outcomes = BTreeMap::new();
        for (event, seq) in script.iter().zip(1..) {
            let (applied, _) = state.apply(seq, START + seq, event);
            outcomes.entry(event.id).or_insert(essence(event, &applied));
        }
        Self { outcomes, accounts: ACCOUNTS.map(|id| state.account(id)).into() }
    }
}

/// What fails first; in the end the power always does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Power,
    /// One call fails and the disk goes on as if nothing had happened, until the power goes: whoever goes on too, or
    /// tries again, loses what that call had to do.
    OneCall,
    /// The process dies, is started again, shows what it has, and then the power goes.
    Process,
}

struct Run<'a> {
    seed: u64,
    script: &'a [Event],
    expected: &'a Expected,
    disk: SimStorage,
    /// The disk as the ledger has it: the same one, or something between that breaks promises.
    storage: Arc<dyn Storage>,
    /// Of odd seeds one with every segment, of even ones none.
    snapshot_segments: u64,
    /// Of every second pair of seeds every frame is decided while it is written, of the others none.
    overlap_events: usize,
    acknowledged: BTreeMap<EventId, Essence>,
}

impl<'a> Run<'a> {
    fn new(seed: u64, script: &'a [Event], expected: &'a Expected) -> Self {
        let disk = SimStorage::default();
        let storage = Arc::new(disk.clone());
        let overlap_events = if (seed / 2).is_multiple_of(2) { 1 } else { usize::MAX };
        let (snapshot_segments, acknowledged) = (seed % 2, BTreeMap::new());
        Self { seed, script, expected, disk, storage, snapshot_segments, overlap_events, acknowledged }
    }

    fn open(&self) -> Result<Ledger, OpenError> {
        let clock = Arc::new(ManualClock::new(START));
        let config = LedgerConfig {
            snapshot_segments: self.snapshot_segments,
            overlap_events: self.overlap_events,
            ..config(&clock)
        };
        Ledger::open(Arc::clone(&self.storage), config)
    }

    /// The calls a script takes where nothing fails.
    fn calls(mut self) -> u64 {
        self.work().unwrap();
        assert!(verify_storage(&self.disk).unwrap().segments > 1, "no segment was filled");
        self.disk.calls()
    }

    /// The whole run: `fail_at` is the call that fails first.
    fn check(mut self, fail_at: u64, end: End) -> Result<(), String> {
        match end {
            End::OneCall => self.disk.fail_once_at(fail_at),
            End::Power | End::Process => self.disk.fail_at(fail_at),
        }
        self.work()?;
        if end == End::Process {
            self.disk.kill();
            let ledger = self.open().map_err(|error| format!("after a kill: {error}"))?;
            // What is shown has to stay.
            for event in self.script {
                if let Some(known) = ledger.lookup(event.id, None).unwrap() {
                    self.acknowledged.insert(event.id, essence(event, &known.applied));
                }
            }
            // No orderly end: the copy of the disk shares nothing with the process that still has the old one.
            self.disk = self.disk.fork();
            self.storage = Arc::new(self.disk.clone());
            ledger.close();
        }
        self.disk.crash(self.seed);
        self.recover_with_failures()?;
        self.finish()
    }

    /// Opens the ledger and sends the script until something fails. Two ledgers after each other, so that starting on
    /// what is there is part of it.
    fn work(&mut self) -> Result<(), String> {
        let (first, second) = self.script.split_at(self.script.len() / 2);
        for part in [first, second] {
            let Ok(ledger) = self.open() else { return Ok(()) };
            let stopped = self.send(&ledger, part)?;
            ledger.close();
            if stopped {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Sends events in batches. Gives whether the ledger stopped.
    fn send(&mut self, ledger: &Ledger, events: &[Event]) -> Result<bool, String> {
        for batch in events.chunks(BATCH) {
            let mut stopped = false;
            for (event, answer) in batch.iter().zip(submit_all(ledger, batch)) {
                match answer {
                    Ok(_) if stopped => return Err("an answer after the ledger had stopped".into()),
                    Ok(applied) => {
                        self.acknowledged.insert(event.id, essence(event, &applied));
                    }
                    Err(SubmitError::Stopped) => {
                        stopped = true;
                        let is_shown = matches!(ledger.lookup(event.id, None), Ok(Some(_)));
                        if is_shown && !self.acknowledged.contains_key(&event.id) {
                            return Err("an event can be read that is not durable".into());
                        }
                    }
                    Err(error) => return Err(error.to_string()),
                }
            }
            if stopped {
                let after = submit_all(ledger, events);
                let is_answered = after.iter().any(|answer| *answer != Err(SubmitError::Stopped));
                return if is_answered { Err("an answer after a failed call".into()) } else { Ok(true) };
            }
        }
        Ok(false)
    }

    /// Power may go again while the ledger puts in order what the last cut has left.
    fn recover_with_failures(&mut self) -> Result<(), String> {
        for fail_at in 1..=self.seed % 6 {
            self.disk.fail_at(fail_at);
            match self.open() {
                Ok(ledger) => ledger.close(),
                Err(OpenError::Storage(_)) => {}
                Err(error) => return Err(format!("after a power cut: {error}")),
            }
            self.disk.crash(self.seed + fail_at);
        }
        Ok(())
    }

    fn finish(mut self) -> Result<(), String> {
        let ledger = self.open().map_err(|error| format!("after a power cut: {error}"))?;
        for event in self.script {
            let Some(essence) = self.acknowledged.get(&event.id) else { continue };
            let found = ledger.lookup(event.id, None).unwrap().map(|known| self::essence(event, &known.applied));
            if found.as_ref() != Some(essence) {
                return Err(format!("acknowledged {essence:?}, found {found:?}"));
            }
        }
        let missing: Vec<Event> =
            self.script.iter().filter(|event| !self.acknowledged.contains_key(&event.id)).cloned().collect();
        self.send(&ledger, &missing)?;
        ledger.check_invariants()?;
        if self.acknowledged != self.expected.outcomes {
            return Err("other outcomes than without the failure".into());
        }
        let accounts: Vec<_> = ACCOUNTS.map(|id| ledger.account(id).unwrap()).into();
        if accounts != self.expected.accounts {
            return Err("other balances than without the failure".into());
        }
        let digest = ledger.digest().unwrap();
        ledger.close();
        let report = verify_storage(&*self.storage).map_err(|error| error.to_string())?;
        if report.digest != digest || report.unfinished.is_some() {
            return Err("the journal gives another state than the ledger had".into());
        }
        Ok(())
    }
}

/// Puts something between ledger and disk.
type Wrap<'a> = &'a (dyn Fn(SimStorage) -> Arc<dyn Storage> + Sync);

/// Every call of a seed's script fails once. Gives the number of runs and what they found.
fn every_call(seed: u64, end: End, wrap: Option<Wrap<'_>>) -> (u64, Vec<String>) {
    let script = script(seed, EVENTS);
    let expected = Expected::of(&script);
    let calls = Run::new(seed, &script, &expected).calls();
    let mut faults = Vec::new();
    for fail_at in 1..=calls {
        let mut run = Run::new(seed, &script, &expected);
        if let Some(wrap) = wrap {
            run.storage = wrap(run.disk.clone());
        }
        if let Err(fault) = run.check(fail_at, end) {
            faults.push(format!("seed {seed}, call {fail_at} of {calls}, {end:?}: {fault}"));
        }
    }
    (calls, faults)
}

/// The same for many seeds, on all processors.
fn every_seed(seeds: usize, end: End, wrap: Option<Wrap<'_>>) -> (u64, Vec<String>) {
    let add =
        |(runs, faults): (u64, Vec<String>), (more, found): (u64, Vec<String>)| (runs + more, [faults, found].concat());
    let all =
        on_all_processors(seeds, |share| share.map(|seed| every_call(seed as u64, end, wrap)).fold((0, vec![]), add));
    let (runs, faults) = all.into_iter().fold((0, vec![]), add);
    println!("{end:?}: {runs} runs, {} faults", faults.len());
    (runs, faults)
}

#[test]
fn nothing_is_lost_or_doubled_by_a_power_cut_at_any_call() {
    let (runs, faults) = every_seed(seeds(), End::Power, None);
    assert!(runs > 20 * seeds() as u64, "a script takes too few calls to say much");
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn what_a_killed_process_left_is_durable_before_it_is_shown() {
    let (_, faults) = every_seed(seeds() / 4, End::Process, None);
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn a_call_that_fails_once_is_the_last() {
    let (_, faults) = every_seed(seeds() / 2, End::OneCall, None);
    assert_eq!(faults, Vec::<String>::new());
}

/// The check can fail: it finds events that are lost or posted twice although all calls were right.
#[test]
fn a_lost_or_doubled_event_is_found_out() {
    let script = script(1, EVENTS);
    let expected = Expected::of(&script);
    for (what, events) in [
        ("a payment left out", [&script[..6], &script[7..]].concat()),
        ("a payment twice", [&script[..], &[support::post(999, 1, 2, 5)]].concat()),
    ] {
        let ledger_script = events;
        let mut run = Run::new(1, &ledger_script, &expected);
        run.work().unwrap();
        assert!(run.finish().is_err(), "{what}");
    }
}

/// A failed call stops the ledger once and for all, and says so once. What is not durable cannot be read: where an event
/// was decided before, nothing can any more. Who follows is told of the first event alone.
#[test]
fn a_failed_call_is_reported_once() {
    for (overlap_events, failing, shown) in [
        (usize::MAX, "write", Ok(1)),
        (usize::MAX, "sync", Ok(1)),
        (1, "write", Err(Stopped)),
        (1, "sync", Err(Stopped)),
    ] {
        let disk = SimStorage::default();
        let reports = Arc::new(AtomicU32::new(0));
        let clock = Arc::new(ManualClock::new(START));
        let counter = Arc::clone(&reports);
        let on_stop = Box::new(move |reason: String| {
            assert!(reason.contains("the disk has failed"), "{reason}");
            counter.fetch_add(1, Ordering::SeqCst);
        });
        let (feed, mut followed) = ledger::subscribe("follower", 0);
        let config = LedgerConfig { on_stop, overlap_events, feeds: vec![feed], ..config(&clock) };
        let ledger = Ledger::open(Arc::new(disk.clone()), config).unwrap();
        let script = script(1, 10);
        ledger.submit_blocking(script[0].clone()).unwrap();
        disk.fail_at(if failing == "write" { 1 } else { 2 });
        for event in &script[1..] {
            assert_eq!(ledger.submit_blocking(event.clone()), Err(SubmitError::Stopped));
        }
        ledger.close();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let told = runtime.block_on(followed.recv(100)).unwrap();
        assert_eq!(told.iter().map(|applied| applied.seq).collect::<Vec<_>>(), [1], "{overlap_events} {failing}");
        assert_eq!((ledger.last_seq(), reports.load(Ordering::SeqCst)), (shown, 1), "{overlap_events} {failing}");
    }
}

/// The same journal read twice, by the ledger and by the check, is the same state.
#[test]
fn a_journal_is_read_back_as_it_was_written() {
    let disk = SimStorage::default();
    let ledger = open(disk.clone()).unwrap();
    for event in script(5, 200) {
        ledger.submit_blocking(event).unwrap();
        // Now and then silence, after which the last frame is sealed.
        if ledger.last_seq().unwrap().is_multiple_of(50) {
            std::thread::sleep(std::time::Duration::from_millis(30));
        }
    }
    let digest = ledger.digest().unwrap();
    ledger.close();
    let report = verify_storage(&disk).unwrap();
    assert!(report.segments > 5, "{report:?}");
    for _ in 0..2 {
        let ledger = open(disk.clone()).unwrap();
        assert_eq!(ledger.digest().unwrap(), digest);
        ledger.close();
    }
    assert_eq!(verify_storage(&disk).unwrap().digest, digest);
    assert_eq!(report.events, 200);
}
