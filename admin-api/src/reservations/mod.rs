//! Amounts held on a wallet until they are released or their time is over.

mod model;

use admin_core::{Access, ApiError, Body, Ctx, Effect, ErrorCode, MoneyRequest, Paging, Path, Query, Row, known_event};
use admin_store::{MoneyOperationRow, WalletRow};
use axum::http::Method;
use iso8583::domain::Currency;
use ledger::{Clock, Entry, EventId, HoldView, Posting, SystemClock};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::transfers::check_funds;
use crate::wallets::{self, WalletPath};
use model::{NewEclipseReservation, Reservation};

pub fn rows() -> Vec<Row> {
    const ALL: &str = "/tenants/{tenantId}/wallets/{walletId}/reservations";
    const ONE: &str = "/tenants/{tenantId}/wallets/{walletId}/reservations/{reservationId}";
    let access = Access::Entity("Reservation");
    vec![
        Row::new("listReservations", Method::GET, ALL, access, Effect::List, "List holds on a wallet", list),
        Row::new("createReservation", Method::POST, ALL, access, Effect::Create, "Hold an amount on a wallet", create),
        Row::new("getReservation", Method::GET, ONE, access, Effect::Read, "Read a hold", get),
        Row::new("deleteReservation", Method::DELETE, ONE, access, Effect::Delete, "Release a hold", release),
    ]
}

#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(rename_all = "camelCase")]
struct ReservationPath {
    #[allow(dead_code, reason = "the row's layer judges it")]
    tenant_id: i64,
    wallet_id: i64,
    reservation_id: i64,
}

/// The other side of every hold: nothing stays on it.
const CLEARING: &str = "reservations";

async fn create(
    ctx: Ctx,
    Path(path): Path<WalletPath>,
    Body(body): Body<NewEclipseReservation>,
) -> Result<Option<Reservation>, ApiError> {
    let wallet = wallets::find(&ctx, path.wallet_id).await?;
    if wallet.status != "ACTIVE" {
        return Err(ApiError::new(ErrorCode::WrongState, format!("the wallet is {}, not ACTIVE", wallet.status)));
    }
    let currency = wallets::currency(&wallet)?;
    let amount = body.minor(currency)?;
    let expires_at = u64::try_from(body.expires.0).ok().filter(|expires| *expires > SystemClock.now());
    let expires_at = expires_at.ok_or_else(|| {
        ApiError::validation("the time", "NewEclipseReservation", "expires", "a moment that is still to come")
    })?;
    if amount > 0 {
        wallets::require_debtor(&ctx, &wallet)?;
    }
    if body.only_check == Some(true) {
        return check_funds(&ctx, &wallet, amount).map(|()| None);
    }
    let name = format!("{CLEARING}-{}", currency.code());
    let clearing = ctx.named_account("SYSTEM", &name, wallet.currency, true).await?;
    let request = MoneyRequest {
        kind: "RESERVATION",
        external_unique_id: body.external_unique_id.clone(),
        from_wallet: Some(wallet.id),
        to_wallet: None,
        amount,
        request: admin_core::profile_text(&body)?,
        reverses: None,
        expires_at: Some(body.expires.0),
        body: ledger::Body::PlaceHold { entry: hold(&wallet, clearing, amount)?, expires_at, record: body.record() },
    };
    let hold = HoldView { amount: amount.abs(), expires_at };
    ctx.move_money(request, move |moved| Ok(Some(Reservation::placed(moved, wallet.id, body, currency, amount, hold))))
        .await
}

/// Held for a debit, or with an amount below zero for a credit.
fn hold(wallet: &WalletRow, clearing: i64, amount: i64) -> Result<Entry, ApiError> {
    let account = |number: i64| u64::try_from(number).map_err(|_| ApiError::not_found("account"));
    let currency = u16::try_from(wallet.currency).map_err(|_| ApiError::not_found("currency"))?;
    let postings = vec![
        Posting { account: account(wallet.account)?, amount: -amount },
        Posting { account: account(clearing)?, amount },
    ];
    Ok(Entry { currency, postings })
}

async fn list(
    ctx: Ctx,
    Path(path): Path<WalletPath>,
    Query(paging): Query<Paging>,
) -> Result<Vec<Reservation>, ApiError> {
    let wallet = wallets::find(&ctx, path.wallet_id).await?;
    let currency = wallets::currency(&wallet)?;
    let rows = ctx.store().reservations(ctx.scope(), wallet.id, paging.page()?).await?;
    ctx.part(&paging, rows, |row| row.id, |row| shown(&ctx, row, currency))
}

async fn get(ctx: Ctx, Path(path): Path<ReservationPath>) -> Result<Reservation, ApiError> {
    let (row, currency) = find(&ctx, &path).await?;
    shown(&ctx, row, currency)
}

async fn release(ctx: Ctx, Path(path): Path<ReservationPath>) -> Result<(), ApiError> {
    let (row, _) = find(&ctx, &path).await?;
    let request = MoneyRequest {
        kind: "RELEASE",
        external_unique_id: None,
        from_wallet: row.from_wallet,
        to_wallet: None,
        amount: row.amount,
        request: "{}".into(),
        // Whether it is still open only the ledger knows.
        reverses: None,
        expires_at: None,
        body: ledger::Body::VoidHold { hold: event_id(&row)? },
    };
    ctx.move_money(request, |_| Ok(())).await
}

async fn find(ctx: &Ctx, path: &ReservationPath) -> Result<(MoneyOperationRow, Currency), ApiError> {
    let wallet = wallets::find(ctx, path.wallet_id).await?;
    let row = ctx.store().money_operation(ctx.scope(), path.reservation_id).await?;
    let is_meant = |row: &MoneyOperationRow| {
        row.kind == "RESERVATION" && row.state == "DONE" && row.from_wallet == Some(path.wallet_id)
    };
    let row = row.filter(is_meant).ok_or_else(|| ApiError::not_found("reservation"))?;
    Ok((row, wallets::currency(&wallet)?))
}

fn event_id(row: &MoneyOperationRow) -> Result<EventId, ApiError> {
    u128::from_str_radix(&row.event_id, 16).map(EventId).map_err(|_| ApiError::not_found("reservation"))
}

/// Whether it is still open only the ledger knows.
fn shown(ctx: &Ctx, row: MoneyOperationRow, currency: Currency) -> Result<Reservation, ApiError> {
    let hold = ctx.ledger().hold(event_id(&row)?)?;
    let placed = known_event(ctx.ledger(), &row.event_id)?.map(|(_, applied)| applied.outcome.at);
    Reservation::of_row(row, currency, hold, placed)
}
