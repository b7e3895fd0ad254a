//! Reading ahead: what events will need comes from memory for many of them together, and not for one after the other.

use super::Changes;
use super::State;
use super::records::Place;
use crate::event::{Body, CardAction, CardEvent, Event, Millis, Posting};
use crate::outcome::Applied;

/// Events that are read ahead for; more would fall out of the processor's cache again.
const AHEAD: usize = 32;

/// Reads ahead and changes nothing.
#[derive(Default)]
pub(crate) struct Ahead {
    places: Vec<Place>,
}

impl Ahead {
    /// Before what is `number`th in a row, looks at what comes next, once for many.
    pub fn look<'e>(&mut self, state: &State, number: usize, next: impl Iterator<Item = &'e Event> + Clone) {
        if number.is_multiple_of(AHEAD) {
            let next = next.take(AHEAD);
            state.memory.warm(next.clone().map(|event| event.id));
            let accounts = next.flat_map(postings).map(|posting| posting.account);
            state.accounts.warm(accounts, &mut self.places);
        }
    }
}

/// Of the kinds that there are most of.
fn postings(event: &Event) -> &[Posting] {
    match &event.body {
        Body::Post { entry, .. } | Body::PlaceHold { entry, .. } => &entry.postings,
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
