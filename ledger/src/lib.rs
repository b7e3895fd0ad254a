//! An in-memory double-entry ledger with a write-ahead journal.
//!
//! One thread takes events in turn: stamps them, writes them as one frame, syncs, applies them, answers. Nothing is
//! readable or answered before it is durable. [`State::apply`] is pure and total: the same journal always gives the
//! same state. `FORMAT.md` describes the files byte by byte, and what a crash can leave of them.

mod clock;
mod codec;
mod controls;
mod direct;
mod event;
mod journal;
pub mod limits;
mod messages;
mod outcome;
mod recovery;
mod sequencer;
mod snapshot;
mod start;
mod state;
mod stats;
mod storage;
mod submission;
mod subscription;
pub mod testing;
mod tools;
mod trial_balance;

pub use clock::{Clock, SystemClock};
pub use controls::{
    Atc, ClosedDay, Controls, Limit, Period, Side, Subject, Sum, TerminalDay, TerminalId, Total, Totals, Usage,
    UsageKey,
};
pub use direct::ReadBuffer;
pub use event::{
    AccountId, AccountKind, Body, CardAction, CardEvent, CardId, Content, Entry, Event, EventId, Floor, Key, Millis,
    PinCheck, Posting, Reference,
};
pub use messages::{ForwardResult, LinkId, MessageDid, Outgoing, StoredMessage};
pub use outcome::{AnswerBytes, Applied, Code, Outcome};
pub use recovery::OpenError;
pub use sequencer::{Ledger, LedgerConfig};
pub use state::{AccountView, Changes, HoldView, Recall, Recorded, State};
pub use stats::{Stats, stats};
pub use storage::{FileStorage, Storage, StorageFile};
pub use submission::{Stopped, SubmitError, Submitted, SubmittedAll};
pub use subscription::{AppliedEvent, Feed, Subscription, subscribe};
pub use tools::{Report, dump, read, verify, verify_storage};
pub use trial_balance::{AsOf, TrialBalance, trial_balance};
