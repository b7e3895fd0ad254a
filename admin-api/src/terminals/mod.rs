//! Terminals: who may send messages, and how their keys travel. Keys themselves are never shown.

use admin_core::{Access, ApiError, Ctx, Effect, Paging, Path, Query, Row, UnixMillis};
use admin_store::TerminalRow;
use axum::http::Method;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

pub fn rows() -> Vec<Row> {
    vec![
        Row::new(
            "listTerminals",
            Method::GET,
            "/tenants/{tenantId}/terminals",
            Access::Entity("Terminal"),
            Effect::List,
            "List terminals, or find one by its id on the wire",
            list_terminals,
        ),
        Row::new(
            "getTerminal",
            Method::GET,
            "/tenants/{tenantId}/terminals/{terminalId}",
            Access::Entity("Terminal"),
            Effect::Read,
            "Read a terminal",
            get_terminal,
        ),
    ]
}

/// An enrolled terminal.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Terminal {
    terminal_id: i64,
    /// DE 41 and DE 42: how the terminal names itself on the wire
    device_id: String,
    merchant_id: String,
    status: String,
    /// tr31 or ecb
    key_scheme: String,
    /// Check value of the terminal master key
    master_key_check_value: String,
    mac_required: bool,
    version: i64,
    created: UnixMillis,
}

impl From<TerminalRow> for Terminal {
    fn from(row: TerminalRow) -> Self {
        Self {
            terminal_id: row.id,
            device_id: row.terminal_id,
            merchant_id: row.merchant_id,
            status: if row.active { "ACTIVE" } else { "INACTIVE" }.into(),
            key_scheme: row.key_scheme,
            master_key_check_value: row.tmk_kcv,
            mac_required: row.mac_required,
            version: row.version,
            created: UnixMillis(row.created_at),
        }
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(rename_all = "camelCase")]
struct TenantPath {
    #[allow(dead_code, reason = "the row's layer judges it")]
    tenant_id: i64,
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

async fn list_terminals(
    ctx: Ctx,
    Path(_): Path<TenantPath>,
    Query(search): Query<Search>,
    Query(paging): Query<Paging>,
) -> Result<Vec<Terminal>, ApiError> {
    let rows = ctx.store().terminals(ctx.scope(), search.device_id.as_deref(), paging.page()?).await?;
    Ok(rows.into_iter().map(Terminal::from).collect())
}

async fn get_terminal(ctx: Ctx, Path(path): Path<TerminalPath>) -> Result<Terminal, ApiError> {
    let row = ctx.store().terminal(ctx.scope(), path.terminal_id).await?;
    row.map(Terminal::from).ok_or_else(|| ApiError::not_found("terminal"))
}
