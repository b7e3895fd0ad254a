//! A spec as it is written: the JSON file. `specs/spec.schema.json` is made from these types.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use super::SpecError;
use crate::charset::CodePage;
use crate::plan::{Class, Counts, PrefixForm, Sensitivity, Side};

/// A dialect of ISO 8583. What is left out is taken from the spec it extends.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SpecFile {
    /// What the spec is called on the command line and in configuration.
    pub name: String,
    /// For readers.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The name of the spec this one is laid over: beside this file, or one that comes with the library.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extends: Option<String>,
    /// Which edition of the standard the messages follow; it is the first digit of their MTI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// How the four digits of the MTI are written: ascii, ebcdic or bcd.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mti: Option<EncodingName>,
    /// How the bitmap is written: binary, hex or hex-ebcdic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bitmap: Option<EncodingName>,
    /// 8: the second bitmap is there where bit 1 says so (the default). 16: both are always there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bitmap_bytes: Option<u8>,
    /// The code page of everything in EBCDIC; cp1047 where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_page: Option<CodePage>,
    /// The encodings of fields that name none.
    #[serde(default, skip_serializing_if = "Encodings::is_empty")]
    pub encodings: Encodings,
    /// Packed fields with an odd number of digits.
    #[serde(default, skip_serializing_if = "OddDigits::is_empty")]
    pub odd_digits: OddDigits,
    /// Which data elements messages have, by MTI; an x stands for any digit, and all entries that fit count.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub presence: BTreeMap<String, PresenceFile>,
    /// By number, 2 to 128. A null takes away a field of the spec that is extended.
    #[serde(default, serialize_with = "by_number")]
    pub fields: BTreeMap<String, Option<FieldFile>>,
}

/// The edition of the standard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum Version {
    #[serde(rename = "1987")]
    Iso1987,
    #[serde(rename = "1993")]
    Iso1993,
    #[serde(rename = "2003")]
    Iso2003,
}

/// How values stand on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum EncodingName {
    Ascii,
    Ebcdic,
    Bcd,
    Hex,
    HexEbcdic,
    Binary,
}

/// Encodings by class, and of length prefixes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Encodings {
    /// Length prefixes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<PrefixForm>,
    /// Classes n.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n: Option<EncodingName>,
    /// Classes a, an and ans.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ans: Option<EncodingName>,
    /// Class z: tracks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub z: Option<EncodingName>,
    /// Class x+n: amounts with a sign.
    #[serde(rename = "x+n")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed: Option<EncodingName>,
    /// Class b: bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub b: Option<EncodingName>,
}

/// The side of the spare half byte of packed fields with an odd number of digits, and what it holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OddDigits {
    /// Of fields of fixed length; left where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fixed: Option<Side>,
    /// Of fields of variable length; right where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variable: Option<Side>,
    /// 0 where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spare: Option<SpareName>,
}

/// What a spare half byte holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub(crate) enum SpareName {
    #[serde(rename = "0")]
    Zero,
    #[serde(rename = "F")]
    F,
}

/// Which data elements a message has.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PresenceFile {
    /// Those it must have.
    #[serde(default)]
    pub required: Vec<u8>,
    /// Where this is given, those it may have beside the required ones; others are unexpected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub optional: Option<Vec<u8>>,
}

/// A data element, or a part of one.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FieldFile {
    /// What people call it.
    pub name: String,
    /// Which characters it may hold.
    pub class: Class,
    /// Its fixed length in characters, digits, or bytes of a class b field; or …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<u16>,
    /// … its largest length, behind a prefix (in tagged layouts, whose tags say the length, without one).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<u16>,
    /// Digits of the length prefix, or bytes of a binary one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<u8>,
    /// How the prefix is written, where not as the spec says for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix_encoding: Option<PrefixForm>,
    /// What the prefix counts: units (characters, digits, bytes of a class b field; the default) or bytes on the wire.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix_counts: Option<Counts>,
    /// Whether the prefix counts itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub prefix_includes_itself: bool,
    /// How the value is written, where not as the spec says for its class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<EncodingName>,
    /// The side of the spare half byte, where not as the spec says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub odd_side: Option<Side>,
    /// What the spare half byte holds, where not as the spec says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub odd_spare: Option<SpareName>,
    /// The character that short values of a fixed length are filled with when they are written; 0 in class n and a space
    /// in classes a, an and ans where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fill: Option<char>,
    /// Where they are filled; on the left in class n and on the right in classes a, an and ans where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fill_side: Option<Side>,
    /// What must not be shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sensitive: Option<Sensitivity>,
    /// What the value is made of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parts: Option<LayoutFile>,
}

/// How the parts of a value follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LayoutName {
    /// One after the other, numbered from 1; the last ones may be missing.
    Positional,
    /// Those a bitmap in front says.
    Bitmap,
    /// Tag, length, value.
    Tlv,
    /// Length, tag, value; the length counts tag and value.
    Ltv,
    /// The tags and lengths of ISO/IEC 8825-1, as EMV uses them.
    BerTlv,
    /// Identifier of one byte, length of two, value (ISO 8583:2003, composite data elements).
    Dataset,
}

/// The parts of a value.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LayoutFile {
    pub layout: LayoutName,
    /// bitmap: how it is written, binary where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bitmap: Option<EncodingName>,
    /// bitmap: its length, 1 to 16 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bitmap_bytes: Option<u8>,
    /// tlv, ltv: characters, digits or bytes of a tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<u8>,
    /// tlv, ltv: how tags are written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag_encoding: Option<PrefixForm>,
    /// tlv, ltv: digits of a length, or bytes of a binary one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<u8>,
    /// tlv, ltv: how lengths are written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix_encoding: Option<PrefixForm>,
    /// Tags that are not among the fields: reject (the default), skip or keep.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown: Option<Unknown>,
    /// By number, or by tag as it is read: text, or upper-case hexadecimal of binary tags.
    #[serde(default, serialize_with = "by_number")]
    pub fields: BTreeMap<String, FieldFile>,
}

impl LayoutFile {
    /// One without parts yet.
    pub(crate) fn of(layout: LayoutName) -> Self {
        Self {
            layout,
            bitmap: None,
            bitmap_bytes: None,
            tag: None,
            tag_encoding: None,
            prefix: None,
            prefix_encoding: None,
            unknown: None,
            fields: BTreeMap::new(),
        }
    }
}

/// What becomes of a tag that the spec does not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Unknown {
    /// The message is refused.
    #[default]
    Reject,
    /// It is left out.
    Skip,
    /// It is kept as bytes, or as text in layouts of text.
    Keep,
}

/// Reads a file's text. Errors name the place by its path.
pub(crate) fn parse(file: &str, text: &str) -> Result<SpecFile, SpecError> {
    let mut json = serde_json::Deserializer::from_str(text);
    let spec = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let cause = error.into_inner();
        let place = if path == "." { format!("line {} column {}", cause.line(), cause.column()) } else { path };
        SpecError::new(file, place, cause.to_string())
    })?;
    json.end().map_err(|error| SpecError::new(file, "end", format!("one JSON object is a spec: {error}")))?;
    Ok(spec)
}

impl Encodings {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl OddDigits {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// 2 before 10, which texts are not.
pub(crate) fn by_number<S: Serializer, F: Serialize>(
    fields: &BTreeMap<String, F>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut sorted: Vec<(&String, &F)> = fields.iter().collect();
    sorted.sort_by_key(|(key, _)| (key.parse::<u16>().unwrap_or(u16::MAX), *key));
    serializer.collect_map(sorted)
}

/// A published JSON Schema of spec files.
pub(crate) fn schema() -> String {
    let schema = schemars::schema_for!(SpecFile);
    // A schema is JSON: this does not fail.
    serde_json::to_string_pretty(&schema).unwrap_or_default() + "\n"
}

impl SpecFile {
    /// As it is written in a file.
    pub(crate) fn to_json(&self) -> String {
        // Texts, numbers and objects of them: this does not fail.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// This spec laid over the one it extends.
    pub(crate) fn over(self, base: Self) -> Self {
        let mut fields = base.fields;
        fields.extend(self.fields);
        let mut presence = base.presence;
        presence.extend(self.presence);
        Self {
            name: self.name,
            description: self.description,
            extends: base.extends,
            version: self.version.or(base.version),
            mti: self.mti.or(base.mti),
            bitmap: self.bitmap.or(base.bitmap),
            bitmap_bytes: self.bitmap_bytes.or(base.bitmap_bytes),
            code_page: self.code_page.or(base.code_page),
            encodings: Encodings {
                prefix: self.encodings.prefix.or(base.encodings.prefix),
                n: self.encodings.n.or(base.encodings.n),
                ans: self.encodings.ans.or(base.encodings.ans),
                z: self.encodings.z.or(base.encodings.z),
                signed: self.encodings.signed.or(base.encodings.signed),
                b: self.encodings.b.or(base.encodings.b),
            },
            odd_digits: OddDigits {
                fixed: self.odd_digits.fixed.or(base.odd_digits.fixed),
                variable: self.odd_digits.variable.or(base.odd_digits.variable),
                spare: self.odd_digits.spare.or(base.odd_digits.spare),
            },
            presence,
            fields,
        }
    }
}
