//! Kinds of wallets: what a tenant's wallets have in common.

mod model;
mod rules;

use admin_core::{
    Access, ApiError, Attribute, Body, Ctx, Effect, ErrorCode, Paging, Path, Query, Row, is_permission_key,
};
use admin_store::{NewWalletType, WalletTypeRow};
use axum::http::Method;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::paths::TenantPath;
use model::{NewEclipseWalletType, WalletType, WalletTypeChange};
use rules::Rules;

pub fn rows() -> Vec<Row> {
    const ALL: &str = "/tenants/{tenantId}/wallet-types";
    const ONE: &str = "/tenants/{tenantId}/wallet-types/{walletTypeId}";
    let access = Access::Entity("WalletType");
    vec![
        Row::new("listWalletTypes", Method::GET, ALL, access, Effect::List, "List wallet types", list),
        Row::new("createWalletType", Method::POST, ALL, access, Effect::Create, "Create a wallet type", create),
        Row::new("updateWalletType", Method::PUT, ONE, access, Effect::Update, "Change a wallet type", update),
        Row::new("getWalletType", Method::GET, ONE, access, Effect::Read, "Read a wallet type", get),
        Row::new("deleteWalletType", Method::DELETE, ONE, access, Effect::Delete, "Remove a wallet type", delete),
    ]
}

#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(rename_all = "camelCase")]
struct WalletTypePath {
    #[allow(dead_code, reason = "the row's layer judges it")]
    tenant_id: i64,
    wallet_type_id: i64,
}

async fn list(ctx: Ctx, Path(_): Path<TenantPath>, Query(paging): Query<Paging>) -> Result<Vec<WalletType>, ApiError> {
    let rows = ctx.store().wallet_types(ctx.scope(), paging.page()?).await?;
    ctx.part(&paging, rows, |row| row.id, WalletType::new)
}

async fn create(
    ctx: Ctx,
    Path(_): Path<TenantPath>,
    Body(body): Body<NewEclipseWalletType>,
) -> Result<WalletType, ApiError> {
    let rules = Rules::of(&body.configuration, "NewEclipseWalletType")?;
    permit(&ctx, &[], &body.configuration)?;
    let row = NewWalletType {
        tenant_id: ctx.tenant()?,
        name: &body.name,
        mode: &body.mode,
        configuration: &text(&body.configuration)?,
        currency: rules.currency,
        hold_life_s: rules.hold_life_s,
        tolerance_bp: rules.tolerance_bp,
    };
    let mut change = ctx.begin().await?;
    let created = row.insert(change.transaction()).await?;
    change.created(WalletType::new(created)?).await
}

/// Without a configuration all attributes go but the currency, in which there may be money.
async fn update(
    ctx: Ctx,
    Path(path): Path<WalletTypePath>,
    Body(body): Body<WalletTypeChange>,
) -> Result<WalletType, ApiError> {
    const MODEL: &str = "WalletTypeChange";
    let row = find(&ctx, path.wallet_type_id).await?;
    let version = body.version.unwrap_or(row.version);
    let configuration = match body.configuration {
        Some(configuration) => configuration,
        None => rules::only_currency(row.currency)?,
    };
    let rules = Rules::of(&configuration, MODEL)?;
    permit(&ctx, &admin_core::profile::<Vec<Attribute>>(&row.configuration)?, &configuration)?;
    if rules.currency != row.currency {
        return Err(rules::breach(&configuration, MODEL, rules::CURRENCY, "the currency of a wallet type stays"));
    }
    let changed = WalletTypeRow {
        name: body.name.unwrap_or_else(|| row.name.clone()),
        configuration: text(&configuration)?,
        hold_life_s: rules.hold_life_s,
        tolerance_bp: rules.tolerance_bp,
        ..row.clone()
    };
    let mut change = ctx.begin().await?;
    let after = ctx.store().update_wallet_type(change.transaction(), ctx.scope(), &changed, version).await?;
    change.updated(&WalletType::new(row)?, WalletType::new(after)?).await
}

/// Which shared set of permissions holds for a type is for administrators to say.
fn permit(ctx: &Ctx, before: &[Attribute], after: &[Attribute]) -> Result<(), ApiError> {
    let templates = |list: &[Attribute]| {
        let found = list.iter().filter(|attribute| is_permission_key(&attribute.att));
        found.map(|attribute| attribute.val.clone()).collect::<Vec<_>>()
    };
    if templates(before) == templates(after) { Ok(()) } else { ctx.require_administrator() }
}

async fn get(ctx: Ctx, Path(path): Path<WalletTypePath>) -> Result<WalletType, ApiError> {
    WalletType::new(find(&ctx, path.wallet_type_id).await?)
}

/// A type that wallets have stays.
async fn delete(ctx: Ctx, Path(path): Path<WalletTypePath>) -> Result<(), ApiError> {
    let row = find(&ctx, path.wallet_type_id).await?;
    let mut change = ctx.begin().await?;
    ctx.store().remove_wallet_type(change.transaction(), ctx.scope(), row.id).await?;
    change.done(&WalletType::new(row)?).await
}

async fn find(ctx: &Ctx, id: i64) -> Result<WalletTypeRow, ApiError> {
    ctx.store().wallet_type(ctx.scope(), id).await?.ok_or_else(|| ApiError::not_found("wallet type"))
}

fn text(configuration: &[Attribute]) -> Result<String, ApiError> {
    serde_json::to_string(configuration)
        .map_err(|_| ApiError::new(ErrorCode::Unknown, "a configuration could not be written; report the trace id"))
}
