//! The message path: one request from a terminal to its answer.
//!
//! ```text
//! decode → terminal → MAC → duplicate → card → PIN → decide → post → answer
//! ```
//!
//! [`answer_request`] is the list of steps in order; each step is one function in the file of its name.

mod answer;
mod answer_facts;
mod card;
mod decision;
mod identity;
mod in_flight;
mod mti;
mod network_management;
mod pin;
mod record;
mod request;
mod response_code;
mod security;
mod session;

use std::sync::Arc;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use directory::{Directory, PanHasher, Terminal, TerminalName};
use host_commands::HsmClient;
use iso8583::{Message, Spec};
use ledger::{Clock, Ledger};

use self::answer::Answer;
use self::answer_facts::AnswerFacts;
use self::identity::Identity;
use self::in_flight::Turn;
use self::mti::{Class, Mti};
use self::request::FinancialRequest;
use self::response_code::ResponseCode;
use self::session::KeyPair;

pub use self::in_flight::InFlight;
pub use self::pin::PinChecks;
pub use self::session::Sessions;

/// Everything a message needs on its way. No clear payment key is among it.
pub struct Switch {
    pub directory: Arc<Directory>,
    pub ledger: Ledger,
    pub hsm: HsmClient,
    pub hasher: PanHasher,
    pub sessions: Arc<Sessions>,
    pub in_flight: InFlight,
    pub pin_checks: PinChecks,
    pub clock: Arc<dyn Clock>,
}

/// What all connections of one listener share.
pub struct Link {
    pub listener: String,
    pub spec: Arc<Spec>,
}

/// What becomes of a message.
pub enum Reply {
    Answer(BytesMut),
    /// Understood, and not to be answered: somebody's answer, or an answer that could not be secured.
    Silence(&'static str),
    /// Not understood far enough to be answered.
    Undecodable,
}

/// Takes one message without framing and says what to send back.
pub async fn handle(switch: &Switch, link: &Link, wire: Bytes) -> Reply {
    let started = Instant::now();
    let (message, fault) = link.spec.decode_partial(&wire);
    let Some(mti) = Mti::parse(message.mti()) else {
        return Reply::Undecodable;
    };
    if !mti.is_request() {
        return Reply::Silence("not a request");
    }
    let echoed = AnswerFacts::of(&message);
    let mut keys = None;
    let answer = match fault {
        Some(_) if echoed.text(11).is_none() => return Reply::Undecodable,
        Some(fault) => {
            tracing::info!(listener = link.listener, mti = mti.as_str(), %fault, "message refused as malformed");
            Answer::with(ResponseCode::FORMAT_ERROR)
        }
        None => answer_request(switch, link, mti, &message, &echoed, &mut keys).await.unwrap_or_else(Answer::with),
    };
    let encoded = answer.encode(switch, link, mti, &echoed, keys.as_ref()).await;
    observe(link, mti, &answer, &echoed, started);
    encoded.map_or(Reply::Silence("answer could not be secured"), Reply::Answer)
}

/// The steps in order. `Err` is an answer without an event: nothing was moved and nothing is remembered.
async fn answer_request(
    switch: &Switch,
    link: &Link,
    mti: Mti,
    message: &Message<'_>,
    echoed: &AnswerFacts,
    keys: &mut Option<KeyPair>,
) -> Result<Answer, ResponseCode> {
    let terminal = terminal(switch, message)?;
    *keys = security::verify(switch, &terminal, mti, message).await?;
    match mti.class() {
        Class::NetworkManagement => return network_management::answer(switch, &terminal, message).await,
        Class::Other => return Err(ResponseCode::INVALID_TRANSACTION),
        Class::Authorization | Class::Financial | Class::Reversal => {}
    }
    if switch.sessions.is_signed_off(terminal.id) {
        return Err(ResponseCode::TERMINAL_NOT_PERMITTED);
    }
    let request = FinancialRequest::read(mti, message)?;
    let identity = Identity::of(&switch.hasher, &terminal.name, &request, switch.clock.now())?;
    if keys.is_none() {
        // A terminal without MACs may still send PINs under the keys it was given.
        let unauthenticated = switch.sessions.current(terminal.id);
        return post_once(switch, link, &terminal, &request, &identity, unauthenticated.as_ref(), echoed).await;
    }
    post_once(switch, link, &terminal, &request, &identity, keys.as_ref(), echoed).await
}

/// DE 41 and DE 42 together name the terminal.
fn terminal(switch: &Switch, message: &Message<'_>) -> Result<Arc<Terminal>, ResponseCode> {
    let (Some(terminal_id), Some(merchant_id)) = (message.text(41), message.text(42)) else {
        return Err(ResponseCode::FORMAT_ERROR);
    };
    switch
        .directory
        .terminal(&TerminalName::new(&terminal_id, &merchant_id))
        .filter(|terminal| terminal.active)
        .ok_or(ResponseCode::TERMINAL_NOT_PERMITTED)
}

/// Decides and posts a request that is new; a duplicate gets the first answer, after it if need be.
async fn post_once(
    switch: &Switch,
    link: &Link,
    terminal: &Terminal,
    request: &FinancialRequest,
    identity: &Identity,
    keys: Option<&KeyPair>,
    echoed: &AnswerFacts,
) -> Result<Answer, ResponseCode> {
    let mut names =
        identity.aliases.iter().take(usize::from(request.local_time.is_some())).copied().collect::<Vec<_>>();
    names.push(identity.id.0);
    let first = loop {
        match switch.in_flight.enter(names.clone()) {
            Turn::First(first) => break first,
            Turn::Wait(waiting) => {
                let waited = tokio::time::timeout(crate::limits::DUPLICATE_WAIT, in_flight::finished(waiting)).await;
                waited.map_err(|_| ResponseCode::MALFUNCTION)?;
            }
        }
    };
    let known = switch.ledger.lookup(identity.id, identity.repeat_of);
    metrics::counter!("umbra_duplicates_total").increment(known.is_some().into());
    let decision = match known {
        Some(known) if known.content != identity.content => return Err(ResponseCode::DUPLICATE),
        Some(known) if known.by_id => return Ok(Answer::from_applied(switch, request.mti, &known.applied)),
        Some(_) => decision::known_repeat(link, terminal, request, identity, echoed),
        None => decision::decide(switch, link, terminal, request, identity, keys, echoed).await?,
    };
    let applied = switch.ledger.submit(decision.event).await.map_err(|error| {
        tracing::error!(%error, "event not taken by the ledger");
        ResponseCode::MALFUNCTION
    })?;
    drop(first);
    Ok(Answer::from_applied(switch, request.mti, &applied))
}

/// One line and one count a message; nothing of the card is in either.
fn observe(link: &Link, mti: Mti, answer: &Answer, echoed: &AnswerFacts, started: Instant) {
    let elapsed = started.elapsed();
    metrics::counter!(
        "umbra_messages_total",
        "listener" => link.listener.clone(), "mti" => mti.label(), "code" => answer.code.label()
    )
    .increment(1);
    metrics::histogram!("umbra_message_seconds", "listener" => link.listener.clone()).record(elapsed.as_secs_f64());
    tracing::debug!(
        listener = link.listener,
        mti = mti.as_str(),
        code = answer.code.label(),
        stan = echoed.text(11),
        terminal = echoed.text(41),
        rrn = echoed.text(37),
        micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
        duplicate = answer.first.is_some(),
        "message answered"
    );
}
