//! pyiso8583: a spec is a Python dictionary of dictionaries, in a module or as JSON.

use std::collections::BTreeMap;

use nom::branch::alt;
use nom::bytes::complete::{is_not, tag, take_while1};
use nom::character::complete::{char, digit1, multispace1, one_of};
use nom::combinator::{map, opt, recognize, value};
use nom::multi::{many0, separated_list0};
use nom::sequence::{delimited, pair, preceded, separated_pair, terminated};
use nom::{IResult, Parser};

use super::{ExchangeError, Losses, field};
use crate::charset::CodePage;
use crate::plan::{Class, PrefixForm, Side};
use crate::spec::Version;
use crate::spec::file::{EncodingName, FieldFile, SpareName, SpecFile};

/// What specs are written with, of Python's literals.
#[derive(Clone, Debug, PartialEq)]
enum Literal {
    Text(String),
    Number(u32),
    /// `None`, `True`, `False`.
    Word,
    Dictionary(BTreeMap<String, Literal>),
}

fn blank(input: &str) -> IResult<&str, ()> {
    let comment = pair(char('#'), opt(is_not("\n")));
    value((), many0(alt((value((), multispace1), value((), comment))))).parse(input)
}

fn text(input: &str) -> IResult<&str, String> {
    let (input, _) = opt(one_of("rbuRBU")).parse(input)?;
    let (input, quote) = one_of("'\"").parse(input)?;
    let stop = if quote == '"' { "\"\\\n" } else { "'\\\n" };
    let mut read = String::new();
    let mut rest = input;
    loop {
        if let Ok((after, part)) = is_not::<_, _, nom::error::Error<&str>>(stop).parse(rest) {
            read.push_str(part);
            rest = after;
        }
        let (after, next) = one_of(stop).parse(rest)?;
        match next {
            '\\' => {
                // What is escaped stands in descriptions only.
                let escaped = after.chars().next();
                read.extend(escaped);
                rest = after.get(escaped.map_or(0, char::len_utf8)..).unwrap_or_default();
            }
            '\n' => return Err(nom::Err::Error(nom::error::Error::new(rest, nom::error::ErrorKind::Char))),
            _ => return Ok((after, read)),
        }
    }
}

/// Dictionaries within dictionaries may not go deeper than this; specs have two levels.
const NESTING_MAX: usize = 4;

fn literal(depth: usize) -> impl Fn(&str) -> IResult<&str, Literal> {
    move |input| {
        let number = map(digit1, |digits: &str| Literal::Number(digits.parse().unwrap_or(u32::MAX)));
        let word = alt((tag("None"), tag("True"), tag("False"), tag("null"), tag("true"), tag("false")));
        let simple = alt((map(text, Literal::Text), number, value(Literal::Word, word))).parse(input);
        match simple {
            Err(nom::Err::Error(_)) if depth < NESTING_MAX => {
                map(|input| dictionary(input, depth), Literal::Dictionary).parse(input)
            }
            other => other,
        }
    }
}

fn dictionary(input: &str, depth: usize) -> IResult<&str, BTreeMap<String, Literal>> {
    let entry = separated_pair(text, delimited(blank, char(':'), blank), literal(depth + 1));
    let entries = separated_list0(delimited(blank, char(','), blank), entry);
    let closed = terminated(entries, (blank, opt(char(',')), blank, char('}')));
    map(preceded((char('{'), blank), closed), |entries| entries.into_iter().collect()).parse(input)
}

/// The dictionaries of a module by the names they are given, or the one a file is.
fn dictionaries(text: &str) -> Vec<(String, BTreeMap<String, Literal>)> {
    let name = |input| -> IResult<&str, String> {
        let word = take_while1(|character: char| character.is_ascii_alphanumeric() || character == '_');
        let annotation = opt((char(':'), is_not("=\n")));
        let (rest, name) = terminated(word, (blank, annotation, char('='), blank)).parse(input)?;
        Ok((rest, name.to_owned()))
    };
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        match dictionary(from, 0) {
            Ok((after, entries)) => {
                let start = before.rfind('\n').map_or(0, |newline| newline + 1);
                let line = rest.get(start..).unwrap_or_default();
                let named = recognize(name).parse(line).ok().and_then(|_| name(line).ok()).map(|(_, name)| name);
                found.push((named.unwrap_or_default(), entries));
                rest = after;
            }
            Err(_) => rest = from.get(1..).unwrap_or_default(),
        }
    }
    found
}

pub(super) fn read(text: &str, name: &str, losses: &mut Losses) -> Result<SpecFile, ExchangeError> {
    let mut all = dictionaries(text);
    all.retain(|(_, entries)| entries.values().any(|entry| matches!(entry, Literal::Dictionary(_))));
    let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
    let chosen = match (names.iter().position(|known| *known == name), names.len()) {
        (Some(at), _) => at,
        (None, 1) => 0,
        (None, 0) => {
            return Err(ExchangeError::unreadable("file", "has no dictionary of dictionaries that reads"));
        }
        (None, _) => {
            let fault = format!("has several dictionaries; name the spec like one of {}", names.join(", "));
            return Err(ExchangeError::unreadable("file", fault));
        }
    };
    let mut spec = SpecFile { version: Some(Version::Iso1987), ..SpecFile::default() };
    let mut page = None;
    for (key, entry) in all.swap_remove(chosen).1 {
        let Literal::Dictionary(entry) = entry else { continue };
        let entry = Entry { place: &key, values: &entry };
        match key.as_str() {
            "h" => {
                if entry.number("max_len")? > 0 {
                    losses.add("h", "a header is the framing's: name it where the link is");
                }
            }
            "t" => spec.mti = Some(entry.encoding(&mut page, losses, EncodingName::Bcd)?),
            "p" => {
                spec.bitmap = Some(match entry.encoding(&mut page, losses, EncodingName::Binary)? {
                    EncodingName::Ascii => EncodingName::Hex,
                    EncodingName::Ebcdic => EncodingName::HexEbcdic,
                    _ => EncodingName::Binary,
                });
            }
            "1" => {}
            key if key.parse().is_ok_and(|de: u8| (2..=128).contains(&de)) => {
                spec.fields.insert(key.to_owned(), Some(entry.field(&mut page, losses)?));
            }
            key => losses.add(key, "is no field that is known; it is left out"),
        }
    }
    spec.code_page = page;
    Ok(spec)
}

/// One field's dictionary.
struct Entry<'a> {
    place: &'a str,
    values: &'a BTreeMap<String, Literal>,
}

impl Entry<'_> {
    fn text(&self, name: &str) -> Option<&str> {
        if let Some(Literal::Text(text)) = self.values.get(name) { Some(text) } else { None }
    }

    fn number(&self, name: &str) -> Result<u32, ExchangeError> {
        match self.values.get(name) {
            Some(Literal::Number(number)) => Ok(*number),
            _ => Err(ExchangeError::unreadable(self.place, format!("{name} is no number"))),
        }
    }

    /// `b` is `packed`; all else is a Python codec.
    fn encoding(
        &self,
        page: &mut Option<CodePage>,
        losses: &mut Losses,
        packed: EncodingName,
    ) -> Result<EncodingName, ExchangeError> {
        let codec =
            self.text("data_enc").ok_or_else(|| ExchangeError::unreadable(self.place, "data_enc is no text"))?;
        if codec == "b" {
            return Ok(packed);
        }
        let Some(known) = codec_page(codec) else {
            losses.add(self.place, format!("codec {codec:?} is not known; ascii is taken"));
            return Ok(EncodingName::Ascii);
        };
        let Some(known) = known else { return Ok(EncodingName::Ascii) };
        if page.is_some_and(|page| page != known) {
            losses.add(self.place, "several code pages in one spec cannot be expressed");
        }
        *page = page.or(Some(known));
        Ok(EncodingName::Ebcdic)
    }

    fn field(&self, page: &mut Option<CodePage>, losses: &mut Losses) -> Result<FieldFile, ExchangeError> {
        let nibbles = self.text("len_count") == Some("nibbles");
        let packed = if nibbles { EncodingName::Bcd } else { EncodingName::Binary };
        let encoding = self.encoding(page, losses, packed)?;
        let class = match encoding {
            EncodingName::Bcd => Class::Numeric,
            EncodingName::Binary => Class::Binary,
            _ => Class::Text,
        };
        let mut read = field(self.text("desc").unwrap_or_default(), class, encoding);
        let max = u16::try_from(self.number("max_len")?).unwrap_or(u16::MAX);
        let digits = u8::try_from(self.number("len_type")?).unwrap_or(u8::MAX);
        if digits == 0 {
            read.length = Some(max);
        } else {
            let codec = self.text("len_enc").unwrap_or("ascii");
            // Of packed and binary lengths the bytes are counted, of others the digits.
            let (form, width) = match codec {
                "b" => (PrefixForm::Binary, digits),
                "bcd" => (PrefixForm::Bcd, digits.saturating_mul(2)),
                codec if codec_page(codec).flatten().is_some() => (PrefixForm::Ebcdic, digits),
                _ => (PrefixForm::Ascii, digits),
            };
            (read.max, read.prefix, read.prefix_encoding) = (Some(max), Some(width), Some(form));
        }
        if encoding == EncodingName::Bcd {
            let right = self.text("right_pad").filter(|pad| !pad.is_empty());
            let pad = right.or_else(|| self.text("left_pad")).unwrap_or("0");
            read.odd_side = Some(if right.is_some() { Side::Right } else { Side::Left });
            read.odd_spare = match pad {
                "F" | "f" => Some(SpareName::F),
                "0" | "" => None,
                other => {
                    losses.add(self.place, format!("a fill of {other:?} cannot be expressed; 0 is taken"));
                    None
                }
            };
        }
        Ok(read)
    }
}

/// The page of a codec of Python; `Some(None)` is ASCII.
fn codec_page(codec: &str) -> Option<Option<CodePage>> {
    match codec.to_ascii_lowercase().replace(['-', '_'], "").as_str() {
        "ascii" | "latin1" | "iso88591" | "utf8" | "cp1252" => Some(None),
        "cp037" | "cp1140" | "ibm037" => Some(Some(CodePage::Cp037)),
        "cp500" | "ebcdiccpbe" | "ibm500" => Some(Some(CodePage::Cp500)),
        "cp1047" => Some(Some(CodePage::Cp1047)),
        _ => None,
    }
}
