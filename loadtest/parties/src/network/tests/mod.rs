//! Networks against each other over real sockets, and what a false one would send.

pub(crate) mod fixture;
mod keys;
mod money;
mod trouble;
