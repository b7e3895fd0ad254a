//! The issuer behind its links: decides, and behaves as it was told to.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use iso8583::domain::AdditionalAmount;
use iso8583::{Fields, Message};

use super::asked::Asked;
use super::books::{Books, Decision, Special};
use super::memory::Verdict;
use crate::SessionKeys;
use crate::network::behaviour::{Behaviour, Delivery, Fate};
use crate::network::counts::{Count, Counts};
use crate::network::party::{Reaction, Then, Traffic, answer_to};

pub(crate) struct Host {
    behaviour: Behaviour,
    books: Mutex<Books>,
    counts: Arc<Counts>,
    /// Messages so far, which number them.
    arrived: AtomicU64,
    away_until: Mutex<Option<Instant>>,
}

impl Host {
    pub fn new(behaviour: Behaviour, books: Books, counts: Arc<Counts>) -> Self {
        Self { behaviour, books: Mutex::new(books), counts, arrived: AtomicU64::new(0), away_until: Mutex::default() }
    }

    pub fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing is decided for so long.
    pub fn go_away(&self, away: Duration) {
        *self.away_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + away);
    }

    fn is_away(&self) -> bool {
        let until = *self.away_until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }

    /// The answer, and what is special about it.
    fn answer(&self, message: &Message<'_>, keys: &SessionKeys, fate: &Fate) -> (Fields, Option<&'static str>) {
        let Some(asked) = Asked::read(message) else {
            self.counts.add(Count::Declined);
            return (answer_to(message, "30"), Some("cannot be read"));
        };
        let (decision, forgotten) = {
            let mut books = self.books();
            (books.decide(&asked, keys, fate.decline), books.memory.take_forgotten())
        };
        self.count(&decision);
        (0..forgotten).for_each(|_| self.counts.add(Count::Forgotten));
        let note = match decision.special {
            Special::Nothing => None,
            Special::Duplicate => Some("duplicate"),
            Special::Reversed => Some("gives back"),
            Special::NothingToReverse => Some("nothing to give back"),
            Special::Differs => Some("differs from its original"),
            Special::WrongPin => Some("wrong PIN"),
        };
        (filled(message, &decision.verdict, &asked.currency), note)
    }

    fn count(&self, decision: &Decision) {
        let special = match decision.special {
            Special::Duplicate => return self.counts.add(Count::Duplicates),
            Special::Reversed => Some(Count::Reversed),
            Special::WrongPin => Some(Count::WrongPins),
            Special::Nothing | Special::NothingToReverse | Special::Differs => None,
        };
        special.into_iter().for_each(|count| self.counts.add(count));
        self.counts.add(if decision.verdict.code == *b"00" { Count::Approved } else { Count::Declined });
    }
}

impl Traffic for Host {
    fn react(&self, message: &Message<'_>, keys: &SessionKeys) -> Reaction {
        let fate = self.behaviour.fate(self.arrived.fetch_add(1, Ordering::Relaxed));
        let unavailable = |then, note| {
            let at_once = Reaction::at_once(answer_to(message, "91")).noted(note);
            Reaction { delay: fate.delay, then, ..at_once }
        };
        if self.is_away() {
            return unavailable(Then::GoOn, "signed off");
        }
        match fate.delivery {
            Delivery::RequestLost => return self.silence(Count::Lost, Then::GoOn, "lost before it was read"),
            Delivery::SignOff => {
                self.go_away(self.behaviour.away);
                return unavailable(Then::SignOff(self.behaviour.away), "signs off");
            }
            Delivery::Answered | Delivery::AnswerLost | Delivery::Late | Delivery::Disconnect => {}
        }
        let (answer, note) = self.answer(message, keys, &fate);
        match fate.delivery {
            Delivery::AnswerLost => self.silence(Count::Lost, Then::GoOn, "its answer is lost"),
            Delivery::Disconnect => self.silence(Count::Disconnects, Then::Close, "disconnects"),
            delivery => {
                let is_late = delivery == Delivery::Late;
                is_late.then(|| self.counts.add(Count::Late));
                let note = note.or(is_late.then_some("will be answered late")).map(str::to_owned);
                Reaction { answer: Some(answer), delay: fate.delay, note, then: Then::GoOn }
            }
        }
    }
}

impl Host {
    fn silence(&self, count: Count, then: Then, note: &str) -> Reaction {
        self.counts.add(count);
        Reaction { answer: None, delay: Duration::ZERO, note: Some(note.to_owned()), then }
    }
}

/// The answer with DE 38, 39 and 54.
fn filled(message: &Message<'_>, verdict: &Verdict, currency: &str) -> Fields {
    let mut answer = answer_to(message, &String::from_utf8_lossy(&verdict.code));
    if let Some(approval) = verdict.approval {
        answer.set(38, format!("{approval:06}"));
    }
    if let Some(balance) = verdict.balance {
        let item = |kind: &str, amount| AdditionalAmount {
            account_type: message.text(3).and_then(|code| Some(code.get(2..4)?.to_owned())).unwrap_or_default(),
            amount_type: kind.to_owned(),
            currency: currency.to_owned(),
            amount,
        };
        let items = [item("01", balance.ledger), item("02", balance.available())];
        // More than twelve digits cannot be said.
        if let Ok(texts) = items.iter().map(AdditionalAmount::encode).collect::<Result<Vec<_>, _>>() {
            answer.set(54, texts.concat());
        }
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::super::account::Accounts;
    use super::super::memory::Memory;
    use super::*;
    use crate::network::key_carrier::fresh;
    use crate::network::tests::fixture::{PAN, decoded};

    #[test]
    fn what_is_forgotten_is_counted() {
        let (counts, keys) = (Arc::<Counts>::default(), fresh().unwrap());
        let mut books = Books::new(Accounts::new(1, 1_000..=1_000, &[]), 1);
        books.memory = Memory::new(2);
        let host = Host::new(Behaviour::default(), books, Arc::clone(&counts));
        for stan in 1..=5 {
            let mut fields = Fields::new("0200");
            for (de, text) in [(2, PAN), (3, "000000"), (4, "000000000001"), (7, "1125041500"), (49, "710")] {
                fields.set(de, text);
            }
            fields.set(11, format!("{stan:06}"));
            decoded(&fields, |message| host.react(message, &keys));
        }
        assert_eq!((counts.get(Count::Approved), counts.get(Count::Forgotten)), (5, 3));
    }
}
