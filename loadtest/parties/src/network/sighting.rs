//! One line about one message, for people and programs. Card data is masked in it.

use std::fmt;
use std::sync::Arc;

use iso8583::Message;
use iso8583::domain::amount_in_words;
use iso8583::domain::{Track2, mask_digits};
use serde::Serialize;

/// Told of every message; must not wait.
pub type Watch = Arc<dyn Fn(&Sighting) + Send + Sync>;

/// Where a message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    Received,
    Sent,
}

/// What may be said of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sighting {
    pub way: Way,
    pub mti: String,
    /// DE 7.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub transmission: String,
    /// DE 11.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub stan: String,
    /// Masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pan: Option<String>,
    /// In words, like `12.50 ZAR`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    /// DE 70.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_code: Option<String>,
    /// DE 39.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What is special about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Sighting {
    pub(crate) fn of(way: Way, message: &Message<'_>, note: Option<String>) -> Self {
        let text = |de| message.text(de).map(|text| text.trim_end().to_owned());
        let track = || message.text(35).and_then(|track| Track2::parse(&track).ok()).map(|track| track.pan.masked());
        let amount = message.text(4).map(|minor| amount_in_words(&minor, message.text(49).as_deref()));
        Self {
            way,
            mti: message.mti().to_owned(),
            transmission: text(7).unwrap_or_default(),
            stan: text(11).unwrap_or_default(),
            pan: message.text(2).map(|pan| mask_digits(&pan)).or_else(track),
            amount,
            network_code: text(70),
            code: text(39),
            note,
        }
    }

    /// A message that cannot be decoded.
    pub(crate) fn undecodable() -> Self {
        Self {
            way: Way::Received,
            mti: String::new(),
            transmission: String::new(),
            stan: String::new(),
            pan: None,
            amount: None,
            network_code: None,
            code: None,
            note: Some("cannot be decoded".to_owned()),
        }
    }
}

impl fmt::Display for Sighting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = match self.way {
            Way::Received => "<-",
            Way::Sent => "->",
        };
        write!(f, "{way} {:<4} {:<6} {:<10}", self.mti, self.stan, self.transmission)?;
        if let Some(code) = &self.network_code {
            write!(f, "  DE 70 {code}")?;
        }
        for part in [&self.pan, &self.amount].into_iter().flatten() {
            write!(f, "  {part}")?;
        }
        if let Some(code) = &self.code {
            let meaning =
                iso8583::codes::response_code(iso8583::Version::Iso1987, code).unwrap_or("of no known meaning");
            write!(f, "  {code} {meaning}")?;
        }
        self.note.iter().try_for_each(|note| write!(f, "  ({note})"))
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use iso8583::Fields;

    use super::*;
    use crate::network::zone::dialect;

    #[test]
    fn a_line_is_masked() {
        let spec = dialect().unwrap().spec;
        for (de, card) in [(2, "9999990000000008"), (35, "9999990000000008=30122010000012300000")] {
            let mut fields = Fields::new("0200");
            for (de, text) in [(4, "000000001250"), (7, "1125041500"), (11, "000123"), (49, "710"), (de, card)] {
                fields.set(de, text);
            }
            fields.set_binary(52, vec![0xAB; 8]);
            let mut wire = BytesMut::new();
            spec.encode(&fields, &mut wire).unwrap();
            let sighting = Sighting::of(Way::Received, &spec.decode(&wire).unwrap(), Some("lost".to_owned()));
            let line = sighting.to_string();
            assert_eq!(line, "<- 0200 000123 1125041500  999999******0008  12.50 ZAR  (lost)");
            for shown in [line, format!("{sighting:?}"), serde_json::to_string(&sighting).unwrap()] {
                assert!(!shown.contains("9999990000000008") && !shown.contains("ABAB"), "{shown}");
            }
        }
    }
}
