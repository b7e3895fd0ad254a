//! Settings by key: a tenant's own, else its institution's, else the platform's.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use admin_store::{ConfigItemRow, DataKeys, Store};

use crate::error::{ApiError, ErrorCode};

/// A value that begins so is stored enciphered and never shown.
pub const ENCRYPT: &str = "Encrypt:";

/// What is shown in the place of a secret.
pub const MASKED: &str = "********";

/// A value as it is stored, and whether it is secret.
pub fn stored(keys: &DataKeys, value: &str) -> Result<(String, bool), ApiError> {
    match value.strip_prefix(ENCRYPT) {
        Some(secret) => Ok((BASE64_STANDARD.encode(keys.seal_secret(secret.as_bytes())?), true)),
        None => Ok((value.to_owned(), false)),
    }
}

/// The value that counts, in clear.
pub(crate) async fn setting(
    store: &Store,
    keys: &DataKeys,
    tenant: Option<i64>,
    key: &str,
) -> Result<Option<String>, ApiError> {
    store.settings(tenant, key).await?.into_iter().next().map(|row| clear(keys, row)).transpose()
}

fn clear(keys: &DataKeys, row: ConfigItemRow) -> Result<String, ApiError> {
    if !row.secret {
        return Ok(row.value);
    }
    let damaged = || ApiError::new(ErrorCode::Unknown, format!("the stored value of {} does not open", row.key));
    let sealed = BASE64_STANDARD.decode(&row.value).map_err(|_| damaged())?;
    let clear = keys.open_secret(&sealed).map_err(|_| damaged())?;
    String::from_utf8(clear.to_vec()).map_err(|_| damaged())
}
