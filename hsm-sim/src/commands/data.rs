//! M0 and M2: data enciphered and deciphered under a data encryption key.
//!
//! Offered as mode 01 (CBC) with hexadecimal input and output and key type 00B.

use super::{Reply, hex};
use crate::error::Code;
use crate::fields::Fields;
use crate::key_type::KeyType;
use crate::lmk::Lmk;
use payment_crypto::TdesKey;

struct Request {
    key: TdesKey,
    vector: [u8; 8],
    data: zeroize::Zeroizing<Vec<u8>>,
}

fn read(lmk: &Lmk, fields: &mut Fields<'_>) -> Result<Request, Code> {
    if fields.text(4)? != "0111" {
        return Err(Code::INPUT);
    }
    let key_type = match fields.text(3)? {
        "00B" => KeyType::parse("00B")?,
        _ => return Err(Code::KEY_TYPE),
    };
    let key = fields.key(16)?.open(lmk, key_type, Code::SOURCE_PARITY)?;
    let vector = fields.block()?;
    let length = fields.length()?;
    if length % 16 != 0 || length == 0 {
        return Err(Code::DATA_LENGTH);
    }
    let data = fields.hex(length / 2).map_err(|_| Code::DATA_LENGTH)?.into();
    Ok(Request { key, vector, data })
}

/// The vector for data that follows (the last block of ciphertext), length, data.
fn answer(enciphered: &[u8], out: &[u8]) -> Reply {
    let next = enciphered.get(enciphered.len().saturating_sub(8)..).unwrap_or_default();
    Reply::ok(format!("{}{:04X}{}", hex(next), out.len() * 2, hex(out)))
}

pub fn encrypt(lmk: &Lmk, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let request = read(lmk, fields)?;
    let enciphered = request.key.encrypt_cbc(request.vector, &request.data)?;
    Ok(answer(&enciphered, &enciphered))
}

pub fn decrypt(lmk: &Lmk, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let request = read(lmk, fields)?;
    let clear = request.key.decrypt_cbc(request.vector, &request.data)?;
    Ok(answer(&request.data, &clear))
}
