//! The REST surface: the rows of all sections, one folder each, and the documents about them.

mod authentication;
mod cards;
mod platform;
mod terminals;
mod wallets;

use std::sync::Arc;

use admin_core::{Row, Services};
use axum::Router;
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::SwaggerUi;

/// Every operation there is.
pub fn rows() -> Vec<Row> {
    [authentication::rows(), wallets::rows(), cards::rows(), terminals::rows(), platform::rows()].concat()
}

/// The OpenAPI document of all operations.
pub fn document() -> OpenApi {
    admin_core::document(&rows(), env!("CARGO_PKG_VERSION"))
}

/// All operations under the base path, `/openapi.json` and `/docs`.
pub fn router(services: Arc<Services>) -> Router {
    admin_core::router(&rows(), services).merge(SwaggerUi::new("/docs").url("/openapi.json", document()))
}
