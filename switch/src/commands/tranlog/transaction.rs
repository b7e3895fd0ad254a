//! A row for people: a line of a table, or a page.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;

use iso8583::codes::response_code;
use iso8583::domain::amount_in_words;
use iso8583::{Spec, Version};
use serde::Deserialize;
use tranlog::StoredRow;

use super::moment;

pub const HEADING: &str = "     seq  time                      kind               messages   terminal  RRN           card                          amount  result";

/// As far as it is shown; see `message/transaction.rs`, which makes it.
#[derive(Deserialize)]
pub struct Transaction<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    code: Cow<'a, str>,
    amount: i64,
    currency: Option<u16>,
    #[serde(borrow)]
    listener: Option<Cow<'a, str>>,
    #[serde(borrow)]
    request: Option<Message<'a>>,
    #[serde(borrow)]
    answer: Option<Message<'a>>,
    record: Option<serde_json::Value>,
    balance: Option<i64>,
    available: Option<i64>,
    #[serde(default)]
    posted: Vec<Moved>,
    #[serde(default)]
    held: Vec<Moved>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    mti: Cow<'a, str>,
    #[serde(borrow)]
    elements: BTreeMap<u8, Cow<'a, str>>,
    #[serde(default)]
    withheld: Vec<u8>,
}

#[derive(Deserialize)]
struct Moved {
    account: u64,
    amount: i64,
}

impl<'a> Transaction<'a> {
    pub fn of(row: &'a StoredRow) -> io::Result<Self> {
        Ok(serde_json::from_slice(&row.json)?)
    }

    fn in_words(&self, amount: i64) -> String {
        let sign = if amount < 0 { "-" } else { "" };
        let currency = self.currency.map(|currency| format!("{currency:03}"));
        let element = self.request.as_ref().and_then(|request| request.text(49));
        format!("{sign}{}", amount_in_words(&amount.unsigned_abs().to_string(), element.or(currency.as_deref())))
    }

    /// Under [`HEADING`].
    pub fn line(&self, row: &StoredRow) -> String {
        let element = |de: u8| self.request.as_ref().and_then(|request| request.text(de)).unwrap_or("");
        let messages = match (&self.request, &self.answer) {
            (Some(request), Some(answer)) => format!("{}→{}", request.mti, answer.mti),
            _ => String::new(),
        };
        // What was asked for: of a declined one nothing has moved.
        let asked = element(4).parse().unwrap_or(self.amount);
        let code = self.answer.as_ref().and_then(|answer| answer.text(39));
        format!(
            "{:8}  {:24}  {:17}  {messages:9}  {:8}  {:12}  {:19}  {:>15}  {}",
            row.seq,
            moment::text(row.at),
            self.kind,
            element(41).trim_end(),
            element(37),
            element(2),
            self.in_words(asked),
            code.unwrap_or(&self.code),
        )
    }

    pub fn text(&self, row: &StoredRow) -> String {
        let listener = self.listener.as_ref().map(|listener| format!(" by {listener}")).unwrap_or_default();
        let mut lines = vec![format!("{} {}, {}{listener}: {}", row.seq, self.kind, moment::text(row.at), self.code)];
        for (title, message) in [("request", &self.request), ("answer", &self.answer)] {
            if let Some(message) = message {
                lines.push(format!("{title} {}", message.mti));
                lines.extend(message.lines());
            }
        }
        if let Some(record) = &self.record {
            lines.push(format!("record {record}"));
        }
        for (title, moved) in [("posted", &self.posted), ("held", &self.held)] {
            let moved =
                moved.iter().map(|moved| format!("{title} account {}  {}", moved.account, self.in_words(moved.amount)));
            lines.extend(moved);
        }
        for (title, amount) in [("balance", self.balance), ("available", self.available)] {
            lines.extend(amount.map(|amount| format!("{title} afterwards  {}", self.in_words(amount))));
        }
        lines.join("\n")
    }
}

impl Message<'_> {
    fn text(&self, de: u8) -> Option<&str> {
        self.elements.get(&de).map(|text| &**text)
    }

    fn lines(&self) -> Vec<String> {
        // Names of elements are the same in every spec of 1987.
        let spec = Spec::builtin("iso87ascii").ok();
        let name = |de: u8| spec.as_ref().and_then(|spec| spec.field(de)).map_or("", |field| &field.name).to_owned();
        let shown = self.elements.iter().map(|(de, text)| {
            let meaning = if *de == 39 { response_code(Version::Iso1987, text) } else { None };
            let meaning = meaning.map(|meaning| format!("  ({meaning})")).unwrap_or_default();
            format!("  {de:3}  {:45}  {text}{meaning}", name(*de))
        });
        let withheld = self.withheld.iter().map(|de| format!("  {de:3}  {:45}  withheld", name(*de)));
        shown.chain(withheld).collect()
    }
}
