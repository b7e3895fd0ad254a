//! PINs: BA, JA, JC, DC, DG, EC.

use payment_crypto::{Pin, TdesKey, os_random, pin_block, pvv};
use subtle::ConstantTimeEq;

use super::Reply;
use crate::error::Code;
use crate::fields::Fields;
use crate::key_type::{KeyType, PVK, TPK, ZPK};
use crate::lmk::Lmk;
use crate::pin_under_lmk;

const ACCOUNT: usize = 12;

/// BA: digits and fill F up to the account number, which is the last twelve characters.
pub fn encrypt(lmk: &Lmk, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let length = pin_field_length(fields, ACCOUNT)?;
    let field = fields.text(length)?;
    let account = fields.digits(ACCOUNT, Code::ACCOUNT)?;
    let pin = Pin::parse(field.trim_end_matches('F')).map_err(|_| Code::PIN_LENGTH)?;
    if !field.ends_with('F') || pin.digits().len() + 1 != length {
        return Err(Code::PIN_LENGTH);
    }
    Ok(Reply::ok(pin_under_lmk::encipher(lmk, &pin, account)?))
}

/// JA: a random PIN of four digits, or as many as two further digits say.
pub fn generate(lmk: &Lmk, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let account = fields.digits(ACCOUNT, Code::ACCOUNT)?;
    let length: usize = match fields.rest() {
        [first, _, ..] if first.is_ascii_digit() => {
            fields.digits(2, Code::PIN_LENGTH)?.parse().map_err(|_| Code::PIN_LENGTH)?
        }
        _ => 4,
    };
    if !(4..=12).contains(&length) {
        return Err(Code::PIN_LENGTH);
    }
    let mut digits = Vec::with_capacity(length);
    while digits.len() < length {
        let mut byte = [0];
        os_random(&mut byte)?;
        // Bytes from 250 on would favour some digits.
        if byte[0] < 250 {
            digits.push(byte[0] % 10);
        }
    }
    Ok(Reply::ok(pin_under_lmk::encipher(lmk, &Pin::from_digits(digits)?, account)?))
}

/// JC: a terminal's PIN block to a PIN under the LMK.
pub fn from_terminal(lmk: &Lmk, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let tpk = fields.key(8)?.open(lmk, TPK, Code::SOURCE_PARITY)?;
    let block = fields.block()?;
    let format = fields.text(2)?;
    let account = fields.digits(ACCOUNT, Code::ACCOUNT)?;
    let pin = open_block(&tpk, block, format, account)?;
    Ok(Reply::ok(pin_under_lmk::encipher(lmk, &pin, account)?))
}

/// DC: whether a terminal's PIN block holds the PIN of a verification value.
pub fn verify_terminal_pvv(lmk: &Lmk, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    verify_pvv(lmk, fields, TPK)
}

/// EC: the same of a block from another institution, under a zone PIN key.
pub fn verify_zone_pvv(lmk: &Lmk, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    verify_pvv(lmk, fields, ZPK)
}

fn verify_pvv(lmk: &Lmk, fields: &mut Fields<'_>, pin_key: KeyType) -> Result<Reply, Code> {
    let pin_key = fields.key(8)?.open(lmk, pin_key, Code::SOURCE_PARITY)?;
    let pvk = open_pvk(lmk, fields, Code::DESTINATION_PARITY)?;
    let block = fields.block()?;
    let format = fields.text(2)?;
    let account = fields.digits(ACCOUNT, Code::ACCOUNT)?;
    let pvki = pvki(fields)?;
    let stated = fields.digits(4, Code::INPUT)?;
    let pin = open_block(&pin_key, block, format, account)?;
    let right = pvv::generate(&pvk, &pin, account, pvki)?.map(|digit| digit + b'0');
    if bool::from(right.ct_eq(stated.as_bytes())) { Ok(Reply::ok("")) } else { Err(Code::VERIFICATION_FAILED) }
}

/// DG: the verification value of a PIN under the LMK.
pub fn generate_pvv(lmk: &Lmk, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let pvk = open_pvk(lmk, fields, Code::SOURCE_PARITY)?;
    let length = pin_field_length(fields, ACCOUNT + 1)?;
    let pin = fields.text(length)?;
    let account = fields.digits(ACCOUNT, Code::ACCOUNT)?;
    let pvki = pvki(fields)?;
    let pin = pin_under_lmk::decipher(lmk, pin, account)?;
    Ok(Reply::ok(pvv::generate(&pvk, &pin, account, pvki)?.map(|digit| digit + b'0')))
}

/// A PIN field is as long as what stands behind it leaves; a trailer or LMK selector is not part of it.
fn pin_field_length(fields: &Fields<'_>, behind: usize) -> Result<usize, Code> {
    let end = fields.rest().iter().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(fields.rest().len());
    end.checked_sub(behind).filter(|length| (5..=13).contains(length)).ok_or(Code::PIN_LENGTH)
}

/// The PIN verification key must be of double length.
fn open_pvk(lmk: &Lmk, fields: &mut Fields<'_>, parity: Code) -> Result<TdesKey, Code> {
    let key = fields.key(16)?;
    if key.cryptogram.len() != 16 {
        return Err(Code::KEY_LENGTH);
    }
    key.open(lmk, PVK, parity)
}

fn pvki(fields: &mut Fields<'_>) -> Result<u8, Code> {
    fields.digits(1, Code::INPUT)?.parse().map_err(|_| Code::INPUT)
}

/// Formats 01 (ISO 9564 format 0) and 03 (PIN then F).
fn open_block(key: &TdesKey, block: [u8; 8], format: &str, account: &str) -> Result<Pin, Code> {
    let clear = key.decrypt_block(block);
    match format {
        "01" => Ok(pin_block::parse_format0(clear, account)?),
        "03" => Ok(pin_block::parse_ibm3624(clear)?),
        _ => Err(Code::PIN_BLOCK_FORMAT),
    }
}
