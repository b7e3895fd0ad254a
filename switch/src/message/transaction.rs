//! An event as a row of the transaction log: both messages, masked, and what they moved.
//!
//! ```json
//! {"kind":"purchase","listener":"pos-ascii","code":"Approved","amount":1500,
//!  "request":{"mti":"0200","elements":{"2":"411111******1111","3":"000000","4":"000000001500","11":"000001"},"withheld":[35,52,64]},
//!  "answer":{"mti":"0210","elements":{"3":"000000","11":"000001","38":"004711","39":"00"}},
//!  "posted":[{"account":7,"amount":-1500},{"account":3,"amount":1500}],"held":[]}
//! ```
//!
//! What came over REST has a `record` in place of messages. Balances that an answer told are in `balance` and
//! `available`.

use std::borrow::Cow;

use ledger::{AccountId, AppliedEvent, Body, CardEvent, Code, Outcome, Posting};
use serde::Serialize;
use serde_json::value::RawValue;
use tranlog::Row;

use super::answer::Answer;
use super::answer_facts::AnswerFacts;
use super::mti::Mti;
use super::record::Record;

#[derive(Serialize)]
struct Transaction<'a> {
    kind: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    listener: Option<&'a str>,
    /// DE 33 of the card network that asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    network: Option<&'a str>,
    /// The ledger's outcome.
    code: CodeName,
    /// Minor units.
    amount: i64,
    /// ISO 4217 numeric, where no element says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<AccountId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    balance: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    available: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<Shown<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<Shown<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<&'a RawValue>,
    posted: Vec<Moved>,
    held: Vec<Moved>,
}

/// A message as far as it is shown.
#[derive(Serialize)]
struct Shown<'a> {
    mti: &'a str,
    elements: Elements<'a>,
    #[serde(skip_serializing_if = "<[u8]>::is_empty")]
    withheld: &'a [u8],
}

/// An object of texts by number of element, in their order.
struct Elements<'a>(Vec<(u8, &'a str)>);

impl<'a> Elements<'a> {
    fn of(parts: impl Iterator<Item = (u8, &'a str)>) -> Self {
        let mut elements: Vec<(u8, &str)> = parts.collect();
        elements.sort_unstable_by_key(|(de, _)| *de);
        Self(elements)
    }
}

impl Serialize for Elements<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().copied())
    }
}

#[derive(Serialize)]
struct Moved {
    account: AccountId,
    amount: i64,
}

/// As in `umbra ledger dump`.
struct CodeName(Code);

impl Serialize for CodeName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:?}", self.0))
    }
}

/// The row of an event that is a transaction, declines included. A copy of an earlier message is none: it was answered
/// from that one's row.
pub fn row_of(event: &AppliedEvent) -> Option<Row> {
    match &event.event.body {
        _ if event.replayed => None,
        Body::Card(card) => Some(of_card(event, card)),
        Body::Post { entry, record } => Some(of_rest(event, "post", Some(entry.currency), record)),
        Body::PostAll { entries, record } => {
            Some(of_rest(event, "batch", entries.first().map(|entry| entry.currency), record))
        }
        Body::PlaceHold { entry, record, .. } => Some(of_rest(event, "hold", Some(entry.currency), record)),
        Body::IncreaseHold { record, .. } => Some(of_rest(event, "increase", None, record)),
        Body::CaptureHold { record, .. } => Some(of_rest(event, "capture", None, record)),
        Body::VoidHold { .. } => Some(of_rest(event, "void", None, &[])),
        Body::Reverse { record, .. } => Some(of_rest(event, "reversal", None, record)),
        Body::OpenAccount { .. }
        | Body::CloseAccount { .. }
        | Body::ResetPinTries { .. }
        | Body::ForgetAtc { .. }
        | Body::CloseTotals { .. }
        | Body::CloseForward { .. }
        | Body::Message { .. }
        | Body::Tick => None,
    }
}

fn of_card(event: &AppliedEvent, card: &CardEvent) -> Row {
    let record: Record<'_> = serde_json::from_slice(&card.record).unwrap_or_default();
    let facts = AnswerFacts::texts(&card.answer).unwrap_or_default();
    let fact = |wanted: u8| facts.iter().find(|(de, _)| *de == wanted).map(|(_, text)| *text);
    let echoed = || facts.iter().copied();
    let told = Mti::parse(&record.mti).map(|mti| {
        let told = Answer::told(record.network.is_some(), mti, &event.outcome, fact(3));
        (mti.answer(), told.code.wire(), told.approval)
    });
    let answer = told.as_ref().map(|(mti, code, approval)| {
        let approval = approval.as_deref().map(|approval| (38, approval));
        let elements = Elements::of(echoed().chain(approval).chain([(39, code.as_str())]));
        Shown { mti, elements, withheld: &[] }
    });
    let kept = record.elements.iter().map(|(de, text)| (*de, &**text));
    let request = Shown {
        mti: &record.mti,
        elements: Elements::of(echoed().chain([(2, record.card.as_str())]).chain(kept)),
        withheld: &record.withheld,
    };
    let transaction = Transaction {
        kind: Cow::from(&*record.kind),
        listener: Some(&record.listener),
        network: record.network.as_deref(),
        request: Some(request),
        answer,
        ..Transaction::of(event)
    };
    row(fact(41), fact(37), &transaction)
}

/// `kind` where the record has no word of its own.
fn of_rest(event: &AppliedEvent, kind: &str, currency: Option<u16>, record: &[u8]) -> Row {
    #[derive(serde::Deserialize)]
    struct Kind<'a> {
        #[serde(borrow)]
        kind: Cow<'a, str>,
    }
    let own: Option<Kind<'_>> = serde_json::from_slice(record).ok();
    let transaction = Transaction {
        kind: own.map_or(kind.into(), |own| own.kind),
        record: serde_json::from_slice(record).ok(),
        currency,
        ..Transaction::of(event)
    };
    row(None, None, &transaction)
}

impl Transaction<'_> {
    /// What every kind has.
    fn of(event: &AppliedEvent) -> Self {
        let Outcome { code, amount, account, balance, available, .. } = event.outcome;
        let moved = |postings: &[Posting]| {
            postings.iter().map(|Posting { account, amount }| Moved { account: *account, amount: *amount }).collect()
        };
        Self {
            kind: Cow::default(),
            listener: None,
            network: None,
            code: CodeName(code),
            amount,
            currency: None,
            account,
            balance: account.map(|_| balance),
            available: account.map(|_| available),
            request: None,
            answer: None,
            record: None,
            posted: moved(&event.moves),
            held: moved(&event.holds),
        }
    }
}

fn row(terminal: Option<&str>, rrn: Option<&str>, transaction: &Transaction<'_>) -> Row {
    // Serializing texts and numbers into memory cannot fail.
    let json = serde_json::to_vec(transaction).unwrap_or_default();
    Row { terminal: terminal.map(str::to_owned), rrn: rrn.map(str::to_owned), json }
}

#[cfg(test)]
mod tests;
