//! The masked record of a transaction that travels in its event: what statements and tranlog show.

use directory::Terminal;
use serde::Serialize;

use super::Link;
use super::answer_facts::AnswerFacts;
use super::mti::Class;
use super::request::FinancialRequest;

/// At most 1 KiB as JSON: every part is short and bounded by its field.
#[derive(Serialize)]
struct Record<'a> {
    kind: &'a str,
    mti: &'a str,
    processing_code: &'a str,
    amount: i64,
    currency: &'a str,
    stan: &'a str,
    transmission: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rrn: Option<&'a str>,
    terminal: &'a str,
    merchant: &'a str,
    /// First six and last four digits.
    card: String,
    listener: &'a str,
}

pub fn of(link: &Link, terminal: &Terminal, request: &FinancialRequest, facts: &AnswerFacts) -> Vec<u8> {
    let kind = match request.mti.class() {
        Class::Reversal => "reversal",
        Class::Authorization if request.kind.moves_money() => "pre-authorization",
        _ if request.is_completion => "completion",
        _ => request.kind.word(),
    };
    let record = Record {
        kind,
        mti: request.mti.as_str(),
        processing_code: &request.processing_code,
        amount: request.amount,
        currency: &request.currency_text,
        stan: &request.stan,
        transmission: &request.transmission,
        rrn: facts.text(37),
        terminal: &terminal.name.terminal_id,
        merchant: &terminal.name.merchant_id,
        card: request.pan.masked(),
        listener: &link.listener,
    };
    // Serializing texts and numbers into memory cannot fail.
    serde_json::to_vec(&record).unwrap_or_default()
}
