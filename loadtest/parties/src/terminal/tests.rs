//! What the requests say, in both dialects.

use iso8583::domain::OriginalData;
use payment_crypto::mac::{Algorithm, Padding, generate};
use time::macros::datetime;

use super::*;
use crate::KeyScheme;
use crate::fake_host::{TAK, TPK, key, profile};

const PAN: &str = "9999990000000008";
const LISTENERS: [&str; 2] = ["pos-binary", "pos-ascii"];

fn terminal(listener: &str) -> Terminal {
    let mut terminal = Terminal::new(profile(KeyScheme::Tr31), Dialect::of_listener(listener).unwrap())
        .with_clock(|| datetime!(2026-11-25 06:15:30 +2));
    terminal.set_keys(SessionKeys { tpk: key(TPK), tak: key(TAK) });
    terminal.set_next_stan(123).unwrap();
    terminal
}

fn swiped() -> CardProfile {
    CardProfile::swiped("9999990000000008=30122010000012300000", "710").unwrap().with_pin("4711").unwrap()
}

fn keyed() -> CardProfile {
    CardProfile::keyed(PAN, Some("3012"), "710").unwrap()
}

/// One of every kind that can be built.
fn one_of_each(terminal: &Terminal) -> Vec<Request> {
    let kinds = [Kind::Purchase, Kind::Cash, Kind::Cashback { cash: 500 }, Kind::Refund, Kind::PreAuth, Kind::Balance];
    let mut requests = Vec::new();
    for kind in kinds {
        for card in [swiped(), keyed()] {
            requests.push(terminal.request(kind, &card, if kind == Kind::Balance { 0 } else { 1250 }).unwrap());
        }
    }
    let original = Original::of(&requests[0]).unwrap();
    requests.push(terminal.completion(&keyed(), 1000, "000777", &original).unwrap());
    for advice in [false, true] {
        for remaining_minor in [None, Some(250)] {
            let how = Reversal { advice, remaining_minor };
            requests.push(terminal.reversal(how, &swiped(), &original).unwrap());
        }
    }
    for what in [Administration::SignOn, Administration::SignOff, Administration::KeyExchange, Administration::Echo] {
        requests.push(terminal.administer(what).unwrap());
    }
    requests
}

#[test]
fn every_request_decodes_to_what_was_encoded() {
    for listener in LISTENERS {
        let terminal = terminal(listener);
        for request in one_of_each(&terminal) {
            let message = terminal.dialect().spec.decode(request.wire()).unwrap();
            assert!(message.to_fields() == *request.fields(), "{listener} {request:?}");
        }
    }
}

#[test]
fn a_swiped_purchase_has_its_fields() {
    let terminal = terminal("pos-ascii");
    let request = terminal.request(Kind::Purchase, &swiped(), 1250).unwrap();
    let expected = [
        (3, "000000"),
        (4, "000000001250"),
        // UTC; the terminal's own time is two hours ahead.
        (7, "1125041530"),
        (11, "000123"),
        (12, "061530"),
        (13, "1125"),
        (22, "021"),
        (25, "00"),
        (35, "9999990000000008=30122010000012300000"),
        (37, "632904000123"),
        (41, "UMBRA001"),
        (42, "UMBRAMERCHANT01"),
        (49, "710"),
    ];
    for (de, text) in expected {
        assert_eq!(request.fields().text(de), Some(text), "DE {de}");
    }
    assert_eq!(request.fields().iter().count(), expected.len() + 2, "and DE 52 and DE 64");
    assert_eq!((request.mti(), request.answer_mti().as_str()), ("0200", "0210"));
}

#[test]
fn the_pin_block_opens_under_the_tpk() {
    let request = terminal("pos-binary").request(Kind::Cash, &swiped(), 1250).unwrap();
    let block: [u8; 8] = request.fields().binary(52).unwrap().try_into().unwrap();
    let clear = key(TPK).decrypt_block(block);
    assert_eq!(pin_block::format0::decode(clear, swiped().pan().account12().as_str()), Ok(Pin::parse("4711").unwrap()));
    for request in [
        terminal("pos-binary").request(Kind::Refund, &swiped(), 1250).unwrap(),
        terminal("pos-binary").request(Kind::Cash, &keyed(), 1250).unwrap(),
    ] {
        assert!(!request.fields().has(52));
    }
}

#[test]
fn macs_stand_where_they_must() {
    for listener in LISTENERS {
        let terminal = terminal(listener);
        for request in one_of_each(&terminal) {
            let code = request.fields().text(70).unwrap_or_default();
            let expected = match (request.mti(), code) {
                ("0800", "001" | "101") => None,
                ("0800" | "0220" | "0400" | "0420", _) => Some(128),
                _ => Some(64),
            };
            let present: Vec<u8> = [64, 128].into_iter().filter(|de| request.fields().has(*de)).collect();
            assert_eq!(present, expected.into_iter().collect::<Vec<_>>(), "{request:?}");
            let Some(de) = expected else { continue };
            let message = terminal.dialect().spec.decode(request.wire()).unwrap();
            let covered = &request.wire()[..message.span(de).unwrap().start];
            let mac = generate(Algorithm::Three, &key(TAK), Padding::Zeros, covered).unwrap();
            assert_eq!(request.fields().binary(de), Some(&mac[..]));
        }
    }
}

#[test]
fn kinds_differ_where_they_must() {
    let terminal = terminal("pos-ascii");
    let head = |kind, amount| {
        let request = terminal.request(kind, &keyed(), amount).unwrap();
        let text = |de| request.fields().text(de).unwrap_or_default().to_owned();
        (request.mti().to_owned(), text(3), text(4), text(54))
    };
    let of = |mti: &str, code: &str, amount: &str, de54: &str| (mti.into(), code.into(), amount.into(), de54.into());
    assert_eq!(head(Kind::Purchase, 1), of("0200", "000000", "000000000001", ""));
    assert_eq!(head(Kind::Cash, 1), of("0200", "010000", "000000000001", ""));
    let cashback = of("0200", "090000", "000000001000", "0040710D000000000400");
    assert_eq!(head(Kind::Cashback { cash: 400 }, 1000), cashback);
    assert_eq!(head(Kind::Refund, 1), of("0200", "200000", "000000000001", ""));
    assert_eq!(head(Kind::PreAuth, 1), of("0100", "000000", "000000000001", ""));
    assert_eq!(head(Kind::Balance, 0), of("0200", "310000", "000000000000", ""));
    assert!(terminal.request(Kind::Purchase, &keyed(), AMOUNT_MAX).is_ok());
    assert!(matches!(terminal.request(Kind::Purchase, &keyed(), AMOUNT_MAX + 1), Err(Error::Amount)));
}

#[test]
fn completions_and_reversals_name_their_original() {
    let terminal = terminal("pos-binary");
    let hold = terminal.request(Kind::PreAuth, &keyed(), 5000).unwrap();
    let original = Original::of(&hold).unwrap();
    assert_eq!(original.reference().as_deref(), Some("0100:000123:1125041530"));
    let completion = terminal.completion(&keyed(), 4000, "000777", &original).unwrap();
    let text = |request: &Request, de| request.fields().text(de).map(str::to_owned);
    assert_eq!(completion.mti(), "0220");
    assert_eq!(text(&completion, 25).as_deref(), Some("06"));
    assert_eq!(text(&completion, 38).as_deref(), Some("000777"));
    assert_eq!(text(&completion, 37), hold.rrn().map(str::to_owned));
    let data = OriginalData::parse(&text(&completion, 90).unwrap()).unwrap();
    assert_eq!((data.mti.as_str(), data.stan.as_str(), data.transmission.as_str()), ("0100", "000123", "1125041530"));

    let how = Reversal { advice: true, remaining_minor: Some(1500) };
    let reversal = terminal.reversal(how, &keyed(), &original).unwrap();
    assert_eq!((reversal.mti(), reversal.answer_mti().as_str()), ("0420", "0430"));
    for de in [2, 3, 4, 37, 49] {
        assert_eq!(text(&reversal, de), text(&hold, de), "DE {de}");
    }
    assert_eq!(text(&reversal, 95).as_deref(), Some("000000001500000000000000C00000000C00000000"));
    assert_ne!(reversal.stan(), hold.stan());

    let unnamed = Original { data: None, rrn: None, ..original };
    assert!(terminal.completion(&keyed(), 4000, "000777", &unnamed).is_err());
    assert!(!terminal.reversal(Reversal::default(), &keyed(), &unnamed).unwrap().fields().has(90));
    let echo = terminal.administer(Administration::Echo).unwrap();
    assert!(matches!(Original::of(&echo), Err(Error::Original(_))));
}

#[test]
fn a_repeat_is_the_same_message_with_its_own_mac() {
    for listener in LISTENERS {
        let terminal = terminal(listener);
        for request in one_of_each(&terminal).iter().filter(|request| request.mti() != "0800") {
            let repeat = request.as_repeat().unwrap();
            assert_eq!(repeat.mti(), format!("{}1", &request.mti()[..3]));
            assert_eq!(repeat.answer_mti(), request.answer_mti());
            let mac = if request.fields().has(128) { 128 } else { 64 };
            assert_ne!(repeat.fields().binary(mac), request.fields().binary(mac));
            let (mut one, mut other) = (request.fields().clone(), repeat.fields().clone());
            one.remove(mac);
            other.remove(mac);
            other.set_mti(request.mti());
            assert!(one == other, "{request:?}");
            let message = terminal.dialect().spec.decode(repeat.wire()).unwrap();
            assert!(crate::mac::verify(&message, Some(&key(TAK))).unwrap());
            assert_eq!(repeat.as_repeat().unwrap().wire(), repeat.wire());
        }
    }
}

#[test]
fn stans_run_round_without_zero() {
    let terminal = terminal("pos-binary");
    terminal.set_next_stan(STAN_MAX).unwrap();
    let stans: Vec<String> =
        (0..2).map(|_| terminal.request(Kind::Purchase, &keyed(), 1).unwrap().stan().to_owned()).collect();
    assert_eq!(stans, ["999999", "000001"]);
    assert!(terminal.set_next_stan(0).is_err() && terminal.set_next_stan(STAN_MAX + 1).is_err());
}

#[test]
fn without_keys_only_what_needs_none_can_be_built() {
    let dialect = Dialect::of_listener("pos-binary").unwrap();
    let fresh = Terminal::new(profile(KeyScheme::Tr31), dialect.clone());
    for what in [Administration::SignOn, Administration::KeyExchange, Administration::Echo] {
        assert!(!fresh.administer(what).unwrap().has_mac());
    }
    assert!(matches!(fresh.administer(Administration::SignOff), Err(Error::NoSessionKeys)));
    assert!(matches!(fresh.request(Kind::Purchase, &keyed(), 1), Err(Error::NoSessionKeys)));

    let without_mac = TerminalProfile { mac: false, ..profile(KeyScheme::Tr31) };
    let fresh = Terminal::new(without_mac, dialect);
    assert!(!fresh.request(Kind::Purchase, &keyed(), 1).unwrap().has_mac());
    assert!(matches!(fresh.request(Kind::Purchase, &swiped(), 1), Err(Error::NoSessionKeys)), "a PIN needs a key");
}

#[test]
fn nothing_shows_card_data_keys_or_pins() {
    let terminal = terminal("pos-ascii");
    let hidden = [PAN, "30122010000012300000", "4711", "9999990000000008"];
    for request in one_of_each(&terminal) {
        for shown in [format!("{request:?}"), format!("{terminal:?}"), request.describe()] {
            assert!(hidden.iter().all(|secret| !shown.contains(secret)), "{shown}");
            assert!(!shown.contains("35, 35") && !shown.contains("2323"), "{shown}");
        }
        if let Some(block) = request.fields().binary(52) {
            assert!(!request.describe().contains(&hex::encode_upper(block)));
        }
    }
}
