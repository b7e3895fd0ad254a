//! The relational store: tenants, people, wallets' names, cards, terminals, and the projection of the ledger.
//!
//! One file for each kind of row. Money is not here: the ledger's journal is its truth, and what stands in
//! `account_movements` is copied from it. Functions that the REST surface calls take a [`Scope`] and see nothing
//! outside it.

mod accounts;
mod audit;
mod cards;
mod data_keys;
mod directory_feed;
mod error;
mod keys;
mod people;
mod projection;
mod scope;
mod sessions;
mod store;
mod terminals;
mod users;
mod wallets;

pub use accounts::{AccountRow, NewAccount};
pub use audit::AuditRecord;
pub use cards::{CardRow, NewCard};
pub use data_keys::DataKeys;
pub use error::StoreError;
pub use people::NewCustomer;
pub use projection::MovementRow;
pub use scope::Scope;
pub use sessions::SessionRow;
pub use store::{Page, Store, Transaction};
pub use terminals::{NewTerminal, TerminalRow};
pub use users::{NewUser, UserRow};
pub use wallets::{NewWallet, NewWalletType, WalletRow};
