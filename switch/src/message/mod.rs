//! The message path: one request from a terminal or a card network to its answer.
//!
//! ```text
//! decode → origin → MAC → duplicate → card → PIN → decide → post → answer
//! ```
//!
//! [`answer_request`] is the list of steps in order; each step is one function in the file of its name.

mod answer;
mod answer_facts;
mod card;
mod decision;
mod identity;
mod in_flight;
mod key_carrier;
mod mti;
mod network_management;
mod origin;
mod pin;
mod record;
mod request;
mod response_code;
mod security;
mod session;
mod shown;
mod steps;
mod transaction;

use std::sync::Arc;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use directory::{Directory, PanHasher};
use host_commands::HsmClient;
use iso8583::{Message, Spec};
use ledger::{Clock, Ledger, SubmitError};

use self::answer::Answer;
use self::answer_facts::AnswerFacts;
use self::identity::Identity;
use self::mti::{Class, Mti};
use self::origin::{Origin, SignOn};
use self::request::FinancialRequest;
use self::response_code::ResponseCode;
use self::session::{Holder, KeyPair};

pub use self::in_flight::InFlight;
pub use self::network_management::SwitchSessionKeys;
pub use self::pin::PinChecks;
pub use self::session::Sessions;
pub use self::steps::Step;
pub use self::transaction::row_of;

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

/// What one connection's messages have in common.
pub struct Link {
    pub listener: String,
    pub spec: Arc<Spec>,
    pub side: Side,
}

/// Who is at the other end.
pub enum Side {
    /// Terminals, each message naming its own.
    Terminals,
    /// One card network, once it has signed on.
    Network(SignOn),
}

impl Link {
    pub fn terminals(listener: String, spec: Arc<Spec>) -> Self {
        Self { listener, spec, side: Side::Terminals }
    }

    /// Of a connection over which nobody has signed on yet.
    pub fn network(listener: String, spec: Arc<Spec>) -> Self {
        Self { listener, spec, side: Side::Network(SignOn::default()) }
    }

    /// The link of another connection of the same listener.
    pub fn another(&self) -> Self {
        match self.side {
            Side::Terminals => Self::terminals(self.listener.clone(), Arc::clone(&self.spec)),
            Side::Network(_) => Self::network(self.listener.clone(), Arc::clone(&self.spec)),
        }
    }
}

/// What becomes of a message.
pub enum Reply {
    Answer(BytesMut),
    /// Understood, and not to be answered: somebody's answer, an answer that could not be secured, or an event of
    /// which nobody knows yet whether it happened.
    Silence(&'static str),
    /// Not understood far enough to be answered.
    Undecodable,
}

/// Why a message is not answered with an event's outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NoEvent {
    /// Nothing was moved and nothing is remembered.
    Refused(ResponseCode),
    /// Something may have been moved. Any answer would be taken as final; without one the terminal repeats or
    /// reverses, and gets the truth.
    Unknown(&'static str),
}

impl From<ResponseCode> for NoEvent {
    fn from(code: ResponseCode) -> Self {
        Self::Refused(code)
    }
}

/// Takes one message without framing and says what to send back.
pub async fn handle(switch: &Switch, link: &Link, wire: Bytes) -> Reply {
    let started = Instant::now();
    let decoding = Step::Decode.start();
    let (message, fault) = link.spec.decode_partial(&wire);
    drop(decoding);
    let Some(mti) = Mti::parse(message.mti()) else {
        return Reply::Undecodable;
    };
    if !mti.is_request() {
        return Reply::Silence("not a request");
    }
    let echoed = AnswerFacts::of(mti, &message);
    let mut keys = None;
    let answer = match fault {
        Some(_) if echoed.text(11).is_none() => return Reply::Undecodable,
        Some(fault) => {
            tracing::info!(listener = link.listener, mti = mti.as_str(), %fault, "message refused as malformed");
            Answer::with(ResponseCode::FORMAT_ERROR)
        }
        None => match answer_request(switch, link, mti, &message, &echoed, &mut keys).await {
            Ok(answer) => answer,
            Err(NoEvent::Refused(code)) => Answer::with(code),
            Err(NoEvent::Unknown(why)) => return Reply::Silence(why),
        },
    };
    let answering = Step::Answer.start();
    let encoded = answer.encode(switch, link, mti, &echoed, keys.as_ref()).await;
    drop(answering);
    observe(link, mti, &answer, &echoed, started);
    encoded.map_or(Reply::Silence("answer could not be secured"), Reply::Answer)
}

/// The steps in order.
async fn answer_request(
    switch: &Switch,
    link: &Link,
    mti: Mti,
    message: &Message<'_>,
    echoed: &AnswerFacts,
    keys: &mut Option<KeyPair>,
) -> Result<Answer, NoEvent> {
    let origin = Origin::of(switch, link, mti, message)?;
    let verifying = Step::VerifyMac.start();
    *keys = security::verify(switch, &origin, mti, message).await?;
    drop(verifying);
    match mti.class() {
        Class::NetworkManagement => return Ok(network_management::answer(switch, link, &origin, message).await?),
        Class::Other => return Err(ResponseCode::INVALID_TRANSACTION.into()),
        Class::Authorization | Class::Financial | Class::Reversal => {}
    }
    let request = FinancialRequest::read(mti, message)?;
    let identity = Identity::of(&switch.hasher, &origin, &request, switch.clock.now())?;
    if keys.is_none() {
        // A terminal without MACs may still send PINs under the keys it was given.
        let unauthenticated = switch.sessions.current(Holder::of(&origin));
        return post_once(switch, link, &origin, &request, &identity, unauthenticated.as_ref(), echoed).await;
    }
    post_once(switch, link, &origin, &request, &identity, keys.as_ref(), echoed).await
}

/// Decides and posts a request that is new; a duplicate gets the first answer, after it if need be.
async fn post_once(
    switch: &Switch,
    link: &Link,
    origin: &Origin,
    request: &FinancialRequest,
    identity: &Identity,
    keys: Option<&KeyPair>,
    echoed: &AnswerFacts,
) -> Result<Answer, NoEvent> {
    let mut names =
        identity.aliases.iter().take(usize::from(request.local_time.is_some())).copied().collect::<Vec<_>>();
    names.push(identity.id.0);
    let duplicates = Step::Duplicate.start();
    // A copy that gave up while the first was still in work knows nothing of how that ends.
    let first = switch.in_flight.turn(&names, crate::limits::DUPLICATE_WAIT).await;
    let first = first.ok_or(NoEvent::Unknown("the first copy was not done in time"))?;
    let known = switch.ledger.lookup(identity.id, identity.repeat_of).map_err(|stopped| not_taken(stopped.into()))?;
    metrics::counter!("umbra_duplicates_total").increment(known.is_some().into());
    drop(duplicates);
    let deciding = Step::Decide.start();
    let decision = match known {
        Some(known) if known.content != identity.content => return Err(ResponseCode::DUPLICATE.into()),
        Some(known) if known.by_id => return Ok(Answer::from_applied(switch, origin, request.mti, &known.applied)),
        Some(_) => decision::known_repeat(link, origin, request, identity, echoed),
        // What has happened already is still told and taken back.
        None if request.mti.asks_permission() && switch.sessions.is_signed_off(Holder::of(origin)) => {
            return Err(ResponseCode::TERMINAL_NOT_PERMITTED.into());
        }
        None => decision::decide(switch, link, origin, request, identity, keys, echoed).await?,
    };
    drop(deciding);
    let posting = Step::Post.start();
    let applied = switch.ledger.submit(decision.event).await.map_err(not_taken)?;
    drop(posting);
    drop(first);
    Ok(Answer::from_applied(switch, origin, request.mti, &applied))
}

/// An event the ledger gave no outcome for. One that met a stopping ledger may be in the journal all the same.
fn not_taken(error: SubmitError) -> NoEvent {
    tracing::error!(%error, "event not taken by the ledger");
    match error {
        SubmitError::Stopped => NoEvent::Unknown("the ledger stopped"),
        SubmitError::Busy | SubmitError::Lagging | SubmitError::TooLarge => ResponseCode::MALFUNCTION.into(),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_surely_did_not_happen_is_refused() {
        for error in [SubmitError::Busy, SubmitError::Lagging, SubmitError::TooLarge] {
            assert_eq!(not_taken(error), NoEvent::Refused(ResponseCode::MALFUNCTION));
        }
        assert!(matches!(not_taken(SubmitError::Stopped), NoEvent::Unknown(_)));
    }
}
