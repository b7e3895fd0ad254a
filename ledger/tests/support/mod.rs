//! What the tests of the running ledger share: scripts of events, and a ledger on a disk in memory.
// Each test file uses its own part of this.
#![allow(dead_code)]

use std::sync::Arc;

use ledger::testing::ManualClock;
use ledger::{
    AccountKind, Atc, Body, CardAction, CardEvent, Content, Controls, Entry, Event, EventId, Floor, ForwardResult,
    Ledger, LedgerConfig, Limit, MessageDid, OpenError, Outgoing, Period, PinCheck, Posting, Reference, Side, Storage,
    Subject, SubmitError, Total, UsageKey,
};

pub const START: u64 = 1_800_000_000_000;

/// As small as segments may be, so that short scripts fill several.
pub const SEGMENT: u64 = ledger::limits::SEGMENT_BYTES_MIN;

pub fn id(number: u64) -> EventId {
    let mut low = [0; 10];
    low[..8].copy_from_slice(&number.to_be_bytes());
    EventId::new(START, low)
}

pub fn event(number: u64, body: Body) -> Event {
    Event::new(id(number), Content([1; 16]), body)
}

pub fn entry(from: u64, to: u64, amount: i64) -> Entry {
    let postings = vec![Posting { account: from, amount: -amount }, Posting { account: to, amount }];
    Entry { currency: 710, postings }
}

pub fn open_account(number: u64, account: u64, floor: Floor) -> Event {
    event(number, Body::OpenAccount { account, currency: 710, kind: AccountKind::Wallet, floor })
}

pub fn post(number: u64, from: u64, to: u64, amount: i64) -> Event {
    event(number, Body::Post { entry: entry(from, to, amount), record: record() })
}

/// As long as records are, so that few events fill a segment.
fn record() -> Vec<u8> {
    format!(r#"{{"kind":"test","text":"{}"}}"#, "x".repeat(300)).into_bytes()
}

pub fn card(action: CardAction, keys: Vec<u128>) -> Body {
    Body::Card(CardEvent {
        aliases: keys,
        repeat_of: None,
        advice: false,
        card: Some(7),
        pin: PinCheck::NotChecked,
        pin_tries_max: 3,
        action,
        answer: vec![3, 6, b'0', b'0', b'0', b'0', b'0', b'0'],
        record: record(),
    })
}

pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % n
    }
}

/// A limit that is reached now and then, and a counter that mostly rises.
fn controls(number: u64) -> Controls {
    let usage = UsageKey { of: Subject::Card(7), class: 0, period: Period::Day };
    let limit = Limit { usage, ends_at: START + 1_000_000, count_max: Some(9), amount_max: Some(200) };
    let send = Outgoing { link: 1, message: vec![7; 20] };
    let total = Total { terminal: number % 2, side: Side::Debit, business_date: 20_261_127 };
    let value = u16::try_from(number ^ 8).unwrap_or(u16::MAX);
    Controls { limits: vec![limit], atc: Some(Atc { value, ahead_max: 100 }), total: Some(total), send: Some(send) }
}

/// Accounts, money on them, and then everything that can be done with it; a few events are copies of earlier ones.
pub fn script(seed: u64, events: u64) -> Vec<Event> {
    let mut random = Random::new(seed);
    let mut script = vec![
        open_account(1, 1, Floor::Unlimited),
        open_account(2, 2, Floor::Limited(0)),
        open_account(3, 3, Floor::Limited(0)),
        post(4, 1, 2, 500),
        event(5, card(CardAction::Hold { entry: entry(2, 3, 40), expires_at: START + 1_000_000_000 }, vec![50])),
    ];
    let mut holds = vec![5];
    for number in 6..=events {
        let earlier = 1 + random.below(number - 1);
        let hold = holds[usize::try_from(random.below(holds.len() as u64)).unwrap()];
        let amount = 1 + i64::try_from(random.below(60)).unwrap();
        let (from, to) = [(2, 3), (3, 2), (1, 2)][usize::try_from(random.below(3)).unwrap()];
        let body = match random.below(10) {
            0..=2 => post(0, from, to, amount).body,
            3 => card(CardAction::Post { entry: entry(from, to, amount) }, vec![u128::from(number)]),
            4 => {
                holds.push(number);
                Body::PlaceHold { entry: entry(from, to, amount), expires_at: START + 1_000_000_000, record: vec![] }
            }
            5 => Body::CaptureHold { hold: id(hold), amount, last: amount % 2 == 0, record: vec![] },
            6 => Body::Reverse { original: id(earlier), remaining: 0, record: vec![] },
            7 => card(CardAction::Reverse { original: Reference::Id(id(earlier)), remaining: 0 }, vec![]),
            8 if number % 5 == 0 => Body::CloseTotals {
                terminal: number % 2,
                currency: 710,
                next_date: 20_261_127 + u32::try_from(number).unwrap(),
                counted: None,
                record: vec![],
            },
            8 if number % 5 == 1 => {
                card(CardAction::Forward { link: 1, expires_at: START + 1_000_000_000, reversal: vec![9; 20] }, vec![])
            }
            8 if number % 5 == 2 => Body::CloseForward {
                forward: id(earlier),
                result: ForwardResult::Approved { entry: entry(from, to, amount) },
                answer: vec![1],
                record: vec![],
            },
            8 if number % 5 == 3 => {
                Body::Message { message: id(earlier), did: MessageDid::Failed { retry_at: START, tries_max: 1 } }
            }
            8 => card(CardAction::Decline { reason: 51 }, vec![]),
            _ => {
                script.push(script[usize::try_from(earlier - 1).unwrap()].clone());
                continue;
            }
        };
        let controls = if body.is_controlled() && number % 3 == 0 { controls(number) } else { Controls::default() };
        script.push(Event { controls, ..event(number, body) });
    }
    script
}

pub fn config(clock: &Arc<ManualClock>) -> LedgerConfig {
    LedgerConfig {
        segment_bytes: SEGMENT,
        prepare_ahead: false,
        snapshot_segments: 0,
        queue_max: 64,
        ..LedgerConfig::new(clock.clone())
    }
}

pub fn open(storage: impl Storage + 'static) -> Result<Ledger, OpenError> {
    let clock = Arc::new(ManualClock::new(START));
    Ledger::open(Arc::new(storage), config(&clock))
}

/// Submits events at once, in order, and gives what each was answered.
pub fn submit_all(ledger: &Ledger, events: &[Event]) -> Vec<Result<ledger::Applied, SubmitError>> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let wait = |event: &Event| {
            let (ledger, event) = (ledger.clone(), event.clone());
            tokio::spawn(async move { ledger.submit(event).await })
        };
        let waiting: Vec<_> = events.iter().map(wait).collect();
        let mut answers = Vec::new();
        for answer in waiting {
            answers.push(answer.await.unwrap());
        }
        answers
    })
}

/// Works on shares of the numbers below `count` on all processors; each share gets every nth number.
pub fn on_all_processors<T: Send>(count: usize, work: impl Fn(&mut dyn Iterator<Item = usize>) -> T + Sync) -> Vec<T> {
    let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get());
    let work = &work;
    std::thread::scope(|scope| {
        let share = |first: usize| scope.spawn(move || work(&mut (first..count).step_by(threads)));
        let workers: Vec<_> = (0..threads).map(share).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    })
}
