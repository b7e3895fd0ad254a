//! A message for people: names, words for codes, card data masked.

use std::fmt::Write;
use std::sync::LazyLock;

use crate::domain::Currency;
use crate::message::Message;
use crate::plan::Sensitivity;
use crate::spec::Spec;
use crate::tool::{masked, to_hex};

/// DE 39 in words, from `specs/response-codes.json`.
static RESPONSE_CODES: LazyLock<std::collections::HashMap<String, String>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../../specs/response-codes.json")).unwrap_or_default());

/// The meaning of a DE 39 of 1987.
pub fn response_code_in_words(code: &str) -> Option<&'static str> {
    RESPONSE_CODES.get(code).map(String::as_str)
}

/// One line a data element: number, name, value, and what the value means.
pub fn describe(spec: &Spec, message: &Message<'_>) -> String {
    let mut text = format!("{} {}\n", message.mti(), mti_in_words(message.mti()));
    let currency = message.text(49);
    for de in message.des() {
        let Some(info) = spec.field(de) else { continue };
        let value = message.text(de).map(std::borrow::Cow::into_owned);
        let value = value.or_else(|| message.binary(de).map(|bytes| to_hex(&bytes))).unwrap_or_default();
        let shown = masked(info.sensitivity, &value);
        let meaning = if info.sensitivity.is_some_and(|kind| kind != Sensitivity::Pan) {
            format!("({} hidden)", if info.is_binary { "bytes" } else { "characters" })
        } else {
            meaning(de, &value, currency.as_deref()).unwrap_or_default()
        };
        let shown = if shown.len() > 44 { format!("{}…", shown.get(..43).unwrap_or_default()) } else { shown };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "  {de:>3}  {:<40}  {shown}{}{meaning}",
            info.name,
            if meaning.is_empty() { "" } else { "  " }
        );
    }
    text
}

fn mti_in_words(mti: &str) -> &'static str {
    match mti {
        "0100" => "authorization request",
        "0110" => "authorization response",
        "0120" => "authorization advice",
        "0130" => "authorization advice response",
        "0200" => "financial request",
        "0201" => "financial request repeat",
        "0210" => "financial response",
        "0220" => "financial advice",
        "0221" => "financial advice repeat",
        "0230" => "financial advice response",
        "0400" => "reversal request",
        "0401" => "reversal request repeat",
        "0410" => "reversal response",
        "0420" => "reversal advice",
        "0421" => "reversal advice repeat",
        "0430" => "reversal advice response",
        "0800" => "network management request",
        "0810" => "network management response",
        _ => "message",
    }
}

fn meaning(de: u8, value: &str, currency: Option<&str>) -> Option<String> {
    match de {
        3 => Some(
            match value.get(..2)? {
                "00" => "purchase",
                "01" => "cash",
                "09" => "purchase with cashback",
                "20" => "refund",
                "31" => "balance inquiry",
                _ => return None,
            }
            .to_owned(),
        ),
        4 => Some(amount_in_words(value, currency)),
        39 => response_code_in_words(value).map(str::to_owned),
        70 => Some(
            match value {
                "001" => "sign-on",
                "002" => "sign-off",
                "101" => "key exchange",
                "201" => "cut-over",
                "301" => "echo",
                _ => return None,
            }
            .to_owned(),
        ),
        54 => {
            let items = crate::domain::AdditionalAmount::parse_all(value).ok()?;
            let words = items.iter().map(|item| {
                let kind = match item.amount_type.as_str() {
                    "01" => "ledger",
                    "02" => "available",
                    "40" => "cashback",
                    other => other,
                };
                let sign = if item.amount < 0 { "-" } else { "" };
                format!(
                    "{kind} {sign}{}",
                    amount_in_words(&item.amount.unsigned_abs().to_string(), Some(&item.currency))
                )
            });
            Some(words.collect::<Vec<_>>().join(", "))
        }
        _ => None,
    }
}

/// Minor units with the point where the currency has it (ISO 4217); two decimals when it is not known.
pub fn amount_in_words(minor: &str, currency: Option<&str>) -> String {
    let known = currency.and_then(Currency::parse);
    let name = known.map_or(currency.unwrap_or_default(), |currency| currency.code());
    let decimals = known.map_or(2, |currency| usize::try_from(currency.exponent()).unwrap_or(2));
    let minor = minor.trim_start_matches('0');
    let padded = format!("{minor:0>width$}", width = decimals + 1);
    let (major, rest) = padded.split_at(padded.len() - decimals);
    let point = if decimals == 0 { "" } else { "." };
    format!("{major}{point}{rest} {name}").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_their_currency_s_decimals() {
        for (minor, currency, words) in [
            ("000000001250", Some("710"), "12.50 ZAR"),
            ("000000000005", Some("392"), "5 JPY"),
            ("1234", Some("048"), "1.234 BHD"),
            ("0", Some("840"), "0.00 USD"),
            ("77", Some("000"), "0.77 000"),
            ("77", None, "0.77"),
        ] {
            assert_eq!(amount_in_words(minor, currency), words);
        }
    }
}
