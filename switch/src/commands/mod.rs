//! One file a command.

pub mod demo;
pub mod hsm;
pub mod iso;
pub mod ledger;
pub mod network;
pub mod openapi;
pub mod terminal;
