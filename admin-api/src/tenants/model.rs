use admin_core::{ApiError, UnixMillis};
use admin_store::TenantRow;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What describes a tenant.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TenantProfile {
    #[schema(min_length = 3, max_length = 50)]
    pub trading_name: Option<String>,
    #[schema(max_length = 50)]
    pub business_type: Option<String>,
    /// Merchant category code, four digits
    #[schema(minimum = 0, maximum = 9999)]
    pub category_code: Option<i64>,
    #[schema(min_length = 5, max_length = 20)]
    pub company_number: Option<String>,
    #[schema(min_length = 6, max_length = 50, pattern = "^[^@ ]+@[^@ ]+$")]
    pub email: Option<String>,
    /// Digits with country code, no plus sign
    #[schema(pattern = "^[0-9]{6,15}$")]
    pub phone1: Option<String>,
    #[schema(min_length = 3, max_length = 50)]
    pub industrial_classification: Option<String>,
    #[schema(min_length = 3, max_length = 50)]
    pub industrial_sector: Option<String>,
    #[schema(max_length = 50)]
    pub merchant_id: Option<String>,
    #[schema(min_length = 3, max_length = 20)]
    pub tax_number: Option<String>,
    #[schema(max_length = 20)]
    pub vat_number: Option<String>,
}

/// A tenant to be.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewEclipseTenant {
    /// Unique over the whole platform
    #[schema(min_length = 3, max_length = 50)]
    pub name: String,
    /// Code of the accountable institution; one that is not known yet is made known by the platform's people alone
    #[schema(pattern = "^[A-Za-z0-9]{3}$")]
    pub institution: Option<String>,
    /// Digits with country code, no plus sign. Part of the profile; a new tenant must have it
    #[schema(pattern = "^[0-9]{6,15}$")]
    pub phone1: String,
    #[serde(flatten)]
    pub profile: TenantProfile,
}

/// What may change of a tenant; what is null or absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TenantChange {
    #[schema(min_length = 3, max_length = 50)]
    pub name: Option<String>,
    /// The version last read; a change by somebody else in between is refused
    #[schema(minimum = 0)]
    pub version: Option<i64>,
    #[serde(flatten)]
    pub profile: TenantProfile,
}

/// A tenant.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tenant {
    tenant_id: i64,
    name: String,
    /// Code of the accountable institution
    institution: Option<String>,
    #[serde(flatten)]
    profile: TenantProfile,
    version: i64,
    created: UnixMillis,
    last_modified: UnixMillis,
}

impl Tenant {
    pub fn new(row: TenantRow) -> Result<Self, ApiError> {
        Ok(Self {
            tenant_id: row.id,
            name: row.name,
            institution: row.institution,
            profile: admin_core::profile(&row.profile)?,
            version: row.version,
            created: UnixMillis(row.created_at),
            last_modified: UnixMillis(row.modified_at),
        })
    }
}
