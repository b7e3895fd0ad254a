//! What the ledger did, read back from its journal after the daemon has ended.

use std::collections::HashMap;
use std::path::Path;

use anyhow::Context;
use ledger::{AccountId, AppliedEvent, Body, Code, Posting};
use serde::Deserialize;

use super::book::MessageKey;
use super::entries::{CardEntry, Entries, TransferEntry};

/// What moved on an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    pub entries: u64,
    pub sum: i64,
    /// Of it, by the messages and transfers of this test.
    pub tested: i64,
}

/// Everything there is to compare with.
#[derive(Debug, Default)]
pub struct Journal {
    pub entries: Entries,
    pub accounts: HashMap<AccountId, Moved>,
    /// What the events moved that were asked for.
    moves: HashMap<u64, Vec<Posting>>,
    pub events: u64,
}

/// The record of an event, as far as it is compared.
#[derive(Deserialize)]
struct Record {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    mti: String,
    #[serde(default)]
    amount: i64,
    #[serde(default)]
    stan: String,
    #[serde(default)]
    transmission: String,
    #[serde(default)]
    terminal: String,
    #[serde(default)]
    description: Option<String>,
}

impl Journal {
    /// Reads and checks the whole journal of a data directory; keeps the postings of these sequences.
    pub fn read(data_dir: &Path, keep: impl IntoIterator<Item = u64>) -> anyhow::Result<Self> {
        let mut journal = Self::keeping(keep);
        let report = ledger::read(data_dir, |event| journal.take(&event));
        let report = report.context("the journal of the run is damaged")?;
        journal.events = report.events;
        Ok(journal)
    }

    /// Empty yet.
    pub fn keeping(seqs: impl IntoIterator<Item = u64>) -> Self {
        Self { moves: seqs.into_iter().map(|seq| (seq, Vec::new())).collect(), ..Self::default() }
    }

    pub fn take(&mut self, event: &AppliedEvent) {
        let tested = match &event.event.body {
            Body::Card(card) => !event.replayed && self.take_message(event, &card.record),
            Body::Post { record, .. } => !event.replayed && self.take_transfer(event, record),
            _ => false,
        };
        if let Some(kept) = self.moves.get_mut(&event.seq) {
            kept.clone_from(&event.moves);
        }
        for posting in &event.moves {
            let moved = self.accounts.entry(posting.account).or_default();
            moved.entries += 1;
            moved.sum += posting.amount;
            moved.tested += if tested { posting.amount } else { 0 };
        }
    }

    /// The account on which an event posted an amount: sequence, amount.
    pub fn account_of(&self, (seq, amount): (u64, i64)) -> Option<AccountId> {
        let posting = self.moves.get(&seq)?.iter().find(|posting| posting.amount == amount)?;
        Some(posting.account)
    }

    fn take_message(&mut self, event: &AppliedEvent, record: &[u8]) -> bool {
        let Ok(record) = serde_json::from_slice::<Record>(record) else { return false };
        let key = MessageKey::new(&record.terminal, &record.mti, &record.stan, &record.transmission);
        let Some(key) = key else { return false };
        let outcome = &event.outcome;
        let entry = CardEntry { code: outcome.code, approval: outcome.approval, amount: record.amount };
        self.entries.messages.entry(key).or_default().push(entry);
        true
    }

    fn take_transfer(&mut self, event: &AppliedEvent, record: &[u8]) -> bool {
        let Ok(record) = serde_json::from_slice::<Record>(record) else { return false };
        let (true, Some(description)) = (record.kind == "transfer", record.description) else { return false };
        let entry = TransferEntry { seq: event.seq, amount: event.outcome.amount };
        if event.outcome.code == Code::Approved {
            self.entries.transfers.entry(description).or_default().push(entry);
        }
        true
    }
}
