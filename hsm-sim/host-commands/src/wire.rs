//! Frames of the host protocol.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

/// Longest header a device can be configured for.
pub const HEADER_MAX: usize = 64;

/// Cuts the stream at 2-byte big-endian lengths. A frame is header, command and fields.
#[derive(Clone, Copy, Debug, Default)]
pub struct FrameCodec;

impl Decoder for FrameCodec {
    type Item = Bytes;
    type Error = std::io::Error;

    fn decode(&mut self, source: &mut BytesMut) -> Result<Option<Bytes>, Self::Error> {
        let Some(header) = source.first_chunk::<2>() else { return Ok(None) };
        let length = usize::from(u16::from_be_bytes(*header));
        if source.len() < 2 + length {
            return Ok(None);
        }
        source.advance(2);
        Ok(Some(source.split_to(length).freeze()))
    }
}

impl Encoder<&[u8]> for FrameCodec {
    type Error = std::io::Error;

    fn encode(&mut self, frame: &[u8], target: &mut BytesMut) -> Result<(), Self::Error> {
        let length = u16::try_from(frame.len())
            .map_err(|_| std::io::Error::new(std::io::ErrorKind::InvalidInput, "longer than a frame can be"))?;
        target.reserve(2 + frame.len());
        target.put_u16(length);
        target.put_slice(frame);
        Ok(())
    }
}

/// Header, two-character code, and what follows.
pub fn split(frame: &[u8], header_length: usize) -> Option<(&[u8], [u8; 2], &[u8])> {
    let (header, rest) = frame.split_at_checked(header_length)?;
    let (code, fields) = rest.split_first_chunk::<2>()?;
    Some((header, *code, fields))
}

/// The code of the answer: the second letter raised by one (`NC` by `ND`, `A0` by `A1`).
pub fn response_code(command: [u8; 2]) -> [u8; 2] {
    [command[0], command[1].wrapping_add(1)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_out_whole_wherever_they_are_cut() {
        let mut wire = BytesMut::new();
        FrameCodec.encode(b"0001B20004PING", &mut wire).unwrap();
        FrameCodec.encode(b"", &mut wire).unwrap();
        for cut in 0..wire.len() {
            let mut source = BytesMut::from(&wire[..cut]);
            let mut frames = Vec::new();
            frames.extend(std::iter::from_fn(|| FrameCodec.decode(&mut source).unwrap()));
            source.extend_from_slice(&wire[cut..]);
            frames.extend(std::iter::from_fn(|| FrameCodec.decode(&mut source).unwrap()));
            assert_eq!(frames, [&b"0001B20004PING"[..], b""]);
        }
        assert!(FrameCodec.encode(&[0; 65_536], &mut wire).is_err());
    }

    #[test]
    fn codes() {
        assert_eq!(split(b"0001B2rest", 4), Some((&b"0001"[..], *b"B2", &b"rest"[..])));
        assert_eq!(split(b"0001B", 4), None);
        for (command, answer) in [(b"NC", b"ND"), (b"A0", b"A1"), (b"KQ", b"KR"), (b"EC", b"ED")] {
            assert_eq!(response_code(*command), *answer);
        }
    }
}
