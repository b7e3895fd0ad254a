//! What deciding an event costs without a disk: `cargo bench -p ledger`. Compare lines of one run with each other, not
//! runs; `loadtest ledger` measures the whole with journal and clients.

use std::cell::RefCell;

use divan::Bencher;
use divan::counter::ItemsCount;
use ledger::{
    AccountKind, Body, CardAction, CardEvent, Content, Controls, Entry, Event, EventId, Floor, Limit, Period, PinCheck,
    Posting, State, Subject, UsageKey,
};

fn main() {
    divan::main();
}

const START: u64 = 1_800_000_000_000;
const BATCH: u64 = 1024;
const ACCOUNTS: [u64; 2] = [1_000, 1_000_000];

/// A state with accounts that may go far below zero, and fresh events for it.
struct World {
    state: State,
    accounts: u64,
    count: u64,
}

impl World {
    fn new(accounts: u64) -> RefCell<Self> {
        let mut world = Self { state: State::default(), accounts, count: 0 };
        for account in 1..=accounts {
            let floor = Floor::Limited(-1_000_000_000_000);
            let event = world.event(Body::OpenAccount { account, currency: 710, kind: AccountKind::Wallet, floor });
            world.apply(&event);
        }
        RefCell::new(world)
    }

    /// Different numbers that are in no order (SplitMix64).
    fn random(&self, salt: u64) -> u64 {
        let number = (self.count * 2 + salt).wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        number ^ (number >> 27)
    }

    fn event(&mut self, body: Body) -> Event {
        self.count += 1;
        let mut low = [0; 10];
        low[..8].copy_from_slice(&self.random(0).to_be_bytes());
        Event::new(EventId::new(START + self.count / 1000, low), Content([0; 16]), body)
    }

    fn entry(&self) -> Entry {
        let from = self.random(0) % self.accounts;
        let to = (from + 1 + self.random(1) % (self.accounts - 1)) % self.accounts;
        let postings = vec![Posting { account: from + 1, amount: -5 }, Posting { account: to + 1, amount: 5 }];
        Entry { currency: 710, postings }
    }

    fn events(&mut self, body: impl Fn(Entry) -> Body) -> Vec<Event> {
        (0..BATCH)
            .map(|_| {
                let body = body(self.entry());
                self.event(body)
            })
            .collect()
    }

    fn apply(&mut self, event: &Event) {
        let seq = self.state.seq() + 1;
        divan::black_box(self.state.apply(seq, START + seq / 1000, event));
    }
}

fn measure(bencher: Bencher<'_, '_>, accounts: u64, events: impl Fn(&mut World) -> Vec<Event>) {
    let world = World::new(accounts);
    bencher.counter(ItemsCount::new(BATCH)).with_inputs(|| events(&mut world.borrow_mut())).bench_local_refs(
        |events| {
            let mut world = world.borrow_mut();
            events.iter().for_each(|event| world.apply(event));
        },
    );
}

fn post(entry: Entry) -> Body {
    Body::Post { entry, record: Vec::new() }
}

#[divan::bench(args = ACCOUNTS, sample_count = 100, sample_size = 1)]
fn posts(bencher: Bencher<'_, '_>, accounts: u64) {
    measure(bencher, accounts, |world| world.events(post));
}

/// The same with three limits each.
#[divan::bench(args = ACCOUNTS, sample_count = 100, sample_size = 1)]
fn posts_with_limits(bencher: Bencher<'_, '_>, accounts: u64) {
    measure(bencher, accounts, |world| {
        let limited = |event: Event| {
            let Body::Post { entry, .. } = &event.body else { return event };
            let of = Subject::Account(entry.postings[0].account);
            let limit = |period| Limit {
                usage: UsageKey { of, class: 0, period },
                ends_at: START + 86_400_000,
                count_max: Some(u32::MAX),
                amount_max: Some(i64::MAX),
            };
            let limits = [Period::Day, Period::Week, Period::Month].map(limit).into();
            Event { controls: Controls { limits, ..Controls::default() }, ..event }
        };
        world.events(post).into_iter().map(limited).collect()
    });
}

/// As terminals' purchases come: with keys, answer facts and a record.
#[divan::bench(args = ACCOUNTS, sample_count = 100, sample_size = 1)]
fn purchases(bencher: Bencher<'_, '_>, accounts: u64) {
    measure(bencher, accounts, |world| {
        let salt = world.count;
        world.events(|entry| {
            let key = u128::from(entry.postings[0].account) << 64 | u128::from(salt);
            Body::Card(CardEvent {
                aliases: vec![key, key + (1 << 32)],
                repeat_of: None,
                advice: false,
                card: Some(entry.postings[0].account),
                pin: PinCheck::Right,
                pin_tries_max: 3,
                action: CardAction::Post { entry },
                answer: vec![7; 40],
                record: vec![b' '; 400],
            })
        })
    });
}

/// Every second event captures the hold before it.
#[divan::bench(args = ACCOUNTS, sample_count = 100, sample_size = 1)]
fn holds_and_captures(bencher: Bencher<'_, '_>, accounts: u64) {
    measure(bencher, accounts, |world| {
        let place = |entry| Body::PlaceHold { entry, expires_at: START + 86_400_000, record: Vec::new() };
        let mut events = Vec::new();
        for hold in world.events(place).into_iter().take(BATCH as usize / 2) {
            let capture = Body::CaptureHold { hold: hold.id, amount: 5, last: true, record: Vec::new() };
            events.push(hold);
            events.push(world.event(capture));
        }
        events
    });
}

/// Copies of events that are known.
#[divan::bench(args = ACCOUNTS, sample_count = 100, sample_size = 1)]
fn copies(bencher: Bencher<'_, '_>, accounts: u64) {
    measure(bencher, accounts, |world| {
        let events = world.events(post);
        events.iter().for_each(|event| world.apply(event));
        events
    });
}
