//! What all operations share.

use std::sync::Arc;

use admin_store::{DataKeys, Store};
use host_commands::HsmClient;
use ledger::Ledger;

use crate::rate_limit::{RateLimiter, RateLimits};
use crate::session_keys::SessionKeys;
use crate::token::TokenKeys;

/// What the services are made of.
pub struct Parts {
    pub store: Store,
    pub ledger: Ledger,
    pub hsm: HsmClient,
    pub session_keys: Arc<dyn SessionKeys>,
    pub data_keys: DataKeys,
    pub tokens: TokenKeys,
    pub rates: RateLimits,
}

pub struct Services {
    pub(crate) store: Store,
    pub(crate) ledger: Ledger,
    pub(crate) hsm: HsmClient,
    pub(crate) session_keys: Arc<dyn SessionKeys>,
    pub(crate) data_keys: DataKeys,
    pub(crate) tokens: TokenKeys,
    pub(crate) rates: RateLimiter,
}

impl Services {
    pub fn new(parts: Parts) -> Self {
        let Parts { store, ledger, hsm, session_keys, data_keys, tokens, rates } = parts;
        Self { store, ledger, hsm, session_keys, data_keys, tokens, rates: RateLimiter::new(rates) }
    }
}
