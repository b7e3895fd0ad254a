//! Requests and answers in words, for people who read traces.

use crate::commands::{self, Part};
use crate::error::Code;
use crate::fields::{Bare, Fields, Seen};
use crate::keys::{KeyType, Scheme};
use host_commands::{meaning, wire};
use serde::Serialize;

/// A message taken apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explained {
    pub header: String,
    /// The two characters as they stand: of the command, or of its answer.
    pub code: String,
    pub is_answer: bool,
    /// The command it belongs to, where it is one offered here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub does: Option<&'static str>,
    pub fields: Vec<Field>,
    /// Why it could not be read to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// One field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Field {
    pub name: String,
    /// Place of the first byte behind the code.
    pub at: usize,
    /// Text as it stands, bytes in hexadecimal behind `0x`. Account numbers and clear PINs are masked unless asked for.
    pub value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meaning: Option<String>,
}

/// Takes a message apart: header, code, fields. `clear`: with account numbers and clear PINs.
pub fn explain(message: &[u8], header_length: usize, clear: bool) -> Option<Explained> {
    let (header, code, body) = wire::split(message, header_length)?;
    let row = commands::find(code);
    let mut explained = Explained {
        header: shown(header),
        code: shown(&code),
        is_answer: false,
        command: row.map(commands::Command::name),
        does: row.map(|row| row.does),
        fields: Vec::new(),
        fault: None,
    };
    let asked = commands::TABLE.iter().find(|row| wire::response_code(*row.code) == code);
    match (row, asked) {
        (Some(row), _) => explain_request(&mut explained, row, body, clear),
        (None, Some(asked)) => explain_answer(&mut explained, asked, body, clear),
        (None, None) => explained.fault = Some("this is no command offered here".into()),
    }
    Some(explained)
}

fn explain_request(explained: &mut Explained, row: &commands::Command, body: &[u8], clear: bool) {
    // Reading stops at the end of the fields: nothing is run, and any device serves.
    let device = crate::device::Device::empty();
    let read = |bare| {
        let mut fields = Fields::noted(body, bare);
        let fault = (row.run)(&device, &mut fields).err();
        let (ended, rest) = (fields.ended(), fields.rest().len());
        (ended, fault, fields.into_seen(), rest)
    };
    let mut attempts: Vec<_> = Bare::attempts(None).map(read).collect();
    let right = attempts.iter().position(|(ended, ..)| *ended).unwrap_or_default();
    let (ended, fault, seen, rest) = attempts.swap_remove(right);
    explained.fields = seen.iter().map(|seen| field(seen, body, clear)).collect();
    if !ended {
        let code = fault.unwrap_or(Code::INPUT);
        let at = body.len() - rest;
        explained.fault = Some(format!("field at byte {at} refused with {}: {}", code.0, meaning(code.0)));
        if rest > 0 {
            explained.fields.push(Field { name: "not read".into(), at, value: format!("{rest} bytes"), meaning: None });
        }
    }
}

fn explain_answer(explained: &mut Explained, asked: &'static commands::Command, body: &[u8], clear: bool) {
    explained.is_answer = true;
    explained.command = Some(asked.name());
    explained.does = Some(asked.does);
    let Some(code) = body.get(..2).and_then(|code| std::str::from_utf8(code).ok()) else {
        explained.fault = Some("an answer begins with an error code of two characters".into());
        return;
    };
    let said = Some(meaning(code).to_owned());
    explained.fields.push(Field { name: "error code".into(), at: 0, value: code.to_owned(), meaning: said });
    let mut fields = Fields::noted(body, Bare::USUAL);
    let read =
        fields.bytes("error code", 2).and_then(|_| asked.answer.iter().try_for_each(|part| take(&mut fields, *part)));
    let rest = fields.rest().len();
    let seen = fields.into_seen();
    explained.fields.extend(seen.iter().skip(1).map(|seen| field(seen, body, clear)));
    if code == "00" && read.is_err() {
        explained.fault = Some("the answer is shorter than its fields".into());
    } else if rest > 0 {
        let at = body.len() - rest;
        explained.fields.push(Field {
            name: "trailer or more".into(),
            at,
            value: if clear { shown(&body[at..]) } else { masked(&body[at..]) },
            meaning: None,
        });
    }
}

fn take(fields: &mut Fields<'_>, part: Part) -> Result<(), Code> {
    match part {
        Part::Fixed(name, length) => fields.bytes(name, length).map(|_| ()),
        Part::Key(name) => fields.key(name, 8).map(|_| ()),
        Part::Rest(name) => {
            let length = fields.rest().len();
            fields.bytes(name, length).map(|_| ())
        }
    }
}

fn field(seen: &Seen, body: &[u8], clear: bool) -> Field {
    let bytes = body.get(seen.range.clone()).unwrap_or_default();
    let secret = !clear && is_secret(seen.name);
    let value = if secret { masked(bytes) } else { shown(bytes) };
    Field { name: seen.name.to_owned(), at: seen.range.start, value, meaning: meaning_of(seen.name, bytes) }
}

/// Whether a field may hold card data: accounts, PINs, and what a host had enciphered or authenticated, which may be a
/// whole message of a card.
fn is_secret(name: &str) -> bool {
    let begins = ["account", "clear PIN", "PIN under LMK", "lengths and answers"];
    begins.iter().any(|begin| name.starts_with(begin))
        || ["message", "command"].contains(&name)
        || name.contains("data") && !name.starts_with("data key") && !name.starts_with("length of")
}

/// The last four digits of an account, and of anything else its length.
fn masked(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(digits) if (12..=19).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            let (hidden, shown) = digits.split_at(digits.len() - 4);
            format!("{}{shown}", "*".repeat(hidden.len()))
        }
        _ => format!("({} bytes hidden)", bytes.len()),
    }
}

fn shown(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if bytes.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ') => text.to_owned(),
        _ => format!("0x{}", crate::hex::upper(bytes)),
    }
}

/// What codes and scheme letters say.
fn meaning_of(name: &str, bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    match name {
        "key type" => KeyType::parse(text).ok().map(|key_type| key_type.row().name.to_owned()),
        "key type code" => KeyType::from_code(text).ok().map(|key_type| key_type.row().name.to_owned()),
        "PIN block format" | "source format" | "destination format" => format_name(text),
        _ if name.starts_with("key scheme") => Scheme::parse(*bytes.first()?).ok().map(scheme_name),
        _ => bytes.first().filter(|_| bytes.len() > 16).and_then(|letter| Scheme::parse(*letter).ok()).map(scheme_name),
    }
}

fn scheme_name(scheme: Scheme) -> String {
    match scheme {
        Scheme::Single => "single length",
        Scheme::DoubleVariant => "double length, variant",
        Scheme::TripleVariant => "triple length, variant",
        Scheme::DoubleAnsi => "double length, ANSI X9.17 (ECB)",
        Scheme::TripleAnsi => "triple length, ANSI X9.17 (ECB)",
        Scheme::KeyBlock => "key block under the LMK",
        Scheme::Tr31 => "TR-31 key block",
    }
    .to_owned()
}

fn format_name(code: &str) -> Option<String> {
    use crate::pin_blocks::Format;
    let name = match Format::parse(code).ok()? {
        Format::Iso0 => "ISO 9564 format 0",
        Format::Ibm3624 => "IBM 3624 (Diebold)",
        Format::Iso1 => "ISO 9564 format 1",
        Format::Iso2 => "ISO 9564 format 2",
        Format::Iso3 => "ISO 9564 format 3",
        Format::Iso4 => "ISO 9564 format 4 (AES)",
    };
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CA: &[u8] = b"0001CA0406FBB23A5214DFBAB32D775A38E4AB12DC80B186C30902B00303550000025321%00";

    #[test]
    fn a_request_is_named_field_by_field() {
        let explained = explain(CA, 4, false).unwrap();
        assert_eq!((explained.command, explained.is_answer, explained.fault), (Some("CA"), false, None));
        let fields: Vec<(&str, &str)> =
            explained.fields.iter().map(|field| (field.name.as_str(), field.value.as_str())).collect();
        assert_eq!(
            fields,
            [
                ("source PIN key", "0406FBB23A5214DF"),
                ("destination ZPK", "BAB32D775A38E4AB"),
                ("maximum PIN length", "12"),
                ("PIN block", "DC80B186C30902B0"),
                ("source format", "03"),
                ("destination format", "03"),
                ("account number", "********5321"),
                ("delimiter", "%"),
                ("LMK identifier", "00"),
            ]
        );
        assert_eq!(explained.fields[4].meaning.as_deref(), Some("IBM 3624 (Diebold)"));
        let open = explain(CA, 4, true).unwrap();
        assert_eq!(open.fields[6].value, "550000025321");
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let explained = explain(b"0001CA0406FBB23A5214DFBAB32D775A38E4AB12DC80B186C30902B099", 4, false).unwrap();
        assert_eq!(explained.fault.as_deref(), Some("field at byte 52 refused with 23: invalid PIN block format code"));
        assert!(explain(b"0001ZZ", 4, false).unwrap().fault.is_some());
        assert_eq!(explain(b"0001C", 4, false), None);
    }

    #[test]
    fn answers_are_known_by_their_code() {
        let codes = || commands::TABLE.iter().map(|row| wire::response_code(*row.code));
        assert!(codes().all(|code| commands::find(code).is_none()), "no answer looks like a command");
        let explained = explain(b"0001CB0004F7808F2CBEC6316803", 4, false).unwrap();
        assert_eq!((explained.command, explained.is_answer), (Some("CA"), true));
        assert_eq!(explained.fields[0].meaning.as_deref(), Some("no error"));
        assert_eq!(explained.fields[2].value, "F7808F2CBEC6316803");
        let refused = explain(b"0001CB11", 4, false).unwrap();
        assert_eq!(refused.fields[0].meaning.as_deref(), Some("destination key parity error"));
        assert_eq!(refused.fault, None);
        // NG tells a PIN in clear.
        let told = explain(b"0001NH001234F550000025321", 4, false).unwrap();
        assert!(told.fields.iter().all(|field| !field.value.contains("1234F")), "{told:?}");
    }

    #[test]
    fn nothing_that_may_hold_card_data_is_shown() {
        let track = "4999988887777=9105111";
        let digits = |text: &str| crate::hex::upper(text.as_bytes());
        for message in [
            format!("0001M600131003U{}0015{track}", "0".repeat(32)),
            format!("0001M0000000BU{}0015{track}", "0".repeat(32)),
            format!("0001B20015{track}"),
            format!("0001NK0010021B20015{track}"),
            format!("0001B300{track}"),
            format!("0001M30000150015{track}"),
            format!("0001DGX{}01234499998888777 1", "0".repeat(32)).replace(' ', ""),
        ] {
            let explained = explain(message.as_bytes(), 4, false).unwrap();
            let told = format!("{explained:?}");
            assert!(!told.contains("4999988887777") && !told.contains(&digits("4999988887777")), "{told}");
            assert!(!told.contains("01234"), "{told}");
        }
        let card = [&b"0001KQ00U"[..], &[b'0'; 32], &[0x49, 0x99, 0x98, 0x88, 0x87, 0x77, 0x71, 0x00]].concat();
        let told = format!("{:?}", explain(&card, 4, false).unwrap());
        assert!(!told.contains("4999988887777"), "{told}");
        assert!(format!("{:?}", explain(&card, 4, true).unwrap()).contains("4999988887777"));
    }

    #[test]
    fn single_length_zone_keys_are_found() {
        let explained = explain(b"0001FE4ED06495741C280C0406FBB23A5214DF", 4, false).unwrap();
        assert_eq!(explained.fields[0].value, "4ED06495741C280C");
        assert_eq!(explained.fault, None);
    }
}
