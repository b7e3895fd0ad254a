//! `loadtest run`: the whole daemon under load, beside baselines taken in the same run, and the truth afterwards.
//!
//! ```text
//! start the daemon → stage → warm up → (prepare → baselines → load → judge) for each round → truth → report
//! ```
//!
//! Nothing is prepared or judged while a clock runs.

mod book;
mod card_load;
mod cipher;
mod closed;
mod echo;
mod empty_handler;
mod entries;
mod journal;
mod lane;
mod load;
mod open;
mod reporting;
mod rest;
mod rest_load;
mod rounds;
mod saboteur;
mod scrape;
mod script;
mod sender;
mod slice;
mod stage;
mod stalls;
mod target;
mod tranlog_rows;
mod transfers;
mod truth;
mod workload;

pub use card_load::Model;
pub use rounds::{Plan, run};
pub use saboteur::Fault;
pub use stage::NETWORK;
pub use workload::Workload;
