//! What must hold for every operation, by iterating the rows; then what single operations do.

mod world;

use std::collections::{BTreeMap, BTreeSet};

use admin_core::{Access, Effect, Row};
use axum::http::StatusCode;
use serde_json::{Value, json};
use world::{ADMIN, CLERK, PAN, PASSWORD, PLATFORM, STRANGER, World, world};

/// A body that the operation accepts.
fn body(row: &Row) -> Option<Value> {
    match row.id {
        "login" => Some(json!({"identity": ADMIN, "password": PASSWORD})),
        "updateCard" => Some(json!({"cardHolderName": "C D"})),
        _ => None,
    }
}

async fn status(world: &World, row: &Row, tenant: i64, token: Option<&str>) -> (StatusCode, Value) {
    world.call(row.method.as_str(), &world.path(row.path, tenant), token, body(row)).await
}

fn assert_is_error(answer: &Value, what: &str) {
    let items = answer.as_array().unwrap_or_else(|| panic!("{what}: {answer}"));
    for key in ["code", "description", "severity", "type", "traceId", "spanId"] {
        assert!(items[0][key].as_str().is_some_and(|text| !text.is_empty()), "{what} lacks {key}: {answer}");
    }
}

#[tokio::test]
async fn nobody_wrong_tenant_wrong_role_right_role() {
    let world = world().await;
    let admin = world.log_in(ADMIN).await;
    let clerk = world.log_in(CLERK).await;
    let stranger = world.log_in(STRANGER).await;
    let platform = world.log_in(PLATFORM).await;
    for row in admin_api::rows() {
        let anonymous = row.access == Access::Anonymous;
        let in_tenant = row.path.contains("{tenantId}");
        let expect = |wanted: bool, code: u16| if wanted { code } else { 200 };
        for (who, token, tenant, expected) in [
            ("nobody", None, world.own, expect(!anonymous, 401)),
            ("a forged token", Some("Bearer eyJhbGciOiJub25lIn0.e30."), world.own, expect(!anonymous, 401)),
            ("another tenant's administrator", Some(&*stranger), world.own, expect(in_tenant, 404)),
            ("the own tenant's administrator elsewhere", Some(&*admin), world.other, expect(in_tenant, 404)),
            ("a tenant that does not exist", Some(&*platform), 999, expect(in_tenant, 404)),
            ("a clerk", Some(&*clerk), world.own, expect(matches!(row.access, Access::Entity(_)), 403)),
            ("the administrator", Some(&*admin), world.own, 200),
            ("the platform's administrator", Some(&*platform), world.own, 200),
        ] {
            let (status, answer) = status(&world, &row, tenant, token).await;
            let what = format!("{} by {who}", row.id);
            assert_eq!(status.as_u16(), expected, "{what}: {answer}");
            if expected != 200 {
                assert_is_error(&answer, &what);
            }
            assert!(!answer.to_string().contains(PAN), "{what} shows a card number");
        }
    }
}

#[tokio::test]
async fn an_entity_of_another_tenant_answers_as_a_missing_one() {
    let world = world().await;
    let stranger = world.log_in(STRANGER).await;
    let rows = admin_api::rows();
    let reads_one = |row: &&Row| row.effect == Effect::Read && row.path.contains("{tenantId}");
    for row in rows.iter().filter(reads_one) {
        let (foreign, answer) = status(&world, row, world.other, Some(&stranger)).await;
        assert_eq!((foreign, &answer[0]["code"]), (StatusCode::NOT_FOUND, &json!("ARCH086")), "{}", row.id);
    }
}

#[test]
fn rows_are_unique_and_documented() {
    let rows = admin_api::rows();
    let ids: BTreeSet<&str> = rows.iter().map(|row| row.id).collect();
    assert_eq!(ids.len(), rows.len(), "an id stands twice");
    let document: Value = serde_json::from_str(&admin_api::document().to_json().unwrap()).unwrap();
    let mut seen = BTreeMap::new();
    for row in &rows {
        let path = format!("{}{}", admin_core::BASE_PATH, row.path);
        let operation = &document["paths"][&path][row.method.as_str().to_lowercase()];
        assert_eq!(operation["operationId"], row.id, "{path}");
        assert_eq!(operation["summary"], row.summary);
        // Every parameter of the path is described.
        let named: BTreeSet<&str> = row.path.split(['{', '}']).skip(1).step_by(2).collect();
        let described: BTreeSet<&str> = operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|parameter| parameter["in"] == "path")
            .filter_map(|parameter| parameter["name"].as_str())
            .collect();
        assert_eq!(named, described, "{}", row.id);
        assert!(seen.insert((row.method.clone().to_string(), row.path), row.id).is_none());
    }
    // Everything referred to is there.
    let text = document.to_string();
    for reference in text.split("#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(!document["components"]["schemas"][name].is_null(), "{name} is referred to but not described");
    }
}

#[tokio::test]
async fn what_does_not_exist_is_told_in_the_common_form() {
    let world = world().await;
    let (status, answer) = world.call("GET", "/eclipse-conductor/rest/v1/nonsense", None, None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_is_error(&answer, "unknown path");
    let (status, answer) = world.call("DELETE", &world.path("/authentication/login", 0), None, None).await;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
    assert_is_error(&answer, "unknown method");
    let (status, document) = world.call("GET", "/openapi.json", None, None).await;
    assert!(status.is_success() && document["openapi"].as_str().unwrap().starts_with("3."));
    let (status, _) = world.call("GET", "/docs/", None, None).await;
    assert!(status.is_success());
}

#[tokio::test]
async fn log_in_says_little_and_locks() {
    let world = world().await;
    let path = world.path("/authentication/login", 0);
    let attempt = |identity: &'static str, password: &'static str| {
        world.call("POST", &path, None, Some(json!({"identity": identity, "password": password})))
    };
    let (unknown, told_unknown) = attempt("no such person", PASSWORD).await;
    let (wrong, told_wrong) = attempt(CLERK, "wrong password").await;
    assert_eq!((unknown, wrong), (StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED));
    assert_eq!(told_unknown[0]["description"], told_wrong[0]["description"]);
    assert_eq!(told_wrong[0]["code"], "USR002");
    assert!(!told_wrong.to_string().contains("wrong password"));
    world.log_in(CLERK).await;
    for _ in 0..10 {
        assert_eq!(attempt(CLERK, "wrong password").await.0, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(attempt(CLERK, PASSWORD).await.0, StatusCode::UNAUTHORIZED, "locked");
    world.log_in(ADMIN).await;
}

#[tokio::test]
async fn bodies_and_parameters_are_checked() {
    let world = world().await;
    let admin = world.log_in(ADMIN).await;
    let login = world.path("/authentication/login", 0);
    let (status, answer) = world.call("POST", &login, None, Some(json!({"identity": ADMIN}))).await;
    assert_eq!((status, &answer[0]["code"]), (StatusCode::BAD_REQUEST, &json!("VAL001")), "{answer}");
    let (status, answer) = world.call("POST", &login, None, Some(json!({"identity": 5, "password": PASSWORD}))).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let described = answer[0]["description"].as_str().unwrap();
    assert!(described.contains("Login.identity") && !described.contains(PASSWORD), "{described}");
    let (status, answer) = world.call("POST", &login, None, None).await;
    assert_eq!((status, &answer[0]["code"]), (StatusCode::BAD_REQUEST, &json!("JPE001")));
    let list = world.path("/tenants/{tenantId}/wallets/{walletId}/transactions", world.own);
    for query in ["limit=0", "limit=1001", "offset=-1", "limit=x", "dateFromIncl=yesterday"] {
        let (status, answer) = world.call("GET", &format!("{list}?{query}"), Some(&admin), None).await;
        assert_eq!((status, &answer[0]["code"]), (StatusCode::BAD_REQUEST, &json!("IAE002")), "{query}: {answer}");
    }
    let odd = world.path("/tenants/{tenantId}/wallets/x", world.own);
    assert_eq!(world.call("GET", &odd, Some(&admin), None).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_wallet_shows_the_ledger_s_numbers_and_its_statement() {
    let world = world().await;
    let admin = world.log_in(ADMIN).await;
    for amount in [-1_250, -1, 500] {
        world::pay(&world.ledger, world.account, amount).await;
    }
    let path = world.path("/tenants/{tenantId}/wallets/{walletId}", world.own);
    let (_, wallet) = world.call("GET", &path, Some(&admin), None).await;
    assert_eq!(wallet["currentBalance"].to_string(), "92.49");
    assert_eq!(wallet["availableBalance"].to_string(), "92.49");
    assert_eq!(wallet["currency"], "ZAR");
    let (_, list) = world.call("GET", &format!("{path}/transactions"), Some(&admin), None).await;
    let amounts: Vec<String> = list.as_array().unwrap().iter().map(|entry| entry["amount"].to_string()).collect();
    assert_eq!(amounts, ["5.00", "-0.01", "-12.50", "100.00"]);
    assert_eq!(list[0]["balance"].to_string(), "92.49");
    let (_, part) = world.call("GET", &format!("{path}/transactions?offset=1&limit=2"), Some(&admin), None).await;
    assert_eq!(part.as_array().unwrap()[..], list.as_array().unwrap()[1..3]);
    let projected = world.store.projected_balances().await.unwrap();
    let own = projected.iter().find(|(account, ..)| *account == i64::try_from(world.account).unwrap());
    assert_eq!(own, Some(&(i64::try_from(world.account).unwrap(), 9_249, 0)));
}

#[tokio::test]
async fn a_card_is_blocked_once_with_a_record() {
    let world = world().await;
    let admin = world.log_in(ADMIN).await;
    let path = world.path("/tenants/{tenantId}/cards/{cardId}", world.own);
    let (_, card) = world.call("GET", &path, Some(&admin), None).await;
    assert_eq!((&card["pan"], &card["status"]), (&json!("999900******0018"), &json!("ACTIVE")));
    let position = world.store.load_directory().await.unwrap().1;
    let block = json!({"status": "BLOCKED", "reason": "LOST", "version": card["version"]});
    let (status, after) = world.call("PUT", &path, Some(&admin), Some(block.clone())).await;
    assert_eq!((status, &after["status"]), (StatusCode::OK, &json!("BLOCKED")), "{after}");
    let (status, _) = world.call("PUT", &path, Some(&admin), Some(block)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "the version has moved on");
    let (changes, _) = world.store.directory_changes(position, 10).await.unwrap();
    assert!(
        matches!(&changes[..], [directory::Change::Card(card)] if card.status == directory::CardStatus::Blocked),
        "{changes:?}"
    );
}
