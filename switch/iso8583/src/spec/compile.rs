//! From the file to the flat tables that messages are decoded and encoded by.

use super::file::{EncodingName, FieldFile, LayoutFile, LayoutName, SpareName, SpecFile, Unknown};
use super::layout::{Layout, PartPlan, Shape, TagForm, UnknownTag};
use super::presence::Presence;
use super::{Spec, SpecError, Version};
use crate::LAST_DATA_ELEMENT;
use crate::charset::CodePage;
use crate::plan::{Class, Counts, Encoding, FieldInfo, Fill, LayoutId, Length, Plan, Prefix, PrefixForm, Side, Spare};
use crate::wire::PREFIX_WIDTH_MAX;

/// Parts within parts may not go deeper than this.
pub(crate) const NESTING_MAX: usize = 4;
/// A layout, and a value in a message, has at most this many parts.
pub(crate) const PARTS_MAX: usize = 256;
/// The longest value: no message is longer.
const VALUE_MAX: u16 = u16::MAX;

/// A fault with the path of its place, from the inside out.
struct Fault {
    path: Vec<String>,
    fault: String,
}

impl Fault {
    fn new(fault: impl Into<String>) -> Self {
        Self { path: Vec::new(), fault: fault.into() }
    }

    fn at(mut self, place: impl Into<String>) -> Self {
        self.path.push(place.into());
        self
    }
}

impl From<&str> for Fault {
    fn from(fault: &str) -> Self {
        Self::new(fault)
    }
}

struct Compiler<'a> {
    source: &'a SpecFile,
    page: CodePage,
    layouts: Vec<Layout>,
}

/// Compiles a spec that extends nothing any more. `file` is for errors.
pub(crate) fn compile(file: &str, source: &SpecFile) -> Result<Spec, SpecError> {
    compile_all(source).map_err(|fault| {
        let place: Vec<&str> = fault.path.iter().rev().map(String::as_str).collect();
        SpecError::new(file, place.join("."), fault.fault)
    })
}

fn compile_all(source: &SpecFile) -> Result<Spec, Fault> {
    let page = source.code_page.unwrap_or_default();
    let mti =
        match source.mti.ok_or_else(|| Fault::from("missing; write \"ascii\", \"ebcdic\" or \"bcd\"").at("mti"))? {
            EncodingName::Ascii => Encoding::Ascii,
            EncodingName::Ebcdic => Encoding::Ebcdic(page),
            EncodingName::Bcd => Encoding::Bcd,
            _ => return Err(Fault::from("write \"ascii\", \"ebcdic\" or \"bcd\"").at("mti")),
        };
    let bitmap = bitmap_encoding(source.bitmap).map_err(|fault| fault.at("bitmap"))?;
    let both_bitmaps = match source.bitmap_bytes {
        None | Some(8) => false,
        Some(16) => true,
        Some(_) => return Err(Fault::from("write 8 or 16").at("bitmap_bytes")),
    };
    let mut compiler = Compiler { source, page, layouts: Vec::new() };
    let size = usize::from(LAST_DATA_ELEMENT) + 1;
    let mut plans = vec![None; size];
    let mut infos = vec![None; size];
    for (key, field) in &source.fields {
        let Some(field) = field else { continue };
        let place = |fault: Fault| fault.at(key).at("fields");
        let de = number(key).filter(|de| (2..=LAST_DATA_ELEMENT).contains(de));
        let de = de.ok_or_else(|| place(Fault::from("is no data element; write a number from 2 to 128")))?;
        let (plan, info) = compiler.field(field, Place::Element, 1).map_err(place)?;
        plans[usize::from(de)] = Some(plan);
        infos[usize::from(de)] = Some(info);
    }
    let known = |de: u8| plans.get(usize::from(de)).is_some_and(Option::is_some);
    let presence = source
        .presence
        .iter()
        .map(|(mti, file)| Presence::new(mti, file, known).map_err(|fault| Fault::new(fault).at(mti).at("presence")));
    Ok(Spec {
        presence: presence.collect::<Result<_, _>>()?,
        name: source.name.clone(),
        description: source.description.clone(),
        version: source.version.unwrap_or(Version::Iso1987),
        mti,
        bitmap,
        both_bitmaps,
        layouts: compiler.layouts,
        plans,
        infos,
    })
}

/// A number as it is written in one way only: 02 beside 2 would be the same place twice.
fn number<N: std::str::FromStr + std::fmt::Display>(key: &str) -> Option<N> {
    key.parse().ok().filter(|number: &N| number.to_string() == key)
}

fn bitmap_encoding(name: Option<EncodingName>) -> Result<Encoding, Fault> {
    match name {
        Some(EncodingName::Binary) => Ok(Encoding::Binary),
        Some(EncodingName::Hex) => Ok(Encoding::Hex),
        Some(EncodingName::HexEbcdic) => Ok(Encoding::HexEbcdic),
        None => Err("missing; write \"binary\", \"hex\" or \"hex-ebcdic\"".into()),
        Some(_) => Err("write \"binary\", \"hex\" or \"hex-ebcdic\"".into()),
    }
}

/// Where a field stands, which says how it may be long.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Element,
    /// A part that has to say itself how long it is.
    Part,
    /// A part behind a tag and a length.
    Tagged,
}

impl Compiler<'_> {
    fn field(&mut self, field: &FieldFile, place: Place, depth: usize) -> Result<(Plan, FieldInfo), Fault> {
        let encoding = self.encoding(field).map_err(|fault| fault.at("encoding"))?;
        let length = self.length(field, place)?;
        if field.class == Class::SignedAmount && !matches!(length, Length::Fixed(2..)) {
            return Err("class x+n has a fixed length of at least 2".into());
        }
        let layout = match &field.parts {
            None => None,
            Some(_) if matches!(encoding, Encoding::Hex | Encoding::HexEbcdic | Encoding::Bcd) => {
                return Err(Fault::from("a value made of parts is of class b or ans and not packed or hexadecimal")
                    .at("encoding"));
            }
            Some(parts) => Some(self.layout(parts, depth).map_err(|fault| fault.at("parts"))?),
        };
        let fill = fill(field, length)?;
        let plan = Plan { class: field.class, encoding, length, spare: self.spare(field, length), fill, layout };
        let info = FieldInfo {
            name: field.name.clone(),
            sensitivity: field.sensitive,
            is_binary: plan.class == Class::Binary,
            max: length.max(),
        };
        Ok((plan, info))
    }

    fn encoding(&self, field: &FieldFile) -> Result<Encoding, Fault> {
        let all = self.source.encodings;
        let (of_class, class) = match field.class {
            Class::Numeric => (all.n, "n"),
            Class::Alphabetic | Class::Alphanumeric | Class::Text => (all.ans, "ans"),
            Class::Track => (all.z, "z"),
            Class::SignedAmount => (all.signed, "x+n"),
            Class::Binary => (all.b, "b"),
        };
        let name = field.encoding.or(of_class);
        let name = name.ok_or_else(|| Fault::new(format!("missing; write it here or in \"encodings\" for {class}")))?;
        match (field.class, name) {
            (Class::Binary, EncodingName::Hex) => Ok(Encoding::Hex),
            (Class::Binary, EncodingName::HexEbcdic) => Ok(Encoding::HexEbcdic),
            (Class::Binary, EncodingName::Binary) => Ok(Encoding::Binary),
            (Class::Binary, _) => Err("class b is written \"hex\", \"hex-ebcdic\" or \"binary\"".into()),
            (_, EncodingName::Ascii) => Ok(Encoding::Ascii),
            (_, EncodingName::Ebcdic) => Ok(Encoding::Ebcdic(self.page)),
            (Class::Numeric | Class::Track | Class::SignedAmount, EncodingName::Bcd) => Ok(Encoding::Bcd),
            (Class::Numeric | Class::Track | Class::SignedAmount, _) => {
                Err("classes n, z and x+n are written \"ascii\", \"ebcdic\" or \"bcd\"".into())
            }
            _ => Err("classes a, an and ans are written \"ascii\" or \"ebcdic\"".into()),
        }
    }

    fn length(&self, field: &FieldFile, place: Place) -> Result<Length, Fault> {
        match (field.length, field.max, field.prefix) {
            (Some(length @ 1..), None, None) => Ok(Length::Fixed(length)),
            (None, Some(max @ 1..), Some(width)) => {
                let form = field.prefix_encoding.or(self.source.encodings.prefix).ok_or_else(|| {
                    Fault::from("missing; write it here or in \"encodings\" for prefix").at("prefix_encoding")
                })?;
                let prefix = Prefix {
                    width,
                    form,
                    counts: field.prefix_counts.unwrap_or_default(),
                    inclusive: field.prefix_includes_itself,
                };
                check_width(width, form).map_err(|fault| fault.at("prefix"))?;
                Ok(Length::Variable { prefix, max })
            }
            (None, max, None) if place == Place::Tagged => Ok(Length::Given { max: max.unwrap_or(VALUE_MAX) }),
            _ if place == Place::Tagged => {
                Err("write \"length\", or \"max\", or neither: the tag's length says how long the value is".into())
            }
            _ => Err("write either \"length\" (at least 1) or \"max\" with \"prefix\"".into()),
        }
    }

    fn spare(&self, field: &FieldFile, length: Length) -> Spare {
        let all = self.source.odd_digits;
        let side = field.odd_side.unwrap_or(match length {
            Length::Fixed(_) => all.fixed.unwrap_or(Side::Left),
            Length::Variable { .. } | Length::Given { .. } => all.variable.unwrap_or(Side::Right),
        });
        let holds = match field.odd_spare.or(all.spare).unwrap_or(SpareName::Zero) {
            SpareName::Zero => 0,
            SpareName::F => 0x0F,
        };
        Spare { side, holds }
    }

    fn layout(&mut self, file: &LayoutFile, depth: usize) -> Result<LayoutId, Fault> {
        if depth > NESTING_MAX {
            return Err(Fault::new(format!("parts may be {NESTING_MAX} deep; make this one plain bytes")));
        }
        if file.fields.len() > PARTS_MAX {
            return Err(Fault::new(format!("more than {PARTS_MAX} parts")).at("fields"));
        }
        let shape = self.shape(file)?;
        let mut parts = Vec::with_capacity(file.fields.len());
        for (key, field) in &file.fields {
            let part = self.part(key, field, shape, depth).map_err(|fault| fault.at(key).at("fields"))?;
            parts.push(part);
        }
        parts.sort_by(|a, b| a.number.cmp(&b.number).then_with(|| a.key.cmp(&b.key)));
        let unknown = match file.unknown.unwrap_or_default() {
            Unknown::Reject => UnknownTag::Reject,
            Unknown::Skip => UnknownTag::Skip,
            Unknown::Keep => UnknownTag::Keep(self.unknown_plan(shape)),
        };
        if file.unknown.is_some() && matches!(shape, Shape::Positional | Shape::Bitmap { .. }) {
            return Err(Fault::from("only layouts with tags have unknown ones; leave it out").at("unknown"));
        }
        let id = u16::try_from(self.layouts.len()).map_err(|_| Fault::from("too many layouts in one spec"))?;
        self.layouts.push(Layout { shape, unknown, parts });
        Ok(LayoutId(id))
    }

    fn shape(&self, file: &LayoutFile) -> Result<Shape, Fault> {
        let tagged = matches!(file.layout, LayoutName::Tlv | LayoutName::Ltv);
        for (name, given, wanted) in [
            ("bitmap", file.bitmap.is_some(), file.layout == LayoutName::Bitmap),
            ("bitmap_bytes", file.bitmap_bytes.is_some(), file.layout == LayoutName::Bitmap),
            ("tag", file.tag.is_some(), tagged),
            ("tag_encoding", file.tag_encoding.is_some(), tagged),
            ("prefix", file.prefix.is_some(), tagged),
            ("prefix_encoding", file.prefix_encoding.is_some(), tagged),
        ] {
            if given && !wanted {
                return Err(Fault::from("is not for this layout; leave it out").at(name));
            }
        }
        match file.layout {
            LayoutName::Positional => Ok(Shape::Positional),
            LayoutName::BerTlv => Ok(Shape::BerTlv),
            LayoutName::Bitmap => {
                let encoding = bitmap_encoding(file.bitmap.or(Some(EncodingName::Binary)));
                let encoding = encoding.map_err(|fault| fault.at("bitmap"))?;
                match file.bitmap_bytes {
                    Some(bytes @ 1..=16) => Ok(Shape::Bitmap { encoding, bytes }),
                    _ => Err(Fault::from("missing or out of range; write 1 to 16").at("bitmap_bytes")),
                }
            }
            LayoutName::Dataset => Ok(Shape::Tagged {
                tag: TagForm { width: 1, form: PrefixForm::Binary },
                length: plain_prefix(2, PrefixForm::Binary),
                length_first: false,
            }),
            LayoutName::Tlv | LayoutName::Ltv => {
                let common = self.source.encodings.prefix;
                let missing = |name: &str| Fault::from("missing; write it here").at(name);
                let width = file.tag.filter(|width| (1..=8).contains(width));
                let width = width.ok_or_else(|| Fault::from("missing or out of range; write 1 to 8").at("tag"))?;
                let form = file.tag_encoding.or(common).ok_or_else(|| missing("tag_encoding"))?;
                let length_form = file.prefix_encoding.or(common).ok_or_else(|| missing("prefix_encoding"))?;
                let length_width = file.prefix.ok_or_else(|| missing("prefix"))?;
                check_width(length_width, length_form).map_err(|fault| fault.at("prefix"))?;
                Ok(Shape::Tagged {
                    tag: TagForm { width, form },
                    length: plain_prefix(length_width, length_form),
                    length_first: file.layout == LayoutName::Ltv,
                })
            }
        }
    }

    fn part(&mut self, key: &str, field: &FieldFile, shape: Shape, depth: usize) -> Result<PartPlan, Fault> {
        let number: Option<u16> = number(key);
        let hexadecimal =
            |key: &str| crate::wire::from_hex(key).is_some() && !key.bytes().any(|byte| byte.is_ascii_lowercase());
        let (number, place) = match shape {
            Shape::Positional => {
                (number.ok_or_else(|| Fault::from("positions are numbers; write 1, 2, 3 …"))?, Place::Part)
            }
            Shape::Bitmap { bytes, .. } => {
                let bits = 1..=u16::from(bytes) * 8;
                let number = number.filter(|number| bits.contains(number));
                (number.ok_or_else(|| Fault::from("is no bit of the bitmap; they are counted from 1"))?, Place::Part)
            }
            Shape::Tagged { tag, .. } => {
                let fits = match tag.form {
                    PrefixForm::Binary => hexadecimal(key) && key.len() == usize::from(tag.width) * 2,
                    PrefixForm::Bcd => key.len() == usize::from(tag.width) && crate::check::digits(key.as_bytes()),
                    PrefixForm::Ascii | PrefixForm::Ebcdic => {
                        key.len() == usize::from(tag.width) && crate::check::printable(key.as_bytes())
                    }
                };
                let fault = "is no tag of this layout; write as many characters as \"tag\" says, binary tags in \
                             upper-case hexadecimal";
                (fits.then_some(0).ok_or_else(|| Fault::from(fault))?, Place::Tagged)
            }
            Shape::BerTlv => {
                let one_tag = crate::wire::from_hex(key).is_some_and(|tag| crate::tlv::is_tag(&tag));
                if !one_tag || !hexadecimal(key) {
                    return Err("is no tag; write upper-case hexadecimal: 9F02".into());
                }
                (0, Place::Tagged)
            }
        };
        let (plan, info) = self.field(field, place, depth + 1)?;
        Ok(PartPlan { key: key.to_owned(), number, plan, info })
    }

    /// Values of unknown tags: characters where tags are characters, else bytes.
    fn unknown_plan(&self, shape: Shape) -> Plan {
        let (class, encoding) = match shape {
            Shape::Tagged { tag: TagForm { form: PrefixForm::Ascii, .. }, .. } => (Class::Text, Encoding::Ascii),
            Shape::Tagged { tag: TagForm { form: PrefixForm::Ebcdic, .. }, .. } => {
                (Class::Text, Encoding::Ebcdic(self.page))
            }
            _ => (Class::Binary, Encoding::Binary),
        };
        let spare = Spare { side: Side::Right, holds: 0 };
        Plan { class, encoding, length: Length::Given { max: VALUE_MAX }, spare, fill: None, layout: None }
    }
}

/// What short values are filled with, by the class where nothing is said.
fn fill(field: &FieldFile, length: Length) -> Result<Option<Fill>, Fault> {
    let is_said = field.fill.is_some() || field.fill_side.is_some();
    let (side, with) = match field.class {
        Class::Numeric => (Side::Left, '0'),
        Class::Alphabetic | Class::Alphanumeric | Class::Text => (Side::Right, ' '),
        Class::Binary | Class::Track | Class::SignedAmount if is_said => {
            return Err(Fault::from("only values of classes n, a, an and ans are filled; leave it out").at("fill"));
        }
        Class::Binary | Class::Track | Class::SignedAmount => return Ok(None),
    };
    if is_said && !matches!(length, Length::Fixed(_)) {
        return Err(Fault::from("only values of a fixed length are filled; leave it out").at("fill"));
    }
    let (side, with) = (field.fill_side.unwrap_or(side), field.fill.unwrap_or(with));
    let with = u8::try_from(with).ok().filter(|with| crate::check::writable(field.class, &[*with]).is_ok());
    let with = with.ok_or_else(|| Fault::from("is no character of the field's class").at("fill"))?;
    Ok(Some(Fill { side, with }))
}

fn plain_prefix(width: u8, form: PrefixForm) -> Prefix {
    Prefix { width, form, counts: Counts::Wire, inclusive: false }
}

fn check_width(width: u8, form: PrefixForm) -> Result<(), Fault> {
    let most = if form == PrefixForm::Binary { 2 } else { PREFIX_WIDTH_MAX };
    if (1..=most).contains(&usize::from(width)) {
        Ok(())
    } else {
        Err(Fault::new(format!("write 1 to {PREFIX_WIDTH_MAX} digits, or 1 to 2 bytes of a binary one")))
    }
}
