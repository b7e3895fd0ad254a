//! What must hold for every operation, by iterating the rows.

mod world;

use std::collections::{BTreeMap, BTreeSet};

use admin_core::{Access, Effect, Row};
use admin_store::Page;
use axum::http::StatusCode;
use serde_json::{Value, json};
use world::{ADMIN, CLERK, INSTITUTION, MAKERS, PAN, PLATFORM, STRANGER, World, body, unique, world};

fn assert_is_error(answer: &Value, what: &str) {
    let items = answer.as_array().unwrap_or_else(|| panic!("{what}: {answer}"));
    for key in ["code", "description", "severity", "type", "traceId", "spanId"] {
        assert!(items[0][key].as_str().is_some_and(|text| !text.is_empty()), "{what} lacks {key}: {answer}");
    }
}

/// A body for a row, where it is not one of those that only make sense in a story of their own.
fn has_story_of_its_own(row: &Row) -> bool {
    matches!(row.id, "createReversal" | "renew" | "logout")
}

/// Rows that are called as they stand.
fn plain_rows() -> Vec<Row> {
    admin_api::rows().into_iter().filter(|row| !has_story_of_its_own(row)).collect()
}

/// Calls a row on something fresh. `maker`: the token that makes it.
async fn call(world: &World, row: &Row, tenant: i64, maker: &str, token: Option<&str>) -> (StatusCode, Value) {
    let ids = world.fresh_for(&admin_api::rows(), row, maker).await;
    let path = world.path_with(row.path, tenant, &ids);
    world.call(row.method.as_str(), &path, token, body(world, row)).await
}

#[tokio::test]
async fn nobody_wrong_tenant_wrong_role_right_role() {
    let world = world().await;
    let admin = world.log_in(ADMIN).await;
    let clerk = world.log_in(CLERK).await;
    let stranger = world.log_in(STRANGER).await;
    let platform = world.log_in(PLATFORM).await;
    let institution = world.log_in(INSTITUTION).await;
    for row in plain_rows() {
        let anonymous = row.access == Access::Anonymous;
        let in_tenant = row.path.contains("{tenantId}");
        let guarded = row.access.entity().is_some();
        let of_platform = matches!(row.access, Access::Platform(_));
        let expect = |wanted: bool, code: u16| if wanted { code } else { 200 };
        for (who, token, tenant, expected) in [
            ("nobody", None, world.own, expect(!anonymous, 401)),
            ("a forged token", Some("Bearer eyJhbGciOiJub25lIn0.e30."), world.own, expect(!anonymous, 401)),
            (
                "another tenant's administrator",
                Some(&*stranger),
                world.own,
                if of_platform { 403 } else { expect(in_tenant, 404) },
            ),
            (
                "the own tenant's administrator elsewhere",
                Some(&*admin),
                world.other,
                if of_platform { 403 } else { expect(in_tenant, 404) },
            ),
            ("an institution's administrator elsewhere", Some(&*institution), world.other, expect(in_tenant, 404)),
            ("a tenant that does not exist", Some(&*platform), 999, expect(in_tenant, 404)),
            ("a clerk", Some(&*clerk), world.own, expect(guarded, 403)),
            ("the administrator", Some(&*admin), world.own, expect(of_platform, 403)),
            ("the institution's administrator", Some(&*institution), world.own, 200),
            ("the platform's administrator", Some(&*platform), world.own, 200),
        ] {
            let (status, answer) = call(&world, &row, tenant, &admin, token).await;
            let what = format!("{} by {who}", row.id);
            let status = if status == StatusCode::NO_CONTENT { 200 } else { status.as_u16() };
            // A customer who is looked for by nothing is found; a transfer by an institution's person is one too.
            assert_eq!(status, expected, "{what}: {answer}");
            if expected != 200 && row.method != "HEAD" {
                assert_is_error(&answer, &what);
            }
            assert!(!answer.to_string().contains(PAN), "{what} shows a card number");
        }
    }
}

#[tokio::test]
async fn an_entity_of_another_tenant_answers_as_a_missing_one() {
    let world = world().await;
    let (admin, stranger) = (world.log_in(ADMIN).await, world.log_in(STRANGER).await);
    let about_one = |row: &&Row| MAKERS.iter().any(|(name, _)| row.path.contains(&format!("{{{name}}}")));
    let rows = plain_rows();
    assert!(rows.iter().filter(about_one).count() > 20);
    for row in rows.iter().filter(about_one) {
        let (status, answer) = call(&world, row, world.other, &admin, Some(&stranger)).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{}: {answer}", row.id);
        assert_eq!(answer[0]["code"], "ARCH086", "{}", row.id);
    }
}

async fn audit_records(world: &World) -> usize {
    world.store.audit(Page::first(1_000_000)).await.unwrap().len()
}

#[tokio::test]
async fn every_change_leaves_one_audit_record_and_every_read_none() {
    let world = world().await;
    let admin = world.log_in(PLATFORM).await;
    for row in plain_rows().into_iter().filter(|row| row.access != Access::Anonymous) {
        let ids = world.fresh_for(&admin_api::rows(), &row, &admin).await;
        let path = world.path_with(row.path, world.own, &ids);
        let before = audit_records(&world).await;
        let (status, answer) = world.call(row.method.as_str(), &path, Some(&admin), body(&world, &row)).await;
        assert!(status.is_success(), "{}: {answer}", row.id);
        let changes = !matches!(row.effect, Effect::Read | Effect::List);
        assert_eq!(audit_records(&world).await - before, usize::from(changes), "{}", row.id);
        if !changes {
            continue;
        }
        let record = world.store.audit(Page::first(1_000_000)).await.unwrap().pop().unwrap();
        assert_eq!((record.operation.as_str(), record.actor.as_str()), (row.id, PLATFORM));
        assert!(path.ends_with(&record.target) && !record.trace_id.is_empty() && !record.address.is_empty());
        // What was refused leaves none.
        let (status, _) = world
            .call(row.method.as_str(), &world.path_with(row.path, 999, &ids), Some(&admin), body(&world, &row))
            .await;
        let refused = usize::from(status.is_success());
        assert_eq!(audit_records(&world).await - before - 1, refused, "{}", row.id);
    }
}

/// Creates, with what they need.
fn creates() -> Vec<Row> {
    plain_rows().into_iter().filter(|row| row.effect == Effect::Create).collect()
}

#[tokio::test]
async fn an_external_unique_id_is_taken_once() {
    let world = world().await;
    let admin = world.log_in(PLATFORM).await;
    let mut seen = 0;
    for row in creates() {
        let Some(first) = body(&world, &row).filter(|body| body.get("externalUniqueId").is_some()) else { continue };
        seen += 1;
        let path = world.path(row.path, world.own);
        let (status, answer) = world.call("POST", &path, Some(&admin), Some(first.clone())).await;
        assert_eq!(status, StatusCode::OK, "{}: {answer}", row.id);
        let (status, answer) = world.call("POST", &path, Some(&admin), Some(first)).await;
        assert_eq!((status, &answer[0]["code"]), (StatusCode::BAD_REQUEST, &json!("VAL001")), "{}: {answer}", row.id);
        assert!(answer[0]["description"].as_str().unwrap().contains("externalUniqueId"), "{answer}");
    }
    assert!(seen >= 6, "only {seen} creates with externalUniqueId");
}

#[tokio::test]
async fn the_same_idempotency_key_gives_the_same_answer() {
    let world = world().await;
    let admin = world.log_in(PLATFORM).await;
    for row in creates() {
        let (first, path) = (body(&world, &row), world.path(row.path, world.own));
        let key = format!("key-{}", unique());
        let headers = [("idempotency-key", key.as_str())];
        let made = world.call_with("POST", &path, Some(&admin), &headers, first.clone()).await;
        assert_eq!(made.status, StatusCode::OK, "{}: {}", row.id, made.body);
        assert!(made.headers.get("idempotency-replayed").is_none());
        let records = audit_records(&world).await;
        let again = world.call_with("POST", &path, Some(&admin), &headers, first.clone()).await;
        assert_eq!((again.status, &again.body), (StatusCode::OK, &made.body), "{}", row.id);
        assert_eq!(again.headers["idempotency-replayed"], "true");
        assert_eq!(audit_records(&world).await, records, "{}: replayed, not done", row.id);
        let other = world.call_with("POST", &path, Some(&admin), &headers, body(&world, &row)).await;
        assert_eq!(other.status, StatusCode::BAD_REQUEST, "{}: another body under the key", row.id);
        // Another caller's key of the same name is another key.
        let institution = world.log_in(INSTITUTION).await;
        let own = world.call_with("POST", &path, Some(&institution), &headers, body(&world, &row)).await;
        assert_eq!(own.status, StatusCode::OK, "{}: {}", row.id, own.body);
        assert!(own.headers.get("idempotency-replayed").is_none());
    }
}

#[tokio::test]
async fn ten_at_once_under_one_key_are_one() {
    let world = std::sync::Arc::new(world().await);
    let admin = world.log_in(ADMIN).await;
    for row in creates().into_iter().filter(|row| row.access != Access::Platform("Tenant")) {
        let (wanted, path) = (body(&world, &row), world.path(row.path, world.own));
        let key = format!("key-{}", unique());
        let calls = (0..10).map(|_| {
            let (world, admin, wanted, path, key) =
                (world.clone(), admin.clone(), wanted.clone(), path.clone(), key.clone());
            tokio::spawn(async move {
                // Who comes while the first is in work is told to try again.
                loop {
                    let headers = [("idempotency-key", key.as_str())];
                    let answer = world.call_with("POST", &path, Some(&admin), &headers, wanted.clone()).await;
                    if answer.status != StatusCode::SERVICE_UNAVAILABLE {
                        return answer;
                    }
                }
            })
        });
        let mut answers = BTreeSet::new();
        for call in calls.collect::<Vec<_>>() {
            let answer = call.await.unwrap();
            assert_eq!(answer.status, StatusCode::OK, "{}: {}", row.id, answer.body);
            answers.insert(answer.body.to_string());
        }
        assert_eq!(answers.len(), 1, "{}: {answers:?}", row.id);
    }
}

#[tokio::test]
async fn every_update_refuses_a_stale_version() {
    let world = world().await;
    let admin = world.log_in(ADMIN).await;
    let rows = plain_rows();
    for row in rows.iter().filter(|row| row.effect == Effect::Update) {
        let ids = world.fresh_for(&rows, row, &admin).await;
        let path = world.path_with(row.path, world.own, &ids);
        let with = |version: i64| {
            let mut body = body(&world, row).unwrap();
            body["version"] = json!(version);
            body
        };
        let (status, first) = world.call("PUT", &path, Some(&admin), body(&world, row)).await;
        assert_eq!(status, StatusCode::OK, "{}: {first}", row.id);
        let version = first["version"].as_i64().unwrap_or_else(|| panic!("{} shows no version", row.id));
        let (status, answer) = world.call("PUT", &path, Some(&admin), Some(with(version - 1))).await;
        assert_eq!((status, &answer[0]["code"]), (StatusCode::BAD_REQUEST, &json!("VAL001")), "{}: {answer}", row.id);
        let (status, answer) = world.call("PUT", &path, Some(&admin), Some(with(version))).await;
        assert_eq!((status, &answer["version"]), (StatusCode::OK, &json!(version + 1)), "{}: {answer}", row.id);
    }
}

/// Every list, read in parts by its cursor while others add to it.
#[tokio::test]
async fn cursors_page_to_the_end_without_loss_or_repetition() {
    let world = world().await;
    let admin = world.log_in(PLATFORM).await;
    let rows = plain_rows();
    for row in rows.iter().filter(|row| row.effect == Effect::List) {
        let path = world.path(row.path, world.own);
        // What adds to this list: the create of the same path, else one that stands elsewhere.
        let own = rows.iter().find(|create| create.path == row.path && create.effect == Effect::Create);
        let elsewhere = match row.id {
            "listWallets" => "createCustomerWallet",
            "listCards" | "listCustomerCards" => "issueCard",
            "listTerminals" => "enrollTerminal",
            "listWalletTransactions" => "createTransfer",
            _ => "",
        };
        let create = own
            .or_else(|| rows.iter().find(|create| create.id == elsewhere))
            .unwrap_or_else(|| panic!("nothing adds to {}", row.id));
        let add = async || {
            let (status, answer) =
                world.call("POST", &world.path(create.path, world.own), Some(&admin), body(&world, create)).await;
            assert_eq!(status, StatusCode::OK, "{}: {answer}", create.id);
        };
        for _ in 0..5 {
            add().await;
        }
        let (_, all) = world.call("GET", &path, Some(&admin), None).await;
        let all: Vec<String> = all.as_array().unwrap().iter().map(identity).collect();
        assert!(all.len() >= 5, "{}: {} entries", row.id, all.len());
        let (mut next, mut seen) = (Some(format!("{path}?limit=2")), Vec::new());
        while let Some(part) = next {
            let answer = world.call_with("GET", &part, Some(&admin), &[], None).await;
            assert_eq!(answer.status, StatusCode::OK, "{}: {}", row.id, answer.body);
            seen.extend(answer.body.as_array().unwrap().iter().map(identity));
            if seen.len() < 6 {
                add().await;
            }
            next = answer.headers.get("link").map(|link| {
                let link = link.to_str().unwrap();
                assert!(link.ends_with("; rel=\"next\""), "{link}");
                link[1..link.find('>').unwrap()].to_owned()
            });
        }
        let distinct: BTreeSet<&String> = seen.iter().collect();
        assert_eq!(distinct.len(), seen.len(), "{}: repetition", row.id);
        assert!(all.iter().all(|entry| distinct.contains(entry)), "{}: loss", row.id);
        let (status, answer) = world.call("GET", &format!("{path}?cursor=nonsense"), Some(&admin), None).await;
        assert_eq!((status, &answer[0]["code"]), (StatusCode::BAD_REQUEST, &json!("IAE002")), "{}", row.id);
    }
}

/// What tells an entry apart: the id that it is listed by.
fn identity(entry: &Value) -> String {
    let names =
        ["transactionId", "reservationId", "cardId", "terminalId", "terminalTypeId", "configItemId", "adminUserId"];
    let names = names.iter().chain(&["walletId", "walletTypeId", "customerId", "tenantId"]);
    let found = names.filter_map(|name| entry[*name].as_i64().map(|id| format!("{name} {id}"))).next();
    found.unwrap_or_else(|| panic!("no id in {entry}"))
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
