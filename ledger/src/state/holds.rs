//! Open holds, and when they expire.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::event::{CardId, Entry, EventId, Millis};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hold {
    /// What is still held.
    pub entry: Entry,
    pub expires_at: Millis,
    pub card: Option<CardId>,
    pub approval: u32,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Holds {
    open: BTreeMap<EventId, Hold>,
    expiries: BTreeSet<(Millis, EventId)>,
}

impl Holds {
    pub fn from_rows(rows: &mut dyn Iterator<Item = (EventId, Hold)>) -> Self {
        let open: BTreeMap<_, _> = rows.collect();
        let expiries = open.iter().map(|(id, hold)| (hold.expires_at, *id)).collect();
        Self { open, expiries }
    }

    pub fn len(&self) -> usize {
        self.open.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = (EventId, &Hold)> {
        self.open.iter().map(|(id, hold)| (*id, hold))
    }

    pub fn expiries(&self) -> &BTreeSet<(Millis, EventId)> {
        &self.expiries
    }

    /// Whether the hold's amounts are still pending; it may have expired.
    pub fn contains(&self, id: EventId) -> bool {
        self.open.contains_key(&id)
    }

    /// A hold that may be used. One that has expired may not, even if no tick has let it go yet.
    pub fn usable(&self, id: EventId, now: Millis) -> Option<&Hold> {
        self.open.get(&id).filter(|hold| hold.expires_at > now)
    }

    pub fn insert(&mut self, id: EventId, hold: Hold) {
        self.expiries.insert((hold.expires_at, id));
        self.open.insert(id, hold);
    }

    pub fn remove(&mut self, id: EventId) -> Option<Hold> {
        let hold = self.open.remove(&id)?;
        self.expiries.remove(&(hold.expires_at, id));
        Some(hold)
    }

    pub fn next_expiry(&self) -> Option<(Millis, EventId)> {
        self.expiries.first().copied()
    }
}
