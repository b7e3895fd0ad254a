//! Messages as lines of text: hexadecimal on one side, JSON on the other.

use std::io::{BufRead, Write};

use bytes::BytesMut;
use serde_json::{Map, Value as Json, json};

use crate::domain::mask_digits;
use crate::fields::Fields;
use crate::message::Message;
use crate::plan::Sensitivity;
use crate::spec::Spec;

/// Upper-case hexadecimal.
pub fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 0x0F])
        .map(|nibble| char::from(DIGITS[usize::from(nibble)]))
        .collect()
}

/// Bytes of hexadecimal digits in either case; `None` when there is anything else.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    if !text.len().is_multiple_of(2) {
        return None;
    }
    text.as_bytes().chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

/// A value that may be shown.
pub fn masked(sensitivity: Option<Sensitivity>, value: &str) -> String {
    match sensitivity {
        None => value.to_owned(),
        Some(Sensitivity::Pan) => mask_digits(value),
        Some(Sensitivity::Track) => {
            let pan = value.split(['=', 'D', '^']).next().unwrap_or_default();
            format!("{}{}", mask_digits(pan), "*".repeat(value.len() - pan.len()))
        }
        Some(Sensitivity::Pin | Sensitivity::Mac | Sensitivity::Key | Sensitivity::Emv | Sensitivity::Card) => {
            "*".repeat(value.len())
        }
    }
}

impl Message<'_> {
    /// `{"mti":…,"fields":{…}}`: texts as they are, bytes as upper-case hexadecimal.
    pub fn json(&self, spec: &Spec, mask: bool) -> Json {
        let mut fields = Map::new();
        for de in self.des() {
            let text = self.text(de).map(std::borrow::Cow::into_owned);
            let value = text.or_else(|| self.binary(de).map(|bytes| to_hex(&bytes))).unwrap_or_default();
            let sensitivity = spec.field(de).and_then(|info| info.sensitivity).filter(|_| mask);
            fields.insert(de.to_string(), Json::String(masked(sensitivity, &value)));
        }
        json!({ "mti": self.mti(), "fields": fields })
    }
}

/// Hexadecimal lines to JSON lines. Returns whether every line was a message.
pub fn decode_lines(spec: &Spec, mask: bool, input: impl BufRead, mut output: impl Write) -> std::io::Result<bool> {
    let mut clean = true;
    // Lines are bytes: one that is no text is a bad line, not the end of the others.
    for line in input.split(b'\n') {
        let line = line?;
        let decoded = match std::str::from_utf8(&line).ok().and_then(|line| from_hex(line.trim())) {
            None => json!({ "error": { "de": "mti", "offset": 0, "reason": "the line is not hexadecimal" } }),
            Some(wire) => match spec.decode(&wire) {
                Ok(message) => message.json(spec, mask),
                Err(error) => json!({ "error": { "de": error.de, "offset": error.offset, "reason": error.reason } }),
            },
        };
        clean &= decoded.get("error").is_none();
        writeln!(output, "{decoded}")?;
    }
    Ok(clean)
}

/// JSON lines to hexadecimal lines; a line that cannot be encoded gives an error object in its place.
pub fn encode_lines(spec: &Spec, input: impl BufRead, mut output: impl Write) -> std::io::Result<bool> {
    let mut clean = true;
    for line in input.split(b'\n') {
        match encode_line(spec, &line?) {
            Ok(hex) => writeln!(output, "{hex}")?,
            Err((de, reason)) => {
                clean = false;
                writeln!(output, "{}", json!({ "error": { "de": de, "reason": reason } }))?;
            }
        }
    }
    Ok(clean)
}

fn encode_line(spec: &Spec, line: &[u8]) -> Result<String, (String, String)> {
    let at = |de: &str, reason: &str| (de.to_owned(), reason.to_owned());
    let json: Json = serde_json::from_slice(line).map_err(|_| at("mti", "the line is not JSON"))?;
    let mti = json.get("mti").and_then(Json::as_str).ok_or_else(|| at("mti", "missing"))?;
    let mut fields = Fields::new(mti);
    let given = json.get("fields").and_then(Json::as_object).ok_or_else(|| at("mti", "\"fields\" is missing"))?;
    for (key, value) in given {
        let de = key
            .parse::<u8>()
            .ok()
            .filter(|de| spec.field(*de).is_some())
            .ok_or_else(|| at(key, "is not part of this spec"))?;
        fields.set(de, value.as_str().ok_or_else(|| at(key, "is not a text"))?);
    }
    let mut wire = BytesMut::new();
    spec.encode(&fields, &mut wire).map_err(|error| (error.de, error.reason.to_owned()))?;
    Ok(to_hex(&wire))
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
