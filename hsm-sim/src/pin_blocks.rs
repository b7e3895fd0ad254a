//! PIN blocks as commands carry them: a two-digit format code and a block under a key.

use payment_crypto::{Pin, os_random, pin_block};

use crate::error::Code;
use crate::hex;
use crate::keys::Secret;

/// A format and its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// 01.
    Iso0,
    /// 03: PIN, then F.
    Ibm3624,
    /// 05.
    Iso1,
    /// 34 and 35.
    Iso2,
    /// 47.
    Iso3,
    /// 48: a block of sixteen bytes under an AES key.
    Iso4,
}

impl Format {
    pub const ALL: [Self; 6] = [Self::Iso0, Self::Ibm3624, Self::Iso1, Self::Iso2, Self::Iso3, Self::Iso4];

    pub fn parse(code: &str) -> Result<Self, Code> {
        match code {
            "01" => Ok(Self::Iso0),
            "03" => Ok(Self::Ibm3624),
            "05" => Ok(Self::Iso1),
            "34" | "35" => Ok(Self::Iso2),
            "47" => Ok(Self::Iso3),
            "48" => Ok(Self::Iso4),
            _ => Err(Code::PIN_BLOCK_FORMAT),
        }
    }

    /// Whether a block of it holds for one account only.
    pub fn is_bound(self) -> bool {
        matches!(self, Self::Iso0 | Self::Iso3 | Self::Iso4)
    }

    /// Bytes of a block.
    pub fn block_length(self) -> usize {
        if self == Self::Iso4 { 16 } else { 8 }
    }
}

/// The PIN in a block. `account`: the twelve digits without the check digit, or for format 4 the whole number.
pub fn open(key: &Secret, format: Format, block: &[u8], account: &str) -> Result<Pin, Code> {
    if format == Format::Iso4 {
        return Ok(pin_block::format4::decipher(key.aes()?, fixed(block)?, account)?);
    }
    let clear = key.tdes()?.decrypt_block(fixed(block)?);
    Ok(match format {
        Format::Iso0 => pin_block::format0::decode(clear, account)?,
        Format::Ibm3624 => pin_block::ibm3624::decode(clear)?,
        Format::Iso1 => pin_block::format1::decode(clear)?,
        Format::Iso2 => pin_block::format2::decode(clear)?,
        Format::Iso3 | Format::Iso4 => pin_block::format3::decode(clear, account)?,
    })
}

/// A block of a PIN, in hexadecimal.
pub fn seal(key: &Secret, format: Format, pin: &Pin, account: &str) -> Result<String, Code> {
    let clear = match format {
        Format::Iso4 => {
            let block = pin_block::format4::encipher(key.aes()?, pin, account, &mut os_random)?;
            return Ok(hex::upper(&block));
        }
        Format::Iso0 => pin_block::format0::encode(pin, account)?,
        Format::Ibm3624 => pin_block::ibm3624::encode(pin),
        Format::Iso1 => pin_block::format1::encode(pin, &mut os_random)?,
        Format::Iso2 => pin_block::format2::encode(pin),
        Format::Iso3 => pin_block::format3::encode(pin, account, &mut os_random)?,
    };
    Ok(hex::upper(&key.tdes()?.encrypt_block(clear)))
}

fn fixed<const N: usize>(block: &[u8]) -> Result<[u8; N], Code> {
    block.try_into().map_err(|_| Code::INPUT)
}
