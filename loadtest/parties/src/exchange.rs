//! A request and its checked answer.

use bytes::Bytes;
use iso8583::codes::response_code;
use iso8583::domain::{AdditionalAmount, amount_in_words};
use iso8583::{Fields, Version, describe};

use crate::{AnswerFault, Error, Request, mac};

/// DE 39 of answers that promise money.
pub(crate) const PROMISING: [&str; 2] = ["00", "10"];

/// `Debug` shows which fields there are.
#[derive(Debug)]
pub struct Exchange {
    pub request: Request,
    pub answer: Fields,
    /// The answer without framing.
    pub answer_wire: Bytes,
    /// Whether the answer's MAC proved that it comes from the switch.
    pub authenticated: bool,
}

impl Exchange {
    /// Checks that the bytes answer the request: MTI, STAN, MAC.
    ///
    /// A MAC is there exactly when the request's verified. A switch that refuses a request because of its MAC (or
    /// before looking at it) has no key to answer under, so a refusal without MAC is taken, and [`authenticated`]
    /// says what it is worth. An approval without MAC is not taken.
    ///
    /// [`authenticated`]: Exchange::authenticated
    pub fn check(request: Request, answer_wire: Bytes) -> Result<Self, Error> {
        let spec = request.spec();
        let message = spec.decode(&answer_wire).map_err(AnswerFault::Undecodable)?;
        let expected = request.answer_mti();
        if message.mti() != expected {
            return Err(AnswerFault::Mti { expected, got: message.mti().to_owned() }.into());
        }
        let stan = message.text(11).unwrap_or_default();
        if stan != request.stan() {
            return Err(AnswerFault::Stan { expected: request.stan().to_owned(), got: stan.into_owned() }.into());
        }
        let authenticated = mac::verify(&message, request.keys().map(|keys| &keys.tak))?;
        let promises = message.text(39).is_some_and(|code| PROMISING.contains(&code.as_ref()));
        if request.has_mac() && promises && !authenticated {
            return Err(AnswerFault::MacMissing.into());
        }
        let answer = message.to_fields();
        Ok(Self { request, answer, answer_wire, authenticated })
    }

    /// DE 39.
    pub fn code(&self) -> &str {
        self.answer.text(39).unwrap_or_default()
    }

    /// DE 39 in words.
    pub fn meaning(&self) -> &'static str {
        response_code(Version::Iso1987, self.code()).unwrap_or("a code of no known meaning")
    }

    /// DE 39 = 00.
    pub fn is_approved(&self) -> bool {
        self.code() == "00"
    }

    /// DE 38.
    pub fn approval(&self) -> Option<&str> {
        self.answer.text(38)
    }

    /// DE 54; empty when there is none that can be read.
    pub fn additional_amounts(&self) -> Vec<AdditionalAmount> {
        self.answer.text(54).and_then(|text| AdditionalAmount::parse_all(text).ok()).unwrap_or_default()
    }

    /// The outcome in one line: `approved, 12.50 ZAR, approval 000123`.
    pub fn outcome(&self) -> String {
        let mut parts = Vec::new();
        parts.push(match self.is_approved() {
            true => self.meaning().to_owned(),
            false => format!("not approved: {} {}", self.code(), self.meaning()),
        });
        if let (true, Some(amount)) = (self.is_approved(), self.amount()) {
            parts.push(amount);
        }
        parts.extend(self.approval().map(|approval| format!("approval {}", approval.trim_end())));
        parts.extend(self.additional_amounts().iter().map(|item| {
            let name = match item.amount_type.as_str() {
                "01" => "ledger balance",
                "02" => "available balance",
                "40" => "cash",
                "57" => "asked for",
                other => other,
            };
            let sign = if item.amount < 0 { "-" } else { "" };
            format!("{name} {sign}{}", amount_in_words(&item.amount.unsigned_abs().to_string(), Some(&item.currency)))
        }));
        if self.request.has_mac() && !self.authenticated {
            parts.push("answered without MAC, so anybody may have sent it".to_owned());
        }
        parts.join(", ")
    }

    /// DE 4 of the answer where it moves money.
    fn amount(&self) -> Option<String> {
        let minor = self.answer.text(4).filter(|minor| minor.bytes().any(|digit| digit != b'0'))?;
        Some(amount_in_words(minor, self.answer.text(49)))
    }

    /// Both messages for people, card data masked.
    pub fn describe(&self) -> String {
        let (answer, _) = self.request.spec().decode_partial(&self.answer_wire);
        format!("{}\n{}", self.request.describe(), describe(self.request.spec(), &answer))
    }

    /// Both messages for programs, card data masked.
    pub fn json(&self) -> serde_json::Value {
        let spec = self.request.spec();
        let masked = |wire: &[u8]| spec.decode_partial(wire).0.json(true);
        serde_json::json!({
            "request": masked(self.request.wire()),
            "answer": masked(&self.answer_wire),
            "code": self.code(),
            "meaning": self.meaning(),
            "approved": self.is_approved(),
            "authenticated": self.authenticated,
        })
    }
}
