//! What belongs to no tenant.

use admin_core::{Access, ApiError, Ctx, Effect, Row};
use axum::http::Method;
use ledger::{Clock, SystemClock};

pub fn rows() -> Vec<Row> {
    vec![Row::new(
        "getServerTime",
        Method::GET,
        "/global/server-time",
        Access::Authenticated,
        Effect::Read,
        "Server clock in epoch milliseconds",
        server_time,
    )]
}

async fn server_time(_: Ctx) -> Result<u64, ApiError> {
    Ok(SystemClock.now())
}
