//! A message for people: names, words for codes, card data masked.

use std::fmt::Write;

use crate::codes;
use crate::domain::{AdditionalAmount, Currency, OriginalData, OriginalData1993, amount_in_words};
use crate::json::masked;
use crate::message::Message;
use crate::plan::{FieldInfo, LayoutId, Sensitivity};
use crate::spec::{Spec, Version};
use crate::value::{Parts, Value};
use crate::{emv, wire};

/// One line a data element: number, name, value, and what the value means; parts and EMV data objects on lines of
/// their own. Last, what the spec misses or did not expect.
pub fn describe(spec: &Spec, message: &Message<'_>) -> String {
    let words = codes::mti(message.mti()).unwrap_or_else(|| "message".to_owned());
    let mut text = format!("{} {words}\n", message.mti());
    let currency = message.text(49);
    for de in message.des() {
        let (Some(info), Some(value)) = (spec.field(de), message.value(de)) else { continue };
        let layout = spec.plan(de).and_then(|plan| plan.layout);
        let meaning = |value: &str| meaning(spec.version(), de, value, currency.as_deref());
        line(&mut text, 2, &de.to_string(), info, &value, meaning);
        if let Value::Parts(parts) = &value {
            describe_parts(&mut text, spec, layout, parts, info.sensitivity, 4);
        }
        if let Some(objects) = emv_objects(info, &value) {
            text.push_str(&objects);
        }
    }
    for fault in spec.presence_faults(message) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  ! {fault}");
    }
    text
}

/// The widest value that is shown whole.
const WIDTH: usize = 44;

fn line(
    text: &mut String,
    indent: usize,
    key: &str,
    info: &FieldInfo,
    value: &Value,
    meaning: impl Fn(&str) -> Option<String>,
) {
    let flat = value.flat();
    let shown = flat.as_deref().map(|flat| masked(info.sensitivity, flat)).unwrap_or_default();
    let meaning = match (&flat, info.sensitivity) {
        (None, _) => String::new(),
        (Some(_), Some(kind)) if kind != Sensitivity::Pan => {
            format!("({} hidden)", if info.is_binary { "bytes" } else { "characters" })
        }
        (Some(flat), _) => meaning(flat).unwrap_or_default(),
    };
    // What is shown is of printable characters, one byte each.
    let shown = if shown.len() > WIDTH { format!("{}…", shown.get(..WIDTH - 1).unwrap_or_default()) } else { shown };
    let line = format!("{:indent$}{key:>3}  {:<40}  {shown}  {meaning}", "", info.name);
    let _ = writeln!(text, "{}", line.trim_end());
}

fn describe_parts(
    text: &mut String,
    spec: &Spec,
    layout: Option<LayoutId>,
    parts: &Parts,
    inherited: Option<Sensitivity>,
    indent: usize,
) {
    let layout = layout.and_then(|id| spec.layout(id));
    for (key, value) in parts.iter() {
        let part = layout.and_then(|layout| layout.by_key(key));
        let info = FieldInfo {
            name: part.map_or_else(|| "not known".to_owned(), |part| part.info.name.clone()),
            sensitivity: part.and_then(|part| part.info.sensitivity).or(inherited),
            is_binary: matches!(value, Value::Binary(_)),
            max: 0,
        };
        line(text, indent, key, &info, value, |_| None);
        if let Value::Parts(inner) = value {
            describe_parts(text, spec, part.and_then(|part| part.plan.layout), inner, info.sensitivity, indent + 2);
        }
    }
}

/// The data objects of a field that is marked as EMV data, be it bytes or hexadecimal characters.
fn emv_objects(info: &FieldInfo, value: &Value) -> Option<String> {
    if info.sensitivity != Some(Sensitivity::Emv) {
        return None;
    }
    match value {
        Value::Binary(bytes) => emv::describe(bytes, "       "),
        Value::Text(text) => emv::describe(&wire::from_hex(text)?, "       "),
        Value::Parts(_) => None,
    }
}

fn meaning(version: Version, de: u8, value: &str, currency: Option<&str>) -> Option<String> {
    let is_1987 = version == Version::Iso1987;
    match de {
        3 => codes::processing_code(value),
        4 if version == Version::Iso2003 => amount_of_2003(value),
        4 => Some(amount_in_words(value, currency)),
        7 => Some(format!("{}-{} {}", value.get(..2)?, value.get(2..4)?, clock(value.get(4..)?)?)),
        12 if is_1987 => clock(value),
        22 if is_1987 => codes::pos_entry_mode(value),
        22 => codes::pos_data(value),
        24 if !is_1987 => codes::function(value).map(str::to_owned),
        39 => codes::response_code(version, value).map(str::to_owned),
        49..=51 if is_1987 || version == Version::Iso1993 => {
            Currency::parse(value.trim_start_matches(|digit| digit == '0' && value.len() > 3))
                .map(|c| c.code().to_owned())
        }
        54 => additional_amounts(value),
        70 if is_1987 => codes::network_management(value).map(str::to_owned),
        90 if is_1987 => {
            let original = OriginalData::parse(value).ok()?;
            Some(format!("of {} with trace number {}", original.mti, original.stan))
        }
        56 if version == Version::Iso1993 => {
            let original = OriginalData1993::parse(value).ok()?;
            Some(format!("of {} with trace number {}", original.mti, original.stan))
        }
        _ => None,
    }
}

fn clock(value: &str) -> Option<String> {
    Some(format!("{}:{}:{}", value.get(..2)?, value.get(2..4)?, value.get(4..6)?))
}

/// Currency, exponent, amount (ISO 8583:2003, DE 4).
fn amount_of_2003(value: &str) -> Option<String> {
    Some(amount_in_words(value.get(4..)?, value.get(..3)))
}

fn additional_amounts(value: &str) -> Option<String> {
    let items = AdditionalAmount::parse_all(value).ok()?;
    let words = items.iter().map(|item| {
        let kind = codes::amount_type(&item.amount_type).unwrap_or(&item.amount_type);
        let sign = if item.amount < 0 { "-" } else { "" };
        format!("{kind} {sign}{}", amount_in_words(&item.amount.unsigned_abs().to_string(), Some(&item.currency)))
    });
    Some(words.collect::<Vec<_>>().join(", "))
}
