use admin_core::{ApiError, UnixMillis};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Log-in data.
#[derive(Deserialize, ToSchema)]
pub struct Login {
    /// Unique over all tenants
    #[schema(min_length = 3, max_length = 40)]
    pub identity: String,
    #[schema(value_type = String, min_length = 3, max_length = 80)]
    pub password: Password,
}

/// A password on its way in. It is not shown by `Debug`.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct Password(pub String);

impl Login {
    pub fn check(&self) -> Result<(), ApiError> {
        if !(3..=40).contains(&self.identity.chars().count()) {
            return Err(ApiError::validation(&self.identity, "Login", "identity", "3 to 40 characters"));
        }
        if !(3..=80).contains(&self.password.0.chars().count()) {
            return Err(ApiError::validation("(hidden)", "Login", "password", "3 to 80 characters"));
        }
        Ok(())
    }
}

/// A token, and how to send it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LoginAnswer {
    /// Name of the header to send with every request
    pub header_name: String,
    /// Its value
    pub header_value: String,
    pub session_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<i64>,
    pub expires: UnixMillis,
    pub expires_epoch_secs: i64,
    /// Global roles; empty for people of a tenant
    pub roles: Vec<String>,
}
