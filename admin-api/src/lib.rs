//! The REST surface: the rows of all sections, one folder each, and the documents about them.

mod admin_users;
mod authentication;
mod cards;
mod config_items;
mod customers;
mod paths;
mod platform;
mod reservations;
mod tenants;
mod terminal_types;
mod terminals;
mod transfers;
mod wallet_types;
mod wallets;

use std::sync::Arc;

use admin_core::{Row, Services};
use axum::Router;
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::SwaggerUi;

/// Every operation there is.
pub fn rows() -> Vec<Row> {
    [
        authentication::rows(),
        tenants::rows(),
        admin_users::rows(),
        config_items::rows(),
        wallet_types::rows(),
        customers::rows(),
        wallets::rows(),
        transfers::rows(),
        reservations::rows(),
        cards::rows(),
        terminal_types::rows(),
        terminals::rows(),
        platform::rows(),
    ]
    .concat()
}

/// The OpenAPI document of all operations.
pub fn document() -> OpenApi {
    admin_core::document(&rows(), env!("CARGO_PKG_VERSION"))
}

/// All operations under the base path, `/openapi.json` and `/docs`.
pub fn router(services: Arc<Services>) -> Router {
    admin_core::router(&rows(), services).merge(SwaggerUi::new("/docs").url("/openapi.json", document()))
}
