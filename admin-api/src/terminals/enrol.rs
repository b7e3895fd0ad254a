//! Enrolment: a terminal gets its place, its master key and its merchant's account.

use admin_core::{ApiError, Body, Ctx, Path, merchant_account_name};
use admin_store::TERMINAL_TYPES;
use iso8583::domain::Currency;

use super::model::{EnrolledTerminal, NewTerminal, Terminal};
use super::{TerminalPath, master_key};
use crate::paths::TenantPath;

const MODEL: &str = "NewTerminal";
const TR31: &str = "tr31";

pub async fn new(
    ctx: Ctx,
    Path(_): Path<TenantPath>,
    Body(body): Body<NewTerminal>,
) -> Result<EnrolledTerminal, ApiError> {
    let currency = Currency::named(&body.currency)
        .ok_or_else(|| ApiError::validation(&body.currency, MODEL, "currency", "no currency of ISO 4217"))?;
    if let Some(id) = body.terminal_type_id {
        let known = ctx.store().plain(&TERMINAL_TYPES, ctx.scope(), id).await?;
        known.ok_or_else(|| {
            ApiError::validation(&id.to_string(), MODEL, "terminalTypeId", "no terminal type of the tenant")
        })?;
    }
    let key_scheme = body.key_scheme.as_deref().unwrap_or(TR31);
    let key = master_key::make(&ctx, key_scheme).await?;
    // What the merchant is owed, through all his terminals.
    let name = merchant_account_name(currency.number(), &body.merchant_id);
    let merchant_account = ctx.named_account("MERCHANT", &name, currency.number().into(), false).await?;
    let row = admin_store::NewTerminal {
        tenant_id: ctx.tenant()?,
        terminal_type_id: body.terminal_type_id,
        terminal_id: &body.device_id,
        merchant_id: &body.merchant_id,
        key_scheme,
        tmk: key.under_lmk.as_str(),
        tmk_kcv: &key.kcv,
        mac_required: body.mac_required.unwrap_or(true),
        merchant_account,
    };
    let mut change = ctx.begin().await?;
    let created = row.insert(change.transaction()).await?;
    change.created(EnrolledTerminal { terminal: Terminal::from(created), master_key: key.exported }).await
}

/// A new master key; the session keys under the old one end.
pub async fn again(ctx: Ctx, Path(path): Path<TerminalPath>) -> Result<EnrolledTerminal, ApiError> {
    let row = super::find(&ctx, path.terminal_id).await?;
    let key = master_key::make(&ctx, &row.key_scheme).await?;
    let (store, tmk) = (ctx.store(), key.under_lmk.as_str());
    let mut change = ctx.begin().await?;
    let after = store.replace_terminal_key(change.transaction(), ctx.scope(), row.id, tmk, &key.kcv).await?;
    let before = EnrolledTerminal { terminal: Terminal::from(row), master_key: None };
    change.updated(&before, EnrolledTerminal { terminal: Terminal::from(after), master_key: key.exported }).await
}
