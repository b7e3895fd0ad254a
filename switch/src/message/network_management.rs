//! 0800: sign-on, sign-off, key exchange, echo.

use directory::{KeyScheme, Terminal};
use host_commands::{ExportedKey, KeyExport, KeyUnderLmk};
use iso8583::Message;

use super::Switch;
use super::answer::Answer;
use super::response_code::ResponseCode;
use super::security::hsm_failed;
use super::session::KeyPair;

/// Key type codes of the HSM: terminal PIN key and terminal authentication key.
const TPK: &str = "002";
const TAK: &str = "003";

pub async fn answer(switch: &Switch, terminal: &Terminal, message: &Message<'_>) -> Result<Answer, ResponseCode> {
    let code = message.text(70).ok_or(ResponseCode::FORMAT_ERROR)?;
    match code.as_ref() {
        "001" => {
            switch.sessions.set_signed_off(terminal.id, false);
            Ok(Answer::approved())
        }
        "002" => {
            switch.sessions.set_signed_off(terminal.id, true);
            Ok(Answer::approved())
        }
        "101" => exchange_keys(switch, terminal).await,
        "301" => Ok(Answer::approved()),
        _ => Err(ResponseCode::INVALID_TRANSACTION),
    }
}

/// Makes a TPK and a TAK in the HSM. The pair is stored as pending before the terminal hears of it.
async fn exchange_keys(switch: &Switch, terminal: &Terminal) -> Result<Answer, ResponseCode> {
    let tmk = KeyUnderLmk::from(terminal.tmk.clone());
    let (tpk, tak) = tokio::try_join!(
        switch.hsm.generate_and_export_key(TPK, 'U', &tmk, export(terminal.key_scheme, *b"P0", b'E')),
        switch.hsm.generate_and_export_key(TAK, 'U', &tmk, export(terminal.key_scheme, *b"M3", b'C')),
    )
    .map_err(|error| hsm_failed("make session keys", &error))?;
    let carrier = format!("{}{}", tag("PK", terminal.key_scheme, &tpk)?, tag("MK", terminal.key_scheme, &tak)?);
    switch.sessions.offer(terminal.id, KeyPair { tpk: tpk.key, tak: tak.key }).await.map_err(|error| {
        tracing::error!(terminal = terminal.id, %error, "session keys not stored; is the database writable?");
        ResponseCode::MALFUNCTION
    })?;
    Ok(Answer { key_carrier: Some(carrier), ..Answer::approved() })
}

fn export(scheme: KeyScheme, usage: [u8; 2], mode: u8) -> KeyExport {
    match scheme {
        KeyScheme::Tr31 => KeyExport::Tr31 { usage, mode, exportability: b'N' },
        KeyScheme::Ecb => KeyExport::Ecb,
    }
}

/// `TAG(2) LENGTH(3 digits) VALUE`: a TR-31 key block, or the ECB cryptogram with its six-digit check value.
fn tag(name: &str, scheme: KeyScheme, key: &ExportedKey) -> Result<String, ResponseCode> {
    let value = match scheme {
        KeyScheme::Tr31 => key.exported.strip_prefix('R').unwrap_or(&key.exported).to_owned(),
        KeyScheme::Ecb => format!("{}{}", key.exported, key.kcv.get(..6).ok_or(ResponseCode::MALFUNCTION)?),
    };
    if value.len() > 999 {
        return Err(ResponseCode::MALFUNCTION);
    }
    Ok(format!("{name}{:03}{value}", value.len()))
}
