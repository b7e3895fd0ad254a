//! The masked record of a transaction that travels in its event: what statements and the transaction log show.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Link;
use super::answer_facts::AnswerFacts;
use super::mti::Class;
use super::origin::Origin;
use super::request::FinancialRequest;

/// At most 1 KiB as JSON: every part is bounded by its field.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Record<'a> {
    #[serde(borrow)]
    pub kind: Cow<'a, str>,
    #[serde(borrow)]
    pub mti: Cow<'a, str>,
    #[serde(borrow)]
    pub processing_code: Cow<'a, str>,
    pub amount: i64,
    #[serde(borrow)]
    pub currency: Cow<'a, str>,
    #[serde(borrow)]
    pub stan: Cow<'a, str>,
    #[serde(borrow)]
    pub transmission: Cow<'a, str>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub rrn: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub terminal: Cow<'a, str>,
    #[serde(borrow)]
    pub merchant: Cow<'a, str>,
    /// First six and last four digits.
    pub card: String,
    #[serde(borrow)]
    pub listener: Cow<'a, str>,
    /// DE 33 of the card network it came from.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub network: Option<Cow<'a, str>>,
    /// Further elements of the request.
    #[serde(borrow, skip_serializing_if = "BTreeMap::is_empty")]
    pub elements: BTreeMap<u8, Cow<'a, str>>,
    /// Elements that the request had and that are not kept.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub withheld: Vec<u8>,
}

pub fn of(link: &Link, origin: &Origin, request: &FinancialRequest, facts: &AnswerFacts) -> Vec<u8> {
    let kind = match request.mti.class() {
        Class::Reversal => "reversal",
        Class::Authorization if request.kind.moves_money() => "pre-authorization",
        _ if request.is_completion => "completion",
        _ => request.kind.word(),
    };
    let mut record = Record {
        kind: kind.into(),
        mti: request.mti.as_str().into(),
        processing_code: request.processing_code.as_str().into(),
        amount: request.amount,
        currency: request.currency_text.as_str().into(),
        stan: request.stan.as_str().into(),
        transmission: request.transmission.as_str().into(),
        rrn: facts.text(37).map(Cow::from),
        terminal: origin.terminal().terminal_id.as_str().into(),
        merchant: origin.terminal().merchant_id.as_str().into(),
        card: request.pan.masked(),
        listener: link.listener.as_str().into(),
        network: origin.network().map(Cow::from),
        elements: request.shown.elements.iter().map(|(de, text)| (*de, text.as_str().into())).collect(),
        withheld: request.shown.withheld.clone(),
    };
    // Serializing texts and numbers into memory cannot fail.
    let json = serde_json::to_vec(&record).unwrap_or_default();
    if json.len() <= ledger::limits::RECORD_MAX {
        return json;
    }
    // Only a message made for it is so long, of characters that JSON writes as several.
    record.elements.clear();
    serde_json::to_vec(&record).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use std::sync::Arc;

    use directory::{KeyScheme, Network, Terminal, TerminalName};
    use iso8583::{Fields, Spec};

    use super::*;
    use crate::message::Side;
    use crate::message::mti::Mti;
    use crate::message::origin::FromNetwork;

    /// Every element as long as it can be, of a character that JSON writes as several.
    #[test]
    fn the_longest_message_has_a_record_that_the_ledger_takes() {
        let spec = Spec::builtin("iso87ascii").unwrap();
        let mut fields = Fields::new("0200");
        for de in 2..=127 {
            let Some(field) = spec.field(de).filter(|field| !field.is_binary) else { continue };
            // The widest in JSON that the element takes: six bytes, two, or one.
            let taken = ["\u{1}", "\\", "1"].into_iter().find(|fill| {
                fields.set(de, fill.repeat(usize::from(field.max)));
                let mut wire = BytesMut::new();
                spec.encode(&fields, &mut wire).is_ok() && spec.decode(&wire).is_ok()
            });
            if taken.is_none() {
                fields.remove(de);
            }
        }
        let texts =
            [(2, "4111111111111111"), (7, "1125091844"), (14, "2911"), (35, "4111111111111111=29112010000000000")];
        let original = format!("02000000011125091844{}", "0".repeat(22));
        for (de, text) in texts.into_iter().chain([(90, original.as_str()), (95, &"0".repeat(42))]) {
            fields.set(de, text);
        }
        let mut wire = BytesMut::new();
        spec.encode(&fields, &mut wire).unwrap();
        let message = spec.decode(&wire).unwrap();
        let mti = Mti::parse("0200").unwrap();
        let request = FinancialRequest::read(mti, &message).unwrap();
        assert!(message.des().count() > 60 && request.shown.elements.len() > 8, "{:?}", request.shown);
        let spec = Spec::builtin("iso87ascii").unwrap();
        let link = Link { listener: "pos-ascii".into(), spec, side: Side::Terminals };
        for origin in [terminal(), network()] {
            let json = of(&link, &origin, &request, &AnswerFacts::of(mti, &message));
            assert!(json.len() <= ledger::limits::RECORD_MAX, "{} bytes", json.len());
            let record: Record<'_> = serde_json::from_slice(&json).unwrap();
            assert_eq!(record.withheld, request.shown.withheld);
        }
    }

    fn terminal() -> Origin {
        Origin::Terminal(Arc::new(Terminal {
            id: 1,
            tenant_id: 1,
            name: TerminalName::new(&"\\".repeat(8), &"\\".repeat(15)),
            active: true,
            key_scheme: KeyScheme::Tr31,
            tmk: String::new(),
            mac_required: false,
            merchant_account: 1,
        }))
    }

    /// Its terminals' names come from the message.
    fn network() -> Origin {
        let network = Network {
            id: 1,
            tenant_id: 1,
            institution: "9".repeat(11),
            active: true,
            key_scheme: KeyScheme::Tr31,
            zmk: String::new(),
            account: 1,
        };
        let terminal = TerminalName { terminal_id: "\u{1}".repeat(8), merchant_id: "\u{1}".repeat(15) };
        Origin::Network(FromNetwork { network: Arc::new(network), acquirer: "9".repeat(11), terminal })
    }
}
