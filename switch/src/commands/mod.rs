//! One file a command.

pub mod hsm;
pub mod iso;
pub mod ledger;
pub mod terminal;
