//! payShield host commands: the wire codec, and a client with pooled, pipelined connections.
//!
//! The client is what a switch talks to its HSM with. It never holds a clear payment key: keys are
//! [`KeyUnderLmk`], enciphered under the HSM's local master key. Command bodies can hold PINs and are wiped after
//! use; nothing here logs a body, and `Debug` shows none.

mod answer;
mod body;
mod client;
mod commands;
mod connection;
mod error;
mod frame;
mod key;
mod pool;

pub use answer::Answer;
pub use body::Body;
pub use client::{HsmClient, HsmConfig};
pub use commands::{Diagnostics, ExportedKey, GeneratedKey, KeyExport, PinBlockFormat, PinVerdict};
pub use error::{HsmError, meaning};
pub use frame::{FRAME_MAX, Frame, FrameCodec, FrameError, HEADER_MAX, Header, response_code};
pub use key::{KeyUnderLmk, PinUnderLmk};
