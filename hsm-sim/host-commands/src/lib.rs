//! The host protocol of a payShield: its frames, its keys as texts, and a pooled client.
//!
//! Framing: a 2-byte big-endian length, a message header of configured length that the answer repeats, a
//! two-character command, its fields. The answer's code is the command with its second letter raised by one, then a
//! two-character error code.

mod client;
mod commands;
mod connection;
mod error;
mod key;
mod tls;
pub mod wire;

pub use client::{HsmClient, HsmConfig, HsmState};
pub use commands::{Diagnostics, ExportedKey, GeneratedKey, KeyDomain, KeyExport, PinVerdict, SessionKey};
pub use error::{HsmError, meaning};
pub use key::{KeyUnderLmk, PinUnderLmk};
pub use tls::{ClientTls, ClientTlsError};
