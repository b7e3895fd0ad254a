//! Messages as lines of text: hexadecimal on one side, JSON on the other.

use std::io::{BufRead, Write};

use bytes::BytesMut;
use serde_json::{Value as Json, json};

use crate::convert::{ConvertError, Converter, Lost};
use crate::decode::DecodeError;
use crate::encode::EncodeError;
pub use crate::json::masked;
use crate::json::{self, Shown};
use crate::message::Message;
use crate::spec::Spec;
pub use crate::wire::{from_hex, to_hex};

impl Message<'_> {
    /// `{"mti":…,"fields":{…}}`; see [`crate::json`] for its form. With `mask`, without what must not be shown.
    pub fn json(&self, mask: bool) -> Json {
        // Texts and objects of them: this does not fail.
        serde_json::to_value(Shown { message: self, mask }).unwrap_or_default()
    }
}

fn no_message(DecodeError { de, offset, reason }: &DecodeError) -> Json {
    json!({ "error": { "de": de, "offset": offset, "reason": reason } })
}

/// The bytes of a line of hexadecimal, white space around it or not.
pub(crate) fn line_bytes(line: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let bytes = std::str::from_utf8(line).ok().and_then(|line| from_hex(line.trim()));
    bytes.ok_or_else(|| DecodeError { de: "mti".to_owned(), offset: 0, reason: "the line is not hexadecimal" })
}

/// Hexadecimal lines to JSON lines. Returns whether every line was a message.
pub fn decode_lines(spec: &Spec, mask: bool, input: impl BufRead, mut output: impl Write) -> std::io::Result<bool> {
    let mut clean = true;
    // Lines are bytes: one that is no text is a bad line, not the end of the others.
    for line in input.split(b'\n') {
        let shown = line_bytes(&line?).and_then(|wire| {
            let message = spec.decode(&wire)?;
            Ok(serde_json::to_string(&Shown { message: &message, mask }).unwrap_or_default())
        });
        clean &= shown.is_ok();
        writeln!(output, "{}", shown.unwrap_or_else(|error| no_message(&error).to_string()))?;
    }
    Ok(clean)
}

/// JSON lines to hexadecimal lines; a line that cannot be encoded gives an error object in its place.
pub fn encode_lines(spec: &Spec, input: impl BufRead, mut output: impl Write) -> std::io::Result<bool> {
    let mut clean = true;
    for line in input.split(b'\n') {
        match encode_line(spec, &line?) {
            Ok(hex) => writeln!(output, "{hex}")?,
            Err(EncodeError { de, reason }) => {
                clean = false;
                writeln!(output, "{}", json!({ "error": { "de": de, "reason": reason } }))?;
            }
        }
    }
    Ok(clean)
}

fn encode_line(spec: &Spec, line: &[u8]) -> Result<String, EncodeError> {
    let mut wire = BytesMut::new();
    spec.encode(&json::fields(spec, line)?, &mut wire)?;
    Ok(to_hex(&wire))
}
/// Hexadecimal lines to descriptions, each after an empty line but for the first. What cannot be decoded is described
/// as far as it goes.
pub fn describe_lines(spec: &Spec, input: impl BufRead, mut output: impl Write) -> std::io::Result<bool> {
    let mut clean = true;
    for (at, line) in input.split(b'\n').enumerate() {
        let line = line?;
        if at > 0 {
            writeln!(output)?;
        }
        let wire = line_bytes(&line);
        let (described, fault) = match &wire {
            Err(error) => (String::new(), Some(error.clone())),
            Ok(wire) => {
                let (message, fault) = spec.decode_partial(wire);
                (crate::describe(spec, &message), fault)
            }
        };
        write!(output, "{described}")?;
        if let Some(fault) = fault {
            clean = false;
            writeln!(output, "  ! {fault}")?;
        }
    }
    Ok(clean)
}

/// A hexadecimal line to one of another spec, or an error object; and what was left out. What would be left out is an
/// error unless it may be.
pub fn convert_line(converter: &Converter, lossy: bool, line: &[u8]) -> (Result<String, Json>, Vec<Lost>) {
    let mut out = BytesMut::new();
    let converted = line_bytes(line).map_err(ConvertError::from).and_then(|wire| converter.convert(&wire, &mut out));
    let refused = |de: &str, reason: &str| json!({ "error": { "de": de, "reason": reason } });
    match converted {
        Ok(lost) => match lost.first() {
            Some(Lost { de, reason }) if !lossy => (Err(refused(de, reason)), Vec::new()),
            _ => (Ok(to_hex(&out)), lost),
        },
        Err(ConvertError::Decode(error)) => (Err(no_message(&error)), Vec::new()),
        Err(ConvertError::Encode(error)) => (Err(refused(&error.de, error.reason)), Vec::new()),
        Err(error @ ConvertError::Editions) => (Err(refused("mti", &error.to_string())), Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(output: &[u8]) -> Vec<&str> {
        std::str::from_utf8(output).unwrap().lines().collect()
    }

    #[test]
    fn a_line_that_is_no_text_spoils_no_other() {
        let spec = Spec::builtin("iso87binary").unwrap();
        let message = br#"{"mti":"0800","fields":{"11":"000001","70":"301"}}"#;
        let mut wire = Vec::new();
        let input = [message.as_slice(), b"\xFF\xFE", b"{\"mti\":\"\xFF\",\"fields\":{}}\r", message].join(&b'\n');
        assert!(!encode_lines(&spec, input.as_slice(), &mut wire).unwrap());
        let encoded = lines(&wire);
        assert_eq!((encoded.len(), encoded[0]), (4, encoded[3]));
        assert!(encoded[1].starts_with("{\"error\"") && encoded[2].starts_with("{\"error\""), "{encoded:?}");

        let mut json = Vec::new();
        let input = [encoded[0].as_bytes(), b"\xFF\xFE", b"08\xC3\r", encoded[3].as_bytes(), b"\r"].join(&b'\n');
        assert!(!decode_lines(&spec, false, input.as_slice(), &mut json).unwrap());
        let decoded = lines(&json);
        assert!(decoded[1].starts_with("{\"error\"") && decoded[2].starts_with("{\"error\""), "{decoded:?}");
        assert!(decoded[0] == decoded[3] && decoded[0].contains("\"301\""), "{decoded:?}");
    }
}
