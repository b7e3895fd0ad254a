//! Codes in words, and what they are in other editions of the standard: `specs/codes.json`.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::Version;

type Words = HashMap<String, String>;

#[derive(Default, Deserialize)]
struct Codes {
    transaction_types: Words,
    account_types: Words,
    amount_types: Words,
    network_management: Words,
    functions_1993: Words,
    pan_entry_modes_1987: Words,
    pin_entry_capabilities_1987: Words,
    pos_data_1993: Vec<Position>,
    same_in_1987_and_1993: Vec<u8>,
    response_codes_1987: Words,
    action_codes_1993: Vec<ActionCode>,
}

/// One of the twelve characters of DE 22 of 1993.
#[derive(Deserialize)]
struct Position {
    name: String,
    codes: Words,
}

#[derive(Deserialize)]
struct ActionCode {
    code: String,
    meaning: String,
    #[serde(rename = "1987")]
    response_1987: Option<String>,
}

/// A test reads the file, so that it cannot be one that does not read.
static CODES: LazyLock<Codes> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../../specs/codes.json")).unwrap_or_default());

fn word(words: &'static Words, code: &str) -> Option<&'static str> {
    words.get(code).map(String::as_str)
}

/// DE 39 in words: a response code of 1987, an action code of later editions (whose fourth digit is ours to ignore).
pub fn response_code(version: Version, code: &str) -> Option<&'static str> {
    match version {
        Version::Iso1987 => word(&CODES.response_codes_1987, code),
        Version::Iso1993 | Version::Iso2003 => {
            let known = |entry: &&ActionCode| code.get(..3) == Some(entry.code.as_str());
            CODES.action_codes_1993.iter().find(known).map(|entry| entry.meaning.as_str())
        }
    }
}

/// The action code of 1993 for a response code of 1987.
pub fn action_of_response(response: &str) -> Option<&'static str> {
    let entry = CODES.action_codes_1993.iter().find(|entry| entry.response_1987.as_deref() == Some(response));
    entry.map(|entry| entry.code.as_str())
}

/// The response code of 1987 for an action code of 1993.
pub fn response_of_action(action: &str) -> Option<&'static str> {
    CODES.action_codes_1993.iter().find(|entry| entry.code == action)?.response_1987.as_deref()
}

/// Whether a data element has the same content in both editions.
pub fn is_same_in_1987_and_1993(de: u8) -> bool {
    CODES.same_in_1987_and_1993.contains(&de)
}

/// DE 3 in words: what is done, from which account to which.
pub fn processing_code(code: &str) -> Option<String> {
    let what = word(&CODES.transaction_types, code.get(..2)?)?;
    let accounts = [code.get(2..4), code.get(4..6)].map(|code| word(&CODES.account_types, code?));
    Some(match accounts {
        [Some("default") | None, Some("default") | None] => what.to_owned(),
        [from, to] => format!("{what}, {} to {}", from.unwrap_or("default"), to.unwrap_or("default")),
    })
}

/// An amount type of DE 54 in words.
pub fn amount_type(code: &str) -> Option<&'static str> {
    word(&CODES.amount_types, code)
}

/// DE 70 of 1987 in words.
pub fn network_management(code: &str) -> Option<&'static str> {
    word(&CODES.network_management, code)
}

/// DE 24 of 1993 in words.
pub fn function(code: &str) -> Option<&'static str> {
    word(&CODES.functions_1993, code)
}

/// DE 22 of 1987 in words: how the card's number was read, whether PINs can be entered.
pub fn pos_entry_mode(code: &str) -> Option<String> {
    // Visa has a fourth digit behind the three.
    let pan = word(&CODES.pan_entry_modes_1987, code.get(..2)?)?;
    let pin = word(&CODES.pin_entry_capabilities_1987, code.get(2..3)?)?;
    Some(format!("{pan}, {pin}"))
}

/// DE 22 of 1993 in words, without what is not known.
pub fn pos_data(code: &str) -> Option<String> {
    if code.len() != CODES.pos_data_1993.len() || !code.is_ascii() {
        return None;
    }
    let words = CODES.pos_data_1993.iter().enumerate().filter_map(|(at, position)| {
        let meaning = position.codes.get(code.get(at..=at)?)?;
        (meaning != "unknown" && meaning != "unspecified").then(|| format!("{}: {meaning}", position.name))
    });
    Some(words.collect::<Vec<_>>().join("; "))
}

/// An MTI in words.
pub fn mti(mti: &str) -> Option<String> {
    let mut digits = mti.bytes().skip(1).map(char::from);
    let class = match digits.next()? {
        '1' => "authorization",
        '2' => "financial",
        '3' => "file action",
        '4' => "reversal",
        '5' => "reconciliation",
        '6' => "administrative",
        '7' => "fee collection",
        '8' => "network management",
        _ => return None,
    };
    let function = match digits.next()? {
        '0' => "request",
        '1' => "response",
        '2' => "advice",
        '3' => "advice response",
        '4' => "notification",
        '5' => "notification acknowledgement",
        _ => return None,
    };
    let origin = match digits.next()? {
        '0' => "",
        '1' => " repeat",
        '2' => " by the issuer",
        '3' => " repeat by the issuer",
        '4' => " by another",
        '5' => " repeat by another",
        _ => return None,
    };
    Some(format!("{class} {function}{origin}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_reads_and_codes_lead_back() {
        serde_json::from_str::<Codes>(include_str!("../../../specs/codes.json")).unwrap();
        let mut pairs = 0;
        for entry in &CODES.action_codes_1993 {
            if let Some(response) = &entry.response_1987 {
                pairs += 1;
                assert_eq!(action_of_response(response), Some(entry.code.as_str()), "{response} is there twice");
                assert_eq!(response_of_action(&entry.code), Some(response.as_str()));
            }
        }
        assert!(pairs > 50);
    }

    #[test]
    fn codes_in_words() {
        assert_eq!(response_code(Version::Iso1987, "51"), Some("insufficient funds"));
        assert_eq!(response_code(Version::Iso1993, "116"), Some("not sufficient funds"));
        assert_eq!(response_code(Version::Iso2003, "1160"), Some("not sufficient funds"));
        assert_eq!(response_code(Version::Iso1993, "51"), None);
        assert_eq!(processing_code("000000").as_deref(), Some("purchase"));
        assert_eq!(processing_code("011000").as_deref(), Some("cash, savings to default"));
        assert_eq!(processing_code("990000"), None);
        assert_eq!(pos_entry_mode("051").as_deref(), Some("chip, PIN entry"));
        assert_eq!(pos_entry_mode("0510").as_deref(), Some("chip, PIN entry"));
        assert_eq!(pos_entry_mode("é"), None);
        assert!(pos_data("510101511344").unwrap().starts_with("card data input capability: chip; "));
        assert_eq!(pos_data("51010151134"), None);
        assert_eq!(mti("0421").as_deref(), Some("reversal advice repeat"));
        assert_eq!(mti("1804").as_deref(), Some("network management request by another"));
        assert_eq!((mti("0"), mti("0900"), mti("")), (None, None, None));
        assert_eq!((network_management("301"), function("831")), (Some("echo"), Some("echo")));
        assert_eq!(amount_type("02"), Some("available"));
    }
}
