//! Path parameters that many operations share.

use serde::Deserialize;
use utoipa::IntoParams;

/// Nothing but the tenant.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(rename_all = "camelCase")]
pub struct TenantPath {
    #[allow(dead_code, reason = "the row's layer judges it")]
    tenant_id: i64,
}
