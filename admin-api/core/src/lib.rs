//! The ground of the REST surface: one row an operation, and everything that follows from it.
//!
//! A [`Row`] yields the route, the OpenAPI entry, the permission key and the metrics of its operation; there is no
//! second list. Its handler gets a [`Ctx`], which only the row's layer can make, after it has judged token,
//! permission and tenant.

mod accounts;
mod amount;
mod attributes;
mod ctx;
mod error;
mod fault;
mod idempotency;
mod money;
mod operation;
mod paging;
mod password;
mod patch;
mod permission;
mod plain;
mod rate_limit;
mod services;
mod session_keys;
mod settings;
mod token;
mod validation;

pub use accounts::{AccountError, fresh_event_id, merchant_account_name, open_missing_accounts};
#[doc(hidden)]
pub use admin_store::PlainTable;
pub use amount::{Amount, UnixMillis};
pub use attributes::{Attribute, attribute};
pub use ctx::{Actor, Change, Ctx, User};
pub use error::{ApiError, ErrorCode, ErrorItem, Rejected};
pub use fault::fault_point;
pub use money::{MoneyRequest, Moved, known_event, settle_intents, settle_known_intents};
pub use operation::{Access, Body, Effect, Header, Path, Query, Row, document, router};
pub use paging::Paging;
pub use password::{check_password, hash_password};
pub use patch::{patched, profile, profile_text};
pub use permission::{is_permission_key, is_position};
pub use plain::{PlainResource, plain_rows};
pub use rate_limit::RateLimits;
pub use services::{Parts, Services};
pub use session_keys::{NewSessionKeys, SessionKeyError, SessionKeys};
pub use settings::{ENCRYPT, MASKED, stored as stored_setting};
pub use token::{Claims, PublicKey, SignedToken, TokenKeys};

/// Where every operation's path begins.
pub const BASE_PATH: &str = "/eclipse-conductor/rest/v1";
