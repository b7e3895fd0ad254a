//! The ground of the REST surface: one row an operation, and everything that follows from it.
//!
//! A [`Row`] yields the route, the OpenAPI entry, the permission key and the metrics of its operation; there is no
//! second list. Its handler gets a [`Ctx`], which only the row's layer can make, after it has judged token,
//! permission and tenant.

mod amount;
mod ctx;
mod error;
mod operation;
mod paging;
mod password;
mod services;
mod token;

pub use amount::{Amount, UnixMillis};
pub use ctx::{Actor, Change, Ctx};
pub use error::{ApiError, ErrorCode, ErrorItem, Rejected};
pub use operation::{Access, Body, Effect, Path, Query, Row, document, router};
pub use paging::Paging;
pub use password::{check_password, hash_password};
pub use services::Services;
pub use token::{Claims, SignedToken, TokenKeys};

/// Where every operation's path begins.
pub const BASE_PATH: &str = "/eclipse-conductor/rest/v1";
