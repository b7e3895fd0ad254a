//! Operations: declared by rows, served by the router, described by the document.

mod access;
mod document;
mod input;
mod layer;
mod row;

pub use access::Access;
pub use document::document;
pub use input::{Body, Header, Path, Query};
pub use layer::router;
pub use row::{Effect, Row};
