//! What single operations do.

mod world;

use axum::http::StatusCode;
use serde_json::json;
use world::{ADMIN, CLERK, PASSWORD, world};

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
    assert_eq!((status, &answer[0]["code"]), (StatusCode::BAD_REQUEST, &json!("VAL001")), "no body at all: {answer}");
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
        world::pay(&world.ledger, world.source, world.account, amount).await;
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

#[tokio::test]
async fn a_request_is_found_again_by_its_ids() {
    let world = world().await;
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let headers = [("traceparent", &*format!("00-{trace}-b7ad6b7169203331-01")), ("x-request-id", "order-7")];
    for path in ["/global/server-time", "/nonsense"] {
        let answer = world.call_with("GET", &world.path(path, 0), None, &headers, None).await;
        assert_eq!(answer.body[0]["traceId"], trace, "{path}: {}", answer.body);
        assert_eq!(
            (&answer.headers["x-trace-id"], &answer.headers["x-request-id"]),
            (&trace.parse().unwrap(), &"order-7".parse().unwrap())
        );
    }
}

/// A reset that is refused gives no tries back: it would be a way to guess PINs that nobody sees.
#[tokio::test]
async fn a_refused_change_gives_no_pin_tries_back() {
    let world = world().await;
    let admin = world.log_in(ADMIN).await;
    let card = u64::try_from(world.card).unwrap();
    let wrong = ledger::Body::Card(ledger::CardEvent {
        aliases: Vec::new(),
        repeat_of: None,
        advice: false,
        card: Some(card),
        pin: ledger::PinCheck::Wrong,
        pin_tries_max: 3,
        action: ledger::CardAction::Inquire { account: world.account },
        answer: Vec::new(),
        record: Vec::new(),
    });
    let event = ledger::Event::new(admin_core::fresh_event_id(), ledger::Content([0; 16]), wrong);
    world.ledger.submit(event).await.unwrap();
    assert_eq!(world.ledger.pin_tries(card).unwrap(), 1);
    let path = world.path("/tenants/{tenantId}/cards/{cardId}", world.own);
    let stale = json!({"pinRetryCount": 0, "version": 7});
    assert_eq!(world.call("PUT", &path, Some(&admin), Some(stale)).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(world.ledger.pin_tries(card).unwrap(), 1);
    assert_eq!(world.call("PUT", &path, Some(&admin), Some(json!({"pinRetryCount": 0}))).await.0, StatusCode::OK);
    assert_eq!(world.ledger.pin_tries(card).unwrap(), 0);
}

/// After a crash an intent is settled by what the ledger knows, and left alone where it can know nothing any more.
#[tokio::test]
async fn an_intent_is_abandoned_only_if_nothing_can_have_moved() {
    let world = world().await;
    let now = ledger::Clock::now(&ledger::SystemClock);
    let day = 24 * 60 * 60 * 1000;
    let fresh = ledger::EventId::new(now, [1; 10]);
    let old = ledger::EventId::new(now - 2 * day, [2; 10]);
    let mut change = world.store.begin().await.unwrap();
    let audit = admin_store::AuditRecord {
        tenant_id: Some(world.own),
        actor: "a",
        address: "",
        operation: "createTransfer",
        target: "",
        before: "null",
        after: "{}",
        trace_id: "",
    };
    let audit_id = audit.insert(&mut change).await.unwrap();
    for (event, name) in [(fresh, "transfer-fresh"), (old, "transfer-old")] {
        let intent = admin_store::NewMoneyOperation {
            tenant_id: world.own,
            kind: "TRANSFER",
            external_unique_id: Some(name),
            event_id: &format!("{:032x}", event.0),
            from_wallet: Some(world.wallet),
            to_wallet: Some(world.second_wallet),
            amount: 1,
            request: "{}",
            reverses: None,
            expires_at: None,
            actor: "a",
            idempotency_key: None,
            request_hash: "",
            audit_id,
        };
        intent.insert(&mut change).await.unwrap();
    }
    world.store.commit(change).await.unwrap();
    admin_core::settle_intents(&world.store, &world.ledger).await.unwrap();
    let left = world.store.money_intents().await.unwrap();
    let names: Vec<&str> = left.iter().filter_map(|row| row.external_unique_id.as_deref()).collect();
    assert_eq!(names, ["transfer-old"], "the fresh one is abandoned, the old one is for a person to look at");
}

/// Answers are kept for a day; afterwards the key may mean another request.
#[tokio::test]
async fn an_idempotency_key_is_free_again_after_a_day() {
    let world = world().await;
    let admin = world.log_in(ADMIN).await;
    let path = world.path("/tenants/{tenantId}/wallets/transfers", world.own);
    let transfer = |name: &str| {
        json!({
            "fromWalletId": world.wallet, "toWalletId": world.second_wallet, "amount": 1, "description": "",
            "externalUniqueId": name,
        })
    };
    let ask = async |name: &str| {
        let headers = [("idempotency-key", "rent")];
        world.call_with("POST", &path, Some(&admin), &headers, Some(transfer(name))).await
    };
    assert_eq!(ask("transfer-1").await.status, StatusCode::OK);
    assert_eq!(ask("transfer-2").await.status, StatusCode::BAD_REQUEST, "another request under the key");
    let mut change = world.store.begin().await.unwrap();
    for statement in ["UPDATE money_operations SET created_at = 0", "UPDATE idempotency_keys SET created_at = 0"] {
        admin_store::sql(statement).run(&mut change).await.unwrap();
    }
    world.store.commit(change).await.unwrap();
    let later = ask("transfer-2").await;
    assert_eq!((later.status, &later.body["externalUniqueId"]), (StatusCode::OK, &json!("transfer-2")));
}

/// A result that nobody could write is written while the platform is served, and nothing else is touched.
#[tokio::test]
async fn what_the_ledger_has_decided_is_settled_while_serving() {
    let world = world().await;
    let admin = world.log_in(ADMIN).await;
    let path = world.path("/tenants/{tenantId}/wallets/transfers", world.own);
    for name in ["transfer-1", "transfer-2"] {
        let transfer = json!({
            "fromWalletId": world.wallet, "toWalletId": world.second_wallet, "amount": 1, "description": "",
            "externalUniqueId": name,
        });
        assert_eq!(world.call("POST", &path, Some(&admin), Some(transfer)).await.0, StatusCode::OK);
    }
    let mut change = world.store.begin().await.unwrap();
    // As if the first's result had never been written, and the second's event were still on its way.
    for statement in [
        "UPDATE money_operations SET state = 'INTENT', created_at = 0",
        "UPDATE money_operations SET event_id = '00000000000000000000000000000001'
         WHERE external_unique_id = 'transfer-2'",
    ] {
        admin_store::sql(statement).run(&mut change).await.unwrap();
    }
    world.store.commit(change).await.unwrap();
    admin_core::settle_known_intents(&world.store, &world.ledger).await.unwrap();
    let left = world.store.money_intents().await.unwrap();
    let names: Vec<&str> = left.iter().filter_map(|row| row.external_unique_id.as_deref()).collect();
    assert_eq!(names, ["transfer-2"]);
}
