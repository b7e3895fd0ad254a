//! The transaction log: every transaction of the ledger with both its messages, masked, by sequence, terminal and
//! retrieval reference number.
//!
//! It follows the ledger's journal and is made of nothing else, so it can be thrown away and made anew. What stands in
//! a row is decided by the switch; here rows are texts with references to find them by.

mod error;
mod follower;
mod log;
mod row;
mod search;

pub use error::Error;
pub use follower::Follower;
pub use log::Tranlog;
pub use row::{Row, RowOf, StoredRow};
pub use search::{Search, Wanted};
