//! Key types of variant LMKs, and what may be done with keys of each: the permission table.

use crate::error::Code;

/// When a device generates, imports or exports keys of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    Always,
    /// In the authorised state; 17 elsewhere.
    Authorised,
    /// 29.
    Never,
}

use Permission::{Always, Authorised, Never};

/// A row of the table.
#[derive(Debug)]
pub struct Row {
    /// Variant digit, and the code of the LMK pair in hexadecimal.
    pub code: &'static str,
    pub name: &'static str,
    /// What key blocks call such keys (X9.143, table 6); the first is written.
    pub usages: &'static [&'static [u8; 2]],
    /// Mode of use written into key blocks.
    pub mode: u8,
    pub generate: Permission,
    pub import: Permission,
    pub export: Permission,
}

const fn row(
    code: &'static str,
    name: &'static str,
    usages: &'static [&'static [u8; 2]],
    mode: u8,
    [generate, import, export]: [Permission; 3],
) -> Row {
    Row { code, name, usages, mode, generate, import, export }
}

/// The types offered. A type that serves several purposes is written with the first usage.
pub static TABLE: [Row; 22] = [
    row("000", "ZMK, zone master key", &[b"K0", b"K1"], b'B', [Authorised, Authorised, Never]),
    row("001", "ZPK, zone PIN key", &[b"P0"], b'B', [Always, Always, Always]),
    row("002", "TMK, TPK, PVK", &[b"P0", b"K0", b"V0", b"V1", b"V2"], b'B', [Always, Always, Always]),
    row("003", "TAK, terminal authentication key", &[b"M3", b"M0", b"M1", b"M6"], b'C', [Always, Always, Always]),
    row("008", "ZAK, zone authentication key", &[b"M3", b"M0", b"M1", b"M6"], b'C', [Always, Always, Always]),
    row("009", "BDK-1, base derivation key", &[b"B0"], b'X', [Always, Always, Authorised]),
    row("00A", "ZEK, zone encryption key", &[b"D0"], b'B', [Always, Authorised, Authorised]),
    row("00B", "DEK, data encryption key", &[b"D0"], b'B', [Always, Always, Authorised]),
    row("30B", "TEK, terminal encryption key", &[b"D0"], b'B', [Always, Always, Authorised]),
    row("302", "IKEY, initial key of DUKPT", &[b"B1"], b'X', [Always, Always, Always]),
    row("402", "CVK, card verification key", &[b"C0"], b'C', [Always, Always, Authorised]),
    row("109", "MK-AC, application cryptograms", &[b"E0"], b'X', [Always, Always, Authorised]),
    row("209", "MK-SMI, script integrity", &[b"E2"], b'X', [Always, Always, Authorised]),
    row("309", "MK-SMC, script confidentiality", &[b"E1"], b'X', [Always, Always, Authorised]),
    row("409", "MK-DAC, data authentication codes", &[b"E3"], b'X', [Always, Always, Authorised]),
    row("509", "MK-DN, dynamic numbers", &[b"E4"], b'X', [Always, Always, Authorised]),
    row("709", "MK-CVC3, dynamic card verification", &[b"E6"], b'X', [Always, Always, Authorised]),
    row("609", "BDK-2, base derivation key", &[b"B0"], b'X', [Always, Always, Authorised]),
    row("809", "BDK-3, base derivation key", &[b"B0"], b'X', [Always, Always, Authorised]),
    row("909", "BDK-4, base derivation key", &[b"B0"], b'X', [Always, Always, Authorised]),
    row("70D", "TPK, keys separated as PCI asks", &[b"P0"], b'B', [Always, Always, Always]),
    row("80D", "TMK, keys separated as PCI asks", &[b"K0"], b'B', [Always, Always, Always]),
];

/// LMK pairs of the codes 00 to 0E.
const PAIRS: [usize; 15] = [2, 3, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19];

/// A type of the table.
#[derive(Clone, Copy)]
pub struct KeyType(&'static Row);

impl KeyType {
    /// Three characters: variant digit, then the pair's code in hexadecimal.
    pub fn parse(text: &str) -> Result<Self, Code> {
        TABLE.iter().find(|row| row.code.eq_ignore_ascii_case(text)).map(Self).ok_or(Code::KEY_TYPE)
    }

    /// Two characters: the pair's code alone, of variant 0.
    pub fn from_code(code: &str) -> Result<Self, Code> {
        Self::parse(&format!("0{code}"))
    }

    pub fn row(self) -> &'static Row {
        self.0
    }

    pub fn variant(self) -> usize {
        self.digits().0
    }

    /// Index of the LMK pair: 2 for pair 04-05.
    pub fn pair(self) -> usize {
        PAIRS.get(self.digits().1).copied().unwrap_or_default()
    }

    fn digits(self) -> (usize, usize) {
        let (variant, code) = self.0.code.split_at(1);
        (variant.parse().unwrap_or_default(), usize::from_str_radix(code, 16).unwrap_or_default())
    }
}

impl PartialEq for KeyType {
    fn eq(&self, other: &Self) -> bool {
        self.0.code == other.0.code
    }
}

impl Eq for KeyType {}

impl std::fmt::Debug for KeyType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyType({})", self.0.code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_name_pairs_and_variants() {
        for (code, variant, pair) in [
            ("000", 0, 2),
            ("001", 0, 3),
            ("002", 0, 7),
            ("008", 0, 13),
            ("009", 0, 14),
            ("30B", 3, 16),
            ("80D", 8, 18),
        ] {
            let key_type = KeyType::parse(code).unwrap();
            assert_eq!((key_type.variant(), key_type.pair()), (variant, pair), "{code}");
        }
        assert_eq!(KeyType::from_code("0a").unwrap(), KeyType::parse("00A").unwrap());
        for unknown in ["", "00", "0000", "999", "10A", "FFF"] {
            assert_eq!(KeyType::parse(unknown), Err(Code::KEY_TYPE), "{unknown}");
        }
    }

    #[test]
    fn rows_are_named_once_and_ordered_pairs_exist() {
        for row in &TABLE {
            assert_eq!(TABLE.iter().filter(|other| other.code == row.code).count(), 1, "{}", row.code);
            let key_type = KeyType::parse(row.code).unwrap();
            assert!(key_type.variant() < 10 && key_type.pair() >= 2, "{}", row.code);
        }
    }
}
