//! Operations: declared by rows, served by the router, described by the document.

mod access;
mod document;
mod input;
mod layer;
mod row;
mod trace;

pub use access::Access;
pub(crate) use document::Schemas;
pub use document::document;
pub(crate) use input::Input;
pub use input::{Body, Header, Path, Query};
pub use layer::router;
pub(crate) use row::Call;
pub use row::{Effect, Row};
