//! What the ledger does with each kind of event, as worksheets. See `worksheet.rs` for how to read them.

mod worksheet;

/// A test for each sheet, and the list of them.
macro_rules! sheets {
    ($($name:ident: $text:expr;)*) => {
        $(#[test]
        fn $name() {
            crate::worksheet::work($text);
        })*

        pub const SHEETS: &[&str] = &[$($text),*];
    };
}

mod controls;
mod duplicates;
mod entries;
mod forwards;
mod holds;
mod pins;
mod precedence;
mod reversals;
mod terminals;

use ledger::Code;

#[test]
fn every_code_is_in_a_sheet() {
    let subjects = [
        controls::SHEETS,
        duplicates::SHEETS,
        entries::SHEETS,
        forwards::SHEETS,
        holds::SHEETS,
        pins::SHEETS,
        reversals::SHEETS,
        terminals::SHEETS,
    ];
    let sheets = subjects.concat().concat();
    for code in Code::ALL {
        let word = format!("| {code:?}");
        assert!(sheets.contains(&word), "{code:?} is in no sheet");
    }
}

#[test]
fn every_number_is_given_once() {
    let mut numbers = Code::ALL.map(|code| code as usize);
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(0..Code::ALL.len()));
}
