//! Kinds of terminals of a tenant.

mod model;

use admin_core::{Access, ApiError, Body, Ctx, Effect, Paging, Path, Query, Row};
use admin_store::TerminalTypeRow;
use axum::http::Method;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::paths::TenantPath;
use model::{NewTerminalType, TerminalType, TerminalTypeChange};

pub fn rows() -> Vec<Row> {
    const ALL: &str = "/tenants/{tenantId}/terminal-types";
    const ONE: &str = "/tenants/{tenantId}/terminal-types/{terminalTypeId}";
    let access = Access::Entity("TerminalType");
    vec![
        Row::new("listTerminalTypes", Method::GET, ALL, access, Effect::List, "List terminal types", list),
        Row::new("createTerminalType", Method::POST, ALL, access, Effect::Create, "Add a terminal type", create),
        Row::new("updateTerminalType", Method::PUT, ONE, access, Effect::Update, "Change a terminal type", update),
        Row::new("getTerminalType", Method::GET, ONE, access, Effect::Read, "Read a terminal type", get),
        Row::new("deleteTerminalType", Method::DELETE, ONE, access, Effect::Delete, "Remove a terminal type", delete),
    ]
}

#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(rename_all = "camelCase")]
struct TerminalTypePath {
    #[allow(dead_code, reason = "the row's layer judges it")]
    tenant_id: i64,
    terminal_type_id: i64,
}

async fn list(
    ctx: Ctx,
    Path(_): Path<TenantPath>,
    Query(paging): Query<Paging>,
) -> Result<Vec<TerminalType>, ApiError> {
    let rows = ctx.store().terminal_types(ctx.scope(), paging.page()?).await?;
    ctx.part(&paging, rows, |row| row.id, TerminalType::new)
}

async fn create(
    ctx: Ctx,
    Path(_): Path<TenantPath>,
    Body(body): Body<NewTerminalType>,
) -> Result<TerminalType, ApiError> {
    let mut profile = body.profile;
    profile.partial_approval_allowed.get_or_insert(false);
    let profile = admin_core::profile_text(&profile)?;
    let tenant = ctx.tenant()?;
    let mut change = ctx.begin().await?;
    let created = ctx.store().insert_terminal_type(change.transaction(), tenant, &body.name, &profile).await?;
    change.created(TerminalType::new(created)?).await
}

async fn update(
    ctx: Ctx,
    Path(path): Path<TerminalTypePath>,
    Body(body): Body<TerminalTypeChange>,
) -> Result<TerminalType, ApiError> {
    let row = find(&ctx, path.terminal_type_id).await?;
    let version = body.version.unwrap_or(row.version);
    let changed = TerminalTypeRow {
        name: body.name.unwrap_or_else(|| row.name.clone()),
        profile: admin_core::patched(&row.profile, &body.profile)?,
        ..row.clone()
    };
    let mut change = ctx.begin().await?;
    let after = ctx.store().update_terminal_type(change.transaction(), ctx.scope(), &changed, version).await?;
    change.updated(&TerminalType::new(row)?, TerminalType::new(after)?).await
}

async fn get(ctx: Ctx, Path(path): Path<TerminalTypePath>) -> Result<TerminalType, ApiError> {
    TerminalType::new(find(&ctx, path.terminal_type_id).await?)
}

/// A type that terminals have stays.
async fn delete(ctx: Ctx, Path(path): Path<TerminalTypePath>) -> Result<(), ApiError> {
    let row = find(&ctx, path.terminal_type_id).await?;
    let mut change = ctx.begin().await?;
    ctx.store().delete_terminal_type(change.transaction(), ctx.scope(), row.id).await?;
    change.done(&TerminalType::new(row)?).await
}

async fn find(ctx: &Ctx, id: i64) -> Result<TerminalTypeRow, ApiError> {
    ctx.store().terminal_type(ctx.scope(), id).await?.ok_or_else(|| ApiError::not_found("terminal type"))
}
