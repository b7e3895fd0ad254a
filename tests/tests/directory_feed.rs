//! A card blocked over REST is refused at the terminal within a second, among many cards, also right after a restart.

use std::path::Path;
use std::time::{Duration, Instant};

use admin_store::{Database, Store, sql};
use parties::{Connection, Kind, Terminal};
use serde_json::json;
use system_tests::{Daemon, Rest, is_long};

/// From the answer of the REST call to the last approval there may be.
const WITHIN: Duration = Duration::from_secs(1);

/// Puts so many further cards into the demo's database: copies of one, under numbers nobody has.
async fn add_cards(data_dir: &Path, count: i64) {
    let store = Store::open(&Database::Sqlite(data_dir.join("umbra.sqlite"))).await.unwrap();
    let mut change = store.begin().await.unwrap();
    sql(
        "INSERT INTO cards (tenant_id, wallet_id, pan_hash, pan_cipher, expiry, status, holder_name, service_code, pvk,
                            pvki, pvv, pin_tries_max, created_at, modified_at)
         WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < $1)
         SELECT tenant_id, wallet_id, randomblob(32), pan_cipher, expiry, status, holder_name, service_code, pvk, pvki,
                pvv, pin_tries_max, created_at, modified_at
         FROM numbers, (SELECT * FROM cards ORDER BY id LIMIT 1)",
    )
    .bind(count)
    .run(&mut change)
    .await
    .unwrap();
    store.commit(change).await.unwrap();
    store.close().await;
}

/// Blocks and frees a card, and asks at the terminal each time: at once, and until it is refused.
async fn block_and_free(daemon: &Daemon, rest: &Rest, terminal: &Terminal, connection: &mut Connection) {
    let card = daemon.card(0);
    let path = format!("/cards/{}", daemon.demo.cards[0].card_id);
    for (status, expected) in [("BLOCKED", "62"), ("ACTIVE", "00")] {
        let body = json!({"status": status, "reason": "a test"});
        rest.put(&path, &body).await;
        let answered = Instant::now();
        loop {
            let sent = answered.elapsed();
            let request = terminal.request(Kind::Purchase, &card, 100).expect("a purchase can be built");
            let exchange = connection.exchange(&request).await.expect("the daemon answers");
            if exchange.code() == expected {
                break;
            }
            assert!(sent <= WITHIN, "{status} and still {} after {sent:?}", exchange.code());
        }
    }
}

/// Bars the wallet that all the cards are on, and blocks a card of another one behind them all.
async fn bar_many_and_block_one(daemon: &Daemon, rest: &Rest, terminal: &Terminal, connection: &mut Connection) {
    const OTHER: usize = 4;
    let wallet = format!("/wallets/{}", daemon.demo.cards[0].wallet_id);
    let card = format!("/cards/{}", daemon.demo.cards[OTHER].card_id);
    for (wallet_is, card_is, expected) in [("BARRED", "BLOCKED", "62"), ("ACTIVE", "ACTIVE", "00")] {
        rest.put(&wallet, &json!({"status": wallet_is})).await;
        rest.put(&card, &json!({"status": card_is, "reason": "a test"})).await;
        let answered = Instant::now();
        for number in [0, OTHER] {
            let card = daemon.card(number);
            loop {
                let sent = answered.elapsed();
                let request = terminal.request(Kind::Purchase, &card, 1).expect("a purchase can be built");
                let exchange = connection.exchange(&request).await.expect("the daemon answers");
                if exchange.code() == expected {
                    break;
                }
                assert!(is_long() || sent <= WITHIN, "card {number} is still {} after {sent:?}", exchange.code());
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_card_is_refused_within_a_second() {
    let cards = if is_long() { 1_000_000 } else { 10_000 };
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("data");
    Daemon::start(&data_dir).kill();
    add_cards(&data_dir, cards).await;
    let mut daemon = Daemon::start(&data_dir);
    for _ in 0..3 {
        let rest = Rest::log_in(&daemon.demo).await;
        let mut terminal = daemon.terminal(0, "pos-binary");
        let mut connection = daemon.connect("pos-binary").await;
        terminal.open_session(&mut connection).await.expect("a session can be opened");
        block_and_free(&daemon, &rest, &terminal, &mut connection).await;
        bar_many_and_block_one(&daemon, &rest, &terminal, &mut connection).await;
        // Blocked, and killed at once: the next start knows it from its first message on.
        rest.put(&format!("/cards/{}", daemon.demo.cards[0].card_id), &json!({"status": "BLOCKED", "reason": "x"}))
            .await;
        daemon.kill();
        daemon = Daemon::start(&data_dir);
        let mut connection = daemon.connect("pos-binary").await;
        let request = terminal.request(Kind::Purchase, &daemon.card(0), 100).expect("a purchase can be built");
        let exchange = connection.exchange(&request).await.expect("the daemon answers");
        assert_eq!(exchange.code(), "62", "right after the start");
        let rest = Rest::log_in(&daemon.demo).await;
        rest.put(&format!("/cards/{}", daemon.demo.cards[0].card_id), &json!({"status": "ACTIVE", "reason": "x"}))
            .await;
        tokio::time::sleep(WITHIN).await;
    }
}
