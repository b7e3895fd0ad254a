//! Cards: issuing them, reading them, stopping and freeing them, setting their PINs. The switch hears of a change within
//! a moment.

mod issue;
mod model;

use admin_core::{Access, ApiError, Body, Ctx, Effect, ErrorCode, Paging, Path, Query, Row, fresh_event_id};
use admin_store::{CardRow, CardSearch};
use axum::http::Method;
use host_commands::KeyUnderLmk;
use ledger::{Content, Event};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::customers::{self, CustomerPath};
use crate::paths::TenantPath;
use crate::wallets::{self, WalletPath};
use model::{Card, CardChange, Search};

pub use issue::{is_card_backed, prepare};
pub use model::NewEclipseCard;

pub fn rows() -> Vec<Row> {
    const OF_WALLET: &str = "/tenants/{tenantId}/wallets/{walletId}/cards";
    const OF_CUSTOMER: &str = "/tenants/{tenantId}/customers/{customerId}/cards";
    const ALL: &str = "/tenants/{tenantId}/cards";
    const ONE: &str = "/tenants/{tenantId}/cards/{cardId}";
    let (card, list) = (Access::Entity("Card"), Effect::List);
    vec![
        Row::new("listWalletCards", Method::GET, OF_WALLET, card, list, "List cards on a wallet", of_a_wallet),
        Row::new("issueCard", Method::POST, OF_WALLET, card, Effect::Create, "Issue a card on a wallet", issue_card),
        Row::new("listCustomerCards", Method::GET, OF_CUSTOMER, card, list, "List a customer's cards", of_a_customer),
        Row::new("listCards", Method::GET, ALL, card, list, "Find cards of the tenant", find_cards),
        Row::new(
            "updateCard",
            Method::PUT,
            ONE,
            card,
            Effect::Update,
            "Change a card's status, holder, rules or PIN",
            update,
        ),
        Row::new("getCard", Method::GET, ONE, card, Effect::Read, "Read a card", get),
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

async fn of_a_wallet(
    ctx: Ctx,
    Path(path): Path<WalletPath>,
    Query(paging): Query<Paging>,
) -> Result<Vec<Card>, ApiError> {
    let wallet = wallets::find(&ctx, path.wallet_id).await?;
    list(&ctx, CardSearch { wallet_id: Some(wallet.id), ..CardSearch::default() }, &paging).await
}

async fn of_a_customer(
    ctx: Ctx,
    Path(path): Path<CustomerPath>,
    Query(paging): Query<Paging>,
) -> Result<Vec<Card>, ApiError> {
    let customer = customers::find(&ctx, path.customer_id).await?;
    list(&ctx, CardSearch { customer_id: Some(customer.id), ..CardSearch::default() }, &paging).await
}

async fn find_cards(
    ctx: Ctx,
    Path(_): Path<TenantPath>,
    Query(search): Query<Search>,
    Query(paging): Query<Paging>,
) -> Result<Vec<Card>, ApiError> {
    let search = CardSearch {
        status: search.status.as_deref(),
        external_unique_id: search.external_unique_id.as_deref(),
        ..CardSearch::default()
    };
    list(&ctx, search, &paging).await
}

/// Cards on wallets of types that are closed to the caller are left out.
async fn list(ctx: &Ctx, search: CardSearch<'_>, paging: &Paging) -> Result<Vec<Card>, ApiError> {
    let rows = ctx.store().cards(ctx.scope(), search, paging.page()?).await?;
    let open = ctx.open_wallet_types("Card", rows.iter().map(|row| row.wallet_type_id)).await?;
    let rows = ctx.part(paging, rows, |row| row.id, Ok)?;
    let rows = rows.into_iter().filter(|row| open.contains(&row.wallet_type_id));
    rows.map(|row| Card::new(ctx.data_keys(), row)).collect()
}

async fn issue_card(
    ctx: Ctx,
    Path(path): Path<WalletPath>,
    Body(body): Body<NewEclipseCard>,
) -> Result<Card, ApiError> {
    let wallet = wallets::find(&ctx, path.wallet_id).await?;
    if wallet.status != "ACTIVE" {
        return Err(ApiError::new(ErrorCode::WrongState, "cards are issued on wallets that are active"));
    }
    if wallet.mode == "SYSTEM" {
        return Err(ApiError::new(ErrorCode::WrongState, "a wallet of mode SYSTEM has no cards"));
    }
    let card = prepare(&ctx).await?;
    let mut change = ctx.begin().await?;
    let id = card.insert(&ctx, change.transaction(), wallet.id, body).await?;
    let row = ctx.store().changed_card(change.transaction(), id).await?;
    change.created(Card::new(ctx.data_keys(), row)?).await
}

async fn get(ctx: Ctx, Path(path): Path<CardPath>) -> Result<Card, ApiError> {
    Card::new(ctx.data_keys(), find(&ctx, path.card_id).await?)
}

/// What is absent stays as it is. A new PIN, or a retry count of 0, gives the card all its PIN tries again.
async fn update(ctx: Ctx, Path(path): Path<CardPath>, Body(body): Body<CardChange>) -> Result<Card, ApiError> {
    let row = find(&ctx, path.card_id).await?;
    let version = body.version.unwrap_or(row.version);
    let status = body.status(&row)?.to_owned();
    let pvv = match &body.pin {
        Some(pin) => Some(verification_value(&ctx, &row, &pin.0).await?),
        None => row.pvv.clone(),
    };
    let resets_tries = body.pin.is_some() || body.pin_retry_count == Some(0);
    let before = Card::new(ctx.data_keys(), row.clone())?;
    let changed = CardRow {
        status,
        pvv,
        profile: admin_core::patched(&row.profile, &body.profile)?,
        holder_name: body.card_holder_name.unwrap_or_else(|| row.holder_name.clone()),
        ..row
    };
    let mut change = ctx.begin().await?;
    ctx.store().update_card(change.transaction(), ctx.scope(), &changed, version).await?;
    let after = ctx.store().changed_card(change.transaction(), changed.id).await?;
    let after = Card::new(ctx.data_keys(), after)?;
    if !resets_tries {
        return change.updated(&before, after).await;
    }
    // The record comes first: a reset that was refused or that nobody wrote down would give free guesses. The answer is
    // not remembered, because asked again under its key it may still have to reset.
    change.recorded(&before, &after).await?;
    reset_tries(&ctx, changed.id).await?;
    Ok(after)
}

/// What proves the PIN, made in the HSM.
async fn verification_value(ctx: &Ctx, row: &CardRow, pin: &str) -> Result<String, ApiError> {
    let account = ctx.data_keys().open_pan(&row.pan_cipher)?.account12();
    let indicator = u8::try_from(row.pvki).unwrap_or(1);
    let pvk = KeyUnderLmk::from(row.pvk.clone());
    let pin = ctx.hsm().choose_pin(&pvk, pin, &account).await?;
    Ok(ctx.hsm().generate_pvv(&pvk, &pin, &account, indicator).await?)
}

async fn reset_tries(ctx: &Ctx, card: i64) -> Result<(), ApiError> {
    let card = u64::try_from(card).map_err(|_| ApiError::not_found("card"))?;
    let event = Event::new(fresh_event_id(), Content([0; 16]), ledger::Body::ResetPinTries { card });
    let busy = |_| ApiError::new(ErrorCode::Downstream, "the ledger does not take events now; try again");
    ctx.ledger().submit(event).await.map(|_| ()).map_err(busy)
}

async fn find(ctx: &Ctx, card: i64) -> Result<CardRow, ApiError> {
    ctx.store().card(ctx.scope(), card).await?.ok_or_else(|| ApiError::not_found("card"))
}
