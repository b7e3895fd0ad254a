//! `Idempotency-Key`: the answer to a request that comes again under the same key.

use admin_store::{DataKeys, Remembered};
use axum::http::{HeaderMap, Method};
use directory::PanHasher;

use crate::error::{ApiError, ErrorCode};

/// Header that names the key, and the one that says that an answer is an old one.
pub const KEY: &str = "idempotency-key";
pub const REPLAYED: &str = "idempotency-replayed";

/// A key as the caller made it.
#[derive(Clone, Debug)]
pub(crate) struct IdempotencyKey(pub String);

impl IdempotencyKey {
    pub fn of(headers: &HeaderMap) -> Result<Option<Self>, ApiError> {
        let Some(value) = headers.get(KEY) else { return Ok(None) };
        let text = value.to_str().ok().filter(|text| (1..=100).contains(&text.len()));
        let refuse = || ApiError::new(ErrorCode::BadParameter, "Idempotency-Key has 1 to 100 visible characters");
        text.map(|text| Some(Self(text.to_owned()))).ok_or_else(refuse)
    }
}

/// Keyed digest of what a request asks: a body may hold a password, which nobody shall find by trying.
pub(crate) fn request_hash(keys: &DataKeys, method: &Method, path: &str, body: &[u8]) -> String {
    let hasher = PanHasher::new(keys.pan_lookup.clone());
    hex::encode(hasher.mac(&[b"request", method.as_str().as_bytes(), path.as_bytes(), body]))
}

/// The answer of the first time, if it was to the same request.
pub(crate) fn replay(remembered: Remembered, request_hash: &str) -> Result<String, ApiError> {
    if remembered.request == request_hash {
        return Ok(remembered.answer);
    }
    let text = "this Idempotency-Key was used for another request within the last 24 hours; make a new one";
    Err(ApiError::new(ErrorCode::KeyReused, text))
}
