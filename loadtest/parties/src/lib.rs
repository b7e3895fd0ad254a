//! The parties around the switch, simulated: terminals and what they are told of the demo.
//!
//! A [`Terminal`] builds [`Request`]s without sending them, so that a load tester can make thousands before its clock
//! starts. A [`Connection`] carries them, one at a time or, as a [`Pipeline`], many at once. What comes back is checked
//! as a careful terminal would and kept with the request as an [`Exchange`].
//!
//! Clear keys and PINs live here as they do in a real terminal; the switch itself never holds any.

mod card;
mod connection;
mod demo;
mod dialect;
mod error;
mod exchange;
#[cfg(test)]
mod fake_host;
mod key_scheme;
mod kind;
mod mac;
mod network;
mod original;
mod pipeline;
mod profile;
mod request;
mod session;
mod terminal;
mod wire;

pub use card::CardProfile;
pub use connection::{ANSWER_TIMEOUT, CONNECT_TIMEOUT, Connection, Receiver, Sender, WRITE_TIMEOUT};
pub use demo::{Credentials, DemoCard, DemoFile, DemoNetwork, DemoTerminal};
pub use dialect::Dialect;
pub use error::{AnswerFault, Error};
pub use exchange::Exchange;
pub use key_scheme::KeyScheme;
pub use kind::{Administration, Kind};
pub use network::{
    AcquirerSettings, AcquirerSide, Balance, Behaviour, Count, Counts, IssuerCard, IssuerSettings, IssuerSide,
    LateAnswer, Latency, Link, NetworkError, Repeats, Reversed, Settlement, Sighting, Watch, Way, Zone,
};
pub use original::{Original, Reversal, parse_reference};
pub use pipeline::Pipeline;
pub use profile::TerminalProfile;
pub use request::Request;
pub use session::SessionKeys;
pub use terminal::{STAN_MAX, SessionOpening, Terminal};
