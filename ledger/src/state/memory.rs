//! What is remembered: events with their outcomes, the keys they are found by, and originals that must not come any
//! more.

use std::collections::{BTreeMap, BTreeSet};

use super::ahead::AHEAD;
use super::record::Record;
use super::records::{Place, Records, Room};
use super::rooms::Rooms;
use super::schedule::Schedule;
use super::usages::Charge;
use crate::event::{Body, Event, EventId, Key, Millis, Reference};
use crate::limits::{ADVICE_HORIZON_MS, AHEAD_MS, Bounds, HORIZON_MS, REPEATS_MAX, TICK_WORK_MAX};
use crate::outcome::Code;

#[derive(Clone, Debug)]
pub(super) struct Memory {
    records: Records,
    /// Records without an open hold: what may go when room is needed, first those whose newest id is oldest.
    evictable: Schedule,
    expiries: Schedule,
    aliases: BTreeSet<(Key, EventId)>,
    /// A copy's id, and that of the record it is a copy of.
    copies: BTreeMap<EventId, EventId>,
    /// An unknown original and the time of the reversal that named it (0 where it was named by its id), until when.
    tombstones: BTreeMap<(Reference, Millis), Millis>,
    tombstone_expiries: BTreeSet<(Millis, Reference, Millis)>,
    /// Unknown ids of a time before this are too old, whatever the horizon: their records had to make room.
    forgotten_before: Millis,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            records: Records::default(),
            evictable: Schedule::new(|id, record| record.forget_at().map(|_| record.newest(id))),
            expiries: Schedule::new(|_, record| record.forget_at()),
            aliases: BTreeSet::new(),
            copies: BTreeMap::new(),
            tombstones: BTreeMap::new(),
            tombstone_expiries: BTreeSet::new(),
            forgotten_before: 0,
        }
    }
}

/// The indexes follow from what is compared; [`Memory::check`] holds them to it.
impl PartialEq for Memory {
    fn eq(&self, other: &Self) -> bool {
        let rest = |memory: &Self| (memory.tombstones.clone(), memory.forgotten_before);
        self.records == other.records && rest(self) == rest(other)
    }
}

impl Eq for Memory {}

impl Memory {
    pub fn records(&self) -> impl Iterator<Item = (EventId, &Record)> {
        self.records.iter()
    }

    /// Looks where records of some ids would be found, and changes nothing.
    pub fn warm(&self, ids: impl Iterator<Item = EventId>) {
        self.records.warm(ids);
    }

    pub fn take_rooms(&mut self, rooms: impl Iterator<Item = Room>) {
        self.records.take_rooms(rooms);
    }

    /// Of records in the order of their ids, with the indexes made again.
    pub fn from_records(rows: &mut dyn Iterator<Item = (EventId, Record)>, rooms: Option<&Rooms>) -> Self {
        let mut memory = Self::default();
        for (id, record) in rows {
            if memory.records.is_at_chunk() {
                memory.take_rooms(rooms.and_then(Rooms::for_records).into_iter());
            }
            memory.put(id, record);
        }
        memory
    }

    /// Unknown originals, the time of the reversal that named each, and until when they are remembered.
    pub fn tombstones(&self) -> impl Iterator<Item = (Reference, Millis, Millis)> {
        self.tombstones.iter().map(|((reference, time), until)| (*reference, *time, *until))
    }

    pub fn with_tombstones(self, rows: Vec<(Reference, Millis, Millis)>, forgotten_before: Millis) -> Self {
        let tombstone_expiries = rows.iter().map(|(reference, time, until)| (*until, *reference, *time)).collect();
        let tombstones = rows.into_iter().map(|(reference, time, until)| ((reference, time), until)).collect();
        Self { tombstones, tombstone_expiries, forgotten_before, ..self }
    }

    pub fn forgotten_before(&self) -> Millis {
        self.forgotten_before
    }

    pub fn len(&self) -> usize {
        self.records.len()
    }

    pub fn tombstone_count(&self) -> usize {
        self.tombstones.len()
    }

    pub fn get(&self, id: EventId) -> Option<&Record> {
        self.records.get(id)
    }

    pub fn get_mut(&mut self, id: EventId) -> Option<&mut Record> {
        self.records.get_mut(id)
    }

    /// The holder of a key with the newest id up to `last`.
    fn holder(&self, key: Key, last: EventId) -> Option<EventId> {
        self.aliases.range((key, EventId(0))..=(key, last)).next_back().map(|(_, id)| *id)
    }

    /// The record of an id: its own, or the one it is known to be a copy of.
    pub fn by_id(&self, id: EventId) -> Option<(EventId, &Record)> {
        let place = self.records.place(id).or_else(|| self.records.place(*self.copies.get(&id)?))?;
        self.records.at(place)
    }

    /// The first copy of a message: known by its id, or for a repeat by the alias that both share.
    pub fn first_copy(&self, id: EventId, repeat_of: Option<Key>) -> Option<(EventId, &Record)> {
        self.by_id(id).or_else(|| {
            let id = self.holder(repeat_of?, EventId(u128::MAX))?;
            Some((id, self.records.get(id)?))
        })
    }

    /// The repeat of a message, where it overtook its first copy.
    fn overtaking_repeat(&self, event: &Event) -> Option<(EventId, &Record)> {
        let Body::Card(card) = &event.body else { return None };
        card.aliases.iter().find_map(|key| {
            let id = self.holder(*key, EventId(u128::MAX)).filter(|id| *id > event.id)?;
            let record = self.records.get(id)?;
            (record.repeat_of() == Some(*key) && record.content == event.content).then_some((id, record))
        })
    }

    /// What is known of an event already.
    pub fn known(&self, event: &Event) -> Option<(EventId, &Record)> {
        let repeat_of = match &event.body {
            Body::Card(card) => card.repeat_of,
            _ => None,
        };
        self.first_copy(event.id, repeat_of).or_else(|| self.overtaking_repeat(event))
    }

    /// Whether an id of this time, being unknown, may have been remembered once.
    pub fn has_forgotten(&self, time: Millis) -> bool {
        time < self.forgotten_before
    }

    /// The event that one of time `time` names: of several holders of a key the newest that is not later than that.
    pub fn named(&self, reference: Reference, time: Millis) -> Option<EventId> {
        let by_id = |id| self.by_id(id).map(|(id, _)| id);
        let by_key = |key| self.holder(key, EventId::last_of(time));
        match reference {
            Reference::Id(id) => by_id(id),
            Reference::Key(key) => by_key(key),
            Reference::IdOrRepeat(id, key) => by_id(id).or_else(|| by_key(key)),
        }
    }

    /// Remembers that an id means the same message as a record. Of very many copies the last few are known.
    pub fn link(&mut self, copy: EventId, of: EventId) {
        let Some(place) = self.records.place(of).filter(|_| copy != of && !self.copies.contains_key(&copy)) else {
            return;
        };
        self.leave_schedules(place);
        if let Some(record) = self.records.at_mut(place) {
            let more = record.more.get_or_insert_default();
            if more.copies.len() >= REPEATS_MAX {
                self.copies.remove(&more.copies.remove(0));
            }
            more.copies.push(copy);
            more.newest_copy = more.newest_copy.max(copy.time());
            self.copies.insert(copy, of);
            if let Some(forget_at) = record.forget_at() {
                record.set_forget_at(forget_at.max(record.newest(of).saturating_add(record.horizon())));
            }
        }
        self.join_schedules(place);
    }

    /// Of one with an open hold, nothing is done here.
    fn join_schedules(&mut self, place: Place) {
        self.evictable.insert(place, &self.records);
        self.expiries.insert(place, &self.records);
    }

    /// Before it changes or goes.
    fn leave_schedules(&mut self, place: Place) {
        self.evictable.remove(place, &self.records);
        self.expiries.remove(place, &self.records);
    }

    /// Whether a reversal came first that named exactly this id.
    pub fn is_buried_by_id(&self, id: EventId) -> bool {
        self.tombstones.contains_key(&(Reference::Id(id), 0))
    }

    /// Whether the event's reversal came first. A key may have been used again since: it means events of the day
    /// before the reversal.
    pub fn is_buried(&self, event: &Event) -> bool {
        if self.tombstones.is_empty() {
            return false;
        }
        let keys = match &event.body {
            Body::Card(card) => card.aliases.as_slice(),
            _ => &[],
        };
        let (from, to) = (event.id.time(), event.id.time() + HORIZON_MS);
        let by_key = |key: &Key| {
            let reference = Reference::Key(*key);
            self.tombstones.range((reference, from)..=(reference, to)).next().is_some()
        };
        self.is_buried_by_id(event.id) || keys.iter().any(by_key)
    }

    /// Remembers that an original's reversal, an event of time `time`, came first: as long as the original's id could
    /// still be accepted.
    pub fn bury(&mut self, reference: Reference, time: Millis, now: Millis, max: usize) -> Result<(), Code> {
        let by_id = |id: EventId| ((Reference::Id(id), 0), id.time().min(now.saturating_add(AHEAD_MS)));
        let by_key = |key: Key| ((Reference::Key(key), time), time);
        let rows = match reference {
            Reference::Id(id) => vec![by_id(id)],
            Reference::Key(key) => vec![by_key(key)],
            Reference::IdOrRepeat(id, key) => vec![by_id(id), by_key(key)],
        };
        let until = |last: Millis| last.saturating_add(ADVICE_HORIZON_MS);
        let rows: Vec<_> = rows.into_iter().filter(|(_, last)| until(*last) > now).collect();
        let new = rows.iter().filter(|(row, _)| !self.tombstones.contains_key(row)).count();
        if new > 0 && self.tombstones.len() + new > max {
            return Err(Code::Full);
        }
        for (row, last) in rows {
            if let Some(before) = self.tombstones.insert(row, until(last)) {
                self.tombstone_expiries.remove(&(before, row.0, row.1));
            }
            self.tombstone_expiries.insert((until(last), row.0, row.1));
        }
        Ok(())
    }

    /// Remembers an event under its id and aliases. `forget_at`: `None` while its hold is open.
    pub fn insert(&mut self, id: EventId, record: Record, bounds: &Bounds) {
        if self.records.len() >= bounds.records {
            self.make_room();
        }
        self.put(id, record);
    }

    fn put(&mut self, id: EventId, record: Record) {
        self.aliases.extend(record.aliases().iter().map(|key| (*key, id)));
        self.copies.extend(record.copies().iter().map(|copy| (*copy, id)));
        let place = self.records.insert(id, record);
        self.join_schedules(place);
    }

    /// The event's hold or forward is open no more: so much later it may be forgotten.
    pub fn ended(&mut self, id: EventId, now: Millis, keep: Millis) {
        let Some(place) = self.records.place(id) else { return };
        if let Some(record) = self.records.at_mut(place) {
            record.set_forget_at(record.newest(id).saturating_add(record.horizon()).max(now.saturating_add(keep)));
        }
        self.join_schedules(place);
    }

    fn make_room(&mut self) {
        if let Some((newest, place)) = self.evictable.first(&self.records) {
            self.forgotten_before = self.forgotten_before.max(newest.saturating_add(1));
            self.forget(place);
        }
    }

    /// Looks at those that would have to go if so many more came, and changes nothing.
    pub fn warm_evictable(&self, more: usize, bounds: &Bounds, ids: &mut Vec<EventId>) {
        if self.records.len() + more > bounds.records {
            self.records.warm_places(self.evictable.front().take(more), ids);
        }
    }

    fn forget(&mut self, place: Place) {
        self.leave_schedules(place);
        let Some((id, record)) = self.records.remove(place) else { return };
        for key in record.aliases() {
            self.aliases.remove(&(*key, id));
        }
        for copy in record.copies() {
            self.copies.remove(copy);
        }
    }

    /// Forgets what is due, a bounded number of rows at once.
    pub fn tick(&mut self, now: Millis) {
        let mut ids = Vec::new();
        for number in 0..TICK_WORK_MAX {
            if number.is_multiple_of(AHEAD) {
                self.records.warm_places(self.expiries.front().take(AHEAD), &mut ids);
            }
            let Some((_, place)) = self.expiries.first(&self.records).filter(|(at, _)| *at <= now) else { break };
            self.forget(place);
        }
        for _ in 0..TICK_WORK_MAX {
            let first = self.tombstone_expiries.first().copied();
            let Some((until, reference, time)) = first.filter(|(at, ..)| *at <= now) else { break };
            self.tombstone_expiries.remove(&(until, reference, time));
            self.tombstones.remove(&(reference, time));
        }
    }

    /// Perhaps a little too early, where nobody has asked for the first before: forgetting puts that right.
    pub fn next_due(&self) -> Option<Millis> {
        let record = self.expiries.next(&self.records);
        let tombstone = self.tombstone_expiries.first().map(|(at, ..)| *at);
        record.into_iter().chain(tombstone).min()
    }

    /// Whether the indexes say what the records say. `is_open`: whether a hold of that id is open.
    pub fn check(&self, is_open: impl Fn(EventId) -> bool) -> Result<(), String> {
        let (mut aliases, mut copies) = (BTreeSet::new(), Vec::new());
        for (id, record) in self.records.iter() {
            aliases.extend(record.aliases().iter().map(|key| (*key, id)));
            copies.extend(record.copies().iter().map(|copy| (*copy, id)));
            if is_open(id) == record.forget_at().is_some() {
                return Err(format!("event {:032x} is remembered as if its hold were another", id.0));
            }
        }
        copies.sort_unstable();
        if !copies.iter().copied().eq(self.copies.iter().map(|(copy, of)| (*copy, *of)))
            || aliases != self.aliases
            || !self.expiries.check(&self.records)
            || !self.evictable.check(&self.records)
        {
            return Err("an index of remembered events names one that is not there".into());
        }
        let by_expiry = self.tombstone_expiries.iter().map(|(until, reference, time)| ((*reference, *time), *until));
        if by_expiry.collect::<BTreeMap<_, _>>() != self.tombstones
            || self.tombstone_expiries.len() != self.tombstones.len()
        {
            return Err("an index of reversed originals differs from them".into());
        }
        Ok(())
    }

    pub fn charges(&self) -> impl Iterator<Item = &Charge> {
        self.records.iter().flat_map(|(_, record)| record.charges())
    }
}
