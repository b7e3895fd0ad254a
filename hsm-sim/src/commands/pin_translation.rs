//! PIN blocks from one key and format to another: CA, CC, CI, G0, and to and from the LMK: JC, JE, JG.

use payment_crypto::pin_block::account12;

use super::Reply;
use super::dukpt::{PinKey, bdk_flag};
use crate::device::Device;
use crate::error::Code;
use crate::fields::Fields;
use crate::keys::{Role, Use, roles};
use crate::pin_blocks::{self, Format};
use crate::pin_under_lmk;

/// Digits of an account number without its check digit.
pub const ACCOUNT: usize = 12;

/// An account as the formats of a command need it.
pub struct Account {
    /// Twelve digits without the check digit.
    pub twelve: String,
    /// The whole number, where format 4 is among the formats.
    whole: Option<String>,
}

impl Account {
    /// Twelve digits; with format 4 the whole number and `;`.
    pub fn read(fields: &mut Fields<'_>, formats: &[Format]) -> Result<Self, Code> {
        if !formats.contains(&Format::Iso4) {
            return Ok(Self {
                twelve: fields.digits("account number", ACCOUNT, Code::ACCOUNT)?.to_owned(),
                whole: None,
            });
        }
        let length = fields.rest().iter().position(|byte| *byte == b';').ok_or(Code::ACCOUNT)?;
        if !(ACCOUNT..=19).contains(&length) {
            return Err(Code::ACCOUNT);
        }
        let whole = fields.digits("account number with check digit", length, Code::ACCOUNT)?;
        fields.delimiter(b';');
        Ok(Self { twelve: account12(whole)?, whole: Some(whole.to_owned()) })
    }

    /// What blocks of a format are bound to.
    pub fn of(&self, format: Format) -> &str {
        match (&self.whole, format) {
            (Some(whole), Format::Iso4) => whole,
            _ => &self.twelve,
        }
    }
}

pub fn format(fields: &mut Fields<'_>, name: &'static str) -> Result<Format, Code> {
    Format::parse(fields.text(name, 2)?)
}

/// A block, as long as its key's cipher has it.
pub fn block(fields: &mut Fields<'_>, aes: bool) -> Result<zeroize::Zeroizing<Vec<u8>>, Code> {
    fields.hex("PIN block", if aes { 16 } else { 8 })
}

/// The fields that all translations end with.
struct Translation {
    maximum: usize,
    block: zeroize::Zeroizing<Vec<u8>>,
    from: Format,
    to: Format,
    /// As it was given, to be given back.
    to_code: String,
    account: Account,
}

impl Translation {
    fn read(fields: &mut Fields<'_>, aes: bool, maximum: Option<usize>, source: Option<Format>) -> Result<Self, Code> {
        let maximum = match maximum {
            Some(maximum) => maximum,
            None => fields.number("maximum PIN length", 2)?,
        };
        let block = block(fields, aes)?;
        let from = match source {
            Some(source) => source,
            None => format(fields, "source format")?,
        };
        let to_code = fields.text("destination format", 2)?.to_owned();
        let to = Format::parse(&to_code)?;
        let account = Account::read(fields, &[from, to])?;
        Ok(Self { maximum, block, from, to, to_code, account })
    }

    fn run(
        &self,
        device: &Device,
        fields: &mut Fields<'_>,
        source: &PinKey<'_>,
        to: &PinKey<'_>,
    ) -> Result<Reply, Code> {
        let vault = fields.end()?;
        if !(4..=12).contains(&self.maximum) {
            return Err(Code::PIN_LENGTH);
        }
        device.policy().may_be_translated(self.from, self.to)?;
        let source = source.open(&vault, Code::SOURCE_PARITY)?;
        let destination = to.open(&vault, Code::DESTINATION_PARITY)?;
        let pin = pin_blocks::open(&source.secret, self.from, &self.block, self.account.of(self.from))?;
        let length = pin.digits().len();
        if length > self.maximum {
            return Err(Code::PIN_LENGTH);
        }
        let sealed = pin_blocks::seal(&destination.secret, self.to, &pin, self.account.of(self.to))?;
        Ok(Reply::ok(format!("{length:02}{sealed}{}", self.to_code)))
    }
}

/// CA: from a terminal's key to a zone's, or to one that DUKPT derives.
pub fn terminal_to_zone(device: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    translate(device, fields, roles::TPK)
}

/// CC: from one zone to another.
pub fn zone_to_zone(device: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    translate(device, fields, roles::ZPK)
}

fn translate(device: &Device, fields: &mut Fields<'_>, role: Role) -> Result<Reply, Code> {
    let source = PinKey::Stored(fields.key("source PIN key", 8)?, role.to(Use::Decrypt));
    let destination = PinKey::read_destination(fields)?;
    let translation = Translation::read(fields, source.is_aes(), None, None)?;
    translation.run(device, fields, &source, &destination)
}

/// CI: from a terminal of DUKPT to a zone; format 0 comes in.
pub fn dukpt_to_zone(device: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let bdk = fields.key("BDK", 16)?;
    let zpk = PinKey::Stored(fields.key("destination ZPK", 8)?, roles::ZPK.to(Use::Encrypt));
    let serial = super::dukpt::Serial::read(fields, &bdk)?;
    let source = PinKey::Derived(bdk, roles::BDK, serial);
    let translation = Translation::read(fields, source.is_aes(), Some(12), Some(Format::Iso0))?;
    translation.run(device, fields, &source, &zpk)
}

/// G0: from a terminal of DUKPT to a zone, or to another key that DUKPT derives.
pub fn dukpt_to_any(device: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let source_role = bdk_flag(fields).unwrap_or(roles::BDK);
    let bdk = fields.key("source BDK", 16)?;
    let destination_role = bdk_flag(fields);
    let key = fields.key("destination key", if destination_role.is_some() { 16 } else { 8 })?;
    let source = PinKey::Derived(bdk, source_role, super::dukpt::Serial::read(fields, &bdk)?);
    let destination = match destination_role {
        Some(role) => PinKey::Derived(key, role, super::dukpt::Serial::read(fields, &key)?),
        None => PinKey::Stored(key, roles::ZPK.to(Use::Encrypt)),
    };
    let translation = Translation::read(fields, source.is_aes(), Some(12), None)?;
    translation.run(device, fields, &source, &destination)
}

/// JC: a terminal's PIN block to a PIN under the LMK.
pub fn terminal_to_lmk(device: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    to_lmk(device, fields, roles::TPK)
}

/// JE: the same of a zone's.
pub fn zone_to_lmk(device: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    to_lmk(device, fields, roles::ZPK)
}

fn to_lmk(device: &Device, fields: &mut Fields<'_>, role: Role) -> Result<Reply, Code> {
    let key = PinKey::Stored(fields.key("PIN key", 8)?, role.to(Use::Decrypt));
    let block = block(fields, key.is_aes())?;
    let format = format(fields, "PIN block format")?;
    let account = Account::read(fields, &[format])?;
    let vault = fields.end()?;
    device.policy().may_be_used(format)?;
    let key = key.open(&vault, Code::SOURCE_PARITY)?;
    let pin = pin_blocks::open(&key.secret, format, &block, account.of(format))?;
    Ok(Reply::ok(pin_under_lmk::encipher(&vault, &pin, &account.twelve)?))
}

/// JG: a PIN under the LMK to a zone's PIN block.
pub fn lmk_to_zone(device: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let key = PinKey::Stored(fields.key("ZPK", 8)?, roles::ZPK.to(Use::Encrypt));
    let format = format(fields, "PIN block format")?;
    let account = Account::read(fields, &[format])?;
    let pin = super::pins_under_lmk::field(fields, 0)?;
    let vault = fields.end()?;
    device.policy().may_be_used(format)?;
    let key = key.open(&vault, Code::SOURCE_PARITY)?;
    let pin = pin_under_lmk::decipher(&vault, pin, &account.twelve)?;
    Ok(Reply::ok(pin_blocks::seal(&key.secret, format, &pin, account.of(format))?))
}
