//! CW and CY: card verification values.

use payment_crypto::cvv;
use subtle::ConstantTimeEq;

use super::Reply;
use crate::device::Device;
use crate::error::Code;
use crate::fields::{CipheredKey, Fields};
use crate::keys::{Use, Vault, roles};

/// What the value is made of.
struct Card<'a> {
    pan: &'a str,
    date: &'a str,
    service_code: &'a str,
}

impl<'a> Card<'a> {
    fn read(fields: &mut Fields<'a>) -> Result<Self, Code> {
        let length =
            fields.rest().iter().position(|byte| *byte == b';').filter(|length| *length <= 19).ok_or(Code::INPUT)?;
        let pan = fields.digits("account number", length, Code::ACCOUNT)?;
        fields.delimiter(b';');
        let date = fields.digits("expiry", 4, Code::INPUT)?;
        Ok(Self { pan, date, service_code: fields.digits("service code", 3, Code::INPUT)? })
    }

    fn value(&self, vault: &Vault<'_>, cvk: &CipheredKey<'_>, usage: Use) -> Result<[u8; 3], Code> {
        let cvk = vault.open(cvk, roles::CVK.to(usage), Code::SOURCE_PARITY)?;
        let digits = cvv::generate(cvk.tdes()?, self.pan, self.date, self.service_code)?;
        Ok(digits.map(|digit| digit + b'0'))
    }
}

/// CW: CVK, PAN, `;`, date, service code.
pub fn generate_cvv(_: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let cvk = fields.key("CVK", 16)?;
    let card = Card::read(fields)?;
    let vault = fields.end()?;
    Ok(Reply::ok(card.value(&vault, &cvk, Use::Generate)?))
}

/// CY: CVK, the value, then as CW.
pub fn verify_cvv(_: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let cvk = fields.key("CVK", 16)?;
    let stated = fields.digits("CVV", 3, Code::INPUT)?;
    let card = Card::read(fields)?;
    let vault = fields.end()?;
    Ok(Reply::verdict(card.value(&vault, &cvk, Use::Verify)?.ct_eq(stated.as_bytes()).into()))
}
