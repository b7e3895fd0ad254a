//! Reading a journal back: every checksum, every link of the chain, every outcome.

use std::io;

use crate::codec;
use crate::event::{Event, Millis};
use crate::journal::{
    ALIGNMENT, FRAME_HEADER, FrameHeader, Position, RULES_VERSION, SEGMENT_HEADER, SegmentHeader, first_seq_of,
};
use crate::storage::Storage;

/// Why a ledger cannot be opened. Nothing has been changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("ledger storage: {0}")]
    Storage(#[from] io::Error),
    #[error("ledger damaged in {file} at byte {offset}: {what}; restore this file from a copy, nothing was changed")]
    Damaged { file: String, offset: u64, what: String },
}

/// One frame of events, as read.
pub struct Frame {
    pub events: Vec<(u64, Millis, Event)>,
}

/// The end of a journal.
pub struct Scanned {
    /// `None` for a folder without segments.
    pub position: Option<Position>,
    /// Bytes that follow the last whole frame and are not zero: a frame that a crash cut short.
    pub torn: Option<u64>,
    pub frames: u64,
}

/// Reads all frames in order. `visit` applies one frame's events and gives the digest of their outcomes.
pub fn scan(storage: &dyn Storage, visit: &mut dyn FnMut(Frame) -> Result<u32, String>) -> Result<Scanned, OpenError> {
    let mut segments: Vec<(u64, String)> =
        storage.list()?.into_iter().filter_map(|name| Some((first_seq_of(&name)?, name))).collect();
    segments.sort();
    let mut reader = Reader { visit, chain: None, next_seq: 1, last_at: 0, frames: 0 };
    let mut scanned = Scanned { position: None, torn: None, frames: 0 };
    let count = segments.len();
    for (index, (first_seq, name)) in segments.into_iter().enumerate() {
        let bytes = storage.read(&name)?;
        let end = reader.segment(&name, first_seq, &bytes)?;
        let last = index + 1 == count;
        let rest = bytes.get(end..).unwrap_or_default();
        let torn = rest.iter().any(|byte| *byte != 0);
        if torn && (!last || holds_later_frame(rest, reader.next_seq)) {
            return Err(damaged(&name, end, "a frame does not read, and frames follow it"));
        }
        if last {
            scanned.torn = torn.then_some(end as u64);
            scanned.position = reader.chain.as_ref().map(|chain| Position {
                ledger: chain.ledger,
                segment: name.clone(),
                segment_size: bytes.len() as u64,
                offset: end as u64,
                previous: chain.previous,
                outcomes: chain.outcomes,
                unsealed: chain.unsealed,
            });
        }
    }
    scanned.frames = reader.frames;
    Ok(scanned)
}

fn damaged(file: &str, offset: usize, what: impl Into<String>) -> OpenError {
    OpenError::Damaged { file: file.to_owned(), offset: offset as u64, what: what.into() }
}

/// Whether a frame header stands anywhere in what should be the journal's empty end.
fn holds_later_frame(rest: &[u8], next_seq: u64) -> bool {
    (0..rest.len().saturating_sub(FRAME_HEADER)).step_by(ALIGNMENT).any(|at| {
        let header = rest.get(at..).and_then(FrameHeader::decode);
        header
            .is_some_and(|(header, _)| if at == 0 { header.first_seq > next_seq } else { header.first_seq >= next_seq })
    })
}

struct Chain {
    ledger: [u8; 16],
    previous: u32,
    outcomes: u32,
    unsealed: bool,
}

struct Reader<'a> {
    visit: &'a mut dyn FnMut(Frame) -> Result<u32, String>,
    chain: Option<Chain>,
    next_seq: u64,
    last_at: Millis,
    frames: u64,
}

impl Reader<'_> {
    /// Reads whole frames; gives the offset behind the last.
    fn segment(&mut self, name: &str, first_seq: u64, bytes: &[u8]) -> Result<usize, OpenError> {
        let header =
            SegmentHeader::decode(bytes).ok_or_else(|| damaged(name, 0, "the segment header does not read"))?;
        let expected = match &self.chain {
            Some(chain) => (chain.ledger, chain.previous),
            None => (header.ledger, 0),
        };
        if header.first_seq != first_seq
            || header.first_seq != self.next_seq
            || (header.ledger, header.previous) != expected
        {
            return Err(damaged(
                name,
                0,
                "the segment does not follow the one before; is one missing, or of another ledger?",
            ));
        }
        if header.size != bytes.len() as u64 {
            return Err(damaged(name, bytes.len(), "the file is not as long as it was made"));
        }
        let (outcomes, unsealed) = self.chain.as_ref().map_or((0, false), |chain| (chain.outcomes, chain.unsealed));
        self.chain = Some(Chain { ledger: header.ledger, previous: header.previous, outcomes, unsealed });
        let mut offset = SEGMENT_HEADER;
        while let Some(length) = self.frame(name, offset, bytes)? {
            offset += length;
        }
        Ok(offset)
    }

    /// Reads one frame and gives its length; `None` where none stands whole.
    fn frame(&mut self, name: &str, offset: usize, bytes: &[u8]) -> Result<Option<usize>, OpenError> {
        let Some((header, checksum)) = bytes.get(offset..).and_then(FrameHeader::decode) else { return Ok(None) };
        let length = usize::try_from(header.length).unwrap_or(usize::MAX);
        let start = offset + FRAME_HEADER;
        let body = start.checked_add(length).and_then(|end| bytes.get(start..end));
        let Some(body) = body.filter(|body| crc32c::crc32c(body) == header.body) else { return Ok(None) };
        let Some(chain) = &mut self.chain else { return Ok(None) };
        if header.previous != chain.previous || header.first_seq != self.next_seq {
            return Err(damaged(name, offset, "the frame does not follow the one before"));
        }
        if header.rules != RULES_VERSION {
            return Err(damaged(
                name,
                offset,
                format!("written under rules {}, this program has {RULES_VERSION}", header.rules),
            ));
        }
        if header.outcomes != chain.outcomes {
            return Err(damaged(
                name,
                offset,
                "this program gives other outcomes than the one that wrote the frame before",
            ));
        }
        let padding = (FRAME_HEADER + length).next_multiple_of(ALIGNMENT);
        if bytes.get(start + length..offset + padding).is_none_or(|fill| fill.iter().any(|byte| *byte != 0)) {
            return Err(damaged(name, start + length, "bytes between frames are not zero"));
        }
        chain.previous = checksum;
        chain.unsealed = header.count > 0;
        if header.count > 0 {
            let events = self.events(&header, body).map_err(|what| damaged(name, offset, what))?;
            let digest = (self.visit)(Frame { events }).map_err(|what| damaged(name, offset, what))?;
            if let Some(chain) = &mut self.chain {
                chain.outcomes = digest;
            }
        } else if length > 0 {
            return Err(damaged(name, offset, "a seal holds no events"));
        }
        self.frames += 1;
        Ok(Some(padding))
    }

    /// `length(4) at(8) event` for each.
    fn events(&mut self, header: &FrameHeader, mut body: &[u8]) -> Result<Vec<(u64, Millis, Event)>, String> {
        let mut events = Vec::with_capacity(usize::try_from(header.count).unwrap_or(0).min(body.len() / 12));
        for _ in 0..header.count {
            let short = "the frame ends within an event";
            let (length, rest) = body.split_first_chunk::<4>().ok_or(short)?;
            let (at, rest) = rest.split_first_chunk::<8>().ok_or(short)?;
            let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| short)?;
            let (event, rest) = rest.split_at_checked(length).ok_or(short)?;
            let at = u64::from_le_bytes(*at);
            if at <= self.last_at {
                return Err("time does not rise".into());
            }
            let event = codec::decode(event).map_err(|error| error.to_string())?;
            events.push((self.next_seq, at, event));
            self.next_seq += 1;
            self.last_at = at;
            body = rest;
        }
        if body.is_empty() { Ok(events) } else { Err("bytes are left behind the last event".into()) }
    }
}
