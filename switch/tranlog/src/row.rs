//! A transaction as a row.

use ledger::{AppliedEvent, Millis};

/// What is written of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Where it can be looked for: DE 41. At most [`Row::REFERENCE_MAX`] bytes count.
    pub terminal: Option<String>,
    /// DE 37.
    pub rrn: Option<String>,
    /// One JSON object without secrets. The same for the same event, whenever it is made.
    pub json: Vec<u8>,
}

impl Row {
    /// Longer than any element that names a terminal or a transaction (ISO 8583:1987, DE 37 and 41).
    pub const REFERENCE_MAX: usize = 32;
}

/// The row of an event; `None` for one that is no transaction.
pub type RowOf = fn(&AppliedEvent) -> Option<Row>;

/// A row as it is read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRow {
    /// Of its event in the journal.
    pub seq: u64,
    /// When the ledger applied it, Unix milliseconds. Rises with the sequence.
    pub at: Millis,
    pub json: Vec<u8>,
}
