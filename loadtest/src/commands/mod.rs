//! One file a command.

pub mod hsm;
pub mod ledger;
pub mod run;
