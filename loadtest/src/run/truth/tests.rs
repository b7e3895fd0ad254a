//! Doctored books: every kind of difference is seen under its own name, and nothing else is.

use std::sync::Arc;

use ledger::{AppliedEvent, Body, CardAction, CardEvent, Content, Entry, Event, EventId, Outcome, PinCheck, Posting};

use serde_json::{Value, json};
use tranlog::StoredRow;

use super::*;
use crate::run::book::{Meant, Told};
use crate::run::tranlog_rows;

const WALLET: i64 = 7;
const ACCOUNT: u64 = 70;
const SHOP: u64 = 71;

fn key(stan: u32) -> MessageKey {
    MessageKey::new("T0000001", "0200", &stan.to_string(), "1125041500").unwrap()
}

/// A purchase of 5.00 that was told of as approved.
fn purchase(stan: u32) -> Seen {
    Seen {
        key: key(stan),
        card: 0,
        amount: 500,
        effect: Effect::Post(-500),
        meant: Meant::Approved,
        repeat: false,
        told: Some(Told { code: *b"00", approval: Some(stan) }),
        unsound: false,
    }
}

/// What the ledger did for it.
fn event(seq: u64, stan: u32, code: Code, amount: i64) -> AppliedEvent {
    let record = serde_json::json!({
        "kind": "purchase", "mti": "0200", "amount": 500, "stan": format!("{stan:06}"), "transmission": "1125041500",
        "terminal": "T0000001",
    });
    let card = CardEvent {
        aliases: vec![],
        repeat_of: None,
        advice: false,
        card: Some(1),
        pin: PinCheck::NotChecked,
        pin_tries_max: 3,
        action: CardAction::Decline { reason: 0 },
        answer: vec![],
        record: record.to_string().into_bytes(),
    };
    let moves = if code == Code::Approved { moved(ACCOUNT, SHOP, amount) } else { vec![] };
    applied(seq, Body::Card(card), code, amount, stan, moves)
}

fn moved(from: u64, to: u64, amount: i64) -> Vec<Posting> {
    vec![Posting { account: from, amount: -amount }, Posting { account: to, amount }]
}

fn applied(seq: u64, body: Body, code: Code, amount: i64, approval: u32, moves: Vec<Posting>) -> AppliedEvent {
    let event = Event::new(EventId::new(seq, [0; 10]), Content([0; 16]), body);
    let (account, balance, available) = (Some(ACCOUNT), 0, 0);
    let outcome = Outcome { code, reason: 0, seq, at: seq, amount, account, balance, available, approval };
    AppliedEvent { seq, at: seq, event: Arc::new(event), outcome, replayed: false, moves, holds: vec![] }
}

/// The event's row in the transaction log.
fn row(event: &AppliedEvent) -> String {
    let (code, amount) = (format!("{:?}", event.outcome.code), event.outcome.amount);
    let record = match &event.event.body {
        Body::Card(card) => &card.record,
        Body::Post { record, .. } => record,
        other => panic!("not of these tests: {other:?}"),
    };
    let record: Value = serde_json::from_slice(record).unwrap();
    if record["kind"] == "transfer" {
        return json!({"kind": "transfer", "code": code, "amount": amount, "record": record}).to_string();
    }
    let request = json!({
        "4": format!("{:012}", record["amount"].as_i64().unwrap()), "7": record["transmission"], "11": record["stan"],
        "41": record["terminal"],
    });
    json!({
        "kind": record["kind"], "code": code, "amount": amount,
        "request": {"mti": record["mti"], "elements": request},
        "answer": {"mti": "0210", "elements": {"38": format!("{:06}", event.outcome.approval), "39": "00"}},
    })
    .to_string()
}

fn stated(entries: u64, sum: i64) -> Statement {
    Statement { entries, sum, balance: sum, balances_follow: true, first: Some((10, -500)) }
}

/// Everybody's books of two purchases.
struct Doctored {
    seen: Vec<Seen>,
    events: Vec<AppliedEvent>,
    transfers: Vec<Transfer>,
    statement: Statement,
    /// Rows of the transaction log that differ from what the events say: sequence, and its row or none.
    rows: Vec<(u64, Option<String>)>,
}

impl Doctored {
    fn agreeing() -> Self {
        Self {
            seen: vec![purchase(1), purchase(2)],
            events: vec![event(10, 1, Code::Approved, 500), event(11, 2, Code::Approved, 500)],
            transfers: vec![],
            statement: stated(2, -1000),
            rows: vec![],
        }
    }

    /// What the daemon writes down of the events, but for what was doctored.
    fn tranlog(&self) -> Entries {
        let mut entries = Entries::default();
        let rows = self.events.iter().filter(|event| !event.replayed).map(|event| (event.seq, Some(row(event))));
        let kept = rows.filter(|(seq, _)| self.rows.iter().all(|(doctored, _)| doctored != seq));
        for (seq, json) in kept.chain(self.rows.iter().cloned()) {
            if let Some(json) = json {
                tranlog_rows::take(&StoredRow { seq, at: seq, json: json.into_bytes() }, &mut entries).unwrap();
            }
        }
        entries
    }

    fn compare(&self) -> Truth {
        let mut journal = Journal::keeping([10]);
        self.events.iter().for_each(|event| journal.take(event));
        let wallets = [Wallet { id: WALLET, statement: self.statement }];
        let clients = Clients { messages: &self.seen, transfers: &self.transfers, wallets: &wallets };
        compare(&clients, Books { journal: &journal, tranlog: &self.tranlog() })
    }

    /// The kinds of difference that are found.
    fn found(&self) -> Vec<String> {
        let truth = self.compare();
        let found: Vec<String> = truth.findings().into_iter().map(|finding| finding.what).collect();
        assert_eq!(truth.passed(), found.is_empty(), "{found:?}");
        found
    }
}

#[test]
fn books_that_agree_pass() {
    let truth = Doctored::agreeing().compare();
    assert!(truth.passed(), "{:?}", truth.findings());
    let report = truth.report;
    assert_eq!((report.sent, report.approved, report.wallets_compared, report.wallets_wrong), (2, 2, 1, 0));
}

#[test]
fn an_approval_without_its_posting_is_lost() {
    let mut books = Doctored::agreeing();
    books.events.pop();
    books.statement = stated(1, -500);
    assert_eq!(books.found(), ["lost", "wallet_wrong"]);
    assert_eq!(books.compare().report.lost, 1);
    books.events.push(event(11, 2, Code::InsufficientFunds, 500));
    assert_eq!(books.found(), ["lost", "wallet_wrong"], "declined in the ledger");
}

#[test]
fn an_approval_without_its_entry_in_the_statement_is_lost() {
    let mut books = Doctored::agreeing();
    books.statement = stated(1, -500);
    assert_eq!(books.found(), ["lost", "wallet_wrong"]);
    books.statement = stated(3, -1500);
    assert_eq!(books.found(), ["doubled", "wallet_wrong"]);
}

#[test]
fn what_is_posted_twice_or_unasked_is_doubled() {
    let mut books = Doctored::agreeing();
    books.events.push(event(12, 2, Code::Approved, 500));
    books.statement = stated(3, -1500);
    assert_eq!(books.found(), ["doubled", "wallet_wrong"]);
    books.events.pop();
    books.events.push(event(12, 900_001, Code::Approved, 500));
    let truth = books.compare();
    assert_eq!(truth.report.doubled, 1);
    let text = truth.findings().into_iter().map(|finding| finding.text).collect::<String>();
    assert!(text.contains("STAN 900001") && text.contains("no client sent"), "{text}");
}

#[test]
fn balances_that_do_not_follow_and_empty_statements_are_wrong() {
    let mut books = Doctored::agreeing();
    books.statement.balance = -999;
    assert_eq!(books.found(), ["wallet_wrong"]);
    books.statement = Statement { balances_follow: false, ..stated(2, -1000) };
    assert_eq!(books.found(), ["wallet_wrong"]);
    books.seen.clear();
    books.events.clear();
    books.statement = Statement { balances_follow: true, ..Statement::default() };
    assert_eq!(books.found(), ["wallet_wrong"], "not even what it was opened with");
}

#[test]
fn the_transaction_log_must_say_the_same_as_the_ledger() {
    let mut books = Doctored::agreeing();
    let second = row(&books.events[1]);
    books.rows = vec![(11, None)];
    assert_eq!(books.found(), ["lost"]);
    let text = books.compare().findings().remove(0).text;
    assert!(
        text.contains("1 approvals") && text.contains("STAN 000002") && text.contains("transaction log)"),
        "{text}"
    );
    books.rows = vec![(11, Some(second.replace("Approved", "InsufficientFunds")))];
    assert_eq!(books.found(), ["lost"]);
    books.rows = vec![(11, Some(second.clone())), (12, Some(second.clone()))];
    assert_eq!(books.found(), ["doubled"]);
    books.rows = vec![(12, Some(second.replace("000002", "900001")))];
    assert_eq!(books.found(), ["doubled"], "a row that nobody sent");
    for changed in [
        second.replace("\"000000000500\"", "\"000000000499\""),
        second.replace("\"38\":\"000002\"", "\"38\":\"000003\""),
    ] {
        assert_ne!(changed, second);
        books.rows = vec![(11, Some(changed))];
        assert_eq!(books.found(), ["contradicted"]);
    }
    // What is missing in both is one loss.
    books.rows = vec![];
    books.events.pop();
    books.statement = stated(1, -500);
    assert_eq!(books.compare().report.lost, 1);
}

#[test]
fn what_had_to_be_refused_must_not_be_paid() {
    let mut books = Doctored::agreeing();
    books.seen[1].meant = Meant::Declined(*b"62");
    assert_eq!(books.found(), ["wrongly_approved"]);
}

#[test]
fn copies_answered_from_memory_post_nothing() {
    let mut books = Doctored::agreeing();
    books.seen.push(Seen { repeat: true, effect: Effect::None, ..purchase(2) });
    let mut copy = event(12, 2, Code::Approved, 500);
    (copy.replayed, copy.moves) = (true, vec![]);
    books.events.push(copy);
    assert_eq!(books.found(), [""; 0]);
}

#[test]
fn a_lost_answer_is_told_from_lost_money() {
    let mut books = Doctored::agreeing();
    books.seen[1].told = None;
    assert_eq!(books.found(), ["unanswered", "lost_answer"]);
    books.events.pop();
    books.statement = stated(1, -500);
    assert_eq!(books.found(), ["unanswered"], "never arrived: nothing moved");
    books.seen[1].unsound = true;
    assert_eq!(books.found(), ["unsound_answer"]);
}

#[test]
fn answers_that_say_other_than_the_ledger_contradict_it() {
    type Change = fn(&mut Doctored);
    let changes: [(&str, Change); 3] = [
        ("approval number", |books| books.seen[1].told = Some(Told { code: *b"00", approval: Some(99) })),
        ("amount", |books| books.seen[1].amount = 499),
        ("code", |books| books.seen[1].told = Some(Told { code: *b"51", approval: None })),
    ];
    for (what, change) in changes {
        let mut books = Doctored::agreeing();
        change(&mut books);
        assert!(books.found().contains(&"contradicted".to_owned()), "{what}");
    }
}

#[test]
fn reversals_give_back_what_was_posted() {
    let mut books = Doctored::agreeing();
    let undo = Effect::Undo { original: key(2), remaining: 120 };
    let reversal = MessageKey::new("T0000001", "0420", "3", "1125041501").unwrap();
    books.seen.push(Seen { key: reversal, effect: undo, ..purchase(3) });
    let mut back = event(12, 3, Code::Approved, 500);
    if let Body::Card(card) = &mut Arc::get_mut(&mut back.event).unwrap().body {
        let text = String::from_utf8(card.record.clone()).unwrap();
        card.record = text.replace("0200", "0420").replace("1125041500", "1125041501").into_bytes();
    }
    back.moves = moved(SHOP, ACCOUNT, 380);
    books.events.push(back);
    books.statement = stated(3, -620);
    assert_eq!(books.found(), [""; 0]);
    // An advice about an original that never was approved is taken, and gives nothing back.
    books.seen[1].told = Some(Told { code: *b"68", approval: None });
    books.events[1] = event(11, 2, Code::TooLate, 500);
    books.events[2].outcome.code = Code::OriginalNotFound;
    books.events[2].moves = vec![];
    books.statement = stated(1, -500);
    assert_eq!(books.found(), [""; 0]);
}

#[test]
fn transfers_are_found_by_their_names() {
    let transfer = |seq: u64, name: &str| {
        let record = serde_json::json!({"kind": "transfer", "description": name}).to_string().into_bytes();
        let entry = Entry { currency: 710, postings: moved(ACCOUNT, SHOP, 250) };
        applied(seq, Body::Post { entry, record }, Code::Approved, 250, 0, moved(ACCOUNT, SHOP, 250))
    };
    let asked = |told| Transfer { name: "load-1".into(), from: WALLET, to: 8, amount: 250, told };
    let mut books = Doctored::agreeing();
    books.events.push(transfer(12, "load-1"));
    books.transfers.push(asked(Some(Ok(12))));
    books.statement = stated(3, -1250);
    assert_eq!(books.found(), [""; 0]);
    books.transfers[0] = asked(Some(Ok(13)));
    assert_eq!(books.found(), ["contradicted"]);
    books.rows = vec![(12, None)];
    books.transfers[0] = asked(Some(Ok(12)));
    assert_eq!(books.found(), ["lost"], "not in the transaction log");
    books.rows.clear();
    books.transfers[0] = asked(None);
    assert_eq!(books.found(), ["unanswered", "lost_answer"]);
    books.transfers[0] = asked(Some(Err(503)));
    assert_eq!(books.found(), ["contradicted", "wallet_wrong"]);
    books.transfers.clear();
    assert_eq!(books.found(), ["doubled", "wallet_wrong"]);
}
