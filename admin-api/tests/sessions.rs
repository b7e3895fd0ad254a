//! Log-ins and their tokens: how they begin, go on and end.

mod world;

use admin_core::{Claims, TokenKeys};
use admin_store::{DataKeys, UserRow, sql};
use axum::http::StatusCode;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde_json::{Value, json};
use world::stage::{ADMIN_USERS, RENEW, SERVER_TIME, Stage, stage};
use world::{CLERK, PASSWORD, PLATFORM, World, unique, world};
use zeroize::Zeroizing;

impl Stage {
    async fn renew(&self, token: &str) -> (StatusCode, Value) {
        self.world.call("POST", &self.path(RENEW), Some(token), None).await
    }

    /// A token that serves nowhere, neither to call nor to be renewed.
    async fn assert_is_refused(&self, token: &str, what: &str) {
        assert_eq!(self.status(token).await, StatusCode::UNAUTHORIZED, "{what}");
        assert_eq!(self.renew(token).await.0, StatusCode::UNAUTHORIZED, "{what}, to renew");
        let bare = token.split_once(' ').map_or(token, |(_, bare)| bare);
        let (status, _) = self.world.call("POST", &self.path(RENEW), None, Some(json!({"jwt": bare}))).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{what}, to renew from the body");
    }

    /// An admin user made through the API: the path of him, and the tokens of two log-ins.
    async fn colleague(&self) -> (String, [String; 2]) {
        let identity = format!("colleague-{}", unique());
        let wanted =
            json!({"identity": identity, "lastName": "Lovelace", "phone1": "27110000000", "password": PASSWORD});
        let made = self.done("POST", &self.path(ADMIN_USERS), &self.admin, wanted).await;
        let path = format!("{}/{}", self.path(ADMIN_USERS), made["adminUserId"]);
        let tokens = [self.world.log_in(&identity).await, self.world.log_in(&identity).await];
        for token in &tokens {
            assert_eq!(self.status(token).await, StatusCode::OK);
        }
        (path, tokens)
    }
}

#[tokio::test]
async fn log_out_ends_the_token_at_once() {
    let stage = stage().await;
    let other_place = stage.world.log_in(CLERK).await;
    let renewed = stage.renew(&stage.clerk).await.1["headerValue"].as_str().unwrap().to_owned();
    stage.done("POST", &stage.path("/authentication/logout"), &stage.clerk, json!({})).await;
    stage.assert_is_refused(&stage.clerk, "logged out").await;
    stage.assert_is_refused(&renewed, "another token of the session").await;
    assert_eq!(stage.status(&other_place).await, StatusCode::OK, "his other log-in goes on");
}

#[tokio::test]
async fn who_is_removed_is_out_at_once() {
    let stage = stage().await;
    let (path, tokens) = stage.colleague().await;
    stage.done("DELETE", &path, &stage.admin, json!({})).await;
    for token in &tokens {
        stage.assert_is_refused(token, "removed").await;
    }
}

/// His log-ins end; they do not merely rest until he is let in again, for who stole one would be in again too.
#[tokio::test]
async fn who_is_deactivated_is_out_for_good() {
    let stage = stage().await;
    for status in ["INACTIVE", "BLOCKED"] {
        let (path, tokens) = stage.colleague().await;
        stage.done("PUT", &path, &stage.admin, json!({"status": status})).await;
        for token in &tokens {
            stage.assert_is_refused(token, status).await;
        }
        let active = stage.done("PUT", &path, &stage.admin, json!({"status": "ACTIVE"})).await;
        for token in &tokens {
            stage.assert_is_refused(token, "let in again").await;
        }
        stage.world.log_in(active["identity"].as_str().unwrap()).await;
    }
}

#[tokio::test]
async fn who_is_deactivated_cannot_log_in() {
    let stage = stage().await;
    let (path, _) = stage.colleague().await;
    let after = stage.done("PUT", &path, &stage.admin, json!({"status": "BLOCKED"})).await;
    let login = json!({"identity": after["identity"], "password": PASSWORD});
    let (status, answer) = stage.world.call("POST", &stage.path("/authentication/login"), None, Some(login)).await;
    assert_eq!((status, &answer[0]["code"]), (StatusCode::UNAUTHORIZED, &json!("USR002")));
}

#[tokio::test]
async fn a_new_password_ends_every_log_in_and_another_change_none() {
    let stage = stage().await;
    let (path, tokens) = stage.colleague().await;
    stage.done("PUT", &path, &stage.admin, json!({"email": "ada@example.org", "status": "ACTIVE"})).await;
    for token in &tokens {
        assert_eq!(stage.status(token).await, StatusCode::OK);
    }
    stage.done("PUT", &path, &stage.admin, json!({"password": "quite another one"})).await;
    for token in &tokens {
        stage.assert_is_refused(token, "new password").await;
    }
}

#[tokio::test]
async fn a_renewed_token_is_of_the_same_session_and_works() {
    let stage = stage().await;
    let login = json!({"identity": CLERK, "password": PASSWORD});
    let (_, first) = stage.world.call("POST", &stage.path("/authentication/login"), None, Some(login)).await;
    let token = first["headerValue"].as_str().unwrap();
    // Times in tokens are whole seconds.
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let bare = json!({"jwt": token.strip_prefix("Bearer ").unwrap()});
    let by_body = stage.world.call("POST", &stage.path(RENEW), None, Some(bare)).await;
    for (status, renewed) in [stage.renew(token).await, by_body] {
        assert_eq!(status, StatusCode::OK, "{renewed}");
        assert_eq!(renewed["sessionId"], first["sessionId"]);
        assert!(renewed["expiresEpochSecs"].as_i64() > first["expiresEpochSecs"].as_i64(), "{renewed}");
        assert_ne!(renewed["headerValue"], first["headerValue"]);
        assert_eq!(stage.status(renewed["headerValue"].as_str().unwrap()).await, StatusCode::OK);
    }
    assert_eq!(stage.status(token).await, StatusCode::OK, "the first one until its own end");
}

// Tokens.

/// The world's own keys, as they are after a restart.
async fn token_keys(world: &World) -> TokenKeys {
    let key = |byte| Zeroizing::new([byte; 32]);
    let keys = DataKeys { pan_cipher: key(1), pan_lookup: key(2), token_seal: key(3) };
    TokenKeys::open(&world.store, &keys).await.unwrap()
}

fn now_s() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

/// Claims of a user with a session that is open for long, so that nothing but the token can be wrong.
async fn claims_with_session(world: &World, now: i64) -> (UserRow, Claims) {
    let user = world.store.user(PLATFORM).await.unwrap().unwrap();
    let claims = Claims::new(&user, now);
    world.store.open_session(&user, &claims.sess, (now_s() + 100_000) * 1_000).await.unwrap();
    (user, claims)
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

#[tokio::test]
async fn an_expired_token_is_refused_though_its_session_is_open() {
    let stage = stage().await;
    let keys = token_keys(&stage.world).await;
    let (_, mut claims) = claims_with_session(&stage.world, now_s() - 1_000).await;
    assert!(claims.exp < now_s());
    let expired = bearer(&keys.sign(&claims).unwrap().0);
    stage.assert_is_refused(&expired, "expired").await;
    let (_, answer) = stage.world.call("GET", &stage.path(SERVER_TIME), Some(&expired), None).await;
    assert_eq!(answer[0]["code"], "ARCH014");
    claims.exp = now_s() + 100;
    assert_eq!(stage.status(&bearer(&keys.sign(&claims).unwrap().0)).await, StatusCode::OK, "by the time alone");
}

#[tokio::test]
async fn a_token_without_its_session_is_refused() {
    let stage = stage().await;
    let (_, claims) = claims_with_session(&stage.world, now_s()).await;
    let token = bearer(&token_keys(&stage.world).await.sign(&claims).unwrap().0);
    assert_eq!(stage.status(&token).await, StatusCode::OK);
    let mut change = stage.world.store.begin().await.unwrap();
    let gone = sql("DELETE FROM sessions WHERE id = $1").bind(&claims.sess).run(&mut change).await.unwrap();
    stage.world.store.commit(change).await.unwrap();
    assert_eq!(gone, 1);
    stage.assert_is_refused(&token, "no session").await;
}

/// A session is one user's: a token that names another's is not his.
#[tokio::test]
async fn a_token_for_the_session_of_another_is_refused() {
    let stage = stage().await;
    let (_, claims) = claims_with_session(&stage.world, now_s()).await;
    let clerk = stage.world.store.user(CLERK).await.unwrap().unwrap();
    let claims = Claims { uid: clerk.id, sub: clerk.identity, ..claims };
    let token = bearer(&token_keys(&stage.world).await.sign(&claims).unwrap().0);
    stage.assert_is_refused(&token, "another's session").await;
}

/// Everything about these is right but who has signed them.
#[tokio::test]
async fn forged_tokens_are_refused() {
    let (stage, elsewhere) = (stage().await, world().await);
    let keys = token_keys(&stage.world).await;
    let (_, claims) = claims_with_session(&stage.world, now_s()).await;
    let right = keys.sign(&claims).unwrap().0;
    assert_eq!(stage.status(&bearer(&right)).await, StatusCode::OK);
    let [head, said, signature] = right.split('.').collect::<Vec<_>>()[..] else { panic!("no JWT: {right}") };

    let foreign = token_keys(&elsewhere).await.sign(&claims).unwrap().0;
    stage.assert_is_refused(&bearer(&foreign), "signed with another key").await;
    let [_, _, foreign_signature] = foreign.split('.').collect::<Vec<_>>()[..] else { panic!() };
    stage.assert_is_refused(&bearer(&format!("{head}.{said}.{foreign_signature}")), "another key, our key id").await;

    // {"alg":"none","typ":"JWT"}
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
    for unsigned in [format!("{none}.{said}."), format!("{none}.{said}.{signature}"), format!("{head}.{said}.")] {
        stage.assert_is_refused(&bearer(&unsigned), "unsigned").await;
    }

    let clerk = stage.clerk.strip_prefix("Bearer ").unwrap();
    let [_, _, clerk_signature] = clerk.split('.').collect::<Vec<_>>()[..] else { panic!() };
    stage.assert_is_refused(&bearer(&format!("{head}.{said}.{clerk_signature}")), "the clerk's signature").await;
}

/// The published key is no secret, so it must not serve as one.
#[tokio::test]
async fn a_token_signed_with_the_public_key_as_a_secret_is_refused() {
    let stage = stage().await;
    let keys = token_keys(&stage.world).await;
    let (_, claims) = claims_with_session(&stage.world, now_s()).await;
    for algorithm in [Algorithm::HS256, Algorithm::HS512] {
        let header = Header { kid: Some(keys.public().kid.clone()), ..Header::new(algorithm) };
        for secret in [EncodingKey::from_secret(keys.public().n.as_bytes()), base64_secret(&keys.public().n)] {
            let forged = jsonwebtoken::encode(&header, &claims, &secret).unwrap();
            stage.assert_is_refused(&bearer(&forged), "symmetric").await;
        }
    }
}

/// The bytes behind a base64url text.
fn base64_secret(text: &str) -> EncodingKey {
    let padded = format!("{}{}", text, "=".repeat((4 - text.len() % 4) % 4));
    EncodingKey::from_base64_secret(&padded.replace('-', "+").replace('_', "/")).unwrap()
}

/// Others can check our tokens with nothing but what is published.
#[tokio::test]
async fn a_token_verifies_under_the_published_key() {
    let stage = stage().await;
    let (status, set) = stage.world.call("GET", &stage.path("/authentication/jwks"), None, None).await;
    assert_eq!(status, StatusCode::OK);
    let [key] = &set["keys"].as_array().unwrap()[..] else { panic!("not one key: {set}") };
    for private in ["d", "p", "q", "dp", "dq", "qi"] {
        assert!(key.get(private).is_none(), "{private} is published");
    }
    let token = stage.clerk.strip_prefix("Bearer ").unwrap();
    let header = jsonwebtoken::decode_header(token).unwrap();
    assert_eq!((header.alg, header.kid.as_deref()), (Algorithm::PS256, key["kid"].as_str()));
    let public = DecodingKey::from_rsa_components(key["n"].as_str().unwrap(), key["e"].as_str().unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::PS256);
    validation.set_issuer(&["umbra"]);
    let claims = jsonwebtoken::decode::<Value>(token, &public, &validation).unwrap().claims;
    let clerk = stage.world.store.user(CLERK).await.unwrap().unwrap();
    assert_eq!((&claims["sub"], &claims["uid"]), (&json!(CLERK), &json!(clerk.id)));
    assert_eq!((&claims["tenant"], &claims["pos"][0]["p"]), (&json!(stage.world.own), &json!("LEVEL_01")));
    assert!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap() <= 900, "short-lived: {claims}");
    let cut = token.rsplit_once('.').unwrap().0;
    let of_admin = stage.admin.rsplit_once('.').unwrap().1;
    assert!(jsonwebtoken::decode::<Value>(format!("{cut}.{of_admin}"), &public, &validation).is_err());
}
