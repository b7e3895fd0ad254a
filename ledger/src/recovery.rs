//! Reading a journal back: every checksum, every link of the chain, every outcome.

use std::collections::BTreeMap;
use std::io;

use crate::codec;
use crate::direct::ReadBuffer;
use crate::event::{Event, Millis};
use crate::journal::{
    ALIGNMENT, ARCHIVED, EVENT_HEADER, FORMAT_VERSION, FRAME_HEADER, FrameHeader, Kind, LIVE, Position, RULES_OLDEST,
    RULES_VERSION, SEGMENT_HEADER, SegmentHeader, first_seq_of, segment_name,
};
use crate::limits::BATCH_BYTES_MAX;
use crate::storage::Storage;

/// Why a ledger cannot be opened. Nothing has been changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("ledger storage: {0}")]
    Storage(io::Error),
    #[error("ledger damaged in {file} at byte {offset}: {what}; restore this file from a copy, nothing was changed")]
    Damaged { file: String, offset: u64, what: String },
    #[error(
        "ledger not of this program, {file} at byte {offset}: {what}; start the version that wrote it, nothing was changed"
    )]
    OtherVersion { file: String, offset: u64, what: String },
    #[error(
        "the ledger's journal begins with event {first}, and no snapshot before it reads (or none that is old enough for those who follow); put the archived segments before it back beside it and start again"
    )]
    BeginsLate { first: u64 },
    #[error(
        "ledger ends at event {last}, but {follower} has seen event {seen}; restore the journal's last files, or what follows it, from a copy"
    )]
    Behind { follower: String, seen: u64, last: u64 },
}

/// Not as a source: the text says it all, and who prints sources too would say it twice.
impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        Self::Storage(error)
    }
}

/// One frame of events, as read.
pub struct Frame {
    pub events: Vec<(u64, Millis, Event)>,
}

/// What stands in a journal.
pub struct Scanned {
    /// Where it goes on. `None` for a folder without segments.
    pub position: Option<Position>,
    /// Whether bytes that are not zero follow that place: a frame that a crash cut short, or that is being written.
    pub torn: bool,
    /// A segment without frames that is already there, while the one before it, where `position` is, is not closed.
    pub prepared: Option<SegmentHeader>,
    pub frames: u64,
    pub segments: u64,
}

/// Segments that are there, by their first sequences: archived ones too, which serve where no snapshot does.
pub fn segments(storage: &dyn Storage) -> io::Result<BTreeMap<u64, String>> {
    let names = storage.list()?;
    let of_ending = |ending| names.iter().filter_map(move |name| Some((first_seq_of(name, ending)?, name.clone())));
    Ok(of_ending(ARCHIVED).chain(of_ending(LIVE)).collect())
}

/// Which part of a journal is read.
#[derive(Default)]
pub struct Range {
    /// The start of a segment that a snapshot stands for; `None` for the very first.
    pub from: Option<Position>,
    /// The first sequence of a segment that is not read any more.
    pub until: Option<u64>,
}

/// Reads all frames in order. `visit` applies one frame's events and gives the digest of their outcomes.
pub fn scan(
    storage: &dyn Storage,
    range: Range,
    visit: &mut dyn FnMut(Frame) -> Result<u32, String>,
) -> Result<Scanned, OpenError> {
    let Range { from, until } = range;
    let last_at = from.as_ref().map_or(0, |from| from.at);
    let mut reader = Reader { visit, end: from, closed: true, torn: false, prepared: None, last_at, frames: 0 };
    let (mut count, mut buffer) = (0, ReadBuffer::default());
    // Where the journal is being written, segments are added while the others are read.
    while reader.closed {
        let next_seq = reader.end.as_ref().map_or(0, |end| end.next_seq);
        let mut found = segments(storage)?;
        found.retain(|first_seq, _| *first_seq >= next_seq && until.is_none_or(|until| *first_seq < until));
        if reader.end.is_none()
            && let Some(first) = found.keys().next().filter(|first| **first != 1)
        {
            return Err(OpenError::BeginsLate { first: *first });
        }
        for (first_seq, name) in &found {
            reader.segment(name, *first_seq, storage.read_into(name, &mut buffer)?)?;
        }
        count += found.len() as u64;
        match &reader.end {
            Some(end) if until == Some(end.next_seq) => break,
            Some(end) if found.is_empty() => {
                return Err(damaged(&segment_name(end.next_seq), 0, "this segment is missing"));
            }
            None => break,
            Some(_) => {}
        }
    }
    let Reader { end: position, torn, prepared, frames, .. } = reader;
    Ok(Scanned { position, torn, prepared, frames, segments: count })
}

/// Makes durable what only the operating system may have, in the last two segments at most: a process that was killed
/// has left writes and names that were never synced. A sync alone would not do. After one that has failed the system
/// takes its pages for written and still shows them; only what is written again is written by the next sync.
pub fn make_end_durable(storage: &dyn Storage) -> io::Result<()> {
    for name in segments(storage)?.values().rev().take(2) {
        let bytes = storage.read(name)?;
        let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let end = used.saturating_sub(END_BYTES);
        let mut file = storage.open(name)?;
        for (from, to) in [(0, SEGMENT_HEADER.min(end)), (end, used)] {
            match bytes.get(from..to) {
                Some(part) if !part.is_empty() => file.write_at(from as u64, part)?,
                _ => {}
            }
        }
        file.sync()?;
    }
    storage.sync_dir()
}

/// More than two frames, of which the last may not be durable: the one before it was synced before it was written.
const END_BYTES: usize = 2 * (BATCH_BYTES_MAX + FRAME_HEADER + ALIGNMENT);

/// Puts in order what a crash has left.
pub fn settle(storage: &dyn Storage, scanned: &Scanned, position: Position) -> io::Result<Position> {
    let mut file = storage.open(&position.segment)?;
    if scanned.torn {
        let cut = vec![0; usize::try_from(position.segment_size.saturating_sub(position.offset)).unwrap_or(0)];
        file.write_at(position.offset, &cut)?;
        file.sync()?;
        tracing::warn!(
            file = position.segment,
            offset = position.offset,
            "the last frame was cut short by a crash and has been removed; nothing in it was ever answered"
        );
    }
    let Some(next) = &scanned.prepared else { return Ok(position) };
    file.write_at(position.offset, &position.mark(Kind::Close).encode())?;
    file.sync()?;
    Ok(Position {
        segment: segment_name(next.first_seq),
        segment_size: next.size,
        offset: SEGMENT_HEADER as u64,
        previous: next.previous,
        unsealed: false,
        ..position
    })
}

fn damaged(file: &str, offset: usize, what: impl Into<String>) -> OpenError {
    OpenError::Damaged { file: file.to_owned(), offset: offset as u64, what: what.into() }
}

fn other_version(file: &str, offset: usize, what: String) -> OpenError {
    OpenError::OtherVersion { file: file.to_owned(), offset: offset as u64, what }
}

struct Reader<'a> {
    visit: &'a mut dyn FnMut(Frame) -> Result<u32, String>,
    /// Behind the last whole frame; `None` before the first segment.
    end: Option<Position>,
    /// Whether that frame closed its segment, so that another one must follow.
    closed: bool,
    torn: bool,
    prepared: Option<SegmentHeader>,
    last_at: Millis,
    frames: u64,
}

impl Reader<'_> {
    /// An error at the place up to which everything reads.
    fn damaged_end(&self, what: &str) -> OpenError {
        let (file, offset) = self.end.as_ref().map_or(("", 0), |end| (&end.segment, end.offset));
        OpenError::Damaged { file: file.to_owned(), offset, what: what.to_owned() }
    }

    /// Reads a segment's header and holds it against the segment before.
    fn header(&self, name: &str, first_seq: u64, bytes: &[u8]) -> Result<SegmentHeader, OpenError> {
        let header =
            SegmentHeader::decode(bytes).ok_or_else(|| damaged(name, 0, "the segment header does not read"))?;
        if header.version != FORMAT_VERSION {
            let what = format!("written in format {}, this program has {FORMAT_VERSION}", header.version);
            return Err(other_version(name, 4, what));
        }
        let expected = match &self.end {
            // Whether or not the closing frame was written before a crash, it is known what it says.
            Some(end) if self.closed => (end.ledger, end.next_seq, end.previous),
            Some(end) => (end.ledger, end.next_seq, end.mark(Kind::Close).checksum()),
            None => (header.ledger, 1, 0),
        };
        if header.first_seq != first_seq || (header.ledger, header.first_seq, header.previous) != expected {
            let what = "the segment does not follow the one before; is one missing, or of another ledger?";
            return Err(damaged(name, 0, what));
        }
        if bytes.get(..SEGMENT_HEADER) != Some(header.encode().as_slice()) {
            return Err(damaged(name, 0, "the segment header says more than this program knows"));
        }
        if header.size != bytes.len() as u64 {
            return Err(damaged(name, bytes.len(), "the file is not as long as it was made"));
        }
        Ok(header)
    }

    fn segment(&mut self, name: &str, first_seq: u64, bytes: &[u8]) -> Result<(), OpenError> {
        let header = self.header(name, first_seq, bytes)?;
        if self.closed {
            return self.frames(name, &header, bytes);
        }
        // A crash may leave a new segment beside one that is not closed yet, but nothing can be in it.
        if self.prepared.is_some() || bytes.iter().skip(SEGMENT_HEADER).any(|byte| *byte != 0) {
            return Err(self.damaged_end("a frame does not read, and frames follow it"));
        }
        self.prepared = Some(header);
        Ok(())
    }

    /// Reads the frames of a segment, and what stands behind them.
    fn frames(&mut self, name: &str, header: &SegmentHeader, bytes: &[u8]) -> Result<(), OpenError> {
        let mut end = Position {
            ledger: header.ledger,
            segment: name.to_owned(),
            segment_size: header.size,
            offset: SEGMENT_HEADER as u64,
            previous: header.previous,
            outcomes: self.end.as_ref().map_or(0, |end| end.outcomes),
            next_seq: header.first_seq,
            at: self.last_at,
            unsealed: false,
        };
        let mut offset = SEGMENT_HEADER;
        self.closed = false;
        while !self.closed
            && let Some(length) = self.frame(&mut end, offset, bytes)?
        {
            offset += length;
            end.offset = offset as u64;
        }
        let rest = bytes.get(offset..).unwrap_or_default();
        self.torn = rest.iter().any(|byte| *byte != 0);
        let follows = self.torn && (self.closed || holds_later_frame(rest, &end));
        self.end = Some(end);
        if follows {
            return Err(self.damaged_end("a frame does not read, and more follows it"));
        }
        Ok(())
    }

    /// Reads one frame and gives its length; `None` where none stands whole.
    fn frame(&mut self, end: &mut Position, offset: usize, bytes: &[u8]) -> Result<Option<usize>, OpenError> {
        let name = end.segment.clone();
        let Some((header, checksum)) = bytes.get(offset..).and_then(FrameHeader::decode) else { return Ok(None) };
        check_version(&name, offset, &header)?;
        if (header.ledger, header.previous, header.first_seq) != (end.ledger, end.previous, end.next_seq) {
            return Err(damaged(&name, offset, "the frame does not follow the one before"));
        }
        if bytes.get(offset..offset + FRAME_HEADER) != Some(header.encode().as_slice()) {
            return Err(damaged(&name, offset, "the frame header says more than this program knows"));
        }
        if header.outcomes != end.outcomes {
            let what = "this program gives other outcomes than the one that wrote the frame before";
            return Err(other_version(&name, offset, what.into()));
        }
        let kind = [Kind::Events, Kind::Seal, Kind::Close].into_iter().find(|kind| *kind as u8 == header.kind);
        let start = offset + FRAME_HEADER;
        if kind != Some(Kind::Events) {
            let Some(kind) = kind.filter(|kind| end.mark(*kind) == header) else {
                return Err(damaged(&name, offset, "a frame without events says more than it may"));
            };
            self.closed = kind == Kind::Close;
            (end.previous, end.unsealed) = (checksum, false);
            self.frames += 1;
            return Ok(Some(FRAME_HEADER));
        }
        let length = usize::try_from(header.length).unwrap_or(usize::MAX);
        let body = start.checked_add(length).and_then(|stop| bytes.get(start..stop));
        let Some(body) = body.filter(|body| crc32c::crc32c(body) == header.body) else { return Ok(None) };
        let whole = (FRAME_HEADER + length).next_multiple_of(ALIGNMENT);
        if bytes.get(start + length..offset + whole).is_none_or(|fill| fill.iter().any(|byte| *byte != 0)) {
            return Err(damaged(&name, start + length, "bytes between frames are not zero"));
        }
        end.outcomes = self.apply(end, &header, body).map_err(|what| damaged(&name, offset, what))?;
        (end.previous, end.unsealed, end.at) = (checksum, true, self.last_at);
        self.frames += 1;
        Ok(Some(whole))
    }

    fn apply(&mut self, end: &mut Position, header: &FrameHeader, body: &[u8]) -> Result<u32, String> {
        let events = self.events(end, header, body)?;
        if header.count == 0 || header.at != self.last_at {
            return Err("the frame's header does not say what is in it".into());
        }
        (self.visit)(Frame { events })
    }

    /// `length(4) at(8) event` for each.
    fn events(
        &mut self,
        end: &mut Position,
        header: &FrameHeader,
        mut body: &[u8],
    ) -> Result<Vec<(u64, Millis, Event)>, String> {
        let count = usize::try_from(header.count).unwrap_or(usize::MAX);
        let mut events = Vec::with_capacity(count.min(body.len() / EVENT_HEADER));
        for _ in 0..header.count {
            let short = "the frame ends within an event";
            let (length, rest) = body.split_first_chunk::<4>().ok_or(short)?;
            let (at, rest) = rest.split_first_chunk::<8>().ok_or(short)?;
            let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| short)?;
            let (event, rest) = rest.split_at_checked(length).ok_or(short)?;
            let at = u64::from_le_bytes(*at);
            if at < self.last_at {
                return Err("time goes back".into());
            }
            let event = codec::decode(event).map_err(|error| error.to_string())?;
            events.push((end.next_seq, at, event));
            end.next_seq = end.next_seq.checked_add(1).ok_or("there are no further sequence numbers")?;
            self.last_at = at;
            body = rest;
        }
        if body.is_empty() { Ok(events) } else { Err("bytes are left behind the last event".into()) }
    }
}

/// Judged before anything else that the header says: a newer program's frames are not damage, and not to be cut off.
fn check_version(name: &str, offset: usize, header: &FrameHeader) -> Result<(), OpenError> {
    if header.version != FORMAT_VERSION {
        let what = format!("written in format {}, this program has {FORMAT_VERSION}", header.version);
        return Err(other_version(name, offset, what));
    }
    if !(RULES_OLDEST..=RULES_VERSION).contains(&header.rules) {
        let what = format!("written under rules {}, this program has {RULES_VERSION}", header.rules);
        return Err(other_version(name, offset, what));
    }
    Ok(())
}

/// Whether a frame of this ledger that comes later than the torn one stands anywhere in what should be the journal's
/// empty end. The ledger's random id is part of the header, so nothing that events carry can pass for one.
fn holds_later_frame(rest: &[u8], end: &Position) -> bool {
    let is_later = |at: usize| {
        let header = rest.get(at..).and_then(FrameHeader::decode);
        header.is_some_and(|(header, _)| {
            header.ledger == end.ledger && header.first_seq >= end.next_seq.saturating_add(u64::from(at == 0))
        })
    };
    (0..rest.len()).step_by(ALIGNMENT).any(is_later)
}
