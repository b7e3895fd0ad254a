//! NC, NO, B2 and GM: what a device says of itself, and what it computes without keys.

use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};

use super::Reply;
use crate::device::Device;
use crate::error::Code;
use crate::fields::Fields;

/// Firmware number of the simulator, in the form of the device's.
const FIRMWARE: &str = "0001-UMBR";

/// NC: the LMK's check value and the firmware number.
pub fn status(_: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let vault = fields.end()?;
    Ok(Reply::ok(format!("{}{FIRMWARE}", vault.lmk().check_value()?)))
}

/// NO: mode 00 the interface, mode 01 the security settings that an auditor asks for.
pub fn settings(device: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let mode = fields.text("mode", 2)?;
    fields.end()?;
    match mode {
        // Buffer of the largest size, TCP, sockets, firmware, reserved.
        "00" => Ok(Reply::ok(format!("3164{FIRMWARE}00000"))),
        "01" => Ok(Reply::ok(if device.policy().separate_terminal_keys { "1" } else { "0" })),
        _ => Err(Code::INPUT),
    }
}

/// B2: what is sent comes back. 80 when there is less than announced, 15 when there is more.
pub fn echo(_: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let length = fields.length("length", 4)?;
    let data = fields.bytes("data", length).map_err(|_| Code::DATA_LENGTH)?;
    fields.end()?;
    Ok(Reply::ok(data))
}

/// GM: the hash of data, in bytes.
pub fn hash(_: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let id = fields.text("hash identifier", 2)?;
    let length = fields.number("length", 5)?;
    let data = fields.bytes("data", length).map_err(|_| Code::DATA_LENGTH)?;
    fields.end()?;
    Ok(Reply::ok(match id {
        "01" => Sha1::digest(data).to_vec(),
        "02" => Md5::digest(data).to_vec(),
        "05" => Sha224::digest(data).to_vec(),
        "06" => Sha256::digest(data).to_vec(),
        "07" => Sha384::digest(data).to_vec(),
        "08" => Sha512::digest(data).to_vec(),
        _ => return Err(Code::HASH),
    }))
}
