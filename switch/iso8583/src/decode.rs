//! From bytes to spans: every length and character checked, nothing allocated.

use crate::check::check;
use crate::message::{Message, Span};
use crate::parts;
use crate::plan::{Counts, Encoding, Length, Plan};
use crate::spec::Spec;
use crate::wire::{Reader, from_ebcdic_hexadecimal, from_hexadecimal};

/// Why bytes are no message of the spec. Never holds a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("data element {de} at byte {offset}: {reason}")]
pub struct DecodeError {
    /// `mti`, `bitmap`, a number, a path to a part (`127.25`), or `trailing`.
    pub de: String,
    pub offset: usize,
    pub reason: &'static str,
}

/// The longest message, in bytes: lengths and places in it are 16 bits.
pub const MESSAGE_MAX: usize = u16::MAX as usize;

const NOT_FOUR_DIGITS: &str = "is not four digits";
const NOT_HEXADECIMAL: &str = "is not hexadecimal";
pub(crate) const TOO_LONG: &str = "is longer than its maximum";
const UNKNOWN: &str = "is not part of this spec";

impl Spec {
    /// Decodes a whole message; bytes left over are an error.
    pub fn decode<'a>(&'a self, wire: &'a [u8]) -> Result<Message<'a>, DecodeError> {
        let mut message = Message::empty(self, wire);
        self.decode_into(&mut message)?;
        Ok(message)
    }

    /// Decodes as far as it goes: the fields before a fault stay readable.
    pub fn decode_partial<'a>(&'a self, wire: &'a [u8]) -> (Message<'a>, Option<DecodeError>) {
        let mut message = Message::empty(self, wire);
        let fault = self.decode_into(&mut message).err();
        (message, fault)
    }

    fn decode_into(&self, message: &mut Message<'_>) -> Result<(), DecodeError> {
        let error = |de: &str, offset, reason| DecodeError { de: de.to_owned(), offset, reason };
        if message.wire.len() > MESSAGE_MAX {
            return Err(error("mti", 0, "the message is longer than 65535 bytes"));
        }
        let mut reader = Reader::new(message.wire);
        message.mti = self.read_mti(&mut reader).map_err(|reason| error("mti", 0, reason))?;
        message.has_mti = true;
        let bitmap_at = reader.at();
        let bits = self.read_bitmaps(&mut reader).map_err(|reason| error("bitmap", bitmap_at, reason))?;
        for (half, before) in [((bits >> 64) as u64, 0_u8), (bits as u64, 64)] {
            let mut waiting = half;
            while waiting != 0 {
                // At most 63: a bit is set.
                let zeros = waiting.leading_zeros() as u8;
                let bit = 1_u64 << 63 >> zeros;
                waiting &= !bit;
                self.read_element(before + zeros + 1, &mut reader, message)?;
                message.present |= u128::from(bit) << (64 - before);
            }
        }
        if reader.is_empty() {
            Ok(())
        } else {
            Err(error("trailing", reader.at(), "bytes are left after the last field"))
        }
    }

    #[inline]
    fn read_element(&self, de: u8, reader: &mut Reader<'_>, message: &mut Message<'_>) -> Result<(), DecodeError> {
        let start = reader.at();
        let error = |offset, reason| DecodeError { de: de.to_string(), offset, reason };
        let plan = self.plan(de).ok_or_else(|| error(start, UNKNOWN))?;
        let units = read_units(plan, reader).map_err(|reason| error(start, reason))?;
        let value_at = reader.at();
        let value = reader.take(plan.wire_length(units)).map_err(|reason| error(start, reason))?;
        let units = plan.units_within(units, value).ok_or_else(|| error(start, TOO_LONG))?;
        check(plan, value, units).map_err(|reason| error(value_at, reason))?;
        if let Some(layout) = plan.layout.and_then(|id| self.layout(id)) {
            parts::read(self, layout, value, value_at, None).map_err(|fault| fault.in_element(de))?;
        }
        // The whole wire is at most 65535 bytes long, so every place in it fits.
        let narrow = |place: usize| place as u16;
        if let Some(slot) = message.spans.get_mut(usize::from(de)) {
            *slot =
                Span { start: narrow(start), value: narrow(value_at), end: narrow(reader.at()), units: narrow(units) };
        }
        Ok(())
    }

    fn read_mti(&self, reader: &mut Reader<'_>) -> Result<[u8; 4], &'static str> {
        let digits = match self.mti {
            Encoding::Bcd => match reader.take(2)? {
                [first, second] => [first >> 4, first & 0x0F, second >> 4, second & 0x0F].map(|half| half + b'0'),
                _ => return Err(NOT_FOUR_DIGITS),
            },
            encoding => {
                let digits: [u8; 4] = reader.take(4)?.try_into().map_err(|_| NOT_FOUR_DIGITS)?;
                match encoding {
                    Encoding::Ebcdic(page) => digits.map(|byte| page.ascii(byte)),
                    _ => digits,
                }
            }
        };
        if crate::check::digits(&digits) { Ok(digits) } else { Err(NOT_FOUR_DIGITS) }
    }

    /// Both bitmaps as one number, without the bit that only says a second follows.
    fn read_bitmaps(&self, reader: &mut Reader<'_>) -> Result<u128, &'static str> {
        let mut half = || -> Result<u64, &'static str> {
            let mut bytes = [0; 8];
            read_bits(self.bitmap, reader, &mut bytes)?;
            Ok(u64::from_be_bytes(bytes))
        };
        let first = half()?;
        let second = if self.both_bitmaps || first >> 63 == 1 { half()? } else { 0 };
        Ok((u128::from(first & (u64::MAX >> 1)) << 64) | u128::from(second))
    }
}

/// A bitmap of as many bytes as `bits` is long.
pub(crate) fn read_bits(encoding: Encoding, reader: &mut Reader<'_>, bits: &mut [u8]) -> Result<(), &'static str> {
    match encoding {
        Encoding::Hex | Encoding::HexEbcdic => {
            let characters = reader.take(bits.len() * 2)?;
            for (byte, pair) in bits.iter_mut().zip(characters.as_chunks::<2>().0) {
                let read = match encoding {
                    Encoding::Hex => from_hexadecimal(pair[0], pair[1]),
                    _ => from_ebcdic_hexadecimal(pair[0], pair[1]),
                };
                *byte = read.ok_or(NOT_HEXADECIMAL)?;
            }
        }
        _ => bits.copy_from_slice(reader.take(bits.len())?),
    }
    Ok(())
}

/// The length of a value in its own units, from its prefix or from the spec.
#[inline]
pub(crate) fn read_units(plan: &Plan, reader: &mut Reader<'_>) -> Result<usize, &'static str> {
    match plan.length {
        Length::Fixed(units) => Ok(usize::from(units)),
        Length::Variable { prefix, max } => {
            let stated = reader.length(prefix)?;
            let units = match prefix.counts {
                Counts::Units => Some(stated),
                Counts::Wire => plan.units(stated),
            };
            // A spare half byte counts for no digit.
            let spare = u16::from(plan.packs_unseen() && plan.spare.holds == 0x0F);
            bounded(units.ok_or("has a length that no value has")?, max.saturating_add(spare))
        }
        Length::Given { .. } => Err("has no length of its own"),
    }
}

/// The units of a value whose bytes a tag's length has given.
pub(crate) fn given_units(plan: &Plan, value: &[u8]) -> Result<usize, &'static str> {
    match plan.length {
        Length::Fixed(units) if plan.wire_length(usize::from(units)) == value.len() => Ok(usize::from(units)),
        Length::Fixed(_) => Err("is not of its fixed length"),
        Length::Variable { max, .. } | Length::Given { max } => {
            let units = plan.units(value.len()).ok_or("has a length that no value has")?;
            bounded(plan.units_within(units, value).ok_or(TOO_LONG)?, max)
        }
    }
}

fn bounded(units: usize, max: u16) -> Result<usize, &'static str> {
    if units <= usize::from(max) { Ok(units) } else { Err(TOO_LONG) }
}
