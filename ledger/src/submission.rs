//! Events on their way to the sequencer, and the answers on their way back.

use tokio::sync::oneshot;

use crate::codec::{self, TooLarge};
use crate::event::Event;
use crate::journal::EVENT_HEADER;
use crate::outcome::Applied;
use crate::sequencer::Turn;

/// Why an event was not taken. Whether a `Stopped` event became durable is not known; asking again by its id after
/// the next start tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    #[error("too many events wait; try again")]
    Busy,
    #[error("a follower of the ledger is too far behind; try again")]
    Lagging,
    #[error("the event is larger than the journal's format allows")]
    TooLarge,
    #[error("the ledger has stopped")]
    Stopped,
}

/// A write or sync of the ledger has failed, or its thread has: what it holds may not be durable and is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the ledger has stopped; its log says why")]
pub struct Stopped;

impl From<Stopped> for SubmitError {
    fn from(_: Stopped) -> Self {
        Self::Stopped
    }
}

/// An event that was queued. It is decided whether or not anybody waits for its outcome: dropping this takes nothing
/// back.
#[derive(Debug)]
#[must_use = "the outcome says whether the event was approved"]
pub struct Submitted(oneshot::Receiver<Applied>);

impl Submitted {
    /// The event's outcome, once it is durable.
    pub async fn outcome(self) -> Result<Applied, SubmitError> {
        self.0.await.map_err(|_| SubmitError::Stopped)
    }

    /// As [`Submitted::outcome`], for threads without a runtime; panics where there is one.
    pub fn outcome_blocking(self) -> Result<Applied, SubmitError> {
        self.0.blocking_recv().map_err(|_| SubmitError::Stopped)
    }
}

/// As [`Submitted`], of several events.
#[derive(Debug)]
#[must_use = "the outcomes say which events were approved"]
pub struct SubmittedAll(oneshot::Receiver<AllAnswered>);

/// The outcomes, and the events, if nobody else has them by now: they are let go where they were made, which costs
/// least, and not by the sequencer.
type AllAnswered = (Vec<Applied>, Vec<Event>);

impl SubmittedAll {
    /// An outcome for each event, in their order, once they are durable.
    pub async fn outcomes(self) -> Result<Vec<Applied>, SubmitError> {
        self.0.await.map(|(applied, _)| applied).map_err(|_| SubmitError::Stopped)
    }

    /// As [`SubmittedAll::outcomes`], for threads without a runtime; panics where there is one.
    pub fn outcomes_blocking(self) -> Result<Vec<Applied>, SubmitError> {
        self.0.blocking_recv().map(|(applied, _)| applied).map_err(|_| SubmitError::Stopped)
    }
}

/// What the sequencer takes at once.
pub(crate) struct Job {
    /// As they will stand in a frame but for their time; made by the caller, so that the sequencer does not wait for it.
    pub bytes: Vec<u8>,
    pub work: Work,
}

pub(crate) enum Work {
    One(Box<Event>, oneshot::Sender<Applied>),
    All(Vec<Event>, oneshot::Sender<AllAnswered>),
}

/// To be told once everything is durable.
pub(crate) enum Answer {
    One(oneshot::Sender<Applied>, Applied),
    All(oneshot::Sender<AllAnswered>, AllAnswered),
}

impl Job {
    pub fn one(event: Event) -> Result<(Self, Submitted), TooLarge> {
        let mut bytes = Vec::with_capacity(512);
        frame(&event, &mut bytes)?;
        let (answer, answered) = oneshot::channel();
        Ok((Self { bytes, work: Work::One(Box::new(event), answer) }, Submitted(answered)))
    }

    pub fn all(events: Vec<Event>) -> Result<(Self, SubmittedAll), TooLarge> {
        let mut bytes = Vec::with_capacity(events.len() * 128);
        events.iter().try_for_each(|event| frame(event, &mut bytes))?;
        let (answer, answered) = oneshot::channel();
        Ok((Self { bytes, work: Work::All(events, answer) }, SubmittedAll(answered)))
    }

    /// How many events it is.
    pub fn len(&self) -> usize {
        self.events().len()
    }

    pub fn events(&self) -> &[Event] {
        match &self.work {
            Work::One(event, _) => std::slice::from_ref(event),
            Work::All(events, _) => events,
        }
    }

    /// Of no events there is nothing to decide.
    pub fn answer_nothing(self) {
        if let Work::All(_, answer) = self.work {
            drop(answer.send(AllAnswered::default()));
        }
    }

    /// Decides its events in their order.
    pub fn decide(self, turn: &mut Turn<'_>) -> Answer {
        match self.work {
            Work::One(event, answer) => {
                let (applied, changes) = turn.decide(&event);
                if turn.is_followed() {
                    turn.tell(*event, &applied, changes);
                }
                Answer::One(answer, applied)
            }
            Work::All(events, answer) => Answer::All(answer, decide_all(events, turn)),
        }
    }
}

fn decide_all(mut events: Vec<Event>, turn: &mut Turn<'_>) -> AllAnswered {
    let mut applied = Vec::with_capacity(events.len());
    let mut changed = Vec::new();
    for (number, event) in events.iter().enumerate() {
        turn.read_ahead(number, events.iter().skip(number));
        let (outcome, changes) = turn.decide(event);
        applied.push(outcome);
        if turn.is_followed() {
            changed.push(changes);
        }
    }
    if turn.is_followed() {
        for ((event, outcome), changes) in events.drain(..).zip(&applied).zip(changed) {
            turn.tell(event, outcome, changes);
        }
    }
    (applied, events)
}

impl Answer {
    pub fn send(self) {
        // Who no longer waits finds the outcome by asking again.
        match self {
            Self::One(answer, applied) => drop(answer.send(applied)),
            Self::All(answer, answered) => drop(answer.send(answered)),
        }
    }
}

/// Length, time (zero), event.
fn frame(event: &Event, bytes: &mut Vec<u8>) -> Result<(), TooLarge> {
    let start = bytes.len();
    bytes.extend_from_slice(&[0; EVENT_HEADER]);
    codec::encode(event, bytes)?;
    let length = u32::try_from(bytes.len() - start - EVENT_HEADER).map_err(|_| TooLarge)?;
    if let Some(place) = bytes.get_mut(start..start + 4) {
        place.copy_from_slice(&length.to_le_bytes());
    }
    Ok(())
}
