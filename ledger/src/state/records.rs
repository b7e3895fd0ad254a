//! Records by id. They lie in chunks that never move, and only their places are sorted: what is sorted is small, and
//! room for one more is never made by copying all. A chunk whose records are all forgotten is given back.

use std::collections::BTreeMap;
use std::fmt;

use super::memory::Record;
use crate::event::EventId;

/// Records of a chunk.
const CHUNK: usize = 4096;

#[derive(Clone, Default)]
pub(super) struct Records {
    places: BTreeMap<EventId, u32>,
    chunks: Vec<Chunk>,
    /// Places of records that were removed; the last ones are taken first.
    free: Vec<u32>,
    /// The first place that never was anybody's.
    next: u32,
}

/// Room for [`CHUNK`] records; none is held while there are none.
#[derive(Clone, Default)]
struct Chunk {
    rows: Vec<Option<Record>>,
    used: usize,
}

impl Records {
    pub fn from_rows(rows: impl Iterator<Item = (EventId, Record)>) -> Self {
        let mut records = Self::default();
        let places: Vec<_> = rows
            .map(|(id, record)| {
                let place = records.new_place();
                records.put(place, record);
                (id, place)
            })
            .collect();
        records.places = places.into_iter().collect();
        records
    }

    pub fn len(&self) -> usize {
        self.places.len()
    }

    pub fn contains_key(&self, id: &EventId) -> bool {
        self.places.contains_key(id)
    }

    pub fn get(&self, id: &EventId) -> Option<&Record> {
        let (chunk, row) = split(*self.places.get(id)?);
        self.chunks.get(chunk)?.rows.get(row)?.as_ref()
    }

    pub fn get_mut(&mut self, id: &EventId) -> Option<&mut Record> {
        let (chunk, row) = split(*self.places.get(id)?);
        self.chunks.get_mut(chunk)?.rows.get_mut(row)?.as_mut()
    }

    /// The id is not there yet.
    pub fn insert(&mut self, id: EventId, record: Record) {
        let place = match self.free.pop() {
            Some(place) => place,
            None => self.new_place(),
        };
        self.put(place, record);
        self.places.insert(id, place);
    }

    fn put(&mut self, place: u32, record: Record) {
        let (chunk, row) = split(place);
        if chunk >= self.chunks.len() {
            self.chunks.push(Chunk::default());
        }
        let Some(chunk) = self.chunks.get_mut(chunk) else { return };
        if row >= chunk.rows.len() {
            chunk.rows.reserve_exact(CHUNK - chunk.rows.len());
            chunk.rows.resize_with(row + 1, || None);
        }
        if let Some(row) = chunk.rows.get_mut(row) {
            *row = Some(record);
            chunk.used += 1;
        }
    }

    fn new_place(&mut self) -> u32 {
        let place = self.next;
        self.next += 1;
        place
    }

    pub fn remove(&mut self, id: &EventId) -> Option<Record> {
        let place = self.places.remove(id)?;
        self.free.push(place);
        let (chunk, row) = split(place);
        let chunk = self.chunks.get_mut(chunk)?;
        let record = chunk.rows.get_mut(row)?.take();
        chunk.used = chunk.used.saturating_sub(1);
        if chunk.used == 0 {
            chunk.rows = Vec::new();
        }
        record
    }

    /// In the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = (EventId, &Record)> {
        self.places.keys().filter_map(|id| Some((*id, self.get(id)?)))
    }
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

fn split(place: u32) -> (usize, usize) {
    let place = place as usize;
    (place / CHUNK, place % CHUNK)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Content;
    use crate::outcome::{Code, Outcome};
    use crate::state::memory::Effect;

    fn record(seq: u64) -> Record {
        let (code, account) = (Code::Approved, None);
        let outcome =
            Outcome { code, reason: 0, seq, at: 0, amount: 0, account, balance: 0, available: 0, approval: 0 };
        let (content, effect) = (Content([0; 16]), Effect::Nothing);
        Record { content, outcome, effect, forget_at: None, advice: false, reversed: false, more: None }
    }

    /// Filled, emptied from the front and filled again, with what is there looked at all the time.
    #[test]
    fn room_is_given_back_and_taken_again() {
        let mut records = Records::default();
        let all = 3 * CHUNK as u64 + 5;
        let held = |records: &Records| records.chunks.iter().filter(|chunk| !chunk.rows.is_empty()).count();
        for round in 0..3 {
            for number in 0..all {
                records.insert(EventId(number.into()), record(number + round));
            }
            assert_eq!((records.len() as u64, held(&records), records.chunks.len()), (all, 4, 4));
            for number in 0..all - 1 {
                assert_eq!(records.remove(&EventId(number.into())).unwrap().outcome.seq, number + round);
            }
            assert_eq!((records.len(), held(&records)), (1, 1));
            let last = EventId((all - 1).into());
            assert_eq!(records.get(&last).unwrap().outcome.seq, all - 1 + round);
            assert!(records.remove(&last).is_some() && records.remove(&last).is_none());
            assert_eq!((records.len(), held(&records)), (0, 0));
        }
    }
}
