//! Records by id. They lie in chunks that never move, and only their places are sorted: what is sorted is small, and
//! room for one more is never made by copying all.

use std::collections::BTreeMap;
use std::fmt;

use super::memory::Record;
use crate::event::EventId;

/// Records of a chunk.
const CHUNK: usize = 4096;

#[derive(Clone, Default)]
pub(super) struct Records {
    places: BTreeMap<EventId, u32>,
    /// All but the last are full; a record that was removed leaves its place to another.
    chunks: Vec<Vec<Option<Record>>>,
    free: Vec<u32>,
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
        self.chunks.get(chunk)?.get(row)?.as_ref()
    }

    pub fn get_mut(&mut self, id: &EventId) -> Option<&mut Record> {
        let (chunk, row) = split(*self.places.get(id)?);
        self.chunks.get_mut(chunk)?.get_mut(row)?.as_mut()
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
        if let Some(row) = self.chunks.get_mut(chunk).and_then(|chunk| chunk.get_mut(row)) {
            *row = Some(record);
        }
    }

    fn new_place(&mut self) -> u32 {
        if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        let before = (self.chunks.len() - 1) * CHUNK;
        match self.chunks.last_mut() {
            Some(last) => {
                last.push(None);
                u32::try_from(before + last.len() - 1).unwrap_or(u32::MAX)
            }
            None => u32::MAX,
        }
    }

    pub fn remove(&mut self, id: &EventId) -> Option<Record> {
        let place = self.places.remove(id)?;
        self.free.push(place);
        let (chunk, row) = split(place);
        self.chunks.get_mut(chunk)?.get_mut(row)?.take()
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
