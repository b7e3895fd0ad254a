//! Decisions one by one; what follows from several is tested over sockets, in `network/tests`.

use iso8583::Fields;

use super::*;
use crate::network::key_carrier::fresh;
use crate::network::tests::fixture::{PAN, decoded};

fn books() -> Books {
    Books::new(Accounts::new(1, 1_000..=1_000, &[]), 1)
}

fn asked(mti: &str, stan: u32, amount: u64, changes: &[(u8, &str)]) -> Asked {
    let mut fields = Fields::new(mti);
    fields.set(11, format!("{stan:06}"));
    fields.set(4, format!("{amount:012}"));
    for (de, text) in [(2, PAN), (3, "000000"), (7, "1125041500"), (32, "500002"), (41, "NET00001"), (49, "710")] {
        fields.set(de, text);
    }
    for (de, text) in changes {
        fields.set(*de, *text);
    }
    decoded(&fields, Asked::read).unwrap()
}

/// DE 39 and what is special.
fn decide(books: &mut Books, asked: &Asked, decline: Option<[u8; 2]>) -> (String, Special) {
    let decision = books.decide(asked, &fresh().unwrap(), decline);
    (String::from_utf8(decision.verdict.code.to_vec()).unwrap(), decision.special)
}

fn available(books: &mut Books) -> i64 {
    let account = books.accounts.open(&asked("0200", 1, 1, &[]).pan, "710");
    books.accounts.balance(account).available()
}

#[test]
fn requests_are_declined_and_advices_are_not() {
    let mut books = books();
    let plain = |code: &str| (code.to_owned(), Special::Nothing);
    assert_eq!(decide(&mut books, &asked("0200", 1, 100, &[]), Some(*b"05")), plain("05"));
    assert_eq!(decide(&mut books, &asked("0220", 2, 100, &[]), Some(*b"05")), plain("00"));
    assert_eq!(decide(&mut books, &asked("0200", 3, 901, &[]), None), plain("51"));
    assert_eq!(decide(&mut books, &asked("0200", 4, 900, &[]), None), plain("00"));
    assert_eq!(decide(&mut books, &asked("0100", 5, 1, &[]), None), plain("51"));
    assert_eq!(decide(&mut books, &asked("0120", 6, 1, &[]), None), plain("00"));
    assert_eq!(decide(&mut books, &asked("0500", 7, 1, &[]), None), plain("12"));
    assert_eq!(available(&mut books), -1);
}

#[test]
fn a_declined_request_has_nothing_to_give_back() {
    let mut books = books();
    let original = "020000000111250415000000050000200000500001";
    decide(&mut books, &asked("0200", 1, 100, &[]), Some(*b"05"));
    let reversal = asked("0400", 2, 100, &[(90, original)]);
    assert_eq!(decide(&mut books, &reversal, None), ("00".to_owned(), Special::NothingToReverse));
    assert_eq!(available(&mut books), 1_000);
}

#[test]
fn a_copy_has_the_first_approval_and_decides_nothing_anew() {
    let mut books = books();
    let request = asked("0200", 1, 100, &[]);
    let keys = fresh().unwrap();
    let first = books.decide(&request, &keys, None);
    let again = books.decide(&request, &keys, Some(*b"05"));
    assert_eq!((again.verdict, again.special), (first.verdict, Special::Duplicate));
    assert!(first.verdict.approval.is_some());
    let other = asked("0200", 1, 101, &[]);
    assert_eq!(decide(&mut books, &other, None), ("94".to_owned(), Special::Duplicate));
    assert_eq!(available(&mut books), 900);
}

#[test]
fn what_remains_stays() {
    for (effect, remaining, changes, left) in [
        (Effect::Posted(-100), 0, (100, 0), Effect::Posted(0)),
        (Effect::Posted(-100), 30, (70, 0), Effect::Posted(-30)),
        (Effect::Posted(-100), 200, (0, 0), Effect::Posted(-100)),
        (Effect::Posted(100), 30, (-70, 0), Effect::Posted(30)),
        (Effect::Held(100), 30, (0, -70), Effect::Held(30)),
        (Effect::Nothing, 30, (0, 0), Effect::Nothing),
    ] {
        let mut standing = effect;
        assert_eq!((take_back(&mut standing, remaining), standing), (changes, left), "{effect:?} {remaining}");
    }
}
