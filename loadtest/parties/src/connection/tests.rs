//! Exchanges with a host over a real socket, honest and lying.

use super::*;
use crate::fake_host::{FakeHost, Lie, profile, stray};
use crate::{Administration, CardProfile, Dialect, KeyScheme, Kind, Pipeline, Terminal};

fn card() -> CardProfile {
    CardProfile::swiped("9999990000000008=30122010000012300000", "710").unwrap().with_pin("4711").unwrap()
}

/// A terminal with keys and its connection to a host.
async fn signed_on(host: FakeHost) -> (Terminal, Connection) {
    let (dialect, scheme) = (host.dialect.clone(), host.scheme);
    let address = host.start().await;
    let mut connection =
        Connection::connect(address, dialect.framing).await.unwrap().with_answer_timeout(Duration::from_millis(500));
    let mut terminal = Terminal::new(profile(scheme), dialect);
    let opening = terminal.open_session(&mut connection).await.unwrap();
    assert!(opening.sign_on.is_approved() && opening.key_exchange.is_approved() && terminal.has_keys());
    (terminal, connection)
}

/// A host that lies only about transactions: the session is opened with an honest twin's keys, which are fixed.
async fn exchange_with(lie: Lie) -> Result<Exchange, Error> {
    let (terminal, _) = signed_on(FakeHost::new("pos-binary")).await;
    let address = FakeHost::lying("pos-binary", lie).start().await;
    let mut connection = Connection::connect(address, terminal.dialect().framing)
        .await
        .unwrap()
        .with_answer_timeout(Duration::from_millis(500));
    connection.exchange(&terminal.request(Kind::Purchase, &card(), 1250).unwrap()).await
}

#[tokio::test]
async fn a_session_is_opened_and_used_in_both_dialects_and_schemes() {
    for listener in ["pos-binary", "pos-ascii"] {
        for scheme in [KeyScheme::Tr31, KeyScheme::Ecb] {
            let (terminal, mut connection) = signed_on(FakeHost { scheme, ..FakeHost::new(listener) }).await;
            connection.keep_alive().await.unwrap();
            let purchase = terminal.request(Kind::Purchase, &card(), 1250).unwrap();
            let exchange = connection.exchange(&purchase).await.unwrap();
            assert!(exchange.is_approved() && exchange.authenticated);
            assert_eq!(exchange.outcome(), "approved, 12.50 ZAR");
            let off = connection.exchange(&terminal.administer(Administration::SignOff).unwrap()).await.unwrap();
            assert!(off.authenticated);
        }
    }
}

#[tokio::test]
async fn both_messages_are_described_without_card_data() {
    let (terminal, mut connection) = signed_on(FakeHost::new("pos-ascii")).await;
    let balance = terminal.request(Kind::Balance, &card(), 0).unwrap();
    let exchange = connection.exchange(&balance).await.unwrap();
    assert_eq!(exchange.outcome(), "approved, ledger balance 12.50 ZAR, available balance -0.05 ZAR");
    for shown in [exchange.describe(), exchange.json().to_string(), format!("{exchange:?}")] {
        assert!(shown.contains("0200") && shown.contains("0210"), "{shown}");
        assert!(!shown.contains("9999990000000008") && !shown.contains("3012201"), "{shown}");
    }
    assert!(exchange.describe().contains("999999******0008"));
}

#[tokio::test]
async fn lies_are_told_apart() {
    let fault = |result: Result<Exchange, Error>| match result {
        Err(Error::Answer(fault)) => fault,
        other => panic!("{other:?}"),
    };
    assert!(matches!(fault(exchange_with(Lie::OtherStan).await), AnswerFault::Stan { .. }));
    assert!(matches!(fault(exchange_with(Lie::OtherMti).await), AnswerFault::Mti { .. }));
    assert_eq!(fault(exchange_with(Lie::NoMac).await), AnswerFault::MacMissing);
    assert_eq!(fault(exchange_with(Lie::WrongMac).await), AnswerFault::MacWrong);
    assert_eq!(fault(exchange_with(Lie::TpduNotSwapped).await), AnswerFault::Tpdu);
    assert!(matches!(exchange_with(Lie::Closes).await, Err(Error::Closed)));
    assert!(matches!(exchange_with(Lie::Silent).await, Err(Error::Timeout { .. })));
}

#[tokio::test]
async fn a_refusal_without_mac_is_taken_for_what_it_is() {
    let exchange = exchange_with(Lie::RefusesWithoutMac).await.unwrap();
    assert!(!exchange.is_approved() && !exchange.authenticated);
    let outcome = exchange.outcome();
    assert!(outcome.starts_with("not approved: 63 security violation") && outcome.contains("without MAC"), "{outcome}");
}

#[tokio::test]
async fn answers_in_another_order_find_their_requests() {
    let (terminal, _) = signed_on(FakeHost::new("pos-binary")).await;
    let address = FakeHost::lying("pos-binary", Lie::Reverses).start().await;
    let connection = Connection::connect(address, terminal.dialect().framing).await.unwrap();
    let mut pipeline = Pipeline::new(connection.with_answer_timeout(Duration::from_millis(500)));
    assert!(pipeline.receive().await.unwrap().is_none());
    let mut sent = Vec::new();
    for amount in 1..=6 {
        let request = terminal.request(Kind::Purchase, &card(), amount).unwrap();
        sent.push(request.stan().to_owned());
        pipeline.send(request).await.unwrap();
    }
    let mut got = Vec::new();
    while let Some(exchange) = pipeline.receive().await.unwrap() {
        assert_eq!(exchange.answer.text(4), exchange.request.fields().text(4));
        got.push(exchange.request.stan().to_owned());
    }
    assert_ne!(got, sent);
    got.sort();
    sent.sort();
    assert_eq!(got, sent);
}

#[tokio::test]
async fn an_answer_to_nobody_is_an_error() {
    let dialect = Dialect::of_listener("pos-ascii").unwrap();
    let (near, far) = tokio::io::duplex(4096);
    let (read, write) = tokio::io::split(near);
    let (far_read, far_write) = tokio::io::split(far);
    let mut host = Connection::over(far_read, far_write, dialect.framing);
    let mut pipeline = Pipeline::new(Connection::over(read, write, dialect.framing));
    let terminal = Terminal::new(profile(KeyScheme::Tr31), dialect.clone());
    pipeline.send(terminal.administer(Administration::Echo).unwrap()).await.unwrap();
    host.send(&stray(&dialect)).await.unwrap();
    assert!(matches!(pipeline.receive().await, Err(Error::Answer(AnswerFault::NobodyWaits { .. }))));
    assert_eq!(pipeline.under_way(), 1);
}

#[tokio::test]
async fn connecting_to_nobody_says_so() {
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    drop(socket);
    let dialect = Dialect::of_listener("pos-binary").unwrap();
    let error = Connection::connect(address, dialect.framing).await.unwrap_err().to_string();
    assert!(error.contains(&address.to_string()) && error.contains("is the switch running"), "{error}");
}
