//! A REST client of the demo tenant's administrator.

use parties::DemoFile;
use serde_json::{Value, json};

pub struct Rest {
    client: reqwest::Client,
    base: String,
    admin: String,
    token: String,
}

impl Rest {
    /// Logs in with the tenant's administrator of `demo.json`.
    pub async fn log_in(demo: &DemoFile) -> Self {
        let client = reqwest::Client::new();
        let body = json!({"identity": demo.admin.identity, "password": demo.admin.password});
        let answer = client
            .post(format!("{}/authentication/login", demo.base_url))
            .body(body.to_string())
            .send()
            .await
            .expect("the admin listener answers");
        assert!(answer.status().is_success(), "log-in: {}", answer.status());
        let answer: Value = answer.json().await.expect("log-in answers JSON");
        let token = answer["headerValue"].as_str().expect("log-in gives a token").to_owned();
        let admin = format!("http://{}", demo.listeners["admin"]);
        Self { client, base: format!("{}/tenants/{}", demo.base_url, demo.tenant_id), admin, token }
    }

    /// GET below the tenant's path.
    pub async fn get(&self, path: &str) -> Value {
        let request = self.client.get(format!("{}{path}", self.base)).header("authorization", &self.token);
        let answer = request.send().await.expect("the admin listener answers");
        assert!(answer.status().is_success(), "GET {path}: {}", answer.status());
        answer.json().await.expect("an answer is JSON")
    }

    /// PUT below the tenant's path.
    pub async fn put(&self, path: &str, body: &Value) -> Value {
        let request = self.client.put(format!("{}{path}", self.base)).header("authorization", &self.token);
        let answer = request.body(body.to_string()).send().await.expect("the admin listener answers");
        assert!(answer.status().is_success(), "PUT {path}: {}", answer.status());
        answer.json().await.expect("an answer is JSON")
    }

    /// Any request below the tenant's path: status and answer, or nothing where the connection broke.
    pub async fn try_call(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Option<(u16, Value)> {
        let method = method.parse().expect("a method");
        let mut request =
            self.client.request(method, format!("{}{path}", self.base)).header("authorization", &self.token);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.body(body.to_string());
        }
        let answer = request.send().await.ok()?;
        let status = answer.status().as_u16();
        let text = answer.text().await.ok()?;
        Some((status, serde_json::from_str(&text).unwrap_or(Value::Null)))
    }

    /// POST below the tenant's path.
    pub async fn post(&self, path: &str, body: &Value) -> Value {
        let (status, answer) = self.try_call("POST", path, &[], Some(body)).await.expect("the admin listener answers");
        assert!((200..300).contains(&status), "POST {path}: {status} {answer}");
        answer
    }

    /// Any page of the admin listener, with its status, whatever that is.
    pub async fn page(&self, path: &str) -> (u16, String) {
        let request = self.client.get(format!("{}{path}", self.admin)).header("authorization", &self.token);
        let answer = request.send().await.expect("the admin listener answers");
        (answer.status().as_u16(), answer.text().await.expect("a page is text"))
    }
}
