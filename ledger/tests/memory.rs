//! What an account takes in memory once the event that opened it is forgotten, as it is a day later.

use ledger::limits::HORIZON_MS;
use ledger::{AccountKind, Body, Content, Event, EventId, Floor, State};

const START: u64 = 1_800_000_000_000;
/// Bytes an account.
const BUDGET: u64 = 200;

fn event(at: u64, number: u64, body: Body) -> Event {
    let mut low = [0; 10];
    low[2..].copy_from_slice(&number.to_be_bytes());
    Event::new(EventId::new(at, low), Content([0; 16]), body)
}

/// A state with so many accounts and nothing else.
fn opened(accounts: u64) -> State {
    let mut state = State::default();
    for number in 1..=accounts {
        let (kind, floor) = (AccountKind::Wallet, Floor::Limited(0));
        let open = event(START, number, Body::OpenAccount { account: number, currency: 710, kind, floor });
        state.apply(number, START, &open);
    }
    let later = START + HORIZON_MS + 1;
    let mut seq = accounts;
    while state.sizes().into_iter().any(|(table, rows)| table == "remembered_events" && rows > 0) {
        seq += 1;
        state.apply(seq, later, &event(later, seq, Body::Tick));
    }
    state
}

#[test]
fn an_account_takes_what_it_may() {
    // A table has most room to spare when it has just grown: at seven eighths of a power of two, and one more.
    for accounts in [1 << 16, (1 << 16) * 7 / 8 + 1, 1 << 17] {
        let mut state = None;
        let counted = allocation_counter::measure(|| state = Some(opened(accounts)));
        let bytes = u64::try_from(counted.bytes_current).unwrap() / accounts;
        println!("{accounts} accounts: {bytes} bytes each");
        assert!(bytes <= BUDGET, "{accounts} accounts take {bytes} bytes each");
        assert!(state.unwrap().seq() > accounts, "ticks came after them");
    }
}
