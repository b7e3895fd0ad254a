//! The log against the journal: every row is what its event makes, and there are no others.

use std::io::{Write, stdout};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use serde_json::json;
use tranlog::{Search, Tranlog};

use super::super::heard;
use crate::data_dir::DataDir;
use crate::message;

#[derive(Default)]
struct Comparison {
    /// Events of the journal, and how many of them the log has taken over.
    events: u64,
    taken_over: u64,
    rows: u64,
    /// Numbers of events: the first few of each kind, and how many there are.
    missing: Differences,
    different: Differences,
    invented: Differences,
}

#[derive(Default)]
struct Differences {
    count: u64,
    first: Vec<u64>,
}

impl Differences {
    fn add(&mut self, seq: u64) {
        const FIRST: usize = 10;
        self.count += 1;
        if self.first.len() < FIRST {
            self.first.push(seq);
        }
    }
}

pub fn run(dir: &Path, json: bool) -> anyhow::Result<ExitCode> {
    let log = super::open(dir)?;
    let compared = compare(dir, &log).with_context(|| format!("comparing the log of {}", dir.display()))?;
    let text = if json { compared.to_json().to_string() } else { compared.for_people() };
    heard(writeln!(stdout().lock(), "{text}"))?;
    Ok(if compared.is_sound() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn compare(dir: &Path, log: &Tranlog) -> anyhow::Result<Comparison> {
    let mut compared = Comparison { taken_over: log.seq()?, ..Comparison::default() };
    // Both are in the order of the journal.
    let mut rows = log.search(&Search::default())?;
    let mut next = rows.next().transpose()?;
    let mut failed = None;
    let mut take = |event: &ledger::AppliedEvent, compared: &mut Comparison| -> Result<(), tranlog::Error> {
        let expected = message::row_of(event).filter(|_| event.seq <= compared.taken_over);
        while let Some(row) = next.take_if(|row| row.seq < event.seq) {
            compared.invented.add(row.seq);
            next = rows.next().transpose()?;
        }
        match (next.take_if(|row| row.seq == event.seq), expected) {
            (None, None) => return Ok(()),
            (None, Some(_)) => {
                compared.missing.add(event.seq);
                return Ok(());
            }
            (Some(_), None) => compared.invented.add(event.seq),
            (Some(row), Some(expected)) => {
                compared.rows += 1;
                if row.json != expected.json || row.at != event.at {
                    compared.different.add(event.seq);
                }
            }
        }
        next = rows.next().transpose()?;
        Ok(())
    };
    let report = ledger::read(&DataDir::below(dir).ledger(), |event| {
        if failed.is_none() {
            failed = take(&event, &mut compared).err();
        }
    })?;
    if let Some(error) = failed {
        return Err(error.into());
    }
    compared.events = report.events;
    for row in next.map(Ok).into_iter().chain(rows) {
        compared.invented.add(row?.seq);
    }
    Ok(compared)
}

impl Comparison {
    fn is_sound(&self) -> bool {
        self.missing.count == 0
            && self.different.count == 0
            && self.invented.count == 0
            && self.taken_over <= self.events
    }

    fn kinds(&self) -> [(&'static str, &Differences); 3] {
        [("missing", &self.missing), ("different", &self.different), ("invented", &self.invented)]
    }

    fn for_people(&self) -> String {
        let mut lines = vec![format!(
            "transaction log: {} rows of {} events; the journal has {}",
            self.rows, self.taken_over, self.events
        )];
        if self.taken_over < self.events {
            let behind = self.events - self.taken_over;
            lines.push(format!(
                "{behind} events behind the journal, as a crash leaves it; the next start takes them over"
            ));
        }
        for (kind, differences) in self.kinds().iter().filter(|(_, differences)| differences.count > 0) {
            lines.push(format!("{} rows {kind}, the first at events {:?}", differences.count, differences.first));
        }
        lines.push(if self.is_sound() {
            "OK".into()
        } else {
            "NOT SOUND: remove the folder tranlog, and the next start makes it anew from the journal".into()
        });
        lines.join("\n")
    }

    fn to_json(&self) -> serde_json::Value {
        let mut json = json!({
            "ok": self.is_sound(), "events": self.events, "taken_over": self.taken_over, "rows": self.rows,
        });
        for (kind, differences) in self.kinds() {
            json[kind] = json!({"count": differences.count, "first": differences.first});
        }
        json
    }
}
