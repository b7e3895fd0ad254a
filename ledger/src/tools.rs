//! Checking and printing a journal offline, or beside the process that writes it.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::controls::{Controls, Limit, Side, Subject, Sum, Totals};
use crate::event::{Body, CardAction, CardEvent, Entry, Event, Floor, Posting, Reference};
use crate::journal::Position;
use crate::limits::TABLES;
use crate::messages::{ForwardResult, MessageDid};
use crate::outcome::Applied;
use crate::recovery::{self, OpenError, Range, Scanned};
use crate::snapshot::{self, Snapshot, snapshot_name};
use crate::state::{Changes, State};
use crate::storage::{FileStorage, Storage};
use crate::subscription::AppliedEvent;

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub segments: u64,
    pub frames: u64,
    pub events: u64,
    /// Bytes follow the last whole frame at this file and place: cut short by a crash, or being written now.
    pub unfinished: Option<(String, u64)>,
    /// Rows of the state's tables.
    pub sizes: [(&'static str, usize); TABLES],
    /// Currency to posted debits and credits.
    pub trial_balance: BTreeMap<u16, (i128, i128)>,
    pub digest: u64,
}

/// A journal that is being written may be read with a new frame and without the one before it. What is read again and
/// still does not fit is damage.
const READS_MAX: u32 = 3;
const PAUSE: Duration = Duration::from_millis(50);

/// `folder` is the ledger's, or the data directory it is in.
pub(crate) fn storage(folder: &Path) -> FileStorage {
    let inside = folder.join("ledger");
    FileStorage::read_only(if inside.is_dir() { &inside } else { folder })
}

/// What replay shows of an event.
struct Shown<'a> {
    seq: u64,
    at: u64,
    event: &'a Event,
    applied: &'a Applied,
    changes: &'a Changes,
}

/// Where reading begins: at the first event, or where archived segments were taken away, at the oldest snapshot.
pub(crate) fn beginning(storage: &dyn Storage) -> Result<(State, Option<Position>), OpenError> {
    let mut damage = None;
    if recovery::segments(storage)?.keys().next().is_some_and(|first| *first > 1) {
        for next_seq in snapshot::list(storage)? {
            match snapshot::read(storage, next_seq, None) {
                Ok(Snapshot { state, position }) => return Ok((state, Some(position))),
                Err(error) => damage = Some(unreadable(next_seq, &error)),
            }
        }
    }
    damage.map_or(Ok((State::default(), None)), Err)
}

/// What is wrong with a snapshot, held against the journal. One that has been removed meanwhile says nothing.
fn check_snapshot(storage: &dyn Storage, next_seq: u64, state: &State, outcomes: u32) -> Option<OpenError> {
    match snapshot::read(storage, next_seq, None) {
        Ok(read) if read.state.digest() == state.digest() && read.position.outcomes == outcomes => None,
        Ok(_) => Some(bad_snapshot(next_seq, "it holds another state than the journal gives".into())),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => Some(unreadable(next_seq, &error)),
    }
}

fn unreadable(next_seq: u64, error: &std::io::Error) -> OpenError {
    bad_snapshot(next_seq, format!("the snapshot does not read: {error}"))
}

fn bad_snapshot(next_seq: u64, what: String) -> OpenError {
    OpenError::Damaged { file: snapshot_name(next_seq), offset: 0, what }
}

type Visit<'a> = &'a mut dyn FnMut(&Shown<'_>) -> Result<(), String>;

fn replay(storage: &dyn Storage, visit: Visit<'_>) -> Result<(State, Scanned), OpenError> {
    let (mut state, from) = beginning(storage)?;
    let snapshots = snapshot::list(storage)?;
    let mut fault = None;
    // Checking everything after every frame would cost the square of the journal's length. Each event's own changes
    // are checked at once, everything whenever the number of events has doubled, and at the end.
    let mut next_check = 1;
    let scanned = recovery::scan(storage, Range { from, until: None }, &mut |frame| {
        let mut digest = 0;
        for (seq, at, event) in &frame.events {
            let (applied, changes) = state.apply(*seq, *at, event);
            digest = applied.digest(digest);
            state.check_event(event, &applied, &changes).map_err(|what| format!("event {seq}: {what}"))?;
            visit(&Shown { seq: *seq, at: *at, event, applied: &applied, changes: &changes })?;
        }
        if state.seq() >= next_check {
            state.check_invariants()?;
            next_check = state.seq() * 2;
        }
        let next_seq = state.seq() + 1;
        if snapshots.contains(&next_seq) {
            fault = fault.take().or(check_snapshot(storage, next_seq, &state, digest));
        }
        Ok(digest)
    })?;
    if scanned.position.is_none() {
        let text = "there is no journal here; name the data directory or its ledger";
        return Err(std::io::Error::new(std::io::ErrorKind::NotFound, text).into());
    }
    if let Some(fault) = fault {
        return Err(fault);
    }
    if let (Err(what), Some(end)) = (state.check_invariants(), &scanned.position) {
        return Err(OpenError::Damaged { file: end.segment.clone(), offset: end.offset, what });
    }
    Ok((state, scanned))
}

/// Reads again what does not fit, for the case that it was being written. `visit` sees each event once.
fn replay_beside_writer(storage: &dyn Storage, visit: Visit<'_>) -> Result<(State, Scanned), OpenError> {
    let mut seen = 0;
    for read in 1.. {
        let result = replay(storage, &mut |shown| {
            if shown.seq > seen {
                seen = shown.seq;
                return visit(shown);
            }
            Ok(())
        });
        match result {
            Err(OpenError::Damaged { .. }) if read < READS_MAX => std::thread::sleep(PAUSE),
            // Archived since its name was read.
            Err(OpenError::Storage(error)) if error.kind() == ErrorKind::NotFound && read < READS_MAX => {}
            result => return result,
        }
    }
    Err(std::io::Error::other("the journal was not read").into())
}

/// Checks every checksum, chain link, outcome and invariant. Reads only.
pub fn verify(folder: &Path) -> Result<Report, OpenError> {
    replay_beside_writer(&storage(folder), &mut |_| Ok(())).map(report)
}

/// As [`verify`], for a journal that is stored elsewhere and is not being written.
pub fn verify_storage(storage: &dyn Storage) -> Result<Report, OpenError> {
    replay(storage, &mut |_| Ok(())).map(report)
}

fn report((state, scanned): (State, Scanned)) -> Report {
    let end = scanned.position.filter(|_| scanned.torn);
    Report {
        segments: scanned.segments,
        frames: scanned.frames,
        events: state.seq(),
        unfinished: end.map(|end| (end.segment, end.offset)),
        sizes: state.sizes(),
        trial_balance: state.trial_balance(),
        digest: state.digest(),
    }
}

/// As [`verify`], showing each event with its outcome on the way.
pub fn read(folder: &Path, mut visit: impl FnMut(AppliedEvent)) -> Result<Report, OpenError> {
    let all = replay_beside_writer(&storage(folder), &mut |shown| {
        visit(AppliedEvent {
            seq: shown.seq,
            at: shown.at,
            event: Arc::new(shown.event.clone()),
            outcome: shown.applied.outcome.clone(),
            replayed: shown.applied.replayed,
            moves: shown.changes.moves.clone(),
            holds: shown.changes.holds.clone(),
        });
        Ok(())
    });
    all.map(report)
}

/// Writes one JSON object a line for each event, with its outcome.
pub fn dump(folder: &Path, mut out: impl Write) -> Result<(), OpenError> {
    let mut failed = None;
    let result = replay_beside_writer(&storage(folder), &mut |shown| {
        if failed.is_some() {
            return Ok(());
        }
        writeln!(out, "{}", describe(shown)).or_else(|error| {
            let text = error.to_string();
            failed = Some(error);
            Err(text)
        })
    });
    match (failed, result) {
        (Some(error), _) => Err(error.into()),
        (None, result) => result.map(|_| ()),
    }
}

fn describe(shown: &Shown<'_>) -> Value {
    let (detail, record) = describe_body(&shown.event.body);
    let outcome = &shown.applied.outcome;
    let mut line = json!({
        "seq": shown.seq,
        "at": shown.at,
        "id": hex(shown.event.id.0),
        "kind": shown.event.body.kind(),
        "detail": detail,
        "outcome": {
            "code": format!("{:?}", outcome.code),
            "reason": outcome.reason,
            "amount": outcome.amount,
            "account": outcome.account,
            "balance": outcome.balance,
            "available": outcome.available,
            "approval": outcome.approval,
            "copy_of": shown.applied.replayed.then_some(outcome.seq),
        },
        "posted": postings(&shown.changes.moves),
        "held": postings(&shown.changes.holds),
        "record": record.and_then(|record| serde_json::from_slice::<Value>(record).ok()),
    });
    if !shown.event.controls.is_empty() {
        line["controls"] = controls_json(&shown.event.controls);
    }
    line
}

fn controls_json(controls: &Controls) -> Value {
    let limit = |limit: &Limit| {
        let (of, number) = match limit.usage.of {
            Subject::Account(account) => ("account", account),
            Subject::Card(card) => ("card", card),
        };
        json!({
            of: number,
            "class": limit.usage.class,
            "period": format!("{:?}", limit.usage.period).to_lowercase(),
            "ends_at": limit.ends_at,
            "count_max": limit.count_max,
            "amount_max": limit.amount_max,
        })
    };
    let atc = controls.atc.map(|atc| json!({"value": atc.value, "ahead_max": atc.ahead_max}));
    let side = |side: Side| format!("{side:?}").to_lowercase();
    let send = controls.send.as_ref().map(|send| json!({"link": send.link, "bytes": send.message.len()}));
    let total = controls.total.map(|total| json!({"terminal": total.terminal, "side": side(total.side)}));
    json!({"limits": controls.limits.iter().map(limit).collect::<Vec<_>>(), "atc": atc, "total": total, "send": send})
}

fn totals_json(totals: &Totals) -> Value {
    let sum = |sum: Sum| json!({"count": sum.count, "amount": sum.amount});
    json!({
        "debits": sum(totals.debits),
        "debit_reversals": sum(totals.debit_reversals),
        "credits": sum(totals.credits),
        "credit_reversals": sum(totals.credit_reversals),
    })
}

/// Fields, and the caller's record.
fn describe_body(body: &Body) -> (Value, Option<&[u8]>) {
    match body {
        Body::OpenAccount { account, currency, kind, floor } => {
            let floor = match floor {
                Floor::Limited(floor) => json!(floor),
                Floor::Unlimited => Value::Null,
            };
            let kind = format!("{kind:?}").to_lowercase();
            let detail = json!({"account": account, "currency": currency, "kind": kind, "floor": floor});
            (detail, None)
        }
        Body::CloseAccount { account } => (json!({"account": account}), None),
        Body::Post { entry, record } => (entry_json(entry), Some(record)),
        Body::PostAll { entries, record } => (Value::Array(entries.iter().map(entry_json).collect()), Some(record)),
        Body::PlaceHold { entry, expires_at, record } => {
            (json!({"entry": entry_json(entry), "expires_at": expires_at}), Some(record))
        }
        Body::IncreaseHold { hold, amount, record } => (json!({"hold": hex(hold.0), "amount": amount}), Some(record)),
        Body::CaptureHold { hold, amount, last, record } => {
            (json!({"hold": hex(hold.0), "amount": amount, "last": last}), Some(record))
        }
        Body::VoidHold { hold } => (json!({"hold": hex(hold.0)}), None),
        Body::Reverse { original, remaining, record } => {
            (json!({"original": hex(original.0), "remaining": remaining}), Some(record))
        }
        Body::Card(card) => (card_json(card), Some(&card.record)),
        Body::ResetPinTries { card } => (json!({"card": card}), None),
        Body::CloseForward { forward, result, record, .. } => {
            let result = match result {
                ForwardResult::Approved { entry } => json!({"approved": entry_json(entry)}),
                ForwardResult::Declined { reason } => json!({"declined": reason}),
            };
            (json!({"forward": hex(forward.0), "result": result}), Some(record))
        }
        Body::Message { message, did } => {
            let did = match did {
                MessageDid::Delivered => json!("delivered"),
                MessageDid::Failed { retry_at, tries_max } => {
                    json!({"failed": {"retry_at": retry_at, "tries_max": tries_max}})
                }
                MessageDid::Retried => json!("retried"),
                MessageDid::Discarded => json!("discarded"),
            };
            (json!({"message": hex(message.0), "did": did}), None)
        }
        Body::CloseTotals { terminal, currency, next_date, counted, record } => {
            let counted = counted.as_ref().map(totals_json);
            let detail =
                json!({"terminal": terminal, "currency": currency, "next_date": next_date, "counted": counted});
            (detail, Some(record))
        }
        Body::ForgetAtc { card } => (json!({"card": card}), None),
        Body::Tick => (Value::Null, None),
    }
}

fn card_json(card: &CardEvent) -> Value {
    let action = match &card.action {
        CardAction::Decline { reason } => json!({"decline": reason}),
        CardAction::Inquire { account } => json!({"inquire": account}),
        CardAction::Post { entry } => json!({"post": entry_json(entry)}),
        CardAction::Hold { entry, expires_at } => json!({"hold": entry_json(entry), "expires_at": expires_at}),
        CardAction::Complete { hold, entry, tolerance_bp, .. } => {
            json!({"complete": reference(*hold), "entry": entry_json(entry), "tolerance_bp": tolerance_bp})
        }
        CardAction::Force { entry, hold } => json!({"force": entry_json(entry), "hold": hold.map(reference)}),
        // The message itself is opaque, and for its link only.
        CardAction::Forward { link, expires_at, reversal } => {
            json!({"forward": link, "expires_at": expires_at, "reversal_bytes": reversal.len()})
        }
        CardAction::Reverse { original, remaining } => {
            json!({"reverse": reference(*original), "remaining": remaining})
        }
    };
    let keys: Vec<String> = card.aliases.iter().map(|key| hex(*key)).collect();
    json!({
        "card": card.card,
        "pin": format!("{:?}", card.pin),
        "advice": card.advice,
        "keys": keys,
        "repeat_of": card.repeat_of.map(hex),
        "action": action,
    })
}

fn reference(reference: Reference) -> Value {
    match reference {
        Reference::Id(id) => json!({"id": hex(id.0)}),
        Reference::Key(key) => json!({"key": hex(key)}),
        Reference::IdOrRepeat(id, key) => json!({"id": hex(id.0), "repeat": hex(key)}),
    }
}

fn hex(number: u128) -> String {
    format!("{number:032x}")
}

fn entry_json(entry: &Entry) -> Value {
    json!({"currency": entry.currency, "postings": postings(&entry.postings)})
}

fn postings(postings: &[Posting]) -> Value {
    postings.iter().map(|posting| json!({"account": posting.account, "amount": posting.amount})).collect()
}
