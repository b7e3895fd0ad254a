//! Forwards that are open, messages that wait for their link, and dead letters.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::event::{EventId, Millis};
use crate::messages::{LinkId, MessageDid, Outgoing, StoredMessage};
use crate::outcome::Code;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Status {
    /// The message is the reversal that a forward would need; it joins the queue if no answer comes.
    Forward {
        expires_at: Millis,
    },
    /// `queued`: the sequence with which it joined its link's queue.
    Waiting {
        queued: u64,
        due: Millis,
        tries: u16,
    },
    Dead {
        tries: u16,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Row {
    outgoing: Outgoing,
    status: Status,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Messages {
    rows: BTreeMap<EventId, Row>,
    expiries: BTreeSet<(Millis, EventId)>,
    queues: BTreeSet<(LinkId, u64, EventId)>,
    dead: BTreeSet<EventId>,
}

impl Messages {
    pub fn rows(&self) -> impl Iterator<Item = (&EventId, &Row)> {
        self.rows.iter()
    }

    pub fn from_rows(rows: &mut dyn Iterator<Item = (EventId, Row)>) -> Self {
        let mut messages = Self { rows: rows.collect(), ..Self::default() };
        (messages.expiries, messages.queues, messages.dead) = messages.indexes();
        messages
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether anything is kept under this id.
    pub fn has(&self, id: EventId) -> bool {
        self.rows.contains_key(&id)
    }

    /// Whether a forward is open; its time may be over.
    pub fn is_forward(&self, id: EventId) -> bool {
        self.rows.get(&id).is_some_and(|row| matches!(row.status, Status::Forward { .. }))
    }

    /// Whether an answer to a forward is still taken.
    pub fn awaits_answer(&self, id: EventId, now: Millis) -> bool {
        let is_open = |row: &Row| matches!(row.status, Status::Forward { expires_at } if expires_at > now);
        self.rows.get(&id).is_some_and(is_open)
    }

    pub fn open_forward(&mut self, id: EventId, outgoing: Outgoing, expires_at: Millis) {
        self.expiries.insert((expires_at, id));
        self.rows.insert(id, Row { outgoing, status: Status::Forward { expires_at } });
    }

    /// It was answered.
    pub fn close_forward(&mut self, id: EventId) {
        if let Some(Row { status: Status::Forward { expires_at }, .. }) = self.rows.get(&id) {
            self.expiries.remove(&(*expires_at, id));
            self.rows.remove(&id);
        }
    }

    /// It will not be answered any more: its reversal is to be sent. Gives whether it was open.
    pub fn give_up_forward(&mut self, id: EventId, seq: u64, now: Millis) -> bool {
        let Some(row) = self.rows.get_mut(&id) else { return false };
        let Status::Forward { expires_at } = row.status else { return false };
        self.expiries.remove(&(expires_at, id));
        row.status = Status::Waiting { queued: seq, due: now, tries: 0 };
        self.queues.insert((row.outgoing.link, seq, id));
        true
    }

    pub fn next_expiry(&self) -> Option<(Millis, EventId)> {
        self.expiries.first().copied()
    }

    pub fn queue(&mut self, id: EventId, outgoing: Outgoing, seq: u64, now: Millis) {
        self.queues.insert((outgoing.link, seq, id));
        self.rows.insert(id, Row { outgoing, status: Status::Waiting { queued: seq, due: now, tries: 0 } });
    }

    /// Notes what became of a message.
    pub fn note(&mut self, id: EventId, did: MessageDid, seq: u64, now: Millis) -> Result<(), Code> {
        let row = self.rows.get_mut(&id).ok_or(Code::MessageNotFound)?;
        let link = row.outgoing.link;
        match (did, row.status.clone()) {
            (MessageDid::Delivered | MessageDid::Discarded, Status::Waiting { queued, .. }) => {
                self.queues.remove(&(link, queued, id));
                self.rows.remove(&id);
            }
            (MessageDid::Delivered | MessageDid::Discarded, Status::Dead { .. }) => {
                self.dead.remove(&id);
                self.rows.remove(&id);
            }
            (MessageDid::Failed { retry_at, tries_max }, Status::Waiting { queued, tries, .. }) => {
                let tries = tries.saturating_add(1);
                if tries < tries_max {
                    row.status = Status::Waiting { queued, due: retry_at, tries };
                } else {
                    row.status = Status::Dead { tries };
                    self.queues.remove(&(link, queued, id));
                    self.dead.insert(id);
                }
            }
            (MessageDid::Retried, Status::Dead { .. }) => {
                row.status = Status::Waiting { queued: seq, due: now, tries: 0 };
                self.dead.remove(&id);
                self.queues.insert((link, seq, id));
            }
            _ => return Err(Code::MessageNotFound),
        }
        Ok(())
    }

    /// The oldest message that waits for a link: no later one is to be sent before it.
    pub fn next(&self, link: LinkId) -> Option<StoredMessage> {
        let (_, _, id) = self.queues.range((link, 0, EventId(0))..=(link, u64::MAX, EventId(u128::MAX))).next()?;
        self.stored(*id)
    }

    pub fn dead(&self) -> impl Iterator<Item = StoredMessage> {
        self.dead.iter().filter_map(|id| self.stored(*id))
    }

    fn stored(&self, id: EventId) -> Option<StoredMessage> {
        let row = self.rows.get(&id)?;
        let (due, tries) = match row.status {
            Status::Forward { .. } => return None,
            Status::Waiting { due, tries, .. } => (due, tries),
            Status::Dead { tries } => (Millis::MAX, tries),
        };
        let Outgoing { link, message } = row.outgoing.clone();
        Some(StoredMessage { id, link, message, tries, due })
    }

    /// By expiry, by link, dead letters: as the rows say.
    #[expect(clippy::type_complexity, reason = "the fields' own types, in their order")]
    fn indexes(&self) -> (BTreeSet<(Millis, EventId)>, BTreeSet<(LinkId, u64, EventId)>, BTreeSet<EventId>) {
        let (mut expiries, mut queues, mut dead) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for (id, row) in &self.rows {
            match row.status {
                Status::Forward { expires_at } => drop(expiries.insert((expires_at, *id))),
                Status::Waiting { queued, .. } => drop(queues.insert((row.outgoing.link, queued, *id))),
                Status::Dead { .. } => drop(dead.insert(*id)),
            }
        }
        (expiries, queues, dead)
    }

    /// Whether the indexes say what the rows say.
    pub fn check(&self) -> Result<(), String> {
        let (expiries, queues, dead) = self.indexes();
        if (&expiries, &queues, &dead) == (&self.expiries, &self.queues, &self.dead) {
            Ok(())
        } else {
            Err("an index of messages differs from them".into())
        }
    }
}
