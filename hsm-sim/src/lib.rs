//! A software HSM that speaks the payShield host commands, for development and tests.
//!
//! Clear keys exist in this process only; everything that leaves it is under the LMK, a transport key or a key
//! block. `README.md` lists the commands offered and where each follows a source or our own reading.

mod audit;
pub mod behaviour;
pub mod commands;
pub mod console;
mod device;
mod error;
mod explain;
mod fields;
#[doc(hidden)]
pub mod fuzzing;
mod hex;
pub mod keys;
mod pin_blocks;
mod pin_under_lmk;
mod policy;
mod server;
pub mod tls;
mod usage;

pub use audit::AuditLog;
pub use device::{Device, Outcome};
pub use error::Code;
pub use explain::{Explained, Field, explain};
pub use fields::ZmkLength;
pub use keys::{Lmk, LmkStore};
pub use pin_blocks::Format;
pub use policy::Policy;
pub use server::{HsmOptions, Server};
pub use usage::{CommandFigures, Figures, Usage};
