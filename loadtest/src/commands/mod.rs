//! One file a command.

pub mod compare;
pub mod hsm;
pub mod ledger;
pub mod run;
