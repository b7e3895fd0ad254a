//! 0800: sign-on, sign-off, key exchange, echo.

use std::sync::Arc;

use admin_core::{NewSessionKeys, SessionKeyError, SessionKeys};
use directory::{Directory, TerminalName};
use futures::future::BoxFuture;
use host_commands::HsmClient;
use iso8583::Message;

use super::answer::Answer;
use super::key_carrier::{self, travelling};
use super::origin::Origin;
use super::response_code::ResponseCode;
use super::security::hsm_failed;
use super::session::{Holder, KeyPair, Sessions};
use super::{Link, Side, Switch};

pub async fn answer(
    switch: &Switch,
    link: &Link,
    origin: &Origin,
    message: &Message<'_>,
) -> Result<Answer, ResponseCode> {
    let code = message.text(70).ok_or(ResponseCode::FORMAT_ERROR)?;
    match code.as_ref() {
        "001" => sign(switch, link, origin, true),
        "002" => sign(switch, link, origin, false),
        "101" => match (origin, message.text(62)) {
            (Origin::Network(_), Some(carrier)) => take_keys(switch, origin, &carrier).await?,
            _ => return give_keys(switch, origin).await,
        },
        "301" => {}
        _ => return Err(ResponseCode::INVALID_TRANSACTION),
    }
    Ok(Answer::approved())
}

/// A terminal signs on and off wherever it is; a network does for the connection.
fn sign(switch: &Switch, link: &Link, origin: &Origin, on: bool) {
    match (origin, &link.side) {
        (Origin::Network(from), Side::Network(sign_on)) => sign_on.set(on.then(|| Arc::clone(&from.network))),
        _ => switch.sessions.set_signed_off(Holder::of(origin), !on),
    }
}

/// The answer carries a fresh pair.
async fn give_keys(switch: &Switch, origin: &Origin) -> Result<Answer, ResponseCode> {
    let scheme = origin.key_scheme();
    let sealed = key_carrier::make(&switch.hsm, origin.key_domain(), scheme, origin.master_key()).await;
    let sealed = sealed.map_err(|error| hsm_failed("make session keys", &error))?;
    let carrier = key_carrier::write(scheme, &sealed)?;
    offer(switch, origin, sealed.pair).await?;
    Ok(Answer { key_carrier: Some(carrier), ..Answer::approved() })
}

/// The request carries the network's pair. It counts from its first use, so that the old one serves until then.
async fn take_keys(switch: &Switch, origin: &Origin, carrier: &str) -> Result<(), ResponseCode> {
    let pair = key_carrier::take_over(&switch.hsm, origin.key_scheme(), origin.master_key(), carrier).await?;
    offer(switch, origin, pair).await
}

async fn offer(switch: &Switch, origin: &Origin, pair: KeyPair) -> Result<(), ResponseCode> {
    switch.sessions.offer(Holder::of(origin), pair).await.map_err(|error| {
        tracing::error!(holder = ?origin.key_holder(), %error, "session keys not stored; is the database writable?");
        ResponseCode::MALFUNCTION
    })
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
            let origin = Origin::Terminal(terminal);
            let made = key_carrier::make(&self.hsm, origin.key_domain(), origin.key_scheme(), origin.master_key());
            let sealed = made.await?;
            let keys = NewSessionKeys {
                pin_key: travelling(&sealed.pin).to_owned(),
                pin_key_check_value: sealed.pin.kcv.clone(),
                mac_key: travelling(&sealed.mac).to_owned(),
                mac_key_check_value: sealed.mac.kcv.clone(),
            };
            self.sessions.offer(Holder::of(&origin), sealed.pair).await.map_err(|error| {
                let holder = origin.key_holder();
                tracing::error!(?holder, %error, "session keys not stored; is the database writable?");
                SessionKeyError::NotStored
            })?;
            Ok(keys)
        })
    }
}
