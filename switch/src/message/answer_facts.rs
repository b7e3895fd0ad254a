//! The fields an answer echoes, kept with the event so that a duplicate gets the first answer's fields back.

use iso8583::{Fields, Message};

use super::mti::Mti;

/// Echoed in every answer; DE 2, 35 and 52 never are.
const ECHOED: [u8; 11] = [3, 4, 7, 11, 12, 13, 32, 37, 41, 42, 49];

/// Also echoed in network management answers, which are never stored. Elsewhere it is none of the answer's business,
/// and would move its MAC.
const NETWORK_MANAGEMENT_CODE: u8 = 70;

/// Data elements and their texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnswerFacts(Vec<(u8, String)>);

impl AnswerFacts {
    pub fn of(mti: Mti, message: &Message<'_>) -> Self {
        let code = mti.is_network_management().then_some(NETWORK_MANAGEMENT_CODE);
        let echoed = ECHOED.into_iter().chain(code);
        Self(echoed.filter_map(|de| Some((de, message.text(de)?.into_owned()))).collect())
    }

    /// Whether every answer that is stored has it, where its request did.
    pub fn echoes(de: u8) -> bool {
        ECHOED.contains(&de)
    }

    pub fn text(&self, de: u8) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == de).map(|(_, text)| text.as_str())
    }

    pub fn write_to(&self, fields: &mut Fields) {
        for (de, text) in &self.0 {
            fields.set(*de, text.as_str());
        }
    }

    /// `DE(1) LENGTH(1) TEXT` repeated: what the ledger keeps, opaque to it.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(128);
        for (de, text) in &self.0 {
            // Every echoed field is at most 15 characters long, so its length fits a byte.
            if let Ok(length) = u8::try_from(text.len()) {
                bytes.extend_from_slice(&[*de, length]);
                bytes.extend_from_slice(text.as_bytes());
            }
        }
        bytes
    }

    /// The inverse of [`AnswerFacts::to_bytes`]; `None` when the bytes are not of that form.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self(Self::texts(bytes)?.into_iter().map(|(de, text)| (de, text.to_owned())).collect()))
    }

    /// The same without copies.
    pub fn texts(mut bytes: &[u8]) -> Option<Vec<(u8, &str)>> {
        let mut texts = Vec::with_capacity(ECHOED.len());
        while let [de, length, rest @ ..] = bytes {
            let (text, tail) = rest.split_at_checked(usize::from(*length))?;
            texts.push((*de, std::str::from_utf8(text).ok()?));
            bytes = tail;
        }
        bytes.is_empty().then_some(texts)
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use iso8583::Spec;

    use super::*;

    #[test]
    fn the_network_management_code_stays_with_network_management() {
        let spec = Spec::builtin("iso87ascii").unwrap();
        for (mti, expected) in [("0800", Some("301")), ("0820", Some("301")), ("0200", None), ("0420", None)] {
            let mut fields = Fields::new(mti);
            fields.set(11, "000001");
            fields.set(70, "301");
            let mut wire = BytesMut::new();
            spec.encode(&fields, &mut wire).unwrap();
            let facts = AnswerFacts::of(Mti::parse(mti).unwrap(), &spec.decode(&wire).unwrap());
            assert_eq!((facts.text(11), facts.text(70)), (Some("000001"), expected), "{mti}");
        }
    }

    #[test]
    fn what_is_stored_comes_back() {
        let facts = AnswerFacts(vec![(3, "000000".into()), (41, "UMBRA001".into())]);
        assert_eq!(AnswerFacts::from_bytes(&facts.to_bytes()), Some(facts));
        assert_eq!(AnswerFacts::from_bytes(&[3, 6, b'0']), None);
        assert_eq!(AnswerFacts::from_bytes(&[3]), None);
        assert_eq!(AnswerFacts::from_bytes(&[3, 1, 0xFF]), None);
    }
}
