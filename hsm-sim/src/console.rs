//! What a device offers at its console only: keys entered in clear, by people, before it is used.

use payment_crypto::{TdesKey, os_random};
use zeroize::Zeroizing;

use crate::error::Code;
use crate::keys::{Attributes, KeyType, Lmk, Scheme, Secret, VariantLmk};

/// A key entered in clear (console command FK): its text under a variant LMK and six digits of its check value.
/// `None` when type, scheme and length do not fit or the parity is not odd.
pub fn form_key(lmk: &Lmk, key_type: &str, scheme: char, clear: &[u8]) -> Option<(String, String)> {
    let Lmk::Variant(lmk) = lmk else { return None };
    if !TdesKey::has_odd_parity(clear) {
        return None;
    }
    put_away(lmk, KeyType::parse(key_type).ok()?, Scheme::parse(u8::try_from(scheme).ok()?).ok()?, clear).ok()
}

/// A key entered in clear, in a key block under a key-block LMK. `tail`: what the block says of it, as behind `#` in a
/// command. `None` when tail and key do not fit.
pub fn form_key_block(lmk: &Lmk, id: u8, tail: &[u8; 10], clear: &[u8]) -> Option<String> {
    let Lmk::KeyBlock(lmk) = lmk else { return None };
    let attributes = Attributes::parse(tail).ok().filter(|attributes| attributes.length == clear.len())?;
    lmk.wrap(id, &attributes.header, &Secret::new(attributes.header.algorithm, clear).ok()?).ok()
}

fn put_away(lmk: &VariantLmk, key_type: KeyType, scheme: Scheme, clear: &[u8]) -> Result<(String, String), Code> {
    let mut check = Secret::new(b'T', clear)?.check_value()?;
    check.truncate(6);
    Ok((lmk.wrap(key_type, scheme, clear)?, check))
}

/// A component of a key, which one person keeps: random bytes of odd parity, and six digits of their check value.
pub fn component(bytes: usize) -> Result<(Zeroizing<Vec<u8>>, String), Code> {
    let mut clear = Zeroizing::new(vec![0; bytes]);
    os_random(&mut clear)?;
    let clear = TdesKey::with_odd_parity(&clear);
    let check = component_check_value(&clear)?;
    Ok((clear, check))
}

/// Six digits that a person compares with those on the component's form.
pub fn component_check_value(clear: &[u8]) -> Result<String, Code> {
    let mut check = Secret::new(b'T', clear)?.check_value()?;
    check.truncate(6);
    Ok(check)
}

/// A key of the components that several people entered (console command FK): their sum, with odd parity.
pub fn form_key_of_components(
    lmk: &Lmk,
    key_type: KeyType,
    scheme: Scheme,
    components: &[Zeroizing<Vec<u8>>],
) -> Result<(String, String), Code> {
    let Lmk::Variant(lmk) = lmk else { return Err(Code::LMK_SCHEME) };
    let length = scheme.key_length()?;
    if components.len() < 2 {
        return Err(Code::COMPONENT_COUNT);
    }
    let mut sum = Zeroizing::new(vec![0; length]);
    for component in components {
        if component.len() != length {
            return Err(Code::KEY_LENGTH);
        }
        if !TdesKey::has_odd_parity(component) {
            return Err(Code::SOURCE_PARITY);
        }
        sum.iter_mut().zip(component.iter()).for_each(|(sum, byte)| *sum ^= byte);
    }
    put_away(lmk, key_type, scheme, &TdesKey::with_odd_parity(&sum))
}
