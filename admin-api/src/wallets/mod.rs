//! Wallets: opening, changing, closing, and what moved on them.

mod model;

use admin_core::{Access, ApiError, Body, Change, Ctx, Effect, ErrorCode, Paging, Path, Query, Row, fresh_event_id};
use admin_store::{NewWallet, WalletRow, WalletSearch, WalletTypeRow};
use axum::http::Method;
use iso8583::domain::Currency;
use ledger::{AccountView, Code, Content, Event};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::cards::{self, is_card_backed};
use crate::customers::{self, CustomerPath};
use crate::paths::TenantPath;
use model::{Dates, NewEclipseWallet, Search, Wallet, WalletChange, WalletTransaction};

pub fn rows() -> Vec<Row> {
    const OF_TENANT: &str = "/tenants/{tenantId}/tenant-wallets";
    const OF_CUSTOMER: &str = "/tenants/{tenantId}/customers/{customerId}/wallets";
    const ALL: &str = "/tenants/{tenantId}/wallets";
    const ONE: &str = "/tenants/{tenantId}/wallets/{walletId}";
    const TRANSACTIONS: &str = "/tenants/{tenantId}/wallets/{walletId}/transactions";
    let (wallet, of_tenant) = (Access::Entity("Wallet"), Access::Entity("TenantWallet"));
    let (opens, opens_of_tenant) = (Access::InHandler("Wallet"), Access::InHandler("TenantWallet"));
    let movement = Access::Entity("WalletTransaction");
    let (list, create) = (Effect::List, Effect::Create);
    vec![
        Row::new(
            "listTenantWallets",
            Method::GET,
            OF_TENANT,
            of_tenant,
            list,
            "List wallets of the tenant",
            of_the_tenant,
        ),
        Row::new(
            "createTenantWallet",
            Method::POST,
            OF_TENANT,
            opens_of_tenant,
            create,
            "Open a wallet of the tenant",
            create_for_tenant,
        ),
        Row::new(
            "listCustomerWallets",
            Method::GET,
            OF_CUSTOMER,
            wallet,
            list,
            "List a customer's wallets",
            of_a_customer,
        ),
        Row::new(
            "createCustomerWallet",
            Method::POST,
            OF_CUSTOMER,
            opens,
            create,
            "Open a wallet for a customer",
            create_for_customer,
        ),
        Row::new("listWallets", Method::GET, ALL, wallet, list, "Find wallets of the tenant by filters", find_wallets),
        Row::new(
            "updateWallet",
            Method::PUT,
            ONE,
            wallet,
            Effect::Update,
            "Change a wallet; absent fields stay",
            update,
        ),
        Row::new("getWallet", Method::GET, ONE, wallet, Effect::Read, "Read a wallet with balances", get),
        Row::new("deleteWallet", Method::DELETE, ONE, wallet, Effect::Delete, "Close an empty wallet", close),
        Row::new(
            "listWalletTransactions",
            Method::GET,
            TRANSACTIONS,
            movement,
            list,
            "List what moved on a wallet, newest first",
            list_transactions,
        ),
    ]
}

#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(rename_all = "camelCase")]
pub struct WalletPath {
    #[allow(dead_code, reason = "the row's layer judges it")]
    tenant_id: i64,
    pub wallet_id: i64,
}

async fn of_the_tenant(
    ctx: Ctx,
    Path(_): Path<TenantPath>,
    Query(paging): Query<Paging>,
) -> Result<Vec<Wallet>, ApiError> {
    list(&ctx, "TenantWallet", WalletSearch { of_tenant: true, ..WalletSearch::default() }, &paging).await
}

async fn of_a_customer(
    ctx: Ctx,
    Path(path): Path<CustomerPath>,
    Query(paging): Query<Paging>,
) -> Result<Vec<Wallet>, ApiError> {
    let customer = customers::find(&ctx, path.customer_id).await?;
    list(&ctx, "Wallet", WalletSearch { customer_id: Some(customer.id), ..WalletSearch::default() }, &paging).await
}

async fn find_wallets(
    ctx: Ctx,
    Path(_): Path<TenantPath>,
    Query(search): Query<Search>,
    Query(paging): Query<Paging>,
) -> Result<Vec<Wallet>, ApiError> {
    let search = WalletSearch {
        wallet_type_id: search.wallet_type_id,
        status: search.status.as_deref(),
        friendly_id: search.friendly_id.as_deref(),
        external_unique_id: search.external_unique_id.as_deref(),
        ..WalletSearch::default()
    };
    list(&ctx, "Wallet", search, &paging).await
}

/// Wallets of types that are closed to the caller are left out.
async fn list(ctx: &Ctx, entity: &str, search: WalletSearch<'_>, paging: &Paging) -> Result<Vec<Wallet>, ApiError> {
    let rows = ctx.store().wallets(ctx.scope(), search, paging.page()?).await?;
    let open = ctx.open_wallet_types(entity, rows.iter().map(|row| row.wallet_type_id)).await?;
    let rows = ctx.part(paging, rows, |row| row.id, Ok)?;
    rows.into_iter().filter(|row| open.contains(&row.wallet_type_id)).map(|row| shown(ctx, row)).collect()
}

async fn create_for_tenant(
    ctx: Ctx,
    Path(_): Path<TenantPath>,
    Body(body): Body<NewEclipseWallet>,
) -> Result<Wallet, ApiError> {
    create(&ctx, None, body).await
}

async fn create_for_customer(
    ctx: Ctx,
    Path(path): Path<CustomerPath>,
    Body(body): Body<NewEclipseWallet>,
) -> Result<Wallet, ApiError> {
    let customer = customers::find(&ctx, path.customer_id).await?;
    create(&ctx, Some(customer.id), body).await
}

/// The account first: nobody knows its number before the wallet's row is there. A card-backed wallet gets its first card
/// in the same transaction.
async fn create(ctx: &Ctx, customer_id: Option<i64>, body: NewEclipseWallet) -> Result<Wallet, ApiError> {
    let entity = if customer_id.is_some() { "Wallet" } else { "TenantWallet" };
    ctx.require(entity, "CREATE", Some(body.wallet_type_id)).await?;
    let kind = wallet_type(ctx, body.wallet_type_id).await?;
    // Before an account is opened that nobody would need.
    if ctx.store().wallet_named(&body.external_unique_id).await? {
        return Err(ApiError::taken("externalUniqueId"));
    }
    let card = if is_card_backed(&kind.mode) { Some(cards::prepare(ctx).await?) } else { None };
    let system = kind.mode == "SYSTEM";
    let account = ctx.open_account(if system { "SYSTEM" } else { "WALLET" }, kind.currency, system).await?;
    let row = NewWallet {
        tenant_id: ctx.tenant()?,
        customer_id,
        wallet_type_id: kind.id,
        account,
        name: body.name.as_deref().unwrap_or(&kind.name),
        description: body.description.as_deref().unwrap_or_default(),
        status: &body.status,
        friendly_id: &friendly_id(),
        external_unique_id: &body.external_unique_id,
        configuration: &admin_core::profile_text(&body.configuration.unwrap_or_default())?,
    };
    let mut change = ctx.begin().await?;
    keep_type(ctx, &mut change, kind.id).await?;
    let id = row.insert(change.transaction()).await?;
    if let Some(card) = card {
        card.insert(ctx, change.transaction(), id, cards::NewEclipseCard::default()).await?;
    }
    let row = ctx.store().changed_wallet(change.transaction(), id).await?;
    let wallet = shown(ctx, row)?;
    change.created(wallet).await
}

async fn keep_type(ctx: &Ctx, change: &mut Change<'_>, id: i64) -> Result<(), ApiError> {
    let kept = ctx.store().keep_wallet_type(change.transaction(), id).await?;
    if kept { Ok(()) } else { Err(ApiError::not_found("wallet type")) }
}

/// Who may take money out of a wallet of mode SYSTEM.
const SYSTEM_DEBTORS: [&str; 4] = ["TENANT_SYSTEM", "GLOBAL_ADMIN", "GLOBAL_FINANCE_L_2", "GLOBAL_FINANCE_L_3"];

/// Refuses who may not take money out of a wallet because of its mode. Everything that debits or holds asks here.
pub fn require_debtor(ctx: &Ctx, wallet: &WalletRow) -> Result<(), ApiError> {
    let may = ctx.actor().user().is_some_and(|user| user.is_one_of(&SYSTEM_DEBTORS));
    if wallet.mode != "SYSTEM" || may {
        return Ok(());
    }
    Err(ApiError::new(ErrorCode::NotAllowed, "who takes money out of a wallet of mode SYSTEM needs a finance role"))
}

/// Eight characters that are not mistaken for each other, for people to write on a deposit slip.
fn friendly_id() -> String {
    const CHARACTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let random = fresh_event_id().0.to_be_bytes();
    let picked = random.iter().skip(8).map(|byte| CHARACTERS.get(usize::from(*byte) % CHARACTERS.len()));
    picked.map(|character| char::from(*character.unwrap_or(&b'A'))).collect()
}

async fn get(ctx: Ctx, Path(path): Path<WalletPath>) -> Result<Wallet, ApiError> {
    let row = find(&ctx, path.wallet_id).await?;
    shown(&ctx, row)
}

async fn update(ctx: Ctx, Path(path): Path<WalletPath>, Body(body): Body<WalletChange>) -> Result<Wallet, ApiError> {
    let row = find(&ctx, path.wallet_id).await?;
    if row.status == "CANCELLED" {
        return Err(ApiError::new(ErrorCode::WrongState, "the wallet is closed"));
    }
    let version = body.version.unwrap_or(row.version);
    let wallet_type_id = match body.wallet_type_id.filter(|id| *id != row.wallet_type_id) {
        Some(id) => {
            ctx.require("Wallet", "UPDATE", Some(id)).await?;
            same_kind(&row, wallet_type(&ctx, id).await?)?
        }
        None => row.wallet_type_id,
    };
    let before = row.clone();
    let changed = WalletRow {
        name: body.name.unwrap_or(row.name),
        description: body.description.unwrap_or(row.description),
        status: body.status.unwrap_or(row.status),
        external_unique_id: body.external_unique_id.unwrap_or(row.external_unique_id),
        friendly_id: body.friendly_id.unwrap_or(row.friendly_id),
        configuration: admin_core::profile_text(&body.configuration.unwrap_or_default())?,
        wallet_type_id,
        ..before.clone()
    };
    let before_type = before.wallet_type_id;
    let before = shown(&ctx, before)?;
    let mut change = ctx.begin().await?;
    if changed.wallet_type_id != before_type {
        keep_type(&ctx, &mut change, changed.wallet_type_id).await?;
    }
    ctx.store().update_wallet(change.transaction(), ctx.scope(), &changed, version).await?;
    let after = ctx.store().changed_wallet(change.transaction(), changed.id).await?;
    let after = shown(&ctx, after)?;
    change.updated(&before, after).await
}

fn same_kind(row: &WalletRow, kind: WalletTypeRow) -> Result<i64, ApiError> {
    if (kind.currency, &kind.mode) == (row.currency, &row.mode) {
        return Ok(kind.id);
    }
    let rule = "a wallet changes only to a type of the same currency and mode";
    Err(ApiError::validation(&kind.id.to_string(), "WalletChange", "walletTypeId", rule))
}

/// Closes the account, then the row. A crash in between leaves an account that takes nothing; closing again goes on.
async fn close(ctx: Ctx, Path(path): Path<WalletPath>) -> Result<(), ApiError> {
    let row = find(&ctx, path.wallet_id).await?;
    let before = shown(&ctx, row.clone())?;
    if row.status == "CANCELLED" {
        return Err(ApiError::new(ErrorCode::WrongState, "the wallet is closed"));
    }
    let account = u64::try_from(row.account).map_err(|_| ApiError::not_found("account"))?;
    let body = ledger::Body::CloseAccount { account };
    let event = Event::new(fresh_event_id(), Content([0; 16]), body);
    let applied = ctx.ledger().submit(event).await;
    match applied.map(|applied| applied.outcome.code) {
        Ok(Code::Approved | Code::AccountClosed) => {}
        Ok(_) => {
            return Err(ApiError::new(
                ErrorCode::WrongState,
                "a wallet is closed when it is empty and nothing is held",
            ));
        }
        Err(_) => return Err(ApiError::new(ErrorCode::Downstream, "the ledger does not take events now; try again")),
    }
    let closed = WalletRow { status: "CANCELLED".into(), ..row };
    let mut change = ctx.begin().await?;
    ctx.store().update_wallet(change.transaction(), ctx.scope(), &closed, closed.version).await?;
    change.done(&before).await
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
    if !ctx.store().wait_for_projection(ctx.ledger().last_seq()?).await {
        tracing::warn!("the projection is more than two seconds behind; a list may lack the newest entries");
    }
    let currency = currency(&wallet)?;
    let movements = ctx.store().movements(wallet.account, from, to, page).await?;
    ctx.part(&paging, movements, |row| row.seq, |row| Ok(WalletTransaction::new(wallet.id, currency, row)))
}

pub async fn find(ctx: &Ctx, wallet: i64) -> Result<WalletRow, ApiError> {
    ctx.store().wallet(ctx.scope(), wallet).await?.ok_or_else(|| ApiError::not_found("wallet"))
}

async fn wallet_type(ctx: &Ctx, id: i64) -> Result<WalletTypeRow, ApiError> {
    ctx.store().wallet_type(ctx.scope(), id).await?.ok_or_else(|| ApiError::not_found("wallet type"))
}

fn shown(ctx: &Ctx, row: WalletRow) -> Result<Wallet, ApiError> {
    let account = u64::try_from(row.account).ok().map(|account| ctx.ledger().account(account)).transpose()?;
    let account: AccountView =
        account.flatten().ok_or_else(|| ApiError::not_found("account in the ledger for this wallet"))?;
    Wallet::new(row, &account)
}

pub fn currency(row: &WalletRow) -> Result<Currency, ApiError> {
    let currency = u16::try_from(row.currency).ok().and_then(Currency::numeric);
    currency.ok_or_else(|| ApiError::not_found("currency as this wallet's type names"))
}
