//! EI: an RSA key pair.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;

use super::Reply;
use crate::device::Device;
use crate::error::Code;
use crate::fields::Fields;

/// The only public exponent that keys are made with.
const EXPONENT: &[u8] = &[0x01, 0x00, 0x01];

/// EI: key type indicator, length in bits, encoding of the public key (01 or 02: DER, PKCS #1), optionally the exponent's length in bits
/// and the exponent; public key, length of the private key, private key under the LMK.
pub fn generate(_: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    if !matches!(fields.byte("key type indicator")?, b'0'..=b'4') {
        return Err(Code::KEY_TYPE);
    }
    let bits = fields.number("length in bits", 4)?;
    let encoding = fields.text("encoding of the public key", 2)?;
    let exponent = if fields.rest().first().is_some_and(u8::is_ascii_digit) {
        let bits = fields.number("length of the exponent in bits", 4)?;
        Some(fields.bytes("exponent", bits.div_ceil(8))?)
    } else {
        None
    };
    let vault = fields.end()?;
    if !matches!(encoding, "01" | "02") {
        return Err(Code::INPUT);
    }
    if exponent.is_some_and(|exponent| exponent != EXPONENT) {
        return Err(Code::INPUT);
    }
    let size = match bits {
        2048 => KeySize::Rsa2048,
        3072 => KeySize::Rsa3072,
        4096 => KeySize::Rsa4096,
        _ => return Err(Code::PUBLIC_KEY_LENGTH),
    };
    let pair = KeyPair::generate(size).map_err(|_| Code::INTERNAL)?;
    let private: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| Code::INTERNAL)?;
    let private = vault.wrap_private_key(private.as_ref())?;
    let mut reply = Reply::ok(pair.public_key().as_ref());
    reply.fields.extend_from_slice(format!("{:04}", private.len()).as_bytes());
    reply.fields.extend_from_slice(&private);
    Ok(reply)
}
