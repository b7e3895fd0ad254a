//! What can go wrong at a terminal, and what to do about it. No error holds card data, a PIN or a key.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use iso8583::{DecodeError, EncodeError, SpecError};
use payment_crypto::Fault;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{}: {reason}; start `umbra demo` first, or name the data directory it uses", path.display())]
    DemoFile { path: PathBuf, reason: String },
    #[error("the card cannot be used: {0}; correct it")]
    Card(&'static str),
    #[error("the TMK is not {0}; take the terminal's from demo.json")]
    Tmk(&'static str),
    #[error("\"{0}\" is no key scheme; write tr31 or ecb")]
    KeyScheme(String),
    #[error("no terminal listener is called {0}; write pos-binary, pos-tls or pos-ascii")]
    Listener(String),
    #[error(transparent)]
    Spec(#[from] SpecError),
    #[error("DE 62 of the key exchange {0}; compare the terminal's key scheme with the host's")]
    KeyCarrier(&'static str),
    #[error("session key {tag} is refused: {reason}; compare the TMK and the key scheme with the host's")]
    SessionKey { tag: &'static str, reason: String },
    #[error("the terminal has no session keys; exchange keys first (0800 with DE 70 = 101)")]
    NoSessionKeys,
    #[error("the amount has more than twelve digits in minor units; give a smaller one")]
    Amount,
    #[error("{0} is no STAN; give 1 to 999999")]
    Stan(u32),
    #[error("the original cannot be named: {0}")]
    Original(&'static str),
    #[error("the request cannot be encoded: {0}; correct that value")]
    Encode(#[from] EncodeError),
    #[error("cipher: {0}; check keys, PIN and PAN")]
    Cipher(#[from] Fault),
    #[error("cannot connect to {address}: {reason}; is the switch running there?")]
    Connect { address: SocketAddr, reason: String },
    #[error("{doing} took longer than {} s; see the switch's log, then connect again", after.as_secs_f32())]
    Timeout { doing: &'static str, after: Duration },
    #[error("the connection broke: {0}; connect again")]
    Broken(#[from] std::io::Error),
    #[error("the switch closed the connection; see its log for the reason, then connect again")]
    Closed,
    #[error("the switch refused the {doing} with {code} ({meaning}); check terminal, merchant and TMK")]
    Refused { doing: &'static str, code: String, meaning: &'static str },
    #[error(transparent)]
    Answer(#[from] AnswerFault),
}

/// Why an answer is not the one that was waited for.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerFault {
    #[error("the answer cannot be decoded: {0}; does the listener use the terminal's spec and framing?")]
    Undecodable(#[from] DecodeError),
    #[error("the answer's MTI is {got}, not {expected}; the switch answered another request")]
    Mti { expected: String, got: String },
    #[error("the answer's STAN is {got}, not {expected}; match answers by STAN when several are under way")]
    Stan { expected: String, got: String },
    #[error("an answer came that no request waits for (MTI {mti}, STAN {stan}); the switch answered twice or too late")]
    NobodyWaits { mti: String, stan: String },
    #[error("the answer approves without a MAC although the request had one; do not trust it, reverse the request")]
    MacMissing,
    #[error("the answer has a MAC although the request had none; the switch breaks the rule for MACs")]
    MacUnexpected,
    #[error("the answer's MAC stands in DE {0}, where it must not; the switch breaks the rule for MACs")]
    MacMisplaced(u8),
    #[error("the answer's MAC is wrong; do not trust it, reverse the request and exchange keys again")]
    MacWrong,
    #[error("the answer's TPDU does not have the request's addresses swapped; does the listener use a TPDU?")]
    Tpdu,
    #[error("the switch did not echo the keep-alive; see its log, then connect again")]
    KeepAlive,
}
