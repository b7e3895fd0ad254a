use admin_core::{ApiError, Claims, PublicKey, TokenKeys, UnixMillis};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Log-in data.
#[derive(Deserialize, ToSchema)]
pub struct Login {
    /// Unique over all tenants
    #[schema(min_length = 3, max_length = 40)]
    pub identity: String,
    #[schema(value_type = String, format = Password, min_length = 3, max_length = 80)]
    pub password: Secret,
}

/// A password or token on its way in. It is not shown by `Debug`.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

/// The token to swap, where it does not come in the header.
#[derive(Default, Deserialize, ToSchema)]
pub struct Renewal {
    #[schema(value_type = Option<String>, format = Password)]
    pub jwt: Option<Secret>,
}

/// The token of the `Authorization` header, where there is one.
pub struct Authorization(pub Option<String>);

impl From<&HeaderMap> for Authorization {
    fn from(headers: &HeaderMap) -> Self {
        let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        Self(value.and_then(|value| value.split_once(' ')).map(|(_, token)| token.trim().to_owned()))
    }
}

/// A token, and how to send it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LoginAnswer {
    /// Name of the header to send with every request
    header_name: String,
    /// Its value
    header_value: String,
    session_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant_id: Option<i64>,
    expires: UnixMillis,
    expires_epoch_secs: i64,
    /// Global roles; empty for people of a tenant
    roles: Vec<String>,
}

impl LoginAnswer {
    pub fn new(claims: Claims, keys: &TokenKeys) -> Result<Self, ApiError> {
        let token = keys.sign(&claims)?;
        Ok(Self {
            header_name: "Authorization".into(),
            header_value: format!("Bearer {}", token.0),
            session_id: claims.sess,
            tenant_id: claims.tenant,
            expires: UnixMillis(claims.exp * 1000),
            expires_epoch_secs: claims.exp,
            roles: claims.roles.split(',').filter(|role| !role.is_empty()).map(str::to_owned).collect(),
        })
    }
}

/// A JSON Web Key Set (RFC 7517, section 5).
#[derive(Serialize, ToSchema)]
pub struct KeySet {
    pub keys: Vec<PublicKey>,
}
