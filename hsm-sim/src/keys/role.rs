//! What a command needs a key for, and which keys may serve: types under a variant LMK, usages in a key block.

use payment_crypto::tr31;

use super::KeyType;
use crate::error::Code;

/// What a command does with a key; its key block must allow that (X9.143, table 8, mode of use).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    Encrypt,
    Decrypt,
    Generate,
    Verify,
}

/// The purpose of a key in a command.
#[derive(Clone, Copy, Debug)]
pub struct Role {
    /// Key type under a variant LMK, and the one that takes its place where keys are separated as PCI asks.
    code: &'static str,
    separated: &'static str,
    /// Usages of key blocks that may serve.
    usages: &'static [&'static [u8; 2]],
    /// Modes of use that may serve, `N` (no restriction) besides.
    modes: &'static [u8],
}

const fn role(
    code: &'static str,
    separated: &'static str,
    usages: &'static [&'static [u8; 2]],
    modes: &'static [u8],
) -> Role {
    Role { code, separated, usages, modes }
}

impl Role {
    /// Any key of a type.
    pub fn of_type(key_type: KeyType) -> Self {
        let row = key_type.row();
        Self { code: row.code, separated: row.code, usages: row.usages, modes: b"BCDEGSTVXY" }
    }

    /// The role in one use of the key.
    pub fn to(self, usage: Use) -> Self {
        let modes = match usage {
            Use::Encrypt => b"BE",
            Use::Decrypt => b"BD",
            Use::Generate => b"CG",
            Use::Verify => b"CV",
        };
        Self { modes, ..self }
    }

    /// Any key in a key block; none under a variant LMK, where keys do not tell what they are.
    pub fn any_block() -> Self {
        Self { code: "FFF", separated: "FFF", usages: &[], modes: &[] }
    }

    /// Whether a key block says that its key may serve.
    pub fn admits(&self, header: &tr31::Header) -> Result<(), Code> {
        if self.usages.is_empty() {
            return Ok(());
        }
        if !self.usages.contains(&&header.usage) {
            return Err(Code::KEY_BLOCK_USAGE);
        }
        if header.mode != b'N' && !self.modes.contains(&header.mode) {
            return Err(Code::KEY_BLOCK_MODE);
        }
        Ok(())
    }

    /// The type's code: part of a key's name in the cache.
    pub fn code(&self, separated: bool) -> &'static str {
        if separated { self.separated } else { self.code }
    }

    pub fn key_type(&self, separated: bool) -> Result<KeyType, Code> {
        KeyType::parse(self.code(separated))
    }
}

/// The roles of the commands. A master key may wrap and unwrap; keys of derivations have mode X.
pub mod roles {
    use super::{Role, role};

    pub const ZMK: Role = role("000", "000", &[b"K0", b"K1"], b"BDE");
    pub const TMK: Role = role("002", "80D", &[b"K0", b"K1"], b"BDE");
    pub const ZPK: Role = role("001", "001", &[b"P0"], b"BDE");
    pub const TPK: Role = role("002", "70D", &[b"P0"], b"BDE");
    pub const PVK: Role = role("002", "002", &[b"V0", b"V1", b"V2"], b"CGV");
    pub const TAK: Role = role("003", "003", &[b"M0", b"M1", b"M3", b"M6"], b"CGV");
    pub const ZAK: Role = role("008", "008", &[b"M0", b"M1", b"M3", b"M6"], b"CGV");
    pub const CVK: Role = role("402", "402", &[b"C0"], b"CGV");
    pub const BDK: Role = role("009", "009", &[b"B0"], b"X");
    pub const BDK_2: Role = role("609", "609", &[b"B0"], b"X");
    pub const ZEK: Role = role("00A", "00A", &[b"D0"], b"BDE");
    pub const MK_AC: Role = role("109", "109", &[b"E0"], b"X");
    pub const MK_SMI: Role = role("209", "209", &[b"E2"], b"X");
}
