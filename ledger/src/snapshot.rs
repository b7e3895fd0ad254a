//! Snapshots: the state at the start of a segment, so that a start need not read what was written before it.
//!
//! They are made from the journal, not from the state that events are applied to: what is closed is read back from the
//! snapshot before it, aside, while the sequencer goes on. It never waits, and every snapshot proves the journal that
//! it stands for once more: each checksum, each outcome. `FORMAT.md` shows the file byte by byte.

use std::io::{self, BufWriter, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;

use crate::direct::BLOCK;
use crate::journal::{
    ARCHIVED, FORMAT_VERSION, LIVE, Position, RULES_OLDEST, RULES_VERSION, SEGMENT_HEADER, array, first_seq_of, sealed,
    segment_name, unsealed,
};
use crate::limits::SNAPSHOT_SHARE;
use crate::recovery::{self, OpenError, Range};
use crate::state::{Rooms, State};
use crate::storage::{Storage, StorageFile};

/// Written under this name, and renamed when it is whole and durable.
const NEXT: &str = "next.snapshot";
/// The older one is for the case that the newer does not read.
const KEPT: usize = 2;
/// Bytes written at once.
const BUFFER: usize = 1 << 20;

const ENDING: &str = ".snapshot";

/// A snapshot is named by the first sequence that is not in it.
pub fn snapshot_name(next_seq: u64) -> String {
    format!("{next_seq:020}{ENDING}")
}

/// First sequences that are not in the snapshots that are there; in order.
pub fn list(storage: &dyn Storage) -> io::Result<Vec<u64>> {
    let names = storage.list()?;
    let mut found: Vec<u64> = names.iter().filter_map(|name| first_seq_of(name, ENDING)).collect();
    found.sort_unstable();
    Ok(found)
}

/// A state, and the place in the journal at which it goes on.
pub struct Snapshot {
    pub state: State,
    pub position: Position,
}

/// The newest that reads and holds no event after `last_seq`. One that does not read is passed over: the journal still
/// has what an older one lacks.
pub fn newest(storage: &dyn Storage, last_seq: u64, rooms: Option<&Rooms>) -> io::Result<Option<Snapshot>> {
    for next_seq in list(storage)?.into_iter().rev().filter(|next_seq| *next_seq <= last_seq.saturating_add(1)) {
        match read(storage, next_seq, rooms) {
            Ok(snapshot) => return Ok(Some(snapshot)),
            Err(error) => tracing::warn!(
                file = snapshot_name(next_seq),
                %error,
                "this snapshot does not read; going on from an older one"
            ),
        }
    }
    Ok(None)
}

/// Reads one whole, every check made.
pub fn read(storage: &dyn Storage, next_seq: u64, rooms: Option<&Rooms>) -> io::Result<Snapshot> {
    let mut file = storage.reader(&snapshot_name(next_seq))?;
    let mut bytes = [0; HEADER];
    file.read_exact(&mut bytes)?;
    let header = Header::decode(&bytes).ok_or_else(|| invalid("its header does not read"))?;
    let is_known = header.version == FORMAT_VERSION && (RULES_OLDEST..=RULES_VERSION).contains(&header.rules);
    if !is_known {
        return Err(invalid("it was written by another version of this program"));
    }
    let (state, sum) = std::thread::scope(|scope| {
        let (blocks, body) = sync_channel(READ_AHEAD);
        let read = move || read_body(file, header.length, &blocks);
        let reading = std::thread::Builder::new().name("snapshot-read".into()).spawn_scoped(scope, read)?;
        let state = read_state(Body { blocks: body, block: Vec::new(), at: 0 }, rooms);
        // Where reading has failed, the state has only missed what comes next.
        let sum = reading.join().unwrap_or_else(|_| Err(io::Error::other("the reading has panicked")))?;
        Ok::<_, io::Error>((state?, sum))
    })?;
    let position = header.position();
    if sum != header.sum || position.next_seq != next_seq || (state.seq() + 1, state.at()) != (next_seq, position.at) {
        return Err(invalid("it is not what its checksum and name say"));
    }
    Ok(Snapshot { state, position })
}

fn read_state(mut body: Body, rooms: Option<&Rooms>) -> io::Result<State> {
    let state = State::read_image(&mut body, rooms)?;
    if body.read(&mut [0])? > 0 { Err(invalid("bytes are left behind its last table")) } else { Ok(state) }
}

/// Writes one beside, makes it durable, and gives it its name: whatever stops this leaves those that were there.
/// Gives its size.
fn write(storage: &dyn Storage, snapshot: &Snapshot, stop: &AtomicBool) -> io::Result<u64> {
    storage.create(NEXT, 0)?;
    let mut file = storage.open_log(NEXT)?;
    file.write_at(0, &[0; HEADER])?;
    let body = AtEnd { file, offset: HEADER as u64, sum: 0, stop };
    let mut body = BufWriter::with_capacity(BUFFER, body);
    snapshot.state.write_image(&mut body)?;
    let AtEnd { mut file, offset, sum, .. } = body.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync()?;
    // No longer at its end.
    let mut file = storage.open(NEXT)?;
    file.write_at(0, &Header::new(&snapshot.position, offset - HEADER as u64, sum).encode())?;
    file.sync()?;
    storage.rename(NEXT, &snapshot_name(snapshot.position.next_seq))?;
    storage.sync_dir()?;
    Ok(offset)
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

const MAGIC: [u8; 4] = *b"UMSN";
const HEADER: usize = 64;

/// Start of a snapshot file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    version: u8,
    rules: u8,
    ledger: [u8; 16],
    next_seq: u64,
    /// Time of the last event.
    at: u64,
    /// Header checksum of the frame that closes the segment before.
    previous: u32,
    /// Digest of the outcomes of the last frame of events.
    outcomes: u32,
    /// Of what follows the header, and its CRC-32C.
    length: u64,
    sum: u32,
}

impl Header {
    fn new(position: &Position, length: u64, sum: u32) -> Self {
        let Position { ledger, next_seq, at, previous, outcomes, .. } = *position;
        let (version, rules) = (FORMAT_VERSION, RULES_VERSION);
        Self { version, rules, ledger, next_seq, at, previous, outcomes, length, sum }
    }

    fn encode(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..4].copy_from_slice(&MAGIC);
        (bytes[4], bytes[5]) = (self.version, self.rules);
        bytes[8..24].copy_from_slice(&self.ledger);
        bytes[24..32].copy_from_slice(&self.next_seq.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.at.to_le_bytes());
        bytes[40..44].copy_from_slice(&self.previous.to_le_bytes());
        bytes[44..48].copy_from_slice(&self.outcomes.to_le_bytes());
        bytes[48..56].copy_from_slice(&self.length.to_le_bytes());
        bytes[56..60].copy_from_slice(&self.sum.to_le_bytes());
        sealed(bytes)
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (bytes, _) = unsealed(bytes, MAGIC)?;
        Some(Self {
            version: bytes[4],
            rules: bytes[5],
            ledger: array(bytes, 8)?,
            next_seq: u64::from_le_bytes(array(bytes, 24)?),
            at: u64::from_le_bytes(array(bytes, 32)?),
            previous: u32::from_le_bytes(array(bytes, 40)?),
            outcomes: u32::from_le_bytes(array(bytes, 44)?),
            length: u64::from_le_bytes(array(bytes, 48)?),
            sum: u32::from_le_bytes(array(bytes, 56)?),
        })
    }

    /// The start of the segment that follows; its size is read from it.
    fn position(&self) -> Position {
        Position {
            ledger: self.ledger,
            segment: segment_name(self.next_seq),
            segment_size: 0,
            offset: SEGMENT_HEADER as u64,
            previous: self.previous,
            outcomes: self.outcomes,
            next_seq: self.next_seq,
            at: self.at,
            unsealed: false,
        }
    }
}

/// Blocks that are read ahead.
const READ_AHEAD: usize = 4;

/// Reads what follows the header, block by block, and sums it up; ends early where nobody wants it any more. Behind it
/// stands only what fills the file up.
fn read_body(file: impl Read, length: u64, blocks: &SyncSender<Vec<u8>>) -> io::Result<u32> {
    let (mut body, mut sum) = (file.take(length), 0);
    while body.limit() > 0 {
        let mut block = Vec::with_capacity(BUFFER);
        if body.by_ref().take(BUFFER as u64).read_to_end(&mut block)? == 0 {
            return Err(invalid("bytes are missing"));
        }
        sum = crc32c::crc32c_append(sum, &block);
        if blocks.send(block).is_err() {
            return Ok(sum);
        }
    }
    let mut behind = Vec::new();
    body.into_inner().take(BLOCK as u64).read_to_end(&mut behind)?;
    let is_filling = behind.len() < BLOCK && behind.iter().all(|byte| *byte == 0);
    if is_filling { Ok(sum) } else { Err(invalid("bytes are left behind its end")) }
}

/// What [`read_body`] reads.
struct Body {
    blocks: Receiver<Vec<u8>>,
    block: Vec<u8>,
    at: usize,
}

impl Read for Body {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.block.len() {
            (self.block, self.at) = (self.blocks.recv().unwrap_or_default(), 0);
        }
        let count = self.block.get(self.at..).unwrap_or_default().read(bytes)?;
        self.at += count;
        Ok(count)
    }
}

/// Writes on behind what was written, and sums it up.
struct AtEnd<'a> {
    file: Box<dyn StorageFile>,
    offset: u64,
    sum: u32,
    stop: &'a AtomicBool,
}

impl Write for AtEnd<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        going_on(self.stop)?;
        self.file.write_at(self.offset, bytes)?;
        self.offset += bytes.len() as u64;
        self.sum = crc32c::crc32c_append(self.sum, bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// When the next snapshot is due. Each is the whole state written anew, so the journal since the last one must be worth
/// it: a number of segments, and so many that they are a part of what is written. What a start replays stays in
/// proportion to what it reads.
#[derive(Clone, Copy)]
struct Pace {
    /// Segments from one to the next at least; 0 for no snapshots.
    every: u64,
    segment_bytes: u64,
    /// Segments closed since the last one.
    closed: u64,
    /// Bytes of the last one.
    last: u64,
}

impl Pace {
    fn is_due(&self) -> bool {
        self.closed >= self.every && self.closed.saturating_mul(self.segment_bytes) >= self.last / SNAPSHOT_SHARE
    }

    /// Whether one must not wait for others any more: a start would replay much more than it should.
    fn is_urgent(&self) -> bool {
        self.closed >= self.every.saturating_mul(4)
            && self.closed.saturating_mul(self.segment_bytes) >= self.last.saturating_mul(2)
    }

    fn made(&mut self, bytes: Option<u64>) {
        self.closed = 0;
        self.last = bytes.unwrap_or(self.last);
    }
}

/// Makes snapshots, and puts segments aside that nobody needs any more.
pub struct Snapshots {
    storage: Arc<dyn Storage>,
    /// A thread has its own.
    pace: Pace,
    /// On a thread of its own.
    aside: bool,
    /// The ledger is being closed: what is not done is left.
    stop: Arc<AtomicBool>,
    /// The thread, and where it hears of closed segments.
    running: Option<(Sender<u64>, JoinHandle<()>)>,
}

impl Snapshots {
    /// `every`: segments from one to the next at least; 0 for none.
    pub fn new(storage: Arc<dyn Storage>, every: u64, segment_bytes: u64, aside: bool) -> Self {
        let pace = Pace { every, segment_bytes, closed: 0, last: 0 };
        Self { storage, pace, aside, stop: Arc::default(), running: None }
    }

    /// A segment has been closed, and the one that begins with `next_seq` follows it. While one snapshot is being made
    /// no other begins; those closed meanwhile are counted for the next, which then begins at once.
    pub fn segment_closed(&mut self, next_seq: u64) {
        if self.pace.every == 0 {
            return;
        }
        if !self.aside {
            self.pace.closed += 1;
            if self.pace.is_due() {
                self.pace.made(make_and_tell(&*self.storage, next_seq, &self.stop));
            }
            return;
        }
        if let Some((_, thread)) = self.running.take_if(|(_, thread)| thread.is_finished()) {
            // It ends by itself only where it has panicked.
            let _ = thread.join();
            metrics::counter!("umbra_ledger_snapshots_failed_total").increment(1);
            tracing::error!("the making of a snapshot has panicked; it is tried again");
        }
        if self.running.is_none() {
            let (segments, closed) = channel();
            let (storage, stop, pace) = (Arc::clone(&self.storage), Arc::clone(&self.stop), self.pace);
            let work = move || make_as_they_close(&*storage, pace, &closed, &stop);
            match std::thread::Builder::new().name("snapshot".into()).spawn(work) {
                Ok(thread) => self.running = Some((segments, thread)),
                Err(error) => {
                    tracing::error!(%error, "no snapshot was made; the journal goes on growing");
                    return;
                }
            }
        }
        if let Some((segments, _)) = &self.running {
            // It hears until the ledger is closed.
            let _ = segments.send(next_seq);
        }
    }
}

impl Drop for Snapshots {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some((segments, thread)) = self.running.take() {
            drop(segments);
            let _ = thread.join();
        }
    }
}

/// Makes a snapshot whenever one is due.
fn make_as_they_close(storage: &dyn Storage, mut pace: Pace, closed: &Receiver<u64>, stop: &AtomicBool) {
    while let Ok(first) = closed.recv() {
        let latest = closed.try_iter().inspect(|_| pace.closed += 1).last().unwrap_or(first);
        pace.closed += 1;
        if pace.is_due() && !stop.load(Ordering::Relaxed) {
            // A thread that gives way cannot take that back, so each snapshot has one of its own.
            let made = std::thread::scope(|scope| {
                let making = scope.spawn(|| {
                    if !pace.is_urgent() {
                        give_way();
                    }
                    make_and_tell(storage, latest, stop)
                });
                making.join()
            });
            // A panic ends this thread too, which is noticed.
            pace.made(made.unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
    }
}

/// Makes the calling thread background: what is paid comes first.
fn give_way() {
    const NICENESS: i32 = 19;
    // Linux takes the calling thread for process 0. A refusal only costs the preference.
    let _ = rustix::process::setpriority_process(None, NICENESS);
}

/// A snapshot that cannot be made leaves the journal as it is, which loses nothing. Gives the size of one that was made.
fn make_and_tell(storage: &dyn Storage, next_seq: u64, stop: &AtomicBool) -> Option<u64> {
    let started = std::time::Instant::now();
    let made = make(storage, next_seq, stop).and_then(|bytes| {
        tidy(storage)?;
        Ok(bytes)
    });
    match made {
        Ok(bytes) => {
            metrics::histogram!("umbra_ledger_snapshot_seconds").record(started.elapsed().as_secs_f64());
            metrics::gauge!("umbra_ledger_snapshot_seq").set((next_seq - 1) as f64);
            return bytes;
        }
        Err(_) if stop.load(Ordering::Relaxed) => tracing::debug!("no snapshot was made: the ledger is being closed"),
        Err(error) => {
            metrics::counter!("umbra_ledger_snapshots_failed_total").increment(1);
            tracing::error!(%error, "no snapshot was made; the journal is kept and goes on growing");
        }
    }
    None
}

/// Reads the journal from the newest snapshot up to the segment that begins with `next_seq`, and writes one of
/// there. Gives its size, if there was none yet.
fn make(storage: &dyn Storage, next_seq: u64, stop: &AtomicBool) -> Result<Option<u64>, OpenError> {
    let (mut state, from) = match newest(storage, next_seq - 1, None)? {
        Some(Snapshot { position, .. }) if position.next_seq == next_seq => return Ok(None),
        Some(Snapshot { state, position }) => (state, Some(position)),
        None => (State::default(), None),
    };
    let scanned = recovery::scan(storage, Range { from, until: Some(next_seq) }, &mut |frame| {
        going_on(stop).map_err(|error| error.to_string())?;
        Ok(state.replay(&frame.events, |_, _| {}))
    })?;
    let Some(position) = scanned.position else { return Ok(None) };
    Ok(Some(write(storage, &Snapshot { state, position }, stop)?))
}

/// An error once the ledger is being closed, so that closing does not wait for a whole snapshot.
fn going_on(stop: &AtomicBool) -> io::Result<()> {
    if stop.load(Ordering::Relaxed) { Err(io::Error::other("the ledger is being closed")) } else { Ok(()) }
}

/// Removes all snapshots but the newest, and names as archived the segments below them: a start reads those only where
/// no snapshot serves. Who follows is never so far behind, because the ledger takes no events for one that is.
fn tidy(storage: &dyn Storage) -> io::Result<()> {
    let snapshots = list(storage)?;
    let Some(oldest) = snapshots.len().checked_sub(KEPT).and_then(|first| snapshots.get(first)) else { return Ok(()) };
    for next_seq in snapshots.iter().filter(|next_seq| *next_seq < oldest) {
        storage.remove(&snapshot_name(*next_seq))?;
    }
    for name in recovery::segments(storage)?.range(..oldest).map(|(_, name)| name) {
        if let Some(number) = name.strip_suffix(LIVE) {
            storage.rename(name, &format!("{number}{ARCHIVED}"))?;
        }
    }
    storage.sync_dir()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_image(bytes: &[u8]) -> io::Result<State> {
        let (blocks, body) = sync_channel(bytes.len() + 1);
        bytes.chunks(3).for_each(|block| blocks.send(block.to_vec()).unwrap());
        drop(blocks);
        read_state(Body { blocks: body, block: Vec::new(), at: 0 }, None)
    }

    #[test]
    fn a_body_is_its_tables_and_no_byte_more_or_less() {
        let mut bytes = Vec::new();
        State::default().write_image(&mut bytes).unwrap();
        assert!(read_image(&bytes).is_ok());
        assert!(read_image(&bytes[..bytes.len() - 1]).is_err());
        bytes.push(0);
        assert!(read_image(&bytes).is_err());
    }

    #[test]
    fn behind_a_body_stand_only_zeros_up_to_a_block() {
        let read = |length, file: &[u8]| {
            let (blocks, body) = sync_channel(READ_AHEAD);
            read_body(file, length, &blocks).map(|sum| (sum, body.try_iter().flatten().collect::<Vec<_>>()))
        };
        let sum = crc32c::crc32c(b"body");
        assert_eq!(read(4, b"body").unwrap(), (sum, b"body".to_vec()));
        assert_eq!(read(4, b"body\0\0").unwrap(), (sum, b"body".to_vec()));
        assert!(read(4, b"body\0x").is_err());
        assert!(read(4, &[b"body".as_slice(), &[0; BLOCK]].concat()).is_err());
        assert!(read(5, b"body").is_err());
    }
}
