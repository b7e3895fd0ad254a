//! Frames on TCP: a length, perhaps a header, the message.

mod header;
mod length;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

pub use header::{BaseI, Header, HeaderKind, TPDU_LENGTH};
use length::Found;
pub use length::LengthHeader;

/// How messages of one link are framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Framing {
    pub length: LengthHeader,
    /// Lengths count the header.
    pub header: HeaderKind,
    /// Largest frame taken, without its length.
    pub max: usize,
}

/// One frame. A frame of length 0 is a keep-alive: no header, no body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub header: Header,
    pub body: Bytes,
}

impl Frame {
    /// Sent back as it is, it says that the link is alive.
    pub const KEEP_ALIVE: Self = Self { header: Header::None, body: Bytes::new() };

    /// The answer's frame: the header's addresses change places.
    pub fn reply(&self, body: Bytes) -> Self {
        Self { header: self.header.reply(), body }
    }

    pub fn is_keep_alive(&self) -> bool {
        self.header == Header::None && self.body.is_empty()
    }
}

/// Cuts a byte stream into frames and writes frames. Allocates no more than what has arrived.
#[derive(Clone, Debug)]
pub struct FrameCodec(Framing);

impl FrameCodec {
    pub fn new(framing: Framing) -> Self {
        Self(framing)
    }
}

impl Decoder for FrameCodec {
    type Item = Frame;
    type Error = std::io::Error;

    fn decode(&mut self, source: &mut BytesMut) -> Result<Option<Frame>, Self::Error> {
        let found = self.0.length.find(source, self.0.max);
        let found = found.map_err(|fault| std::io::Error::new(std::io::ErrorKind::InvalidData, fault))?;
        let Found::Whole { before, length, behind, control } = found else { return Ok(None) };
        source.advance(before);
        let mut body = source.split_to(length).freeze();
        source.advance(behind);
        if control != [0; 2] {
            return Ok(Some(Frame { header: Header::Control(control), body }));
        }
        let (header, header_length) = self.0.header.read(&body);
        body.advance(header_length);
        Ok(Some(Frame { header, body }))
    }
}

impl Encoder<Frame> for FrameCodec {
    type Error = std::io::Error;

    fn encode(&mut self, frame: Frame, target: &mut BytesMut) -> Result<(), Self::Error> {
        let start = target.len();
        self.write(&frame, target).map_err(|fault| {
            // Nothing of a frame that cannot be written goes out.
            target.truncate(start);
            std::io::Error::new(std::io::ErrorKind::InvalidInput, fault)
        })
    }
}

impl FrameCodec {
    fn write(&self, Frame { header, body }: &Frame, target: &mut BytesMut) -> Result<(), &'static str> {
        let Framing { length: form, max, .. } = self.0;
        let header = match *header {
            Header::BaseI(base1) => Header::BaseI(base1.with_total(body.len())?),
            header => header,
        };
        let length = header.as_bytes().len() + body.len();
        if length > max {
            return Err("message longer than a frame can be");
        }
        let control = match header {
            Header::Control(control) => control,
            _ => [0; 2],
        };
        target.reserve(form.size() + length + 1);
        form.put_before(length, control, target)?;
        let start = target.len();
        target.put_slice(header.as_bytes());
        target.put_slice(body);
        form.check(target.get(start..).unwrap_or_default())?;
        target.put_slice(form.behind());
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests;
