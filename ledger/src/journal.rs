//! Frames and segments: how a batch of events gets onto disk. `FORMAT.md` shows them byte by byte.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use crate::event::Millis;
use crate::storage::{Storage, StorageFile};

pub const FORMAT_VERSION: u8 = 1;
/// Changes when `State::apply` would give another outcome for an old event, and when there are events that an older
/// program does not know.
pub const RULES_VERSION: u8 = 3;
/// The oldest rules whose events have the same outcomes today.
pub const RULES_OLDEST: u8 = 2;

const SEGMENT_MAGIC: [u8; 4] = *b"UMSG";
const FRAME_MAGIC: [u8; 4] = *b"UMFR";
pub const SEGMENT_HEADER: usize = 64;
pub const FRAME_HEADER: usize = 64;
/// Bytes of a header that its checksum covers; the checksum follows them. The same in every version.
const CHECKED: usize = 60;
/// Frames begin at multiples of this.
pub const ALIGNMENT: usize = 8;
/// Bytes before each event in a frame: its length and its time.
pub const EVENT_HEADER: usize = 12;

/// Prepared ahead under this name, and renamed when it is needed.
const NEXT: &str = "next.prepared";

/// Endings of segments: of one that a start may need, and of one below both snapshots.
pub const LIVE: &str = ".wal";
pub const ARCHIVED: &str = ".archived";

/// A segment is named by the first sequence in it.
pub fn segment_name(first_seq: u64) -> String {
    format!("{first_seq:020}{LIVE}")
}

/// The first sequence in the name of a segment or of a snapshot.
pub fn first_seq_of(name: &str, ending: &str) -> Option<u64> {
    let digits = name.strip_suffix(ending).filter(|digits| digits.len() == 20)?;
    digits.parse().ok()
}

/// Bytes of events that a frame can hold in a segment of this size, its seat for the closing frame left free.
pub fn frame_capacity(segment_bytes: u64) -> usize {
    usize::try_from(segment_bytes).unwrap_or(usize::MAX).saturating_sub(SEGMENT_HEADER + 2 * FRAME_HEADER + ALIGNMENT)
}

/// A header with its checksum behind it.
pub(crate) fn sealed(mut bytes: [u8; 64]) -> [u8; 64] {
    let checksum = crc32c::crc32c(&bytes[..CHECKED]);
    bytes[CHECKED..].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

/// The first 64 bytes, if they begin with `magic` and their checksum is right.
pub(crate) fn unsealed(bytes: &[u8], magic: [u8; 4]) -> Option<(&[u8; 64], u32)> {
    let bytes: &[u8; 64] = bytes.first_chunk()?;
    let checksum = u32::from_le_bytes(*bytes.last_chunk()?);
    (bytes[..4] == magic && crc32c::crc32c(&bytes[..CHECKED]) == checksum).then_some((bytes, checksum))
}

pub(crate) fn array<const N: usize>(bytes: &[u8; 64], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

/// Start of a segment file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentHeader {
    pub version: u8,
    /// Random, made with the ledger: a segment of another ledger is recognised.
    pub ledger: [u8; 16],
    pub first_seq: u64,
    /// Checksum of the frame that closes the segment before; 0 in the first segment.
    pub previous: u32,
    pub size: u64,
}

impl SegmentHeader {
    pub fn encode(&self) -> [u8; SEGMENT_HEADER] {
        let mut bytes = [0; SEGMENT_HEADER];
        bytes[..4].copy_from_slice(&SEGMENT_MAGIC);
        bytes[4] = self.version;
        bytes[8..24].copy_from_slice(&self.ledger);
        bytes[24..32].copy_from_slice(&self.first_seq.to_le_bytes());
        bytes[32..36].copy_from_slice(&self.previous.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.size.to_le_bytes());
        sealed(bytes)
    }

    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (bytes, _) = unsealed(bytes, SEGMENT_MAGIC)?;
        Some(Self {
            version: bytes[4],
            ledger: array(bytes, 8)?,
            first_seq: u64::from_le_bytes(array(bytes, 24)?),
            previous: u32::from_le_bytes(array(bytes, 32)?),
            size: u64::from_le_bytes(array(bytes, 40)?),
        })
    }
}

/// What a frame is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// A batch of events.
    Events = 0,
    /// Shows that the frame before it was synced.
    Seal = 1,
    /// The last frame of a segment: another segment follows.
    Close = 2,
}

/// Start of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    pub version: u8,
    pub rules: u8,
    /// A [`Kind`], as read.
    pub kind: u8,
    pub length: u32,
    pub count: u32,
    /// Sequence of the first event, or of the next one to come.
    pub first_seq: u64,
    /// Time of the last event, here or before.
    pub at: Millis,
    /// Header checksum of the frame before.
    pub previous: u32,
    /// Digest of the outcomes of the last frame of events before this one.
    pub outcomes: u32,
    pub body: u32,
    pub ledger: [u8; 16],
}

impl FrameHeader {
    pub fn encode(&self) -> [u8; FRAME_HEADER] {
        let mut bytes = [0; FRAME_HEADER];
        bytes[..4].copy_from_slice(&FRAME_MAGIC);
        bytes[4] = self.version;
        bytes[5] = self.rules;
        bytes[6] = self.kind;
        bytes[8..12].copy_from_slice(&self.length.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.count.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.first_seq.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.at.to_le_bytes());
        bytes[32..36].copy_from_slice(&self.previous.to_le_bytes());
        bytes[36..40].copy_from_slice(&self.outcomes.to_le_bytes());
        bytes[40..44].copy_from_slice(&self.body.to_le_bytes());
        bytes[44..60].copy_from_slice(&self.ledger);
        sealed(bytes)
    }

    /// The header and its checksum, if it is one; its version is for the caller to judge.
    pub fn decode(bytes: &[u8]) -> Option<(Self, u32)> {
        let (bytes, checksum) = unsealed(bytes, FRAME_MAGIC)?;
        let header = Self {
            version: bytes[4],
            rules: bytes[5],
            kind: bytes[6],
            length: u32::from_le_bytes(array(bytes, 8)?),
            count: u32::from_le_bytes(array(bytes, 12)?),
            first_seq: u64::from_le_bytes(array(bytes, 16)?),
            at: u64::from_le_bytes(array(bytes, 24)?),
            previous: u32::from_le_bytes(array(bytes, 32)?),
            outcomes: u32::from_le_bytes(array(bytes, 36)?),
            body: u32::from_le_bytes(array(bytes, 40)?),
            ledger: array(bytes, 44)?,
        };
        Some((header, checksum))
    }

    pub fn checksum(&self) -> u32 {
        crc32c::crc32c(&self.encode()[..CHECKED])
    }
}

/// Where a journal goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    pub ledger: [u8; 16],
    pub segment: String,
    pub segment_size: u64,
    pub offset: u64,
    /// Header checksum of the last frame.
    pub previous: u32,
    /// Digest of the outcomes of the last frame of events.
    pub outcomes: u32,
    pub next_seq: u64,
    /// Time of the last event.
    pub at: Millis,
    /// Whether the last frame holds events and nothing yet shows that it was synced.
    pub unsealed: bool,
}

impl Position {
    /// The start of a segment that has no frames yet.
    fn start(segment: String, header: &SegmentHeader) -> Self {
        Self {
            ledger: header.ledger,
            segment,
            segment_size: header.size,
            offset: SEGMENT_HEADER as u64,
            previous: header.previous,
            outcomes: 0,
            next_seq: header.first_seq,
            at: 0,
            unsealed: false,
        }
    }

    /// The header of a frame without events.
    pub fn mark(&self, kind: Kind) -> FrameHeader {
        FrameHeader {
            version: FORMAT_VERSION,
            rules: RULES_VERSION,
            kind: kind as u8,
            length: 0,
            count: 0,
            first_seq: self.next_seq,
            at: self.at,
            previous: self.previous,
            outcomes: self.outcomes,
            body: 0,
            ledger: self.ledger,
        }
    }
}

/// The writing end.
pub struct Journal {
    storage: Arc<dyn Storage>,
    file: Box<dyn StorageFile>,
    position: Position,
    segment_bytes: u64,
    /// Prepares the next segment off the path of events; `None` where that is done in place.
    preparing: Option<JoinHandle<io::Result<()>>>,
    prepare_ahead: bool,
    /// Of the frame that is being written; empty in between.
    buffer: Vec<u8>,
}

impl Journal {
    /// Makes the first segment of a new ledger.
    pub fn create(storage: &dyn Storage, ledger: [u8; 16], segment_bytes: u64) -> io::Result<Position> {
        let header = SegmentHeader { version: FORMAT_VERSION, ledger, first_seq: 1, previous: 0, size: segment_bytes };
        storage.create(NEXT, header.size)?;
        let segment = name_segment(storage, &header)?;
        Ok(Position::start(segment, &header))
    }

    pub fn open(
        storage: Arc<dyn Storage>,
        position: Position,
        segment_bytes: u64,
        prepare_ahead: bool,
    ) -> io::Result<Self> {
        let file = storage.open_log(&position.segment)?;
        let mut journal =
            Self { storage, file, position, segment_bytes, preparing: None, prepare_ahead, buffer: Vec::new() };
        journal.prepare();
        Ok(journal)
    }

    fn prepare(&mut self) {
        if self.prepare_ahead {
            let (storage, size) = (Arc::clone(&self.storage), self.segment_bytes);
            self.preparing = Some(std::thread::spawn(move || storage.create(NEXT, size)));
        }
    }

    pub fn unsealed(&self) -> bool {
        self.position.unsealed
    }

    /// The first sequence of the segment that is being written.
    pub fn segment(&self) -> u64 {
        first_seq_of(&self.position.segment, LIVE).unwrap_or(0)
    }

    /// Bytes of events that one frame can hold.
    pub fn capacity(&self) -> usize {
        frame_capacity(self.segment_bytes)
    }

    /// The digest of the outcomes of the frame just written; the next frame carries it.
    pub fn set_outcomes(&mut self, digest: u32) {
        self.position.outcomes = digest;
    }

    /// Writes one frame of events, given as they stand in it but for their time, and returns when it is durable.
    pub fn append(&mut self, at: Millis, count: u32, events: &[Vec<u8>]) -> io::Result<()> {
        let too_large = || io::Error::new(io::ErrorKind::InvalidInput, "batch larger than a segment");
        let bytes = events.iter().map(Vec::len).sum::<usize>();
        let length = u32::try_from(bytes).map_err(|_| too_large())?;
        if bytes > self.capacity() {
            return Err(too_large());
        }
        self.make_room(FRAME_HEADER + bytes)?;
        self.buffer.resize(FRAME_HEADER, 0);
        events.iter().for_each(|events| self.buffer.extend_from_slice(events));
        let body = self.buffer.get_mut(FRAME_HEADER..).unwrap_or_default();
        stamp(body, at);
        let body = crc32c::crc32c(body);
        self.write(&FrameHeader { length, count, at, body, ..self.position.mark(Kind::Events) })?;
        self.position.next_seq += u64::from(count);
        self.position.at = at;
        self.position.unsealed = true;
        Ok(())
    }

    /// Shows that the last frame was synced.
    pub fn seal(&mut self) -> io::Result<()> {
        self.make_room(FRAME_HEADER)?;
        self.mark(Kind::Seal)?;
        self.position.unsealed = false;
        Ok(())
    }

    /// A frame without events.
    fn mark(&mut self, kind: Kind) -> io::Result<()> {
        self.buffer.resize(FRAME_HEADER, 0);
        self.write(&self.position.mark(kind))
    }

    /// The frame in the buffer, once its header is set.
    fn write(&mut self, header: &FrameHeader) -> io::Result<()> {
        if let Some(place) = self.buffer.first_chunk_mut() {
            *place = header.encode();
        }
        self.buffer.resize(self.buffer.len().next_multiple_of(ALIGNMENT), 0);
        self.file.write_at(self.position.offset, &self.buffer)?;
        self.file.sync()?;
        self.position.offset += self.buffer.len() as u64;
        self.buffer.clear();
        self.position.previous = header.checksum();
        Ok(())
    }

    /// Goes on in a new segment if this one has no room for the frame and for one that closes it.
    fn make_room(&mut self, frame: usize) -> io::Result<()> {
        let needed = (frame.next_multiple_of(ALIGNMENT) + FRAME_HEADER) as u64;
        if needed <= self.position.segment_size.saturating_sub(self.position.offset) {
            return Ok(());
        }
        let closing = self.position.mark(Kind::Close);
        let header = SegmentHeader {
            version: FORMAT_VERSION,
            ledger: self.position.ledger,
            first_seq: self.position.next_seq,
            previous: closing.checksum(),
            size: self.segment_bytes,
        };
        match self.preparing.take() {
            Some(preparing) => preparing.join().map_err(|_| io::Error::other("preparing a segment failed"))??,
            None => self.storage.create(NEXT, header.size)?,
        }
        // The new segment first: a closed segment without one after it is damage.
        let segment = name_segment(&*self.storage, &header)?;
        self.mark(Kind::Close)?;
        self.file = self.storage.open_log(&segment)?;
        let (at, outcomes) = (self.position.at, self.position.outcomes);
        self.position = Position { at, outcomes, ..Position::start(segment, &header) };
        self.prepare();
        Ok(())
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        if let Some(preparing) = self.preparing.take() {
            let _ = preparing.join();
        }
    }
}

/// Writes the time of framed events.
fn stamp(mut frames: &mut [u8], at: Millis) {
    while let Some((header, rest)) = frames.split_first_chunk_mut::<EVENT_HEADER>() {
        let [a, b, c, d, time @ ..] = header;
        time.copy_from_slice(&at.to_le_bytes());
        let length = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
        let Some((_, next)) = rest.split_at_mut_checked(length) else { return };
        frames = next;
    }
}

/// Header, name: each durable before the next step.
fn name_segment(storage: &dyn Storage, header: &SegmentHeader) -> io::Result<String> {
    let mut file = storage.open(NEXT)?;
    file.write_at(0, &header.encode())?;
    file.sync()?;
    let name = segment_name(header.first_seq);
    storage.rename(NEXT, &name)?;
    storage.sync_dir()?;
    Ok(name)
}
