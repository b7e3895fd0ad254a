//! ISO 8583 messages, their dialects described as data.
//!
//! A dialect is a JSON file ([`Spec::builtin`], [`Spec::load`]) that may extend another. It compiles once to a flat
//! table indexed by data element; decoding checks every length and character and records spans over the one buffer
//! it was given, encoding writes once. The library knows nothing of any particular switch.

pub mod describe;
pub mod domain;
mod fields;
pub mod framing;
mod message;
mod plan;
mod spec;
pub mod tool;

pub use describe::describe;
pub use fields::{Fields, Value};
pub use message::{DecodeError, EncodeError, Message, Spans};
pub use plan::{FieldInfo, Sensitivity};
pub use spec::{Spec, SpecError};

/// Data elements are numbered 1 to 128; 1 is the presence of the second bitmap.
pub const LAST_DATA_ELEMENT: u8 = 128;
