//! Wallets and what moved on them.

mod model;

use admin_core::{Access, ApiError, Ctx, Effect, Paging, Path, Query, Row};
use admin_store::WalletRow;
use axum::http::Method;
use iso8583::domain::Currency;
use ledger::AccountView;
use serde::Deserialize;
use utoipa::IntoParams;

use model::{Dates, Wallet, WalletTransaction};

pub fn rows() -> Vec<Row> {
    vec![
        Row::new(
            "getWallet",
            Method::GET,
            "/tenants/{tenantId}/wallets/{walletId}",
            Access::Entity("Wallet"),
            Effect::Read,
            "Read a wallet with balances",
            get_wallet,
        ),
        Row::new(
            "listWalletTransactions",
            Method::GET,
            "/tenants/{tenantId}/wallets/{walletId}/transactions",
            Access::Entity("WalletTransaction"),
            Effect::List,
            "List what moved on a wallet, newest first",
            list_transactions,
        ),
    ]
}

#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(rename_all = "camelCase")]
struct WalletPath {
    #[allow(dead_code, reason = "the row's layer judges it")]
    tenant_id: i64,
    wallet_id: i64,
}

async fn get_wallet(ctx: Ctx, Path(path): Path<WalletPath>) -> Result<Wallet, ApiError> {
    let row = find(&ctx, path.wallet_id).await?;
    let account = account(&ctx, &row)?;
    Wallet::new(row, &account)
}

async fn list_transactions(
    ctx: Ctx,
    Path(path): Path<WalletPath>,
    Query(dates): Query<Dates>,
    Query(paging): Query<Paging>,
) -> Result<Vec<WalletTransaction>, ApiError> {
    let page = paging.page()?;
    let (from, to) = dates.bounds()?;
    let wallet = find(&ctx, path.wallet_id).await?;
    // A read after a write sees the write: the projection is waited for, and after that given as far as it is.
    if !ctx.store().wait_for_projection(ctx.ledger().last_seq()).await {
        tracing::warn!("the projection is more than two seconds behind; a list may lack the newest entries");
    }
    let currency = currency(&wallet)?;
    let movements = ctx.store().movements(wallet.account, from, to, page).await?;
    Ok(movements.into_iter().map(|movement| WalletTransaction::new(wallet.id, currency, movement)).collect())
}

async fn find(ctx: &Ctx, wallet: i64) -> Result<WalletRow, ApiError> {
    ctx.store().wallet(ctx.scope(), wallet).await?.ok_or_else(|| ApiError::not_found("wallet"))
}

fn account(ctx: &Ctx, row: &WalletRow) -> Result<AccountView, ApiError> {
    let account = u64::try_from(row.account).ok().and_then(|account| ctx.ledger().account(account));
    account.ok_or_else(|| ApiError::not_found("account in the ledger for this wallet"))
}

fn currency(row: &WalletRow) -> Result<Currency, ApiError> {
    let currency = u16::try_from(row.currency).ok().and_then(Currency::numeric);
    currency.ok_or_else(|| ApiError::not_found("currency as this wallet's type names"))
}
