//! BU and KA: key check values.

use super::Reply;
use crate::device::Device;
use crate::error::Code;
use crate::fields::Fields;
use crate::keys::{KeyType, Role};

/// BU: type code (or FF and a whole type behind), length flag, key. Sixteen digits in the authorised state, or six where
/// `;00` and type 1 say so.
pub fn of_length(device: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let code = fields.text("key type code", 2)?;
    let bare = bare_length(fields)?;
    let key = fields.key("key", bare)?;
    let mut key_type = if code == "FF" { None } else { Some(KeyType::from_code(code)?) };
    let mut digits = 16;
    if fields.delimiter(b';') {
        let stated = fields.text(if code == "FF" { "key type" } else { "reserved, check value type" }, 3)?;
        if code != "FF" {
            digits = check_digits(stated)?;
        } else if stated != "FFF" {
            key_type = Some(KeyType::parse(stated)?);
        } else {
            // A key block tells its type; any usage may be checked.
            key_type = None;
        }
        if fields.delimiter(b';') {
            digits = check_digits(fields.text("reserved, check value type", 3)?)?;
        }
    }
    let vault = fields.end()?;
    if digits != 6 {
        device.require_authorised()?;
    }
    let role = match key_type {
        Some(key_type) => Role::of_type(key_type),
        None => Role::any_block(),
    };
    let key = vault.open(&key, role, Code::SOURCE_PARITY)?;
    Ok(Reply::ok(&key.secret.check_value()?[..digits]))
}

/// Bytes of a key without a scheme letter, by the length flag in front; 0 where it does not say.
pub fn bare_length(fields: &mut Fields<'_>) -> Result<usize, Code> {
    match fields.byte("key length flag")? {
        b'0' => Ok(8),
        b'1' => Ok(16),
        b'2' => Ok(24),
        b'F' => Ok(0),
        _ => Err(Code::LENGTH_FLAG),
    }
}

/// `00` reserved, then 0 for 16 digits or 1 for 6.
fn check_digits(text: &str) -> Result<usize, Code> {
    match text {
        "000" => Ok(16),
        "001" => Ok(6),
        _ => Err(Code::INPUT),
    }
}

/// KA: key, type code; sixteen digits, or six where `;ZZ1` says so.
pub fn of_type(_: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    // The code behind a key without a letter is two digits; whatever is more makes the key double.
    let bare = if fields.rest_before_tail() >= 34 { 16 } else { 8 };
    let key = fields.key("key", bare)?;
    let key_type = KeyType::from_code(fields.text("key type code", 2)?)?;
    let digits =
        if fields.delimiter(b';') && fields.text("reserved, check value type", 3)?.ends_with('1') { 6 } else { 16 };
    let vault = fields.end()?;
    let key = vault.open(&key, Role::of_type(key_type), Code::SOURCE_PARITY)?;
    Ok(Reply::ok(&key.secret.check_value()?[..digits]))
}
