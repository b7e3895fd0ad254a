//! How messages look on a link: the spec and the framing.

use std::sync::Arc;

use iso8583::Spec;
use iso8583::framing::{Framing, LengthHeader};

use crate::Error;

/// Largest frame: what a 2-byte length can say.
const FRAME_MAX: usize = 65_535;

/// Cheap to clone.
#[derive(Clone, Debug)]
pub struct Dialect {
    pub spec: Arc<Spec>,
    pub framing: Framing,
}

impl Dialect {
    /// The dialect of a listener of the demo: `pos-binary`, `pos-tls` (inside TLS the same) or `pos-ascii`.
    pub fn of_listener(name: &str) -> Result<Self, Error> {
        let (spec, tpdu) = match name {
            "pos-binary" | "pos-tls" => ("iso87binary", true),
            "pos-ascii" => ("iso87ascii", false),
            _ => return Err(Error::Listener(name.to_owned())),
        };
        Ok(Self {
            spec: Spec::builtin(spec)?,
            framing: Framing { length: LengthHeader::Binary2, tpdu, max: FRAME_MAX },
        })
    }
}
