//! Chip cards (EMV Book 2): keys of a card and of a session, cryptograms, issuer answers, scripts, contactless CVC3.

pub mod arpc;
pub mod cryptogram;
pub mod cvc3;
pub mod master_key;
pub mod pin_change;
pub mod script;
pub mod session_key;

#[cfg(test)]
mod tests;
