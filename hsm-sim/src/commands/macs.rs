//! MACs of messages, whole or in parts: M6, M8, and the older MA, MC, ME, MQ, MS.

use payment_crypto::mac::{self, Algorithm, Padding};
use payment_crypto::{TdesKey, cmac};
use subtle::ConstantTimeEq;

use super::Reply;
use crate::device::Device;
use crate::error::Code;
use crate::fields::{CipheredKey, Fields};
use crate::hex;
use crate::keys::{Role, Secret, Use, roles};

/// Which part of a message a command brings.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Whole,
    First,
    Middle,
    Last,
}

impl Part {
    fn read(fields: &mut Fields<'_>, fault: Code) -> Result<Self, Code> {
        match fields.byte("mode: 0 whole, 1 first, 2 middle, 3 last")? {
            b'0' => Ok(Self::Whole),
            b'1' => Ok(Self::First),
            b'2' => Ok(Self::Middle),
            b'3' => Ok(Self::Last),
            _ => Err(fault),
        }
    }

    /// Whether a vector comes with it from the part before.
    fn continues(self) -> bool {
        matches!(self, Self::Middle | Self::Last)
    }

    fn ends(self) -> bool {
        matches!(self, Self::Whole | Self::Last)
    }
}

#[derive(Clone, Copy)]
enum Method {
    Iso9797(Algorithm),
    Cmac,
}

/// The common fields of M6 and M8.
struct Request<'a> {
    part: Part,
    method: Method,
    padding: Padding,
    /// Hexadecimal digits of the MAC.
    digits: usize,
    role: Role,
    key: CipheredKey<'a>,
    chain: [u8; 8],
    message: Vec<u8>,
}

impl<'a> Request<'a> {
    fn read(fields: &mut Fields<'a>, usage: Use) -> Result<Self, Code> {
        let part = Part::read(fields, Code("02"))?;
        let input = fields.byte("input: 0 binary, 1 hexadecimal, 2 text")?;
        let digits = match fields.byte("MAC size: 0 eight digits, 1 sixteen")? {
            b'0' => 8,
            b'1' => 16,
            _ => return Err(Code::INPUT),
        };
        let method = match fields.byte("algorithm: 1 ISO 9797-1 algorithm 1, 3 algorithm 3, 6 CMAC")? {
            b'1' => Method::Iso9797(Algorithm::One),
            b'3' => Method::Iso9797(Algorithm::Three),
            // A chain of CMAC cannot be taken up again in the middle.
            b'6' if part == Part::Whole => Method::Cmac,
            _ => return Err(Code("04")),
        };
        let padding = match fields.byte("padding method")? {
            b'0' if matches!(method, Method::Cmac) => Padding::Bit,
            b'1' => Padding::Zeros,
            b'2' => Padding::Bit,
            b'3' if part == Part::Whole => Padding::Length,
            _ => return Err(Code("09")),
        };
        let role = match fields.text("key type", 3)? {
            "003" | "FFF" => roles::TAK.to(usage),
            "008" => roles::ZAK.to(usage),
            _ => return Err(Code("05")),
        };
        let key = fields.key("MAC key", 8)?;
        let chain = if part.continues() { fields.block("vector")? } else { [0; 8] };
        let message = message(fields, input)?;
        Ok(Self { part, method, padding, digits, role, key, chain, message })
    }

    /// The MAC of a whole or last part, or the chaining value after a first or middle one.
    fn compute(&self, fields: &mut Fields<'_>) -> Result<Vec<u8>, Code> {
        let vault = fields.end()?;
        let key = vault.open(&self.key, self.role, Code::SOURCE_PARITY)?;
        let algorithm = match (self.method, &key.secret) {
            (Method::Iso9797(algorithm), _) => algorithm,
            (Method::Cmac, Secret::Tdes(key)) => return Ok(cmac::tdes(key, &[&self.message])?.to_vec()),
            (Method::Cmac, Secret::Aes(key)) => return Ok(cmac::aes(key, &[&self.message])?.to_vec()),
        };
        Ok(match self.part {
            Part::Whole => mac::generate(algorithm, key.tdes()?, self.padding, &self.message)?,
            Part::Last => mac::finish(algorithm, key.tdes()?, self.padding, self.chain, &self.message)?,
            Part::First | Part::Middle => mac::update(algorithm, key.tdes()?, self.chain, &self.message)?,
        }
        .to_vec())
    }
}

/// Length and message; the length counts characters as they are sent.
fn message(fields: &mut Fields<'_>, input: u8) -> Result<Vec<u8>, Code> {
    let length = fields.length("length", 4)?;
    match input {
        b'0' | b'2' => Ok(fields.bytes("message", length).map_err(|_| Code::DATA_LENGTH)?.to_vec()),
        b'1' if length.is_multiple_of(2) => Ok(fields.hex("message", length / 2)?.to_vec()),
        b'1' => Err(Code("06")),
        _ => Err(Code("03")),
    }
}

/// M6: the MAC, or the vector for the next part.
pub fn generate(_: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let request = Request::read(fields, Use::Generate)?;
    let digits = if request.part.ends() { request.digits } else { 16 };
    Ok(Reply::ok(&hex::upper(&request.compute(fields)?)[..digits]))
}

/// M8: the MAC stands behind the message.
pub fn verify(_: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let request = Request::read(fields, Use::Verify)?;
    if !request.part.ends() {
        return Ok(Reply::ok(hex::upper(&request.compute(fields)?)));
    }
    let stated = fields.hex("MAC", request.digits / 2)?;
    let right = request.compute(fields)?;
    Ok(Reply::verdict(right[..request.digits / 2].ct_eq(&stated).into()))
}

/// All that is left: the message of MA, MC and ME, which has no length and therefore no tail behind it.
fn rest<'a>(fields: &mut Fields<'a>) -> Result<&'a [u8], Code> {
    let length = fields.rest().len();
    fields.bytes("message", length)
}

/// CBC-MAC, zeros behind the message; four bytes of it.
fn old_mac(key: &TdesKey, message: &[u8]) -> Result<[u8; 4], Code> {
    let mac = mac::generate(Algorithm::One, key, Padding::Zeros, message)?;
    Ok([mac[0], mac[1], mac[2], mac[3]])
}

/// MA: the MAC of a message under a TAK.
pub fn generate_tak(_: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let key = fields.key("TAK", 8)?;
    let message = rest(fields)?;
    let vault = fields.end()?;
    let key = vault.open(&key, roles::TAK.to(Use::Generate), Code::SOURCE_PARITY)?;
    Ok(Reply::ok(hex::upper(&old_mac(key.tdes()?, message)?)))
}

/// MC: verifies it.
pub fn verify_tak(_: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let key = fields.key("TAK", 8)?;
    let stated: [u8; 4] = fields.block("MAC")?;
    let message = rest(fields)?;
    let vault = fields.end()?;
    let key = vault.open(&key, roles::TAK.to(Use::Verify), Code::SOURCE_PARITY)?;
    Ok(Reply::verdict(old_mac(key.tdes()?, message)?.ct_eq(&stated).into()))
}

/// ME: verifies it, and gives the MAC under another TAK.
pub fn translate_tak(_: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let source = fields.key("source TAK", 8)?;
    let destination = fields.key("destination TAK", 8)?;
    let stated: [u8; 4] = fields.block("MAC")?;
    let message = rest(fields)?;
    let vault = fields.end()?;
    let source = vault.open(&source, roles::TAK.to(Use::Verify), Code::SOURCE_PARITY)?;
    let destination = vault.open(&destination, roles::TAK.to(Use::Generate), Code::DESTINATION_PARITY)?;
    if !bool::from(old_mac(source.tdes()?, message)?.ct_eq(&stated)) {
        return Err(Code::VERIFICATION_FAILED);
    }
    Ok(Reply::ok(hex::upper(&old_mac(destination.tdes()?, message)?)))
}

/// MQ: a ZAK's MAC of a long message in parts; the length is three digits.
pub fn generate_zak(_: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let part = Part::read(fields, Code::INPUT)?;
    let key = fields.key("ZAK", 8)?;
    let chain = if part.continues() { fields.block("vector")? } else { [0; 8] };
    let length = fields.length("length", 3)?;
    let message = fields.bytes("message", length).map_err(|_| Code::DATA_LENGTH)?;
    let vault = fields.end()?;
    let key = vault.open(&key, roles::ZAK.to(Use::Generate), Code::SOURCE_PARITY)?;
    if !part.ends() {
        return Ok(Reply::ok(hex::upper(&mac::update(Algorithm::One, key.tdes()?, chain, message)?)));
    }
    let mac = mac::finish(Algorithm::One, key.tdes()?, Padding::Zeros, chain, message)?;
    Ok(Reply::ok(hex::upper(&mac)))
}

/// MS: by ANSI X9.9 (single length) or X9.19 (double), in parts. Key type 0 is a TAK, 1 a ZAK.
pub fn generate_x919(_: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let part = Part::read(fields, Code::INPUT)?;
    let role = match fields.byte("key type: 0 TAK, 1 ZAK")? {
        b'0' => roles::TAK.to(Use::Generate),
        b'1' => roles::ZAK.to(Use::Generate),
        _ => return Err(Code::INPUT),
    };
    let (algorithm, bare) = match fields.byte("key length: 0 single, 1 double")? {
        b'0' => (Algorithm::One, 8),
        b'1' => (Algorithm::Three, 16),
        _ => return Err(Code::INPUT),
    };
    let kind = fields.byte("message: 0 binary, 1 hexadecimal")?;
    let key = fields.key("MAC key", bare)?;
    let chain = if part.continues() { fields.block("vector")? } else { [0; 8] };
    let length = fields.length("length", 4)?;
    if !matches!(kind, b'0' | b'1') {
        return Err(Code::INPUT);
    }
    // The published messages of either type are taken as the bytes that were sent.
    let message = fields.bytes("message", length).map_err(|_| Code::DATA_LENGTH)?;
    let vault = fields.end()?;
    let key = vault.open(&key, role, Code::SOURCE_PARITY)?;
    let mac = if part.ends() {
        mac::finish(algorithm, key.tdes()?, Padding::Zeros, chain, message)?
    } else {
        mac::update(algorithm, key.tdes()?, chain, message)?
    };
    Ok(Reply::ok(hex::upper(&mac)))
}
