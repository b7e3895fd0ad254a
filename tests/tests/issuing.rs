//! What REST gives out works on the wire: a PIN that was set, a terminal that was enrolled, session keys that were made.

use hsm_sim::{Lmk, console};
use parties::{CardProfile, Connection, Kind, SessionKeys, Terminal, TerminalProfile};
use payment_crypto::{TdesKey, tr31};
use serde_json::{Value, json};
use system_tests::{Daemon, Rest};

/// Under which master keys leave for the devices; clear here, as with whoever loads them.
const TRANSPORT_KEY: [u8; 16] = 0x0123_4567_89AB_CDEF_FEDC_BA98_7654_3210_u128.to_be_bytes();

async fn pay(terminal: &Terminal, connection: &mut Connection, card: &CardProfile) -> String {
    let request = terminal.request(Kind::Purchase, card, 100).expect("a purchase can be built");
    connection.exchange(&request).await.expect("the daemon answers").code().to_owned()
}

/// Asks until the switch has heard of a change, at most a second.
async fn pay_until(terminal: &Terminal, connection: &mut Connection, card: &CardProfile, wanted: &str) {
    let began = std::time::Instant::now();
    loop {
        let code = pay(terminal, connection, card).await;
        if code == wanted {
            return;
        }
        assert!(began.elapsed().as_secs() < 1, "still {code}, not {wanted}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pin_that_is_set_over_rest_is_the_card_s_pin() {
    let folder = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(&folder.path().join("data"));
    let rest = Rest::log_in(&daemon.demo).await;
    let mut terminal = daemon.terminal(0, "pos-binary");
    let mut connection = daemon.connect("pos-binary").await;
    terminal.open_session(&mut connection).await.unwrap();
    let path = format!("/cards/{}", daemon.demo.cards[4].card_id);
    let with = |pin: &str| daemon.card(4).with_pin(pin).unwrap();

    assert_eq!(pay(&terminal, &mut connection, &daemon.card(4)).await, "00");
    let answer = rest.put(&path, &json!({"pin": "8642"})).await;
    assert!(!answer.to_string().contains("8642"), "{answer}");
    // By the old one: trying the new one before the switch has heard of it would use up the card's tries.
    pay_until(&terminal, &mut connection, &daemon.card(4), "55").await;
    assert_eq!(pay(&terminal, &mut connection, &with("8642")).await, "00");

    // Tried out, and given its tries again.
    while pay(&terminal, &mut connection, &with("1111")).await == "55" {}
    assert_eq!(pay(&terminal, &mut connection, &with("8642")).await, "75");
    rest.put(&path, &json!({"pinRetryCount": 0})).await;
    assert_eq!(pay(&terminal, &mut connection, &with("8642")).await, "00");
    assert!(!daemon.log().contains("8642"));
}

/// A terminal of a key scheme, with the master key that REST gave out.
async fn enrol(rest: &Rest, device: &str, scheme: &str) -> (i64, TerminalProfile) {
    let body = json!({"deviceId": device, "merchantId": "ENROLLED1", "keyScheme": scheme, "currency": "ZAR"});
    let answer = rest.post("/terminals/enroll", &body).await;
    (answer["terminalId"].as_i64().unwrap(), profile(device, &answer))
}

fn profile(device: &str, answer: &Value) -> TerminalProfile {
    let scheme = answer["keyScheme"].as_str().unwrap();
    let key = answer["masterKey"].as_str().expect("the tenant has a transport key");
    let transport = TdesKey::from_bytes(&TRANSPORT_KEY).unwrap();
    let tmk = match scheme {
        "ecb" => transport.decrypt_ecb(&hex::decode(&key[1..]).unwrap()).unwrap().to_vec(),
        _ => tr31::unwrap(transport.bytes(), key).unwrap().1.to_vec(),
    };
    TerminalProfile {
        terminal_id: device.into(),
        merchant_id: "ENROLLED1".into(),
        key_scheme: scheme.parse().unwrap(),
        tmk: TdesKey::from_bytes(&tmk).unwrap(),
        mac: true,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_that_is_enrolled_over_rest_pays() {
    let folder = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(&folder.path().join("data"));
    let rest = Rest::log_in(&daemon.demo).await;
    let (under_lmk, _) = console::form_key(&Lmk::test_variant(), "002", 'U', &TRANSPORT_KEY).unwrap();
    rest.post("/config-items", &json!({"key": "terminal.transportKey", "value": under_lmk})).await;
    for (device, scheme) in [("ENROLLED", "tr31"), ("ENROLL02", "ecb")] {
        let (id, profile) = enrol(&rest, device, scheme).await;
        let dialect = parties::Dialect::of_listener("pos-binary").unwrap();
        let tmk = TdesKey::from_bytes(profile.tmk.bytes()).unwrap();
        let mut terminal = Terminal::new(profile, dialect);
        let mut connection = daemon.connect("pos-binary").await;
        // The switch hears of it within a moment.
        let began = std::time::Instant::now();
        while terminal.open_session(&mut connection).await.is_err() {
            assert!(began.elapsed().as_secs() < 1, "{scheme}: no session");
        }
        assert_eq!(pay(&terminal, &mut connection, &daemon.card(0)).await, "00", "{scheme}");

        // Session keys that REST gave out serve as those of 0800/101 do.
        let keys = rest.post("/session-keys", &json!({"terminalId": id})).await;
        terminal.set_keys(SessionKeys::from_carrier(&carrier(&keys), scheme.parse().unwrap(), &tmk).unwrap());
        assert_eq!(pay(&terminal, &mut connection, &daemon.card(0)).await, "00", "{scheme}: keys of REST");

        // A new master key ends the session.
        rest.post(&format!("/terminals/{id}/enroll"), &json!({})).await;
        pay_until(&terminal, &mut connection, &daemon.card(0), "63").await;
    }
}

/// Both keys as DE 62 carries them.
fn carrier(keys: &Value) -> String {
    let text = |name: &str| keys[name].as_str().unwrap().to_owned();
    let value = |key: &str, check: &str| match keys["keyScheme"].as_str() {
        Some("ecb") => format!("{}{}", text(key), &text(check)[..6]),
        _ => text(key),
    };
    let tag = |tag: &str, value: String| format!("{tag}{:03}{value}", value.len());
    tag("PK", value("pinKey", "pinKeyCheckValue")) + &tag("MK", value("macKey", "macKeyCheckValue"))
}
