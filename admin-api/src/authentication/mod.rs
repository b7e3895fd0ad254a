//! Log-in.

mod model;

use admin_core::{Access, ApiError, Body, Claims, Ctx, Effect, ErrorCode, Row, UnixMillis, check_password};
use axum::http::Method;
use ledger::{Clock, SystemClock};

use model::{Login, LoginAnswer};

pub fn rows() -> Vec<Row> {
    vec![Row::new(
        "login",
        Method::POST,
        "/authentication/login",
        Access::Anonymous,
        Effect::Action,
        "Log in with identity and password and receive a token",
        login,
    )]
}

/// Wrong passwords in a row after which a user is locked, and for how long (PCI DSS 8.3.4).
const ATTEMPTS_MAX: i64 = 10;
const LOCKED_MS: i64 = 30 * 60 * 1000;

async fn login(ctx: Ctx, Body(body): Body<Login>) -> Result<LoginAnswer, ApiError> {
    body.check()?;
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
    match user.filter(|_| right.unwrap_or(false)) {
        Some(user) => {
            ctx.store().forgive_logins(user.id).await?;
            let claims = Claims::new(&user, now / 1000);
            let token = ctx.tokens().sign(&claims)?;
            Ok(LoginAnswer {
                header_name: "Authorization".into(),
                header_value: format!("Bearer {}", token.0),
                session_id: claims.sess,
                tenant_id: claims.tenant,
                expires: UnixMillis(claims.exp * 1000),
                expires_epoch_secs: claims.exp,
                roles: claims.roles.split(',').filter(|role| !role.is_empty()).map(str::to_owned).collect(),
            })
        }
        // One answer for a wrong identity, a wrong password and a locked user.
        None => Err(ApiError::new(
            ErrorCode::BadLogin,
            format!("wrong identity or password, or locked: after {ATTEMPTS_MAX} failures wait 30 minutes"),
        )),
    }
}
