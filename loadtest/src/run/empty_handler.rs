//! The REST baseline: an axum handler that does nothing but what the daemon does first, verify the caller's token.

use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::Value;

use crate::local_server::LocalServer;

struct Keys {
    verifying: DecodingKey,
    validation: Validation,
}

/// On as many threads as the daemon's REST API. `key_set`: the daemon's JSON Web Key Set, with the key its tokens are
/// signed with.
pub fn start(key_set: &Value) -> anyhow::Result<LocalServer> {
    let key = key_set.pointer("/keys/0").context("the daemon publishes no token key")?;
    let part = |name: &str| key.get(name).and_then(Value::as_str).context("the daemon's token key is not an RSA key");
    let verifying = DecodingKey::from_rsa_components(part("n")?, part("e")?)?;
    let keys = Keys { verifying, validation: Validation::new(Algorithm::PS256) };
    let router = Router::new().route("/", post(empty)).with_state(Arc::new(keys));
    LocalServer::start("empty-http", 2, move |listener| async move {
        let _ = axum::serve(listener, router).await;
    })
}

async fn empty(State(keys): State<Arc<Keys>>, headers: HeaderMap, _body: String) -> Result<&'static str, StatusCode> {
    let header = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let token = header.strip_prefix("Bearer ").unwrap_or(header);
    let verified = jsonwebtoken::decode::<Value>(token, &keys.verifying, &keys.validation);
    verified.map(|_| "{}").map_err(|_| StatusCode::UNAUTHORIZED)
}
