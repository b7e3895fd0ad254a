//! moov-io/iso8583: specs as JSON, in both dialects in circulation: `"2"` with `ASCII.LL`, and the older `"Field002"`
//! with `prefix.asciiVarPrefixer` and its width beside.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ExchangeError, Losses, field};
use crate::charset::CodePage;
use crate::plan::{Class, Counts, PrefixForm, Side};
use crate::spec::Version;
use crate::spec::file::{EncodingName, FieldFile, LayoutFile, LayoutName, SpareName, SpecFile, Unknown, by_number};

#[derive(Debug, Default, Deserialize, Serialize)]
struct MoovSpec {
    #[serde(default)]
    name: String,
    #[serde(serialize_with = "by_number")]
    fields: BTreeMap<String, MoovField>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
struct MoovField {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, skip_serializing_if = "is_zero")]
    length: u32,
    #[serde(default)]
    description: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    enc: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    prefix: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prefix_length: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    padding: Option<MoovPadding>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tag: Option<MoovTag>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", serialize_with = "by_number")]
    subfields: BTreeMap<String, MoovField>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bitmap: Option<Box<MoovField>>,
    #[serde(
        default,
        rename = "disableAutoExpand",
        alias = "disableautoexpand",
        skip_serializing_if = "std::ops::Not::not"
    )]
    disable_auto_expand: bool,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct MoovTag {
    #[serde(default, skip_serializing_if = "is_zero")]
    length: u32,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    enc: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    sort: String,
    #[serde(default, rename = "skipUnknownTLVTags", skip_serializing_if = "std::ops::Not::not")]
    skip_unknown: bool,
    #[serde(default, rename = "storeUnknownTLVTags", skip_serializing_if = "std::ops::Not::not")]
    store_unknown: bool,
}

#[derive(Debug, Deserialize, Serialize)]
struct MoovPadding {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    pad: MoovPad,
}

/// A character; the older dialect has its number.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(untagged)]
enum MoovPad {
    Text(String),
    Number(u32),
    #[default]
    None,
}

impl MoovPadding {
    /// `None` where nothing is filled.
    fn fill(&self) -> Option<(Side, Option<char>)> {
        let side = match word(&self.kind, "Padder").as_str() {
            "left" => Side::Left,
            "right" => Side::Right,
            _ => return None,
        };
        let with = match &self.pad {
            MoovPad::Text(text) => text.chars().next(),
            MoovPad::Number(number) => char::from_u32(*number),
            MoovPad::None => None,
        };
        Some((side, with))
    }
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// The word behind the last point, without what the older dialect puts around it: `encoding.asciiEncoder` is `ascii`.
fn word(text: &str, suffix: &str) -> String {
    let last = text.rsplit('.').next().unwrap_or_default();
    last.strip_suffix(suffix).unwrap_or(last).to_ascii_lowercase()
}

pub(super) fn read(text: &str, losses: &mut Losses) -> Result<SpecFile, ExchangeError> {
    let mut json = serde_json::Deserializer::from_str(text);
    let source: MoovSpec = serde_path_to_error::deserialize(&mut json)
        .map_err(|error| ExchangeError::unreadable(error.path().to_string(), error.inner().to_string()))?;
    let mut spec = SpecFile { version: Some(Version::Iso1987), description: source.name, ..SpecFile::default() };
    let mut page = None;
    for (key, field) in &source.fields {
        let number = key.trim_start_matches("Field").trim_start_matches('0');
        match number {
            "" => spec.mti = encoding(&field.enc, key, &mut page, losses),
            "1" => spec.bitmap = bitmap_encoding(&field.enc, key, losses),
            number => {
                if let Some(field) = read_field(field, key, &mut page, losses) {
                    spec.fields.insert(number.to_owned(), Some(field));
                }
            }
        }
    }
    spec.code_page = page;
    let beyond: Vec<String> =
        spec.fields.keys().filter(|key| !key.parse().is_ok_and(|de: u8| (2..=128).contains(&de))).cloned().collect();
    for key in beyond {
        spec.fields.remove(&key);
        losses.add(key, "data elements are numbered 2 to 128; this one is left out");
    }
    Ok(spec)
}

fn bitmap_encoding(enc: &str, place: &str, losses: &mut Losses) -> Option<EncodingName> {
    match word(enc, "Encoder").as_str() {
        "binary" => Some(EncodingName::Binary),
        "hex" | "hextoascii" | "bytestoasciihex" => Some(EncodingName::Hex),
        other => {
            losses.add(place, format!("bitmap encoding {other:?} is not known; hex is taken"));
            Some(EncodingName::Hex)
        }
    }
}

/// How values stand on the wire; the page of EBCDIC is one for the whole spec.
fn encoding(enc: &str, place: &str, page: &mut Option<CodePage>, losses: &mut Losses) -> Option<EncodingName> {
    Some(match word(enc, "Encoder").as_str() {
        "ascii" => EncodingName::Ascii,
        "bcd" | "lbcd" => EncodingName::Bcd,
        "ebcdic" => {
            *page = page.or(Some(CodePage::Cp037));
            EncodingName::Ebcdic
        }
        "ebcdic1047" => {
            *page = Some(CodePage::Cp1047);
            EncodingName::Ebcdic
        }
        "binary" | "asciitohex" | "asciihextobytes" => EncodingName::Binary,
        "hex" | "hextoascii" | "bytestoasciihex" => EncodingName::Hex,
        other => {
            losses.add(place, format!("encoding {other:?} is not known"));
            return None;
        }
    })
}

/// Form and width of a length prefix; `Some(None)` of a fixed length.
fn prefix(field: &MoovField, place: &str, losses: &mut Losses) -> Option<Option<(PrefixForm, u8)>> {
    let older = field.prefix.strip_prefix("prefix.");
    let (form, width) = match older {
        Some(name) => match name.strip_suffix("VarPrefixer") {
            Some(form) => (form, field.prefix_length),
            None => (name, None),
        },
        None => match field.prefix.split_once('.') {
            Some((form, digits)) if !digits.is_empty() && digits.bytes().all(|byte| byte == b'L') => {
                (form, u8::try_from(digits.len()).ok())
            }
            _ => (field.prefix.as_str(), None),
        },
    };
    let is_fixed = form.to_ascii_lowercase().contains("fixed") || form.is_empty() || form == "None";
    if is_fixed {
        return Some(None);
    }
    let known = match form.to_ascii_lowercase().as_str() {
        "ascii" => Some(PrefixForm::Ascii),
        "bcd" => Some(PrefixForm::Bcd),
        "ebcdic" => Some(PrefixForm::Ebcdic),
        "binary" => Some(PrefixForm::Binary),
        _ => None,
    };
    match known.zip(width) {
        Some(prefix) => Some(Some(prefix)),
        None => {
            losses.add(place, format!("prefix {:?} cannot be expressed; the field is left out", field.prefix));
            None
        }
    }
}

fn read_field(source: &MoovField, place: &str, page: &mut Option<CodePage>, losses: &mut Losses) -> Option<FieldFile> {
    let kind = source.kind.rsplit('.').next().unwrap_or_default();
    let enc =
        if source.subfields.is_empty() { encoding(&source.enc, place, page, losses)? } else { EncodingName::Binary };
    let class = match (kind, enc) {
        (_, EncodingName::Binary | EncodingName::Hex | EncodingName::HexEbcdic) => Class::Binary,
        ("Numeric", _) | (_, EncodingName::Bcd) => Class::Numeric,
        ("Track2", _) => Class::Track,
        _ => Class::Text,
    };
    let length = prefix(source, place, losses)?;
    let max = u16::try_from(source.length).unwrap_or(u16::MAX);
    let mut read = field(&source.description, class, enc);
    match length {
        None => read.length = Some(max),
        Some((form, width)) => (read.max, read.prefix, read.prefix_encoding) = (Some(max), Some(width), Some(form)),
    }
    if enc == EncodingName::Bcd {
        let left = word(&source.enc, "Encoder") != "lbcd";
        read.odd_side = Some(if left { Side::Left } else { Side::Right });
    }
    if let Some((side, with)) = source.padding.as_ref().and_then(MoovPadding::fill) {
        let fits = with.and_then(|with| u8::try_from(with).ok());
        if read.length.is_some() && fits.is_some_and(|with| crate::check::writable(class, &[with]).is_ok()) {
            (read.fill_side, read.fill) = (Some(side), with);
        } else {
            losses.add(place, "padding of a field that is not of fixed length and text cannot be expressed");
        }
    }
    if !source.subfields.is_empty() {
        read.parts = Some(read_layout(source, place, page, losses));
    }
    Some(read)
}

fn read_layout(source: &MoovField, place: &str, page: &mut Option<CodePage>, losses: &mut Losses) -> LayoutFile {
    let tag_encoding = source.tag.as_ref().map(|tag| word(&tag.enc, "Encoder")).unwrap_or_default();
    let mut layout = match (&source.bitmap, &source.tag) {
        (Some(bitmap), _) => {
            let mut layout = LayoutFile::of(LayoutName::Bitmap);
            layout.bitmap = bitmap_encoding(&bitmap.enc, place, losses);
            layout.bitmap_bytes = u8::try_from(bitmap.length).ok();
            layout
        }
        (None, Some(_)) if tag_encoding == "bertlvtag" => LayoutFile::of(LayoutName::BerTlv),
        (None, Some(tag)) if tag.length > 0 => {
            let mut layout = LayoutFile::of(LayoutName::Tlv);
            layout.tag = u8::try_from(tag.length).ok();
            layout.tag_encoding = Some(match tag_encoding.as_str() {
                "binary" => PrefixForm::Binary,
                "bcd" => PrefixForm::Bcd,
                "ebcdic" | "ebcdic1047" => PrefixForm::Ebcdic,
                _ => PrefixForm::Ascii,
            });
            // Each tag says how its length is written; in ours all of a value are written alike.
            let first = source.subfields.values().next();
            let length = first.and_then(|inner| prefix(inner, place, losses)).flatten();
            if let Some((form, width)) = length {
                (layout.prefix, layout.prefix_encoding) = (Some(width), Some(form));
            } else {
                losses.add(place, "tags without a length behind them cannot be expressed");
            }
            layout
        }
        _ => LayoutFile::of(LayoutName::Positional),
    };
    if let Some(tag) = source.tag.as_ref().filter(|_| matches!(layout.layout, LayoutName::Tlv | LayoutName::BerTlv)) {
        layout.unknown = match (tag.store_unknown, tag.skip_unknown) {
            (true, _) => Some(Unknown::Keep),
            (_, true) => Some(Unknown::Skip),
            _ => None,
        };
    }
    for (key, inner) in &source.subfields {
        let inner_place = format!("{place}.{key}");
        let behind_tag = MoovField { prefix: "None".into(), ..copy(inner) };
        let tagged = matches!(layout.layout, LayoutName::Tlv | LayoutName::BerTlv);
        let Some(mut field) = read_field(if tagged { &behind_tag } else { inner }, &inner_place, page, losses) else {
            continue;
        };
        if tagged {
            (field.max, field.length) = (field.length, None);
        }
        layout.fields.insert(key.clone(), field);
    }
    layout
}

/// Without its parts, which stay where they are.
fn copy(field: &MoovField) -> MoovField {
    MoovField {
        kind: field.kind.clone(),
        length: field.length,
        description: field.description.clone(),
        enc: field.enc.clone(),
        ..MoovField::default()
    }
}

pub(super) fn write(spec: &SpecFile, losses: &mut Losses) -> String {
    let mut fields = BTreeMap::new();
    let mti = spec.mti.unwrap_or(EncodingName::Ascii);
    let enc = enc_name(mti, spec, Side::Left);
    let prefix = if mti == EncodingName::Bcd { "BCD.Fixed" } else { "ASCII.Fixed" };
    let description = "Message Type Indicator".to_owned();
    let mti =
        MoovField { kind: "String".into(), length: 4, description, enc, prefix: prefix.into(), ..MoovField::default() };
    fields.insert("0".to_owned(), mti);
    let bitmap = spec.bitmap.unwrap_or(EncodingName::Hex);
    fields.insert("1".to_owned(), bitmap_field(bitmap, 8, false));
    if bitmap == EncodingName::HexEbcdic {
        losses.add("1", "a bitmap of EBCDIC characters cannot be expressed");
    }
    for (key, field) in &spec.fields {
        if let Some(field) = field {
            fields.insert(key.clone(), write_field(spec, field, key, false, losses));
        }
    }
    if !spec.presence.is_empty() {
        losses.add("presence", "which data elements messages have cannot be expressed");
    }
    if spec.fields.values().flatten().any(|field| field.sensitive.is_some()) {
        losses.add("sensitive", "what must not be shown cannot be expressed");
    }
    if spec.code_page == Some(CodePage::Cp500) {
        losses.add("code_page", "code page 500 cannot be expressed; 1047 is written");
    }
    let written = MoovSpec { name: spec.name.clone(), fields };
    // Texts, numbers and objects of them: this does not fail.
    serde_json::to_string_pretty(&written).unwrap_or_default() + "\n"
}

fn bitmap_field(encoding: EncodingName, bytes: u32, inner: bool) -> MoovField {
    let (enc, prefix) = match encoding {
        EncodingName::Binary => ("Binary", "Binary.Fixed"),
        _ => ("HexToASCII", "Hex.Fixed"),
    };
    MoovField {
        kind: "Bitmap".into(),
        length: bytes,
        description: "Bitmap".into(),
        enc: enc.into(),
        prefix: prefix.into(),
        disable_auto_expand: inner,
        ..MoovField::default()
    }
}

fn form_name(form: PrefixForm) -> &'static str {
    match form {
        PrefixForm::Ascii => "ASCII",
        PrefixForm::Ebcdic => "EBCDIC",
        PrefixForm::Bcd => "BCD",
        PrefixForm::Binary => "Binary",
    }
}

fn enc_name(encoding: EncodingName, spec: &SpecFile, odd: Side) -> String {
    match (encoding, odd) {
        (EncodingName::Ascii, _) => "ASCII",
        (EncodingName::Ebcdic, _) if spec.code_page == Some(CodePage::Cp037) => "EBCDIC",
        (EncodingName::Ebcdic, _) => "EBCDIC1047",
        (EncodingName::Bcd, Side::Left) => "BCD",
        (EncodingName::Bcd, Side::Right) => "LBCD",
        (EncodingName::Hex | EncodingName::HexEbcdic, _) => "HexToASCII",
        (EncodingName::Binary, _) => "Binary",
    }
    .to_owned()
}

fn write_field(spec: &SpecFile, field: &FieldFile, place: &str, tagged: bool, losses: &mut Losses) -> MoovField {
    let all = spec.encodings;
    let of_class = match field.class {
        Class::Numeric => all.n,
        Class::Alphabetic | Class::Alphanumeric | Class::Text => all.ans,
        Class::Track => all.z,
        Class::SignedAmount => all.signed,
        Class::Binary => all.b,
    };
    let encoding = field.encoding.or(of_class).unwrap_or(EncodingName::Ascii);
    let default_side = if field.length.is_some() {
        spec.odd_digits.fixed.unwrap_or(Side::Left)
    } else {
        spec.odd_digits.variable.unwrap_or(Side::Right)
    };
    if encoding == EncodingName::HexEbcdic {
        losses.add(place, "hexadecimal characters in EBCDIC cannot be expressed");
    }
    if encoding == EncodingName::Bcd && field.odd_spare.or(spec.odd_digits.spare) == Some(SpareName::F) {
        losses.add(place, "a fill of F cannot be expressed");
    }
    if encoding == EncodingName::Bcd && field.class == Class::SignedAmount {
        losses.add(place, "a sign before packed digits cannot be expressed");
    }
    if field.prefix_counts == Some(Counts::Wire) {
        losses.add(place, "a prefix that counts bytes on the wire cannot be expressed");
    }
    if field.prefix_includes_itself {
        losses.add(place, "a prefix that counts itself cannot be expressed");
    }
    let form = field.prefix_encoding.or(all.prefix).unwrap_or(PrefixForm::Ascii);
    let fixed = match encoding {
        EncodingName::Bcd => "BCD.Fixed",
        EncodingName::Binary => "Binary.Fixed",
        EncodingName::Hex | EncodingName::HexEbcdic => "Hex.Fixed",
        EncodingName::Ascii | EncodingName::Ebcdic => "ASCII.Fixed",
    };
    let prefix = match field.prefix {
        _ if tagged => String::new(),
        Some(width) => format!("{}.{}", form_name(form), "L".repeat(usize::from(width))),
        None => fixed.to_owned(),
    };
    let kind = match (field.class, &field.parts) {
        (_, Some(_)) => "Composite",
        (Class::Binary, None) => "Binary",
        _ => "String",
    };
    let mut written = MoovField {
        kind: kind.to_owned(),
        length: u32::from(field.length.or(field.max).unwrap_or(u16::MAX)),
        description: field.name.clone(),
        enc: enc_name(encoding, spec, field.odd_side.unwrap_or(default_side)),
        prefix,
        // Theirs is stripped on decoding, so only what the spec says in so many words is written.
        padding: field.fill.map(|fill| MoovPadding {
            kind: if field.fill_side == Some(Side::Left) { "Left".into() } else { "Right".into() },
            pad: MoovPad::Text(fill.to_string()),
        }),
        ..MoovField::default()
    };
    if let Some(layout) = &field.parts {
        written.enc = String::new();
        write_layout(spec, layout, place, &mut written, losses);
    }
    written
}

fn write_layout(spec: &SpecFile, layout: &LayoutFile, place: &str, written: &mut MoovField, losses: &mut Losses) {
    let sort = |sort: &str| MoovTag { sort: sort.to_owned(), ..MoovTag::default() };
    let form = layout.prefix_encoding.or(spec.encodings.prefix).unwrap_or(PrefixForm::Ascii);
    let mut tagged = None;
    match layout.layout {
        LayoutName::Positional => written.tag = Some(sort("StringsByInt")),
        LayoutName::Bitmap => {
            let bitmap = layout.bitmap.unwrap_or(EncodingName::Binary);
            let bytes = u32::from(layout.bitmap_bytes.unwrap_or(8));
            written.bitmap = Some(Box::new(bitmap_field(bitmap, bytes, true)));
        }
        LayoutName::BerTlv => {
            written.tag = Some(MoovTag { enc: "BerTLVTag".into(), ..sort("StringsByHex") });
            tagged = Some("BerTLV".to_owned());
        }
        LayoutName::Tlv => {
            let tag_form = layout.tag_encoding.or(spec.encodings.prefix).unwrap_or(PrefixForm::Ascii);
            let enc = form_name(tag_form);
            let length = u32::from(layout.tag.unwrap_or(0));
            written.tag = Some(MoovTag { length, enc: enc.into(), ..sort("StringsByInt") });
            tagged = Some(format!("{}.{}", form_name(form), "L".repeat(usize::from(layout.prefix.unwrap_or(1)))));
        }
        LayoutName::Ltv | LayoutName::Dataset => {
            losses.add(place, "this layout cannot be expressed; the value is written as bytes");
            written.kind = "Binary".into();
            written.enc = "Binary".into();
            return;
        }
    }
    if let Some(tag) = &mut written.tag {
        tag.store_unknown = layout.unknown == Some(Unknown::Keep);
        tag.skip_unknown = matches!(layout.unknown, Some(Unknown::Keep | Unknown::Skip));
    }
    for (key, inner) in &layout.fields {
        let mut field = write_field(spec, inner, &format!("{place}.{key}"), tagged.is_some(), losses);
        if let Some(prefix) = &tagged {
            prefix.clone_into(&mut field.prefix);
        }
        written.subfields.insert(key.clone(), field);
    }
}
