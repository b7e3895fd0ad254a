//! What can go wrong at a simulated network, and what to do about it. No error holds card data, a PIN or a key.

use std::net::SocketAddr;
use std::time::Duration;

#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    #[error("\"{0}\" is no institution's id; give 1 to 11 digits")]
    Id(String),
    #[error("the ZMK is not {0}; take the network's from demo.json")]
    Zmk(&'static str),
    #[error("{what} is {value}; give a fraction from 0 to 1, and no more than 1 with the others of its kind")]
    Fraction { what: &'static str, value: f64 },
    #[error("\"{0}\" is no code of DE 39 to decline with; give two characters that do not approve, like 51")]
    Code(String),
    #[error("the cards cannot be used: {0}; correct the file")]
    Cards(String),
    #[error("cannot listen on {address}: {reason}; stop what uses it or choose another address")]
    Listen { address: SocketAddr, reason: String },
    #[error("the other side refused the {doing} with {code} ({meaning}); compare id, ZMK and key scheme with its own")]
    Refused { doing: &'static str, code: String, meaning: &'static str },
    #[error("the {doing} was not answered within {} s; is a network listener there?", after.as_secs_f32())]
    NoAnswer { doing: &'static str, after: Duration },
    #[error("the network has no zone keys; exchange keys first (0800 with DE 70 = 101)")]
    NoZoneKeys,
    #[error("the network link is closed; see the other side's log, then connect again")]
    Closed,
    #[error("the reversal is still without an answer after {0} copies; reverse by hand")]
    NeverAnswered(u32),
    #[error("the reversal was refused with {code} ({meaning}); reverse by hand")]
    ReversalRefused { code: String, meaning: &'static str },
    #[error(transparent)]
    Party(#[from] crate::Error),
}
