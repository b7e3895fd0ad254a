//! `umbra tranlog list|show|verify`: the transaction log of a daemon that is not running.

mod transaction;
mod verify;

use std::io::{self, BufWriter, Write, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Subcommand;
use tranlog::{Search, StoredRow, Tranlog, Wanted};

use self::transaction::Transaction;
use super::{heard, moment};
use crate::data_dir::DataDir;

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Print transactions, newest first, a line each
    List(List),
    /// Print one transaction with both its messages, field by field
    Show {
        /// The data directory
        dir: PathBuf,
        /// Its number in the journal, the first column of `list`
        seq: u64,
        /// One JSON object instead of text for people
        #[arg(long)]
        json: bool,
    },
    /// Compare every row with the journal it was made from
    Verify {
        /// The data directory
        dir: PathBuf,
        /// One JSON object instead of a report for people
        #[arg(long)]
        json: bool,
    },
}

#[derive(clap::Args)]
struct List {
    /// The data directory
    dir: PathBuf,
    /// Only of this terminal (DE 41)
    #[arg(long, conflicts_with = "rrn")]
    terminal: Option<String>,
    /// Only with this retrieval reference number (DE 37)
    #[arg(long)]
    rrn: Option<String>,
    /// Only from this time on, for example 2026-11-30T08:00:00Z
    #[arg(long, value_parser = moment::parse)]
    from: Option<u64>,
    /// Only before this time
    #[arg(long, value_parser = moment::parse)]
    until: Option<u64>,
    /// So many at most; 0 for all
    #[arg(long, default_value_t = 50)]
    limit: usize,
    #[arg(long)]
    oldest_first: bool,
    /// One JSON object a line instead of a table
    #[arg(long)]
    json: bool,
}

pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.action {
        Action::List(list) => list.run(),
        Action::Show { dir, seq, json } => show(&dir, seq, json),
        Action::Verify { dir, json } => verify::run(&dir, json),
    }
}

/// The log of a data directory; the name of its own folder will do as well.
fn open(dir: &Path) -> Result<Tranlog, tranlog::Error> {
    let own = DataDir::below(dir).tranlog();
    Tranlog::open_existing(if dir.ends_with("tranlog") && !own.is_dir() { dir } else { &own })
}

impl List {
    fn run(self) -> anyhow::Result<ExitCode> {
        let log = open(&self.dir)?;
        let wanted = match (self.terminal, self.rrn) {
            (Some(terminal), _) => Wanted::Terminal(terminal),
            (None, Some(rrn)) => Wanted::Rrn(rrn),
            (None, None) => Wanted::All,
        };
        let search = Search { wanted, from: self.from, until: self.until, newest_first: !self.oldest_first };
        let limit = if self.limit == 0 { usize::MAX } else { self.limit };
        let mut out = BufWriter::new(stdout().lock());
        heard(print(log.search(&search)?.take(limit), self.json, &mut out)).context("printing the transaction log")?;
        heard(out.flush())?;
        Ok(ExitCode::SUCCESS)
    }
}

fn print(
    rows: impl Iterator<Item = Result<StoredRow, tranlog::Error>>,
    json: bool,
    out: &mut impl Write,
) -> io::Result<()> {
    if !json {
        writeln!(out, "{}", transaction::HEADING)?;
    }
    for row in rows {
        let row = row.map_err(io::Error::other)?;
        if json {
            writeln!(out, "{}", json_line(&row))?;
        } else {
            writeln!(out, "{}", Transaction::of(&row)?.line(&row))?;
        }
    }
    Ok(())
}

fn show(dir: &Path, seq: u64, json: bool) -> anyhow::Result<ExitCode> {
    let row = open(dir)?.row(seq)?.with_context(|| {
        format!("event {seq} is no transaction, or is not in the log; `umbra tranlog list` shows which are")
    })?;
    let text = if json { json_line(&row) } else { Transaction::of(&row)?.text(&row) };
    heard(writeln!(stdout().lock(), "{text}"))?;
    Ok(ExitCode::SUCCESS)
}

/// The row with its number and time.
fn json_line(row: &StoredRow) -> String {
    let json = String::from_utf8_lossy(&row.json);
    let rest = json.strip_prefix('{').unwrap_or("}");
    format!("{{\"seq\":{},\"at\":\"{}\",{rest}", row.seq, moment::text(row.at))
}
