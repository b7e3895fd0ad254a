//! Where a request comes from, a terminal or a card network, and what follows from that.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use admin_store::KeyHolder;
use directory::{KeyScheme, Network, Terminal, TerminalName};
use host_commands::KeyDomain;
use iso8583::Message;
use ledger::AccountId;

use super::mti::{Class, Mti};
use super::response_code::ResponseCode;
use super::{Link, Side, Switch};

/// Whose message it is.
pub enum Origin {
    Terminal(Arc<Terminal>),
    Network(FromNetwork),
}

/// A network, and for whom it speaks.
pub struct FromNetwork {
    pub network: Arc<Network>,
    /// DE 32; empty in network management.
    pub acquirer: String,
    /// DE 41 and 42, where the acquirer sent them.
    pub terminal: TerminalName,
}

/// Which network has signed on over a connection, if any.
#[derive(Debug, Default)]
pub struct SignOn(Mutex<Option<Arc<Network>>>);

impl SignOn {
    /// What it calls itself in DE 33.
    fn institution(&self) -> Option<String> {
        let signed_on = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        signed_on.as_ref().map(|network| network.institution.clone())
    }

    pub fn set(&self, network: Option<Arc<Network>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = network;
    }
}

impl Origin {
    /// Who sent a message that came over a link.
    pub fn of(switch: &Switch, link: &Link, mti: Mti, message: &Message<'_>) -> Result<Self, ResponseCode> {
        match &link.side {
            Side::Terminals => terminal(switch, message).map(Self::Terminal),
            Side::Network(sign_on) => from_network(switch, sign_on, mti, message).map(Self::Network),
        }
    }

    pub fn key_holder(&self) -> KeyHolder {
        match self {
            Self::Terminal(terminal) => KeyHolder::Terminal(terminal.id),
            Self::Network(from) => KeyHolder::Network(from.network.id),
        }
    }

    pub fn key_domain(&self) -> KeyDomain {
        match self {
            Self::Terminal(_) => KeyDomain::Terminal,
            Self::Network(_) => KeyDomain::Zone,
        }
    }

    /// TMK or ZMK under the LMK.
    pub fn master_key(&self) -> &str {
        match self {
            Self::Terminal(terminal) => &terminal.tmk,
            Self::Network(from) => &from.network.zmk,
        }
    }

    pub fn key_scheme(&self) -> KeyScheme {
        match self {
            Self::Terminal(terminal) => terminal.key_scheme,
            Self::Network(from) => from.network.key_scheme,
        }
    }

    pub fn tenant_id(&self) -> i64 {
        match self {
            Self::Terminal(terminal) => terminal.tenant_id,
            Self::Network(from) => from.network.tenant_id,
        }
    }

    /// Whom a cardholder's money goes to: the merchant's payable, or what is owed to the network.
    pub fn account(&self) -> AccountId {
        match self {
            Self::Terminal(terminal) => terminal.merchant_account,
            Self::Network(from) => from.network.account,
        }
    }

    /// Whether a message without a MAC is refused; network management is exempt in part.
    pub fn needs_macs(&self) -> bool {
        match self {
            Self::Terminal(terminal) => terminal.mac_required,
            Self::Network(_) => true,
        }
    }

    /// Two texts that tell this sender from every other: STAN and RRN only count among its own messages.
    pub fn scope(&self) -> (Cow<'_, str>, &str) {
        match self {
            Self::Terminal(terminal) => (Cow::from(&terminal.name.terminal_id), &terminal.name.merchant_id),
            // Longer than any DE 41, so that no terminal's scope is the same.
            Self::Network(from) => (
                format!("network {} acquirer {}", from.network.institution, from.acquirer).into(),
                &from.terminal.terminal_id,
            ),
        }
    }

    /// DE 41 and 42.
    pub fn terminal(&self) -> &TerminalName {
        match self {
            Self::Terminal(terminal) => &terminal.name,
            Self::Network(from) => &from.terminal,
        }
    }

    /// DE 33 of the network, if it is one.
    pub fn network(&self) -> Option<&str> {
        match self {
            Self::Terminal(_) => None,
            Self::Network(from) => Some(&from.network.institution),
        }
    }
}

/// DE 41 and DE 42 together name the terminal.
fn terminal(switch: &Switch, message: &Message<'_>) -> Result<Arc<Terminal>, ResponseCode> {
    let (Some(terminal_id), Some(merchant_id)) = (message.text(41), message.text(42)) else {
        return Err(ResponseCode::FORMAT_ERROR);
    };
    switch
        .directory
        .terminal(&TerminalName::new(&terminal_id, &merchant_id))
        .filter(|terminal| terminal.active)
        .ok_or(ResponseCode::TERMINAL_NOT_PERMITTED)
}

/// The network that has signed on over this connection. Until one has, network management is all there is, and DE 33
/// says whose.
fn from_network(
    switch: &Switch,
    sign_on: &SignOn,
    mti: Mti,
    message: &Message<'_>,
) -> Result<FromNetwork, ResponseCode> {
    let is_management = mti.class() == Class::NetworkManagement;
    let stated = message.text(33);
    let signed_on = sign_on.institution();
    let institution = match (&signed_on, &stated) {
        // A connection may change hands, but only by signing on again.
        (Some(known), Some(stated)) if known != stated && !is_management => {
            return Err(ResponseCode::TERMINAL_NOT_PERMITTED);
        }
        (_, Some(stated)) if is_management => stated.as_ref(),
        (Some(known), _) => known.as_str(),
        (None, _) if is_management => return Err(ResponseCode::FORMAT_ERROR),
        (None, _) => return Err(ResponseCode::TERMINAL_NOT_PERMITTED),
    };
    let network = switch.directory.network(institution).filter(|network| network.active);
    let network = network.ok_or(ResponseCode::TERMINAL_NOT_PERMITTED)?;
    let text = |de: u8| message.text(de).unwrap_or_default();
    if !is_management && text(32).is_empty() {
        return Err(ResponseCode::FORMAT_ERROR);
    }
    Ok(FromNetwork { network, acquirer: text(32).into_owned(), terminal: TerminalName::new(&text(41), &text(42)) })
}
