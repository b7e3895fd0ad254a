//! The messages that were decided, by their names.

use std::collections::{HashMap, HashSet, VecDeque};

use super::account::Balance;
use super::digest::Digest;

/// Messages remembered; the oldest goes first.
const REMEMBERED_MAX: usize = 500_000;

/// What a message did to an account, as long as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Nothing,
    /// Added to the ledger balance.
    Posted(i64),
    /// Set aside.
    Held(i64),
}

/// What the message was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// DE 39.
    pub code: [u8; 2],
    /// DE 38.
    pub approval: Option<u32>,
    /// DE 54.
    pub balance: Option<Balance>,
}

#[derive(Clone, Debug)]
pub(crate) struct Remembered {
    pub contents: Digest,
    pub verdict: Verdict,
    pub account: Digest,
    pub effect: Effect,
    /// A reversal has taken it back.
    pub reversed: bool,
    names: Vec<Digest>,
}

impl Remembered {
    pub fn new(contents: Digest, verdict: Verdict, account: Digest, effect: Effect) -> Self {
        Self { contents, verdict, account, effect, reversed: false, names: Vec::new() }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Memory {
    messages: HashMap<Digest, Remembered>,
    /// Further names, each of the last message that had it.
    names: HashMap<Digest, Digest>,
    order: VecDeque<Digest>,
    /// Originals whose reversal came first.
    tombstones: HashSet<Digest>,
    tombstone_order: VecDeque<Digest>,
}

impl Memory {
    pub fn remember(&mut self, id: Digest, names: Vec<Digest>, mut message: Remembered) {
        for name in &names {
            self.names.insert(*name, id);
        }
        message.names = names;
        self.messages.insert(id, message);
        self.order.push_back(id);
        if self.order.len() > REMEMBERED_MAX {
            self.forget_oldest();
        }
    }

    /// By its id, or by another name.
    pub fn find(&mut self, names: &[Digest]) -> Option<&mut Remembered> {
        let id = names.iter().find_map(|name| match self.messages.contains_key(name) {
            true => Some(*name),
            false => self.names.get(name).copied(),
        })?;
        self.messages.get_mut(&id)
    }

    pub fn bury(&mut self, original: Digest) {
        self.tombstones.insert(original);
        self.tombstone_order.push_back(original);
        if self.tombstone_order.len() > REMEMBERED_MAX
            && let Some(oldest) = self.tombstone_order.pop_front()
        {
            self.tombstones.remove(&oldest);
        }
    }

    pub fn is_buried(&self, names: impl IntoIterator<Item = Digest>) -> bool {
        names.into_iter().any(|name| self.tombstones.contains(&name))
    }

    fn forget_oldest(&mut self) {
        let Some(id) = self.order.pop_front() else { return };
        let names = self.messages.remove(&id).map(|message| message.names).unwrap_or_default();
        for name in names {
            if self.names.get(&name) == Some(&id) {
                self.names.remove(&name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(contents: Digest) -> Remembered {
        let verdict = Verdict { code: *b"00", approval: None, balance: None };
        Remembered::new(contents, verdict, 0, Effect::Nothing)
    }

    #[test]
    fn a_message_is_found_by_every_name_until_it_is_forgotten() {
        let mut memory = Memory::default();
        memory.remember(1, vec![101, 102], message(11));
        memory.remember(2, vec![102], message(12));
        assert_eq!(memory.find(&[999, 101]).unwrap().contents, 11);
        assert_eq!(memory.find(&[102]).unwrap().contents, 12, "the last message of a name");
        assert_eq!(memory.find(&[1]).unwrap().contents, 11);
        memory.forget_oldest();
        assert!(memory.find(&[1, 101]).is_none());
        assert_eq!(memory.find(&[102]).unwrap().contents, 12);
    }

    #[test]
    fn tombstones_are_kept() {
        let mut memory = Memory::default();
        memory.bury(5);
        assert!(memory.is_buried([4, 5]) && !memory.is_buried([4]));
    }
}
