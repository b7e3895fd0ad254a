use admin_core::{ApiError, UnixMillis};
use admin_store::CustomerRow;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What describes a customer.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CustomerProfile {
    #[schema(min_length = 1, max_length = 20)]
    pub title: Option<String>,
    #[schema(min_length = 2, max_length = 50)]
    pub first_name: Option<String>,
    #[schema(min_length = 2, max_length = 50)]
    pub middle_name: Option<String>,
    #[schema(min_length = 2, max_length = 50)]
    pub last_name: Option<String>,
    #[schema(min_length = 2, max_length = 50)]
    pub maiden_name: Option<String>,
    #[schema(pattern = "^[MF]$")]
    pub gender: Option<String>,
    #[schema(max_length = 20)]
    pub marital_status: Option<String>,
    /// yyyyMMdd
    #[schema(pattern = "^[0-9]{8}$")]
    pub date_of_birth: Option<String>,
    #[schema(max_length = 20)]
    pub birth_city: Option<String>,
    #[schema(max_length = 60)]
    pub birth_country: Option<String>,
    #[schema(max_length = 60)]
    pub country_of_residence: Option<String>,
    #[schema(min_length = 5, max_length = 20)]
    pub national_identity_number: Option<String>,
    #[schema(min_length = 5, max_length = 20)]
    pub additional_identity_number: Option<String>,
    #[schema(min_length = 6, max_length = 50, pattern = "^[^@ ]+@[^@ ]+$")]
    pub email: Option<String>,
    /// Digits with country code, no plus sign
    #[schema(pattern = "^[0-9]{6,15}$")]
    pub phone1: Option<String>,
    /// ISO 639-1
    #[schema(pattern = "^[a-z]{2}$")]
    pub locale: Option<String>,
    #[schema(max_length = 50)]
    pub industry: Option<String>,
}

/// A customer to be.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewEclipseCustomer {
    /// Unique over the whole platform
    #[schema(min_length = 6, max_length = 100)]
    pub external_unique_id: String,
    #[schema(pattern = "^(ACTIVE|INACTIVE|BLOCKED)$")]
    pub status: Option<String>,
    #[serde(flatten)]
    pub profile: CustomerProfile,
}

/// What may change of a customer; what is null or absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CustomerChange {
    #[schema(min_length = 6, max_length = 100)]
    pub external_unique_id: Option<String>,
    #[schema(pattern = "^(ACTIVE|INACTIVE|BLOCKED)$")]
    pub status: Option<String>,
    /// The version last read; a change by somebody else in between is refused
    #[schema(minimum = 0)]
    pub version: Option<i64>,
    #[serde(flatten)]
    pub profile: CustomerProfile,
}

/// A customer.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Customer {
    customer_id: i64,
    tenant_id: i64,
    external_unique_id: String,
    status: String,
    #[serde(flatten)]
    profile: CustomerProfile,
    version: i64,
    created: UnixMillis,
    last_modified: UnixMillis,
}

impl Customer {
    pub fn new(row: CustomerRow) -> Result<Self, ApiError> {
        Ok(Self {
            customer_id: row.id,
            tenant_id: row.tenant_id,
            external_unique_id: row.external_unique_id,
            status: row.status,
            profile: admin_core::profile(&row.profile)?,
            version: row.version,
            created: UnixMillis(row.created_at),
            last_modified: UnixMillis(row.modified_at),
        })
    }
}
