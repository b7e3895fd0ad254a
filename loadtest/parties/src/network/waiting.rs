//! Which answer belongs to which request, also when it comes too late.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use bytes::Bytes;
use iso8583::Message;
use tokio::sync::oneshot;

use crate::{Exchange, Request};

/// How many requests that were given up are remembered, so that late answers are known for what they are.
const OVERDUE_MAX: usize = 10_000;

/// What an answer has in common with its request: its MTI, then DE 7, 11, 32 and 41.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct AnswerKey {
    mti: String,
    elements: [String; KEY_ELEMENTS.len()],
}

const KEY_ELEMENTS: [u8; 4] = [7, 11, 32, 41];

impl AnswerKey {
    pub fn of_request(request: &Request) -> Self {
        let text = |de| request.fields().text(de).unwrap_or_default().trim_end().to_owned();
        Self { mti: request.answer_mti(), elements: KEY_ELEMENTS.map(text) }
    }

    pub fn of_answer(answer: &Message<'_>) -> Self {
        let text = |de| answer.text(de).unwrap_or_default().trim_end().to_owned();
        Self { mti: answer.mti().to_owned(), elements: KEY_ELEMENTS.map(text) }
    }

    fn stan(&self) -> &str {
        &self.elements[1]
    }

    /// Names what differs.
    fn difference(&self, other: &Self) -> String {
        let mut parts = Vec::new();
        if self.mti != other.mti {
            parts.push("MTI".to_owned());
        }
        let elements = KEY_ELEMENTS.iter().zip(self.elements.iter().zip(&other.elements));
        parts.extend(elements.filter(|(_, (mine, theirs))| mine != theirs).map(|(de, _)| format!("DE {de}")));
        parts.join(", ")
    }
}

/// An answer that nobody waited for any more.
#[derive(Debug)]
pub struct LateAnswer {
    pub exchange: Exchange,
    /// From the request to the answer.
    pub after: Duration,
}

/// What was found for an answer.
pub(crate) enum Found {
    /// Whoever waits has it.
    Delivered,
    /// Its request was given up.
    Late(Request, Instant),
    /// Nothing; and what differs from the request it could have been meant for.
    Nobody(Option<String>),
}

struct Waiter {
    ticket: u64,
    answer: oneshot::Sender<Bytes>,
}

struct Overdue {
    request: Request,
    sent: Instant,
}

/// Copies of one request wait in the order they were sent.
#[derive(Default)]
pub(crate) struct Waiting {
    open: HashMap<AnswerKey, VecDeque<Waiter>>,
    overdue: HashMap<AnswerKey, Overdue>,
    overdue_order: VecDeque<AnswerKey>,
    next_ticket: u64,
    closed: bool,
}

impl Waiting {
    /// Where the answer will come; `None` when none can come any more.
    pub fn enter(&mut self, key: AnswerKey) -> Option<(u64, oneshot::Receiver<Bytes>)> {
        if self.closed {
            return None;
        }
        let (answer, receiver) = oneshot::channel();
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.open.entry(key).or_default().push_back(Waiter { ticket, answer });
        Some((ticket, receiver))
    }

    pub fn take(&mut self, key: &AnswerKey, wire: Bytes) -> Found {
        while let Some(waiter) = self.open.get_mut(key).and_then(VecDeque::pop_front) {
            if self.open.get(key).is_some_and(VecDeque::is_empty) {
                self.open.remove(key);
            }
            if waiter.answer.send(wire.clone()).is_ok() {
                return Found::Delivered;
            }
        }
        match self.overdue.remove(key) {
            Some(Overdue { request, sent }) => Found::Late(request, sent),
            None => Found::Nobody(self.nearest(key)),
        }
    }

    /// Its time is over; its answer will be late.
    pub fn give_up(&mut self, key: AnswerKey, ticket: u64, request: Request, sent: Instant) {
        if let Some(waiters) = self.open.get_mut(&key) {
            waiters.retain(|waiter| waiter.ticket != ticket);
            if waiters.is_empty() {
                self.open.remove(&key);
            }
        }
        self.overdue_order.push_back(key.clone());
        self.overdue.insert(key, Overdue { request, sent });
        while self.overdue_order.len() > OVERDUE_MAX {
            if let Some(oldest) = self.overdue_order.pop_front() {
                self.overdue.remove(&oldest);
            }
        }
    }

    /// No answers will come; whoever waits learns it now.
    pub fn close(&mut self) {
        self.closed = true;
        self.open.clear();
    }

    /// STANs are what is most often right about an answer that fits nothing.
    fn nearest(&self, key: &AnswerKey) -> Option<String> {
        let other = self.open.keys().find(|open| open.stan() == key.stan())?;
        Some(key.difference(other))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use iso8583::{Fields, Spec};

    use super::*;
    use crate::network::zone::dialect;

    fn request(stan: &str) -> Request {
        request_in(&dialect().unwrap().spec, stan)
    }

    fn request_in(spec: &Arc<Spec>, stan: &str) -> Request {
        let mut fields = Fields::new("0200");
        for (de, text) in [(7, "1125041500"), (11, stan), (32, "500002"), (41, "NET00001")] {
            fields.set(de, text);
        }
        Request::seal(fields, spec, None).unwrap()
    }

    #[test]
    fn copies_are_answered_in_order_and_the_rest_is_nobody_s() {
        let mut waiting = Waiting::default();
        let key = AnswerKey::of_request(&request("000001"));
        let (_, mut first) = waiting.enter(key.clone()).unwrap();
        let (_, mut second) = waiting.enter(key.clone()).unwrap();
        for (answer, receiver) in [("one", &mut first), ("two", &mut second)] {
            assert!(matches!(waiting.take(&key, Bytes::from(answer)), Found::Delivered));
            assert_eq!(receiver.try_recv().unwrap(), answer);
        }
        assert!(matches!(waiting.take(&key, Bytes::new()), Found::Nobody(None)));
        assert!(waiting.open.is_empty());
    }

    #[test]
    fn a_late_answer_is_known_once_and_a_strange_one_says_what_differs() {
        let mut waiting = Waiting::default();
        let asked = request("000001");
        let key = AnswerKey::of_request(&asked);
        let (ticket, _receiver) = waiting.enter(key.clone()).unwrap();
        let mut strange = key.clone();
        strange.elements[0] = "1125041501".to_owned();
        strange.elements[3] = "NET00002".to_owned();
        let Found::Nobody(Some(difference)) = waiting.take(&strange, Bytes::new()) else { panic!("found") };
        assert_eq!(difference, "DE 7, DE 41");
        waiting.give_up(key.clone(), ticket, asked, Instant::now());
        assert!(matches!(waiting.take(&key, Bytes::new()), Found::Late(request, _) if request.stan() == "000001"));
        assert!(matches!(waiting.take(&key, Bytes::new()), Found::Nobody(None)));
    }

    #[test]
    fn what_is_given_up_is_not_remembered_for_ever() {
        let mut waiting = Waiting::default();
        let spec = dialect().unwrap().spec;
        for stan in 0..=OVERDUE_MAX {
            let asked = request_in(&spec, &format!("{stan:06}"));
            waiting.give_up(AnswerKey::of_request(&asked), 0, asked, Instant::now());
        }
        let found = |waiting: &mut Waiting, stan| waiting.take(&AnswerKey::of_request(&request(stan)), Bytes::new());
        assert!(matches!(found(&mut waiting, "000000"), Found::Nobody(None)));
        assert!(matches!(found(&mut waiting, "000001"), Found::Late(..)));
    }

    #[test]
    fn nobody_waits_on_a_closed_link() {
        let mut waiting = Waiting::default();
        let key = AnswerKey::of_request(&request("000001"));
        let (_, mut receiver) = waiting.enter(key.clone()).unwrap();
        waiting.close();
        assert!(receiver.try_recv().is_err() && waiting.enter(key).is_none());
    }
}
