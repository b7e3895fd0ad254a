//! Terminals: who may send messages, and how their keys travel. No key is ever shown in clear.

mod enrol;
mod master_key;
mod model;
mod session_keys;

use admin_core::{Access, ApiError, Ctx, Effect, Paging, Path, Query, Row};
use admin_store::TerminalRow;
use axum::http::Method;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::paths::TenantPath;
use model::Terminal;

pub fn rows() -> Vec<Row> {
    const ALL: &str = "/tenants/{tenantId}/terminals";
    const ENROLL: &str = "/tenants/{tenantId}/terminals/enroll";
    const ONE: &str = "/tenants/{tenantId}/terminals/{terminalId}";
    const ENROLL_ONE: &str = "/tenants/{tenantId}/terminals/{terminalId}/enroll";
    let access = Access::Entity("Terminal");
    vec![
        Row::new(
            "listTerminals",
            Method::GET,
            ALL,
            access,
            Effect::List,
            "List terminals, or find one by its id on the wire",
            list,
        ),
        Row::new("enrollTerminal", Method::POST, ENROLL, access, Effect::Create, "Enrol a terminal", enrol::new),
        Row::new("getTerminal", Method::GET, ONE, access, Effect::Read, "Read a terminal", get),
        Row::new("deleteTerminal", Method::DELETE, ONE, access, Effect::Delete, "Remove a terminal", delete),
        Row::new(
            "reenrollTerminal",
            Method::POST,
            ENROLL_ONE,
            access,
            Effect::Action,
            "Give a terminal a new master key",
            enrol::again,
        ),
        Row::new(
            "createSessionKeys",
            Method::POST,
            "/tenants/{tenantId}/session-keys",
            Access::Entity("SessionKey"),
            Effect::Action,
            "Make new session keys for a terminal",
            session_keys::renew,
        ),
    ]
}

#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(rename_all = "camelCase")]
struct TerminalPath {
    #[allow(dead_code, reason = "the row's layer judges it")]
    tenant_id: i64,
    terminal_id: i64,
}

#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(rename_all = "camelCase")]
struct Search {
    /// DE 41
    device_id: Option<String>,
}

async fn list(
    ctx: Ctx,
    Path(_): Path<TenantPath>,
    Query(search): Query<Search>,
    Query(paging): Query<Paging>,
) -> Result<Vec<Terminal>, ApiError> {
    let rows = ctx.store().terminals(ctx.scope(), search.device_id.as_deref(), paging.page()?).await?;
    ctx.part(&paging, rows, |row| row.id, |row| Ok(Terminal::from(row)))
}

async fn get(ctx: Ctx, Path(path): Path<TerminalPath>) -> Result<Terminal, ApiError> {
    Ok(Terminal::from(find(&ctx, path.terminal_id).await?))
}

/// Its keys go with it; what it has sent stays.
async fn delete(ctx: Ctx, Path(path): Path<TerminalPath>) -> Result<(), ApiError> {
    let row = find(&ctx, path.terminal_id).await?;
    let mut change = ctx.begin().await?;
    ctx.store().delete_terminal(change.transaction(), ctx.scope(), row.id).await?;
    change.done(&Terminal::from(row)).await
}

async fn find(ctx: &Ctx, id: i64) -> Result<TerminalRow, ApiError> {
    ctx.store().terminal(ctx.scope(), id).await?.ok_or_else(|| ApiError::not_found("terminal"))
}
