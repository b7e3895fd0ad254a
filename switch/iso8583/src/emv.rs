//! EMV data objects by tag (EMV Book 3, annex A): `specs/emv-tags.json`.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::json::masked;
use crate::plan::Sensitivity;
use crate::tlv;
use crate::wire::to_hex;

/// A data object.
#[derive(Debug, Deserialize)]
pub struct Tag {
    pub name: String,
    /// How its bytes are to be read, where not as bytes.
    pub form: Option<Form>,
    pub sensitive: Option<Sensitivity>,
}

/// How the bytes of a data object are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// Digits packed two to a byte.
    N,
    /// Characters.
    Ans,
}

static TAGS: LazyLock<HashMap<String, Tag>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../../specs/emv-tags.json")).unwrap_or_default());

/// By the tag in upper-case hexadecimal: 9F02.
pub fn tag(hexadecimal: &str) -> Option<&'static Tag> {
    TAGS.get(hexadecimal)
}

/// Templates within templates are followed so deep.
const DEPTH_MAX: usize = 8;

/// The data objects of DE 55, one a line, each line after `indent`; card data masked. `None` where the bytes are no
/// data objects.
pub fn describe(bytes: &[u8], indent: &str) -> Option<String> {
    let mut text = String::new();
    describe_level(bytes, indent, DEPTH_MAX, &mut text)?;
    Some(text)
}

fn describe_level(bytes: &[u8], indent: &str, depth: usize, text: &mut String) -> Option<()> {
    for item in tlv::read(bytes) {
        let item = item.ok()?;
        let key = to_hex(item.tag);
        let known = tag(&key);
        let name = known.map_or("not known", |known| known.name.as_str());
        let is_template = item.is_constructed() && depth > 0;
        let shown = if is_template { String::new() } else { shown(known, item.value) };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}", format!("{indent}{key:<6}  {name:<40}  {shown}").trim_end());
        if is_template {
            describe_level(item.value, &format!("{indent}  "), depth - 1, text)?;
        }
    }
    Some(())
}

fn shown(known: Option<&Tag>, value: &[u8]) -> String {
    let characters = value.iter().all(|byte| (b' '..=b'~').contains(byte));
    match known {
        Some(Tag { sensitive: Some(kind @ (Sensitivity::Pan | Sensitivity::Track)), .. }) => {
            masked(Some(*kind), to_hex(value).trim_end_matches('F'))
        }
        Some(Tag { sensitive: Some(kind), .. }) => masked(Some(*kind), &to_hex(value)),
        Some(Tag { form: Some(Form::Ans), .. }) if characters => String::from_utf8_lossy(value).into_owned(),
        // What is not known may be anything.
        None => format!("({} bytes)", value.len()),
        Some(_) => to_hex(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dictionary_is_one_of_tags() {
        let tags: HashMap<String, Tag> = serde_json::from_str(include_str!("../../../specs/emv-tags.json")).unwrap();
        assert!(tags.len() > 90);
        for key in tags.keys() {
            assert!(crate::wire::from_hex(key).is_some_and(|bytes| tlv::is_tag(&bytes)), "{key}");
        }
    }

    #[test]
    fn data_objects_are_shown_without_the_card_s_secrets() {
        let bytes = crate::wire::from_hex(
            "9F0206000000001250\
             5A084111111111111111\
             57134111111111111111D29122010000012345678F\
             8A023030\
             70069C0100DF0100\
             DF0102CAFE",
        );
        let text = describe(&bytes.unwrap(), "  ").unwrap();
        assert!(text.contains("Amount, authorized") && text.contains("000000001250"), "{text}");
        assert!(text.contains("411111******1111") && text.contains("Authorization response code"), "{text}");
        assert!(text.contains("    9C    "), "what is in a template stands further in: {text}");
        for secret in ["4111111111111111", "2912201", "CAFE"] {
            assert!(!text.contains(secret), "{text}");
        }
        assert!(describe(&[0x9F, 0x02, 0x06, 0x00], "").is_none());
    }
}
