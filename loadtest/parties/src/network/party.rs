//! What all links of a party share.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use iso8583::{Fields, Message};

use super::counts::{Count, Counts};
use super::sighting::{Sighting, Watch, Way};
use super::waiting::LateAnswer;
use super::zone::{Zone, dialect};
use crate::{Dialect, Error, SessionKeys};

/// What an answer says again of its request, where the request has it. Never DE 2, 35 or 52.
const ECHOED: [u8; 13] = [3, 4, 7, 11, 12, 13, 32, 33, 37, 41, 42, 49, 70];

/// Late answers are kept for whoever asks for them, and no more than this many.
const LATE_MAX: usize = 100_000;

/// Who decides what comes in besides network management.
pub(crate) trait Traffic: Send + Sync {
    /// The MAC was right, under these keys.
    fn react(&self, message: &Message<'_>, keys: &SessionKeys) -> Reaction;
}

/// What is done about a message.
#[derive(Debug)]
pub(crate) struct Reaction {
    /// `None` is silence.
    pub answer: Option<Fields>,
    /// How long until the answer is sent.
    pub delay: Duration,
    /// What is special about it.
    pub note: Option<String>,
    pub then: Then,
}

impl Reaction {
    pub fn at_once(answer: Fields) -> Self {
        Self { answer: Some(answer), delay: Duration::ZERO, note: None, then: Then::GoOn }
    }

    pub fn noted(mut self, note: &str) -> Self {
        self.note = Some(note.to_owned());
        self
    }
}

/// What happens to the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    GoOn,
    Close,
    /// Sign off and, after this time, on again.
    SignOff(Duration),
}

#[derive(Clone)]
pub(crate) struct Party {
    pub zone: Arc<Zone>,
    pub dialect: Dialect,
    pub traffic: Option<Arc<dyn Traffic>>,
    pub counts: Arc<Counts>,
    watch: Option<Watch>,
    late: Arc<Mutex<Vec<LateAnswer>>>,
}

impl Party {
    pub fn new(zone: Arc<Zone>, watch: Option<Watch>) -> Result<Self, Error> {
        let (counts, late) = (Arc::default(), Arc::default());
        Ok(Self { zone, dialect: dialect()?, traffic: None, counts, watch, late })
    }

    pub fn with_traffic(mut self, traffic: Arc<dyn Traffic>) -> Self {
        self.traffic = Some(traffic);
        self
    }

    /// Counts a message and tells the watch of it.
    pub fn sight(&self, way: Way, message: &Message<'_>, note: Option<String>) {
        self.counts.add(match way {
            Way::Received => Count::Received,
            Way::Sent => Count::Sent,
        });
        if let Some(watch) = &self.watch {
            watch(&Sighting::of(way, message, note));
        }
    }

    /// As [`Party::sight`], of what was just encoded.
    pub fn sight_sent(&self, wire: &[u8], note: Option<String>) {
        match (&self.watch, self.dialect.spec.decode(wire)) {
            (Some(_), Ok(message)) => self.sight(Way::Sent, &message, note),
            _ => self.counts.add(Count::Sent),
        }
    }

    pub fn sight_undecodable(&self) {
        self.counts.add(Count::Undecodable);
        if let Some(watch) = &self.watch {
            watch(&Sighting::undecodable());
        }
    }

    pub fn keep_late(&self, answer: LateAnswer) {
        self.counts.add(Count::LateAnswers);
        let mut late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
        if late.len() < LATE_MAX {
            late.push(answer);
        }
    }

    pub fn take_late(&self) -> Vec<LateAnswer> {
        std::mem::take(&mut self.late.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The answer to a request, without its MAC: 0210 to 0200 and to 0201, 0430 to 0421.
pub(crate) fn answer_to(request: &Message<'_>, code: &str) -> Fields {
    let mti = request.mti();
    let function = if mti.get(2..3) == Some("0") { '1' } else { '3' };
    let mut fields = Fields::new(&format!("{}{function}0", mti.get(..2).unwrap_or_default()));
    for de in ECHOED {
        if let Some(text) = request.text(de) {
            fields.set(de, text);
        }
    }
    fields.set(39, code);
    fields
}

/// Whether a message answers another.
pub(crate) fn is_answer(mti: &str) -> bool {
    matches!(mti.as_bytes().get(2), Some(b'1' | b'3' | b'5'))
}
