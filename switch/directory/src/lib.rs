//! What the switch must know of cards, terminals and networks at message time.
//!
//! The relational store is the truth for these facts; this crate holds the copy that the message path reads.
//! Readers take a snapshot of one shard without a lock; writers (the change feed) replace one shard at a time.
//! It holds no clear PAN: a card is found by the keyed hash of its PAN.

mod card;
mod directory;
mod network;
mod pan_hash;
mod terminal;

pub use card::{Card, CardStatus};
pub use directory::{Change, Directory};
pub use network::Network;
pub use pan_hash::{PanHash, PanHasher};
pub use terminal::{KeyScheme, Terminal, TerminalName};
