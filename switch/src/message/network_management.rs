//! 0800: sign-on, sign-off, key exchange, echo.

use std::sync::Arc;

use admin_core::{NewSessionKeys, SessionKeyError, SessionKeys};
use directory::{Directory, KeyScheme, Terminal, TerminalName};
use futures::future::BoxFuture;
use host_commands::{ExportedKey, HsmClient, HsmError, KeyExport, KeyUnderLmk};
use iso8583::Message;

use super::Switch;
use super::answer::Answer;
use super::response_code::ResponseCode;
use super::security::hsm_failed;
use super::session::{KeyPair, Sessions};

/// Key type codes of the HSM: terminal PIN key and terminal authentication key.
const TPK: &str = "002";
const TAK: &str = "003";

pub async fn answer(switch: &Switch, terminal: &Terminal, message: &Message<'_>) -> Result<Answer, ResponseCode> {
    let code = message.text(70).ok_or(ResponseCode::FORMAT_ERROR)?;
    match code.as_ref() {
        "001" => {
            switch.sessions.set_signed_off(terminal, false);
            Ok(Answer::approved())
        }
        "002" => {
            switch.sessions.set_signed_off(terminal, true);
            Ok(Answer::approved())
        }
        "101" => exchange_keys(switch, terminal).await,
        "301" => Ok(Answer::approved()),
        _ => Err(ResponseCode::INVALID_TRANSACTION),
    }
}

async fn exchange_keys(switch: &Switch, terminal: &Terminal) -> Result<Answer, ResponseCode> {
    let (tpk, tak) = make_keys(&switch.hsm, terminal).await.map_err(|error| hsm_failed("make session keys", &error))?;
    let carrier = format!("{}{}", tag("PK", terminal.key_scheme, &tpk)?, tag("MK", terminal.key_scheme, &tak)?);
    switch.sessions.offer(terminal, KeyPair { tpk: tpk.key, tak: tak.key }).await.map_err(|error| {
        tracing::error!(terminal = terminal.id, %error, "session keys not stored; is the database writable?");
        ResponseCode::MALFUNCTION
    })?;
    Ok(Answer { key_carrier: Some(carrier), ..Answer::approved() })
}

/// Makes a TPK and a TAK in the HSM. The pair is to be stored as pending before the terminal hears of it.
async fn make_keys(hsm: &HsmClient, terminal: &Terminal) -> Result<(ExportedKey, ExportedKey), HsmError> {
    let tmk = KeyUnderLmk::from(terminal.tmk.clone());
    tokio::try_join!(
        hsm.generate_and_export_key(TPK, 'U', &tmk, export(terminal.key_scheme, *b"P0", b'E')),
        hsm.generate_and_export_key(TAK, 'U', &tmk, export(terminal.key_scheme, *b"M3", b'C')),
    )
}

/// Session keys that are asked for over REST: the same pairs, in the same place.
pub struct SwitchSessionKeys {
    pub directory: Arc<Directory>,
    pub hsm: HsmClient,
    pub sessions: Arc<Sessions>,
}

impl SessionKeys for SwitchSessionKeys {
    fn renew<'a>(&'a self, name: &'a TerminalName) -> BoxFuture<'a, Result<NewSessionKeys, SessionKeyError>> {
        Box::pin(async move {
            let terminal = self.directory.terminal(name).ok_or(SessionKeyError::NotThere)?;
            let (tpk, tak) = make_keys(&self.hsm, &terminal).await?;
            let value = |key: &ExportedKey| match terminal.key_scheme {
                KeyScheme::Tr31 => key.exported.strip_prefix('R').unwrap_or(&key.exported).to_owned(),
                KeyScheme::Ecb => key.exported.clone(),
            };
            let keys = NewSessionKeys {
                pin_key: value(&tpk),
                pin_key_check_value: tpk.kcv.clone(),
                mac_key: value(&tak),
                mac_key_check_value: tak.kcv.clone(),
            };
            let pair = KeyPair { tpk: tpk.key, tak: tak.key };
            self.sessions.offer(&terminal, pair).await.map_err(|error| {
                tracing::error!(terminal = terminal.id, %error, "session keys not stored; is the database writable?");
                SessionKeyError::NotStored
            })?;
            Ok(keys)
        })
    }
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
