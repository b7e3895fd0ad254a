//! The messages that were decided, by their names.

use std::collections::{HashMap, HashSet, VecDeque};

use super::account::{Account, Balance};
use super::digest::Digest;

/// Messages remembered, and reversals of what has not come; the oldest goes first.
pub(crate) const REMEMBERED_MAX: usize = 500_000;

/// Names of one message. Repeats with ever another DE 7 get no more.
const NAMES_MAX: usize = 64;

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

pub(crate) struct Remembered {
    pub contents: Digest,
    pub verdict: Verdict,
    pub account: Account,
    pub effect: Effect,
    /// A reversal has taken it back.
    pub reversed: bool,
    /// It came as a repeat; its first copy may still come.
    pub is_repeat: bool,
    names: Vec<Digest>,
}

impl Remembered {
    pub fn new(contents: Digest, verdict: Verdict, account: Account, effect: Effect) -> Self {
        Self { contents, verdict, account, effect, reversed: false, is_repeat: false, names: Vec::new() }
    }
}

pub(crate) struct Memory {
    max: usize,
    messages: HashMap<Digest, Remembered>,
    /// Further names, each of the last message that had it.
    names: HashMap<Digest, Digest>,
    order: VecDeque<Digest>,
    /// Originals whose reversal came first.
    tombstones: HashSet<Digest>,
    tombstone_order: VecDeque<Digest>,
    /// How many were forgotten since this was last asked for.
    forgotten: u64,
}

impl Memory {
    pub fn new(max: usize) -> Self {
        Self {
            max,
            messages: HashMap::new(),
            names: HashMap::new(),
            order: VecDeque::new(),
            tombstones: HashSet::new(),
            tombstone_order: VecDeque::new(),
            forgotten: 0,
        }
    }

    /// How many messages were forgotten since this was last asked for. A copy of one of them would be decided anew.
    pub fn take_forgotten(&mut self) -> u64 {
        std::mem::take(&mut self.forgotten)
    }

    pub fn remember(&mut self, id: Digest, names: Vec<Digest>, mut message: Remembered) {
        for name in &names {
            self.names.insert(*name, id);
        }
        message.names = names;
        self.messages.insert(id, message);
        self.order.push_back(id);
        if self.order.len() > self.max {
            self.forget_oldest();
        }
    }

    /// A copy with another DE 7 gives the message one more name, which is forgotten with it.
    pub fn alias(&mut self, id: Digest, name: Digest) {
        let Some(message) = self.messages.get_mut(&id) else { return };
        if name != id && message.names.len() < NAMES_MAX && self.names.insert(name, id) != Some(id) {
            message.names.push(name);
        }
    }

    /// The id of the message that has this id or name.
    pub fn id_of(&self, name: Digest) -> Option<Digest> {
        match self.messages.contains_key(&name) {
            true => Some(name),
            false => self.names.get(&name).copied(),
        }
    }

    /// As [`Memory::id_of`], where no more than a repeat of it has come.
    pub fn repeat_without_first(&self, name: Digest) -> Option<Digest> {
        self.id_of(name).filter(|id| self.messages.get(id).is_some_and(|message| message.is_repeat))
    }

    /// By its id, or by another name.
    pub fn find(&mut self, names: &[Digest]) -> Option<&mut Remembered> {
        let id = names.iter().find_map(|name| self.id_of(*name))?;
        self.messages.get_mut(&id)
    }

    pub fn bury(&mut self, original: Digest) {
        self.tombstones.insert(original);
        self.tombstone_order.push_back(original);
        if self.tombstone_order.len() > self.max
            && let Some(oldest) = self.tombstone_order.pop_front()
        {
            self.tombstones.remove(&oldest);
            self.forgotten += 1;
        }
    }

    pub fn is_buried(&self, names: impl IntoIterator<Item = Digest>) -> bool {
        names.into_iter().any(|name| self.tombstones.contains(&name))
    }

    fn forget_oldest(&mut self) {
        let Some(id) = self.order.pop_front() else { return };
        self.forgotten += 1;
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
    use iso8583::domain::Pan;

    use super::super::account::Accounts;
    use super::super::digest::digest;
    use super::*;

    fn name(number: u32) -> Digest {
        digest("test", &[&number.to_string()])
    }

    fn message(contents: Digest) -> Remembered {
        let verdict = Verdict { code: *b"00", approval: None, balance: None };
        let pan = Pan::parse("9999980000000007").unwrap();
        let account = Accounts::new(1, 0..=0, &[]).account(&pan, "710");
        Remembered::new(contents, verdict, account, Effect::Nothing)
    }

    #[test]
    fn a_message_is_found_by_every_name_until_it_is_forgotten() {
        let mut memory = Memory::new(10);
        memory.remember(name(1), vec![name(101), name(102)], message(name(11)));
        memory.remember(name(2), vec![name(102)], message(name(12)));
        assert_eq!(memory.find(&[name(999), name(101)]).unwrap().contents, name(11));
        assert_eq!(memory.find(&[name(102)]).unwrap().contents, name(12), "the last message of a name");
        assert_eq!(memory.find(&[name(1)]).unwrap().contents, name(11));
        memory.alias(name(1), name(103));
        assert_eq!(memory.find(&[name(103)]).unwrap().contents, name(11));
        memory.forget_oldest();
        assert!(memory.find(&[name(1), name(101), name(103)]).is_none());
        assert!(!memory.names.contains_key(&name(103)));
        assert_eq!(memory.find(&[name(102)]).unwrap().contents, name(12));
    }

    #[test]
    fn a_message_has_no_end_of_repeats_but_of_names() {
        let mut memory = Memory::new(10);
        memory.remember(name(1), Vec::new(), message(name(11)));
        (0..1_000).for_each(|number| memory.alias(name(1), name(number + 100)));
        assert_eq!(memory.names.len(), NAMES_MAX);
    }

    #[test]
    fn what_is_forgotten_is_told_once() {
        let mut memory = Memory::new(3);
        (0..5).for_each(|number| memory.remember(name(number), Vec::new(), message(name(11))));
        (0..4).for_each(|number| memory.bury(name(number)));
        assert_eq!(memory.take_forgotten(), 3, "two messages and a tombstone");
        assert_eq!(memory.take_forgotten(), 0);
    }

    #[test]
    fn tombstones_are_kept() {
        let mut memory = Memory::new(10);
        memory.bury(name(5));
        assert!(memory.is_buried([name(4), name(5)]) && !memory.is_buried([name(4)]));
    }
}
