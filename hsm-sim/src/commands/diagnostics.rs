//! NC and B2.

use super::Reply;
use crate::error::Code;
use crate::fields::Fields;
use crate::lmk::Lmk;

/// Firmware number of the simulator, in the form of the device's.
const FIRMWARE: &str = "0001-UMBR";

/// NC: the LMK's check value and the firmware number.
pub fn status(lmk: &Lmk, _: &mut Fields<'_>) -> Result<Reply, Code> {
    Ok(Reply::ok(format!("{}{FIRMWARE}", lmk.check_value()?)))
}

/// B2: what is sent comes back. 80 when there is less than announced, 15 when there is more.
pub fn echo(_: &Lmk, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let length = fields.length()?;
    Ok(Reply::ok(fields.bytes(length).map_err(|_| Code::DATA_LENGTH)?))
}
