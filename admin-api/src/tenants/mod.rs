//! Tenants: who uses the platform, each with what is his own.

mod model;

use admin_core::{Access, ApiError, Body, Ctx, Effect, ErrorCode, Paging, Path, Query, Row};
use admin_store::{Scope, TenantRow};
use axum::http::Method;

use crate::paths::TenantPath;
use model::{NewEclipseTenant, Tenant, TenantChange, TenantProfile};

pub fn rows() -> Vec<Row> {
    const ALL: &str = "/tenants";
    const ONE: &str = "/tenants/{tenantId}";
    let access = Access::Entity("Tenant");
    let platform = Access::Platform("Tenant");
    vec![
        Row::new("listTenants", Method::GET, ALL, access, Effect::List, "List the tenants in sight", list),
        Row::new("createTenant", Method::POST, ALL, platform, Effect::Create, "Create a tenant", create),
        Row::new("updateTenant", Method::PUT, ONE, access, Effect::Update, "Change a tenant", update),
        Row::new("getTenant", Method::GET, ONE, access, Effect::Read, "Read a tenant", get),
    ]
}

async fn list(ctx: Ctx, Query(paging): Query<Paging>) -> Result<Vec<Tenant>, ApiError> {
    let rows = ctx.store().tenants(ctx.scope(), paging.page()?).await?;
    ctx.part(&paging, rows, |row| row.id, Tenant::new)
}

async fn create(ctx: Ctx, Body(body): Body<NewEclipseTenant>) -> Result<Tenant, ApiError> {
    let profile = admin_core::profile_text(&TenantProfile { phone1: Some(body.phone1), ..body.profile })?;
    let institution = institution(&ctx, body.institution.as_deref()).await?;
    let mut change = ctx.begin().await?;
    let institution_id = match institution {
        Institution::None => None,
        Institution::Known(id) => Some(id),
        Institution::New(code) => Some(ctx.store().insert_institution(change.transaction(), code).await?),
    };
    let id = ctx.store().insert_tenant(change.transaction(), &body.name, institution_id, &profile).await?;
    let created = ctx.store().changed_tenant(change.transaction(), id).await?;
    change.created(Tenant::new(created)?).await
}

/// Where a tenant is to belong.
enum Institution<'a> {
    None,
    Known(i64),
    /// Not there yet.
    New(&'a str),
}

/// The platform's people name any institution, new ones too; an institution's people create in their own.
async fn institution<'a>(ctx: &Ctx, code: Option<&'a str>) -> Result<Institution<'a>, ApiError> {
    let known = match code {
        Some(code) => ctx.store().institution(code).await?,
        None => None,
    };
    match (ctx.scope(), code) {
        (Scope::Institution(own), None) => Ok(Institution::Known(own)),
        (Scope::Institution(own), Some(_)) if known == Some(own) => Ok(Institution::Known(own)),
        (Scope::Institution(_), Some(code)) => Err(ApiError::validation(
            code,
            "NewEclipseTenant",
            "institution",
            "people of an institution create tenants in their own",
        )),
        (Scope::Global, Some(code)) => Ok(known.map_or(Institution::New(code), Institution::Known)),
        (Scope::Global, None) => Ok(Institution::None),
        // The row lets no tenant's person come here.
        (Scope::Tenant(_), _) => Err(ApiError::new(ErrorCode::NotAllowed, "a tenant creates no tenants")),
    }
}

async fn update(ctx: Ctx, Path(_): Path<TenantPath>, Body(body): Body<TenantChange>) -> Result<Tenant, ApiError> {
    let row = find(&ctx).await?;
    let version = body.version.unwrap_or(row.version);
    let profile = admin_core::patched(&row.profile, &body.profile)?;
    let name = body.name.as_ref().unwrap_or(&row.name);
    let mut change = ctx.begin().await?;
    ctx.store().update_tenant(change.transaction(), row.id, version, name, &profile).await?;
    let after = ctx.store().changed_tenant(change.transaction(), row.id).await?;
    change.updated(&Tenant::new(row)?, Tenant::new(after)?).await
}

async fn get(ctx: Ctx, Path(_): Path<TenantPath>) -> Result<Tenant, ApiError> {
    Tenant::new(find(&ctx).await?)
}

/// The tenant of the path.
async fn find(ctx: &Ctx) -> Result<TenantRow, ApiError> {
    ctx.store().tenant(ctx.scope(), ctx.tenant()?).await?.ok_or_else(|| ApiError::not_found("tenant"))
}
