//! A network that brings what its acquirers ask: authorizations, advices, and reversals until they are answered.

mod build;
mod settle;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

pub use self::settle::{Repeats, Reversed, Settlement};
use super::counts::Counts;
use super::link::Link;
use super::party::Party;
use super::waiting::LateAnswer;
use super::zone::institution;
use super::{NetworkError, Watch, Zone, administration};
use crate::{Administration, Dialect, Error, Exchange, KeyScheme, Request, Terminal, TerminalProfile};

/// How long the network waits for an answer, unless said otherwise; the contract's time-out between networks.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// How an [`AcquirerSide`] is set up.
#[derive(Clone, Debug)]
pub struct AcquirerSettings {
    /// DE 32.
    pub acquirer_id: String,
    /// DE 41 of the one terminal behind it.
    pub terminal_id: String,
    /// DE 42.
    pub merchant_id: String,
    pub answer_timeout: Duration,
    pub repeats: Repeats,
    /// Give the other side keys at the beginning of a connection, unless it proves that it has some, and when
    /// it refuses a reversal for want of them.
    pub exchange_keys: bool,
}

impl AcquirerSettings {
    pub fn new(acquirer_id: &str) -> Self {
        Self {
            acquirer_id: acquirer_id.to_owned(),
            terminal_id: "NET00001".to_owned(),
            merchant_id: "NETWORKMERCHANT".to_owned(),
            answer_timeout: ANSWER_TIMEOUT,
            repeats: Repeats::default(),
            exchange_keys: true,
        }
    }
}

/// Many tasks may share it: their requests go over one connection, and each gets its own answer. A connection that
/// ended is opened again when it is next needed.
pub struct AcquirerSide {
    party: Party,
    address: SocketAddr,
    settings: AcquirerSettings,
    /// Builds what a terminal would send; the network's own fields are added to it.
    terminal: Terminal,
    link: Mutex<Option<Arc<Link>>>,
    /// Held by whoever replaces keys that the other side has lost.
    renewal: Mutex<()>,
}

impl AcquirerSide {
    /// Connects, signs on and exchanges keys.
    pub async fn connect(
        address: SocketAddr,
        zone: Arc<Zone>,
        settings: AcquirerSettings,
        watch: Option<Watch>,
    ) -> Result<Self, NetworkError> {
        let acquirer_id = institution(&settings.acquirer_id)?;
        let settings = AcquirerSettings { acquirer_id, ..settings };
        let party = Party::new(zone, watch)?;
        let terminal = Terminal::new(behind(&settings)?, party.dialect.clone());
        let side = Self { party, address, settings, terminal, link: Mutex::default(), renewal: Mutex::default() };
        side.link().await?;
        Ok(side)
    }

    /// The connection, opened again where it has ended.
    pub async fn link(&self) -> Result<Arc<Link>, NetworkError> {
        let mut current = self.link.lock().await;
        if let Some(link) = current.as_ref().filter(|link| link.is_open()) {
            return Ok(Arc::clone(link));
        }
        let link = Link::connect(self.address, self.party.clone()).await?;
        if let Err(error) = self.greet(&link).await {
            link.close();
            return Err(error);
        }
        *current = Some(Arc::clone(&link));
        Ok(link)
    }

    /// Sends a request and waits for its answer; `None` when none came in time.
    pub async fn send(&self, request: &Request) -> Result<Option<Exchange>, NetworkError> {
        self.link().await?.request(request, self.settings.answer_timeout).await
    }

    /// Answers that came when nobody waited for them any more, since this was last asked for.
    pub fn late_answers(&self) -> Vec<LateAnswer> {
        self.party.take_late()
    }

    pub fn dialect(&self) -> &Dialect {
        &self.party.dialect
    }

    /// With which a further connection of this network begins, one that somebody else reads and writes.
    pub fn sign_on_request(&self) -> Result<Request, NetworkError> {
        Ok(administration::request(&self.party.zone, &self.party.dialect, Administration::SignOn, 1, None)?)
    }

    pub fn counts(&self) -> &Counts {
        &self.party.counts
    }

    pub fn zone(&self) -> &Arc<Zone> {
        &self.party.zone
    }

    /// Signs off and closes.
    pub async fn stop(&self) {
        if let Some(link) = self.link.lock().await.take() {
            // The other side may be gone already.
            let _ = tokio::time::timeout(self.settings.answer_timeout, link.sign_off()).await;
            link.close();
        }
    }

    /// The other side refused a message for its MAC. Whoever notices it first replaces the keys for all.
    async fn renew_keys(&self, refused: &Request) -> Result<(), NetworkError> {
        let link = self.link().await?;
        let _renewal = self.renewal.lock().await;
        match refused.keys() == self.party.zone.keys().as_deref() {
            true => link.exchange_keys().await,
            false => Ok(()),
        }
    }

    async fn greet(&self, link: &Link) -> Result<(), NetworkError> {
        link.sign_on().await?;
        match self.settings.exchange_keys {
            true => link.ensure_keys().await,
            false => Ok(()),
        }
    }
}

impl Drop for AcquirerSide {
    fn drop(&mut self) {
        if let Some(link) = self.link.get_mut() {
            link.close();
        }
    }
}

impl std::fmt::Debug for AcquirerSide {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AcquirerSide").field("zone", &self.party.zone).finish_non_exhaustive()
    }
}

/// A terminal that makes no MACs and enciphers no PINs, as the network does both; its TMK is never used.
fn behind(settings: &AcquirerSettings) -> Result<TerminalProfile, Error> {
    Ok(TerminalProfile {
        terminal_id: settings.terminal_id.clone(),
        merchant_id: settings.merchant_id.clone(),
        tmk: super::key_carrier::fresh()?.tpk,
        key_scheme: KeyScheme::Tr31,
        mac: false,
    })
}
