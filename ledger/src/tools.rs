//! Checking and printing a journal offline.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::event::{Body, CardAction, Entry, Event, Posting};
use crate::outcome::Applied;
use crate::recovery::{self, OpenError};
use crate::state::{Changes, State};
use crate::storage::FileStorage;

/// What a check found.
#[derive(Clone, Debug)]
pub struct Report {
    pub folder: PathBuf,
    pub frames: u64,
    pub events: u64,
    /// Bytes after the last whole frame: cut short by a crash, or being written now.
    pub unfinished_at: Option<u64>,
    pub sizes: [(&'static str, usize); 4],
    /// Currency to posted debits and credits.
    pub trial_balance: BTreeMap<u16, (i128, i128)>,
    pub digest: u64,
}

/// `folder` is the ledger's, or the data directory it is in.
fn ledger_folder(folder: &Path) -> PathBuf {
    let inside = folder.join("ledger");
    if inside.is_dir() { inside } else { folder.to_owned() }
}

fn replay(
    folder: &Path,
    visit: &mut dyn FnMut(u64, &Event, &Applied, &Changes) -> Result<(), String>,
) -> Result<(State, recovery::Scanned), OpenError> {
    let storage = FileStorage::read_only(folder);
    let mut state = State::default();
    let scanned = recovery::scan(&storage, &mut |frame| {
        let mut digest = 0;
        for (seq, at, event) in frame.events {
            let (applied, changes) = state.apply(seq, at, &event);
            digest = applied.digest(digest);
            visit(seq, &event, &applied, &changes)?;
        }
        state.check_invariants()?;
        Ok(digest)
    })?;
    Ok((state, scanned))
}

/// Checks every checksum, chain link, outcome and invariant. Reads only.
pub fn verify(folder: &Path) -> Result<Report, OpenError> {
    let folder = ledger_folder(folder);
    let (state, scanned) = replay(&folder, &mut |_, _, _, _| Ok(()))?;
    if scanned.position.is_none() {
        let error = std::io::Error::new(std::io::ErrorKind::NotFound, format!("no journal in {}", folder.display()));
        return Err(error.into());
    }
    Ok(Report {
        folder,
        frames: scanned.frames,
        events: state.seq(),
        unfinished_at: scanned.torn,
        sizes: state.sizes(),
        trial_balance: state.trial_balance(),
        digest: state.digest(),
    })
}

/// Writes one JSON object a line for each event, with its outcome.
pub fn dump(folder: &Path, mut out: impl Write) -> Result<(), OpenError> {
    let mut failed = None;
    let result = replay(&ledger_folder(folder), &mut |seq, event, applied, changes| {
        let line = describe(seq, event, applied, changes);
        writeln!(out, "{line}").map_err(|error| {
            let text = error.to_string();
            failed = Some(error);
            text
        })
    });
    match (failed, result) {
        (Some(error), _) => Err(error.into()),
        (None, result) => result.map(|_| ()),
    }
}

fn describe(seq: u64, event: &Event, applied: &Applied, changes: &Changes) -> Value {
    let (kind, detail, record) = match &event.body {
        Body::OpenAccount { account, currency, kind, floor } => (
            "open-account",
            json!({"account": account, "currency": currency, "kind": format!("{kind:?}"), "floor": format!("{floor:?}")}),
            None,
        ),
        Body::CloseAccount { account } => ("close-account", json!({"account": account}), None),
        Body::Post { entry, record } => ("post", entry_json(entry), Some(record)),
        Body::PlaceHold { entry, expires_at, record } => {
            ("place-hold", json!({"entry": entry_json(entry), "expires_at": expires_at}), Some(record))
        }
        Body::CaptureHold { hold, amount, last, record } => {
            ("capture-hold", json!({"hold": id(hold.0), "amount": amount, "last": last}), Some(record))
        }
        Body::VoidHold { hold } => ("void-hold", json!({"hold": id(hold.0)}), None),
        Body::Reverse { original, remaining, record } => {
            ("reverse", json!({"original": id(original.0), "remaining": remaining}), Some(record))
        }
        Body::Card(card) => {
            let action = match &card.action {
                CardAction::Decline { reason } => json!({"decline": reason}),
                CardAction::Inquire { account } => json!({"inquire": account}),
                CardAction::Post { entry } => json!({"post": entry_json(entry)}),
                CardAction::Hold { entry, expires_at } => json!({"hold": entry_json(entry), "expires_at": expires_at}),
                CardAction::Complete { entry, .. } => json!({"complete": entry_json(entry)}),
                CardAction::Reverse { remaining, .. } => json!({"reverse": {"remaining": remaining}}),
            };
            ("card", json!({"card": card.card, "pin": format!("{:?}", card.pin), "action": action}), Some(&card.record))
        }
        Body::ResetPinTries { card } => ("reset-pin-tries", json!({"card": card}), None),
        Body::Tick => ("tick", Value::Null, None),
    };
    let record = record.and_then(|record| serde_json::from_slice::<Value>(record).ok());
    let outcome = &applied.outcome;
    json!({
        "seq": seq,
        "at": outcome.at.max(event.id.time()),
        "id": id(event.id.0),
        "kind": kind,
        "detail": detail,
        "outcome": {
            "code": format!("{:?}", outcome.code), "reason": outcome.reason, "amount": outcome.amount,
            "account": outcome.account, "balance": outcome.balance, "available": outcome.available, "copy": applied.replayed,
        },
        "posted": postings(&changes.moves),
        "held": postings(&changes.holds),
        "record": record,
    })
}

fn id(id: u128) -> String {
    format!("{id:032x}")
}

fn entry_json(entry: &Entry) -> Value {
    json!({"currency": entry.currency, "postings": postings(&entry.postings)})
}

fn postings(postings: &[Posting]) -> Value {
    postings.iter().map(|posting| json!({"account": posting.account, "amount": posting.amount})).collect()
}
