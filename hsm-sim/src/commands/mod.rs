//! The commands offered, one line each, and how one is run.

mod cards;
mod data;
mod diagnostics;
mod keys;
mod macs;
mod pins;

use host_commands::wire;

use crate::error::Code;
use crate::fields::Fields;
use crate::lmk::Lmk;

/// An accepted command's error code (usually `00`) and the fields behind it.
pub struct Reply {
    code: Code,
    fields: Vec<u8>,
}

impl Reply {
    fn ok(fields: impl Into<Vec<u8>>) -> Self {
        Self { code: Code("00"), fields: fields.into() }
    }
}

type Handler = fn(&Lmk, &mut Fields<'_>) -> Result<Reply, Code>;

/// Command and handler. `README.md` holds the same list with sources; a test compares them.
pub const OFFERED: [(&[u8; 2], Handler); 17] = [
    (b"A0", keys::generate),
    (b"A6", keys::import),
    (b"B2", diagnostics::echo),
    (b"BA", pins::encrypt),
    (b"BU", keys::check_value),
    (b"CW", cards::generate_cvv),
    (b"CY", cards::verify_cvv),
    (b"DC", pins::verify_terminal_pvv),
    (b"DG", pins::generate_pvv),
    (b"EC", pins::verify_zone_pvv),
    (b"JA", pins::generate),
    (b"JC", pins::from_terminal),
    (b"M0", data::encrypt),
    (b"M2", data::decrypt),
    (b"M6", macs::generate),
    (b"M8", macs::verify),
    (b"NC", diagnostics::status),
];

/// Marks the end of the fields; up to 32 characters behind it come back unchanged.
const END_OF_MESSAGE: u8 = 0x19;
const TRAILER_MAX: usize = 32;

/// Runs one command and writes the whole answer: header, code, error code, fields, trailer.
/// Gives the error code, for the audit log.
pub fn run(lmk: &Lmk, header: &[u8], command: [u8; 2], body: &[u8], answer: &mut Vec<u8>) -> &'static str {
    let mut fields = Fields::new(body);
    let handler = OFFERED.iter().find(|(offered, _)| **offered == command).map(|(_, handler)| handler);
    let outcome = match handler {
        Some(handler) => handler(lmk, &mut fields).and_then(|reply| Ok((reply, trailer(&mut fields)?))),
        None => Err(Code::NOT_OFFERED),
    };
    let (reply, trailer) = outcome.unwrap_or_else(|code| (Reply { code, fields: Vec::new() }, &[][..]));
    answer.extend_from_slice(header);
    answer.extend_from_slice(&wire::response_code(command));
    answer.extend_from_slice(reply.code.0.as_bytes());
    answer.extend_from_slice(&reply.fields);
    answer.extend_from_slice(trailer);
    zeroize::Zeroize::zeroize(&mut { reply.fields });
    reply.code.0
}

/// What may follow the fields: `%00` for the LMK there is, and a trailer.
fn trailer<'a>(fields: &mut Fields<'a>) -> Result<&'a [u8], Code> {
    if fields.delimiter(b'%') && fields.text(2)? != "00" {
        return Err(Code::LMK);
    }
    match fields.rest() {
        [] => Ok(&[]),
        [END_OF_MESSAGE, trailer @ ..] if trailer.len() <= TRAILER_MAX => Ok(fields.rest()),
        _ => Err(Code::INPUT),
    }
}

/// Upper-case hexadecimal.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}
