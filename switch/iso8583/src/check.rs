//! Whether bytes are of a class, eight at a time: this is most of what decoding does.

use crate::plan::{Class, Encoding, Plan, Side};

/// A byte repeated eight times.
const fn each(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// Whether no word of `bytes` is bad. `bad` takes eight bytes and gives 0 where all are good; every byte is seen at
/// least once, some twice, and those of short slices beside copies of themselves.
#[inline]
fn all_words(bytes: &[u8], bad: impl Fn(u64) -> u64) -> bool {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut flags = words.iter().fold(0, |flags, word| flags | bad(u64::from_le_bytes(*word)));
    match (rest, bytes.last_chunk::<8>(), bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        ([], ..) => {}
        (_, Some(last), ..) => flags |= bad(u64::from_le_bytes(*last)),
        (_, None, Some(first), Some(last)) => {
            flags |= bad(u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32);
        }
        ([first, .., last], ..) => {
            let middle = bytes[bytes.len() / 2];
            flags |= bad(u64::from_le_bytes([*first, middle, *last, *last, *last, *last, *last, *last]));
        }
        ([only], ..) => flags |= bad(each(*only)),
    }
    flags == 0
}

/// ASCII digits.
#[inline]
pub(crate) fn digits(bytes: &[u8]) -> bool {
    // A digit has 3 in its upper half, and still has after 6 is added.
    all_words(bytes, |word| {
        (word & each(0xF0)) ^ each(0x30) | (word.wrapping_add(each(0x06)) & each(0xF0)) ^ each(0x30)
    })
}

/// ASCII from space to tilde.
#[inline]
pub(crate) fn printable(bytes: &[u8]) -> bool {
    // The upper bit is set by 0x80 and above, by 0x7F after 1 is added, by what is below space after it is taken away.
    all_words(bytes, |word| (word | word.wrapping_add(each(0x01)) | word.wrapping_sub(each(b' '))) & each(0x80))
}

/// Half bytes from 0 to 9.
#[inline]
fn packed_digits(bytes: &[u8]) -> bool {
    // More than 9: the 8 is there and the 4 or the 2 with it.
    all_words(bytes, |word| word & (word << 1 | word << 2) & each(0x88))
}

/// EBCDIC digits: F0 to F9.
#[inline]
fn ebcdic_digits(bytes: &[u8]) -> bool {
    all_words(bytes, |word| (word & each(0xF0)) ^ each(0xF0) | word & (word << 1 | word << 2) & each(0x08))
}

fn hexadecimal(bytes: &[u8]) -> bool {
    bytes.iter().fold(true, |good, byte| good & byte.is_ascii_hexdigit())
}

/// EBCDIC hexadecimal characters, the same in every code page.
fn ebcdic_hexadecimal(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, 0xF0..=0xF9 | 0xC1..=0xC6 | 0x81..=0x86))
}

fn letters(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b' '
}

fn track(characters: impl Iterator<Item = u8>) -> Result<(), &'static str> {
    let mut separators = 0;
    for character in characters {
        match character {
            b'0'..=b'9' => {}
            b'=' | b'D' => separators += 1,
            _ => return Err("has a character that track 2 does not have; expected digits and one separator"),
        }
    }
    if separators <= 1 { Ok(()) } else { Err("has more than one separator; expected one") }
}

fn signed(characters: impl IntoIterator<Item = u8>) -> Result<(), &'static str> {
    let mut characters = characters.into_iter();
    if !matches!(characters.next(), Some(b'C' | b'D')) {
        return Err("has a sign that is neither C nor D");
    }
    if characters.all(|character| character.is_ascii_digit()) { Ok(()) } else { Err(NO_DIGIT) }
}

const NO_DIGIT: &str = "has a character that is no digit";
const NO_HALF_BYTE: &str = "has a half byte that is no digit";
const NOT_PRINTABLE: &str = "has a character that cannot be printed";
const NOT_HEXADECIMAL: &str = "is not hexadecimal";
const NO_LETTER: &str = "has a character that is no letter; expected letters and spaces";
const NEITHER: &str = "has a character that is neither letter nor digit";

/// Whether the value's bytes are of its class and encoding.
#[inline]
pub(crate) fn check(plan: &Plan, bytes: &[u8], units: usize) -> Result<(), &'static str> {
    let verdict = |good: bool, reason| if good { Ok(()) } else { Err(reason) };
    match (plan.class, plan.encoding) {
        (Class::Numeric, Encoding::Bcd) if units.is_multiple_of(2) => verdict(packed_digits(bytes), NO_HALF_BYTE),
        (Class::Numeric, Encoding::Bcd) => packed(plan, bytes, units, 0),
        (Class::Numeric, Encoding::Ebcdic(_)) => verdict(ebcdic_digits(bytes), NO_DIGIT),
        (Class::Numeric, _) => verdict(digits(bytes), NO_DIGIT),
        (Class::Text, Encoding::Ebcdic(page)) => {
            verdict(bytes.iter().fold(true, |good, byte| good & (page.ascii(*byte) != 0)), NOT_PRINTABLE)
        }
        (Class::Text, _) => verdict(printable(bytes), NOT_PRINTABLE),
        (Class::Binary, Encoding::Hex) => verdict(hexadecimal(bytes), NOT_HEXADECIMAL),
        (Class::Binary, Encoding::HexEbcdic) => verdict(ebcdic_hexadecimal(bytes), NOT_HEXADECIMAL),
        (Class::Binary, _) => Ok(()),
        (Class::Track, Encoding::Bcd) => packed(plan, bytes, units, 1),
        (Class::SignedAmount, Encoding::Bcd) => match bytes {
            [b'C' | b'D', rest @ ..] => packed(plan, rest, units.saturating_sub(1), 0),
            _ => Err("has a sign that is neither C nor D"),
        },
        (class, Encoding::Ebcdic(page)) => characters(class, bytes.iter().map(|byte| page.ascii(*byte))),
        (class, _) => characters(class, bytes.iter().copied()),
    }
}

/// The classes that are rare enough to be looked at character by character.
fn characters(class: Class, mut characters: impl Iterator<Item = u8>) -> Result<(), &'static str> {
    match class {
        Class::Track => track(characters),
        Class::SignedAmount => signed(characters),
        Class::Alphabetic => {
            if characters.all(letters) {
                Ok(())
            } else {
                Err(NO_LETTER)
            }
        }
        _ => {
            if characters.all(|character| letters(character) || character.is_ascii_digit()) {
                Ok(())
            } else {
                Err(NEITHER)
            }
        }
    }
}

/// Half bytes are digits, but for so many separators; the spare half byte is what the spec says, and in a track also
/// F, which cards have there (EMV Book 3, tag 57).
fn packed(plan: &Plan, bytes: &[u8], units: usize, separators: usize) -> Result<(), &'static str> {
    let odd = units % 2 == 1;
    let count = bytes.len() * 2;
    let mut left = separators;
    for (index, half) in bytes.iter().flat_map(|byte| [byte >> 4, byte & 0x0F]).enumerate() {
        let spare = odd
            && match plan.spare.side {
                Side::Left => index == 0,
                Side::Right => index + 1 == count,
            };
        match half {
            _ if spare && half == plan.spare.holds => {}
            0x0F if spare && plan.class == Class::Track => {}
            _ if spare => return Err("has a spare half byte that is not what the spec fills it with"),
            0..=9 => {}
            0x0D if left > 0 => left -= 1,
            _ => return Err(NO_HALF_BYTE),
        }
    }
    Ok(())
}

/// Whether `text` can be written in a field of this class at all, whatever its encoding.
pub(crate) fn writable(class: Class, text: &[u8]) -> Result<(), &'static str> {
    let verdict = |good: bool, reason| if good { Ok(()) } else { Err(reason) };
    match class {
        Class::Numeric => verdict(digits(text), NO_DIGIT),
        Class::Text => verdict(printable(text), NOT_PRINTABLE),
        Class::Binary => verdict(hexadecimal(text), NOT_HEXADECIMAL),
        class => characters(class, text.iter().copied()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every byte value at every place of slices of every short length, against the plain definition.
    #[test]
    fn words_at_a_time_see_what_bytes_at_a_time_see() {
        type Check = (fn(&[u8]) -> bool, fn(u8) -> bool, u8);
        let checks: [Check; 4] = [
            (digits, |byte| byte.is_ascii_digit(), b'5'),
            (printable, |byte| (b' '..=b'~').contains(&byte), b'x'),
            (packed_digits, |byte| byte >> 4 <= 9 && byte & 0x0F <= 9, 0x42),
            (ebcdic_digits, |byte| (0xF0..=0xF9).contains(&byte), 0xF3),
        ];
        for (fast, plain, good) in checks {
            for length in 0..=33 {
                assert!(fast(&vec![good; length]));
                for at in 0..length {
                    for byte in 0..=255 {
                        let mut bytes = vec![good; length];
                        bytes[at] = byte;
                        assert_eq!(fast(&bytes), plain(byte), "{byte} at {at} of {length}");
                    }
                }
            }
        }
    }
}
