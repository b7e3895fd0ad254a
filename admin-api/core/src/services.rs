//! What all operations share.

use admin_store::{DataKeys, Store};
use host_commands::HsmClient;
use ledger::Ledger;

use crate::rate_limit::{RateLimiter, RateLimits};
use crate::token::TokenKeys;

pub struct Services {
    pub(crate) store: Store,
    pub(crate) ledger: Ledger,
    pub(crate) hsm: HsmClient,
    pub(crate) data_keys: DataKeys,
    pub(crate) tokens: TokenKeys,
    pub(crate) rates: RateLimiter,
}

impl Services {
    pub fn new(
        store: Store,
        ledger: Ledger,
        hsm: HsmClient,
        data_keys: DataKeys,
        tokens: TokenKeys,
        rates: RateLimits,
    ) -> Self {
        Self { store, ledger, hsm, data_keys, tokens, rates: RateLimiter::new(rates) }
    }
}
