//! Money from one wallet to another, and back again.

mod model;

use admin_core::{Access, ApiError, Body, Ctx, Effect, ErrorCode, MoneyRequest, Path, Row};
use admin_store::WalletRow;
use axum::http::Method;
use ledger::{Entry, Posting};

use crate::paths::TenantPath;
use crate::wallets;
use model::{NewEclipseReversal, NewEclipseTransfer, WalletReversal, WalletTransfer};

pub use model::{signed, statement};

pub fn rows() -> Vec<Row> {
    vec![
        Row::new(
            "createTransfer",
            Method::POST,
            "/tenants/{tenantId}/wallets/transfers",
            Access::InHandler("Transfer"),
            Effect::Create,
            "Move money between two wallets",
            transfer,
        ),
        Row::new(
            "createReversal",
            Method::POST,
            "/tenants/{tenantId}/wallets/reversals",
            Access::InHandler("Reversal"),
            Effect::Create,
            "Take a transfer back, whole or in part, once",
            reverse,
        ),
    ]
}

async fn transfer(
    ctx: Ctx,
    Path(_): Path<TenantPath>,
    Body(body): Body<NewEclipseTransfer>,
) -> Result<Option<WalletTransfer>, ApiError> {
    let from = usable(&ctx, body.from_wallet_id).await?;
    let to = usable(&ctx, body.to_wallet_id).await?;
    ctx.require("Transfer", "CREATE", Some(from.wallet_type_id)).await?;
    wallets::require_debtor(&ctx, &from)?;
    let currency = wallets::currency(&from)?;
    if from.id == to.id || from.currency != to.currency {
        let rule = "two wallets of one currency";
        return Err(ApiError::validation(&to.id.to_string(), "NewEclipseTransfer", "toWalletId", rule));
    }
    let amount = minor(&body.amount, currency, "NewEclipseTransfer")?;
    if body.only_check == Some(true) {
        return check_funds(&ctx, &from, amount).map(|()| None);
    }
    let request = MoneyRequest {
        kind: "TRANSFER",
        external_unique_id: Some(body.external_unique_id.clone()),
        from_wallet: Some(from.id),
        to_wallet: Some(to.id),
        amount,
        request: admin_core::profile_text(&body)?,
        reverses: None,
        expires_at: None,
        body: ledger::Body::Post { entry: entry(&from, &to, amount)?, record: body.record() },
    };
    ctx.move_money(request, move |moved| Ok(Some(WalletTransfer::new(moved, body, currency)))).await
}

/// A transfer can be taken back once, whole or in part. It is a movement the other way, not an undoing by force: the
/// wallet that was paid has to have the money.
async fn reverse(
    ctx: Ctx,
    Path(_): Path<TenantPath>,
    Body(body): Body<NewEclipseReversal>,
) -> Result<WalletReversal, ApiError> {
    let unknown = || ApiError::not_found("transfer of this externalUniqueId");
    let named = &body.original_external_unique_id;
    let original = ctx.store().money_operation_named(ctx.scope(), named).await?;
    let original = original.filter(|row| row.kind == "TRANSFER" && row.state == "DONE").ok_or_else(unknown)?;
    let (payer, payee) = original.from_wallet.zip(original.to_wallet).ok_or_else(unknown)?;
    let (payer, payee) = (wallets::find(&ctx, payer).await?, wallets::find(&ctx, payee).await?);
    ctx.require("Reversal", "CREATE", Some(payee.wallet_type_id)).await?;
    wallets::require_debtor(&ctx, &payee)?;
    let currency = wallets::currency(&payee)?;
    let amount = match &body.amount {
        Some(amount) => minor(amount, currency, "NewEclipseReversal")?,
        None => original.amount,
    };
    if amount > original.amount {
        let rule = "not more than was transferred";
        return Err(ApiError::validation(&amount.to_string(), "NewEclipseReversal", "amount", rule));
    }
    let request = MoneyRequest {
        kind: "REVERSAL",
        external_unique_id: Some(body.external_unique_id.clone()),
        from_wallet: Some(payee.id),
        to_wallet: Some(payer.id),
        amount,
        request: admin_core::profile_text(&body)?,
        reverses: Some(original.id),
        expires_at: None,
        body: ledger::Body::Post { entry: entry(&payee, &payer, amount)?, record: body.record() },
    };
    ctx.move_money(request, move |moved| Ok(WalletReversal::new(moved, body, currency))).await
}

async fn usable(ctx: &Ctx, id: i64) -> Result<WalletRow, ApiError> {
    let row = wallets::find(ctx, id).await?;
    if row.status == "ACTIVE" {
        return Ok(row);
    }
    Err(ApiError::new(ErrorCode::WrongState, format!("wallet {id} is {}, not ACTIVE", row.status)))
}

/// Above zero, and exact in the currency.
pub fn minor(amount: &admin_core::Amount, currency: iso8583::domain::Currency, model: &str) -> Result<i64, ApiError> {
    let rule = format!("above zero, with at most {} decimals", currency.exponent());
    let minor = amount.to_minor(currency.exponent()).filter(|minor| *minor > 0);
    minor.ok_or_else(|| ApiError::validation(&amount.to_string(), model, "amount", &rule))
}

/// For checks without movement.
pub fn check_funds(ctx: &Ctx, wallet: &WalletRow, amount: i64) -> Result<(), ApiError> {
    let account = u64::try_from(wallet.account).ok().map(|account| ctx.ledger().account(account)).transpose()?;
    let available = account.flatten().map_or(0, |account| account.available);
    if available >= amount || wallet.mode == "SYSTEM" {
        return Ok(());
    }
    Err(ApiError::new(ErrorCode::NoFunds, "the wallet has not so much available"))
}

fn entry(from: &WalletRow, to: &WalletRow, amount: i64) -> Result<Entry, ApiError> {
    let account = |row: &WalletRow| u64::try_from(row.account).map_err(|_| ApiError::not_found("account"));
    Ok(Entry {
        currency: u16::try_from(from.currency).map_err(|_| ApiError::not_found("currency"))?,
        postings: vec![Posting { account: account(from)?, amount: -amount }, Posting { account: account(to)?, amount }],
    })
}
