//! The ledger's clients: one thread that has many events on their way and judges every answer.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use ledger::{AccountId, Applied, Clock, Code, EventId, Ledger, Millis, SubmitError, SubmittedAll, SystemClock};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::accounts_book::AccountsBook;
use super::settings::Settings;
use super::step::{Ids, Movement, Step};

/// Amounts are up to this, in minor units.
const AMOUNT_MAX: i64 = 10_000;

/// The ledger has nothing of this driver in its queue, and is full all the same.
const WHEN_OTHERS_FILL_IT: Duration = Duration::from_millis(1);

/// All that was ever answered.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Answered, whatever the answer.
    pub answered: u64,
    pub approved: u64,
    /// Answers with another code, amount or account than they should have, or out of turn.
    pub wrong: u64,
    pub first_wrong: Option<String>,
    /// Milliseconds that the ledger's time was ahead of the clock, at the last answer.
    pub ahead_ms: Millis,
}

pub struct Driver {
    ledger: Ledger,
    /// Batches on their way at once, and events in one.
    in_flight: usize,
    batch: usize,
    accounts: u32,
    ids: Ids,
    random: SmallRng,
    /// In the order of submission, which is that of the answers.
    waiting: VecDeque<(SubmittedAll, Vec<(EventId, Step)>)>,
    /// To be sent before anything new.
    due: VecDeque<Step>,
    /// Posted since the books were last written.
    posted: Vec<Movement>,
    pub books: AccountsBook,
    pub tally: Tally,
    last_seq: u64,
    last_at: Millis,
}

impl Driver {
    pub fn new(ledger: Ledger, settings: &Settings) -> Self {
        Self {
            ledger,
            in_flight: (settings.in_flight / settings.batch.max(1)).max(1),
            batch: settings.batch.max(1),
            accounts: settings.accounts,
            ids: Ids::new(settings.seed),
            random: SmallRng::seed_from_u64(settings.seed),
            waiting: VecDeque::new(),
            due: VecDeque::new(),
            posted: Vec::new(),
            books: AccountsBook::default(),
            tally: Tally::default(),
            last_seq: 0,
            last_at: 0,
        }
    }

    /// Accounts 1 to n.
    pub fn open_accounts(&mut self) -> anyhow::Result<()> {
        let mut accounts = 1..=AccountId::from(self.accounts);
        self.drive(|_| accounts.next().map(Step::Open))
    }

    /// Makes its own memory ready too, so that it does not grow while something is measured.
    pub fn open_books(&mut self) {
        /// Of some seconds.
        const MOVEMENTS: usize = 4 << 20;
        self.posted.resize(MOVEMENTS, Movement { from: 0, to: 0, amount: 0 });
        self.posted.clear();
        self.books = AccountsBook::new(self.accounts);
    }

    /// New steps for this long, many on their way at once; gives how many movements were posted, and how long that
    /// took to the last answer.
    pub fn load(&mut self, length: Duration, step: fn(Movement) -> Step) -> anyhow::Result<(u64, Duration)> {
        /// Looking at the clock costs as much as a good part of a step.
        const STEPS_A_LOOK: u32 = 64;
        let started = Instant::now();
        let (mut steps, mut is_over) = (0, false);
        self.drive(|driver| {
            if steps % STEPS_A_LOOK == 0 {
                is_over = started.elapsed() >= length;
            }
            steps = steps.wrapping_add(1);
            (!is_over).then(|| step(driver.movement()))
        })?;
        let elapsed = started.elapsed();
        Ok((self.write_books(), elapsed))
    }

    /// Sends what `next` gives and what follows from it, until nothing is left and everything is answered.
    fn drive(&mut self, mut next: impl FnMut(&mut Self) -> Option<Step>) -> anyhow::Result<()> {
        let mut batch = Vec::with_capacity(self.batch);
        loop {
            let step = self.due.pop_front().or_else(|| next(self));
            let is_last = step.is_none();
            batch.extend(step.map(|step| (self.fresh_id(), step)));
            if batch.len() >= self.batch || (is_last && !batch.is_empty()) {
                self.send(std::mem::replace(&mut batch, Vec::with_capacity(self.batch)))?;
            } else if is_last && self.waiting.is_empty() {
                return Ok(());
            } else if is_last {
                self.settle_oldest()?;
            }
        }
    }

    fn send(&mut self, batch: Vec<(EventId, Step)>) -> anyhow::Result<()> {
        while self.waiting.len() >= self.in_flight {
            self.settle_oldest()?;
        }
        loop {
            match self.ledger.submit_all_later(batch.iter().map(|(id, step)| step.event(*id)).collect()) {
                Ok(submitted) => {
                    self.waiting.push_back((submitted, batch));
                    return Ok(());
                }
                Err(SubmitError::Busy) if self.waiting.is_empty() => std::thread::sleep(WHEN_OTHERS_FILL_IT),
                Err(SubmitError::Busy) => self.settle_oldest()?,
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn settle_oldest(&mut self) -> anyhow::Result<()> {
        if let Some((submitted, batch)) = self.waiting.pop_front() {
            let answers = submitted.outcomes_blocking()?;
            anyhow::ensure!(answers.len() == batch.len(), "{} answers to {} events", answers.len(), batch.len());
            for ((id, step), applied) in batch.into_iter().zip(&answers) {
                self.settle(id, step, applied);
            }
        }
        Ok(())
    }

    /// Judges an answer and notes what follows from it.
    pub fn settle(&mut self, id: EventId, step: Step, applied: &Applied) {
        self.tally.answered += 1;
        if let Some(fault) = fault(step, applied, self.last_seq) {
            self.tally.wrong += 1;
            self.tally.first_wrong.get_or_insert(fault);
        }
        self.last_seq = self.last_seq.max(applied.outcome.seq);
        self.last_at = self.last_at.max(applied.outcome.at);
        if applied.outcome.code == Code::Approved {
            self.tally.approved += 1;
            self.posted.extend(step.posted());
            self.due.extend(step.follow_up(id));
        }
    }

    /// Outside of measured time: looking up two accounts costs as much as a good part of an event.
    pub fn write_books(&mut self) -> u64 {
        self.tally.ahead_ms = self.last_at.saturating_sub(SystemClock.now());
        let count = self.posted.len() as u64;
        self.posted.drain(..).for_each(|movement| self.books.post(movement));
        count
    }

    pub fn fresh_id(&mut self) -> EventId {
        self.ids.next(SystemClock.now())
    }

    /// Between two accounts, any two with the same probability.
    pub fn movement(&mut self) -> Movement {
        let accounts = self.accounts.max(2);
        let from = self.random.random_range(0..accounts);
        let to = (from + self.random.random_range(1..accounts)) % accounts;
        let amount = self.random.random_range(1..=AMOUNT_MAX);
        Movement { from: AccountId::from(from) + 1, to: AccountId::from(to) + 1, amount }
    }

    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Lets go of the ledger, and with its last handle of its memory.
    pub fn into_books(self) -> (AccountsBook, Tally) {
        (self.books, self.tally)
    }
}

/// What is wrong with an answer, in words.
fn fault(step: Step, applied: &Applied, last_seq: u64) -> Option<String> {
    let outcome = &applied.outcome;
    if outcome.code != Code::Approved {
        return Some(format!("{step:?} was answered {:?}", outcome.code));
    }
    let account = match step {
        Step::Open(account) => Some(account),
        Step::Post(movement) | Step::Hold(movement) | Step::Capture { movement, .. } => Some(movement.from),
    };
    if applied.replayed {
        return Some(format!("{step:?} was answered as a repeat"));
    }
    if outcome.amount != step.amount() || outcome.account != account {
        return Some(format!("{step:?} was answered {} of account {:?}", outcome.amount, outcome.account));
    }
    // One thread submits, and events are taken in turn.
    (outcome.seq <= last_seq).then(|| format!("{step:?} came as {} after {last_seq}", outcome.seq))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ledger::testing::SimStorage;
    use ledger::{LedgerConfig, SystemClock};

    use super::*;

    fn driver(queue_max: usize, in_flight: usize, batch: usize) -> Driver {
        let config = LedgerConfig { queue_max, ..LedgerConfig::new(Arc::new(SystemClock)) };
        let ledger = Ledger::open(Arc::new(SimStorage::default()), config).unwrap();
        let settings = Settings { seconds: 1, rounds: 1, accounts: 20, in_flight, batch, fill: false, seed: 5 };
        let mut driver = Driver::new(ledger, &settings);
        driver.open_accounts().unwrap();
        driver.open_books();
        driver
    }

    #[test]
    fn everything_is_answered_and_adds_up_though_the_queue_is_full() {
        let mut driver = driver(4, 64, 3);
        let (posts, _) = driver.load(Duration::from_millis(50), Step::Post).unwrap();
        let (pairs, elapsed) = driver.load(Duration::from_millis(50), Step::Hold).unwrap();
        assert!(posts > 0 && pairs > 0 && elapsed >= Duration::from_millis(50));
        assert_eq!((driver.tally.wrong, &driver.tally.first_wrong), (0, &None));
        assert_eq!(driver.tally.approved, 20 + posts + 2 * pairs);
        assert_eq!(driver.ledger.last_seq().unwrap(), driver.tally.approved);
        assert_eq!(driver.books.compare(&driver.ledger).count, 0);
        driver.ledger.close();
    }

    #[test]
    fn a_refusal_is_noticed_and_not_booked() {
        let mut driver = driver(64, 8, 1);
        let nobody = Movement { from: 1, to: 9999, amount: 5 };
        let mut steps = vec![Step::Hold(nobody)];
        driver.drive(|_| steps.pop()).unwrap();
        assert_eq!((driver.tally.wrong, driver.write_books()), (1, 0));
        assert!(driver.tally.first_wrong.as_ref().is_some_and(|text| text.contains("AccountNotFound")));
        driver.ledger.close();
    }

    #[test]
    fn the_same_seed_gives_the_same_movements() {
        let (mut one, mut other) = (driver(64, 8, 1), driver(64, 8, 1));
        for _ in 0..100 {
            let movement = one.movement();
            assert_eq!(movement, other.movement());
            assert!(movement.from != movement.to && movement.from.max(movement.to) <= 20);
        }
    }
}
