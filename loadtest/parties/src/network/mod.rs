//! Card networks: an [`IssuerSide`] answers for the issuers behind it, an [`AcquirerSide`] sends what acquirers ask.
//!
//! Both speak over [`Link`]s, on which either side may sign on, exchange keys and send requests at any time. The keys
//! belong to the [`Zone`], not to a connection. Whatever a network does wrong is planned: see [`Behaviour`].

mod acquirer;
mod administration;
mod behaviour;
mod chance;
mod counts;
mod error;
mod issuer;
mod key_carrier;
mod key_ring;
mod latency;
mod link;
mod party;
mod sighting;
#[cfg(test)]
mod tests;
mod waiting;
mod zone;

pub use acquirer::{AcquirerSettings, AcquirerSide, Repeats, Reversed, Settlement};
pub use behaviour::Behaviour;
pub use counts::{Count, Counts};
pub use error::NetworkError;
pub use issuer::{Balance, IssuerCard, IssuerSettings, IssuerSide};
pub use latency::Latency;
pub use link::Link;
pub use sighting::{Sighting, Watch, Way};
pub use waiting::LateAnswer;
pub use zone::Zone;
