//! New session keys for a terminal, for whoever brings them to it by another way than 0800/101.

use admin_core::{ApiError, Body, Ctx, ErrorCode, Path};
use directory::TerminalName;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::paths::TenantPath;

/// For which terminal.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewSessionKeysRequest {
    terminal_id: i64,
}

/// A pair of session keys under the terminal's master key. It waits for its first use.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TerminalSessionKeys {
    terminal_id: i64,
    /// tr31: the keys are TR-31 blocks; ecb: `X` and 32 hexadecimal digits
    key_scheme: String,
    pin_key: String,
    pin_key_check_value: String,
    mac_key: String,
    mac_key_check_value: String,
}

/// What is recorded of it: the check values, not the keys.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Recorded<'a> {
    terminal_id: i64,
    pin_key_check_value: &'a str,
    mac_key_check_value: &'a str,
}

pub async fn renew(
    ctx: Ctx,
    Path(_): Path<TenantPath>,
    Body(body): Body<NewSessionKeysRequest>,
) -> Result<TerminalSessionKeys, ApiError> {
    let row = ctx.store().terminal(ctx.scope(), body.terminal_id).await?;
    let row = row.ok_or_else(|| ApiError::not_found("terminal"))?;
    if !row.active {
        return Err(ApiError::new(ErrorCode::WrongState, "the terminal is not active"));
    }
    let made = ctx.session_keys().renew(&TerminalName::new(&row.terminal_id, &row.merchant_id)).await?;
    let recorded = Recorded {
        terminal_id: row.id,
        pin_key_check_value: &made.pin_key_check_value,
        mac_key_check_value: &made.mac_key_check_value,
    };
    ctx.begin().await?.recorded(&(), &recorded).await?;
    Ok(TerminalSessionKeys {
        terminal_id: row.id,
        key_scheme: row.key_scheme,
        pin_key: made.pin_key,
        pin_key_check_value: made.pin_key_check_value,
        mac_key: made.mac_key,
        mac_key_check_value: made.mac_key_check_value,
    })
}
