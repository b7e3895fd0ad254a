//! Load on REST: clients that transfer money between wallets, each with a log-in and a connection of its own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use parties::{Credentials, DemoFile};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use super::lane::{Finish, Record};
use super::rest::Rest;
use super::target::Target;

/// A transfer that was asked for, and the answer.
#[derive(Clone, Debug)]
pub struct Transfer {
    /// Unique; also the description, by which it is found in the journal.
    pub name: String,
    pub from: i64,
    pub to: i64,
    /// Cents.
    pub amount: i64,
    /// Sequence in the journal, or the status that refused it; `None` when no answer came.
    pub told: Option<Result<u64, u16>>,
}

/// One REST client, with a connection of its own.
pub struct Client {
    rest: Rest,
    number: usize,
    asked: u64,
    random: StdRng,
    wallets: Arc<Vec<i64>>,
}

/// A transfer ready to be sent.
pub struct PreparedTransfer {
    pub transfer: Transfer,
    request: reqwest::Request,
}

/// The people whose log-ins the clients use. A user has a rate limit, so there are several; a token has an end, so they
/// log in again in long runs.
pub struct Users {
    who: Vec<Credentials>,
    logged_in: Instant,
}

impl Users {
    const COUNT_MAX: usize = 8;
    /// Well below the life of a token.
    const LOG_IN_AGAIN: Duration = Duration::from_secs(600);

    /// Makes as many as so many clients need, and the clients.
    pub async fn make(
        target: &Target,
        count: usize,
        wallets: Vec<i64>,
        seed: u64,
    ) -> anyhow::Result<(Self, Vec<Client>)> {
        let admin = Rest::log_in(&target.demo, &target.demo.admin).await?;
        let mut who = Vec::new();
        for number in 0..count.min(Self::COUNT_MAX) {
            let user = Credentials { identity: format!("load-{number}"), password: format!("load-{seed}-{number}") };
            let body = json!({
                "identity": user.identity, "password": user.password, "lastName": "Load", "phone1": "27000000000",
                "positions": ["TENANT_SYSTEM"],
            });
            admin.post("/admin-users", &body).await.context("a user for the load cannot be made")?;
            who.push(user);
        }
        let users = Self { who, logged_in: Instant::now() };
        let wallets = Arc::new(wallets);
        let mut clients = Vec::with_capacity(count);
        let logged_in = users.log_in(&target.demo).await?;
        for (number, rest) in (0..count).zip(logged_in.iter().cycle()) {
            let random = StdRng::seed_from_u64(seed.wrapping_add(number as u64));
            let rest = rest.on_another_connection()?;
            clients.push(Client { rest, number, asked: 0, random, wallets: Arc::clone(&wallets) });
        }
        Ok((users, clients))
    }

    async fn log_in(&self, demo: &DemoFile) -> anyhow::Result<Vec<Rest>> {
        let mut all = Vec::with_capacity(self.who.len());
        for who in &self.who {
            all.push(Rest::log_in(demo, who).await?);
        }
        Ok(all)
    }

    /// Gives the clients fresh tokens where theirs are getting old.
    pub async fn stay_logged_in<'a>(
        &mut self,
        demo: &DemoFile,
        clients: impl Iterator<Item = &'a mut Client>,
    ) -> anyhow::Result<()> {
        if self.logged_in.elapsed() < Self::LOG_IN_AGAIN {
            return Ok(());
        }
        let fresh = self.log_in(demo).await?;
        self.logged_in = Instant::now();
        clients.zip(fresh.iter().cycle()).for_each(|(client, fresh)| client.rest.take_token_of(fresh));
        Ok(())
    }
}

impl Client {
    pub fn prepare(&mut self, count: usize) -> anyhow::Result<Vec<PreparedTransfer>> {
        (0..count).map(|_| self.prepare_one()).collect()
    }

    fn prepare_one(&mut self) -> anyhow::Result<PreparedTransfer> {
        self.asked += 1;
        let count = self.wallets.len();
        let from = self.random.random_range(0..count);
        let to = (from + self.random.random_range(1..count.max(2))) % count;
        let amount: i64 = self.random.random_range(1..=500);
        let name = format!("load-transfer-{}-{}", self.number, self.asked);
        let wallet = |index: usize| self.wallets.get(index).copied().context("there are no wallets");
        let transfer = Transfer { name, from: wallet(from)?, to: wallet(to)?, amount, told: None };
        let major: Value = serde_json::from_str(&format!("{}.{:02}", amount / 100, amount % 100))?;
        let body = json!({
            "fromWalletId": transfer.from, "toWalletId": transfer.to, "amount": major,
            "description": transfer.name, "externalUniqueId": transfer.name,
        });
        let request = self
            .rest
            .client()
            .post(self.rest.address("/wallets/transfers"))
            .header("authorization", self.rest.token())
            .header("content-type", "application/json")
            .body(body.to_string())
            .build()?;
        Ok(PreparedTransfer { transfer, request })
    }

    /// One transfer after the other until the slice is over; with times, each not before it is due. A client that is
    /// late because its daemon is slow sends no more than the slice has time for.
    pub async fn fire(
        &self,
        prepared: Vec<PreparedTransfer>,
        due: Option<Vec<Duration>>,
        finish: &Finish,
    ) -> Vec<(Transfer, Record)> {
        let mut done = Vec::with_capacity(prepared.len());
        tokio::time::sleep_until(finish.start.into()).await;
        for (index, mut next) in prepared.into_iter().enumerate() {
            let due = due.as_ref().and_then(|due| due.get(index).copied());
            if let Some(due) = due {
                tokio::time::sleep_until((finish.start + due).into()).await;
            }
            if finish.is_over() {
                return done;
            }
            let sent = finish.start.elapsed();
            let answer = tokio::time::timeout_at(finish.deadline.into(), self.exchange(next.request)).await;
            let at = finish.start.elapsed();
            finish.count();
            next.transfer.told = answer.ok().flatten();
            let answer = next.transfer.told.as_ref().map(|_| (at, bytes::Bytes::new()));
            done.push((next.transfer, Record { due: due.unwrap_or(sent), sent: Some(sent), answer }));
        }
        if due.is_none() {
            finish.stop();
        }
        done
    }

    async fn exchange(&self, request: reqwest::Request) -> Option<Result<u64, u16>> {
        let answer = self.rest.client().execute(request).await.ok()?;
        let status = answer.status();
        let body = answer.bytes().await.ok()?;
        if !status.is_success() {
            return Some(Err(status.as_u16()));
        }
        let answer: Value = serde_json::from_slice(&body).ok()?;
        Some(Ok(answer.get("transactionId")?.as_u64()?))
    }

    /// The same connection model against the empty handler: requests without a body to speak of, one after the other.
    pub async fn fire_at_baseline(&self, address: &str, length: Duration) -> Vec<Duration> {
        let mut times = Vec::new();
        let end = Instant::now() + length;
        while Instant::now() < end {
            let began = Instant::now();
            let request = self.rest.client().post(address).header("authorization", self.rest.token()).body("{}");
            let Ok(answer) = request.send().await else { break };
            if !answer.status().is_success() || answer.bytes().await.is_err() {
                break;
            }
            times.push(began.elapsed());
        }
        times
    }
}
