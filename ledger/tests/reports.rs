//! What is told of a journal afterwards, held against the state as it was at the time.

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger::limits::{Bounds, TABLES};
use ledger::testing::ManualClock;
use ledger::{AccountId, AccountView, AsOf, Body, FileStorage, Ledger, State, read, stats, trial_balance};
use support::{START, config, script};

/// A journal of a script in which a second passes after every tenth event.
fn journal(folder: &std::path::Path, events: u64) {
    let clock = Arc::new(ManualClock::new(START));
    let ledger = Ledger::open(Arc::new(FileStorage::open(folder).unwrap()), config(&clock)).unwrap();
    for (number, event) in script(7, events).into_iter().enumerate() {
        ledger.submit_blocking(event).unwrap();
        if number % 10 == 9 {
            clock.advance(1000);
        }
    }
}

#[test]
fn balances_of_any_moment_are_those_that_were() {
    let folder = tempfile::tempdir().unwrap();
    journal(folder.path(), 120);
    let mut state = State::default();
    let mut moments = Vec::new();
    read(folder.path(), |event| {
        state.apply(event.seq, event.at, &event.event);
        let accounts: BTreeMap<AccountId, AccountView> = state.accounts().collect();
        moments.push((event.seq, event.at, accounts.into_iter().collect::<Vec<_>>()));
    })
    .unwrap();
    assert!(moments.len() > 60, "{} events", moments.len());
    for (seq, at, accounts) in moments.iter().step_by(7) {
        let balance = trial_balance(folder.path(), AsOf::Seq(*seq)).unwrap();
        assert_eq!((balance.seq, balance.at, &balance.accounts), (*seq, *at, accounts));
        assert!(balance.totals().values().all(|(debits, credits)| debits == credits), "{:?}", balance.totals());
    }
    let (last, at, accounts) = moments.last().unwrap();
    assert_eq!(trial_balance(folder.path(), AsOf::Now).unwrap().accounts, *accounts);
    assert_eq!(trial_balance(folder.path(), AsOf::Time(*at)).unwrap().seq, *last);
    // The last event of that time or before it, and none.
    let earlier = moments.iter().rev().find(|(_, at, _)| *at <= START + 2500).unwrap();
    assert_eq!(trial_balance(folder.path(), AsOf::Time(START + 2500)).unwrap().seq, earlier.0);
    let before = trial_balance(folder.path(), AsOf::Time(START - 1)).unwrap();
    assert_eq!((before.seq, before.accounts.len()), (0, 0));
}

#[test]
fn every_event_is_counted_under_its_kind_and_outcome() {
    let folder = tempfile::tempdir().unwrap();
    journal(folder.path(), 120);
    let (counted, report) = stats(folder.path()).unwrap();
    let (mut copies, mut opened, mut seconds) = (0, 0, BTreeMap::<u64, u64>::new());
    read(folder.path(), |event| {
        copies += u64::from(event.replayed);
        opened += u64::from(matches!(event.event.body, Body::OpenAccount { .. }));
        *seconds.entry(event.at / 1000).or_default() += 1;
    })
    .unwrap();
    let all: u64 = counted.kinds.values().flat_map(BTreeMap::values).sum();
    assert_eq!((all, counted.copies), (report.events, copies));
    assert_eq!(counted.busiest_second, seconds.into_values().max().unwrap());
    assert_eq!(counted.first_at, Some(START));
    assert_eq!(counted.kinds["open-account"].values().sum::<u64>(), opened);
    assert!(counted.kinds.contains_key("card decline") && counted.kinds.contains_key("reverse"), "{counted:?}");
    let names = |tables: [(&'static str, usize); TABLES]| tables.map(|(name, _)| name);
    assert_eq!(names(report.sizes), names(Bounds::default().tables()), "each table has its own bound");
}
