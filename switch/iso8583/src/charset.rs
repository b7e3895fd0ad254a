//! Characters on the wire: ASCII, and the EBCDIC code pages of IBM hosts.
//!
//! Code pages 037, 500 and 1047 agree in digits, letters and most signs; they differ in where `! [ ] ^ |` stand.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A code page of EBCDIC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum CodePage {
    /// USA and Canada.
    #[serde(rename = "cp037")]
    Cp037,
    /// International.
    #[serde(rename = "cp500")]
    Cp500,
    /// Open systems; what Java hosts use.
    #[default]
    #[serde(rename = "cp1047")]
    Cp1047,
}

/// Code page 037 for the characters from space to tilde.
const CP037: [u8; 95] = [
    0x40, 0x5A, 0x7F, 0x7B, 0x5B, 0x6C, 0x50, 0x7D, 0x4D, 0x5D, 0x5C, 0x4E, 0x6B, 0x60, 0x4B, 0x61, //
    0xF0, 0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8, 0xF9, 0x7A, 0x5E, 0x4C, 0x7E, 0x6E, 0x6F, //
    0x7C, 0xC1, 0xC2, 0xC3, 0xC4, 0xC5, 0xC6, 0xC7, 0xC8, 0xC9, 0xD1, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6, //
    0xD7, 0xD8, 0xD9, 0xE2, 0xE3, 0xE4, 0xE5, 0xE6, 0xE7, 0xE8, 0xE9, 0xBA, 0xE0, 0xBB, 0xB0, 0x6D, //
    0x79, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, //
    0x97, 0x98, 0x99, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7, 0xA8, 0xA9, 0xC0, 0x4F, 0xD0, 0xA1,
];

const FIRST: u8 = b' ';

const fn altered(changes: &[(u8, u8)]) -> [u8; 95] {
    let mut table = CP037;
    let mut at = 0;
    while at < changes.len() {
        table[(changes[at].0 - FIRST) as usize] = changes[at].1;
        at += 1;
    }
    table
}

/// What a byte that is no printable character reads as.
const NONE: u8 = 0;

const fn inverse(table: &[u8; 95]) -> [u8; 256] {
    let mut inverse = [NONE; 256];
    let mut at = 0;
    while at < table.len() {
        inverse[table[at] as usize] = FIRST + at as u8;
        at += 1;
    }
    inverse
}

const CP500: [u8; 95] = altered(&[(b'!', 0x4F), (b'[', 0x4A), (b']', 0x5A), (b'^', 0x5F), (b'|', 0xBB)]);
const CP1047: [u8; 95] = altered(&[(b'[', 0xAD), (b']', 0xBD), (b'^', 0x5F)]);

static FROM_CP037: [u8; 256] = inverse(&CP037);
static FROM_CP500: [u8; 256] = inverse(&CP500);
static FROM_CP1047: [u8; 256] = inverse(&CP1047);

impl CodePage {
    /// The ASCII character of a byte; 0 for what is no printable one.
    pub(crate) fn ascii(self, byte: u8) -> u8 {
        let table = match self {
            Self::Cp037 => &FROM_CP037,
            Self::Cp500 => &FROM_CP500,
            Self::Cp1047 => &FROM_CP1047,
        };
        table[usize::from(byte)]
    }

    /// The byte of a printable ASCII character; 0, which no page has for one, for anything else.
    pub(crate) fn ebcdic(self, character: u8) -> u8 {
        let table = match self {
            Self::Cp037 => &CP037,
            Self::Cp500 => &CP500,
            Self::Cp1047 => &CP1047,
        };
        table.get(usize::from(character.wrapping_sub(FIRST))).copied().unwrap_or(NONE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_printable_character_comes_back_and_nothing_else_is_one() {
        for page in [CodePage::Cp037, CodePage::Cp500, CodePage::Cp1047] {
            for character in 0..=255_u8 {
                let printable = (b' '..=b'~').contains(&character);
                assert_eq!(
                    page.ascii(page.ebcdic(character)),
                    if printable { character } else { NONE },
                    "{page:?} {character}"
                );
            }
            assert_eq!((0..=255).filter(|byte| page.ascii(*byte) != NONE).count(), 95);
        }
    }

    #[test]
    fn the_pages_differ_where_they_are_known_to() {
        let places =
            |character| [CodePage::Cp037, CodePage::Cp500, CodePage::Cp1047].map(|page| page.ebcdic(character));
        assert_eq!(places(b'['), [0xBA, 0x4A, 0xAD]);
        assert_eq!(places(b']'), [0xBB, 0x5A, 0xBD]);
        assert_eq!(places(b'!'), [0x5A, 0x4F, 0x5A]);
        assert_eq!(places(b'A'), [0xC1; 3]);
        assert_eq!(places(b'9'), [0xF9; 3]);
    }
}
