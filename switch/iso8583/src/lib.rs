//! ISO 8583 messages, their dialects described as data.
//!
//! A dialect is a JSON file ([`Spec::builtin`], [`Spec::load`]) that may extend another. It compiles once to a flat
//! table indexed by data element; decoding checks every length and character and records spans over the one buffer
//! it was given, encoding writes once. The library knows nothing of any particular switch.

mod charset;
mod check;
pub mod codes;
pub mod convert;
mod decode;
pub mod describe;
pub mod detect;
pub mod domain;
pub mod emv;
mod encode;
pub mod exchange;
mod fields;
pub mod framing;
#[doc(hidden)]
pub mod fuzzing;
pub mod json;
mod message;
mod parts;
mod plan;
#[cfg(test)]
mod properties;
mod route;
mod spec;
pub mod tlv;
pub mod tool;
mod value;
mod wire;

pub use decode::{DecodeError, MESSAGE_MAX};
pub use describe::describe;
pub use encode::{EncodeError, Spans};
pub use fields::{Fields, ValueRef};
pub use message::Message;
pub use plan::{FieldInfo, Sensitivity};
pub use route::Route;
pub use spec::{PresenceFault, Spec, SpecError, Version};
pub use value::{Parts, Value};

/// Data elements are numbered 1 to 128; 1 is the presence of the second bitmap.
pub const LAST_DATA_ELEMENT: u8 = 128;
