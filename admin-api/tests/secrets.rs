//! Passwords and secret settings are told nowhere.

mod world;

use admin_store::{Page, sql};
use serde_json::{Value, json};
use world::stage::{ADMIN_USERS, CONFIG_ITEMS, Stage, stage};
use world::unique;

/// Everything that was answered, to be searched.
#[derive(Default)]
struct Heard(Vec<String>);

impl Heard {
    async fn call(&mut self, stage: &Stage, method: &str, path: &str, body: Value) -> Value {
        let key = format!("key-{}", unique());
        let headers = [("idempotency-key", key.as_str())];
        let answer = stage.world.call_with(method, path, Some(&stage.admin), &headers, Some(body)).await;
        self.0.push(format!("{method} {path}: {:?} {}", answer.headers, answer.body));
        answer.body
    }
}

/// Audit records and remembered answers as they stand in the database.
async fn written(stage: &Stage) -> Vec<String> {
    let records = stage.world.store.audit(Page::first(1_000_000)).await.unwrap();
    let remembered = sql("SELECT request, answer FROM idempotency_keys");
    let remembered = remembered.all::<(String, String)>(stage.world.store.pool()).await.unwrap();
    let records = records.into_iter().map(|record| format!("{record:?}"));
    records.chain(remembered.into_iter().map(|(request, answer)| format!("{request} {answer}"))).collect()
}

fn assert_tells_none(texts: &[String], secrets: &[&str]) {
    for text in texts {
        for secret in secrets {
            assert!(!text.contains(secret), "{secret:?} stands in {text}");
        }
    }
}

#[tokio::test]
async fn passwords_are_told_nowhere() {
    const FIRST: &str = "Correct-Horse-1";
    const SECOND: &str = "Battery-Staple-2";
    let too_long = format!("Staple-{}", "x".repeat(100));
    let (stage, mut heard) = (stage().await, Heard::default());
    let (users, login) = (stage.path(ADMIN_USERS), stage.path("/authentication/login"));
    let wanted = |password: &Value| {
        let (identity, phone) = ("horse-rider", "27110000000");
        json!({"identity": identity, "lastName": "Lovelace", "phone1": phone, "password": password})
    };
    for wrong in [json!(too_long), json!({"value": FIRST}), json!([FIRST])] {
        let answer = heard.call(&stage, "POST", &users, wanted(&wrong)).await;
        assert_eq!(answer[0]["code"], "VAL001", "{answer}");
    }
    let made = heard.call(&stage, "POST", &users, wanted(&json!(FIRST))).await;
    let one = format!("{users}/{}", made["adminUserId"]);
    heard.call(&stage, "POST", &users, wanted(&json!(FIRST))).await;
    heard.call(&stage, "PUT", &one, json!({"password": SECOND, "version": 99})).await;
    let changed = heard.call(&stage, "PUT", &one, json!({"password": SECOND})).await;
    assert_eq!(changed["version"], 1, "{changed}");
    for password in [FIRST, SECOND] {
        heard.call(&stage, "POST", &login, json!({"identity": "horse-rider", "password": password})).await;
    }
    heard.call(&stage, "POST", &login, json!({"identity": ["horse-rider"], "password": SECOND})).await;
    heard.call(&stage, "GET", &users, Value::Null).await;
    heard.call(&stage, "DELETE", &one, json!({})).await;

    let written = written(&stage).await;
    for operation in ["createAdminUser", "updateAdminUser", "deleteAdminUser"] {
        assert!(written.iter().any(|text| text.contains(operation)), "{operation} has left no record");
    }
    for texts in [&heard.0, &written] {
        assert_tells_none(texts, &[FIRST, SECOND, "Staple-xxx", "$argon2", "password_hash", "passwordHash"]);
    }
}

/// Neither in clear nor as it is stored.
#[tokio::test]
async fn secret_settings_are_told_nowhere() {
    const FIRST: &str = "hmac-key-of-the-tenant";
    const SECOND: &str = "another-key-of-the-tenant";
    let (stage, mut heard) = (stage().await, Heard::default());
    let items = stage.path(CONFIG_ITEMS);
    let secret = |value: &str| json!({"key": "HMACKey", "value": format!("Encrypt:{value}")});
    let made = heard.call(&stage, "POST", &items, secret(FIRST)).await;
    assert_eq!((&made["value"], &made["secret"]), (&json!("********"), &json!(true)));
    let one = format!("{items}/{}", made["configItemId"]);
    let stored_first = stored_value(&stage, "HMACKey").await;
    heard.call(&stage, "POST", &items, secret(FIRST)).await;
    heard.call(&stage, "PUT", &one, json!({"value": format!("Encrypt:{SECOND}"), "version": 99})).await;
    heard.call(&stage, "PUT", &one, json!({"value": format!("Encrypt:{SECOND}")})).await;
    let stored_second = stored_value(&stage, "HMACKey").await;
    heard.call(&stage, "PUT", &one, json!({"value": "********", "description": "kept"})).await;
    assert_eq!(stored_value(&stage, "HMACKey").await, stored_second, "the mask is no value");
    for bulk in [json!([secret(FIRST)]), json!([secret(FIRST), secret(SECOND)]), json!(secret(FIRST))] {
        heard.call(&stage, "POST", &format!("{items}/bulk"), bulk).await;
    }
    let too_long = json!({"key": "HMACKey2", "value": format!("Encrypt:{}", FIRST.repeat(1_000))});
    assert_eq!(heard.call(&stage, "POST", &items, too_long).await[0]["code"], "VAL001");
    for path in [&items, &one, &format!("{items}?key=HMACKey")] {
        heard.call(&stage, "GET", path, Value::Null).await;
    }
    heard.call(&stage, "DELETE", &one, json!({})).await;

    let written = written(&stage).await;
    assert!(written.iter().filter(|text| text.contains("********")).count() >= 4, "{written:?}");
    let told = [FIRST, SECOND, &stored_first, &stored_second];
    for texts in [&heard.0, &written, &vec![stored_first.clone(), stored_second.clone()]] {
        assert_tells_none(texts, &[FIRST, SECOND, "Encrypt:"]);
    }
    for texts in [&heard.0, &written] {
        assert_tells_none(texts, &told);
    }
}

async fn stored_value(stage: &Stage, key: &str) -> String {
    let found = stage.world.store.settings(Some(stage.world.own), key).await.unwrap();
    let row = found.into_iter().next().unwrap();
    assert!(row.secret && row.value.len() > 16, "{key} is not stored as a secret");
    row.value
}
