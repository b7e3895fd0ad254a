//! From rows to routes: token, permission and tenant are judged here, for every operation alike.

use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use admin_store::Scope;
use axum::Router;
use axum::body::to_bytes;
use axum::extract::{ConnectInfo, FromRequestParts, RawPathParams, Request};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, LINK};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter};
use futures::FutureExt;

use super::access::Access;
use super::document::models;
use super::row::{Call, Row};
use super::trace::TraceIds;
use crate::BASE_PATH;
use crate::ctx::{Actor, Ctx, User};
use crate::error::{ApiError, ErrorCode, Rejected};
use crate::idempotency::{IdempotencyKey, REPLAYED, replay, request_hash};
use crate::paging::next_link;
use crate::permission::{Permissions, Right};
use crate::services::Services;
use crate::validation::Model;

/// Bytes of a body at most.
const BODY_MAX: usize = 1 << 20;

/// From the head of a request to its answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Routes of all rows, under the base path. A path or method that no row has gets an error of the common form.
pub fn router(rows: &[Row], services: Arc<Services>) -> Router {
    let mut paths: std::collections::BTreeMap<String, MethodRouter> = std::collections::BTreeMap::new();
    for (row, model) in rows.iter().zip(models(rows)) {
        let Ok(filter) = MethodFilter::try_from(row.method.clone()) else { continue };
        let (served, services) = (row.clone(), Arc::clone(&services));
        let handler = move |request: Request| serve(served.clone(), model.clone(), Arc::clone(&services), request);
        let methods = paths.entry(format!("{BASE_PATH}{}", row.path)).or_default();
        *methods = std::mem::take(methods).on(filter, handler);
    }
    let wrong_method = |headers: HeaderMap| async move {
        reject(&headers, ErrorCode::WrongMethod, "this path has no such method; see /openapi.json")
    };
    let routed = paths
        .into_iter()
        .fold(Router::new(), |router, (path, methods)| router.route(&path, methods.fallback(wrong_method)));
    routed.fallback(|headers: HeaderMap| async move {
        reject(&headers, ErrorCode::NoOperation, "no such operation; see /openapi.json")
    })
}

fn reject(headers: &HeaderMap, code: ErrorCode, description: &str) -> Response {
    refuse(&TraceIds::of(headers), ApiError::new(code, description))
}

fn refuse(ids: &TraceIds, error: ApiError) -> Response {
    let rejected = Rejected { error, trace_id: ids.trace.clone(), span_id: ids.span.clone() };
    let mut response = rejected.into_response();
    ids.write(response.headers_mut());
    response
}

async fn serve(row: Row, model: Option<Arc<Model>>, services: Arc<Services>, request: Request) -> Response {
    let started = Instant::now();
    let ids = TraceIds::of(request.headers());
    let answering = AssertUnwindSafe(answer(&row, model, services, request, &ids.trace)).catch_unwind();
    let mut response = match tokio::time::timeout(TIMEOUT, answering).await {
        Ok(Ok(Ok(response))) => response,
        Ok(Ok(Err(error))) => refuse(&ids, error),
        Ok(Err(_)) => {
            tracing::error!(operation = row.id, trace_id = ids.trace, "handler panicked");
            refuse(&ids, ApiError::new(ErrorCode::Unknown, "an internal fault; report the trace id"))
        }
        Err(_) => {
            let text =
                "the operation took too long, and may have happened all the same; ask again under its Idempotency-Key";
            refuse(&ids, ApiError::new(ErrorCode::Downstream, text))
        }
    };
    ids.write(response.headers_mut());
    response.headers_mut().insert("cache-control", HeaderValue::from_static("no-store"));
    observe(&row, response.status(), &ids.trace, started);
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

async fn answer(
    row: &Row,
    model: Option<Arc<Model>>,
    services: Arc<Services>,
    request: Request,
    trace_id: &str,
) -> Result<Response, ApiError> {
    let (mut parts, body) = request.into_parts();
    let address = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip());
    let address = address.unwrap_or(IpAddr::from([0, 0, 0, 0]));
    let actor = match row.access {
        Access::Anonymous => Ok(Actor::Anonymous),
        Access::Authenticated | Access::Entity(_) | Access::Platform(_) | Access::InHandler(_) => {
            authenticate(&parts, &services).await
        }
    };
    services.rates.count(actor.as_ref().ok().and_then(Actor::user).map(|user| user.row.id), address)?;
    let actor = actor?;
    let params = path_params(&mut parts).await?;
    let scope = scope(&params, &actor, &services).await?;
    permit(row, &params, &actor, scope, &services).await?;
    let body = to_bytes(body, BODY_MAX)
        .await
        .map_err(|_| ApiError::new(ErrorCode::TooLarge, format!("a body has at most {BODY_MAX} bytes")))?;
    let request_hash = request_hash(&services.data_keys, &row.method, parts.uri.path(), &body);
    let ctx = Ctx {
        services,
        actor,
        scope,
        address,
        operation: row.id,
        target: parts.uri.path().trim_start_matches(BASE_PATH).to_owned(),
        trace_id: trace_id.to_owned(),
        idempotency: if row.is_change() { IdempotencyKey::of(&parts.headers)? } else { None },
        request_hash,
        next: Arc::new(OnceLock::new()),
    };
    run(row, ctx, Call { parts, body, model }).await
}

/// Runs the handler, or gives the answer of the first time.
async fn run(row: &Row, ctx: Ctx, call: Call) -> Result<Response, ApiError> {
    if let Some(answer) = first_answer(&ctx).await? {
        return Ok(answer);
    }
    let uri = call.parts.uri.clone();
    match (row.run)(ctx.clone(), call).await {
        Ok(mut response) => {
            if let Some(place) = ctx.next.get()
                && let Ok(link) = HeaderValue::from_str(&next_link(uri.path(), uri.query(), *place))
            {
                response.headers_mut().insert(LINK, link);
            }
            Ok(response)
        }
        // Both came at once, and the other was faster: what this one wanted to be unique is taken by its own double.
        Err(error) if matches!(error.code, ErrorCode::KeyBusy | ErrorCode::Taken | ErrorCode::StaleVersion) => {
            first_answer(&ctx).await?.ok_or(error)
        }
        Err(error) => Err(error),
    }
}

async fn first_answer(ctx: &Ctx) -> Result<Option<Response>, ApiError> {
    let Some(key) = &ctx.idempotency else { return Ok(None) };
    let Some(remembered) = ctx.store().remembered(ctx.actor.name(), &key.0).await? else { return Ok(None) };
    let answer = replay(remembered, &ctx.request_hash)?;
    let mut response = if answer == "null" {
        StatusCode::NO_CONTENT.into_response()
    } else {
        ([(CONTENT_TYPE, "application/json")], answer).into_response()
    };
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(Some(response))
}

/// A token that verifies, of a session that is open.
async fn authenticate(parts: &Parts, services: &Services) -> Result<Actor, ApiError> {
    let missing =
        || ApiError::new(ErrorCode::NoToken, "send the token of /authentication/login as Authorization: Bearer");
    let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).ok_or_else(missing)?;
    let (scheme, token) = header.split_once(' ').ok_or_else(missing)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(missing());
    }
    let claims = services.tokens.verify(token.trim())?;
    let row = services.store.session_user(&claims.sess).await?.filter(|row| row.id == claims.uid);
    let row = row.ok_or_else(|| ApiError::new(ErrorCode::NoToken, "the session has ended; log in again"))?;
    Ok(Actor::User(Box::new(User { claims, row })))
}

type Params = Vec<(String, String)>;

async fn path_params(parts: &mut Parts) -> Result<Params, ApiError> {
    let params = RawPathParams::from_request_parts(parts, &()).await.map_err(|_| ApiError::not_found("entity"))?;
    Ok(params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

/// A number of the path, where it has one of that name.
fn number(params: &Params, name: &str) -> Option<Result<i64, std::num::ParseIntError>> {
    params.iter().find(|(known, _)| known == name).map(|(_, value)| value.parse())
}

/// The tenant of the path. Another tenant's is not there for a caller who belongs to one.
async fn scope(params: &Params, actor: &Actor, services: &Services) -> Result<Scope, ApiError> {
    let Some(user) = actor.user() else { return Ok(Scope::Global) };
    let own = match (user.row.tenant_id, user.row.institution_id) {
        (Some(tenant), _) => Scope::Tenant(tenant),
        (None, Some(institution)) => Scope::Institution(institution),
        (None, None) => Scope::Global,
    };
    match number(params, "tenantId") {
        None => Ok(own),
        Some(Ok(stated)) if services.store.tenant(own, stated).await?.is_some() => Ok(Scope::Tenant(stated)),
        Some(_) => Err(ApiError::not_found("tenant")),
    }
}

/// Whether the caller has the row's right, also for the kind of wallet that the path is about.
async fn permit(row: &Row, params: &Params, actor: &Actor, scope: Scope, services: &Services) -> Result<(), ApiError> {
    let Some(entity) = row.access.entity() else { return Ok(()) };
    if matches!(row.access, Access::InHandler(_)) {
        return Ok(());
    }
    let store = &services.store;
    let of_tenant = actor.user().is_some_and(|user| user.row.tenant_id.is_some());
    let wallet_type = match (number(params, "walletId"), number(params, "cardId")) {
        (Some(Ok(wallet)), _) => store.wallet(scope, wallet).await?.map(|wallet| wallet.wallet_type_id),
        (_, Some(Ok(card))) => store.card(scope, card).await?.map(|card| card.wallet_type_id),
        _ => None,
    };
    let wallet_type = match wallet_type {
        Some(id) => store.wallet_type_for_rights(scope, id).await?,
        None => None,
    };
    let right = Right { entity, verb: row.effect.permission(), wallet_type: wallet_type.as_ref() };
    let key = right.key();
    let permissions = Permissions { store, keys: &services.data_keys };
    let refused = matches!(row.access, Access::Platform(_)) && of_tenant;
    if !refused && permissions.allow(actor, scope, right).await? {
        return Ok(());
    }
    Err(ApiError::new(ErrorCode::NotAllowed, format!("this needs the right {key}")))
}
