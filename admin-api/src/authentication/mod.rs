//! Log-in, renewal, log-out, and the keys that tokens are checked with.

mod model;

use admin_core::{Access, ApiError, Body, Claims, Ctx, Effect, ErrorCode, Header, Row, check_password};
use axum::http::Method;
use ledger::{Clock, SystemClock};

use model::{Authorization, KeySet, Login, LoginAnswer, Renewal};

pub fn rows() -> Vec<Row> {
    vec![
        Row::new(
            "login",
            Method::POST,
            "/authentication/login",
            Access::Anonymous,
            Effect::Action,
            "Log in with identity and password and receive a token",
            login,
        ),
        Row::new(
            "renew",
            Method::POST,
            "/authentication/renew",
            Access::Anonymous,
            Effect::Action,
            "Swap a still valid token for a fresh one",
            renew,
        ),
        Row::new(
            "logout",
            Method::POST,
            "/authentication/logout",
            Access::Authenticated,
            Effect::Action,
            "End the session behind the token",
            logout,
        ),
        Row::new(
            "getTokenKeys",
            Method::GET,
            "/authentication/jwks",
            Access::Anonymous,
            Effect::Read,
            "Public keys by which tokens can be checked (JSON Web Key Set)",
            token_keys,
        ),
    ]
}

/// Wrong passwords in a row after which a user is locked, and for how long (PCI DSS 8.3.4).
const ATTEMPTS_MAX: i64 = 10;
const LOCKED_MS: i64 = 30 * 60 * 1000;

async fn login(ctx: Ctx, Body(body): Body<Login>) -> Result<LoginAnswer, ApiError> {
    let now = i64::try_from(SystemClock.now()).unwrap_or(i64::MAX);
    let user = ctx.store().user(&body.identity).await?;
    let may_try = match &user {
        // Taken before the password is looked at: parallel guesses cannot outrun the limit.
        Some(user) => ctx.store().take_login_attempt(user.id, ATTEMPTS_MAX, now, now + LOCKED_MS).await?,
        None => true,
    };
    let hash = user.as_ref().map(|user| user.password_hash.clone()).filter(|_| may_try);
    let password = body.password;
    let right = tokio::task::spawn_blocking(move || check_password(&password.0, hash.as_deref())).await;
    match user.filter(|user| right.unwrap_or(false) && user.status == "ACTIVE") {
        Some(user) => {
            let claims = Claims::new(&user, now / 1000);
            ctx.store().open_session(&user, &claims.sess, claims.exp * 1000).await?;
            LoginAnswer::new(claims, ctx.tokens())
        }
        // One answer for a wrong identity, a wrong password and a locked user.
        None => Err(ApiError::new(
            ErrorCode::BadLogin,
            format!("wrong identity or password, or locked: after {ATTEMPTS_MAX} failures wait 30 minutes"),
        )),
    }
}

/// The token comes in the body or in the header.
async fn renew(
    ctx: Ctx,
    Header(header): Header<Authorization>,
    Body(body): Body<Renewal>,
) -> Result<LoginAnswer, ApiError> {
    let missing =
        || ApiError::new(ErrorCode::NoToken, "send the token as Authorization: Bearer, or as jwt in the body");
    let token = body.jwt.map(|token| token.0).or(header.0).ok_or_else(missing)?;
    let old = ctx.tokens().verify(&token)?;
    let user = ctx.store().session_user(&old.sess).await?.filter(|user| user.id == old.uid);
    let over = || ApiError::new(ErrorCode::NoToken, "the session has ended; log in again");
    let now = i64::try_from(SystemClock.now()).unwrap_or(i64::MAX);
    let claims = Claims::of_session(&user.ok_or_else(over)?, &old.sess, now / 1000);
    if !ctx.store().extend_session(&claims.sess, claims.exp * 1000).await? {
        return Err(over());
    }
    LoginAnswer::new(claims, ctx.tokens())
}

async fn logout(ctx: Ctx) -> Result<(), ApiError> {
    let Some(user) = ctx.actor().user() else { return Ok(()) };
    let session = user.claims.sess.clone();
    let mut change = ctx.begin().await?;
    ctx.store().close_session(change.transaction(), &session).await?;
    change.done(&()).await
}

async fn token_keys(ctx: Ctx) -> Result<KeySet, ApiError> {
    Ok(KeySet { keys: vec![ctx.tokens().public().clone()] })
}
