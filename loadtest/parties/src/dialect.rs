//! How messages look on a link: the spec and the framing.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use iso8583::Spec;
use iso8583::framing::{Frame, FrameCodec, Framing, Header, HeaderKind, LengthHeader};
use tokio_util::codec::Encoder;

use crate::Error;

/// Largest frame: what a 2-byte length can say.
const FRAME_MAX: usize = 65_535;

/// Identifier 60, destination 0001, origin 0002. The two differ so that an answer shows whether they were swapped.
const TPDU: [u8; 5] = [0x60, 0x00, 0x01, 0x00, 0x02];

/// What our requests have in front of the message.
pub(crate) fn header(framing: Framing) -> Header {
    if framing.header == HeaderKind::Tpdu { Header::Tpdu(TPDU) } else { Header::None }
}

/// Cheap to clone.
#[derive(Clone, Debug)]
pub struct Dialect {
    pub spec: Arc<Spec>,
    pub framing: Framing,
}

impl Dialect {
    /// The dialect of a listener of the demo: `pos-binary`, `pos-tls` (inside TLS the same), `pos-ascii` or `network`.
    pub fn of_listener(name: &str) -> Result<Self, Error> {
        let (spec, header) = match name {
            "pos-binary" | "pos-tls" => ("iso87binary", HeaderKind::Tpdu),
            "pos-ascii" | "network" => ("iso87ascii", HeaderKind::None),
            _ => return Err(Error::Listener(name.to_owned())),
        };
        Ok(Self {
            spec: Spec::builtin(spec)?,
            framing: Framing { length: LengthHeader::Binary2, header, max: FRAME_MAX },
        })
    }

    /// A message as it goes on the wire, frame and TPDU included.
    pub fn framed(&self, wire: &Bytes) -> Result<Bytes, Error> {
        let mut framed = BytesMut::with_capacity(wire.len() + 8);
        let frame = Frame { header: header(self.framing), body: wire.clone() };
        FrameCodec::new(self.framing).encode(frame, &mut framed).map_err(Error::Broken)?;
        Ok(framed.freeze())
    }

    /// Whether a frame is addressed as an answer to one of [`Dialect::framed`].
    pub fn answers_us(&self, frame: &Frame) -> bool {
        frame.header == header(self.framing).reply()
    }
}
