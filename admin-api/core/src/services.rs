//! What all operations share.

use admin_store::{DataKeys, Store};
use ledger::Ledger;

use crate::token::TokenKeys;

pub struct Services {
    pub(crate) store: Store,
    pub(crate) ledger: Ledger,
    pub(crate) data_keys: DataKeys,
    pub(crate) tokens: TokenKeys,
}

impl Services {
    pub fn new(store: Store, ledger: Ledger, data_keys: DataKeys, tokens: TokenKeys) -> Self {
        Self { store, ledger, data_keys, tokens }
    }
}
