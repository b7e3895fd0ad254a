//! Records by id. They lie in chunks that never move, and places in them are found by a small table for each quarter of
//! a second of their ids: what is new mostly belongs to the last, so that it is at hand, and none is ever large.
//! A chunk whose records are all forgotten is given back.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::BuildHasher;

use super::index::Index;
use super::record::Record;
use crate::event::EventId;
use crate::limits::BATCH_EVENTS_MAX;

/// Records of a chunk.
const CHUNK: usize = 4096;

/// Chunks that are kept ready: as many as one frame may need.
const SPARE: usize = BATCH_EVENTS_MAX.div_ceil(CHUNK) + 1;

/// Milliseconds of one table, as a power of two.
pub(super) const SPAN_BITS: u32 = 8;

/// Where a record lies, as long as it is there.
pub(super) type Place = u32;

#[derive(Clone, Default)]
pub(super) struct Records {
    /// By the time of ids.
    tables: BTreeMap<u64, Index>,
    len: usize,
    chunks: Vec<Chunk>,
    /// For the next chunks.
    spare: Vec<Room>,
    /// Places of records that were removed; the last ones are taken first.
    free: Vec<Place>,
    /// The first place that never was anybody's.
    next: Place,
}

/// Room for [`CHUNK`] records; none is held while there are none.
#[derive(Clone, Default)]
struct Chunk {
    rows: Vec<Option<Row>>,
    used: usize,
}

/// Memory for a chunk, touched: it is there when it is written to.
#[derive(Clone)]
pub(crate) struct Room(Vec<Option<Row>>);

impl Room {
    pub fn new() -> Self {
        let mut rows = Vec::with_capacity(CHUNK);
        rows.resize_with(CHUNK, || None);
        Self(rows)
    }
}

#[derive(Clone)]
struct Row {
    /// The id's high and low bits: a number of 128 would leave gaps.
    id: [u64; 2],
    record: Record,
}

impl Row {
    fn id(&self) -> EventId {
        let [high, low] = self.id;
        EventId(u128::from(high) << 64 | u128::from(low))
    }
}

fn halves(id: EventId) -> [u64; 2] {
    [(id.0 >> 64) as u64, id.0 as u64]
}

/// The same in every run; order is never taken from it.
fn hash(id: [u64; 2]) -> u64 {
    foldhash::fast::FixedState::with_seed(0).hash_one(id)
}

fn span(id: EventId) -> u64 {
    id.time() >> SPAN_BITS
}

impl Records {
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn place(&self, id: EventId) -> Option<Place> {
        let halves = halves(id);
        let is_meant = |place| row(&self.chunks, place).is_some_and(|row| row.id == halves);
        self.tables.get(&span(id))?.find(hash(halves), is_meant)
    }

    /// Looks where records of some ids would be found, and changes nothing.
    pub fn warm(&self, ids: impl Iterator<Item = EventId>) {
        let look = |id: EventId| self.tables.get(&span(id)).and_then(|table| table.guess(hash(halves(id))));
        std::hint::black_box(ids.filter_map(look).fold(0, Place::wrapping_add));
    }

    /// Looks at what is about to be removed: the rows, and then where they are found.
    pub fn warm_places(&self, places: impl Iterator<Item = Place>, ids: &mut Vec<EventId>) {
        ids.clear();
        ids.extend(places.filter_map(|place| {
            let row = row(&self.chunks, place)?;
            // It may begin in one line of the cache and end two further.
            std::hint::black_box((row.record.content.0[0], row.record.forget_at()));
            Some(row.id())
        }));
        self.warm(ids.iter().copied());
    }

    /// What lies there.
    pub fn at(&self, place: Place) -> Option<(EventId, &Record)> {
        row(&self.chunks, place).map(|row| (row.id(), &row.record))
    }

    pub fn at_mut(&mut self, place: Place) -> Option<&mut Record> {
        let (chunk, row) = split(place);
        self.chunks.get_mut(chunk)?.rows.get_mut(row)?.as_mut().map(|row| &mut row.record)
    }

    pub fn get(&self, id: EventId) -> Option<&Record> {
        self.at(self.place(id)?).map(|(_, record)| record)
    }

    pub fn get_mut(&mut self, id: EventId) -> Option<&mut Record> {
        self.at_mut(self.place(id)?)
    }

    /// The id is not there yet.
    pub fn insert(&mut self, id: EventId, record: Record) -> Place {
        let place = match self.free.pop() {
            Some(place) => place,
            None => self.new_place(),
        };
        let halves = halves(id);
        self.put(place, Row { id: halves, record });
        let tables = &mut self.tables;
        let table = match tables.get_mut(&span(id)) {
            Some(table) => table,
            None => {
                // As large as the one before: growing means finding everything a new place.
                let before = tables.range(..span(id)).next_back().map_or(0, |(_, table)| table.len());
                tables.entry(span(id)).or_insert_with(|| Index::with_capacity(before))
            }
        };
        table.insert(hash(halves), place);
        self.len += 1;
        place
    }

    /// Whether the next record may begin a chunk.
    pub fn is_at_chunk(&self) -> bool {
        self.len.is_multiple_of(CHUNK)
    }

    /// As many as it wants.
    pub fn take_rooms(&mut self, rooms: impl Iterator<Item = Room>) {
        self.spare.extend(rooms.take(SPARE.saturating_sub(self.spare.len())));
    }

    fn put(&mut self, place: Place, row: Row) {
        let (chunk, number) = split(place);
        if chunk >= self.chunks.len() {
            self.chunks.push(Chunk::default());
        }
        let Some(chunk) = self.chunks.get_mut(chunk) else { return };
        if chunk.rows.is_empty()
            && let Some(Room(rows)) = self.spare.pop()
        {
            chunk.rows = rows;
        }
        if number >= chunk.rows.len() {
            chunk.rows.reserve_exact(CHUNK - chunk.rows.len());
            chunk.rows.resize_with(number + 1, || None);
        }
        if let Some(place) = chunk.rows.get_mut(number) {
            *place = Some(row);
            chunk.used += 1;
        }
    }

    fn new_place(&mut self) -> Place {
        let place = self.next;
        self.next += 1;
        place
    }

    pub fn remove(&mut self, place: Place) -> Option<(EventId, Record)> {
        let (id, _) = self.at(place)?;
        let table = self.tables.get_mut(&span(id))?;
        table.remove(hash(halves(id)), |found| found == place)?;
        if table.len() == 0 {
            self.tables.remove(&span(id));
        }
        self.free.push(place);
        self.len -= 1;
        let (chunk, row) = split(place);
        let chunk = self.chunks.get_mut(chunk)?;
        let row = chunk.rows.get_mut(row)?.take();
        chunk.used = chunk.used.saturating_sub(1);
        if chunk.used == 0 {
            // All its rows are empty.
            let rows = std::mem::take(&mut chunk.rows);
            if self.spare.len() < SPARE && rows.len() == CHUNK {
                self.spare.push(Room(rows));
            }
        }
        row.map(|row| (id, row.record))
    }

    /// In the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = (EventId, &Record)> {
        self.tables.values().flat_map(|table| {
            let mut rows: Vec<_> = table.iter().filter_map(|place| self.at(place)).collect();
            rows.sort_unstable_by_key(|(id, _)| *id);
            rows
        })
    }
}

fn row(chunks: &[Chunk], place: Place) -> Option<&Row> {
    let (chunk, row) = split(place);
    chunks.get(chunk)?.rows.get(row)?.as_ref()
}

/// Where they lie tells nothing.
impl PartialEq for Records {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Records {}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

fn split(place: Place) -> (usize, usize) {
    let place = place as usize;
    (place / CHUNK, place % CHUNK)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Content;
    use crate::outcome::{Code, Outcome};
    use crate::state::record::Effect;

    fn record(seq: u64) -> Record {
        let (code, account) = (Code::Approved, None);
        let outcome =
            Outcome { code, reason: 0, seq, at: 0, amount: 0, account, balance: 0, available: 0, approval: 0 };
        Record::new(Content([0; 16]), &outcome, Effect::Nothing, None, false)
    }

    #[test]
    fn a_row_takes_few_bytes() {
        assert_eq!(size_of::<Option<Row>>(), 136);
    }

    /// Filled, emptied from the front and filled again, with what is there looked at all the time.
    #[test]
    fn room_is_given_back_and_taken_again() {
        let mut records = Records::default();
        let all = 3 * CHUNK as u64 + 5;
        // Some of one time and some of each of many, none of them in order.
        let id = |number: u64| EventId(u128::from(number % 300) << 80 | u128::from(number.wrapping_mul(0x9E37_79B9)));
        let held = |records: &Records| records.chunks.iter().filter(|chunk| !chunk.rows.is_empty()).count();
        for round in 0..3 {
            for number in 0..all {
                let place = records.insert(id(number), record(number + round));
                assert_eq!(records.at(place).unwrap().0, id(number));
            }
            assert_eq!((records.len() as u64, held(&records), records.chunks.len()), (all, 4, 4));
            assert_eq!(records.tables.len(), 2);
            assert!(records.iter().is_sorted_by(|one, other| one.0 < other.0));
            assert_eq!(records.iter().count() as u64, all);
            for number in 0..all - 1 {
                let place = records.place(id(number)).unwrap();
                let (removed, record) = records.remove(place).unwrap();
                assert_eq!((removed, record.seq), (id(number), number + round));
            }
            assert_eq!((records.len(), held(&records)), (1, 1));
            let last = id(all - 1);
            assert_eq!(records.get(last).unwrap().seq, all - 1 + round);
            let place = records.place(last).unwrap();
            assert!(records.remove(place).is_some() && records.remove(place).is_none());
            assert_eq!((records.len(), held(&records), records.tables.len()), (0, 0, 0));
        }
    }
}
