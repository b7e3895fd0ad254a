//! One file a command.

pub mod demo;
pub mod hsm;
pub mod iso;
pub mod keys;
pub mod ledger;
mod moment;
pub mod network;
pub mod openapi;
pub mod terminal;
pub mod tranlog;

use std::io;

/// A reader that has seen enough (`| head`) is no failure.
fn heard(written: io::Result<()>) -> io::Result<()> {
    written.or_else(|error| if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })
}
