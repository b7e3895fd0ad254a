//! Random events on the ledger's state and on a naive model beside it: the same outcomes, the same numbers.

mod naive;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use ledger::limits::Bounds;
use ledger::{AccountId, Code, Event, EventId, Posting, State};
use naive::Naive;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use words::Author;

/// Events that are checked thoroughly at once.
const BATCH: usize = 16;

#[test]
fn the_ledger_does_what_the_model_does() {
    agree(Bounds::default(), 2600, 400);
}

/// The same where every table is at its bound most of the time.
#[test]
fn the_ledger_does_what_the_model_does_at_its_bounds() {
    let bounds = Bounds {
        accounts: 7,
        holds: 3,
        records: 30,
        tombstones: 2,
        cards_with_wrong_pins: 1,
        cards_with_counters: 1,
        usages: 2,
        terminals: 1,
        messages: 2,
    };
    agree(bounds, 2600, 400);
}

fn agree(bounds: Bounds, cases: u32, length: usize) {
    let long = std::env::var_os("UMBRA_TESTS_LONG").is_some();
    let cases = if long { cases * 20 } else { cases };
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let seen = Mutex::new(BTreeMap::<Seen, u64>::new());
    let series = proptest::collection::vec(any::<u128>(), 1..length);
    TestRunner::new(config)
        .run(&series, |words| {
            let all = Pair::new(bounds).work(&words)?;
            let mut seen = seen.lock().unwrap();
            all.into_iter().for_each(|one| *seen.entry(one).or_default() += 1);
            Ok(())
        })
        .unwrap();
    let seen = seen.into_inner().unwrap();
    println!("{} events", seen.values().sum::<u64>());
    seen.iter().for_each(|((kind, code, what), times)| println!("{times:8} {kind}, {code:?}{what}"));
    // What the generator never reaches was never compared.
    let codes: BTreeSet<Code> = seen.keys().map(|(_, code, _)| *code).collect();
    let missing: BTreeSet<Code> = Code::ALL.into_iter().filter(|code| !codes.contains(code)).collect();
    let out_of_reach = if bounds == Bounds::default() { vec![AtcNotJudged, PinNotJudged, Full] } else { vec![] };
    assert_eq!(missing, out_of_reach.into_iter().collect(), "codes that no event was answered with");
    for wanted in REACHED {
        assert!(seen.contains_key(&wanted), "never reached: {wanted:?}");
    }
}

/// Kind of event, what it was answered with, and what else there is to say of the answer.
type Seen = (&'static str, Code, &'static str);

/// What must occur in every run, beside all codes.
const REACHED: [Seen; 36] = [
    ("tick", Approved, " of something"),
    ("capture", Approved, " of something"),
    ("capture", InvalidAmount, ""),
    ("void", Approved, " of something"),
    ("reverse", Approved, " of something"),
    ("reverse", NotReversible, ""),
    ("card complete id", Approved, " of something"),
    ("card complete id", OverTolerance, ""),
    ("card complete id", ApprovalMismatch, ""),
    ("card complete key", Approved, " of something"),
    ("card reverse id", Approved, " of something"),
    ("card reverse id", Approved, " of nothing"),
    ("card reverse id", NotReversible, ""),
    ("card reverse key", Approved, " of something"),
    ("card reverse key", OriginalNotFound, ", again"),
    ("card complete id or repeat", Approved, " of something"),
    ("card reverse id or repeat", Approved, " of something"),
    ("card post", TooLate, ""),
    ("card post", Approved, ", again"),
    ("post", CountLimitExceeded, ""),
    ("hold", AmountLimitExceeded, ""),
    ("increase", AmountLimitExceeded, ""),
    ("card hold", CountLimitExceeded, ""),
    ("card reverse id", AtcNotNew, ", again"),
    ("card force", Approved, " of something"),
    ("card inquire", AtcTooFar, ""),
    ("close totals", Approved, " of nothing"),
    ("close totals", DateNotLater, ""),
    ("card forward", Forwarded, ""),
    ("card forward", Unanswered, ", again"),
    ("card forward", Declined, ", again"),
    ("card forward", Approved, ", again"),
    ("close forward", Approved, " of something"),
    ("close forward", ForwardNotFound, ""),
    ("message", Approved, " of nothing"),
    ("forget", Approved, " of nothing"),
];

use Code::*;

/// Ledger and model, and what a follower makes of the ledger's changes.
struct Pair {
    state: State,
    model: Naive,
    events: Vec<(u64, Event)>,
    moved: BTreeMap<AccountId, i128>,
    held: BTreeMap<AccountId, i128>,
}

impl Pair {
    fn new(bounds: Bounds) -> Self {
        let (state, model) = (State::with_bounds(bounds), Naive::new(bounds));
        Self { state, model, events: Vec::new(), moved: BTreeMap::new(), held: BTreeMap::new() }
    }

    fn work(mut self, words: &[u128]) -> Result<Vec<Seen>, TestCaseError> {
        let mut author = Author::new();
        let mut seen = Vec::new();
        for (at, event) in author.opening() {
            self.apply(at, event)?;
        }
        for batch in words.chunks(BATCH) {
            for word in batch {
                let (at, event) = author.event(*word);
                let hold = Some(event.clone()).filter(words::is_hold);
                let one = self.apply(at, event)?;
                if let Some(hold) = hold.filter(|_| one.1 == Approved) {
                    author.held(hold);
                }
                seen.push(one);
            }
            self.check()?;
        }
        self.replay()?;
        Ok(seen)
    }

    fn apply(&mut self, at: u64, event: Event) -> Result<Seen, TestCaseError> {
        let seq = self.state.seq() + 1;
        let (applied, changes) = self.state.apply(seq, at, &event);
        self.state.check_event(&event, &applied, &changes).map_err(TestCaseError::fail)?;
        let expected = self.model.apply(seq, at, &event);
        prop_assert_eq!((&applied.outcome, applied.replayed), (&expected.0, expected.1), "{:?}", event);
        let add = |sums: &mut BTreeMap<AccountId, i128>, postings: &[Posting]| {
            postings.iter().for_each(|posting| *sums.entry(posting.account).or_default() += i128::from(posting.amount));
        };
        add(&mut self.moved, &changes.moves);
        add(&mut self.held, &changes.holds);
        let what = match (applied.replayed, applied.outcome.code, applied.outcome.amount) {
            (true, ..) => ", again",
            (_, Approved, 0) => " of nothing",
            (_, Approved, _) => " of something",
            _ => "",
        };
        let kind = words::kind(&event);
        self.events.push((at, event));
        Ok((kind, applied.outcome.code, what))
    }

    fn check(&self) -> Result<(), TestCaseError> {
        self.state.check_invariants().map_err(TestCaseError::fail)?;
        prop_assert_eq!(self.state.sizes().map(|(_, rows)| rows), self.model.sizes());
        for (id, closed) in self.model.accounts() {
            let view = self.state.account(id).unwrap();
            let numbers = [view.debits, view.credits, view.pending_debits, view.pending_credits].map(i128::from);
            let (posted, pending) = (|sign| self.model.posted(id, sign), |sign| self.model.pending(id, sign));
            prop_assert_eq!(numbers, [posted(-1), posted(1), pending(-1), pending(1)], "account {}", id);
            prop_assert_eq!(view.closed, closed);
            let followed = [&self.moved, &self.held].map(|sums| sums.get(&id).copied().unwrap_or(0));
            prop_assert_eq!(followed, [posted(1) - posted(-1), pending(1) - pending(-1)], "as followed: {}", id);
        }
        for card in 0..3 {
            prop_assert_eq!(self.state.pin_tries(card), self.model.tries(card));
            prop_assert_eq!(self.state.atc(card), self.model.counter(card));
        }
        for (terminal, currency) in [(0, 710), (0, 840), (1, 710), (1, 840)] {
            let days = (self.state.terminal_day(terminal, currency), self.model.day(terminal, currency));
            prop_assert_eq!(days.0, days.1);
        }
        for link in 0..2 {
            let next = self.state.next_message(link).map(|message| (message.id, message.tries, message.due));
            prop_assert_eq!(next, self.model.next_message(link));
        }
        let dead: BTreeSet<EventId> = self.state.dead_letters().map(|message| message.id).collect();
        prop_assert_eq!(dead, self.model.dead());
        for usage in words::USAGES {
            prop_assert_eq!(self.state.usage(usage), self.model.used(usage), "{:?}", usage);
        }
        for (_, event) in self.events.iter().rev().take(BATCH) {
            let found = self.state.lookup(event.id, None).map(|recorded| recorded.applied.outcome);
            prop_assert_eq!(found.as_ref(), self.model.lookup(event.id));
        }
        Ok(())
    }

    fn replay(&self) -> Result<(), TestCaseError> {
        for _ in 0..2 {
            let mut again = State::with_bounds(self.model.bounds);
            for ((at, event), seq) in self.events.iter().zip(1..) {
                again.apply(seq, *at, event);
            }
            prop_assert_eq!(again.digest(), self.state.digest());
            prop_assert!(again == self.state);
        }
        Ok(())
    }
}
