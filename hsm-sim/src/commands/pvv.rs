//! Visa's PIN verification value: DC, EC, CU, DG.

use payment_crypto::{Pin, pvv};
use subtle::ConstantTimeEq;

use super::Reply;
use super::dukpt::PinKey;
use super::pin_translation::{ACCOUNT, Account, block, format};
use crate::device::Device;
use crate::error::Code;
use crate::fields::{CipheredKey, Fields};
use crate::keys::{Role, Use, Vault, roles};
use crate::pin_blocks;
use crate::pin_under_lmk;

/// The PIN verification key must be of double length.
fn pvk<'a>(fields: &mut Fields<'a>) -> Result<CipheredKey<'a>, Code> {
    let key = fields.key("PVK", 16)?;
    if matches!(key.length(), 0 | 16) { Ok(key) } else { Err(Code::KEY_LENGTH) }
}

fn pvki(fields: &mut Fields<'_>) -> Result<u8, Code> {
    fields.digits("PVK indicator", 1, Code::INPUT)?.parse().map_err(|_| Code::INPUT)
}

/// What a verification value is made of beside the PIN.
struct Values<'a> {
    vault: Vault<'a>,
    pvk: CipheredKey<'a>,
    /// The error code for a PVK without odd parity.
    parity: Code,
    account12: String,
    pvki: u8,
}

impl Values<'_> {
    /// The value's four digits as characters.
    fn of(&self, pin: &Pin, usage: Use) -> Result<[u8; 4], Code> {
        let pvk = self.vault.open(&self.pvk, roles::PVK.to(usage), self.parity)?;
        Ok(pvv::generate(pvk.tdes()?, pin, &self.account12, self.pvki)?.map(|digit| digit + b'0'))
    }
}

/// DC: whether a terminal's PIN block holds the PIN of a verification value.
pub fn verify_terminal(device: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    verify(device, fields, roles::TPK)
}

/// EC: the same of a block from another institution, under a zone PIN key.
pub fn verify_zone(device: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    verify(device, fields, roles::ZPK)
}

fn verify(device: &Device, fields: &mut Fields<'_>, role: Role) -> Result<Reply, Code> {
    let key = PinKey::Stored(fields.key("PIN key", 8)?, role.to(Use::Decrypt));
    let pvk = pvk(fields)?;
    let block = block(fields, key.is_aes())?;
    let format = format(fields, "PIN block format")?;
    let account = Account::read(fields, &[format])?;
    let pvki = pvki(fields)?;
    let stated = fields.digits("PVV", 4, Code::INPUT)?;
    let vault = fields.end()?;
    device.policy().may_be_used(format)?;
    let key = key.open(&vault, Code::SOURCE_PARITY)?;
    // The PVK is looked at before the block, so that a wrong key is not taken for a wrong PIN.
    vault.open(&pvk, roles::PVK.to(Use::Verify), Code::DESTINATION_PARITY)?;
    let pin = pin_blocks::open(&key.secret, format, &block, account.of(format))?;
    let values = Values { vault, pvk, parity: Code::DESTINATION_PARITY, account12: account.twelve, pvki };
    Ok(Reply::verdict(values.of(&pin, Use::Verify)?.ct_eq(stated.as_bytes()).into()))
}

/// CU: verifies the old PIN, and gives the value of the new one.
pub fn change(device: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let role = match fields.text("type of PIN key", 3)? {
        "001" => roles::ZPK,
        "002" | "70D" => roles::TPK,
        "FFF" => roles::ZPK,
        _ => return Err(Code::KEY_TYPE),
    };
    let key = PinKey::Stored(fields.key("PIN key", 8)?, role.to(Use::Decrypt));
    let pvk = pvk(fields)?;
    let old_block = block(fields, key.is_aes())?;
    let format = format(fields, "PIN block format")?;
    let account = Account::read(fields, &[format])?;
    let pvki = pvki(fields)?;
    let stated = fields.digits("PVV", 4, Code::INPUT)?;
    let new_block = block(fields, key.is_aes())?;
    let vault = fields.end()?;
    device.policy().may_be_used(format)?;
    let key = key.open(&vault, Code::SOURCE_PARITY)?;
    let pin_of = |block: &[u8]| pin_blocks::open(&key.secret, format, block, account.of(format));
    let old = pin_of(&old_block)?;
    let chosen = pin_of(&new_block)?;
    let values = Values { vault, pvk, parity: Code::DESTINATION_PARITY, account12: account.twelve.clone(), pvki };
    if !bool::from(values.of(&old, Use::Verify)?.ct_eq(stated.as_bytes())) {
        return Err(Code::VERIFICATION_FAILED);
    }
    device.policy().may_be_chosen(&chosen)?;
    Ok(Reply::ok(values.of(&chosen, Use::Generate)?))
}

/// DG: the verification value of a PIN under the LMK.
pub fn generate(device: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let pvk = pvk(fields)?;
    let pin = super::pins_under_lmk::field(fields, ACCOUNT + 1)?;
    let account = fields.digits("account number", ACCOUNT, Code::ACCOUNT)?;
    let pvki = pvki(fields)?;
    let vault = fields.end()?;
    let pin = pin_under_lmk::decipher(&vault, pin, account)?;
    device.policy().may_be_chosen(&pin)?;
    let values = Values { vault, pvk, parity: Code::SOURCE_PARITY, account12: account.to_owned(), pvki };
    Ok(Reply::ok(values.of(&pin, Use::Generate)?))
}
