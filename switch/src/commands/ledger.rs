//! `umbra ledger verify|dump|stats|trial-balance`.

mod stats;
mod trial_balance;

use std::io::{self, BufWriter, Write, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Subcommand;
use ledger::{AsOf, OpenError, Report};
use serde_json::{Value, json};

use super::{heard, moment};

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Check every checksum, chain link, outcome and invariant; reads only, also beside a running daemon
    Verify {
        /// The data directory, or its ledger
        dir: PathBuf,
        /// One JSON object instead of a report for people
        #[arg(long)]
        json: bool,
    },
    /// Print every event with its outcome, one JSON object a line
    Dump {
        /// The data directory, or its ledger
        dir: PathBuf,
    },
    /// Count events by kind and outcome, and see how full the tables are
    Stats {
        /// The data directory, or its ledger
        dir: PathBuf,
        /// One JSON object instead of a report for people
        #[arg(long)]
        json: bool,
    },
    /// Print what was on every account, now or at an earlier moment
    TrialBalance {
        /// The data directory, or its ledger
        dir: PathBuf,
        /// After this event, or at this time: 1234, or 2026-11-30T08:00:00Z
        #[arg(long, value_parser = trial_balance::as_of)]
        as_of: Option<AsOf>,
        /// One JSON object a line instead of a table
        #[arg(long)]
        json: bool,
    },
}

pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.action {
        Action::Verify { dir, json } => {
            let report = ledger::verify(&dir).with_context(|| format!("checking {}", dir.display()))?;
            let text = if json { to_json(&report).to_string() } else { for_people(&dir, &report) };
            heard(writeln!(stdout().lock(), "{text}"))?;
        }
        Action::Dump { dir } => {
            let mut out = BufWriter::new(stdout().lock());
            match ledger::dump(&dir, &mut out) {
                Ok(()) => {}
                Err(OpenError::Storage(error)) if error.kind() == io::ErrorKind::BrokenPipe => {}
                // What stands before the damage is worth seeing.
                Err(error) => {
                    heard(out.flush())?;
                    return Err(error).with_context(|| format!("printing {}", dir.display()));
                }
            }
            heard(out.flush())?;
        }
        Action::Stats { dir, json } => {
            let (stats, report) = ledger::stats(&dir).with_context(|| format!("counting {}", dir.display()))?;
            let text = if json {
                stats::to_json(&stats, &report).to_string()
            } else {
                stats::for_people(&dir, &stats, &report)
            };
            heard(writeln!(stdout().lock(), "{text}"))?;
        }
        Action::TrialBalance { dir, as_of, json } => {
            let balance = ledger::trial_balance(&dir, as_of.unwrap_or(AsOf::Now));
            let balance = balance.with_context(|| format!("summing up {}", dir.display()))?;
            let mut out = BufWriter::new(stdout().lock());
            let printed = match json {
                true => trial_balance::to_json_lines(&balance, &mut out),
                false => trial_balance::for_people(&balance, &mut out),
            };
            heard(printed.and_then(|()| out.flush()))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn for_people(dir: &Path, report: &Report) -> String {
    let mut lines = vec![
        format!("ledger in {}", dir.display()),
        format!("  {} segments, {} frames, {} events", report.segments, report.frames, report.events),
    ];
    // Most tables are empty most of the time.
    let sizes = report
        .sizes
        .iter()
        .filter(|(_, rows)| *rows > 0)
        .map(|(name, rows)| format!("{} {}", rows, name.replace('_', " ")));
    lines.push(format!("  {}", sizes.collect::<Vec<_>>().join(", ")));
    for (currency, (debits, credits)) in &report.trial_balance {
        lines.push(format!("  currency {currency:03}: debits {debits}, credits {credits} minor units"));
    }
    lines.push(format!("  digest {:016x}", report.digest));
    if let Some((file, offset)) = &report.unfinished {
        lines.push(format!(
            "  {file} ends at byte {offset} with a frame that is being written, or that a crash cut short; \
             the next start removes one that was cut"
        ));
    }
    lines.push("OK".into());
    lines.join("\n")
}

fn to_json(report: &Report) -> Value {
    let sizes: serde_json::Map<String, Value> =
        report.sizes.iter().map(|(name, rows)| ((*name).to_owned(), json!(rows))).collect();
    // Totals may be larger than JSON readers' numbers, so they are texts.
    let balance = report.trial_balance.iter().map(|(currency, (debits, credits))| {
        let total = json!({"debits": debits.to_string(), "credits": credits.to_string()});
        (format!("{currency:03}"), total)
    });
    json!({
        "ok": true,
        "segments": report.segments,
        "frames": report.frames,
        "events": report.events,
        "sizes": sizes,
        "trial_balance": balance.collect::<serde_json::Map<_, _>>(),
        "digest": format!("{:016x}", report.digest),
        "unfinished": report.unfinished.as_ref().map(|(file, offset)| json!({"file": file, "byte": offset})),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_for_people_and_one_for_programs() {
        let report = Report {
            segments: 2,
            frames: 5,
            events: 9,
            unfinished: Some(("00000000000000000007.wal".into(), 640)),
            sizes: [
                ("accounts", 3),
                ("open_holds", 1),
                ("remembered_events", 9),
                ("reversed", 0),
                ("cards", 0),
                ("counters", 0),
                ("usages", 0),
                ("terminals", 0),
                ("messages", 0),
            ],
            trial_balance: [(8, (1 << 70, 1 << 70)), (710, (5, 5))].into(),
            digest: 0xAB,
        };
        let text = for_people(Path::new("data"), &report);
        assert!(
            text.starts_with("ledger in data\n  2 segments, 5 frames, 9 events\n  3 accounts, 1 open holds"),
            "{text}"
        );
        assert!(text.contains("9 remembered events\n") && !text.contains("usages"), "{text}");
        assert!(text.contains("currency 008: debits 1180591620717411303424, credits"), "{text}");
        assert!(text.contains("00000000000000000007.wal ends at byte 640"), "{text}");
        assert!(text.ends_with("\nOK"), "{text}");
        let json = to_json(&report);
        assert_eq!(json["digest"], "00000000000000ab");
        assert_eq!(json["trial_balance"]["008"]["debits"], "1180591620717411303424");
        assert_eq!(json["unfinished"], json!({"file": "00000000000000000007.wal", "byte": 640}));
        assert_eq!(json["sizes"]["accounts"], 3);
    }
}
