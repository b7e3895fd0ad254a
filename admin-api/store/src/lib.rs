//! The relational store: tenants, people, wallets' names, cards, terminals, and the projection of the ledger.
//!
//! One file for each kind of row. Money is not here: the ledger's journal is its truth, and what stands in
//! `account_movements` is copied from it. Functions that the REST surface calls take a [`Scope`] and see nothing
//! outside it.

mod accounts;
mod audit;
mod cards;
mod config_items;
mod constraints;
mod customers;
mod data_keys;
mod directory_feed;
mod error;
mod idempotency;
mod key_sessions;
mod keys;
mod money_operations;
mod networks;
mod plain;
mod projection;
mod rewrap;
mod schema;
mod scope;
mod sql;
mod store;
mod tenants;
mod terminals;
mod users;
mod wallet_types;
mod wallets;

pub use accounts::{AccountRow, NewAccount};
pub use audit::{AuditRecord, AuditRow};
pub use cards::{CardRow, CardSearch, NewCard};
pub use config_items::{ConfigItemRow, NewConfigItem, Owner};
pub use constraints::UNIQUE;
pub use customers::{CustomerRow, CustomerSearch, NewCustomer};
pub use data_keys::DataKeys;
pub use error::StoreError;
pub use idempotency::Remembered;
pub use key_sessions::{KeyHolder, SessionRow};
pub use money_operations::{MoneyOperationRow, MoneyResult, NewMoneyOperation};
pub use networks::NewNetwork;
pub use plain::{PLAIN_TABLES, PlainRow, PlainTable, TERMINAL_TYPES};
pub use projection::MovementRow;
pub use rewrap::{StoredKey, StoredKeyKind};
pub use scope::Scope;
pub use sql::{FromDb, On, Pool, Sql, Transaction, Value, sql};
pub use store::{Database, Page, Store};
pub use tenants::TenantRow;
pub use terminals::{NewTerminal, TerminalRow};
pub use users::{NewUser, UserRow};
pub use wallet_types::{NewWalletType, WalletTypeRow};
pub use wallets::{NewWallet, WalletRow, WalletSearch};
