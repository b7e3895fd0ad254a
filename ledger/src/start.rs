//! What a ledger begins with.

use std::time::Instant;

use crate::journal::{Journal, Position};
use crate::recovery::{self, OpenError, Range, Scanned};
use crate::snapshot::{self, Snapshot};
use crate::state::{Rooms, State};
use crate::storage::Storage;
use crate::subscription::{AppliedEvent, Feed};

/// The state, and the place where the journal goes on.
pub(crate) struct Start {
    pub state: State,
    pub position: Position,
}

/// Reads what there is, puts in order what a crash has left, and makes a first segment where there is none.
pub(crate) fn read_back(
    storage: &dyn Storage,
    rooms: Option<&Rooms>,
    feeds: &[Feed],
    segment_bytes: u64,
) -> Result<Start, OpenError> {
    // Before anybody sees what stands there: followers may keep nothing that the disk may yet lose.
    recovery::make_end_durable(storage)?;
    let (state, scanned) = read(storage, rooms, feeds)?;
    // What a follower has seen was durable: a journal without it has lost its end, or is another one.
    if let Some(ahead) = feeds.iter().find(|follower| follower.after_seq > state.seq()) {
        let (follower, seen) = (ahead.name.clone(), ahead.after_seq);
        return Err(OpenError::Behind { follower, seen, last: state.seq() });
    }
    let position = match scanned.position.clone() {
        Some(position) => recovery::settle(storage, &scanned, position)?,
        None => {
            let mut ledger = [0; 16];
            getrandom::fill(&mut ledger).map_err(|error| std::io::Error::other(error.to_string()))?;
            Journal::create(storage, ledger, segment_bytes)?
        }
    };
    Ok(Start { state, position })
}

/// The state as snapshot and journal tell it. Those who follow are given what they have not seen.
fn read(storage: &dyn Storage, rooms: Option<&Rooms>, feeds: &[Feed]) -> Result<(State, Scanned), OpenError> {
    let started = Instant::now();
    // They are shown everything that they have not seen, so the snapshot may hold no more than they have.
    let seen = feeds.iter().map(|feed| feed.after_seq).min().unwrap_or(u64::MAX);
    let (mut state, from) = match snapshot::newest(storage, seen, rooms)? {
        Some(Snapshot { state, position }) => (state, Some(position)),
        None => (State::default(), None),
    };
    let (in_snapshot, snapshot_took) = (state.seq(), started.elapsed());
    let scanned = recovery::scan(storage, Range { from, until: None }, &mut |frame| {
        feeds.iter().for_each(Feed::wait);
        rooms.into_iter().for_each(|rooms| rooms.give(&mut state));
        let mut decided = Vec::new();
        let digest = state.replay(&frame.events, |applied, changes| {
            if !feeds.is_empty() {
                decided.push((applied.clone(), changes));
            }
        });
        for ((seq, at, event), (applied, changes)) in frame.events.into_iter().zip(decided) {
            let applied = AppliedEvent::new(seq, at, event, &applied, changes);
            feeds.iter().for_each(|feed| feed.send(&applied));
        }
        Ok(digest)
    })?;
    tracing::info!(
        last_seq = state.seq(),
        replayed = state.seq() - in_snapshot,
        snapshot_ms = snapshot_took.as_millis(),
        journal_ms = (started.elapsed() - snapshot_took).as_millis(),
        "the ledger has been read"
    );
    Ok((state, scanned))
}
