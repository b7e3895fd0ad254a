//! Customers of a tenant.

mod model;

use admin_core::{Access, ApiError, Body, Ctx, Effect, Paging, Path, Query, Row};
use admin_store::{CustomerRow, CustomerSearch, NewCustomer, Page};
use axum::http::Method;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::paths::TenantPath;
use model::{Customer, CustomerChange, NewEclipseCustomer};

pub fn rows() -> Vec<Row> {
    const ALL: &str = "/tenants/{tenantId}/customers";
    const ONE: &str = "/tenants/{tenantId}/customers/{customerId}";
    let access = Access::Entity("Customer");
    vec![
        Row::new("listCustomers", Method::GET, ALL, access, Effect::List, "Search customers", list),
        Row::new("customerExists", Method::HEAD, ALL, access, Effect::Read, "Does a matching customer exist", exists),
        Row::new("createCustomer", Method::POST, ALL, access, Effect::Create, "Create a customer", create),
        Row::new("updateCustomer", Method::PUT, ONE, access, Effect::Update, "Change a customer", update),
        Row::new("getCustomer", Method::GET, ONE, access, Effect::Read, "Read a customer", get),
        Row::new("deleteCustomer", Method::DELETE, ONE, access, Effect::Delete, "Remove a customer", delete),
    ]
}

#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(rename_all = "camelCase")]
pub struct CustomerPath {
    #[allow(dead_code, reason = "the row's layer judges it")]
    tenant_id: i64,
    pub customer_id: i64,
}

#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(rename_all = "camelCase")]
struct Search {
    /// Digits with country code, no plus sign
    phone: Option<String>,
    national_identity_number: Option<String>,
    external_unique_id: Option<String>,
}

impl Search {
    fn to_store(&self) -> CustomerSearch<'_> {
        CustomerSearch {
            phone: self.phone.as_deref(),
            national_identity: self.national_identity_number.as_deref(),
            external_unique_id: self.external_unique_id.as_deref(),
        }
    }
}

async fn list(
    ctx: Ctx,
    Path(_): Path<TenantPath>,
    Query(search): Query<Search>,
    Query(paging): Query<Paging>,
) -> Result<Vec<Customer>, ApiError> {
    let rows = ctx.store().customers(ctx.scope(), search.to_store(), paging.page()?).await?;
    ctx.part(&paging, rows, |row| row.id, Customer::new)
}

async fn exists(ctx: Ctx, Path(_): Path<TenantPath>, Query(search): Query<Search>) -> Result<(), ApiError> {
    let found = ctx.store().customers(ctx.scope(), search.to_store(), Page::first(1)).await?;
    if found.is_empty() { Err(ApiError::not_found("customer")) } else { Ok(()) }
}

async fn create(
    ctx: Ctx,
    Path(_): Path<TenantPath>,
    Body(body): Body<NewEclipseCustomer>,
) -> Result<Customer, ApiError> {
    let profile = admin_core::profile_text(&body.profile)?;
    let row = NewCustomer {
        tenant_id: ctx.tenant()?,
        external_unique_id: &body.external_unique_id,
        status: body.status.as_deref().unwrap_or("ACTIVE"),
        phone: body.profile.phone1.as_deref(),
        national_identity: body.profile.national_identity_number.as_deref(),
        profile: &profile,
    };
    let mut change = ctx.begin().await?;
    let created = row.insert(change.transaction()).await?;
    change.created(Customer::new(created)?).await
}

async fn update(
    ctx: Ctx,
    Path(path): Path<CustomerPath>,
    Body(body): Body<CustomerChange>,
) -> Result<Customer, ApiError> {
    let row = find(&ctx, path.customer_id).await?;
    let version = body.version.unwrap_or(row.version);
    let profile = admin_core::patched(&row.profile, &body.profile)?;
    let changed = CustomerRow {
        external_unique_id: body.external_unique_id.unwrap_or_else(|| row.external_unique_id.clone()),
        status: body.status.unwrap_or_else(|| row.status.clone()),
        phone: body.profile.phone1.or_else(|| row.phone.clone()),
        national_identity: body.profile.national_identity_number.or_else(|| row.national_identity.clone()),
        profile,
        ..row.clone()
    };
    let mut change = ctx.begin().await?;
    let after = ctx.store().update_customer(change.transaction(), ctx.scope(), &changed, version).await?;
    change.updated(&Customer::new(row)?, Customer::new(after)?).await
}

async fn get(ctx: Ctx, Path(path): Path<CustomerPath>) -> Result<Customer, ApiError> {
    Customer::new(find(&ctx, path.customer_id).await?)
}

/// A customer who has wallets stays.
async fn delete(ctx: Ctx, Path(path): Path<CustomerPath>) -> Result<(), ApiError> {
    let row = find(&ctx, path.customer_id).await?;
    let mut change = ctx.begin().await?;
    ctx.store().delete_customer(change.transaction(), ctx.scope(), row.id).await?;
    change.done(&Customer::new(row)?).await
}

pub async fn find(ctx: &Ctx, id: i64) -> Result<CustomerRow, ApiError> {
    ctx.store().customer(ctx.scope(), id).await?.ok_or_else(|| ApiError::not_found("customer"))
}
