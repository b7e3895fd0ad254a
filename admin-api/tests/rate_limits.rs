//! How many requests a caller may make.

mod world;

use admin_core::RateLimits;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use std::net::SocketAddr;
use tower::ServiceExt;
use world::stage::{CUSTOMERS, SERVER_TIME};
use world::{ADMIN, CLERK, PASSWORD, World, world_with};

fn assert_is_limited(status: StatusCode, answer: &Value) {
    assert_eq!((status, &answer[0]["code"]), (StatusCode::TOO_MANY_REQUESTS, &json!("RLT001")), "{answer}");
    let said = answer[0]["description"].as_str().unwrap();
    assert!(said.contains("wait") && said.contains("window"), "{said}");
}

/// A call from an address.
async fn call_from(world: &World, last: u8, path: &str, token: Option<&str>, body: Value) -> (StatusCode, Value) {
    let method = if body.is_null() { "GET" } else { "POST" };
    let mut request = Request::builder().method(method).uri(world.path(path, world.own));
    if let Some(token) = token {
        request = request.header("authorization", token);
    }
    let address = SocketAddr::from(([10, 0, 0, last], 4_000));
    let request = request.extension(ConnectInfo(address)).body(Body::from(body.to_string())).unwrap();
    let answer = world.router.clone().oneshot(request).await.unwrap();
    let status = answer.status();
    let bytes = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap())
}

/// However many tokens he has, and wherever he calls from.
#[tokio::test]
async fn a_user_has_so_many_requests() {
    let world = world_with(RateLimits { user: 3, anonymous: 1_000 }).await;
    let (clerk, again) = (world.log_in(CLERK).await, world.log_in(CLERK).await);
    let admin = world.log_in(ADMIN).await;
    // What is refused for another reason is a request too.
    for (path, expected) in [(SERVER_TIME, 200), (CUSTOMERS, 403), (SERVER_TIME, 200)] {
        let (status, answer) = call_from(&world, 1, path, Some(&clerk), Value::Null).await;
        assert_eq!(status.as_u16(), expected, "{answer}");
    }
    for (address, token) in [(1, &clerk), (2, &clerk), (1, &again)] {
        let (status, answer) = call_from(&world, address, SERVER_TIME, Some(token), Value::Null).await;
        assert_is_limited(status, &answer);
    }
    for _ in 0..3 {
        let (status, answer) = call_from(&world, 1, CUSTOMERS, Some(&admin), Value::Null).await;
        assert_eq!(status, StatusCode::OK, "another user from the same address: {answer}");
    }
    world.log_in(CLERK).await;
}

/// Guesses of passwords and of tokens count alike; people who are logged in at the same address are not hit.
#[tokio::test]
async fn an_address_has_so_many_requests_without_a_token() {
    let world = world_with(RateLimits { user: 1_000, anonymous: 3 }).await;
    let admin = world.log_in(ADMIN).await;
    let login = |password: &str| json!({"identity": CLERK, "password": password});
    for (path, token, body) in [
        ("/authentication/login", None, login("wrong password")),
        (SERVER_TIME, Some("Bearer no.such.token"), Value::Null),
        (SERVER_TIME, None, Value::Null),
    ] {
        let (status, answer) = call_from(&world, 1, path, token, body).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{answer}");
    }
    for (path, token, body) in [
        ("/authentication/login", None, login(PASSWORD)),
        ("/authentication/jwks", None, Value::Null),
        (SERVER_TIME, Some("Bearer no.such.token"), Value::Null),
    ] {
        let (status, answer) = call_from(&world, 1, path, token, body).await;
        assert_is_limited(status, &answer);
    }
    let (status, answer) = call_from(&world, 2, "/authentication/login", None, login(PASSWORD)).await;
    assert_eq!(status, StatusCode::OK, "another address: {answer}");
    let (status, answer) = call_from(&world, 1, CUSTOMERS, Some(&admin), Value::Null).await;
    assert_eq!(status, StatusCode::OK, "who is logged in: {answer}");
}
