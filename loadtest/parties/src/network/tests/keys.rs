//! Sign-on, key exchange from either side, MACs and PINs.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use iso8583::Fields;
use tokio::net::TcpListener;

use super::fixture::*;
use crate::network::key_ring::KeyRing;
use crate::network::link::{End, Link};
use crate::network::party::Party;
use crate::network::zone::dialect;
use crate::network::{administration, key_carrier};
use crate::{
    AcquirerSettings, AcquirerSide, Administration, Behaviour, CardProfile, Connection, Count, Error, Exchange,
    IssuerSettings, IssuerSide, KeyScheme, Kind, NetworkError, Request, SessionKeys, Settlement,
};

async fn approves(acquirer: &AcquirerSide) -> bool {
    let request = acquirer.request(Kind::Purchase, &card(), 100).unwrap();
    let exchange = acquirer.send(&request).await.unwrap().unwrap();
    assert!(exchange.authenticated);
    exchange.is_approved()
}

fn same_keys(acquirer: &AcquirerSide, issuer: &IssuerSide) -> bool {
    acquirer.zone().keys().unwrap() == issuer.zone().keys().unwrap()
}

#[tokio::test]
async fn keys_come_from_either_side_in_both_schemes() {
    for scheme in [KeyScheme::Tr31, KeyScheme::Ecb] {
        for from_issuer in [false, true] {
            let settings = IssuerSettings { exchange_keys: from_issuer, ..issuer_settings(Behaviour::default()) };
            let issuer = IssuerSide::new(zone_of(scheme), settings, None).unwrap();
            let address = issuer.listen(loopback()).await.unwrap();
            let settings = AcquirerSettings { exchange_keys: !from_issuer, ..acquirer_settings() };
            let acquirer = AcquirerSide::connect(address, zone_of(scheme), settings, None).await.unwrap();
            while !acquirer.zone().has_keys() || !issuer.zone().has_keys() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            assert!(approves(&acquirer).await && same_keys(&acquirer, &issuer), "{scheme:?} {from_issuer}");
            assert!(acquirer.link().await.unwrap().echo().await.unwrap().authenticated);
        }
    }
}

#[tokio::test]
async fn keys_are_asked_for_and_replaced_while_messages_are_under_way() {
    let (acquirer, issuer) = pair(Behaviour::default(), acquirer_settings()).await;
    let old = acquirer.request(Kind::Purchase, &card(), 100).unwrap();
    let first = acquirer.zone().keys().unwrap();
    acquirer.link().await.unwrap().request_keys().await.unwrap();
    assert!(acquirer.zone().keys().unwrap() != first);
    assert!(approves(&acquirer).await && same_keys(&acquirer, &issuer));
    assert!(acquirer.send(&old).await.unwrap().unwrap().is_approved(), "made under the keys before");
    issuer.links()[0].exchange_keys().await.unwrap();
    assert!(approves(&acquirer).await && same_keys(&acquirer, &issuer));
}

#[tokio::test]
async fn a_repeat_has_its_pin_under_the_keys_of_now() {
    let (acquirer, _issuer) = pair(Behaviour::default(), acquirer_settings()).await;
    let lost = acquirer.request(Kind::Purchase, &card(), 100).unwrap();
    acquirer.link().await.unwrap().exchange_keys().await.unwrap();
    let repeat = acquirer.repeat(&lost).unwrap();
    assert_ne!(repeat.fields().binary(52), lost.fields().binary(52));
    assert_eq!(acquirer.send(&repeat).await.unwrap().unwrap().code(), "00");
    let again = acquirer.repeat(&repeat).unwrap();
    assert_eq!(again.fields().binary(52), repeat.fields().binary(52), "no other keys, no other block");
}

#[tokio::test]
async fn keys_that_cross_leave_one_pair() {
    for _ in 0..20 {
        let (acquirer, issuer) = pair(Behaviour::default(), acquirer_settings()).await;
        let (near, far) = (acquirer.link().await.unwrap(), issuer.links()[0].clone());
        let (one, other) = tokio::join!(near.exchange_keys(), far.exchange_keys());
        one.unwrap();
        other.unwrap();
        assert!(approves(&acquirer).await && same_keys(&acquirer, &issuer));
    }
}

#[tokio::test]
async fn a_network_that_connects_brings_keys_and_comes_back() {
    let socket = TcpListener::bind(loopback()).await.unwrap();
    let settings = IssuerSettings { exchange_keys: true, ..issuer_settings(Behaviour::default()) };
    let issuer = IssuerSide::new(zone(), settings, None).unwrap();
    let party = Party::new(zone(), None).unwrap();
    let address = socket.local_addr().unwrap();
    let accept = async {
        let (stream, _) = socket.accept().await.unwrap();
        Link::start(stream, End::Accepted, party.clone()).unwrap()
    };
    let (link, connected) = tokio::join!(accept, issuer.connect(address));
    connected.unwrap();
    assert!(party.zone.has_keys());
    link.close();
    let (stream, _) = socket.accept().await.unwrap();
    let again = Link::start(stream, End::Accepted, party.clone()).unwrap();
    assert!(again.echo().await.unwrap().authenticated, "the keys outlive the connection");
}

#[tokio::test]
async fn a_new_issuer_in_the_old_one_s_place_is_given_keys() {
    let (old, address) = issuer(issuer_settings(Behaviour::default())).await;
    let acquirer = AcquirerSide::connect(address, zone(), acquirer_settings(), None).await.unwrap();
    let before = acquirer.link().await.unwrap();
    old.stop().await;
    drop(old);
    before.closed().await;
    let new = IssuerSide::new(zone(), issuer_settings(Behaviour::default()), None).unwrap();
    new.listen(address).await.unwrap();
    let request = acquirer.request(Kind::Purchase, &card(), 100).unwrap();
    assert!(matches!(acquirer.settle(&request, &card()).await.unwrap(), Settlement::Reversed(_)), "under keys of old");
    let request = acquirer.request(Kind::Purchase, &card(), 100).unwrap();
    let Settlement::Answered(exchange) = acquirer.settle(&request, &card()).await.unwrap() else { panic!("reversed") };
    assert!(exchange.is_approved() && same_keys(&acquirer, &new));
}

#[tokio::test]
async fn keys_that_the_other_side_lost_are_replaced_before_the_next_copy() {
    let (acquirer, issuer) = pair(Behaviour::default(), acquirer_settings()).await;
    *issuer.zone().ring() = KeyRing::default();
    let requests: Vec<_> = (0..8).map(|_| acquirer.request(Kind::Purchase, &card(), 100).unwrap()).collect();
    let card = card();
    let settled = futures::future::join_all(requests.iter().map(|request| acquirer.settle(request, &card))).await;
    for settlement in settled {
        let Settlement::Reversed(reversed) = settlement.unwrap() else { panic!("answered") };
        assert_eq!((reversed.copies, reversed.exchange.authenticated), (2, true));
    }
    assert!(approves(&acquirer).await && same_keys(&acquirer, &issuer));
}

#[tokio::test]
async fn an_issuer_that_connects_again_replaces_keys_that_the_other_side_lost() {
    let socket = TcpListener::bind(loopback()).await.unwrap();
    let settings = IssuerSettings { exchange_keys: true, ..issuer_settings(Behaviour::default()) };
    let issuer = IssuerSide::new(zone(), settings, None).unwrap();
    let accept = async |party: &Party| {
        let (stream, _) = socket.accept().await.unwrap();
        Link::start(stream, End::Accepted, party.clone()).unwrap()
    };
    let (old, new) = (Party::new(zone(), None).unwrap(), Party::new(zone(), None).unwrap());
    let (link, connected) = tokio::join!(accept(&old), issuer.connect(socket.local_addr().unwrap()));
    connected.unwrap();
    link.close();
    let _link = accept(&new).await;
    let given = async {
        while !new.zone.has_keys() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), given).await.unwrap();
}

/// Sends bytes as they are, on a connection of their own, and gives the answer.
async fn raw(issuer_address: std::net::SocketAddr, wires: &[Bytes]) -> Vec<Result<Bytes, Error>> {
    let connection = Connection::connect(issuer_address, dialect().unwrap().framing).await.unwrap();
    let mut connection = connection.with_answer_timeout(Duration::from_secs(2));
    let mut answers = Vec::new();
    for wire in wires {
        connection.send(wire).await.unwrap();
        answers.push(connection.receive().await);
    }
    answers
}

fn code(wire: &Bytes) -> (String, bool) {
    let spec = dialect().unwrap().spec;
    let message = spec.decode(wire).unwrap();
    (message.text(39).unwrap().into_owned(), message.has(64) || message.has(128))
}

/// A pair on a network that does not sign on by itself, and its address.
async fn quiet_pair() -> (AcquirerSide, IssuerSide, std::net::SocketAddr) {
    let settings = IssuerSettings { sign_on: false, ..issuer_settings(Behaviour::default()) };
    let (issuer, address) = issuer(settings).await;
    let acquirer = AcquirerSide::connect(address, zone(), acquirer_settings(), None).await.unwrap();
    (acquirer, issuer, address)
}

#[tokio::test]
async fn tampered_missing_and_misplaced_macs_are_refused_without_effect() {
    let (acquirer, issuer, address) = quiet_pair().await;
    let request = acquirer.request(Kind::Purchase, &card(), 12_345).unwrap();
    let mut tampered = request.wire().to_vec();
    let at = tampered.windows(5).position(|window| window == b"12345").unwrap();
    tampered[at] = b'0';
    let spec = dialect().unwrap().spec;
    let bare = Request::seal(request.fields().clone(), &spec, None).unwrap();
    let mut misplaced = request.fields().clone();
    misplaced.remove(64);
    misplaced.set_binary(128, vec![0; 8]);
    let mut wire = BytesMut::new();
    spec.encode(&misplaced, &mut wire).unwrap();
    let wires = [Bytes::from(tampered), bare.wire().clone(), wire.freeze()];
    for (answer, expected) in raw(address, &wires).await.iter().zip(["63", "63", "30"]) {
        assert_eq!(code(answer.as_ref().unwrap()), (expected.to_owned(), false));
    }
    assert_eq!(issuer.counts().get(Count::MacRefused), 3);
    assert_eq!(ledger(&issuer), OPENING);
    assert!(acquirer.send(&request).await.unwrap().unwrap().is_approved(), "no duplicate of what was refused");
    assert_eq!(ledger(&issuer), OPENING - 12_345);
}

#[tokio::test]
async fn a_false_answer_is_not_believed() {
    let socket = TcpListener::bind(loopback()).await.unwrap();
    let address = socket.local_addr().unwrap();
    // Knows the ZMK, not the ZAK that is used.
    let liar = Party::new(zone(), None).unwrap();
    tokio::spawn(async move {
        let (stream, _) = socket.accept().await.unwrap();
        let (read, write) = stream.into_split();
        let mut connection = Connection::over(read, write, liar.dialect.framing);
        let spec = &liar.dialect.spec;
        loop {
            let wire = connection.receive().await.unwrap();
            let answer = crate::network::party::answer_to(&spec.decode(&wire).unwrap(), "00");
            let keys = Arc::new(key_carrier::fresh().unwrap());
            let keys = Some(&keys).filter(|_| !answer.mti().starts_with("08"));
            connection.send(Request::seal(answer, spec, keys).unwrap().wire()).await.unwrap();
        }
    });
    let acquirer = AcquirerSide::connect(address, zone(), acquirer_settings(), None).await.unwrap();
    let request = acquirer.request(Kind::Purchase, &card(), 100).unwrap();
    let error = acquirer.send(&request).await.unwrap_err().to_string();
    assert!(error.contains("MAC is wrong"), "{error}");
}

#[tokio::test]
async fn keys_that_do_not_fit_are_refused_and_the_old_ones_stay() {
    let (acquirer, issuer, address) = quiet_pair().await;
    let before = issuer.zone().keys().unwrap();
    let exchange = |carrier: String| {
        let (zone, dialect) = (zone(), dialect().unwrap());
        let request = administration::request(&zone, &dialect, Administration::KeyExchange, 7, Some(&carrier));
        request.unwrap().wire().clone()
    };
    let keys: SessionKeys = key_carrier::fresh().unwrap();
    let zone = zone();
    let good = key_carrier::seal(&keys, KeyScheme::Tr31, zone.master_key()).unwrap();
    let ecb = key_carrier::seal(&keys, KeyScheme::Ecb, zone.master_key()).unwrap();
    let swapped = good.replace("PK", "QK").replace("MK", "PK").replace("QK", "MK");
    let twice = format!("{good}ZZ000ZZ000");
    let wires = [exchange(ecb), exchange(swapped), exchange(twice), exchange("PK".to_owned())];
    let answers = raw(address, &wires).await;
    let codes: Vec<_> = answers.iter().map(|answer| code(answer.as_ref().unwrap()).0).collect();
    assert_eq!(codes, ["63", "63", "30", "30"]);
    assert!(issuer.zone().keys().unwrap() == before && approves(&acquirer).await);
}

#[tokio::test]
async fn pins_are_verified_under_the_zone_key() {
    let (acquirer, issuer) = pair(Behaviour::default(), acquirer_settings()).await;
    let sent = |card: CardProfile| {
        let request = acquirer.request(Kind::Purchase, &card, 100).unwrap();
        let acquirer = &acquirer;
        async move { acquirer.send(&request).await.unwrap().unwrap().code().to_owned() }
    };
    assert_eq!(sent(card()).await, "00");
    assert_eq!(sent(card().with_pin("4712").unwrap()).await, "55");
    assert_eq!(sent(card().without_pin()).await, "00");
    let stranger = CardProfile::keyed("9999980000000015", None, "710").unwrap().with_pin("1234").unwrap();
    assert_eq!(sent(stranger).await, "00", "any PIN of a card nobody told of");
    let mut fields = acquirer.request(Kind::Purchase, &card(), 100).unwrap().fields().clone();
    fields.set_binary(52, vec![0x5A; 8]);
    let undecipherable = acquirer.seal(fields).unwrap();
    assert_eq!(acquirer.send(&undecipherable).await.unwrap().unwrap().code(), "86");
    assert_eq!(sent(card().with_pin("4712").unwrap()).await, "55");
    assert_eq!(sent(card().with_pin("4712").unwrap()).await, "55");
    assert_eq!(sent(card()).await, "75");
    assert_eq!(issuer.counts().get(Count::WrongPins), 3);
}

#[tokio::test]
async fn keep_alives_are_echoed_and_three_undecodable_messages_close() {
    let (_acquirer, issuer, address) = quiet_pair().await;
    let mut connection = Connection::connect(address, dialect().unwrap().framing).await.unwrap();
    connection.keep_alive().await.unwrap();
    for _ in 0..2 {
        connection.send(&Bytes::from_static(b"nonsense")).await.unwrap();
    }
    connection.keep_alive().await.unwrap();
    let echo = administration::request(&zone(), &dialect().unwrap(), Administration::Echo, 7, None).unwrap();
    assert!(connection.exchange(&echo).await.unwrap().is_approved(), "one message begins the count anew");
    for _ in 0..3 {
        connection.send(&Bytes::from_static(b"nonsense")).await.unwrap();
    }
    assert!(matches!(connection.receive().await, Err(Error::Closed | Error::Broken(_))));
    assert_eq!(issuer.counts().get(Count::Undecodable), 5);
}

#[tokio::test]
async fn without_keys_and_without_an_issuer_nothing_is_approved() {
    let settings = AcquirerSettings { exchange_keys: false, ..acquirer_settings() };
    let (issuer, address) = issuer(issuer_settings(Behaviour::default())).await;
    let acquirer = AcquirerSide::connect(address, zone(), settings, None).await.unwrap();
    let refused = acquirer.request(Kind::Purchase, &card(), 100);
    assert!(matches!(refused, Err(NetworkError::NoZoneKeys)));
    let link = acquirer.link().await.unwrap();
    link.exchange_keys().await.unwrap();
    let mut fields = Fields::new("0200");
    fields.set(11, "000001");
    let request = acquirer.seal(fields).unwrap();
    let asked_back = issuer.links()[0].request(&request, Duration::from_secs(2)).await.unwrap();
    let exchange: Exchange = asked_back.unwrap();
    assert_eq!((exchange.code(), exchange.authenticated), ("92", true), "an acquirer has no accounts");
}
