//! Where two things are wrong at once, the first in the list of codes is given: every pair that can meet, in every
//! kind of event.
//!
//! A fault is what has to be said differently for it, of an event that would be approved. Two faults meet if they do
//! not say the same word differently.

use std::collections::{BTreeMap, BTreeSet};

use ledger::Code::{self, *};

use crate::worksheet;

type Words = BTreeMap<&'static str, &'static str>;

/// The code, and ways to come to it; those further back serve where the first cannot meet the other fault.
type Fault = (Code, &'static [&'static [(&'static str, &'static str)]]);

/// What is there before the event. A is closed, D in dollars, E empty; Z has nearly all that 64 bits hold, S has paid it.
const BEFORE: &str = "
    fund  | post BANK>W 100        | Approved
    full  | post S>Z 9223372036854775800 | Approved
    back  | post BANK>S 100        | Approved
    shut  | close A                | Approved
    h     | card 7 hold W>M 40     | Approved
    hz    | card 7 hold W>Z 1      | Approved
    p     | post BANK-6,I+2,W+4    | Approved
    p2    | post I>W 2             | Approved
    p3    | close I                | Approved
    pair  | card 7 post BANK>M 5   | Approved
    ask   | card 7 forward 3       | Forwarded
    seen  | card 7 inquire W atc=5 | Approved
";

const OPENED: [&str; 6] = ["A 710", "D 840", "E 710", "I 710", "S 710 floor=unlimited", "Z 710"];

const ENTRY: [Fault; 6] = [
    (InvalidEntry, &[&[("balance", "1")]]),
    (AccountNotFound, &[&[("debit", "X")], &[("credit", "X")]]),
    (AccountClosed, &[&[("credit", "A")], &[("debit", "A")]]),
    (CurrencyMismatch, &[&[("cur", "cur=978")], &[("credit", "D")], &[("debit", "D")]]),
    (InsufficientFunds, &[&[("debit", "E")], &[("amount", "9999")]]),
    (Overflow, &[&[("credit", "Z")], &[("debit", "S")]]),
];

const LIMITS: [Fault; 3] = [
    (CountLimitExceeded, &[&[("count", "0")]]),
    (AmountLimitExceeded, &[&[("sum", "0")]]),
    (Full, &[&[("usages", "0")]]),
];

const CARD: [Fault; 8] = [
    (IdTooOld, &[&[("id", "at=-9d")]]),
    (TooLate, &[&[("id", ""), ("buried", "yes")]]),
    (AtcNotNew, &[&[("atc", "atc=5"), ("card", "7")]]),
    (AtcTooFar, &[&[("atc", "atc=50/3"), ("card", "7")]]),
    (AtcNotJudged, &[&[("atc", "atc=5"), ("card", "8"), ("counters", "1")]]),
    (PinTriesExceeded, &[&[("pin", "pin=right max=0")]]),
    (WrongPin, &[&[("pin", "pin=wrong")]]),
    (PinNotJudged, &[&[("pin", "pin=right"), ("cards", "0")]]),
];

const COMPLETION: [Fault; 3] = [
    (HoldNotFound, &[&[("hold", "fund")]]),
    (ApprovalMismatch, &[&[("hold", "h"), ("approval", "approval=1")]]),
    (OverTolerance, &[&[("hold", "h"), ("amount", "41")]]),
];

/// Words as they are where nothing is wrong.
fn usual() -> Words {
    Words::from([
        ("card", "7"),
        ("debit", "W"),
        ("credit", "M"),
        ("amount", "10"),
        ("balance", ""),
        ("cur", ""),
        ("atc", ""),
        ("pin", ""),
        ("id", ""),
        ("buried", ""),
        ("action", ""),
        ("count", ""),
        ("sum", ""),
        ("usages", ""),
        ("holds", ""),
        ("counters", ""),
        ("cards", ""),
        ("tombstones", ""),
        ("hold", "h"),
        ("approval", ""),
        ("original", "pair"),
        ("content", ""),
        ("remaining", "0"),
        ("account", "F"),
        ("accounts", ""),
        ("forward", "ask"),
        ("messages", ""),
    ])
}

/// Works each fault and each pair of them. `say`: the event in words. `apart`: the pairs that cannot meet.
fn work(faults: &[Fault], apart: &[(Code, Code)], say: fn(&Words) -> String) {
    work_for(Approved, faults, apart, say);
}

/// The same where another code than approval says that nothing is wrong.
fn work_for(right: Code, faults: &[Fault], apart: &[(Code, Code)], say: fn(&Words) -> String) {
    let mut missed: BTreeSet<(Code, Code)> = BTreeSet::new();
    let mut met = BTreeSet::new();
    outcome(&usual(), say, right);
    for (number, (code, ways)) in faults.iter().enumerate() {
        outcome(&said(&[ways[0]]).unwrap(), say, *code);
        for (other, others) in faults[..number].iter().filter(|(other, _)| other != code) {
            let pair = (*code.min(other), *code.max(other));
            let mut both = ways.iter().flat_map(|way| others.iter().filter_map(move |other| said(&[way, other])));
            match both.next() {
                Some(words) => {
                    outcome(&words, say, pair.0);
                    met.insert(pair);
                }
                None => {
                    missed.insert(pair);
                }
            }
        }
    }
    missed.retain(|pair| !met.contains(pair));
    assert_eq!(missed, apart.iter().copied().collect());
}

fn said(ways: &[&[(&'static str, &'static str)]]) -> Option<Words> {
    let mut words = Words::new();
    for (word, value) in ways.concat() {
        if words.insert(word, value).is_some_and(|before| before != value) {
            return None;
        }
    }
    let mut all = usual();
    all.extend(words);
    Some(all)
}

fn outcome(words: &Words, say: fn(&Words) -> String, expected: Code) {
    let bound = |name: &str| if words[name].is_empty() { String::new() } else { format!(" {name}={}", words[name]) };
    let bounds: String =
        ["accounts", "holds", "usages", "counters", "cards", "tombstones", "messages"].map(bound).concat();
    let mut sheet = format!("bounds records=99{bounds}\nid | event | outcome\n");
    for opened in OPENED {
        sheet += &format!("o{opened} | open {opened} | Approved\n");
    }
    sheet += BEFORE;
    if !words["buried"].is_empty() {
        sheet += "name x -1s\nrev | card 7 reverse x | OriginalNotFound\n";
    }
    sheet += &format!("x | {} | {expected:?}\n", say(words));
    worksheet::work(&sheet);
}

fn entry_of(words: &Words) -> String {
    let [debit, credit, amount, cur] = ["debit", "credit", "amount", "cur"].map(|word| words[word]);
    let credited = if words["balance"].is_empty() { amount } else { words["balance"] };
    format!("{debit}-{amount},{credit}+{credited} {cur}")
}

fn limits(words: &Words) -> String {
    let is_limited = ["count", "sum", "usages"].iter().any(|word| !words[word].is_empty());
    if is_limited { format!("limits=W.9.day:{}:{}", words["count"], words["sum"]) } else { String::new() }
}

fn card(words: &Words, action: &str) -> String {
    let common = ["atc", "pin", "id", "content"].map(|word| words[word]).join(" ");
    format!("card {} {action} {common}", words["card"])
}

/// They speak of the same id, counter or PIN.
const CARD_APART: [(Code, Code); 7] = [
    (IdTooOld, TooLate),
    (AtcNotNew, AtcTooFar),
    (AtcNotNew, AtcNotJudged),
    (AtcTooFar, AtcNotJudged),
    (PinTriesExceeded, WrongPin),
    (PinTriesExceeded, PinNotJudged),
    (WrongPin, PinNotJudged),
];

#[test]
fn of_a_purchase() {
    work(&[&CARD[..], &ENTRY, &LIMITS].concat(), &CARD_APART, |words| {
        card(words, &format!("post {} {}", entry_of(words), limits(words)))
    });
}

#[test]
fn of_a_hold() {
    let full: Fault = (Full, &[&[("holds", "2")]]);
    work(&[&CARD[..], &ENTRY, &LIMITS, &[full]].concat(), &CARD_APART, |words| {
        card(words, &format!("hold {} {}", entry_of(words), limits(words)))
    });
}

#[test]
fn of_a_decline() {
    let declined: Fault = (Declined, &[&[]]);
    let say = |words: &Words| card(words, "decline 5");
    for fault in &CARD {
        let words = said(&[fault.1[0]]).unwrap();
        outcome(&words, say, *(&fault.0).min(&declined.0));
    }
}

#[test]
fn of_a_completion() {
    // Without a hold there is nothing to compare approval and amount with.
    let apart = [(HoldNotFound, ApprovalMismatch), (HoldNotFound, OverTolerance)];
    work(&[&CARD[..], &COMPLETION, &ENTRY].concat(), &[&CARD_APART[..], &apart].concat(), |words| {
        let tolerance = if words["amount"] == "41" { "" } else { "tol=4294967295" };
        card(words, &format!("complete {} {} {} {tolerance}", words["hold"], entry_of(words), words["approval"]))
    });
}

#[test]
fn of_a_forward() {
    let full: Fault = (Full, &[&[("messages", "1")]]);
    work_for(Forwarded, &[&CARD[..], &[full]].concat(), &CARD_APART, |words| card(words, "forward 3"));
}

#[test]
fn of_an_answer() {
    let faults: [Fault; 2] = [(ForwardNotFound, &[&[("forward", "fund")]]), (Full, &[&[("messages", "1")]])];
    // Floors are not asked: the other party has decided.
    let entry: Vec<Fault> = ENTRY.into_iter().filter(|(code, _)| *code != InsufficientFunds).collect();
    work(&[&CARD[..1], &faults, &entry].concat(), &[], |words| {
        format!("answer {} approved {} send=3 {}", words["forward"], entry_of(words), words["id"])
    });
}

#[test]
fn of_a_reversal() {
    let faults: [Fault; 7] = [
        (OriginalNotFound, &[&[("original", "#none"), ("tombstones", "9")]]),
        (
            OriginalDiffers,
            &[
                &[("content", "content=y"), ("original", "pair")],
                &[("content", "content=y"), ("original", "p")],
                &[("content", "content=y"), ("original", "full")],
            ],
        ),
        (InvalidAmount, &[&[("remaining", "-1")]]),
        (NotReversible, &[&[("original", "p"), ("remaining", "1")]]),
        (AccountClosed, &[&[("original", "p")]]),
        (Overflow, &[&[("original", "full")]]),
        (
            Full,
            &[
                &[("original", "#none"), ("tombstones", "0"), ("buried", ""), ("remaining", "0")],
                &[("original", "#none"), ("tombstones", "1"), ("buried", "yes"), ("remaining", "0")],
            ],
        ),
    ];
    // What is not there has no content, amount or accounts; Full says that not even that could be noted.
    let apart = [
        (OriginalNotFound, OriginalDiffers),
        (OriginalNotFound, NotReversible),
        (OriginalNotFound, AccountClosed),
        (OriginalNotFound, Overflow),
        (OriginalNotFound, Full),
        (OriginalDiffers, Full),
        (InvalidAmount, NotReversible),
        (InvalidAmount, Full),
        (NotReversible, Overflow),
        (NotReversible, Full),
        (AccountClosed, Overflow),
        (AccountClosed, Full),
        (Overflow, Full),
    ];
    let say = |words: &Words| card(words, &format!("reverse {} to {}", words["original"], words["remaining"]));
    work(&[&CARD[..2], &CARD[5..], &faults].concat(), &[&apart[..], &CARD_APART[..1], &CARD_APART[4..]].concat(), say);
}

#[test]
fn of_an_increase() {
    let faults: [Fault; 5] = [
        (IdTooOld, CARD[0].1),
        (HoldNotFound, &[&[("hold", "fund")]]),
        (InvalidAmount, &[&[("amount", "0")]]),
        (InsufficientFunds, &[&[("amount", "9999")]]),
        (Overflow, &[&[("hold", "hz")]]),
    ];
    let apart = [(HoldNotFound, Overflow), (InvalidAmount, InsufficientFunds)];
    // It is no further use: no count is exceeded by it.
    work(&[&faults[..], &LIMITS[1..]].concat(), &apart, |words| {
        format!("increase {} {} {} {}", words["hold"], words["amount"], limits(words), words["id"])
    });
}

#[test]
fn of_a_capture() {
    let faults: [Fault; 3] =
        [(IdTooOld, CARD[0].1), (HoldNotFound, &[&[("hold", "fund")]]), (InvalidAmount, &[&[("amount", "41")]])];
    work(&faults, &[], |words| format!("capture {} {} {}", words["hold"], words["amount"], words["id"]));
}

#[test]
fn of_a_new_account() {
    let faults: [Fault; 4] =
        [CARD[0], CARD[1], (AccountExists, &[&[("account", "W")]]), (Full, &[&[("accounts", "10")]])];
    work(&faults, &CARD_APART[..1], |words| format!("open {} 710 {}", words["account"], words["id"]));
}
