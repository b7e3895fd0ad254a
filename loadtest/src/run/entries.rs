//! What a book of the daemon's, journal or transaction log, has of the test's messages and transfers.

use std::collections::HashMap;

use ledger::Code;

use super::book::MessageKey;

#[derive(Debug, Default)]
pub struct Entries {
    pub messages: HashMap<MessageKey, Vec<CardEntry>>,
    /// By description, which the test makes unique.
    pub transfers: HashMap<String, Vec<TransferEntry>>,
}

/// A card message; copies that were answered from memory are left out.
#[derive(Clone, Debug)]
pub struct CardEntry {
    pub code: Code,
    pub approval: u32,
    /// DE 4 as recorded.
    pub amount: i64,
}

/// A transfer of REST.
#[derive(Clone, Debug)]
pub struct TransferEntry {
    pub seq: u64,
    pub amount: i64,
}

impl Entries {
    /// Of a message, and how many of them were approved.
    pub fn of(&self, key: &MessageKey) -> (&[CardEntry], u64) {
        let entries = self.messages.get(key).map(Vec::as_slice).unwrap_or_default();
        (entries, approved(entries))
    }

    pub fn transfer(&self, name: &str) -> &[TransferEntry] {
        self.transfers.get(name).map(Vec::as_slice).unwrap_or_default()
    }
}

fn approved(entries: &[CardEntry]) -> u64 {
    entries.iter().filter(|entry| entry.code == Code::Approved).count() as u64
}
