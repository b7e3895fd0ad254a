//! MACs of issuer scripts (EMV Book 2, 9.2): commands that a card carries out after the transaction.

use crate::mac::{self, Algorithm, Padding};
use crate::{Fault, TdesKey};

/// Over what precedes the command in the schemes' rules (`prefix`: counter and cryptogram for Visa CVN 10, the
/// cryptogram alone or nothing elsewhere) and the command itself. Cards take four to eight bytes of it.
pub fn mac(session: &TdesKey, message: &[u8]) -> Result<[u8; 8], Fault> {
    mac::generate(Algorithm::Three, session, Padding::Bit, message)
}
