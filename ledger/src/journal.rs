//! Frames and segments: how a batch of events gets onto disk.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use crate::event::Millis;
use crate::storage::{Storage, StorageFile};

pub const FORMAT_VERSION: u8 = 1;
/// Changes when `State::apply` would give another outcome for an old event.
pub const RULES_VERSION: u8 = 1;

const SEGMENT_MAGIC: [u8; 4] = *b"UMSG";
const FRAME_MAGIC: [u8; 4] = *b"UMFR";
pub const SEGMENT_HEADER: usize = 64;
pub const FRAME_HEADER: usize = 64;
/// Frames begin at multiples of this.
pub const ALIGNMENT: usize = 8;

/// Prepared ahead under this name, and renamed when it is needed.
const NEXT: &str = "next.prepared";

/// A segment is named by the first sequence in it.
pub fn segment_name(first_seq: u64) -> String {
    format!("{first_seq:020}.wal")
}

/// The first sequence in a segment's name.
pub fn first_seq_of(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".wal").filter(|digits| digits.len() == 20)?;
    digits.parse().ok()
}

/// Start of a segment file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentHeader {
    /// Random, made with the ledger: a segment of another ledger is recognised.
    pub ledger: [u8; 16],
    pub first_seq: u64,
    /// Header checksum of the frame before the first one here; 0 in the first segment.
    pub previous: u32,
    pub size: u64,
}

impl SegmentHeader {
    pub fn encode(&self) -> [u8; SEGMENT_HEADER] {
        let mut bytes = [0; SEGMENT_HEADER];
        bytes[..4].copy_from_slice(&SEGMENT_MAGIC);
        bytes[4] = FORMAT_VERSION;
        bytes[8..24].copy_from_slice(&self.ledger);
        bytes[24..32].copy_from_slice(&self.first_seq.to_le_bytes());
        bytes[32..36].copy_from_slice(&self.previous.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.size.to_le_bytes());
        let checksum = crc32c::crc32c(&bytes[..60]);
        bytes[60..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; SEGMENT_HEADER] = bytes.first_chunk()?;
        let checksum = u32::from_le_bytes(bytes[60..].try_into().ok()?);
        if bytes[..4] != SEGMENT_MAGIC || bytes[4] != FORMAT_VERSION || crc32c::crc32c(&bytes[..60]) != checksum {
            return None;
        }
        Some(Self {
            ledger: bytes[8..24].try_into().ok()?,
            first_seq: u64::from_le_bytes(bytes[24..32].try_into().ok()?),
            previous: u32::from_le_bytes(bytes[32..36].try_into().ok()?),
            size: u64::from_le_bytes(bytes[40..48].try_into().ok()?),
        })
    }
}

/// Start of a frame. A frame without events is a seal: it shows that the frame before it was synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    pub rules: u8,
    pub length: u32,
    pub count: u32,
    /// Sequence of the first event, or of the next one to come.
    pub first_seq: u64,
    pub at: Millis,
    /// Header checksum of the frame before.
    pub previous: u32,
    /// Digest of the outcomes of the frame before.
    pub outcomes: u32,
    pub body: u32,
}

impl FrameHeader {
    pub fn encode(&self) -> [u8; FRAME_HEADER] {
        let mut bytes = [0; FRAME_HEADER];
        bytes[..4].copy_from_slice(&FRAME_MAGIC);
        bytes[4] = FORMAT_VERSION;
        bytes[5] = self.rules;
        bytes[8..12].copy_from_slice(&self.length.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.count.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.first_seq.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.at.to_le_bytes());
        bytes[32..36].copy_from_slice(&self.previous.to_le_bytes());
        bytes[36..40].copy_from_slice(&self.outcomes.to_le_bytes());
        bytes[40..44].copy_from_slice(&self.body.to_le_bytes());
        let checksum = crc32c::crc32c(&bytes[..60]);
        bytes[60..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// The header and its checksum, if it is one.
    pub fn decode(bytes: &[u8]) -> Option<(Self, u32)> {
        let bytes: &[u8; FRAME_HEADER] = bytes.first_chunk()?;
        let number = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        let checksum = number(60)?;
        if bytes[..4] != FRAME_MAGIC || bytes[4] != FORMAT_VERSION || crc32c::crc32c(&bytes[..60]) != checksum {
            return None;
        }
        let header = Self {
            rules: bytes[5],
            length: number(8)?,
            count: number(12)?,
            first_seq: u64::from_le_bytes(bytes[16..24].try_into().ok()?),
            at: u64::from_le_bytes(bytes[24..32].try_into().ok()?),
            previous: number(32)?,
            outcomes: number(36)?,
            body: number(40)?,
        };
        Some((header, checksum))
    }
}

/// Where a journal goes on.
#[derive(Clone, Debug)]
pub struct Position {
    pub ledger: [u8; 16],
    pub segment: String,
    pub segment_size: u64,
    pub offset: u64,
    pub previous: u32,
    pub outcomes: u32,
    /// Whether the last frame holds events and nothing yet shows that it was synced.
    pub unsealed: bool,
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
    buffer: Vec<u8>,
}

impl Journal {
    /// Makes the first segment of a new ledger.
    pub fn create(storage: &dyn Storage, ledger: [u8; 16], segment_bytes: u64) -> io::Result<Position> {
        let header = SegmentHeader { ledger, first_seq: 1, previous: 0, size: segment_bytes };
        let segment = make_segment(storage, &header)?;
        let offset = SEGMENT_HEADER as u64;
        Ok(Position { ledger, segment, segment_size: segment_bytes, offset, previous: 0, outcomes: 0, unsealed: false })
    }

    pub fn open(
        storage: Arc<dyn Storage>,
        position: Position,
        segment_bytes: u64,
        prepare_ahead: bool,
    ) -> io::Result<Self> {
        let file = storage.open(&position.segment)?;
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

    /// The digest of the outcomes of the frame just written; the next frame carries it.
    pub fn set_outcomes(&mut self, digest: u32) {
        self.position.outcomes = digest;
    }

    /// Writes one frame and returns when it is durable.
    pub fn append(&mut self, first_seq: u64, at: Millis, count: u32, body: &[u8]) -> io::Result<()> {
        let too_large = || io::Error::new(io::ErrorKind::InvalidInput, "batch larger than a segment");
        let length = u32::try_from(body.len()).map_err(|_| too_large())?;
        let padded = (FRAME_HEADER + body.len()).next_multiple_of(ALIGNMENT);
        if padded as u64 > self.position.segment_size - self.position.offset {
            if padded as u64 > self.segment_bytes - SEGMENT_HEADER as u64 {
                return Err(too_large());
            }
            self.roll_over(first_seq)?;
        }
        let header = FrameHeader {
            rules: RULES_VERSION,
            length,
            count,
            first_seq,
            at,
            previous: self.position.previous,
            outcomes: self.position.outcomes,
            body: crc32c::crc32c(body),
        }
        .encode();
        self.buffer.clear();
        self.buffer.extend_from_slice(&header);
        self.buffer.extend_from_slice(body);
        self.buffer.resize(padded, 0);
        self.file.write_at(self.position.offset, &self.buffer)?;
        self.file.sync()?;
        self.position.offset += padded as u64;
        self.position.previous = crc32c::crc32c(&header[..60]);
        self.position.unsealed = count > 0;
        Ok(())
    }

    /// Shows that the last frame was synced.
    pub fn seal(&mut self, next_seq: u64, at: Millis) -> io::Result<()> {
        self.append(next_seq, at, 0, &[])
    }

    fn roll_over(&mut self, first_seq: u64) -> io::Result<()> {
        let header = SegmentHeader {
            ledger: self.position.ledger,
            first_seq,
            previous: self.position.previous,
            size: self.segment_bytes,
        };
        let segment = match self.preparing.take() {
            Some(preparing) => {
                preparing.join().map_err(|_| io::Error::other("preparing a segment failed"))??;
                name_segment(&*self.storage, &header)?
            }
            None => make_segment(&*self.storage, &header)?,
        };
        self.file = self.storage.open(&segment)?;
        self.position.segment = segment;
        self.position.segment_size = self.segment_bytes;
        self.position.offset = SEGMENT_HEADER as u64;
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

/// Zeros, header, name; in that order, each durable before the next.
fn make_segment(storage: &dyn Storage, header: &SegmentHeader) -> io::Result<String> {
    storage.create(NEXT, header.size)?;
    name_segment(storage, header)
}

fn name_segment(storage: &dyn Storage, header: &SegmentHeader) -> io::Result<String> {
    let mut file = storage.open(NEXT)?;
    file.write_at(0, &header.encode())?;
    file.sync()?;
    let name = segment_name(header.first_seq);
    storage.rename(NEXT, &name)?;
    storage.sync_dir()?;
    Ok(name)
}
