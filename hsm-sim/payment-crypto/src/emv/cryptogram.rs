//! Application cryptograms: ARQC, TC and AAC (EMV Book 2, 8.1), which are MACs over transaction data.

use crate::mac::{self, Algorithm, Padding};
use crate::{Fault, TdesKey};

/// `key`: the session key, or for Visa CVN 10 the card's own. Padding is by scheme: zeros for Visa CVN 10, 0x80 and
/// zeros (method 2) elsewhere.
pub fn generate(key: &TdesKey, padding: Padding, data: &[u8]) -> Result<[u8; 8], Fault> {
    mac::generate(Algorithm::Three, key, padding, data)
}
