use admin_core::{ApiError, UnixMillis};
use admin_store::UserRow;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A password on its way in. It has no `Debug`, so that no log can show it.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct NewPassword(pub String);

/// What describes a user, as it is stored.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AdminUserProfile {
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub email: Option<String>,
    pub phone1: Option<String>,
}

// The profile's fields stand here one by one, not flattened: only of one plain object the checks know which field is a
// password, whose value they must not repeat.
/// An admin user to be.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewAdminUser {
    /// Unique over all tenants, because log-in names none
    #[schema(min_length = 3, max_length = 40)]
    pub identity: String,
    /// A user without one cannot log in with a password
    #[schema(value_type = Option<String>, format = Password, min_length = 3, max_length = 80)]
    pub password: Option<NewPassword>,
    #[schema(min_length = 2, max_length = 50)]
    pub first_name: Option<String>,
    #[schema(min_length = 2, max_length = 50)]
    pub last_name: String,
    #[schema(min_length = 6, max_length = 50, pattern = "^[^@ ]+@[^@ ]+$")]
    pub email: Option<String>,
    /// Digits with country code, no plus sign
    #[schema(pattern = "^[0-9]{6,15}$")]
    pub phone1: String,
    /// TENANT_SYSTEM, CUSTOMER or LEVEL_01 to LEVEL_20
    #[schema(max_items = 22)]
    pub positions: Option<Vec<String>>,
}

/// What may change of an admin user; what is null or absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AdminUserChange {
    /// A new one ends all log-ins of the user
    #[schema(value_type = Option<String>, format = Password, min_length = 3, max_length = 80)]
    pub password: Option<NewPassword>,
    #[schema(min_length = 2, max_length = 50)]
    pub first_name: Option<String>,
    #[schema(min_length = 2, max_length = 50)]
    pub last_name: Option<String>,
    #[schema(min_length = 6, max_length = 50, pattern = "^[^@ ]+@[^@ ]+$")]
    pub email: Option<String>,
    /// Digits with country code, no plus sign
    #[schema(pattern = "^[0-9]{6,15}$")]
    pub phone1: Option<String>,
    /// Replaces all that are held: TENANT_SYSTEM, CUSTOMER or LEVEL_01 to LEVEL_20
    #[schema(max_items = 22)]
    pub positions: Option<Vec<String>>,
    /// Who is not ACTIVE cannot log in, and his tokens are not accepted
    #[schema(pattern = "^(ACTIVE|INACTIVE|BLOCKED)$")]
    pub status: Option<String>,
    /// The version last read; a change by somebody else in between is refused
    #[schema(minimum = 0)]
    pub version: Option<i64>,
}

/// An admin user.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AdminUser {
    admin_user_id: i64,
    tenant_id: Option<i64>,
    identity: String,
    status: String,
    positions: Vec<String>,
    #[serde(flatten)]
    profile: AdminUserProfile,
    version: i64,
    created: UnixMillis,
    last_modified: UnixMillis,
}

impl AdminUser {
    pub fn new(row: UserRow) -> Result<Self, ApiError> {
        Ok(Self {
            admin_user_id: row.id,
            tenant_id: row.tenant_id,
            positions: super::positions_of(&row).into_iter().collect(),
            identity: row.identity,
            status: row.status,
            profile: admin_core::profile(&row.profile)?,
            version: row.version,
            created: UnixMillis(row.created_at),
            last_modified: UnixMillis(row.modified_at),
        })
    }
}
