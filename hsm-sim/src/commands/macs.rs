//! M6 and M8: MACs of messages, whole or in parts.

use payment_crypto::TdesKey;
use payment_crypto::mac::{self, Algorithm, Padding};
use subtle::ConstantTimeEq;

use super::{Reply, hex};
use crate::error::Code;
use crate::fields::Fields;
use crate::key_type::KeyType;
use crate::lmk::Lmk;

/// The common fields of M6 and M8.
struct Request {
    mode: Mode,
    algorithm: Algorithm,
    padding: Padding,
    /// Hexadecimal digits of the MAC.
    digits: usize,
    key: TdesKey,
    chain: [u8; 8],
    message: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Whole,
    First,
    Middle,
    Last,
}

impl Request {
    fn read(lmk: &Lmk, fields: &mut Fields<'_>) -> Result<Self, Code> {
        let mode = match fields.byte()? {
            b'0' => Mode::Whole,
            b'1' => Mode::First,
            b'2' => Mode::Middle,
            b'3' => Mode::Last,
            _ => return Err(Code::INPUT),
        };
        let input = fields.byte()?;
        let digits = match fields.byte()? {
            b'0' => 8,
            b'1' => 16,
            _ => return Err(Code::INPUT),
        };
        let algorithm = match fields.byte()? {
            b'1' => Algorithm::One,
            b'3' => Algorithm::Three,
            _ => return Err(Code::INPUT),
        };
        let padding = match fields.byte()? {
            b'1' => Padding::Zeros,
            b'2' => Padding::Bit,
            _ => return Err(Code::INPUT),
        };
        let key_type = match fields.text(3)? {
            stated @ ("003" | "008") => KeyType::parse(stated)?,
            _ => return Err(Code::KEY_TYPE),
        };
        let key = fields.key(8)?.open(lmk, key_type, Code::SOURCE_PARITY)?;
        let chain = if matches!(mode, Mode::Middle | Mode::Last) { fields.block()? } else { [0; 8] };
        let length = fields.length()?;
        let message = match input {
            b'0' | b'2' => fields.bytes(length).map_err(|_| Code::DATA_LENGTH)?.to_vec(),
            // The length counts the digits as sent.
            b'1' if length % 2 == 0 => fields.hex(length / 2)?,
            _ => return Err(Code::INPUT),
        };
        Ok(Self { mode, algorithm, padding, digits, key, chain, message })
    }

    /// The MAC of a whole or last part, or the chaining value after a first or middle one.
    fn compute(&self) -> Result<[u8; 8], Code> {
        Ok(match self.mode {
            Mode::Whole | Mode::Last => {
                mac::finish(self.algorithm, &self.key, self.padding, self.chain, &self.message)?
            }
            Mode::First | Mode::Middle => mac::update(self.algorithm, &self.key, self.chain, &self.message)?,
        })
    }

    fn ends(&self) -> bool {
        matches!(self.mode, Mode::Whole | Mode::Last)
    }
}

/// M6: the MAC, or the vector for the next part.
pub fn generate(lmk: &Lmk, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let request = Request::read(lmk, fields)?;
    let digits = if request.ends() { request.digits } else { 16 };
    Ok(Reply::ok(&hex(&request.compute()?)[..digits]))
}

/// M8: the MAC stands behind the message.
pub fn verify(lmk: &Lmk, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let request = Request::read(lmk, fields)?;
    if !request.ends() {
        return Ok(Reply::ok(hex(&request.compute()?)));
    }
    let stated = fields.hex(request.digits / 2)?;
    let right = request.compute()?;
    if bool::from(right[..request.digits / 2].ct_eq(&stated)) {
        Ok(Reply::ok(""))
    } else {
        Err(Code::VERIFICATION_FAILED)
    }
}
