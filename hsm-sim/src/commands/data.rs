//! M0, M2 and M4: data enciphered, deciphered and translated from one key to another.

use std::sync::Arc;

use payment_crypto::dukpt_tdes;
use zeroize::Zeroizing;

use super::Reply;
use super::dukpt::Serial;
use crate::device::Device;
use crate::error::Code;
use crate::fields::{CipheredKey, Fields};
use crate::hex;
use crate::keys::{KeyType, OpenKey, Role, Secret, Use, Vault, roles};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Ecb,
    Cbc,
}

impl Mode {
    fn read(fields: &mut Fields<'_>, name: &'static str, fault: Code) -> Result<Self, Code> {
        match fields.text(name, 2)? {
            "00" => Ok(Self::Ecb),
            "01" => Ok(Self::Cbc),
            _ => Err(fault),
        }
    }
}

/// How bytes are written in a command or an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Binary,
    Hex,
}

impl Form {
    fn read(fields: &mut Fields<'_>, name: &'static str, fault: Code) -> Result<Self, Code> {
        match fields.byte(name)? {
            b'0' | b'2' => Ok(Self::Binary),
            b'1' => Ok(Self::Hex),
            _ => Err(fault),
        }
    }
}

/// A key field: its type, the key, and for a base derivation key the serial number.
struct DataKey<'a> {
    key: CipheredKey<'a>,
    role: Role,
    serial: Option<Serial>,
}

impl<'a> DataKey<'a> {
    fn read(fields: &mut Fields<'a>, fault: Code) -> Result<Self, Code> {
        let role = match fields.text("key type", 3)? {
            code @ ("00A" | "00B" | "30B") => Role::of_type(KeyType::parse(code)?),
            "FFF" => Role::of_type(KeyType::parse("00B")?),
            "009" => roles::BDK,
            _ => return Err(fault),
        };
        let key = fields.key("data key", 16)?;
        let derived = role.code(false) == roles::BDK.code(false);
        let serial = if derived { Some(Serial::read(fields, &key)?) } else { None };
        Ok(Self { key, role, serial })
    }

    fn block(&self) -> usize {
        if self.key.is_aes() { 16 } else { 8 }
    }

    fn vector(&self, fields: &mut Fields<'_>, mode: Mode) -> Result<Zeroizing<Vec<u8>>, Code> {
        if mode == Mode::Cbc { fields.hex("vector", self.block()) } else { Ok(Zeroizing::default()) }
    }

    fn open(&self, vault: &Vault<'_>, usage: Use, parity: Code) -> Result<Cipher, Code> {
        match self.serial {
            // What is derived serves both ways, and the base key only to derive.
            Some(serial) => {
                let bdk = vault.open(&self.key, self.role, parity)?;
                Ok(Cipher(serial.derive(&bdk, dukpt_tdes::Use::DataRequest)?))
            }
            None => Ok(Cipher(vault.open(&self.key, self.role.to(usage), parity)?)),
        }
    }
}

/// The key as a cipher of a mode.
struct Cipher(Arc<OpenKey>);

impl Cipher {
    fn encrypt(&self, mode: Mode, vector: &[u8], data: &[u8]) -> Result<Zeroizing<Vec<u8>>, Code> {
        Ok(match (&self.0.secret, mode) {
            (Secret::Tdes(key), Mode::Ecb) => key.encrypt_ecb(data)?,
            (Secret::Tdes(key), Mode::Cbc) => key.encrypt_cbc(fixed(vector)?, data)?,
            (Secret::Aes(key), Mode::Ecb) => key.encrypt_ecb(data)?,
            (Secret::Aes(key), Mode::Cbc) => key.encrypt_cbc(fixed(vector)?, data)?,
        })
    }

    fn decrypt(&self, mode: Mode, vector: &[u8], data: &[u8]) -> Result<Zeroizing<Vec<u8>>, Code> {
        Ok(match (&self.0.secret, mode) {
            (Secret::Tdes(key), Mode::Ecb) => key.decrypt_ecb(data)?,
            (Secret::Tdes(key), Mode::Cbc) => key.decrypt_cbc(fixed(vector)?, data)?,
            (Secret::Aes(key), Mode::Ecb) => key.decrypt_ecb(data)?,
            (Secret::Aes(key), Mode::Cbc) => key.decrypt_cbc(fixed(vector)?, data)?,
        })
    }
}

fn fixed<const N: usize>(vector: &[u8]) -> Result<[u8; N], Code> {
    vector.try_into().map_err(|_| Code::INPUT)
}

/// Length and data: whole blocks, at least one. The length counts characters as they are sent.
fn read_data(fields: &mut Fields<'_>, form: Form, block: usize) -> Result<Zeroizing<Vec<u8>>, Code> {
    let length = fields.length("length", 4)?;
    let data = match form {
        Form::Binary => Zeroizing::new(fields.bytes("data", length).map_err(|_| Code::DATA_LENGTH)?.to_vec()),
        Form::Hex if length.is_multiple_of(2) => fields.hex("data", length / 2).map_err(|_| Code::DATA_LENGTH)?,
        Form::Hex => return Err(Code("06")),
    };
    if data.is_empty() || !data.len().is_multiple_of(block) { Err(Code("06")) } else { Ok(data) }
}

/// The vector for data that follows (the last block of ciphertext), length, data.
fn write_data(reply: &mut Vec<u8>, form: Form, data: &[u8]) {
    let length = if form == Form::Hex { data.len() * 2 } else { data.len() };
    reply.extend_from_slice(format!("{length:04X}").as_bytes());
    match form {
        Form::Binary => reply.extend_from_slice(data),
        Form::Hex => reply.extend_from_slice(Zeroizing::new(hex::upper(data)).as_bytes()),
    }
}

fn next_vector(mode: Mode, enciphered: &[u8], block: usize) -> String {
    let last = enciphered.get(enciphered.len().saturating_sub(block)..).unwrap_or_default();
    if mode == Mode::Cbc { hex::upper(last) } else { String::new() }
}

struct Request<'a> {
    mode: Mode,
    output: Form,
    key: DataKey<'a>,
    vector: Zeroizing<Vec<u8>>,
    data: Zeroizing<Vec<u8>>,
}

impl<'a> Request<'a> {
    fn read(fields: &mut Fields<'a>) -> Result<Self, Code> {
        let mode = Mode::read(fields, "mode: 00 ECB, 01 CBC", Code("02"))?;
        let input = Form::read(fields, "input: 0 binary, 1 hexadecimal, 2 text", Code("03"))?;
        let output = Form::read(fields, "output: 0 binary, 1 hexadecimal, 2 text", Code("04"))?;
        let key = DataKey::read(fields, Code("05"))?;
        let vector = key.vector(fields, mode)?;
        let data = read_data(fields, input, key.block())?;
        Ok(Self { mode, output, key, vector, data })
    }

    fn answer(&self, enciphered: &[u8], out: &[u8]) -> Reply {
        let mut reply = Reply::ok(next_vector(self.mode, enciphered, self.key.block()));
        write_data(&mut reply.fields, self.output, out);
        reply
    }
}

pub fn encrypt(_: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let request = Request::read(fields)?;
    let vault = fields.end()?;
    let key = request.key.open(&vault, Use::Encrypt, Code::SOURCE_PARITY)?;
    let enciphered = key.encrypt(request.mode, &request.vector, &request.data)?;
    Ok(request.answer(&enciphered, &enciphered))
}

pub fn decrypt(_: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let request = Request::read(fields)?;
    let vault = fields.end()?;
    let key = request.key.open(&vault, Use::Decrypt, Code::SOURCE_PARITY)?;
    let clear = key.decrypt(request.mode, &request.vector, &request.data)?;
    Ok(request.answer(&request.data, &clear))
}

/// M4: both modes, forms, source key, destination key, both vectors, data. The answer has the vectors for what follows.
pub fn translate(_: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let source_mode = Mode::read(fields, "source mode: 00 ECB, 01 CBC", Code("02"))?;
    let mode = Mode::read(fields, "destination mode: 00 ECB, 01 CBC", Code("07"))?;
    let input = Form::read(fields, "input: 0 binary, 1 hexadecimal, 2 text", Code("03"))?;
    let output = Form::read(fields, "output: 0 binary, 1 hexadecimal, 2 text", Code("04"))?;
    let source = DataKey::read(fields, Code("05"))?;
    let destination = DataKey::read(fields, Code("08"))?;
    let source_vector = source.vector(fields, source_mode)?;
    let vector = destination.vector(fields, mode)?;
    let data = read_data(fields, input, source.block().max(destination.block()))?;
    let vault = fields.end()?;
    let clear = source.open(&vault, Use::Decrypt, Code::SOURCE_PARITY)?.decrypt(source_mode, &source_vector, &data)?;
    let enciphered =
        destination.open(&vault, Use::Encrypt, Code::DESTINATION_PARITY)?.encrypt(mode, &vector, &clear)?;
    let mut reply = Reply::ok(next_vector(source_mode, &data, source.block()));
    reply.fields.extend_from_slice(next_vector(mode, &enciphered, destination.block()).as_bytes());
    write_data(&mut reply.fields, output, &enciphered);
    Ok(reply)
}
