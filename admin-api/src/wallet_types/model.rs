use admin_core::{ApiError, Attribute, UnixMillis};
use admin_store::WalletTypeRow;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A wallet type to be.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewEclipseWalletType {
    /// Unique in the tenant
    #[schema(min_length = 3, max_length = 50)]
    pub name: String,
    /// What kind of ledger is behind it. It stays
    #[schema(pattern = "^(BANK_ACCOUNT|CLOSED_LOOP_DIGITAL|SYSTEM|PREPAID_CARD|DEBIT_CARD)$")]
    pub mode: String,
    /// Free attributes. `Currency` (ISO 4217, three letters) must be there. `holdLifeSeconds` (60 to 2592000) and
    /// `completionTolerancePercent` (0 to 100, two decimals) rule pre-authorizations
    #[schema(max_items = 200)]
    pub configuration: Vec<Attribute>,
}

/// What may change of a wallet type. A name that is null or absent stays; an absent configuration wipes all attributes
/// but the currency.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WalletTypeChange {
    #[schema(min_length = 3, max_length = 50)]
    pub name: Option<String>,
    /// Replaces the whole list; `Currency` must be there and stay what it is
    #[schema(max_items = 200)]
    pub configuration: Option<Vec<Attribute>>,
    /// The version last read; a change by somebody else in between is refused
    #[schema(minimum = 0)]
    pub version: Option<i64>,
}

/// A wallet type.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WalletType {
    wallet_type_id: i64,
    tenant_id: i64,
    name: String,
    mode: String,
    configuration: Vec<Attribute>,
    version: i64,
    created: UnixMillis,
    last_modified: UnixMillis,
}

impl WalletType {
    pub fn new(row: WalletTypeRow) -> Result<Self, ApiError> {
        Ok(Self {
            wallet_type_id: row.id,
            tenant_id: row.tenant_id,
            name: row.name,
            mode: row.mode,
            configuration: admin_core::profile(&row.configuration)?,
            version: row.version,
            created: UnixMillis(row.created_at),
            last_modified: UnixMillis(row.modified_at),
        })
    }
}
