//! The alphabet of the wire: packed digits, hexadecimal, lengths in front of values.

use bytes::{BufMut, BytesMut};

use crate::charset::CodePage;
use crate::plan::{Counts, Prefix, PrefixForm, Side, Spare};

/// Reads forward over the wire; nothing is taken that is not there.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(crate) fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.at >= self.bytes.len()
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    #[inline]
    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], &'static str> {
        let taken = self.rest().get(..count).ok_or("is longer than what is left of the message")?;
        self.at += count;
        Ok(taken)
    }

    /// A length, in what its prefix counts, without the prefix itself.
    #[inline]
    pub(crate) fn length(&mut self, prefix: Prefix) -> Result<usize, &'static str> {
        const NO_NUMBER: &str = "has a length prefix that is no number";
        let bytes = self.take(prefix.size())?;
        let digit = |sum: usize, zone: u8, byte: u8| match (byte ^ zone) <= 9 {
            true => Ok(sum * 10 + usize::from(byte & 0x0F)),
            false => Err(NO_NUMBER),
        };
        let stated = match prefix.form {
            PrefixForm::Ascii => bytes.iter().try_fold(0, |sum, byte| digit(sum, b'0', *byte)),
            PrefixForm::Ebcdic => bytes.iter().try_fold(0, |sum, byte| digit(sum, 0xF0, *byte)),
            PrefixForm::Bcd => bytes.iter().try_fold(0, |sum, byte| match (byte >> 4, byte & 0x0F) {
                (high @ 0..=9, low @ 0..=9) => Ok(sum * 100 + usize::from(high) * 10 + usize::from(low)),
                _ => Err(NO_NUMBER),
            }),
            PrefixForm::Binary => Ok(bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte))),
        }?;
        if prefix.inclusive {
            stated.checked_sub(prefix.size()).ok_or("has a length prefix smaller than itself, which it counts")
        } else {
            Ok(stated)
        }
    }
}

/// Writes a length of so many `units`, or so many bytes `on_wire`, whichever the prefix counts.
pub(crate) fn write_length(
    prefix: Prefix,
    units: usize,
    on_wire: usize,
    out: &mut BytesMut,
) -> Result<(), &'static str> {
    let counted = match prefix.counts {
        Counts::Units => units,
        Counts::Wire => on_wire,
    } + if prefix.inclusive { prefix.size() } else { 0 };
    if counted > prefix.largest() {
        return Err("is longer than its length prefix can say");
    }
    let width = prefix.size();
    let mut rest = counted;
    // The widest prefix is PREFIX_WIDTH_MAX bytes: a spec with a wider one does not load.
    let mut bytes = [0; PREFIX_WIDTH_MAX];
    let bytes = bytes.get_mut(..width).ok_or("has a length prefix wider than any")?;
    // Each step takes less than 256 off the end, so that it fits a byte.
    for byte in bytes.iter_mut().rev() {
        let (digit, left) = match prefix.form {
            PrefixForm::Ascii => (usize::from(b'0') + rest % 10, rest / 10),
            PrefixForm::Ebcdic => (0xF0 + rest % 10, rest / 10),
            PrefixForm::Bcd => (rest / 10 % 10 * 16 + rest % 10, rest / 100),
            PrefixForm::Binary => (rest & 0xFF, rest >> 8),
        };
        (*byte, rest) = (digit as u8, left);
    }
    out.put_slice(bytes);
    Ok(())
}

/// Digits, or bytes of a binary number, of the widest length prefix.
pub(crate) const PREFIX_WIDTH_MAX: usize = 6;

/// Two digits a byte; track 2's separator `=` or `D` becomes D. Anything else must have been refused before.
#[inline]
pub(crate) fn pack(text: &[u8], spare: Spare, out: &mut BytesMut) {
    // '0' to '9' and 'D' have their half byte as their lower half but for 'D', whose 4 is moved up by 9; '=' is 0x3D.
    let half = |byte: u8| if byte == b'D' { 0x0D } else { byte & 0x0F };
    let mut rest = text;
    let odd = !text.len().is_multiple_of(2);
    if odd
        && spare.side == Side::Left
        && let [first, tail @ ..] = text
    {
        out.put_u8(spare.holds << 4 | half(*first));
        rest = tail;
    }
    let (pairs, last) = rest.as_chunks::<2>();
    put_each(pairs, out, |[high, low]| half(*high) << 4 | half(*low));
    if let [last] = last {
        out.put_u8(half(*last) << 4 | spare.holds);
    }
}

/// A byte for each item, with one check for room.
#[inline]
pub(crate) fn put_each<T>(items: &[T], out: &mut BytesMut, mut byte: impl FnMut(&T) -> u8) {
    let start = out.len();
    out.put_bytes(0, items.len());
    let places = out.get_mut(start..).unwrap_or_default();
    places.iter_mut().zip(items).for_each(|(place, item)| *place = byte(item));
}

/// Two bytes for each byte, with one check for room.
#[inline]
pub(crate) fn put_pairs(bytes: &[u8], out: &mut BytesMut, pair: impl Fn(u8) -> [u8; 2]) {
    let start = out.len();
    out.put_bytes(0, bytes.len() * 2);
    let places = out.get_mut(start..).unwrap_or_default().as_chunks_mut::<2>().0;
    places.iter_mut().zip(bytes).for_each(|(place, byte)| *place = pair(*byte));
}

/// The digits of a packed value of so many `digits`; D is track 2's separator.
pub(crate) fn unpack(packed: &[u8], digits: usize, spare: Spare, text: &mut Vec<u8>) {
    let digit = |half: u8| if half <= 9 { b'0' + half } else { b'=' };
    let start = text.len();
    text.resize(start + packed.len() * 2, 0);
    let places = text.get_mut(start..).unwrap_or_default().as_chunks_mut::<2>().0;
    places.iter_mut().zip(packed).for_each(|(place, byte)| *place = [digit(byte >> 4), digit(byte & 0x0F)]);
    if !digits.is_multiple_of(2) && spare.side == Side::Left && text.len() > start {
        text.remove(start);
    }
    text.truncate(start + digits);
}

const HEXADECIMAL: &[u8; 16] = b"0123456789ABCDEF";

/// The two upper-case hexadecimal characters of a byte.
pub(crate) fn hexadecimal(byte: u8) -> [u8; 2] {
    [byte >> 4, byte & 0x0F].map(|half| HEXADECIMAL[usize::from(half & 0x0F)])
}

/// What the characters that are no hexadecimal digits stand for in [`HALVES`].
const NO_DIGIT: u8 = 0xFF;

/// The half byte that a character stands for.
static HALVES: [u8; 256] = {
    let mut halves = [NO_DIGIT; 256];
    let mut half = 0;
    while half < 16 {
        halves[HEXADECIMAL[half] as usize] = half as u8;
        halves[HEXADECIMAL[half].to_ascii_lowercase() as usize] = half as u8;
        half += 1;
    }
    halves
};

/// The byte of two hexadecimal characters in either case.
#[inline]
pub(crate) fn from_hexadecimal(high: u8, low: u8) -> Option<u8> {
    let [high, low] = [high, low].map(|character| HALVES[usize::from(character)]);
    if high | low == NO_DIGIT { None } else { Some(high << 4 | low) }
}

/// Writes the bytes that hexadecimal characters stand for; gives whether that is what they are.
#[inline]
pub(crate) fn put_from_hexadecimal(pairs: &[[u8; 2]], out: &mut BytesMut) -> bool {
    // One look at the end instead of one a pair: only NO_DIGIT has an upper half.
    let mut seen = 0;
    put_each(pairs, out, |pair| {
        let [high, low] = pair.map(|character| HALVES[usize::from(character)]);
        seen |= high | low;
        high << 4 | low & 0x0F
    });
    seen & 0xF0 == 0
}

/// Upper-case hexadecimal.
pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| hexadecimal(*byte)).map(char::from).collect()
}

/// Bytes of hexadecimal digits in either case; `None` when there is anything else.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| from_hexadecimal(*high, *low)).collect()
}

/// The byte of two hexadecimal characters in EBCDIC, which are the same in every code page.
pub(crate) fn from_ebcdic_hexadecimal(high: u8, low: u8) -> Option<u8> {
    from_hexadecimal(CodePage::Cp037.ascii(high), CodePage::Cp037.ascii(low))
}

/// The bytes of EBCDIC hexadecimal characters.
pub(crate) fn from_ebcdic_hex(wire: &[u8]) -> Option<Vec<u8>> {
    wire.as_chunks::<2>().0.iter().map(|[high, low]| from_ebcdic_hexadecimal(*high, *low)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(width: u8, form: PrefixForm) -> Prefix {
        Prefix { width, form, counts: Counts::Units, inclusive: false }
    }

    #[test]
    fn lengths_are_read_as_they_were_written() {
        for form in [PrefixForm::Ascii, PrefixForm::Ebcdic, PrefixForm::Bcd, PrefixForm::Binary] {
            for width in 1..=4 {
                for inclusive in [false, true] {
                    let prefix = Prefix { inclusive, ..prefix(width, form) };
                    for length in [0, 1, 9, 10, 99, 100, 255, 256, 999, 9_999, 65_535] {
                        let mut out = BytesMut::new();
                        let written = write_length(prefix, length, 0, &mut out);
                        let counted = length + if inclusive { prefix.size() } else { 0 };
                        assert_eq!(written.is_ok(), counted <= prefix.largest(), "{prefix:?} {length}");
                        if written.is_ok() {
                            assert_eq!(Reader::new(&out).length(prefix), Ok(length), "{prefix:?}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn lengths_that_are_no_numbers_are_refused() {
        for (form, bytes) in [
            (PrefixForm::Ascii, &b"1A"[..]),
            (PrefixForm::Ascii, b" 1"),
            (PrefixForm::Bcd, &[0x1A]),
            (PrefixForm::Bcd, &[0xA1]),
            (PrefixForm::Ebcdic, &[0xF1, 0x31]),
            (PrefixForm::Ebcdic, &[0xFA, 0xF1]),
        ] {
            assert!(Reader::new(bytes).length(prefix(2, form)).is_err(), "{form:?}");
        }
        let inclusive = Prefix { inclusive: true, ..prefix(2, PrefixForm::Binary) };
        assert!(Reader::new(&[0, 1]).length(inclusive).is_err(), "it counts its own two bytes");
    }

    #[test]
    fn odd_digits_have_their_spare_half_byte_where_the_spec_says() {
        for (side, holds, wire) in [
            (Side::Left, 0, [0x01, 0x23]),
            (Side::Right, 0, [0x12, 0x30]),
            (Side::Right, 0x0F, [0x12, 0x3F]),
            (Side::Left, 0x0F, [0xF1, 0x23]),
        ] {
            let spare = Spare { side, holds };
            let mut out = BytesMut::new();
            pack(b"123", spare, &mut out);
            assert_eq!(out[..], wire);
            let mut text = Vec::new();
            unpack(&out, 3, spare, &mut text);
            assert_eq!(text, b"123");
        }
        let mut out = BytesMut::new();
        pack(b"12=3D4", Spare { side: Side::Left, holds: 0 }, &mut out);
        assert_eq!(out[..], [0x12, 0xD3, 0xD4]);
    }

    #[test]
    fn hexadecimal_goes_both_ways() {
        assert_eq!(from_hex(&to_hex(&[0, 0x9A, 0xFF])).unwrap(), [0, 0x9A, 0xFF]);
        assert_eq!(from_hex("9aFf").unwrap(), [0x9A, 0xFF]);
        assert!(from_hex("9").is_none() && from_hex("9g").is_none() && from_hex("é").is_none());
        assert_eq!(from_ebcdic_hex(&[0xF9, 0xC1]).unwrap(), [0x9A]);
    }
}
