//! Requests that others answer, and messages that wait to be sent.

use serde::{Deserialize, Serialize};

use crate::event::{Entry, EventId, Millis};

/// The caller's number of a connection to another party.
pub type LinkId = u32;

/// How a forwarded request was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForwardResult {
    /// The entry is posted whatever the floors say: the other party has decided.
    Approved { entry: Entry },
    /// The other party's number for its reason.
    Declined { reason: u16 },
}

/// A message that is to be sent for an event, queued in the same step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outgoing {
    pub link: LinkId,
    /// Up to [`crate::limits::MESSAGE_MAX`] bytes, opaque here. They stand in the journal: what is secret in them has to
    /// be sealed by the caller.
    pub message: Vec<u8>,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageDid {
    /// It was answered.
    Delivered,
    /// It is due again then; the last of its tries makes it a dead letter.
    Failed { retry_at: Millis, tries_max: u16 },
    /// A dead letter begins again.
    Retried,
    /// A person has settled it.
    Discarded,
}

/// A message that waits, or a dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMessage {
    /// The event that it was queued for: the forwarded request it reverses, or the one that carried it.
    pub id: EventId,
    pub link: LinkId,
    pub message: Vec<u8>,
    /// Sent so often without success.
    pub tries: u16,
    /// Not to be sent before.
    pub due: Millis,
}
