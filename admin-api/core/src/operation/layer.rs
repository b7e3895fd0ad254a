//! From rows to routes: token, permission and tenant are judged here, for every operation alike.

use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use admin_store::Scope;
use axum::Router;
use axum::body::to_bytes;
use axum::extract::{ConnectInfo, FromRequestParts, RawPathParams, Request};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter};
use futures::FutureExt;

use super::access::Access;
use super::row::{Call, Row};
use crate::BASE_PATH;
use crate::ctx::{Actor, Ctx};
use crate::error::{ApiError, ErrorCode, Rejected};
use crate::services::Services;

/// Bytes of a body at most.
const BODY_MAX: usize = 1 << 20;

/// From the head of a request to its answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Routes of all rows, under the base path. A path or method that no row has gets an error of the common form.
pub fn router(rows: &[Row], services: Arc<Services>) -> Router {
    let mut paths: std::collections::BTreeMap<String, MethodRouter> = std::collections::BTreeMap::new();
    for row in rows {
        let Ok(filter) = MethodFilter::try_from(row.method.clone()) else { continue };
        let (served, services) = (row.clone(), Arc::clone(&services));
        let handler = move |request: Request| serve(served.clone(), Arc::clone(&services), request);
        let methods = paths.entry(format!("{BASE_PATH}{}", row.path)).or_default();
        *methods = std::mem::take(methods).on(filter, handler);
    }
    let wrong_method = || async { reject(ErrorCode::WrongMethod, "this path has no such method; see /openapi.json") };
    let routed = paths
        .into_iter()
        .fold(Router::new(), |router, (path, methods)| router.route(&path, methods.fallback(wrong_method)));
    routed.fallback(|| async { reject(ErrorCode::NoOperation, "no such operation; see /openapi.json") })
}

fn reject(code: ErrorCode, description: &str) -> Response {
    let (trace_id, span_id) = fresh_ids();
    Rejected { error: ApiError::new(code, description), trace_id, span_id }.into_response()
}

/// Trace and span ids in the form of W3C Trace Context.
fn fresh_ids() -> (String, String) {
    let (trace, span) = (uuid::Uuid::new_v4(), uuid::Uuid::new_v4());
    (trace.simple().to_string(), span.simple().to_string().get(..16).unwrap_or_default().to_owned())
}

async fn serve(row: Row, services: Arc<Services>, request: Request) -> Response {
    let started = Instant::now();
    let (trace_id, span_id) = fresh_ids();
    let outcome =
        tokio::time::timeout(TIMEOUT, AssertUnwindSafe(answer(&row, services, request, &trace_id)).catch_unwind());
    let mut response = match outcome.await {
        Ok(Ok(Ok(response))) => response,
        Ok(Ok(Err(error))) => Rejected { error, trace_id: trace_id.clone(), span_id }.into_response(),
        Ok(Err(_)) => {
            tracing::error!(operation = row.id, trace_id, "handler panicked");
            let error = ApiError::new(ErrorCode::Unknown, "an internal fault; report the trace id");
            Rejected { error, trace_id: trace_id.clone(), span_id }.into_response()
        }
        Err(_) => {
            let error = ApiError::new(ErrorCode::Downstream, "the operation took too long; try again later");
            Rejected { error, trace_id: trace_id.clone(), span_id }.into_response()
        }
    };
    if let Ok(value) = HeaderValue::from_str(&trace_id) {
        response.headers_mut().insert("x-trace-id", value);
    }
    response.headers_mut().insert("cache-control", HeaderValue::from_static("no-store"));
    observe(&row, response.status(), &trace_id, started);
    response
}

fn observe(row: &Row, status: StatusCode, trace_id: &str, started: Instant) {
    let elapsed = started.elapsed();
    metrics::counter!("umbra_rest_requests_total", "operation" => row.id, "status" => status.as_str().to_owned())
        .increment(1);
    metrics::histogram!("umbra_rest_seconds", "operation" => row.id).record(elapsed.as_secs_f64());
    let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
    tracing::debug!(operation = row.id, status = status.as_u16(), trace_id, micros, "request answered");
}

async fn answer(row: &Row, services: Arc<Services>, request: Request, trace_id: &str) -> Result<Response, ApiError> {
    let (mut parts, body) = request.into_parts();
    let actor = match row.access {
        Access::Anonymous => Actor::Anonymous,
        Access::Authenticated | Access::Entity(_) => authenticate(&parts, &services)?,
    };
    let scope = scope(&mut parts, &actor, &services).await?;
    if !row.access.allows(&actor) {
        let key = row.access.permission_key(row.effect).unwrap_or_default();
        return Err(ApiError::new(ErrorCode::NotAllowed, format!("this needs the right {key}")));
    }
    let address = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip());
    let body = to_bytes(body, BODY_MAX)
        .await
        .map_err(|_| ApiError::new(ErrorCode::TooLarge, format!("a body has at most {BODY_MAX} bytes")))?;
    let ctx = Ctx {
        services,
        actor,
        scope,
        address: address.unwrap_or(IpAddr::from([0, 0, 0, 0])),
        operation: row.id,
        target: parts.uri.path().trim_start_matches(BASE_PATH).to_owned(),
        trace_id: trace_id.to_owned(),
    };
    (row.run)(ctx, Call { parts, body }).await
}

fn authenticate(parts: &Parts, services: &Services) -> Result<Actor, ApiError> {
    let missing =
        || ApiError::new(ErrorCode::NoToken, "send the token of /authentication/login as Authorization: Bearer");
    let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).ok_or_else(missing)?;
    let (scheme, token) = header.split_once(' ').ok_or_else(missing)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(missing());
    }
    Ok(Actor::User(Box::new(services.tokens.verify(token.trim())?)))
}

/// The tenant of the path. Another tenant's is not there for a caller who belongs to one.
async fn scope(parts: &mut Parts, actor: &Actor, services: &Services) -> Result<Scope, ApiError> {
    let own = match actor {
        Actor::Anonymous => return Ok(Scope::Global),
        Actor::User(claims) => claims.tenant,
    };
    let params = RawPathParams::from_request_parts(parts, &()).await.map_err(|_| ApiError::not_found("entity"))?;
    let stated = params.iter().find(|(name, _)| *name == "tenantId").map(|(_, value)| value.parse::<i64>());
    match (stated, own) {
        (None, Some(own)) => Ok(Scope::Tenant(own)),
        (None, None) => Ok(Scope::Global),
        (Some(Ok(stated)), Some(own)) if stated == own => Ok(Scope::Tenant(own)),
        (Some(Ok(stated)), None) if services.store.tenant_exists(stated).await? => Ok(Scope::Tenant(stated)),
        (Some(_), _) => Err(ApiError::not_found("tenant")),
    }
}
