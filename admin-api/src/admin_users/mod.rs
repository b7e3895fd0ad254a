//! A tenant's own people: administrators, and programs that act for the tenant.

mod model;

use std::collections::BTreeSet;

use admin_core::{Access, Actor, ApiError, Body, Ctx, Effect, ErrorCode, Paging, Path, Query, Row, is_position};
use admin_store::{NewUser, UserRow};
use axum::http::Method;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::paths::TenantPath;
use model::{AdminUser, AdminUserChange, AdminUserProfile, NewAdminUser, NewPassword};

pub fn rows() -> Vec<Row> {
    const ALL: &str = "/tenants/{tenantId}/admin-users";
    const ONE: &str = "/tenants/{tenantId}/admin-users/{adminUserId}";
    let access = Access::Entity("AdminUser");
    vec![
        Row::new("listAdminUsers", Method::GET, ALL, access, Effect::List, "List the tenant's admin users", list),
        Row::new("createAdminUser", Method::POST, ALL, access, Effect::Create, "Create an admin user", create),
        Row::new("updateAdminUser", Method::PUT, ONE, access, Effect::Update, "Change an admin user", update),
        Row::new("deleteAdminUser", Method::DELETE, ONE, access, Effect::Delete, "Remove an admin user", delete),
    ]
}

/// Whoever holds this may give every position of his tenant.
const TENANT_ADMINISTRATOR: &str = "TENANT_SYSTEM";

#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(rename_all = "camelCase")]
struct AdminUserPath {
    #[allow(dead_code, reason = "the row's layer judges it")]
    tenant_id: i64,
    admin_user_id: i64,
}

async fn list(ctx: Ctx, Path(_): Path<TenantPath>, Query(paging): Query<Paging>) -> Result<Vec<AdminUser>, ApiError> {
    let rows = ctx.store().tenant_users(ctx.scope(), paging.page()?).await?;
    ctx.part(&paging, rows, |row| row.id, AdminUser::new)
}

async fn create(ctx: Ctx, Path(_): Path<TenantPath>, Body(body): Body<NewAdminUser>) -> Result<AdminUser, ApiError> {
    let positions = known_positions(body.positions.unwrap_or_default(), "NewAdminUser")?;
    judge_positions(&ctx, &positions)?;
    let profile = AdminUserProfile {
        first_name: body.first_name,
        last_name: Some(body.last_name),
        email: body.email,
        phone1: Some(body.phone1),
    };
    let profile = admin_core::profile_text(&profile)?;
    let password_hash = match body.password {
        Some(password) => hash(password).await?,
        None => String::new(),
    };
    let row = NewUser {
        tenant_id: Some(ctx.tenant()?),
        institution_id: None,
        identity: &body.identity,
        password_hash: &password_hash,
        roles: "",
        positions: &joined(&positions),
        profile: &profile,
    };
    let mut change = ctx.begin().await?;
    let created = row.insert(change.transaction()).await?;
    change.created(AdminUser::new(created)?).await
}

/// A new password, as a status that is not ACTIVE, ends every log-in of the user.
async fn update(
    ctx: Ctx,
    Path(path): Path<AdminUserPath>,
    Body(body): Body<AdminUserChange>,
) -> Result<AdminUser, ApiError> {
    let row = find(&ctx, path.admin_user_id).await?;
    let version = body.version.unwrap_or(row.version);
    let held = positions_of(&row);
    let positions = match body.positions {
        Some(positions) => known_positions(positions, "AdminUserChange")?,
        None => held.clone(),
    };
    judge_positions(&ctx, &held)?;
    judge_positions(&ctx, &positions)?;
    let profile = AdminUserProfile {
        first_name: body.first_name,
        last_name: body.last_name,
        email: body.email,
        phone1: body.phone1,
    };
    let new_password = body.password.is_some();
    let password_hash = match body.password {
        Some(password) => hash(password).await?,
        None => row.password_hash.clone(),
    };
    let changed = UserRow {
        password_hash,
        positions: joined(&positions),
        profile: admin_core::patched(&row.profile, &profile)?,
        status: body.status.unwrap_or_else(|| row.status.clone()),
        ..row.clone()
    };
    let mut change = ctx.begin().await?;
    let after = ctx.store().update_user(change.transaction(), ctx.scope(), &changed, version).await?;
    if new_password || after.status != "ACTIVE" {
        ctx.store().close_sessions_of(change.transaction(), after.id).await?;
    }
    change.updated(&AdminUser::new(row)?, AdminUser::new(after)?).await
}

async fn delete(ctx: Ctx, Path(path): Path<AdminUserPath>) -> Result<(), ApiError> {
    let row = find(&ctx, path.admin_user_id).await?;
    if ctx.actor().user().is_some_and(|user| user.row.id == row.id) {
        return Err(ApiError::new(ErrorCode::WrongState, "nobody removes himself; let another administrator do it"));
    }
    judge_positions(&ctx, &positions_of(&row))?;
    let mut change = ctx.begin().await?;
    ctx.store().delete_user(change.transaction(), ctx.scope(), row.id).await?;
    change.done(&AdminUser::new(row)?).await
}

async fn find(ctx: &Ctx, id: i64) -> Result<UserRow, ApiError> {
    ctx.store().tenant_user(ctx.scope(), id).await?.ok_or_else(|| ApiError::not_found("admin user"))
}

/// Takes tens of milliseconds, so not on the threads that serve.
async fn hash(password: NewPassword) -> Result<String, ApiError> {
    let hashed = tokio::task::spawn_blocking(move || admin_core::hash_password(&password.0)).await;
    hashed
        .ok()
        .and_then(Result::ok)
        .ok_or_else(|| ApiError::new(ErrorCode::Unknown, "the password could not be hashed; report the trace id"))
}

fn known_positions(names: Vec<String>, model: &str) -> Result<BTreeSet<String>, ApiError> {
    match names.iter().find(|name| !is_position(name)) {
        Some(name) => Err(ApiError::validation(
            name,
            model,
            "positions",
            "a position is TENANT_SYSTEM, CUSTOMER or LEVEL_01 to LEVEL_20",
        )),
        None => Ok(names.into_iter().collect()),
    }
}

fn positions_of(row: &UserRow) -> BTreeSet<String> {
    row.positions.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn joined(positions: &BTreeSet<String>) -> String {
    positions.iter().map(String::as_str).collect::<Vec<_>>().join(",")
}

/// Nobody gives a position that he does not hold himself, nor touches a user who holds one: with another's password
/// he would have it. The tenant's administrator and who belongs to no tenant are above that.
fn judge_positions(ctx: &Ctx, positions: &BTreeSet<String>) -> Result<(), ApiError> {
    let own = match ctx.actor() {
        Actor::User(user) if user.row.tenant_id.is_none() => return Ok(()),
        Actor::User(user) => positions_of(&user.row),
        Actor::Anonymous => BTreeSet::new(),
    };
    match positions.difference(&own).next() {
        Some(missing) if !own.contains(TENANT_ADMINISTRATOR) => Err(ApiError::new(
            ErrorCode::NotAllowed,
            format!("this needs the position {missing}, which you do not hold"),
        )),
        _ => Ok(()),
    }
}
