//! The events the driver sends, before they are events.

use ledger::{AccountId, AccountKind, Body, Content, Entry, Event, EventId, Floor, Millis, Posting};

/// South African rand; which one does not matter here.
pub const CURRENCY: u16 = 710;

/// So far below zero that no account gets there: floors are judged with every debit, and never refuse one.
const FLOOR: Floor = Floor::Limited(-1_000_000_000_000_000);

/// A week, as cards have it. The ledger's time runs ahead of the clock at these rates, by a millisecond an event, and
/// a hold that it takes for expired cannot be captured.
const HOLD_MS: Millis = 7 * 24 * 60 * 60 * 1000;

/// Money from one account to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Movement {
    pub from: AccountId,
    pub to: AccountId,
    pub amount: i64,
}

impl Movement {
    fn entry(self) -> Entry {
        let debit = Posting { account: self.from, amount: -self.amount };
        Entry { currency: CURRENCY, postings: vec![debit, Posting { account: self.to, amount: self.amount }] }
    }
}

/// Small enough to be kept while its event is on its way, and to make the event again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Open(AccountId),
    Post(Movement),
    Hold(Movement),
    /// The whole of a hold.
    Capture {
        hold: EventId,
        movement: Movement,
    },
}

impl Step {
    pub fn event(self, id: EventId) -> Event {
        let body = match self {
            Self::Open(account) => {
                Body::OpenAccount { account, currency: CURRENCY, kind: AccountKind::Wallet, floor: FLOOR }
            }
            Self::Post(movement) => Body::Post { entry: movement.entry(), record: Vec::new() },
            Self::Hold(movement) => {
                Body::PlaceHold { entry: movement.entry(), expires_at: id.time() + HOLD_MS, record: Vec::new() }
            }
            Self::Capture { hold, movement } => {
                Body::CaptureHold { hold, amount: movement.amount, last: true, record: Vec::new() }
            }
        };
        Event::new(id, Content(id.0.to_be_bytes()), body)
    }

    /// The amount an approving outcome states.
    pub fn amount(self) -> i64 {
        match self {
            Self::Open(_) => 0,
            Self::Post(movement) | Self::Hold(movement) | Self::Capture { movement, .. } => movement.amount,
        }
    }

    /// What is posted once the step is approved.
    pub fn posted(self) -> Option<Movement> {
        match self {
            Self::Post(movement) | Self::Capture { movement, .. } => Some(movement),
            Self::Open(_) | Self::Hold(_) => None,
        }
    }

    /// What is to be sent once the step is approved.
    pub fn follow_up(self, id: EventId) -> Option<Self> {
        match self {
            Self::Hold(movement) => Some(Self::Capture { hold: id, movement }),
            _ => None,
        }
    }
}

/// Bytes the journal writes for one `Post` that is alone in its frame: frame header, event header, the event (id and
/// content, its kind, currency and count of postings, two postings, the empty record's length), filled up to a
/// multiple of eight. `ledger/FORMAT.md` has them one by one.
pub const SINGLE_FRAME_BYTES: usize = (64 + 12 + (16 + 16 + 1 + 2 + 1 + 2 * 16 + 2_usize)).next_multiple_of(8);

/// Fresh ids like the switch's: a time, and digits that tell events of that time apart but are in no order.
pub struct Ids {
    count: u64,
    seed: u64,
}

impl Ids {
    pub fn new(seed: u64) -> Self {
        Self { count: 0, seed }
    }

    pub fn next(&mut self, now: Millis) -> EventId {
        self.count += 1;
        let mut low = [0; 10];
        low[..8].copy_from_slice(&mix(self.count ^ self.seed).to_be_bytes());
        EventId::new(now, low)
    }
}

/// Different numbers for different numbers (the last steps of SplitMix64, each of which can be undone).
fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use ledger::testing::{ManualClock, SimStorage};
    use ledger::{Code, Ledger, LedgerConfig, Storage, StorageFile};

    use super::*;

    #[test]
    fn ids_are_fresh_and_keep_their_time() {
        let mut ids = Ids::new(7);
        let some: std::collections::BTreeSet<_> = (0..1000).map(|_| ids.next(1_800_000_000_000)).collect();
        assert_eq!(some.len(), 1000);
        assert!(some.iter().all(|id| id.time() == 1_800_000_000_000));
    }

    /// Notes how long each write was.
    struct Noting(SimStorage, Arc<Mutex<Vec<usize>>>);
    struct NotingFile(Box<dyn StorageFile>, Arc<Mutex<Vec<usize>>>);

    impl Storage for Noting {
        fn list(&self) -> io::Result<Vec<String>> {
            self.0.list()
        }
        fn read(&self, name: &str) -> io::Result<Vec<u8>> {
            self.0.read(name)
        }
        fn create(&self, name: &str, size: u64) -> io::Result<()> {
            self.0.create(name, size)
        }
        fn open(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
            Ok(Box::new(NotingFile(self.0.open(name)?, Arc::clone(&self.1))))
        }
        fn reader(&self, name: &str) -> io::Result<Box<dyn io::Read + Send>> {
            self.0.reader(name)
        }
        fn remove(&self, name: &str) -> io::Result<()> {
            self.0.remove(name)
        }
        fn rename(&self, from: &str, to: &str) -> io::Result<()> {
            self.0.rename(from, to)
        }
        fn sync_dir(&self) -> io::Result<()> {
            self.0.sync_dir()
        }
    }

    impl StorageFile for NotingFile {
        fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
            self.1.lock().unwrap().push(bytes.len());
            self.0.write_at(offset, bytes)
        }
        fn sync(&mut self) -> io::Result<()> {
            self.0.sync()
        }
    }

    #[test]
    fn a_single_post_writes_the_baselines_bytes() {
        let writes = Arc::new(Mutex::new(Vec::new()));
        let storage = Noting(SimStorage::default(), Arc::clone(&writes));
        let now = 1_800_000_000_000;
        let ledger = Ledger::open(Arc::new(storage), LedgerConfig::new(Arc::new(ManualClock::new(now)))).unwrap();
        let mut ids = Ids::new(1);
        let movement = Movement { from: 1, to: 2, amount: 5 };
        for step in [Step::Open(1), Step::Open(2), Step::Post(movement)] {
            writes.lock().unwrap().clear();
            let applied = ledger.submit_blocking(step.event(ids.next(now))).unwrap();
            assert_eq!((applied.outcome.code, applied.outcome.amount), (Code::Approved, step.amount()));
        }
        // A seal may follow at once.
        assert_eq!(writes.lock().unwrap().first(), Some(&SINGLE_FRAME_BYTES));
        ledger.close();
    }
}
