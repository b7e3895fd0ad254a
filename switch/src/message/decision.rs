//! What a financial request asks of the ledger: one event, declines included.

use std::sync::Arc;

use directory::Card;
use ledger::{AccountId, CardAction, CardEvent, CardId, Entry, Event, PinCheck, Posting, Reference};

use super::Switch;
use super::answer_facts::AnswerFacts;
use super::identity::{self, Identity};
use super::mti::{Class, Mti};
use super::origin::Origin;
use super::request::{FinancialRequest, Kind};
use super::response_code::ResponseCode;
use super::session::KeyPair;
use super::{Link, card, pin, record};

/// An event, and the card's turn for PIN checks where one was made: it ends when the event is durable.
pub struct Decision {
    pub event: Event,
    pub _turn: Option<tokio::sync::OwnedMutexGuard<()>>,
}

/// The parts of a decision that depend on the card.
struct Judged {
    card: Option<Arc<Card>>,
    pin: PinCheck,
    action: CardAction,
}

impl Judged {
    fn declined(card: Option<Arc<Card>>, code: ResponseCode) -> Self {
        Self { card, pin: PinCheck::NotChecked, action: CardAction::Decline { reason: code.number() } }
    }
}

/// Form errors, and a card whose PIN checks are too many, come back as `Err`: they are answered without an event.
pub async fn decide(
    switch: &Switch,
    link: &Link,
    origin: &Origin,
    request: &FinancialRequest,
    identity: &Identity,
    keys: Option<&KeyPair>,
    facts: &AnswerFacts,
) -> Result<Decision, ResponseCode> {
    let mut turn = None;
    let judged = match request.mti.class() {
        Class::Reversal => reverse(switch, origin, request)?,
        Class::Authorization | Class::Financial if is_settled(origin, request.mti) => settled(switch, origin, request)?,
        Class::Authorization | Class::Financial if request.is_completion => complete(switch, origin, request)?,
        Class::Authorization | Class::Financial => pay(switch, origin, request, keys, &mut turn).await?,
        Class::NetworkManagement | Class::Other => Judged::declined(None, ResponseCode::INVALID_TRANSACTION),
    };
    Ok(Decision { event: event(link, origin, request, identity, facts, judged), _turn: turn })
}

/// The event for a repeat whose first copy is known under another DE 7. The ledger gives the first answer and
/// remembers this DE 7 too; declined it would be only if the first copy were forgotten at this very moment.
pub fn known_repeat(
    link: &Link,
    origin: &Origin,
    request: &FinancialRequest,
    identity: &Identity,
    facts: &AnswerFacts,
) -> Decision {
    let judged = Judged::declined(None, ResponseCode::MALFUNCTION);
    Decision { event: event(link, origin, request, identity, facts, judged), _turn: None }
}

fn event(
    link: &Link,
    origin: &Origin,
    request: &FinancialRequest,
    identity: &Identity,
    facts: &AnswerFacts,
    judged: Judged,
) -> Event {
    Event::new(
        identity.id,
        identity.content,
        ledger::Body::Card(CardEvent {
            aliases: identity.aliases.clone(),
            repeat_of: identity.repeat_of,
            advice: request.mti.is_advice(),
            card: judged.card.as_deref().map(ledger_card),
            pin: judged.pin,
            pin_tries_max: judged.card.as_deref().map_or(0, |card| card.pin_tries_max),
            action: judged.action,
            answer: facts.to_bytes(),
            record: record::of(link, origin, request, facts),
        }),
    )
}

fn ledger_card(card: &Card) -> CardId {
    CardId::try_from(card.card_id).unwrap_or(CardId::MAX)
}

/// A reversal needs no card check: money goes back whatever became of the card since.
fn reverse(switch: &Switch, origin: &Origin, request: &FinancialRequest) -> Result<Judged, ResponseCode> {
    let original = identity::reversed(&switch.hasher, origin, request, switch.clock.now())?;
    let action = CardAction::Reverse { original, remaining: request.remaining };
    Ok(Judged { card: None, pin: PinCheck::NotChecked, action })
}

/// What a network has paid already and will settle with us, whatever our rules say.
fn is_settled(origin: &Origin, mti: Mti) -> bool {
    mti.class() == Class::Financial && mti.is_advice() && origin.network().is_some()
}

/// The money moves where there is an account for it. What cannot be posted at all is recorded, for somebody to settle.
fn settled(switch: &Switch, origin: &Origin, request: &FinancialRequest) -> Result<Judged, ResponseCode> {
    let card = match card::find(switch, origin, request) {
        Ok(card) => card,
        Err(code) => return Ok(Judged::declined(None, code)),
    };
    let hold = match request.is_completion {
        true => Some(identity::completed(&switch.hasher, origin, request, switch.clock.now())?),
        false => None,
    };
    let entry = match request.kind {
        Kind::Refund => entry(request, origin.account(), card.account),
        kind if kind.pays_merchant() => entry(request, card.account, origin.account()),
        _ => Err(ResponseCode::INVALID_TRANSACTION),
    };
    let action = entry
        .map_or_else(|code| CardAction::Decline { reason: code.number() }, |entry| CardAction::Force { entry, hold });
    Ok(Judged { card: Some(card), pin: PinCheck::NotChecked, action })
}

/// A completion was approved with its hold; status and expiry of the card do not matter any more.
fn complete(switch: &Switch, origin: &Origin, request: &FinancialRequest) -> Result<Judged, ResponseCode> {
    let hold = identity::completed(&switch.hasher, origin, request, switch.clock.now())?;
    let card = match card::find(switch, origin, request) {
        Ok(card) => card,
        Err(code) => return Ok(Judged::declined(None, code)),
    };
    let action =
        completion(origin, request, &card, hold).unwrap_or_else(|code| CardAction::Decline { reason: code.number() });
    Ok(Judged { card: Some(card), pin: PinCheck::NotChecked, action })
}

fn completion(
    origin: &Origin,
    request: &FinancialRequest,
    card: &Card,
    hold: Reference,
) -> Result<CardAction, ResponseCode> {
    if !request.kind.pays_merchant() {
        return Err(ResponseCode::INVALID_TRANSACTION);
    }
    let entry = entry(request, card.account, origin.account())?;
    let approval = request.approval_number().ok_or(ResponseCode::ORIGINAL_NOT_FOUND)?;
    Ok(CardAction::Complete { hold, approval: Some(approval), entry, tolerance_bp: card.completion_tolerance_bp })
}

/// Purchases, cash, pre-authorizations and balance inquiries.
async fn pay(
    switch: &Switch,
    origin: &Origin,
    request: &FinancialRequest,
    keys: Option<&KeyPair>,
    turn: &mut Option<tokio::sync::OwnedMutexGuard<()>>,
) -> Result<Judged, ResponseCode> {
    let card = match card::find(switch, origin, request) {
        Ok(card) => card,
        Err(code) => return Ok(Judged::declined(None, code)),
    };
    if let Err(code) = card::check_usable(&card, request, switch.clock.now()) {
        return Ok(Judged::declined(Some(card), code));
    }
    let action = match action(switch, origin, request, &card) {
        Ok(action) => action,
        Err(code) => return Ok(Judged::declined(Some(card), code)),
    };
    if request.pin_block.is_some() {
        let own = switch.pin_checks.turn(card.card_id, crate::limits::PIN_TURN_WAIT).await;
        *turn = Some(own.ok_or(ResponseCode::UNAVAILABLE)?);
    }
    match pin::check(switch, &card, request, keys).await {
        Ok(pin) => Ok(Judged { card: Some(card), pin, action }),
        Err(code) => Ok(Judged::declined(Some(card), code)),
    }
}

fn action(
    switch: &Switch,
    origin: &Origin,
    request: &FinancialRequest,
    card: &Card,
) -> Result<CardAction, ResponseCode> {
    match request.kind {
        Kind::BalanceInquiry => Ok(CardAction::Inquire { account: card.account }),
        Kind::Purchase | Kind::Cash | Kind::PurchaseWithCashback => {
            let entry = entry(request, card.account, origin.account())?;
            Ok(match request.mti.class() {
                Class::Authorization => {
                    let expires_at = switch.clock.now() + u64::from(card.hold_life_s) * 1000;
                    CardAction::Hold { entry, expires_at }
                }
                _ => CardAction::Post { entry },
            })
        }
        // Money that is not there yet cannot be held: a refund posts or is no transaction.
        Kind::Refund if request.mti.class() == Class::Financial => {
            Ok(CardAction::Post { entry: entry(request, origin.account(), card.account)? })
        }
        Kind::Refund => Err(ResponseCode::INVALID_TRANSACTION),
        Kind::Unserved => Err(ResponseCode::INVALID_TRANSACTION),
    }
}

/// The request's amount from one account to another: cardholder to merchant payable, or back for a refund.
fn entry(request: &FinancialRequest, from: AccountId, to: AccountId) -> Result<Entry, ResponseCode> {
    if request.amount == 0 {
        return Err(ResponseCode::INVALID_AMOUNT);
    }
    let currency = request.currency.ok_or(ResponseCode::INVALID_TRANSACTION)?;
    Ok(Entry {
        currency,
        postings: vec![
            Posting { account: from, amount: -request.amount },
            Posting { account: to, amount: request.amount },
        ],
    })
}
