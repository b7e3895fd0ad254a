//! What may be shown of a request beside the fields that its answer echoes.

use iso8583::Message;

use super::answer_facts::AnswerFacts;

/// Elements that are kept as they are: where and how the card was presented, who sent the message, and which message
/// it is about. A list of what may be shown, not of what is secret: private elements can hold anything.
const KEPT: [u8; 14] = [18, 19, 22, 23, 25, 26, 28, 32, 33, 38, 43, 54, 90, 95];

/// The PAN is kept masked, by the record itself.
const PAN: u8 = 2;

/// Parts of a request for its record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// Element and text.
    pub elements: Vec<(u8, String)>,
    /// Elements that were present and are not kept.
    pub withheld: Vec<u8>,
}

impl Shown {
    pub fn of(message: &Message<'_>) -> Self {
        let mut shown = Self::default();
        for de in message.des().filter(|de| *de != PAN && !AnswerFacts::echoes(*de)) {
            match message.text(de).filter(|_| KEPT.contains(&de)) {
                Some(text) => shown.elements.push((de, text.into_owned())),
                None => shown.withheld.push(de),
            }
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use iso8583::{Fields, Spec};

    use super::*;

    #[test]
    fn what_is_kept_is_nowhere_sensitive() {
        for name in Spec::builtin_names() {
            let spec = Spec::builtin(name).unwrap();
            for de in KEPT {
                assert_eq!(spec.field(de).and_then(|field| field.sensitivity), None, "{name}: DE {de}");
            }
        }
    }

    #[test]
    fn the_rest_is_named_and_withheld() {
        let spec = Spec::builtin("iso87ascii").unwrap();
        let mut fields = Fields::new("0200");
        let texts = [(2, "4111111111111111"), (3, "000000"), (14, "2911"), (22, "051"), (35, "4111111111111111=2911")];
        for (de, text) in texts.into_iter().chain([(48, "CVV2 123"), (63, "anything")]) {
            fields.set(de, text);
        }
        fields.set_binary(52, vec![7; 8]);
        let mut wire = BytesMut::new();
        spec.encode(&fields, &mut wire).unwrap();
        let shown = Shown::of(&spec.decode(&wire).unwrap());
        assert_eq!(shown, Shown { elements: vec![(22, "051".into())], withheld: vec![14, 35, 48, 52, 63] });
    }
}
