//! The log on disk: one keyspace of rows, two that find them, and how far it has got.
//!
//! ```text
//! transactions   seq                → time, row
//! by_terminal    terminal, 0, seq   → nothing
//! by_rrn         RRN, 0, seq        → nothing
//! position       "seq"              → the last event that was taken over
//! ```
//!
//! Rows, references and position change in one batch of the store: a crash leaves all of them or none, and the ledger
//! is asked for the events after the position that is found. Batches reach the operating system when they are written
//! and the disk later; what a power failure takes from the end is in the journal still.

use std::path::{Path, PathBuf};

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use ledger::AppliedEvent;

use crate::error::Error;
use crate::row::{Row, RowOf, StoredRow};

/// Memory for blocks that were read. Searches are rare; following the journal reads nothing.
const CACHE_BYTES: u64 = 16 << 20;

/// Rows kept in memory before they become a file.
const MEMTABLE_BYTES: u64 = 16 << 20;

/// The store's own journal is emptied into files when it is this long: what a start reads again.
const JOURNAL_BYTES: u64 = 96 << 20;

const POSITION: &[u8] = b"seq";

/// An open log. One process has it at a time.
pub struct Tranlog {
    folder: PathBuf,
    database: Database,
    pub(crate) transactions: Keyspace,
    pub(crate) by_terminal: Keyspace,
    pub(crate) by_rrn: Keyspace,
    position: Keyspace,
}

impl Tranlog {
    /// Opens the log of a folder, or makes an empty one.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let failed = Error::engine(folder);
        let database = Database::builder(folder)
            .cache_size(CACHE_BYTES)
            .max_journaling_size(JOURNAL_BYTES)
            .worker_threads(1)
            .open()
            .map_err(&failed)?;
        let keyspace = |name: &str| {
            let options = || KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE_BYTES);
            database.keyspace(name, options).map_err(&failed)
        };
        Ok(Self {
            transactions: keyspace("transactions")?,
            by_terminal: keyspace("by_terminal")?,
            by_rrn: keyspace("by_rrn")?,
            position: keyspace("position")?,
            folder: folder.to_owned(),
            database,
        })
    }

    /// Opens a log that is there.
    pub fn open_existing(folder: &Path) -> Result<Self, Error> {
        if folder.is_dir() { Self::open(folder) } else { Err(Error::Missing(folder.to_owned())) }
    }

    /// The last event that was taken over; 0 before the first.
    pub fn seq(&self) -> Result<u64, Error> {
        match self.position.get(POSITION).map_err(self.failed())? {
            None => Ok(0),
            Some(seq) => Ok(u64::from_be_bytes(seq.as_ref().try_into().map_err(|_| self.foreign())?)),
        }
    }

    /// Takes over events in order: each once, however often it is given, and none before all that come before it.
    /// Gives the last sequence the log then has.
    pub fn take_over(&self, events: &[AppliedEvent], row_of: RowOf) -> Result<u64, Error> {
        let before = self.seq()?;
        let mut batch = self.database.batch().durability(Some(PersistMode::Buffer));
        let mut seq = before;
        for event in events.iter().filter(|event| event.seq > before) {
            if event.seq != seq + 1 {
                return Err(Error::Gap { folder: self.folder.clone(), seq, given: event.seq });
            }
            seq = event.seq;
            let Some(row) = row_of(event) else { continue };
            for (keyspace, name) in [(&self.by_terminal, &row.terminal), (&self.by_rrn, &row.rrn)] {
                if let Some(name) = name {
                    batch.insert(keyspace, reference(name, seq), []);
                }
            }
            batch.insert(
                &self.transactions,
                seq.to_be_bytes(),
                [&event.at.to_be_bytes(), row.json.as_slice()].concat(),
            );
        }
        if seq > before {
            batch.insert(&self.position, POSITION, seq.to_be_bytes());
            batch.commit().map_err(self.failed())?;
        }
        Ok(seq)
    }

    /// Makes everything durable that was written.
    pub fn sync(&self) -> Result<(), Error> {
        self.database.persist(PersistMode::SyncAll).map_err(self.failed())
    }

    /// The row of an event.
    pub fn row(&self, seq: u64) -> Result<Option<StoredRow>, Error> {
        let value = self.transactions.get(seq.to_be_bytes()).map_err(self.failed())?;
        value.map(|value| self.stored(seq, &value)).transpose()
    }

    pub(crate) fn stored(&self, seq: u64, value: &[u8]) -> Result<StoredRow, Error> {
        let (at, json) = value.split_first_chunk::<8>().ok_or_else(|| self.foreign())?;
        Ok(StoredRow { seq, at: u64::from_be_bytes(*at), json: json.to_vec() })
    }

    pub(crate) fn failed(&self) -> impl Fn(fjall::Error) -> Error {
        Error::engine(&self.folder)
    }

    pub(crate) fn foreign(&self) -> Error {
        Error::Foreign(self.folder.clone())
    }
}

/// The part of a reference's key before the sequence.
pub(crate) fn prefix(name: &str) -> Vec<u8> {
    let name = name.trim_end().as_bytes();
    let mut key = Vec::with_capacity(name.len().min(Row::REFERENCE_MAX) + 9);
    key.extend_from_slice(name.get(..Row::REFERENCE_MAX).unwrap_or(name));
    key.push(0);
    key
}

fn reference(name: &str, seq: u64) -> Vec<u8> {
    let mut key = prefix(name);
    key.extend_from_slice(&seq.to_be_bytes());
    key
}

#[cfg(test)]
mod tests;
