//! A software HSM that speaks the payShield host commands, for development and tests.
//!
//! Clear keys exist in this process only; everything that leaves it is under the LMK, a transport key or a key
//! block. `README.md` lists the commands offered and where each follows a source or our own reading.

mod commands;
pub mod console;
mod error;
mod fields;
mod key_type;
mod lmk;
mod pin_under_lmk;
mod server;

pub use lmk::Lmk;
pub use server::{HsmOptions, Server};
