//! Where a frame ends: the number in front of it, or the character behind it.

use bytes::{BufMut, BytesMut};

use crate::plan::{Counts, Prefix, PrefixForm};
use crate::wire::{Reader, from_hexadecimal, hexadecimal, write_length};

/// How the end of a frame is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LengthHeader {
    /// Two bytes, big-endian, counting what follows.
    Binary2,
    /// Two bytes, big-endian, counting themselves too.
    Binary2Inclusive,
    /// Two bytes, big-endian, and two that are zero but for session control (Visa).
    Binary2Zero2,
    /// Four bytes, big-endian.
    Binary4,
    /// Four digits packed in two bytes.
    Bcd2,
    /// Four ASCII digits.
    Ascii4,
    /// Four ASCII hexadecimal characters.
    Hex4,
    /// No length: the character ETX (03) ends the frame, and is in no message.
    Etx,
}

const ETX: u8 = 0x03;

/// A frame's place in a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Not all of it is there; how many bytes are wanted in all, where that is known.
    Part {
        wanted: usize,
    },
    Whole {
        before: usize,
        length: usize,
        behind: usize,
        control: [u8; 2],
    },
}

impl LengthHeader {
    pub const ALL: [Self; 8] = [
        Self::Binary2,
        Self::Binary2Inclusive,
        Self::Binary2Zero2,
        Self::Binary4,
        Self::Bcd2,
        Self::Ascii4,
        Self::Hex4,
        Self::Etx,
    ];

    /// As it is written in configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Binary2 => "binary2",
            Self::Binary2Inclusive => "binary2-inclusive",
            Self::Binary2Zero2 => "binary2-zero2",
            Self::Binary4 => "binary4",
            Self::Bcd2 => "bcd2",
            Self::Ascii4 => "ascii4",
            Self::Hex4 => "hex4",
            Self::Etx => "etx",
        }
    }

    /// In words.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Binary2 => "2-byte binary length",
            Self::Binary2Inclusive => "2-byte binary length that counts itself",
            Self::Binary2Zero2 => "2-byte binary length and 2 zero bytes",
            Self::Binary4 => "4-byte binary length",
            Self::Bcd2 => "2-byte BCD length",
            Self::Ascii4 => "length in 4 ASCII digits",
            Self::Hex4 => "length in 4 hexadecimal characters",
            Self::Etx => "ETX behind the message, no length",
        }
    }

    /// Bytes in front of a frame.
    pub fn size(self) -> usize {
        match self {
            Self::Binary2 | Self::Binary2Inclusive | Self::Bcd2 => 2,
            Self::Binary2Zero2 | Self::Binary4 | Self::Ascii4 | Self::Hex4 => 4,
            Self::Etx => 0,
        }
    }

    fn prefix(self) -> Option<Prefix> {
        let (width, form, inclusive) = match self {
            Self::Binary2 | Self::Binary2Zero2 => (2, PrefixForm::Binary, false),
            Self::Binary2Inclusive => (2, PrefixForm::Binary, true),
            Self::Binary4 => (4, PrefixForm::Binary, false),
            Self::Bcd2 => (4, PrefixForm::Bcd, false),
            Self::Ascii4 => (4, PrefixForm::Ascii, false),
            Self::Hex4 | Self::Etx => return None,
        };
        Some(Prefix { width, form, counts: Counts::Wire, inclusive })
    }

    /// The first frame of a stream, of at most `max` bytes.
    pub(crate) fn find(self, stream: &[u8], max: usize) -> Result<Found, &'static str> {
        const TOO_LONG: &str = "frame longer than this link takes";
        if self == Self::Etx {
            let within = stream.get(..stream.len().min(max + 1)).unwrap_or_default();
            return match within.iter().position(|byte| *byte == ETX) {
                Some(length) => Ok(Found::Whole { before: 0, length, behind: 1, control: [0; 2] }),
                None if stream.len() > max => Err(TOO_LONG),
                None => Ok(Found::Part { wanted: stream.len() + 1 }),
            };
        }
        let before = self.size();
        let Some(header) = stream.get(..before) else { return Ok(Found::Part { wanted: before }) };
        let length = self.length(header)?;
        if length > max {
            return Err(TOO_LONG);
        }
        if stream.len() - before < length {
            return Ok(Found::Part { wanted: before + length });
        }
        let control = match (self, header) {
            (Self::Binary2Zero2, [_, _, control @ ..]) => control.try_into().unwrap_or_default(),
            _ => [0; 2],
        };
        Ok(Found::Whole { before, length, behind: 0, control })
    }

    fn length(self, header: &[u8]) -> Result<usize, &'static str> {
        match (self.prefix(), header.as_chunks::<2>().0) {
            (Some(prefix), _) => Reader::new(header).length(prefix).map_err(|_| "frame header that is no length"),
            (None, [high, low]) => {
                let bytes = [from_hexadecimal(high[0], high[1]), from_hexadecimal(low[0], low[1])];
                let [Some(high), Some(low)] = bytes else { return Err("frame header that is no length") };
                Ok(usize::from(high) << 8 | usize::from(low))
            }
            _ => Err("frame header that is no length"),
        }
    }

    /// What stands in front of a frame of so many bytes.
    pub(crate) fn put_before(self, length: usize, control: [u8; 2], out: &mut BytesMut) -> Result<(), &'static str> {
        const TOO_LONG: &str = "message longer than a frame can be";
        match (self, self.prefix()) {
            (Self::Hex4, _) => {
                let length = u16::try_from(length).map_err(|_| TOO_LONG)?;
                length.to_be_bytes().iter().for_each(|byte| out.put_slice(&hexadecimal(*byte)));
            }
            (_, Some(prefix)) => write_length(prefix, length, length, out).map_err(|_| TOO_LONG)?,
            (_, None) => {}
        }
        if self == Self::Binary2Zero2 {
            out.put_slice(&control);
        }
        Ok(())
    }

    /// Whether a frame's bytes can be told from its end.
    pub(crate) fn check(self, frame: &[u8]) -> Result<(), &'static str> {
        if self == Self::Etx && frame.contains(&ETX) {
            return Err("message with the character that ends frames; its dialect is not for this framing");
        }
        Ok(())
    }

    /// What stands behind a frame.
    pub(crate) fn behind(self) -> &'static [u8] {
        if self == Self::Etx { &[ETX] } else { &[] }
    }
}
