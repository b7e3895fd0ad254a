//! The IBM 3624 method: DA, EA, DE, EE.

use payment_crypto::Pin;
use payment_crypto::ibm3624::{self, DecimalisationTable};
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

/// Characters of validation data with their place for the account, and of the form that gives them whole.
const VALIDATION: usize = 12;
const WHOLE_VALIDATION: usize = 17;
const OFFSET: usize = 12;
const TABLE: usize = 16;

/// What a natural PIN is made of.
struct Derivation<'a> {
    pvk: CipheredKey<'a>,
    length: usize,
    account12: String,
    table: &'a str,
    validation: &'a str,
}

impl<'a> Derivation<'a> {
    /// Table and validation data, which come together and last.
    fn read(fields: &mut Fields<'a>, pvk: CipheredKey<'a>, length: usize, account12: String) -> Result<Self, Code> {
        let table = fields.text("decimalisation table", TABLE)?;
        let size = if fields.rest().first() == Some(&b'P') { WHOLE_VALIDATION } else { VALIDATION };
        Ok(Self { pvk, length, account12, table, validation: fields.text("PIN validation data", size)? })
    }

    /// Sixteen digits: `P` and all of them, or eleven and an `N` where the last five account digits go.
    fn validation_data(&self) -> Result<String, Code> {
        if let Some(whole) = self.validation.strip_prefix('P') {
            return Ok(whole.to_owned());
        }
        let last = self.account12.get(ACCOUNT - 5..).ok_or(Code::ACCOUNT)?;
        match self.validation.split_once('N') {
            Some((before, behind)) if !behind.contains('N') => Ok(format!("{before}{last}{behind}")),
            _ => Err(Code::INPUT),
        }
    }

    fn natural(&self, device: &Device, vault: &Vault<'_>, usage: Use, parity: Code) -> Result<Pin, Code> {
        let table = DecimalisationTable::parse(self.table)?;
        if device.policy().check_decimalisation_tables && !table.is_strong() {
            return Err(Code::DECIMALISATION_TABLE);
        }
        let pvk = vault.open(&self.pvk, roles::PVK.to(usage), parity)?;
        let data = self.validation_data()?;
        ibm3624::natural_pin(pvk.tdes()?, &table, &data, self.length).map_err(|fault| match fault {
            payment_crypto::Fault::Account => Code::INPUT,
            other => other.into(),
        })
    }
}

/// Twelve characters: the offset's digits, then F.
fn offset_field(fields: &mut Fields<'_>) -> Result<Vec<u8>, Code> {
    let text = fields.text("offset", OFFSET)?;
    let digits = text.trim_end_matches('F');
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Code::INPUT);
    }
    Ok(digits.bytes().map(|digit| digit - b'0').collect())
}

fn written(offset: &[u8]) -> String {
    let digits: String = offset.iter().map(|digit| char::from(b'0' + digit)).collect();
    format!("{digits:F<OFFSET$}")
}

/// DA: whether a terminal's PIN block holds the PIN of an offset.
pub fn verify_terminal(device: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    verify(device, fields, roles::TPK)
}

/// EA: the same of a block from another institution, under a zone PIN key.
pub fn verify_zone(device: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    verify(device, fields, roles::ZPK)
}

fn verify(device: &Device, fields: &mut Fields<'_>, role: Role) -> Result<Reply, Code> {
    let key = PinKey::Stored(fields.key("PIN key", 8)?, role.to(Use::Decrypt));
    let pvk = fields.key("PVK", 8)?;
    let maximum = fields.number("maximum PIN length", 2)?;
    let block = block(fields, key.is_aes())?;
    let format = format(fields, "PIN block format")?;
    let length = fields.number("check length", 2)?;
    let account = Account::read(fields, &[format])?;
    let derivation = Derivation::read(fields, pvk, length, account.twelve.clone())?;
    let offset = offset_field(fields)?;
    let vault = fields.end()?;
    device.policy().may_be_used(format)?;
    let key = key.open(&vault, Code::SOURCE_PARITY)?;
    let natural = derivation.natural(device, &vault, Use::Verify, Code::DESTINATION_PARITY)?;
    let pin = pin_blocks::open(&key.secret, format, &block, account.of(format))?;
    if pin.digits().len() > maximum || pin.digits().len() < length {
        return Err(Code::PIN_LENGTH);
    }
    let right = ibm3624::offset(&natural, &pin)?;
    let stated = offset.get(..length).ok_or(Code::INPUT)?;
    Ok(Reply::verdict(right.ct_eq(stated).into()))
}

/// DE: the offset of a PIN under the LMK.
pub fn generate_offset(device: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let pvk = fields.key("PVK", 8)?;
    let validation = validation_length(fields);
    let pin = super::pins_under_lmk::field(fields, 2 + ACCOUNT + TABLE + validation)?;
    let length = fields.number("check length", 2)?;
    let account = fields.digits("account number", ACCOUNT, Code::ACCOUNT)?;
    let derivation = Derivation::read(fields, pvk, length, account.to_owned())?;
    let vault = fields.end()?;
    let natural = derivation.natural(device, &vault, Use::Generate, Code::SOURCE_PARITY)?;
    let pin = pin_under_lmk::decipher(&vault, pin, account)?;
    device.policy().may_be_chosen(&pin)?;
    if pin.digits().len() < length {
        return Err(Code::PIN_LENGTH_MISMATCH);
    }
    Ok(Reply::ok(written(&ibm3624::offset(&natural, &pin)?)))
}

/// Characters of validation data at the end of a command, by its last form.
fn validation_length(fields: &Fields<'_>) -> usize {
    let length = fields.rest_before_tail();
    let whole = length.checked_sub(WHOLE_VALIDATION).and_then(|at| fields.rest().get(at));
    if whole == Some(&b'P') { WHOLE_VALIDATION } else { VALIDATION }
}

/// EE: the PIN of an offset, under the LMK.
pub fn derive_pin(device: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let pvk = fields.key("PVK", 8)?;
    let offset = offset_field(fields)?;
    let length = fields.number("check length", 2)?;
    let account = fields.digits("account number", ACCOUNT, Code::ACCOUNT)?;
    let derivation = Derivation::read(fields, pvk, length, account.to_owned())?;
    let vault = fields.end()?;
    let natural = derivation.natural(device, &vault, Use::Generate, Code::SOURCE_PARITY)?;
    let pin = ibm3624::pin_of_offset(&natural, offset.get(..length).ok_or(Code::INPUT)?)?;
    device.policy().may_be_chosen(&pin)?;
    Ok(Reply::ok(pin_under_lmk::encipher(&vault, &pin, account)?))
}
