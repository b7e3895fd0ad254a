//! What a journal consists of.

use std::collections::BTreeMap;
use std::path::Path;

use crate::event::{Body, CardAction, Millis};
use crate::outcome::Code;
use crate::recovery::OpenError;
use crate::subscription::AppliedEvent;
use crate::tools::{Report, read};

/// Counts over a whole journal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Kind of event to how many there are of each outcome.
    pub kinds: BTreeMap<&'static str, BTreeMap<Code, u64>>,
    /// Copies of earlier events, which changed nothing. They are among the kinds.
    pub copies: u64,
    /// Time of the first and of the last event, Unix milliseconds.
    pub first_at: Option<Millis>,
    pub last_at: Option<Millis>,
    /// The most events in one second of the clock.
    pub busiest_second: u64,
}

/// Reads and checks a journal, as [`crate::verify`] does, and counts. Gives the check's report too.
pub fn stats(folder: &Path) -> Result<(Stats, Report), OpenError> {
    let (mut stats, mut second, mut in_second) = (Stats::default(), 0, 0);
    let report = read(folder, |event| {
        stats.take(&event);
        if event.at / 1000 != second {
            (second, in_second) = (event.at / 1000, 0);
        }
        in_second += 1;
        stats.busiest_second = stats.busiest_second.max(in_second);
    })?;
    Ok((stats, report))
}

impl Stats {
    fn take(&mut self, event: &AppliedEvent) {
        let outcomes = self.kinds.entry(kind(&event.event.body)).or_default();
        *outcomes.entry(event.outcome.code).or_default() += 1;
        self.copies += u64::from(event.replayed);
        self.first_at.get_or_insert(event.at);
        self.last_at = Some(event.at);
    }
}

/// The name of a kind of event, as `umbra ledger dump` has it; card events by their action.
fn kind(body: &Body) -> &'static str {
    match body {
        Body::Card(card) => match card.action {
            CardAction::Decline { .. } => "card decline",
            CardAction::Inquire { .. } => "card inquire",
            CardAction::Post { .. } => "card post",
            CardAction::Hold { .. } => "card hold",
            CardAction::Complete { .. } => "card complete",
            CardAction::Reverse { .. } => "card reverse",
            CardAction::Force { .. } => "card force",
            CardAction::Forward { .. } => "card forward",
        },
        other => other.kind(),
    }
}
