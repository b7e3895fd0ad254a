//! Rows of events as the message path and REST make them.

use std::sync::Arc;

use ledger::{CardAction, Content, Entry, Event, EventId, PinCheck};
use serde_json::{Value, json};

use super::*;

fn applied(body: Body, code: Code) -> AppliedEvent {
    let outcome = Outcome {
        code,
        reason: 0,
        seq: 9,
        at: 1_800_000_000_000,
        amount: 1500,
        account: Some(7),
        balance: 8500,
        available: 8000,
        approval: 4711,
    };
    let event = Event::new(EventId::new(1_800_000_000_000, [0; 10]), Content([0; 16]), body);
    let moves = if code == Code::Approved { postings() } else { vec![] };
    AppliedEvent { seq: 9, at: outcome.at, event: Arc::new(event), outcome, replayed: false, moves, holds: vec![] }
}

fn postings() -> Vec<Posting> {
    vec![Posting { account: 7, amount: -1500 }, Posting { account: 3, amount: 1500 }]
}

/// Facts and record of a purchase, or of what else `mti` and `processing_code` name.
fn card(mti: &str, processing_code: &str) -> CardEvent {
    let record = json!({
        "kind": "purchase", "mti": mti, "processing_code": processing_code, "amount": 1500, "currency": "710",
        "stan": "000001", "transmission": "1125091844", "rrn": "630000000001", "terminal": "UMBRA001",
        "merchant": "UMBRAMERCHANT01", "card": "411111******1111", "listener": "pos-ascii",
        "elements": {"22": "051", "43": "SHOP \"ONE\""}, "withheld": [35, 52, 64],
    });
    let facts = [(3, processing_code), (4, "000000001500"), (11, "000001"), (37, "630000000001"), (41, "UMBRA001")];
    let mut answer = Vec::new();
    for (de, text) in facts {
        answer.extend_from_slice(&[de, u8::try_from(text.len()).unwrap()]);
        answer.extend_from_slice(text.as_bytes());
    }
    CardEvent {
        aliases: vec![],
        repeat_of: None,
        advice: false,
        card: Some(1),
        pin: PinCheck::NotChecked,
        pin_tries_max: 3,
        action: CardAction::Post { entry: Entry { currency: 710, postings: postings() } },
        answer,
        record: record.to_string().into_bytes(),
    }
}

fn json_of(event: &AppliedEvent) -> Value {
    serde_json::from_slice(&row_of(event).unwrap().json).unwrap()
}

#[test]
fn both_messages_are_shown_masked() {
    let event = applied(Body::Card(card("0200", "000000")), Code::Approved);
    let row = row_of(&event).unwrap();
    assert_eq!((row.terminal.as_deref(), row.rrn.as_deref()), (Some("UMBRA001"), Some("630000000001")));
    assert_eq!(
        json_of(&event),
        json!({
            "kind": "purchase", "listener": "pos-ascii", "code": "Approved", "amount": 1500,
            "account": 7, "balance": 8500, "available": 8000,
            "request": {
                "mti": "0200",
                "elements": {
                    "2": "411111******1111", "3": "000000", "4": "000000001500", "11": "000001", "22": "051",
                    "37": "630000000001", "41": "UMBRA001", "43": "SHOP \"ONE\"",
                },
                "withheld": [35, 52, 64],
            },
            "answer": {
                "mti": "0210",
                "elements": {
                    "3": "000000", "4": "000000001500", "11": "000001", "37": "630000000001", "38": "004711",
                    "39": "00", "41": "UMBRA001",
                },
            },
            "posted": [{"account": 7, "amount": -1500}, {"account": 3, "amount": 1500}],
            "held": [],
        })
    );
}

#[test]
fn the_answer_is_the_one_that_was_given() {
    let answer = |mti: &str, processing_code: &str, code: Code| {
        let event = applied(Body::Card(card(mti, processing_code)), code);
        let answer = json_of(&event)["answer"].take();
        let element = |de: &str| answer["elements"].get(de).and_then(Value::as_str).map(str::to_owned);
        (answer["mti"].as_str().unwrap().to_owned(), element("39").unwrap(), element("38"))
    };
    let told =
        |mti: &str, code: &str, approval: Option<&str>| (mti.to_owned(), code.to_owned(), approval.map(str::to_owned));
    assert_eq!(answer("0201", "000000", Code::Approved), told("0210", "00", Some("004711")));
    assert_eq!(answer("0200", "000000", Code::InsufficientFunds), told("0210", "51", None));
    assert_eq!(answer("0200", "310000", Code::Approved), told("0210", "00", None));
    assert_eq!(answer("0100", "000000", Code::WrongPin), told("0110", "55", None));
    assert_eq!(answer("0200", "000000", Code::CountLimitExceeded), told("0210", "65", None));
    assert_eq!(answer("0200", "000000", Code::AmountLimitExceeded), told("0210", "61", None));
    assert_eq!(answer("0200", "000000", Code::Unanswered), told("0210", "91", None));
    assert_eq!(answer("0200", "000000", Code::AtcNotNew), told("0210", "82", None));
    assert_eq!(answer("0420", "000000", Code::OriginalNotFound), told("0430", "00", None));
    assert_eq!(answer("0400", "000000", Code::OriginalNotFound), told("0410", "25", None));
}

#[test]
fn what_came_over_rest_has_its_record() {
    let entry = Entry { currency: 710, postings: postings() };
    let record = br#"{"kind":"transfer","description":"rent"}"#.to_vec();
    let row = json_of(&applied(Body::Post { entry: entry.clone(), record }, Code::Approved));
    assert_eq!(
        (&row["kind"], &row["currency"], &row["record"]["description"]),
        (&json!("transfer"), &json!(710), &json!("rent"))
    );
    let bare = json_of(&applied(Body::Post { entry, record: vec![] }, Code::InsufficientFunds));
    assert_eq!(
        (&bare["kind"], &bare["code"], &bare["posted"]),
        (&json!("post"), &json!("InsufficientFunds"), &json!([]))
    );
    assert_eq!(bare.get("record"), None);
}

#[test]
fn only_transactions_have_rows() {
    let copy = AppliedEvent { replayed: true, ..applied(Body::Card(card("0200", "000000")), Code::Approved) };
    assert_eq!(row_of(&copy), None);
    for body in
        [Body::Tick, Body::CloseAccount { account: 1 }, Body::ResetPinTries { card: 1 }, Body::ForgetAtc { card: 1 }]
    {
        assert_eq!(row_of(&applied(body, Code::Approved)), None);
    }
}

/// Records of before there were `elements`, and bytes that are no record.
#[test]
fn other_records_still_make_a_row() {
    let old = br#"{"kind":"purchase","mti":"0200","card":"411111******1111","listener":"pos-ascii"}"#;
    let event = |record: &[u8]| {
        applied(Body::Card(CardEvent { record: record.to_vec(), ..card("0200", "000000") }), Code::Approved)
    };
    let row = json_of(&event(old));
    assert_eq!(
        (&row["request"]["elements"]["2"], &row["request"]["elements"]["11"]),
        (&json!("411111******1111"), &json!("000001"))
    );
    let row = json_of(&event(b"\xFF"));
    assert_eq!((row["code"].as_str(), row.get("answer")), (Some("Approved"), None));
}
