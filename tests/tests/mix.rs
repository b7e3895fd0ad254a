//! Many operations over REST and from terminals, in random order, with SIGKILLs in between: in the end the answers that
//! were given, the ledger and the statements say the same.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use system_tests::{Daemon, Rest, is_long, run_umbra};

const CLIENTS: u64 = 8;
const WALLETS: usize = 12;

/// What the answers say of a wallet, in cents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Expected {
    balance: i64,
    held: i64,
    entries: usize,
}

type Book = BTreeMap<i64, Expected>;

/// A request that is asked again under its key until it is answered.
#[derive(Clone)]
struct Asked {
    method: &'static str,
    path: String,
    body: Option<Value>,
    key: String,
    what: What,
}

#[derive(Clone)]
enum What {
    Transfer { from: i64, to: i64, amount: i64 },
    Hold { wallet: i64, amount: i64 },
    Release { wallet: i64, amount: i64 },
    Reversal { from: i64, to: i64, amount: i64 },
}

struct Client {
    random: StdRng,
    number: u64,
    asked: u64,
    wallets: Vec<i64>,
    /// Transfers and holds that were answered and not taken back yet.
    transfers: Vec<(String, i64, i64, i64)>,
    holds: Vec<(i64, i64, i64)>,
    /// Not answered in the last life.
    open: Option<Asked>,
    book: Book,
}

impl Client {
    fn next(&mut self) -> Asked {
        self.asked += 1;
        let key = format!("client-{}-{}", self.number, self.asked);
        let amount = self.random.random_range(1..=500);
        let one = self.wallets[self.random.random_range(0..self.wallets.len())];
        let other = *self.wallets.iter().find(|wallet| **wallet != one).unwrap();
        match self.random.random_range(0..10) {
            0 | 1 if !self.holds.is_empty() => {
                let (reservation, wallet, amount) =
                    self.holds.swap_remove(self.random.random_range(0..self.holds.len()));
                let path = format!("/wallets/{wallet}/reservations/{reservation}");
                Asked { method: "DELETE", path, body: None, key, what: What::Release { wallet, amount } }
            }
            2 if !self.transfers.is_empty() => {
                let number = self.random.random_range(0..self.transfers.len());
                let (original, from, to, amount) = self.transfers.swap_remove(number);
                let body = json!({"originalExternalUniqueId": original, "externalUniqueId": format!("reversal-{key}")});
                let what = What::Reversal { from, to, amount };
                Asked { method: "POST", path: "/wallets/reversals".into(), body: Some(body), key, what }
            }
            3..=5 => {
                let body = json!({
                    "amount": cents(amount), "expires": "2099-01-01T00:00:00.000Z", "sessionId": "session-1",
                });
                let path = format!("/wallets/{one}/reservations");
                Asked { method: "POST", path, body: Some(body), key, what: What::Hold { wallet: one, amount } }
            }
            _ => {
                let body = json!({
                    "fromWalletId": one, "toWalletId": other, "amount": cents(amount), "description": "mix",
                    "externalUniqueId": format!("transfer-{key}"),
                });
                let what = What::Transfer { from: one, to: other, amount };
                Asked { method: "POST", path: "/wallets/transfers".into(), body: Some(body), key, what }
            }
        }
    }

    /// Works until the daemon is gone, or all is done.
    async fn work(&mut self, rest: &Rest, left: &AtomicU64, killed: &AtomicBool) {
        loop {
            if self.open.is_none() {
                if killed.load(Ordering::Relaxed)
                    || left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err()
                {
                    return;
                }
                self.open = Some(self.next());
            }
            let Some(asked) = self.open.clone() else { return };
            let headers = [("idempotency-key", asked.key.as_str())];
            match rest.try_call(asked.method, &asked.path, &headers, asked.body.as_ref()).await {
                // Dead, or the log-in is over: asked again in the next life.
                None | Some((401, _)) => return,
                // In work, or no room just now: asked again.
                Some((503, _)) => tokio::time::sleep(Duration::from_millis(5)).await,
                Some((status, answer)) => {
                    self.open = None;
                    self.note(asked, status, &answer);
                }
            }
        }
    }

    /// Keeps the books by what was answered.
    fn note(&mut self, asked: Asked, status: u16, answer: &Value) {
        if !(200..300).contains(&status) {
            assert_eq!(
                (status, &answer[0]["code"]),
                (400, &json!("WAL009")),
                "{} {}: {answer}",
                asked.method,
                asked.path
            );
            return;
        }
        let mut moved = |wallet: i64, amount: i64| {
            let expected = self.book.entry(wallet).or_default();
            expected.balance += amount;
            expected.entries += 1;
        };
        match asked.what {
            What::Transfer { from, to, amount } => {
                moved(from, -amount);
                moved(to, amount);
                self.transfers.push((format!("transfer-{}", asked.key), from, to, amount));
            }
            What::Reversal { from, to, amount } => {
                moved(from, amount);
                moved(to, -amount);
            }
            What::Hold { wallet, amount } => {
                self.book.entry(wallet).or_default().held += amount;
                self.holds.push((answer["reservationId"].as_i64().unwrap(), wallet, amount));
            }
            What::Release { wallet, amount } => self.book.entry(wallet).or_default().held -= amount,
        }
    }
}

fn cents(amount: i64) -> Value {
    serde_json::from_str(&format!("{}.{:02}", amount / 100, amount % 100)).unwrap()
}

fn in_cents(amount: &Value) -> i64 {
    amount.to_string().replace('.', "").parse().unwrap()
}

/// Wallets with money from the demo's rich card.
async fn wallets(rest: &Rest, rich: i64) -> Vec<i64> {
    let wallet_type = rest.get("/wallet-types").await[0]["walletTypeId"].clone();
    let mut wallets = Vec::new();
    for number in 0..WALLETS {
        let body = json!({"walletTypeId": wallet_type, "status": "ACTIVE", "externalUniqueId": format!("mix-wallet-{number}")});
        let wallet = rest.post("/tenant-wallets", &body).await["walletId"].as_i64().unwrap();
        let body = json!({
            "fromWalletId": rich, "toWalletId": wallet, "amount": 200.00, "description": "start",
            "externalUniqueId": format!("mix-start-{number}"),
        });
        rest.post("/wallets/transfers", &body).await;
        wallets.push(wallet);
    }
    wallets
}

/// All entries of a wallet, by its cursor.
async fn statement(rest: &Rest, wallet: i64) -> Vec<Value> {
    let (mut all, mut offset) = (Vec::new(), 0);
    loop {
        let part = rest.get(&format!("/wallets/{wallet}/transactions?limit=1000&offset={offset}")).await;
        let part = part.as_array().unwrap().clone();
        offset += part.len();
        all.extend(part.iter().cloned());
        if part.len() < 1000 {
            return all;
        }
    }
}

async fn compare(rest: &Rest, book: &Book) {
    for (wallet, expected) in book {
        let shown = rest.get(&format!("/wallets/{wallet}")).await;
        let (balance, held) = (in_cents(&shown["currentBalance"]), in_cents(&shown["reservations"]));
        assert_eq!((balance, held), (expected.balance, expected.held), "wallet {wallet}: ledger and answers");
        let entries = statement(rest, *wallet).await;
        assert_eq!(entries.len(), expected.entries, "wallet {wallet}: entries of the statement");
        let sum: i64 = entries.iter().map(|entry| in_cents(&entry["amount"])).sum();
        assert_eq!(sum, balance, "wallet {wallet}: the statement adds up");
        assert_eq!(in_cents(&entries[0]["balance"]), balance, "wallet {wallet}: balance after the last entry");
    }
}

/// One life of the daemon: clients work, then it is killed, or all is done.
async fn live(
    data_dir: &Path,
    clients: Vec<Client>,
    left: &Arc<AtomicU64>,
    kill_after: Option<Duration>,
) -> Vec<Client> {
    let daemon = Daemon::start(data_dir);
    let rest = Arc::new(Rest::log_in(&daemon.demo).await);
    let killed = Arc::new(AtomicBool::new(false));
    let tasks: Vec<_> = clients
        .into_iter()
        .map(|mut client| {
            let (rest, left, killed) = (Arc::clone(&rest), Arc::clone(left), Arc::clone(&killed));
            tokio::spawn(async move {
                client.work(&rest, &left, &killed).await;
                client
            })
        })
        .collect();
    if let Some(after) = kill_after {
        tokio::time::sleep(after).await;
        killed.store(true, Ordering::Relaxed);
        daemon.kill();
    }
    let mut clients = Vec::new();
    for task in tasks {
        clients.push(task.await.unwrap());
    }
    clients
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_ledger_and_statements_agree() {
    let (operations, kills) = if is_long() { (100_000, 40) } else { (3_000, 4) };
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("data");
    let daemon = Daemon::start(&data_dir);
    let wallets = wallets(&Rest::log_in(&daemon.demo).await, daemon.demo.cards[0].wallet_id).await;
    daemon.kill();
    let start = Expected { balance: 20_000, held: 0, entries: 1 };
    let client = |number: u64| Client {
        random: StdRng::seed_from_u64(number),
        number,
        asked: 0,
        wallets: wallets
            .iter()
            .copied()
            .cycle()
            .skip(usize::try_from(number).unwrap())
            .step_by(5)
            .take(WALLETS)
            .collect(),
        transfers: Vec::new(),
        holds: Vec::new(),
        open: None,
        book: Book::new(),
    };
    let mut clients: Vec<Client> = (0..CLIENTS).map(client).collect();
    let left = Arc::new(AtomicU64::new(operations));
    let mut random = StdRng::seed_from_u64(99);
    for _ in 0..kills {
        let life = Duration::from_millis(random.random_range(300..if is_long() { 15_000 } else { 1_500 }));
        clients = live(&data_dir, clients, &left, Some(life)).await;
    }
    while left.load(Ordering::Relaxed) > 0 || clients.iter().any(|client| client.open.is_some()) {
        clients = live(&data_dir, clients, &left, None).await;
    }
    let mut book: Book = wallets.iter().map(|wallet| (*wallet, start)).collect();
    for client in &clients {
        for (wallet, change) in &client.book {
            let expected = book.get_mut(wallet).unwrap();
            expected.balance += change.balance;
            expected.held += change.held;
            expected.entries += change.entries;
        }
    }
    let daemon = Daemon::start(&data_dir);
    let rest = Rest::log_in(&daemon.demo).await;
    compare(&rest, &book).await;
    assert_eq!(daemon.stop().code(), Some(0));
    let verified = run_umbra(&["ledger", "verify", data_dir.to_str().unwrap()]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}
