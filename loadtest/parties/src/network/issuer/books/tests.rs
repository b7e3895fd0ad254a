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
    let account = books.accounts.account(&asked("0200", 1, 1, &[]).pan, "710");
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
fn inquiries_and_reversals_of_nothing_leave_no_account() {
    let mut books = books();
    decide(&mut books, &asked("0200", 1, 0, &[(3, "310000")]), None);
    decide(&mut books, &asked("0200", 2, 100, &[]), Some(*b"05"));
    decide(&mut books, &asked("0420", 3, 100, &[]), None);
    assert_eq!(books.accounts.changed(), 0);
    decide(&mut books, &asked("0200", 4, 100, &[]), None);
    assert_eq!(books.accounts.changed(), 1);
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

#[test]
fn approvals_are_repeatable_from_the_seed() {
    let approval = |seed, stan| {
        let mut books = Books::new(Accounts::new(1, 1_000..=1_000, &[]), seed);
        books.decide(&asked("0200", stan, 100, &[]), &fresh().unwrap(), None).verdict.approval.unwrap()
    };
    assert_eq!(approval(1, 1), 771_383, "in every process");
    assert_ne!(approval(1, 1), approval(1, 2));
    assert_ne!(approval(1, 1), approval(2, 1));
}

/// One purchase: as it came first, as a repeat with another DE 7, and the reversal of either.
struct Copies {
    first: Asked,
    repeat: Asked,
    reversal_of_first: Asked,
    reversal_of_repeat: Asked,
}

fn copies() -> Copies {
    let names = [(12, "061500"), (13, "1125"), (37, "632904000001")];
    let moved = [&names[..], &[(7, "1125041509")]].concat();
    let reversal = |mti: &str, transmission: &str| {
        let data = format!("{mti}000001{transmission}0000050000200000500001");
        asked("0420", 2, 100, &[(7, "1125041600"), (37, "632904000001"), (90, &data)])
    };
    Copies {
        first: asked("0200", 1, 100, &names),
        repeat: asked("0201", 1, 100, &moved),
        reversal_of_first: reversal("0200", "1125041500"),
        reversal_of_repeat: reversal("0201", "1125041509"),
    }
}

#[test]
fn a_reversal_may_name_the_repeat() {
    let copies = copies();
    for repeat_comes in [true, false] {
        let mut books = books();
        assert_eq!(decide(&mut books, &copies.first, None).0, "00");
        if repeat_comes {
            assert_eq!(decide(&mut books, &copies.repeat, None), ("00".to_owned(), Special::Duplicate));
        }
        assert_eq!(decide(&mut books, &copies.reversal_of_repeat, None), ("00".to_owned(), Special::Reversed));
        assert_eq!(available(&mut books), 1_000);
    }
}

#[test]
fn a_repeat_without_retrieval_reference_is_named_by_its_own_de_7() {
    let mut books = books();
    let local = [(12, "061500"), (13, "1125")];
    decide(&mut books, &asked("0200", 1, 100, &local), None);
    decide(&mut books, &asked("0201", 1, 100, &[&local[..], &[(7, "1125041509")]].concat()), None);
    let reversal = asked("0420", 2, 100, &[(90, "020100000111250415090000050000200000500001")]);
    assert_eq!(decide(&mut books, &reversal, None), ("00".to_owned(), Special::Reversed));
}

#[test]
fn a_reversal_that_comes_first_stops_every_copy() {
    let Copies { first, repeat, reversal_of_first, reversal_of_repeat } = copies();
    for reversal in [reversal_of_first, reversal_of_repeat] {
        for order in [[&repeat, &first], [&first, &repeat]] {
            let mut books = books();
            assert_eq!(decide(&mut books, &reversal, None).1, Special::NothingToReverse);
            for copy in order {
                assert_eq!(decide(&mut books, copy, None).0, "68");
            }
            assert_eq!(available(&mut books), 1_000);
        }
    }
}

#[test]
fn a_repeat_that_overtakes_its_first_copy_is_posted_alone() {
    let Copies { first, repeat, reversal_of_first, reversal_of_repeat } = copies();
    for reversal in [reversal_of_first, reversal_of_repeat] {
        for first_comes in [true, false] {
            let mut books = books();
            assert_eq!(decide(&mut books, &repeat, None).0, "00");
            if first_comes {
                assert_eq!(decide(&mut books, &first, None), ("00".to_owned(), Special::Duplicate));
            }
            assert_eq!(available(&mut books), 900);
            assert_eq!(decide(&mut books, &reversal, None), ("00".to_owned(), Special::Reversed), "{first_comes}");
            assert_eq!(available(&mut books), 1_000);
        }
    }
}
