//! A tenant's settings by key. One that is removed falls back to the institution's or the platform's.

mod model;

use std::collections::HashSet;

use admin_core::{Access, ApiError, Body, Ctx, ENCRYPT, Effect, MASKED, Paging, Path, Query, Row, is_permission_key};
use admin_store::{ConfigItemRow, Owner, Page};
use axum::http::Method;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::paths::TenantPath;
use model::{ConfigItem, ConfigItemChange, ConfigItems, NewConfigItem};

pub fn rows() -> Vec<Row> {
    const ALL: &str = "/tenants/{tenantId}/config-items";
    const BULK: &str = "/tenants/{tenantId}/config-items/bulk";
    const ONE: &str = "/tenants/{tenantId}/config-items/{configItemId}";
    let access = Access::Entity("ConfigItem");
    vec![
        Row::new("listConfigItems", Method::GET, ALL, access, Effect::List, "List the tenant's settings", list),
        Row::new("createConfigItem", Method::POST, ALL, access, Effect::Create, "Add a setting", create),
        Row::new("putConfigItems", Method::POST, BULK, access, Effect::Create, "Add or change many settings", bulk),
        Row::new("updateConfigItem", Method::PUT, ONE, access, Effect::Update, "Change a setting", update),
        Row::new("getConfigItem", Method::GET, ONE, access, Effect::Read, "Read a setting", get),
        Row::new("deleteConfigItem", Method::DELETE, ONE, access, Effect::Delete, "Remove a setting", delete),
    ]
}

#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(rename_all = "camelCase")]
struct ConfigItemPath {
    #[allow(dead_code, reason = "the row's layer judges it")]
    tenant_id: i64,
    config_item_id: i64,
}

#[derive(Deserialize, IntoParams)]
struct Search {
    /// The whole key
    key: Option<String>,
}

async fn list(
    ctx: Ctx,
    Path(_): Path<TenantPath>,
    Query(search): Query<Search>,
    Query(paging): Query<Paging>,
) -> Result<Vec<ConfigItem>, ApiError> {
    let rows = ctx.store().config_items(ctx.scope(), search.key.as_deref(), paging.page()?).await?;
    ctx.part(&paging, rows, |row| row.id, |row| Ok(ConfigItem::new(row)))
}

async fn create(ctx: Ctx, Path(_): Path<TenantPath>, Body(body): Body<NewConfigItem>) -> Result<ConfigItem, ApiError> {
    permit(&ctx, &body.key)?;
    let step = Step::add(&ctx, &body)?;
    let mut change = ctx.begin().await?;
    let created = step.take(&ctx, change.transaction()).await?;
    change.created(ConfigItem::new(created)).await
}

/// Adds what is missing and changes what differs, all or nothing. Gives the settings in the order they were sent.
async fn bulk(ctx: Ctx, Path(_): Path<TenantPath>, Body(body): Body<ConfigItems>) -> Result<Vec<ConfigItem>, ApiError> {
    let mut keys = HashSet::new();
    if let Some(twice) = body.0.iter().find(|item| !keys.insert(&item.key)) {
        return Err(ApiError::validation(&twice.key, "ConfigItems", "key", "a key stands once"));
    }
    let mut before = Vec::new();
    let mut steps = Vec::with_capacity(body.0.len());
    for item in &body.0 {
        permit(&ctx, &item.key)?;
        let found = ctx.store().config_items(ctx.scope(), Some(&item.key), Page::first(1)).await?;
        let Some(row) = found.into_iter().next() else {
            steps.push(Step::add(&ctx, item)?);
            continue;
        };
        before.push(ConfigItem::new(row.clone()));
        steps.push(Step::put(&ctx, row, item).await?);
    }
    // The row's right is the one to add.
    if steps.iter().any(|step| matches!(step, Step::Change(_))) {
        ctx.require("ConfigItem", Effect::Update.permission(), None).await?;
    }
    let mut change = ctx.begin().await?;
    let mut after = Vec::with_capacity(steps.len());
    for step in steps {
        after.push(ConfigItem::new(step.take(&ctx, change.transaction()).await?));
    }
    change.updated(&before, after).await
}

async fn update(
    ctx: Ctx,
    Path(path): Path<ConfigItemPath>,
    Body(body): Body<ConfigItemChange>,
) -> Result<ConfigItem, ApiError> {
    let row = find(&ctx, path.config_item_id).await?;
    permit(&ctx, &row.key)?;
    let version = body.version.unwrap_or(row.version);
    let (value, secret) = match &body.value {
        Some(value) if !is_mask_of(value, &row) => admin_core::stored_setting(ctx.data_keys(), value)?,
        _ => (row.value.clone(), row.secret),
    };
    let description = body.description.unwrap_or_else(|| row.description.clone());
    let changed = ConfigItemRow { value, secret, description, ..row.clone() };
    let mut change = ctx.begin().await?;
    let after = ctx.store().update_config_item(change.transaction(), ctx.scope(), &changed, version).await?;
    change.updated(&ConfigItem::new(row), ConfigItem::new(after)).await
}

async fn get(ctx: Ctx, Path(path): Path<ConfigItemPath>) -> Result<ConfigItem, ApiError> {
    Ok(ConfigItem::new(find(&ctx, path.config_item_id).await?))
}

async fn delete(ctx: Ctx, Path(path): Path<ConfigItemPath>) -> Result<(), ApiError> {
    let row = find(&ctx, path.config_item_id).await?;
    permit(&ctx, &row.key)?;
    let mut change = ctx.begin().await?;
    ctx.store().delete_config_item(change.transaction(), ctx.scope(), row.id).await?;
    change.done(&ConfigItem::new(row)).await
}

/// Who may change settings must not thereby give himself every right.
fn permit(ctx: &Ctx, key: &str) -> Result<(), ApiError> {
    if is_permission_key(key) { ctx.require_administrator() } else { Ok(()) }
}

async fn find(ctx: &Ctx, id: i64) -> Result<ConfigItemRow, ApiError> {
    ctx.store().config_item(ctx.scope(), id).await?.ok_or_else(|| ApiError::not_found("setting"))
}

/// Whether a secret comes back as it was shown: who reads and writes back must not lose it.
fn is_mask_of(value: &str, row: &ConfigItemRow) -> bool {
    row.secret && value == MASKED
}

/// What is to be done for one setting. Everything that can be refused is judged when it is made.
enum Step {
    Add { key: String, value: String, secret: bool, description: String },
    Change(ConfigItemRow),
    Keep(ConfigItemRow),
}

impl Step {
    fn add(ctx: &Ctx, item: &NewConfigItem) -> Result<Self, ApiError> {
        if item.value == MASKED {
            // Copied from another tenant's list: nobody knows the secret behind it.
            return Err(ApiError::validation(
                MASKED,
                "NewConfigItem",
                "value",
                "a masked value is not the secret itself",
            ));
        }
        let (value, secret) = admin_core::stored_setting(ctx.data_keys(), &item.value)?;
        let description = item.description.clone().unwrap_or_default();
        Ok(Self::Add { key: item.key.clone(), value, secret, description })
    }

    /// The tenant has a row of that key.
    async fn put(ctx: &Ctx, row: ConfigItemRow, item: &NewConfigItem) -> Result<Self, ApiError> {
        let description = item.description.as_ref().unwrap_or(&row.description);
        let same_value = match item.value.strip_prefix(ENCRYPT) {
            // Enciphered twice, the same is not equal: what counts is what it opens to.
            Some(secret) => row.secret && ctx.setting(&row.key).await?.as_deref() == Some(secret),
            None => is_mask_of(&item.value, &row) || (!row.secret && row.value == item.value),
        };
        if same_value && *description == row.description {
            return Ok(Self::Keep(row));
        }
        let (value, secret) = match same_value {
            true => (row.value.clone(), row.secret),
            false => admin_core::stored_setting(ctx.data_keys(), &item.value)?,
        };
        Ok(Self::Change(ConfigItemRow { value, secret, description: description.clone(), ..row }))
    }

    async fn take(self, ctx: &Ctx, change: &mut admin_store::Transaction) -> Result<ConfigItemRow, ApiError> {
        match self {
            Self::Add { key, value, secret, description } => {
                let owner = Owner::Tenant(ctx.tenant()?);
                let row =
                    admin_store::NewConfigItem { owner, key: &key, value: &value, secret, description: &description };
                Ok(row.insert(change).await?)
            }
            Self::Change(row) => Ok(ctx.store().update_config_item(change, ctx.scope(), &row, row.version).await?),
            Self::Keep(row) => Ok(row),
        }
    }
}
