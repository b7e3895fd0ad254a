//! Money over REST, with the daemon dying between any two steps.

use serde_json::{Value, json};
use system_tests::{Daemon, Rest, run_umbra};

/// Where the daemon dies, and whether the money has moved by then.
const PLACES: [(&str, bool); 4] =
    [("money-begin", false), ("money-intent", false), ("money-event", true), ("money-result", true)];

/// What a wallet has, to the cent.
async fn balance(rest: &Rest, wallet: i64) -> i64 {
    cents(&rest.get(&format!("/wallets/{wallet}")).await["currentBalance"])
}

fn cents(amount: &Value) -> i64 {
    let (whole, part) = amount.to_string().split_once('.').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    format!("{whole}{part}").parse().unwrap()
}

async fn entries(rest: &Rest, wallet: i64) -> usize {
    rest.get(&format!("/wallets/{wallet}/transactions")).await.as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_moves_once_wherever_the_daemon_dies() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("data");
    Daemon::start(&data_dir).kill();
    for (number, (place, moved)) in PLACES.into_iter().enumerate() {
        let daemon = Daemon::start_to_die_at(&data_dir, place);
        let (from, to) = (daemon.demo.cards[0].wallet_id, daemon.demo.cards[1].wallet_id);
        let rest = Rest::log_in(&daemon.demo).await;
        let before = (balance(&rest, from).await, balance(&rest, to).await, entries(&rest, from).await);
        let transfer = json!({
            "fromWalletId": from, "toWalletId": to, "amount": 1.23, "description": "a test",
            "externalUniqueId": format!("transfer-{number}"),
        });
        let key = format!("key-{number}");
        let headers = [("idempotency-key", key.as_str())];
        let answer = rest.try_call("POST", "/wallets/transfers", &headers, Some(&transfer)).await;
        assert_eq!(answer, None, "{place}: the daemon died before it could answer");
        daemon.wait_for_death();

        let daemon = Daemon::start(&data_dir);
        let rest = Rest::log_in(&daemon.demo).await;
        let expected = before.0 - if moved { 123 } else { 0 };
        assert_eq!(balance(&rest, from).await, expected, "{place}");
        // Under its key the request is answered, and has happened once.
        let again = rest.try_call("POST", "/wallets/transfers", &headers, Some(&transfer)).await;
        let (status, first) = again.unwrap();
        assert_eq!((status, &first["amount"].to_string()), (200, &"1.23".to_owned()), "{place}: {first}");
        let third = rest.try_call("POST", "/wallets/transfers", &headers, Some(&transfer)).await.unwrap();
        assert_eq!(third, (200, first), "{place}");
        // Without the key it is a second transfer of the same externalUniqueId.
        let (status, refused) = rest.try_call("POST", "/wallets/transfers", &[], Some(&transfer)).await.unwrap();
        assert_eq!((status, &refused[0]["code"]), (400, &json!("VAL001")), "{place}: {refused}");
        let after = (balance(&rest, from).await, balance(&rest, to).await, entries(&rest, from).await);
        assert_eq!(after, (before.0 - 123, before.1 + 123, before.2 + 1), "{place}");
        assert_eq!(daemon.stop().code(), Some(0));
    }
    let verified = run_umbra(&["ledger", "verify", data_dir.to_str().unwrap()]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_is_there_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("data");
    Daemon::start(&data_dir).kill();
    for place in ["account-row", "account-opened"] {
        let daemon = Daemon::start_to_die_at(&data_dir, place);
        let rest = Rest::log_in(&daemon.demo).await;
        let wallet_type = rest.get("/wallet-types").await[0]["walletTypeId"].clone();
        let wallets = rest.get("/wallets").await.as_array().unwrap().len();
        let body =
            json!({"walletTypeId": wallet_type, "status": "ACTIVE", "externalUniqueId": format!("wallet-{place}")});
        assert_eq!(rest.try_call("POST", "/tenant-wallets", &[], Some(&body)).await, None);
        daemon.wait_for_death();

        let daemon = Daemon::start(&data_dir);
        let rest = Rest::log_in(&daemon.demo).await;
        assert_eq!(rest.get("/wallets").await.as_array().unwrap().len(), wallets, "{place}");
        let wallet = rest.post("/tenant-wallets", &body).await;
        assert_eq!(wallet["currentBalance"].to_string(), "0.00", "{place}");
        assert_eq!(daemon.stop().code(), Some(0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn holds_and_reversals_over_rest() {
    let folder = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(&folder.path().join("data"));
    let (from, to) = (daemon.demo.cards[0].wallet_id, daemon.demo.cards[1].wallet_id);
    let rest = Rest::log_in(&daemon.demo).await;
    let before = balance(&rest, from).await;
    let available = async || cents(&rest.get(&format!("/wallets/{from}")).await["availableBalance"]);

    let hold = json!({"amount": 5.00, "expires": "2099-01-01T00:00:00.000Z", "sessionId": "session-1"});
    let held = rest.post(&format!("/wallets/{from}/reservations"), &hold).await;
    assert_eq!((available().await, &held["status"]), (before - 500, &json!("OPEN")));
    let path = format!("/wallets/{from}/reservations/{}", held["reservationId"]);
    assert_eq!(rest.get(&path).await, held);
    let (status, _) = rest.try_call("DELETE", &path, &[], None).await.unwrap();
    assert_eq!((status, available().await), (204, before));
    assert_eq!(rest.get(&path).await["status"], "CLOSED");
    let (status, twice) = rest.try_call("DELETE", &path, &[], None).await.unwrap();
    assert_eq!((status, &twice[0]["code"]), (400, &json!("IAE002")), "{twice}");

    let transfer = json!({
        "fromWalletId": from, "toWalletId": to, "amount": 10, "description": "a test", "externalUniqueId": "transfer-1",
    });
    rest.post("/wallets/transfers", &transfer).await;
    let part = json!({"originalExternalUniqueId": "transfer-1", "externalUniqueId": "reversal-1", "amount": 4});
    let back = rest.post("/wallets/reversals", &part).await;
    assert_eq!((back["amount"].to_string().as_str(), balance(&rest, from).await), ("4.00", before - 600));
    let more = json!({"originalExternalUniqueId": "transfer-1", "externalUniqueId": "reversal-2"});
    let (status, _) = rest.try_call("POST", "/wallets/reversals", &[], Some(&more)).await.unwrap();
    assert_eq!((status, balance(&rest, from).await), (400, before - 600), "a transfer is taken back once");
    for (wrong, code) in [
        (json!({"amount": 0.001}), "VAL001"),
        (json!({"amount": -1}), "VAL001"),
        (json!({"amount": 99999999.00}), "WAL009"),
        (json!({"toWalletId": from}), "VAL001"),
        (json!({"toWalletId": 999_999}), "ARCH086"),
    ] {
        let mut body = transfer.clone();
        body["externalUniqueId"] = json!("transfer-2");
        body.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
        let (_, answer) = rest.try_call("POST", "/wallets/transfers", &[], Some(&body)).await.unwrap();
        assert_eq!(answer[0]["code"], code, "{wrong}: {answer}");
    }
    assert_eq!(balance(&rest, from).await, before - 600);
}
