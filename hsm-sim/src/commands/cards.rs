//! CW and CY: card verification values.

use payment_crypto::cvv;
use subtle::ConstantTimeEq;

use super::Reply;
use crate::error::Code;
use crate::fields::Fields;
use crate::key_type::CVK;
use crate::lmk::Lmk;

/// CW: CVK, PAN, `;`, date, service code.
pub fn generate_cvv(lmk: &Lmk, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let cvk = fields.key(16)?.open(lmk, CVK, Code::SOURCE_PARITY)?;
    Ok(Reply::ok(compute(&cvk, fields)?))
}

/// CY: CVK, the value, then as CW.
pub fn verify_cvv(lmk: &Lmk, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let cvk = fields.key(16)?.open(lmk, CVK, Code::SOURCE_PARITY)?;
    let stated = fields.digits(3, Code::INPUT)?;
    let right = compute(&cvk, fields)?;
    if bool::from(right.ct_eq(stated.as_bytes())) { Ok(Reply::ok("")) } else { Err(Code::VERIFICATION_FAILED) }
}

fn compute(cvk: &payment_crypto::TdesKey, fields: &mut Fields<'_>) -> Result<[u8; 3], Code> {
    let length =
        fields.rest().iter().position(|byte| *byte == b';').filter(|length| *length <= 19).ok_or(Code::INPUT)?;
    let pan = fields.digits(length, Code::ACCOUNT)?;
    fields.bytes(1)?;
    let date = fields.digits(4, Code::INPUT)?;
    let service_code = fields.digits(3, Code::INPUT)?;
    Ok(cvv::generate(cvk, pan, date, service_code)?.map(|digit| digit + b'0'))
}
