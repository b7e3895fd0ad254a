//! What a key block says of its key: the tail `#` of a command, and headers.

use payment_crypto::tr31;

use super::{KeyType, Secret};
use crate::error::Code;

/// The attributes of a key in a key block, and its length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attributes {
    pub header: tr31::Header,
    /// Bytes of the key.
    pub length: usize,
}

/// Characters of the tail behind `#`.
pub const TAIL: usize = 10;

impl Attributes {
    /// Usage 2, algorithm 2 (`T1` to `T3`, `A1` to `A3`), mode 1, key version 2, exportability 1, optional blocks 2, which
    /// must be 00.
    pub fn parse(tail: &[u8; TAIL]) -> Result<Self, Code> {
        let [usage1, usage2, algorithm, size, mode, version1, version2, exportability, blocks @ ..] = *tail;
        let length = match (algorithm, size) {
            (b'T' | b'D', b'1') => 8,
            (b'T', b'2') | (b'A', b'1') => 16,
            (b'T', b'3') | (b'A', b'2') => 24,
            (b'A', b'3') => 32,
            _ => return Err(Code::KEY_BLOCK_ALGORITHM),
        };
        if &blocks != b"00" {
            return Err(Code("AB"));
        }
        if !matches!(exportability, b'N' | b'E' | b'S') {
            return Err(Code::KEY_BLOCK_EXPORT);
        }
        if !b"BCDEGNSTVXY".contains(&mode) {
            return Err(Code::KEY_BLOCK_MODE);
        }
        let header = tr31::Header::new([usage1, usage2], algorithm, mode, exportability);
        Ok(Self { header: header.with_version([version1, version2]), length })
    }

    /// Whether a key of a type may be called so: a tail must not turn a PIN key into a data key.
    pub fn fits(&self, key_type: Option<KeyType>) -> Result<(), Code> {
        let fits = key_type.is_none_or(|key_type| key_type.row().usages.contains(&&self.header.usage));
        if fits { Ok(()) } else { Err(Code::KEY_BLOCK_USAGE) }
    }

    /// Those of a key type's usual keys: exportable in a key block where the type is at all.
    pub fn of_type(key_type: KeyType, secret: &Secret) -> Self {
        let row = key_type.row();
        let exportability = if row.export == super::Permission::Never { b'N' } else { b'E' };
        let usage = row.usages.first().map_or(*b"00", |usage| **usage);
        let header = tr31::Header::new(usage, secret.algorithm(), row.mode, exportability);
        Self { header, length: secret.bytes().len() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails() {
        let read = Attributes::parse(b"P0T2E01S00").unwrap();
        assert_eq!((read.header.usage, read.header.mode, read.length), (*b"P0", b'E', 16));
        assert_eq!((read.header.key_version, read.header.exportability), (*b"01", b'S'));
        for (tail, code) in [
            (b"P0T4E00N00", "A7"),
            (b"P0A0E00N00", "A7"),
            (b"P0T2E00X00", "AA"),
            (b"P0T2E00N01", "AB"),
            (b"P0T2?00N00", "A8"),
        ] {
            assert_eq!(Attributes::parse(tail), Err(Code(code)));
        }
    }
}
