//! JA and NG: PINs made by the device, and told in clear.

use payment_crypto::{Pin, os_random};
use zeroize::Zeroizing;

use super::Reply;
use super::pin_translation::ACCOUNT;
use crate::device::Device;
use crate::error::Code;
use crate::fields::Fields;
use crate::pin_under_lmk;

/// A PIN under the LMK is as long as what stands `behind` it leaves.
pub fn field<'a>(fields: &mut Fields<'a>, behind: usize) -> Result<&'a str, Code> {
    let length = fields.rest_before_tail().checked_sub(behind).filter(|length| (5..=13).contains(length));
    fields.text("PIN under LMK", length.ok_or(Code::PIN_UNDER_LMK)?)
}

/// Random PINs drawn at most until one may be chosen; policies leave nearly all.
const DRAWS_MAX: usize = 1000;

/// JA: a random PIN of four digits, or as many as two further digits say.
pub fn generate(device: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let account = fields.digits("account number", ACCOUNT, Code::ACCOUNT)?;
    let length = match fields.rest() {
        [first, _, ..] if first.is_ascii_digit() => fields.number("PIN length", 2)?,
        _ => 4,
    };
    let vault = fields.end()?;
    if !(4..=12).contains(&length) {
        return Err(Code::PIN_LENGTH);
    }
    for _ in 0..DRAWS_MAX {
        let pin = random_pin(length)?;
        match device.policy().may_be_chosen(&pin) {
            Ok(()) => return Ok(Reply::ok(pin_under_lmk::encipher(&vault, &pin, account)?)),
            Err(Code::EXCLUDED_PIN) => {}
            Err(code) => return Err(code),
        }
    }
    Err(Code::EXCLUDED_PIN)
}

fn random_pin(length: usize) -> Result<Pin, Code> {
    let mut digits = Zeroizing::new(Vec::with_capacity(length));
    while digits.len() < length {
        let mut byte = [0];
        os_random(&mut byte)?;
        // Bytes from 250 on would favour some digits.
        if byte[0] < 250 {
            digits.push(byte[0] % 10);
        }
    }
    Ok(Pin::from_digits(digits.to_vec())?)
}

/// NG: the clear PIN, F behind it up to the length it had under the LMK, and a reference number of the account. In the
/// authorised state only.
pub fn decrypt(device: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let account = fields.digits("account number", ACCOUNT, Code::ACCOUNT)?;
    let text = field(fields, 0)?;
    let vault = fields.end()?;
    device.require_authorised()?;
    let pin = pin_under_lmk::decipher(&vault, text, account)?;
    let mut answer: Vec<u8> = pin.digits().iter().map(|digit| b'0' + digit).collect();
    answer.resize(text.len(), b'F');
    answer.extend(pin_under_lmk::reference(&vault, account)?.bytes());
    Ok(Reply::ok(answer))
}
