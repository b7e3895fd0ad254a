//! The MAC: where it must stand, and whether it is right.
//!
//! ISO 9797-1 algorithm 3, padding method 1, over the message from the MTI to the byte before the MAC. Whether the
//! bytes are right only the HSM can say; the switch holds the keys under the LMK alone.

use host_commands::HsmError;
use iso8583::Message;

use super::Switch;
use super::mti::{Class, Mti};
use super::origin::Origin;
use super::response_code::ResponseCode;
use super::session::{Holder, KeyPair};

/// DE 70 values whose 0800 needs no MAC: sign-on, key exchange, echo.
const WITHOUT_MAC: [&str; 3] = ["001", "101", "301"];

/// DE 128 when any of DE 65 to 127 is present, else DE 64; the other way round is a format error.
fn place(message: &Message<'_>) -> Result<Option<u8>, ResponseCode> {
    let extended = (65..=127).any(|de| message.has(de));
    match (message.has(64), message.has(128), extended) {
        (false, false, _) => Ok(None),
        (true, false, false) => Ok(Some(64)),
        (false, true, true) => Ok(Some(128)),
        _ => Err(ResponseCode::FORMAT_ERROR),
    }
}

/// The key pair under which the message's MAC verified, or `None` where it needs none and has none.
pub async fn verify(
    switch: &Switch,
    origin: &Origin,
    mti: Mti,
    message: &Message<'_>,
) -> Result<Option<KeyPair>, ResponseCode> {
    let Some(de) = place(message)? else {
        return if needs_mac(origin, mti, message) { Err(ResponseCode::SECURITY_VIOLATION) } else { Ok(None) };
    };
    let mac = message.binary(de).ok_or(ResponseCode::FORMAT_ERROR)?;
    let mac: [u8; 8] = mac.as_ref().try_into().map_err(|_| ResponseCode::FORMAT_ERROR)?;
    let covered =
        message.span(de).and_then(|span| message.wire().get(..span.start)).ok_or(ResponseCode::FORMAT_ERROR)?;
    let (now, holder) = (switch.clock.now(), Holder::of(origin));
    for pair in switch.sessions.candidates(holder, now) {
        match switch.hsm.verify_mac(pair.mac_key(), covered, &mac).await {
            Ok(true) => {
                switch.sessions.used(holder, &pair, now);
                return Ok(Some(pair));
            }
            Ok(false) => {}
            Err(error) => return Err(hsm_failed("verify MAC", &error)),
        }
    }
    metrics::counter!("umbra_mac_failures_total").increment(1);
    Err(ResponseCode::SECURITY_VIOLATION)
}

fn needs_mac(origin: &Origin, mti: Mti, message: &Message<'_>) -> bool {
    let exempt = mti.class() == Class::NetworkManagement
        && message.text(70).is_some_and(|code| WITHOUT_MAC.contains(&code.as_ref()));
    origin.needs_macs() && !exempt
}

/// An HSM that cannot be reached is 91; one that refuses a command is a fault of ours.
pub fn hsm_failed(doing: &'static str, error: &HsmError) -> ResponseCode {
    tracing::warn!(doing, %error, "HSM command failed");
    match error {
        HsmError::Unavailable(_) => ResponseCode::UNAVAILABLE,
        HsmError::Refused { .. } | HsmError::Protocol(_) => ResponseCode::MALFUNCTION,
    }
}
