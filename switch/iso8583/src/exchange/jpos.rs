//! jPOS: the XML of `GenericPackager`. Its class names are the field's format; see [`class`] for their grammar.

use roxmltree::{Document, Node, ParsingOptions};

use super::{ExchangeError, Losses, field};
use crate::plan::{Class, PrefixForm, Side};
use crate::spec::Version;
use crate::spec::file::{EncodingName, FieldFile, LayoutFile, LayoutName, SpareName, SpecFile};

/// Elements and attributes of the largest document that is read.
const NODES_MAX: u32 = 100_000;
/// Packagers within packagers may not go deeper than this.
const NESTING_MAX: usize = 4;

pub(super) fn read(text: &str, losses: &mut Losses) -> Result<SpecFile, ExchangeError> {
    // The document names a DTD, which is never fetched.
    let options = ParsingOptions { allow_dtd: true, nodes_limit: NODES_MAX, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options)
        .map_err(|error| ExchangeError::unreadable("file", format!("is no XML: {error}")))?;
    let root = document.root_element();
    if !root.has_tag_name("isopackager") {
        return Err(ExchangeError::unreadable("file", "is no packager; its outermost element is <isopackager>"));
    }
    for attribute in root.attributes() {
        match (attribute.name(), attribute.value()) {
            ("maxValidField", "128") | ("bitmapField", "1") | ("emitBitmap", "true") | ("firstField", "0") => {}
            ("headerLength", _) => losses.add("headerLength", "a header is the framing's: name it where the link is"),
            (name, value) => losses.add(name, format!("{value:?} cannot be expressed")),
        }
    }
    let mut spec = SpecFile { version: Some(Version::Iso1987), ..SpecFile::default() };
    for node in root.children().filter(Node::is_element) {
        let id = required(&node, "id")?;
        match id {
            "0" => spec.mti = mti(&node, losses),
            "1" => {
                spec.bitmap = bitmap(&node).or_else(|| {
                    losses.add("1", format!("class {} is no bitmap that is known; binary is taken", class_name(&node)));
                    Some(EncodingName::Binary)
                })
            }
            _ => {
                if let Some(field) = read_field(&node, id, 1, losses)? {
                    spec.fields.insert(id.to_owned(), Some(field));
                }
            }
        }
    }
    let beyond: Vec<String> = spec.fields.keys().filter(|key| !is_element(key)).cloned().collect();
    for key in beyond {
        spec.fields.remove(&key);
        losses.add(key, "data elements are numbered 2 to 128; this one is left out");
    }
    Ok(spec)
}

fn is_element(key: &str) -> bool {
    key.parse::<u8>().is_ok_and(|de| (2..=crate::LAST_DATA_ELEMENT).contains(&de))
}

fn required<'a>(node: &Node<'a, '_>, name: &str) -> Result<&'a str, ExchangeError> {
    let place = || format!("line {}", node.document().text_pos_at(node.range().start).row);
    node.attribute(name).ok_or_else(|| ExchangeError::unreadable(place(), format!("attribute {name} is missing")))
}

fn class_name<'a>(node: &Node<'a, '_>) -> &'a str {
    let name = node.attribute("class").unwrap_or_default();
    name.rsplit('.').next().unwrap_or_default()
}

fn mti(node: &Node<'_, '_>, losses: &mut Losses) -> Option<EncodingName> {
    match class_name(node) {
        "IFA_NUMERIC" | "IF_CHAR" => Some(EncodingName::Ascii),
        "IFB_NUMERIC" => Some(EncodingName::Bcd),
        "IFE_NUMERIC" | "IFE_CHAR" => Some(EncodingName::Ebcdic),
        other => {
            losses.add("0", format!("class {other} is no MTI that is known; ascii is taken"));
            Some(EncodingName::Ascii)
        }
    }
}

fn bitmap(node: &Node<'_, '_>) -> Option<EncodingName> {
    match class_name(node) {
        "IFA_BITMAP" => Some(EncodingName::Hex),
        "IFB_BITMAP" | "Base1_BITMAP126" => Some(EncodingName::Binary),
        "IFE_BITMAP" => Some(EncodingName::HexEbcdic),
        _ => None,
    }
}

/// What a class says of a field, but for its length.
struct Format {
    class: Class,
    encoding: EncodingName,
    /// Form and width of a length prefix.
    prefix: Option<(PrefixForm, u8)>,
    /// The fill nibble is F.
    fills_with_f: bool,
}

/// `IF`, a family (A ASCII, B packed, E EBCDIC, none), `_`, F for a fill of F, L's for the digits of a length, H for a
/// binary length, E for EBCDIC behind it, and the kind.
fn class(name: &str) -> Option<Format> {
    if name == "IF_CHAR" || name == "IF_ECHAR" {
        let encoding = if name == "IF_CHAR" { EncodingName::Ascii } else { EncodingName::Ebcdic };
        return Some(Format { class: Class::Text, encoding, prefix: None, fills_with_f: false });
    }
    let family = name.strip_prefix("IF")?.chars().next()?;
    let rest = name.strip_prefix("IF")?.get(1..)?.strip_prefix('_')?;
    let without_f = rest.strip_prefix('F').filter(|rest| rest.starts_with('L') || rest.starts_with("NUM"));
    let (rest, fills_with_f) = without_f.map_or((rest, false), |rest| (rest, true));
    let digits = rest.bytes().take_while(|byte| *byte == b'L').count();
    let rest = rest.get(digits..)?;
    let (rest, binary_length) = match rest.strip_prefix('H') {
        Some(rest) if digits > 0 => (rest, true),
        _ => (rest, false),
    };
    let (rest, ebcdic_value) = match rest.strip_prefix('E') {
        Some(rest) if binary_length => (rest, true),
        _ => (rest, false),
    };
    let (of_family, packed, prefix_form) = match family {
        'A' => (EncodingName::Ascii, EncodingName::Ascii, PrefixForm::Ascii),
        'B' => (EncodingName::Ascii, EncodingName::Bcd, PrefixForm::Bcd),
        'E' => (EncodingName::Ebcdic, EncodingName::Ebcdic, PrefixForm::Ebcdic),
        _ => return None,
    };
    let (class, encoding) = match (rest, digits) {
        ("NUMERIC", 0) | ("NUM", 1..) => (Class::Numeric, packed),
        ("CHAR", _) => (Class::Text, if ebcdic_value { EncodingName::Ebcdic } else { of_family }),
        // A fixed one of family A is hexadecimal text; behind a length all are raw.
        ("BINARY", 0) if family == 'A' => (Class::Binary, EncodingName::Hex),
        ("BINARY", _) => (Class::Binary, EncodingName::Binary),
        ("AMOUNT", 0) => (Class::SignedAmount, packed),
        ("AMOUNT2003", 0) => (Class::Numeric, packed),
        _ => return None,
    };
    let prefix = match (digits, binary_length) {
        (0, _) => None,
        // LLH is one byte, LLLH two.
        (digits, true) => Some((PrefixForm::Binary, u8::try_from(digits - 1).ok().filter(|width| *width > 0)?)),
        (digits, false) => Some((prefix_form, u8::try_from(digits).ok()?)),
    };
    Some(Format { class, encoding, prefix, fills_with_f })
}

fn read_field(
    node: &Node<'_, '_>,
    place: &str,
    depth: usize,
    losses: &mut Losses,
) -> Result<Option<FieldFile>, ExchangeError> {
    let name = class_name(node);
    if matches!(name, "IF_NOP" | "IF_UNUSED") {
        return Ok(None);
    }
    let Some(format) = class(name) else {
        losses.add(place, format!("class {name} is not known; the field is left out"));
        return Ok(None);
    };
    for attribute in ["token", "params", "inclusive", "trim"] {
        if let Some(value) = node.attribute(attribute).filter(|value| *value != "false") {
            losses.add(place, format!("{attribute}={value:?} cannot be expressed"));
        }
    }
    let length: u32 =
        required(node, "length")?.parse().map_err(|_| ExchangeError::unreadable(place, "length is no number"))?;
    let longest = u32::from(u16::MAX);
    if length > longest {
        losses.add(place, format!("no message is as long as {length}; {longest} is taken"));
    }
    let length = u16::try_from(length).unwrap_or(u16::MAX);
    let mut field = field(node.attribute("name").unwrap_or_default(), format.class, format.encoding);
    match format.prefix {
        None => field.length = Some(length),
        Some((form, width)) => {
            (field.max, field.prefix, field.prefix_encoding) = (Some(length), Some(width), Some(form));
        }
    }
    if format.encoding == EncodingName::Bcd {
        // Without a word fixed ones are padded on the left, others on the right.
        let left = node.attribute("pad").map_or(format.prefix.is_none(), |pad| pad == "true");
        field.odd_side = Some(if left { Side::Left } else { Side::Right });
        field.odd_spare = format.fills_with_f.then_some(SpareName::F);
    }
    if node.has_tag_name("isofieldpackager") {
        if depth > NESTING_MAX {
            losses.add(place, "packagers are nested too deep; the inner one is taken as bytes");
        } else {
            field.parts = read_layout(node, place, depth, losses)?;
        }
    }
    Ok(Some(field))
}

fn read_layout(
    node: &Node<'_, '_>,
    place: &str,
    depth: usize,
    losses: &mut Losses,
) -> Result<Option<LayoutFile>, ExchangeError> {
    let packager = node.attribute("packager").unwrap_or_default().rsplit('.').next().unwrap_or_default();
    if !matches!(packager, "GenericPackager" | "GenericSubFieldPackager" | "Base1SubFieldPackager") {
        losses.add(place, format!("packager {packager} is not known; the value is taken as it stands"));
        return Ok(None);
    }
    let mut layout = LayoutFile::of(LayoutName::Positional);
    for child in node.children().filter(Node::is_element) {
        let id = required(&child, "id")?;
        let inner = format!("{place}.{id}");
        if let Some(encoding) = bitmap(&child) {
            // One of sixteen bytes has eight where its first bit is not set, which inside a field none has.
            let bytes: u8 = required(&child, "length")?.parse().unwrap_or(8);
            layout.layout = LayoutName::Bitmap;
            (layout.bitmap, layout.bitmap_bytes) = (Some(encoding), Some(bytes.clamp(1, 8)));
            if bytes > 8 {
                losses.add(&*inner, "a second bitmap inside a field cannot be expressed");
            }
            continue;
        }
        if let Some(field) = read_field(&child, &inner, depth + 1, losses)? {
            layout.fields.insert(id.to_owned(), field);
        }
    }
    Ok(Some(layout))
}
