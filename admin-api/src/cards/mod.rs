//! Cards: reading one, and stopping or freeing it. The switch hears of a change within a moment.

mod model;

use admin_core::{Access, ApiError, Body, Ctx, Effect, Path, Row};
use admin_store::CardRow;
use axum::http::Method;
use serde::Deserialize;
use utoipa::IntoParams;

use model::{Card, CardChange};

pub fn rows() -> Vec<Row> {
    vec![
        Row::new(
            "getCard",
            Method::GET,
            "/tenants/{tenantId}/cards/{cardId}",
            Access::Entity("Card"),
            Effect::Read,
            "Read a card",
            get_card,
        ),
        Row::new(
            "updateCard",
            Method::PUT,
            "/tenants/{tenantId}/cards/{cardId}",
            Access::Entity("Card"),
            Effect::Update,
            "Change a card's status or holder name",
            update_card,
        ),
    ]
}

#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(rename_all = "camelCase")]
struct CardPath {
    #[allow(dead_code, reason = "the row's layer judges it")]
    tenant_id: i64,
    card_id: i64,
}

async fn get_card(ctx: Ctx, Path(path): Path<CardPath>) -> Result<Card, ApiError> {
    Card::new(ctx.data_keys(), find(&ctx, path.card_id).await?)
}

/// What is absent stays as it is.
async fn update_card(ctx: Ctx, Path(path): Path<CardPath>, Body(body): Body<CardChange>) -> Result<Card, ApiError> {
    let row = find(&ctx, path.card_id).await?;
    let status = body.status(&row)?;
    let holder_name = body.holder_name(&row)?;
    let version = body.version.unwrap_or(row.version);
    let before = Card::new(ctx.data_keys(), row.clone())?;
    let after =
        CardRow { status: status.to_owned(), holder_name: holder_name.to_owned(), version: version + 1, ..row.clone() };
    let after = Card::new(ctx.data_keys(), after)?;
    let mut change = ctx.begin().await?;
    ctx.store().update_card(change.transaction(), ctx.scope(), row.id, version, status, holder_name).await?;
    change.commit(&before, &after).await?;
    Ok(after)
}

async fn find(ctx: &Ctx, card: i64) -> Result<CardRow, ApiError> {
    ctx.store().card(ctx.scope(), card).await?.ok_or_else(|| ApiError::not_found("card"))
}
