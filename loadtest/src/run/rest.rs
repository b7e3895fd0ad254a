//! A client of the daemon's REST API and metrics.

use std::time::Duration;

use anyhow::{Context, bail};
use parties::{Credentials, DemoFile};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::scrape::Scrape;
use super::truth::Statement;

/// Before asking again when the administrator has asked too often in this minute.
const RATE_LIMIT_PAUSE: Duration = Duration::from_secs(1);

/// One log-in.
#[derive(Clone)]
pub struct Rest {
    client: reqwest::Client,
    /// The tenant's path.
    base: String,
    admin: String,
    token: String,
}

impl Rest {
    pub async fn log_in(demo: &DemoFile, who: &Credentials) -> anyhow::Result<Self> {
        let client = http_client()?;
        let body = json!({"identity": who.identity, "password": who.password}).to_string();
        let answer = client.post(format!("{}/authentication/login", demo.base_url)).body(body).send().await?;
        if !answer.status().is_success() {
            bail!("the log-in at the REST API is answered {}", answer.status());
        }
        let answer: Value = answer.json().await?;
        let token = answer.get("headerValue").and_then(Value::as_str).context("the log-in gives no token")?.to_owned();
        let admin = demo.listeners.get("admin").context("the daemon has no admin listener")?;
        let base = format!("{}/tenants/{}", demo.base_url, demo.tenant_id);
        Ok(Self { client, base, admin: format!("http://{admin}"), token })
    }

    /// The same log-in, with a connection of its own.
    pub fn on_another_connection(&self) -> anyhow::Result<Self> {
        Ok(Self { client: http_client()?, ..self.clone() })
    }

    pub fn take_token_of(&mut self, other: &Self) {
        self.token.clone_from(&other.token);
    }

    pub fn token(&self) -> &str {
        &self.token
    }

    pub fn client(&self) -> &reqwest::Client {
        &self.client
    }

    /// Address of a path below the tenant's.
    pub fn address(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub async fn metrics(&self) -> anyhow::Result<Scrape> {
        let answer = self.client.get(format!("{}/metrics", self.admin)).send().await?;
        Ok(Scrape::parse(&answer.text().await?))
    }

    /// Below the base path of all tenants.
    pub async fn get_public(&self, demo: &DemoFile, path: &str) -> anyhow::Result<Value> {
        Ok(self.client.get(format!("{}{path}", demo.base_url)).send().await?.error_for_status()?.json().await?)
    }

    /// Creates something below the tenant's path.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let request = self.client.post(self.address(path)).header("authorization", &self.token).body(body.to_string());
        let answer = request.send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        if !status.is_success() {
            bail!("POST {path} is answered {status}: {text}");
        }
        Ok(serde_json::from_str(&text)?)
    }

    /// All entries of a wallet's statement, part by part.
    pub async fn statement(&self, wallet: i64) -> anyhow::Result<Statement> {
        let mut statement = Statement { balances_follow: true, ..Statement::default() };
        // Newest first: the balance before an entry is the one after the next.
        let mut before = None;
        let mut next = Some(self.address(&format!("/wallets/{wallet}/transactions?limit=1000")));
        while let Some(address) = next {
            let answer = self.client.get(&address).header("authorization", &self.token).send().await?;
            if answer.status() == StatusCode::TOO_MANY_REQUESTS {
                tokio::time::sleep(RATE_LIMIT_PAUSE).await;
                next = Some(address);
                continue;
            }
            let answer = answer.error_for_status().context("a statement cannot be read")?;
            next = answer.headers().get("link").and_then(|link| self.next_part(link.to_str().ok()?));
            for entry in serde_json::from_slice::<Vec<Entry>>(&answer.bytes().await?)? {
                statement.entries += 1;
                let (amount, balance) = (entry.amount.minor()?, entry.balance.minor()?);
                statement.balances_follow &= before.is_none_or(|before| before == balance);
                if before.replace(balance - amount).is_none() {
                    statement.balance = balance;
                }
                statement.sum += amount;
                statement.first = Some((entry.transaction_id, amount));
            }
        }
        statement.balances_follow &= before.is_none_or(|before| before == 0);
        Ok(statement)
    }

    /// `<path?query>; rel="next"` as an address.
    fn next_part(&self, link: &str) -> Option<String> {
        let (path, relation) = link.strip_prefix('<')?.split_once('>')?;
        relation.contains("next").then(|| format!("{}{path}", self.admin))
    }
}

/// Its connections are its own.
fn http_client() -> anyhow::Result<reqwest::Client> {
    Ok(reqwest::Client::builder().timeout(Duration::from_secs(30)).build()?)
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    transaction_id: u64,
    amount: Major,
    balance: Major,
}

/// An amount in major units with two decimals, read digit by digit.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Major(Box<serde_json::value::RawValue>);

impl Major {
    fn minor(&self) -> anyhow::Result<i64> {
        minor(self.0.get()).with_context(|| format!("{} is no amount with two decimals", self.0.get()))
    }
}

/// `-12.50` to -1250; fewer decimals are filled up.
fn minor(text: &str) -> Option<i64> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 2 || !whole.ends_with(|last: char| last.is_ascii_digit()) {
        return None;
    }
    format!("{whole}{decimals:0<2}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_digit_by_digit() {
        for (text, cents) in [("12.50", 1250), ("-0.05", -5), ("7", 700), ("100000000.1", 10_000_000_010)] {
            assert_eq!(minor(text), Some(cents), "{text}");
        }
        for text in ["1.234", "", "x", "1e3"] {
            assert_eq!(minor(text), None, "{text}");
        }
    }
}
