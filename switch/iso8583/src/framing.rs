//! Frames on TCP: a length header, perhaps a TPDU, the message.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

/// The form of the length header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LengthHeader {
    /// Two bytes, big-endian, counting what follows.
    Binary2,
}

/// How messages of one link are framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Framing {
    pub length: LengthHeader,
    /// Five bytes before the message: id, destination address, origin address. The length counts them.
    pub tpdu: bool,
    /// Largest frame taken, without its length header.
    pub max: usize,
}

const TPDU_LENGTH: usize = 5;

/// One frame. A frame of length 0 is a keep-alive: no TPDU, no body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// `None` where the link has none, in a keep-alive, and in a frame too short to hold one.
    pub tpdu: Option<[u8; TPDU_LENGTH]>,
    pub body: Bytes,
}

impl Frame {
    /// The answer's frame: the TPDU's two addresses change places.
    pub fn reply(&self, body: Bytes) -> Self {
        let tpdu =
            self.tpdu.map(|[id, to_high, to_low, from_high, from_low]| [id, from_high, from_low, to_high, to_low]);
        Self { tpdu, body }
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
        let Some(header) = source.first_chunk::<2>() else { return Ok(None) };
        let length = usize::from(u16::from_be_bytes(*header));
        if length > self.0.max {
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, "frame longer than this link takes"));
        }
        if source.len() < 2 + length {
            return Ok(None);
        }
        source.advance(2);
        let mut body = source.split_to(length).freeze();
        let tpdu = match body.first_chunk::<TPDU_LENGTH>() {
            Some(tpdu) if self.0.tpdu => {
                let tpdu = *tpdu;
                body.advance(TPDU_LENGTH);
                Some(tpdu)
            }
            _ => None,
        };
        Ok(Some(Frame { tpdu, body }))
    }
}

impl Encoder<Frame> for FrameCodec {
    type Error = std::io::Error;

    fn encode(&mut self, frame: Frame, target: &mut BytesMut) -> Result<(), Self::Error> {
        let length = frame.body.len() + frame.tpdu.map_or(0, |tpdu| tpdu.len());
        let header = u16::try_from(length).ok().filter(|_| length <= self.0.max).ok_or_else(|| {
            std::io::Error::new(std::io::ErrorKind::InvalidInput, "message longer than a frame can be")
        })?;
        target.reserve(2 + length);
        target.put_u16(header);
        if let Some(tpdu) = frame.tpdu {
            target.put_slice(&tpdu);
        }
        target.put_slice(&frame.body);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codec(tpdu: bool) -> FrameCodec {
        FrameCodec::new(Framing { length: LengthHeader::Binary2, tpdu, max: 65_535 })
    }

    #[test]
    fn frames_cut_anywhere_come_out_whole() {
        let mut wire = BytesMut::new();
        let frames = [
            Frame { tpdu: Some([0x60, 0, 1, 0, 2]), body: Bytes::from_static(b"one") },
            Frame { tpdu: None, body: Bytes::new() },
            Frame { tpdu: Some([0x60, 0, 1, 0, 2]), body: Bytes::from(vec![7; 65_530]) },
        ];
        for frame in &frames {
            codec(true).encode(frame.clone(), &mut wire).unwrap();
        }
        for cut in (0..wire.len()).step_by(1).take(40).chain([wire.len() - 1]) {
            let mut source = BytesMut::from(&wire[..cut]);
            let mut got = Vec::new();
            while let Some(frame) = codec(true).decode(&mut source).unwrap() {
                got.push(frame);
            }
            source.extend_from_slice(&wire[cut..]);
            while let Some(frame) = codec(true).decode(&mut source).unwrap() {
                got.push(frame);
            }
            assert_eq!(got, frames, "cut at {cut}");
        }
    }

    #[test]
    fn a_frame_too_short_for_its_tpdu_is_a_frame_without() {
        let mut source = BytesMut::from(&[0, 1, 9][..]);
        assert_eq!(
            codec(true).decode(&mut source).unwrap(),
            Some(Frame { tpdu: None, body: Bytes::from_static(&[9]) })
        );
    }

    #[test]
    fn addresses_change_places() {
        let frame = Frame { tpdu: Some([0x60, 1, 2, 3, 4]), body: Bytes::new() };
        assert_eq!(frame.reply(Bytes::new()).tpdu, Some([0x60, 3, 4, 1, 2]));
    }

    #[test]
    fn the_two_byte_vector() {
        let path = format!("{}/../../tests/vectors/framing.json", env!("CARGO_MANIFEST_DIR"));
        let file: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let vector = file["vectors"].as_array().unwrap().iter().find(|vector| vector["name"] == "len2-binary").unwrap();
        let frame = crate::tool::from_hex(vector["inputs"]["frame"].as_str().unwrap()).unwrap();
        let payload = crate::tool::from_hex(vector["expected"]["payload"].as_str().unwrap()).unwrap();
        let decoded = codec(false).decode(&mut BytesMut::from(&frame[..])).unwrap().unwrap();
        assert_eq!(decoded.body, payload);
        let mut wire = BytesMut::new();
        codec(false).encode(decoded, &mut wire).unwrap();
        assert_eq!(wire, frame);
    }
}
