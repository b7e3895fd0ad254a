//! The handle, and the one thread behind it.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::clock::Clock;
use crate::controls::{TerminalDay, TerminalId, Usage, UsageKey};
use crate::event::{AccountId, Body, CardId, Content, Event, EventId, Key, Millis};
use crate::journal::Journal;
use crate::limits::{
    BATCH_BYTES_MAX, BATCH_EVENTS_MAX, CLOCK_JUMP_MS, LAG_BYTES_MAX, OVERLAP_EVENTS, SEAL_AFTER_MS, SEGMENT_BYTES,
    SEGMENT_BYTES_MIN, SNAPSHOT_SEGMENTS, TABLES, TICK_BACKLOG_MS, TICK_MS,
};
use crate::messages::{LinkId, StoredMessage};
use crate::outcome::Applied;
use crate::recovery::OpenError;
use crate::snapshot::Snapshots;
use crate::start::{self, Start};
use crate::state::{AccountView, Ahead, Changes, HoldView, Recall, Recorded, Rooms, State};
use crate::storage::Storage;
use crate::submission::{Answer, Job, Stopped, SubmitError, Submitted, SubmittedAll};
use crate::subscription::{AppliedEvent, Feed};

/// How a ledger is set up.
pub struct LedgerConfig {
    pub clock: Arc<dyn Clock>,
    /// Events that may wait for the sequencer.
    pub queue_max: usize,
    /// Size of new segments, at least [`SEGMENT_BYTES_MIN`].
    pub segment_bytes: u64,
    /// Make the next segment, and memory for further records, on threads of their own, ahead of need.
    pub prepare_ahead: bool,
    /// Segments from one snapshot to the next at least, more while a snapshot is much larger; 0 for none. They are made
    /// as segments are, aside where `prepare_ahead`.
    pub snapshot_segments: u64,
    /// A frame of so many events is decided while it is being written, which takes as long. Nobody can read meanwhile.
    pub overlap_events: usize,
    /// Called once when a write or sync has failed or the clock has jumped. Nothing is answered after it.
    pub on_stop: Box<dyn FnOnce(String) + Send>,
    /// To those who follow the ledger; see [`crate::subscribe`].
    pub feeds: Vec<Feed>,
}

impl LedgerConfig {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            queue_max: 4 * BATCH_EVENTS_MAX,
            segment_bytes: SEGMENT_BYTES,
            prepare_ahead: true,
            snapshot_segments: SNAPSHOT_SEGMENTS,
            overlap_events: OVERLAP_EVENTS,
            on_stop: Box::new(|_| {}),
            feeds: Vec::new(),
        }
    }
}

/// Cheap to clone; all clones speak to one ledger.
#[derive(Clone)]
pub struct Ledger {
    jobs: Arc<Mutex<Option<SyncSender<Job>>>>,
    /// Nothing once it may hold what is not durable.
    state: Arc<RwLock<Option<State>>>,
    lags: Arc<Vec<Arc<AtomicU64>>>,
    /// Events in the queue.
    waiting: Arc<AtomicUsize>,
    queue_max: usize,
    /// Of events with their headers: a frame must hold what is submitted at once.
    frame_bytes_max: usize,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Ledger {
    /// Reads the journal back and starts the sequencer.
    pub fn open(storage: Arc<dyn Storage>, config: LedgerConfig) -> Result<Self, OpenError> {
        if config.segment_bytes < SEGMENT_BYTES_MIN {
            let text = format!("segments of {} bytes are too small", config.segment_bytes);
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, text).into());
        }
        let feeds = config.feeds;
        let rooms = config.prepare_ahead.then(Rooms::start).transpose()?;
        let Start { state, position } = start::read_back(&*storage, rooms.as_ref(), &feeds, config.segment_bytes)?;
        let (every, size, aside) = (config.snapshot_segments, config.segment_bytes, config.prepare_ahead);
        let snapshots = Snapshots::new(Arc::clone(&storage), every, size, aside);
        let journal = Journal::open(storage, position, config.segment_bytes, config.prepare_ahead)?;
        let (jobs, queue) = sync_channel(config.queue_max);
        let frame_bytes_max = frame_bytes_max(journal.capacity());
        let queue_max = config.queue_max;
        let lags = Arc::new(feeds.iter().map(Feed::lag).collect());
        let state = Arc::new(RwLock::new(Some(state)));
        let waiting = Arc::new(AtomicUsize::new(0));
        let sequencer = Sequencer {
            queue,
            waiting: Arc::clone(&waiting),
            most_waiting: 0,
            queue_max: config.queue_max,
            overlap_events: config.overlap_events,
            left_over: None,
            journal,
            snapshots,
            state: Arc::clone(&state),
            rooms,
            feeds,
            clock: config.clock,
            on_stop: Some(config.on_stop),
            last_clock: None,
            next_tick: 0,
        };
        let thread = std::thread::Builder::new().name("sequencer".into()).spawn(move || sequencer.run())?;
        let (jobs, thread) = (Arc::new(Mutex::new(Some(jobs))), Arc::new(Mutex::new(Some(thread))));
        Ok(Self { jobs, state, lags, waiting, queue_max, frame_bytes_max, thread })
    }

    fn queue(&self, job: Job) -> Result<(), SubmitError> {
        let count = job.len();
        if job.bytes.len() > self.frame_bytes_max || count > BATCH_EVENTS_MAX.min(self.queue_max) {
            return Err(SubmitError::TooLarge);
        }
        if self.lags.iter().any(|lag| lag.load(Ordering::Relaxed) > LAG_BYTES_MAX) {
            return Err(SubmitError::Lagging);
        }
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let jobs = jobs.as_ref().ok_or(SubmitError::Stopped)?;
        // Counted before they can be taken: the count must not pass below zero.
        let refused = if self.waiting.fetch_add(count, Ordering::Relaxed) + count > self.queue_max {
            SubmitError::Busy
        } else {
            match jobs.try_send(job) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Full(_)) => SubmitError::Busy,
                Err(TrySendError::Disconnected(_)) => SubmitError::Stopped,
            }
        };
        self.waiting.fetch_sub(count, Ordering::Relaxed);
        Err(refused)
    }

    /// The event's outcome, once it is durable.
    pub async fn submit(&self, event: Event) -> Result<Applied, SubmitError> {
        self.submit_later(event)?.outcome().await
    }

    /// As [`Ledger::submit`], for threads without a runtime.
    pub fn submit_blocking(&self, event: Event) -> Result<Applied, SubmitError> {
        self.submit_later(event)?.outcome_blocking()
    }

    /// Queues the event and comes back at once, so that one caller can have many events on their way. Events are taken
    /// in the order in which they were queued.
    pub fn submit_later(&self, event: Event) -> Result<Submitted, SubmitError> {
        let (job, submitted) = Job::one(event).map_err(|_| SubmitError::TooLarge)?;
        self.queue(job).map(|()| submitted)
    }

    /// As [`Ledger::submit_later`], of several events at once, which costs less than one by one. Each is decided for
    /// itself, in their order, and all stand in one frame: after a crash all of them are there, or none. Up to
    /// [`BATCH_EVENTS_MAX`] events of up to a megabyte together; more are `TooLarge`.
    pub fn submit_all_later(&self, events: Vec<Event>) -> Result<SubmittedAll, SubmitError> {
        let (job, submitted) = Job::all(events).map_err(|_| SubmitError::TooLarge)?;
        // A frame of no events would be damage.
        if job.len() == 0 {
            job.answer_nothing();
            return Ok(submitted);
        }
        self.queue(job).map(|()| submitted)
    }

    /// Several reads as of one sequence, which is [`State::seq`]: nothing is applied between them, and nothing is shown
    /// that is not durable. Events wait while `act` works, so it takes what it needs and leaves. `Stopped` where a write
    /// or sync has failed; after an orderly end, reading goes on.
    pub fn read<T>(&self, act: impl FnOnce(&State) -> T) -> Result<T, Stopped> {
        let state = self.state.read().map_err(|_| Stopped)?;
        state.as_ref().map(act).ok_or(Stopped)
    }

    /// A remembered event, by id, or for a repeat by an alias of its first copy.
    pub fn lookup(&self, id: EventId, repeat_of: Option<Key>) -> Result<Option<Recorded>, Stopped> {
        self.read(|state| state.lookup(id, repeat_of))
    }

    /// What is known of an event of this very id, though it may not be accepted any more.
    pub fn recall(&self, id: EventId) -> Result<Recall, Stopped> {
        self.read(|state| state.recall(id))
    }

    /// The hold that an event placed, while it is open.
    pub fn hold(&self, id: EventId) -> Result<Option<HoldView>, Stopped> {
        self.read(|state| state.hold(id))
    }

    pub fn account(&self, id: AccountId) -> Result<Option<AccountView>, Stopped> {
        self.read(|state| state.account(id))
    }

    /// Wrong PINs in a row.
    pub fn pin_tries(&self, card: CardId) -> Result<u8, Stopped> {
        self.read(|state| state.pin_tries(card))
    }

    /// The highest transaction counter that was seen of a card.
    pub fn atc(&self, card: CardId) -> Result<Option<u16>, Stopped> {
        self.read(|state| state.atc(card))
    }

    /// What was used in the current period.
    pub fn usage(&self, usage: UsageKey) -> Result<Usage, Stopped> {
        self.read(|state| state.usage(usage))
    }

    /// The business day of a terminal in a currency.
    pub fn terminal_day(&self, terminal: TerminalId, currency: u16) -> Result<Option<TerminalDay>, Stopped> {
        self.read(|state| state.terminal_day(terminal, currency))
    }

    /// The oldest message that waits for a link: no later one is to be sent before it.
    pub fn next_message(&self, link: LinkId) -> Result<Option<StoredMessage>, Stopped> {
        self.read(|state| state.next_message(link))
    }

    /// Up to so many of the messages that were sent in vain as often as they may.
    pub fn dead_letters(&self, max: usize) -> Result<Vec<StoredMessage>, Stopped> {
        self.read(|state| state.dead_letters().take(max).collect())
    }

    /// Sequence of the last durable event.
    pub fn last_seq(&self) -> Result<u64, Stopped> {
        self.read(State::seq)
    }

    /// Sizes of the state's tables.
    pub fn sizes(&self) -> Result<[(&'static str, usize); TABLES], Stopped> {
        self.read(State::sizes)
    }

    /// Digest of the whole state, which a check of the journal gives too. Reads everything.
    pub fn digest(&self) -> Result<u64, Stopped> {
        self.read(State::digest)
    }

    /// Whether debits equal credits in every currency, and the other invariants hold.
    pub fn check_invariants(&self) -> Result<(), String> {
        self.read(State::check_invariants).map_err(|stopped| stopped.to_string())?
    }

    /// Finishes what is queued, seals the journal and ends the sequencer.
    pub async fn shutdown(&self) {
        let ledger = self.clone();
        let _ = tokio::task::spawn_blocking(move || ledger.close()).await;
    }

    /// As [`Ledger::shutdown`], for threads without a runtime.
    pub fn close(&self) {
        drop(self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

/// The events of one frame being decided.
pub(crate) struct Turn<'a> {
    state: &'a mut State,
    at: Millis,
    first_seq: u64,
    digest: u32,
    /// For those who follow, if anybody does: told once it is durable.
    told: Option<Vec<AppliedEvent>>,
    ahead: Ahead,
}

impl<'a> Turn<'a> {
    fn new(state: &'a mut State, at: Millis, feeds: &[Feed]) -> Self {
        let first_seq = state.seq() + 1;
        Self { state, at, first_seq, digest: 0, told: (!feeds.is_empty()).then(Vec::new), ahead: Ahead::default() }
    }

    pub fn read_ahead<'e>(&mut self, number: usize, next: impl Iterator<Item = &'e Event> + Clone) {
        self.ahead.look(self.state, number, next);
    }

    pub fn decide(&mut self, event: &Event) -> (Applied, Changes) {
        let (applied, changes) = self.state.apply(self.state.seq() + 1, self.at, event);
        self.digest = applied.digest(self.digest);
        (applied, changes)
    }

    pub fn is_followed(&self) -> bool {
        self.told.is_some()
    }

    /// For those who follow, of every event in their order.
    pub fn tell(&mut self, event: Event, applied: &Applied, changes: Changes) {
        if let Some(told) = &mut self.told {
            let seq = self.first_seq + told.len() as u64;
            told.push(AppliedEvent::new(seq, self.at, event, applied, changes));
        }
    }
}

/// What deciding a frame gave.
struct Decided {
    answers: Vec<Answer>,
    digest: u32,
    told: Vec<AppliedEvent>,
}

fn decide(jobs: Vec<Job>, mut turn: Turn<'_>) -> Decided {
    let mut answers = Vec::with_capacity(jobs.len());
    let mut jobs = jobs.into_iter();
    while let Some(job) = {
        turn.read_ahead(answers.len(), jobs.as_slice().iter().flat_map(Job::events));
        jobs.next()
    } {
        answers.push(job.decide(&mut turn));
    }
    Decided { answers, digest: turn.digest, told: turn.told.unwrap_or_default() }
}

/// Bytes of events in one frame.
fn frame_bytes_max(capacity: usize) -> usize {
    BATCH_BYTES_MAX.min(capacity)
}

/// The events of some jobs as they are to be written.
struct Frame {
    at: Millis,
    count: usize,
    bytes: Vec<Vec<u8>>,
}

impl Frame {
    /// Takes their bytes from the jobs.
    fn of(jobs: &mut [Job], at: Millis) -> Self {
        let count = jobs.iter().map(Job::len).sum();
        Self { at, count, bytes: jobs.iter_mut().map(|job| std::mem::take(&mut job.bytes)).collect() }
    }

    /// Returns when they are durable.
    fn write(self, journal: &mut Journal) -> Result<(), String> {
        let started = Instant::now();
        let count = u32::try_from(self.count).map_err(|_| "batch too large")?;
        let written = journal.append(self.at, count, &self.bytes);
        written.map_err(|error| format!("journal write failed: {error}"))?;
        metrics::histogram!("umbra_ledger_sync_seconds").record(started.elapsed().as_secs_f64());
        metrics::histogram!("umbra_ledger_batch_events").record(f64::from(count));
        metrics::counter!("umbra_ledger_written_bytes_total")
            .increment(self.bytes.iter().map(|bytes| bytes.len() as u64).sum());
        Ok(())
    }
}

struct Sequencer {
    queue: Receiver<Job>,
    waiting: Arc<AtomicUsize>,
    /// The most that waited since it was last shown.
    most_waiting: usize,
    queue_max: usize,
    overlap_events: usize,
    /// Was taken and did not fit; comes first in the next batch.
    left_over: Option<Job>,
    journal: Journal,
    snapshots: Snapshots,
    /// Nothing once it may hold what is not durable.
    state: Arc<RwLock<Option<State>>>,
    /// Memory that is ready; `None` where the state makes its own.
    rooms: Option<Rooms>,
    feeds: Vec<Feed>,
    clock: Arc<dyn Clock>,
    on_stop: Option<Box<dyn FnOnce(String) + Send>>,
    /// Wall and monotonic clock at the last batch.
    last_clock: Option<(Millis, Millis)>,
    /// On the monotonic clock.
    next_tick: Millis,
}

/// Only after a failure that has been reported.
const UNREADABLE: &str = "the state cannot be read any more";

/// What came out of the queue.
enum Taken {
    Jobs(Vec<Job>),
    Silence,
    Closed,
}

impl Sequencer {
    fn run(mut self) {
        // A panic is a stop like any other: without this, the process would live on and answer nothing.
        let worked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.work()));
        let result = worked.unwrap_or_else(|_| Err("the sequencer has panicked".into()));
        if let (Err(reason), Some(on_stop)) = (result, self.on_stop.take()) {
            on_stop(reason);
        }
        // Dropping the queue tells everybody who waits.
    }

    fn work(&mut self) -> Result<(), String> {
        loop {
            let wait = if self.journal.unsealed() { SEAL_AFTER_MS } else { self.until_tick() };
            match self.take(Duration::from_millis(wait)) {
                Taken::Jobs(jobs) => self.batch(jobs)?,
                Taken::Silence if self.journal.unsealed() => self.seal()?,
                Taken::Silence => {}
                Taken::Closed => {
                    return if self.journal.unsealed() { self.seal() } else { Ok(()) };
                }
            }
            self.tick_if_due()?;
        }
    }

    /// Waits for the first event, then takes what queued meanwhile, within the bounds of a batch.
    fn take(&mut self, wait: Duration) -> Taken {
        let was_left_over = self.left_over.is_some();
        let first = match self.left_over.take().map_or_else(|| self.queue.recv_timeout(wait), Ok) {
            Ok(job) => job,
            Err(RecvTimeoutError::Timeout) => return Taken::Silence,
            Err(RecvTimeoutError::Disconnected) => return Taken::Closed,
        };
        let bytes_max = frame_bytes_max(self.journal.capacity());
        let (mut bytes, mut events) = (first.bytes.len(), first.len());
        let mut jobs = vec![first];
        while events < BATCH_EVENTS_MAX {
            let Ok(job) = self.queue.try_recv() else { break };
            bytes += job.bytes.len();
            events += job.len();
            if bytes > bytes_max || events > BATCH_EVENTS_MAX {
                self.left_over = Some(job);
                break;
            }
            jobs.push(job);
        }
        // What is left over has been taken from the queue too; what was left over before had been.
        let taken = self.left_over.iter().chain(&jobs[usize::from(was_left_over)..]).map(Job::len).sum();
        // Those who are being refused are counted for a moment too.
        let waited = self.waiting.fetch_sub(taken, Ordering::Relaxed);
        self.most_waiting = self.most_waiting.max(waited.min(self.queue_max));
        Taken::Jobs(jobs)
    }

    /// Writes, decides, tells and answers. A crash before the write is durable leaves nothing that was told or answered;
    /// after it, replay gives the same outcomes.
    fn batch(&mut self, mut jobs: Vec<Job>) -> Result<(), String> {
        let last_at = self.read(State::at)?;
        // Events of a frame share its time. Moved on with each of them, time would run ahead of the clock above a
        // thousand a second: holds would end early, and in the end every new id would be too old.
        let at = self.now()?.max(last_at);
        let frame = Frame::of(&mut jobs, at);
        let segment = self.journal.segment();
        let decided = if frame.count < self.overlap_events {
            self.write_then_decide(frame, jobs)?
        } else {
            self.write_while_deciding(frame, jobs)?
        };
        self.journal.set_outcomes(decided.digest);
        decided.told.iter().for_each(|applied| self.feeds.iter().for_each(|feed| feed.send(applied)));
        decided.answers.into_iter().for_each(Answer::send);
        self.note_segment(segment);
        Ok(())
    }

    fn write_then_decide(&mut self, frame: Frame, jobs: Vec<Job>) -> Result<Decided, String> {
        let at = frame.at;
        frame.write(&mut self.journal)?;
        let mut locked = self.state.write().map_err(|_| UNREADABLE)?;
        let state = locked.as_mut().ok_or(UNREADABLE)?;
        self.rooms.iter().for_each(|rooms| rooms.give(state));
        Ok(decide(jobs, Turn::new(state, at, &self.feeds)))
    }

    /// Of many events deciding takes longer than writing, so both are done at once. Nobody sees the state before it is
    /// durable: it stays locked until then. If the write fails it is taken away, and a panic poisons the lock.
    fn write_while_deciding(&mut self, frame: Frame, jobs: Vec<Job>) -> Result<Decided, String> {
        let Self { journal, state, rooms, feeds, .. } = self;
        let mut locked = state.write().map_err(|_| UNREADABLE)?;
        let state = locked.as_mut().ok_or(UNREADABLE)?;
        rooms.iter().for_each(|rooms| rooms.give(state));
        let turn = Turn::new(state, frame.at, feeds);
        let (decided, written) = std::thread::scope(|scope| {
            let writer = std::thread::Builder::new().name("sequencer".into());
            let writing = writer
                .spawn_scoped(scope, || frame.write(journal))
                .map_err(|error| format!("the system gives no thread to write the journal with: {error}"))?;
            Ok::<_, String>((decide(jobs, turn), writing.join()))
        })?;
        let written = written.unwrap_or_else(|_| Err("the writing of the journal has panicked".into()));
        if written.is_err() {
            *locked = None;
        }
        written.map(|()| decided)
    }

    fn seal(&mut self) -> Result<(), String> {
        let segment = self.journal.segment();
        self.journal.seal().map_err(|error| format!("journal seal failed: {error}"))?;
        self.note_segment(segment);
        Ok(())
    }

    /// After a write: whether it went into another segment than the one before.
    fn note_segment(&mut self, before: u64) {
        let segment = self.journal.segment();
        if segment != before {
            self.snapshots.segment_closed(segment);
        }
    }

    fn read<T>(&self, act: impl FnOnce(&State) -> T) -> Result<T, String> {
        let state = self.state.read().map_err(|_| UNREADABLE)?;
        Ok(state.as_ref().map(act).ok_or(UNREADABLE)?)
    }

    /// The clock, checked against the one that only goes forward.
    fn now(&mut self) -> Result<Millis, String> {
        let (wall, monotonic) = (self.clock.now(), self.clock.monotonic());
        if let Some((last_wall, last_monotonic)) = self.last_clock {
            let passed = monotonic.saturating_sub(last_monotonic);
            if wall > last_wall.saturating_add(passed).saturating_add(CLOCK_JUMP_MS) {
                return Err(format!(
                    "the system clock jumped ahead by more than {} s; set it right and start again",
                    CLOCK_JUMP_MS / 1000
                ));
            }
        }
        self.last_clock = Some((wall, monotonic));
        Ok(wall)
    }

    /// Gauges of everything that has a bound.
    fn show_how_full_it_is(&mut self) -> Result<(), String> {
        for feed in &self.feeds {
            metrics::gauge!("umbra_ledger_lag_bytes", "follower" => feed.name.clone())
                .set(feed.lag().load(Ordering::Relaxed) as f64);
        }
        metrics::gauge!("umbra_ledger_queue_events").set(self.most_waiting as f64);
        metrics::gauge!("umbra_ledger_queue_events_bound").set(self.queue_max as f64);
        self.most_waiting = 0;
        metrics::gauge!("umbra_ledger_lag_bytes_bound").set(LAG_BYTES_MAX as f64);
        let (sizes, bounds) = self.read(|state| (state.sizes(), state.bounds().tables()))?;
        for ((table, rows), (_, bound)) in sizes.into_iter().zip(bounds) {
            metrics::gauge!("umbra_ledger_rows", "table" => table).set(rows as f64);
            metrics::gauge!("umbra_ledger_rows_bound", "table" => table).set(bound as f64);
        }
        Ok(())
    }

    fn until_tick(&self) -> Millis {
        self.next_tick.saturating_sub(self.clock.monotonic()).clamp(1, TICK_MS)
    }

    fn tick_if_due(&mut self) -> Result<(), String> {
        let monotonic = self.clock.monotonic();
        if monotonic < self.next_tick {
            return Ok(());
        }
        self.next_tick = monotonic.saturating_add(TICK_MS);
        let now = self.now()?;
        self.show_how_full_it_is()?;
        let is_due = |state: &State| state.next_due().is_some_and(|due| due <= now);
        if !self.read(is_due)? {
            return Ok(());
        }
        let event = Event::new(EventId::new(now, [0; 10]), Content([0; 16]), Body::Tick);
        let (tick, _) = Job::one(event).map_err(|error| error.to_string())?;
        self.batch(vec![tick])?;
        if self.read(is_due)? {
            self.next_tick = monotonic.saturating_add(TICK_BACKLOG_MS);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Entry;
    use crate::limits::RECORD_MAX;
    use crate::testing::{ManualClock, SimStorage};

    /// What is refused, left over from a batch, or taken is not counted as waiting any more.
    #[test]
    fn the_count_of_what_waits_comes_back_to_zero() {
        const START: Millis = 1_800_000_000_000;
        let config = LedgerConfig {
            queue_max: 4,
            prepare_ahead: false,
            segment_bytes: SEGMENT_BYTES_MIN,
            ..LedgerConfig::new(Arc::new(ManualClock::new(START)))
        };
        let ledger = Ledger::open(Arc::new(SimStorage::default()), config).unwrap();
        // Three of them fill a frame, so that a full queue leaves one over.
        let post = |number: u64| {
            let mut low = [0; 10];
            low[..8].copy_from_slice(&number.to_be_bytes());
            let entry = Entry { currency: 710, postings: Vec::new() };
            let body = Body::Post { entry, record: vec![b' '; RECORD_MAX] };
            Event::new(EventId::new(START, low), Content([0; 16]), body)
        };
        let submitter = |first: u64| {
            let ledger = ledger.clone();
            std::thread::spawn(move || {
                let mut waiting = Vec::new();
                let mut refused = 0;
                for number in first..first + 500 {
                    match ledger.submit_later(post(number)) {
                        Ok(submitted) => waiting.push(submitted),
                        Err(error) => {
                            assert_eq!(error, SubmitError::Busy);
                            refused += 1;
                        }
                    }
                }
                waiting.into_iter().for_each(|submitted| assert!(submitted.outcome_blocking().is_ok()));
                refused
            })
        };
        let threads = [submitter(0), submitter(10_000)];
        let refused: u32 = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
        assert!(refused > 0, "the queue was never full");
        assert_eq!(ledger.waiting.load(Ordering::Relaxed), 0);
        ledger.close();
        assert_eq!(ledger.submit_blocking(post(99_999)), Err(SubmitError::Stopped));
        assert_eq!(ledger.waiting.load(Ordering::Relaxed), 0);
    }
}
