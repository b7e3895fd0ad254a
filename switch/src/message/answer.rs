//! The answer: from the ledger's outcome to the bytes on the wire.

use bytes::BytesMut;
use iso8583::Fields;
use iso8583::domain::AdditionalAmount;
use ledger::{Applied, Code, Outcome};

use super::answer_facts::AnswerFacts;
use super::mti::{Class, Mti};
use super::origin::Origin;
use super::response_code::ResponseCode;
use super::session::KeyPair;
use super::{Link, Step, Switch};

/// What an answer says beside the echoed fields.
#[derive(Debug)]
pub struct Answer {
    pub code: ResponseCode,
    /// The first answer's echoed fields, when the request is a duplicate.
    pub first: Option<AnswerFacts>,
    /// DE 38.
    pub approval: Option<String>,
    /// DE 54.
    pub additional_amounts: Option<String>,
    /// DE 62.
    pub key_carrier: Option<String>,
}

impl Answer {
    pub fn approved() -> Self {
        Self::with(ResponseCode::APPROVED)
    }

    pub fn with(code: ResponseCode) -> Self {
        Self { code, first: None, approval: None, additional_amounts: None, key_carrier: None }
    }

    /// From what the ledger decided, now or when it first saw this message.
    pub fn from_applied(switch: &Switch, origin: &Origin, mti: Mti, applied: &Applied) -> Self {
        let facts = AnswerFacts::from_bytes(&applied.answer);
        let is_network = origin.network().is_some();
        let processing_code = facts.as_ref().and_then(|facts| facts.text(3));
        let mut answer = Self::told(is_network, mti, &applied.outcome, processing_code);
        if answer.code == ResponseCode::APPROVED && applied.outcome.code != Code::Approved && !applied.replayed {
            note_exception(mti, &applied.outcome, facts.as_ref());
        }
        if applied.outcome.code == Code::Approved && is_inquiry(processing_code) {
            answer.additional_amounts = balances(switch, applied, facts.as_ref());
        }
        answer.first = facts.filter(|_| applied.replayed);
        answer
    }

    /// What an outcome alone says: all but balances. `is_network`: a card network asked. `processing_code`: DE 3.
    pub fn told(is_network: bool, mti: Mti, outcome: &Outcome, processing_code: Option<&str>) -> Self {
        let moves = matches!(mti.class(), Class::Authorization | Class::Financial) && !is_inquiry(processing_code);
        Self {
            approval: (outcome.code == Code::Approved && moves).then(|| format!("{:06}", outcome.approval)),
            ..Self::with(response_code(is_network, mti, outcome))
        }
    }

    /// The wire form, with a MAC exactly when `keys` (the pair that verified the request's) is given.
    /// `None` when no MAC could be made: then nothing is sent, and a repeat or a reversal finds the event.
    pub async fn encode(
        &self,
        switch: &Switch,
        link: &Link,
        mti: Mti,
        echoed: &AnswerFacts,
        keys: Option<&KeyPair>,
    ) -> Option<BytesMut> {
        let mut fields = Fields::new(&mti.answer());
        self.first.as_ref().unwrap_or(echoed).write_to(&mut fields);
        fields.set(39, self.code.wire());
        for (de, text) in [(38, &self.approval), (54, &self.additional_amounts), (62, &self.key_carrier)] {
            if let Some(text) = text {
                fields.set(de, text.as_str());
            }
        }
        let mac_field = if fields.has(70) { 128 } else { 64 };
        if keys.is_some() {
            fields.set_binary(mac_field, vec![0; 8]);
        }
        let mut wire = BytesMut::with_capacity(512);
        let spans = link
            .spec
            .encode(&fields, &mut wire)
            .inspect_err(|error| tracing::error!(%error, "answer cannot be encoded"))
            .ok()?;
        if let Some(keys) = keys {
            let span = spans.span(mac_field)?;
            let _making = Step::MakeMac.start();
            let mac = switch
                .hsm
                .generate_mac(keys.mac_key(), wire.get(..span.start)?)
                .await
                .inspect_err(|error| tracing::warn!(%error, "answer not sent: no MAC could be made"))
                .ok()?;
            link.spec.write_binary(mac_field, &mac, wire.get_mut(span)?).ok()?;
        }
        Some(wire)
    }
}

/// A balance inquiry, by its processing code.
fn is_inquiry(processing_code: Option<&str>) -> bool {
    processing_code.is_some_and(|code| code.starts_with("31"))
}

/// An advice or reversal was answered as approved and has moved nothing: somebody may have to settle it by hand.
fn note_exception(mti: Mti, outcome: &Outcome, facts: Option<&AnswerFacts>) {
    let text = |de: u8| facts.and_then(|facts| facts.text(de));
    metrics::counter!("umbra_exceptions_total", "mti" => mti.label()).increment(1);
    tracing::warn!(
        mti = mti.as_str(),
        code = ?outcome.code,
        reason = outcome.reason,
        seq = outcome.seq,
        stan = text(11),
        rrn = text(37),
        "taken without effect; see it with `umbra tranlog show`"
    );
}

/// DE 39. A network's advices and reversals tell what has happened, and are not refused for business reasons.
fn response_code(is_network: bool, mti: Mti, outcome: &Outcome) -> ResponseCode {
    let code = own_code(mti, outcome.code, outcome.reason);
    let tells = mti.is_advice() || mti.class() == Class::Reversal;
    if is_network && tells && code.is_business() { ResponseCode::APPROVED } else { code }
}

/// The ledger's numbered outcomes as DE 39.
fn own_code(mti: Mti, code: Code, reason: u16) -> ResponseCode {
    match code {
        Code::Approved => ResponseCode::APPROVED,
        Code::ReusedWithOtherContent | Code::IdTooOld => ResponseCode::DUPLICATE,
        Code::TooLate => ResponseCode::TOO_LATE,
        Code::Declined => ResponseCode::from_number(reason),
        Code::PinTriesExceeded => ResponseCode::PIN_TRIES_EXCEEDED,
        Code::WrongPin => ResponseCode::WRONG_PIN,
        Code::InsufficientFunds => ResponseCode::INSUFFICIENT_FUNDS,
        Code::HoldNotFound | Code::ApprovalMismatch => ResponseCode::ORIGINAL_NOT_FOUND,
        Code::OverTolerance | Code::AmountLimitExceeded => ResponseCode::AMOUNT_LIMIT,
        // The other party has not said anything, or nothing that counts.
        Code::Forwarded | Code::Unanswered => ResponseCode::UNAVAILABLE,
        Code::CountLimitExceeded => ResponseCode::COUNT_LIMIT,
        Code::AtcNotNew | Code::AtcTooFar => ResponseCode::CRYPTOGRAM_REFUSED,
        // An advice about an unknown original is never refused; the original, should it still come, is too late.
        Code::OriginalNotFound if mti.is_advice() => ResponseCode::APPROVED,
        Code::OriginalNotFound => ResponseCode::ORIGINAL_NOT_FOUND,
        Code::OriginalDiffers => ResponseCode::REVERSAL_DIFFERS,
        Code::AccountNotFound | Code::AccountClosed => ResponseCode::NO_ACCOUNT,
        Code::InvalidAmount => ResponseCode::INVALID_AMOUNT,
        Code::CurrencyMismatch | Code::NotReversible => ResponseCode::INVALID_TRANSACTION,
        _ => ResponseCode::MALFUNCTION,
    }
}

/// DE 54 of a balance inquiry: ledger balance (01) and available balance (02).
fn balances(switch: &Switch, applied: &Applied, facts: Option<&AnswerFacts>) -> Option<String> {
    let account = switch.ledger.account(applied.outcome.account?).ok()??;
    let account_type = facts?.text(3)?.get(2..4)?.to_owned();
    let item = |amount_type: &str, amount: i64| {
        AdditionalAmount {
            account_type: account_type.clone(),
            amount_type: amount_type.to_owned(),
            currency: format!("{:03}", account.currency),
            amount,
        }
        .encode()
    };
    Some(format!("{}{}", item("01", applied.outcome.balance).ok()?, item("02", applied.outcome.available).ok()?))
}
