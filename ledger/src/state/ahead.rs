//! Reading ahead: what events will need comes from memory for many of them together, and not for one after the other.

use super::Changes;
use super::State;
use super::records::Place;
use crate::event::{Body, CardAction, CardEvent, Event, EventId, Millis, Posting};
use crate::outcome::Applied;

/// Events, or rows, that are read ahead for; more would fall out of the processor's cache again.
pub(super) const AHEAD: usize = 32;

/// Reads ahead and changes nothing.
#[derive(Default)]
pub(crate) struct Ahead {
    places: Vec<Place>,
    ids: Vec<EventId>,
}

impl Ahead {
    /// Before what is `number`th in a row, looks at what comes next, once for many.
    pub fn look<'e>(&mut self, state: &State, number: usize, next: impl Iterator<Item = &'e Event> + Clone) {
        if number.is_multiple_of(AHEAD) {
            let next = next.take(AHEAD);
            state.memory.warm(next.clone().map(|event| event.id));
            let accounts = next.flat_map(|event| postings(state, event)).map(|posting| posting.account);
            state.accounts.warm(accounts, &mut self.places);
            state.memory.warm_evictable(AHEAD, &state.bounds, &mut self.ids);
        }
    }
}

/// Of the kinds that there are most of.
fn postings<'e>(state: &'e State, event: &'e Event) -> &'e [Posting] {
    match &event.body {
        Body::Post { entry, .. } | Body::PlaceHold { entry, .. } => &entry.postings,
        Body::CaptureHold { hold, .. } => {
            state.holds.usable(*hold, state.at).map_or(&[], |hold| hold.entry.postings.as_slice())
        }
        Body::Card(CardEvent {
            action:
                CardAction::Post { entry }
                | CardAction::Hold { entry, .. }
                | CardAction::Complete { entry, .. }
                | CardAction::Force { entry, .. },
            ..
        }) => &entry.postings,
        _ => &[],
    }
}

impl State {
    /// Applies what a frame of the journal holds, each event with its sequence and time. Gives the digest of the
    /// outcomes.
    pub(crate) fn replay(&mut self, events: &[(u64, Millis, Event)], mut then: impl FnMut(&Applied, Changes)) -> u32 {
        let mut ahead = Ahead::default();
        let mut digest = 0;
        for (number, (seq, at, event)) in events.iter().enumerate() {
            ahead.look(self, number, events.iter().skip(number).map(|(_, _, event)| event));
            let (applied, changes) = self.apply(*seq, *at, event);
            digest = applied.digest(digest);
            then(&applied, changes);
        }
        digest
    }
}
