//! What a device offers at its console only: keys entered in clear, by people, before it is used.

use payment_crypto::{TdesKey, kcv};

use crate::key_type::KeyType;
use crate::lmk::{Lmk, Scheme};

/// A key entered in clear (console command FK): its text under the LMK and six digits of its check value.
/// `None` when type, scheme and length do not fit or the parity is not odd.
pub fn form_key(lmk: &Lmk, key_type: &str, scheme: char, clear: &[u8]) -> Option<(String, String)> {
    let key_type = KeyType::parse(key_type).ok()?;
    let scheme = Scheme::parse(u8::try_from(scheme).ok()?).ok()?;
    if !TdesKey::has_odd_parity(clear) {
        return None;
    }
    let wrapped = lmk.wrap(key_type, scheme, clear).ok()?;
    let check = kcv::tdes(&TdesKey::from_bytes(clear).ok()?);
    Some((wrapped, check.iter().take(3).map(|byte| format!("{byte:02X}")).collect()))
}
