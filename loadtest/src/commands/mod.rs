//! One file a command.

pub mod compare;
pub mod hsm;
pub mod ledger;
pub mod run;

use std::process::ExitCode;

use load_report::Finding;
use serde::Serialize;

/// Prints the report of a part alone, as a table where one is given, else as JSON, and what was found; gives the exit
/// status.
fn conclude(
    report: &impl Serialize,
    passed: bool,
    findings: &[Finding],
    table: Option<String>,
) -> anyhow::Result<ExitCode> {
    match table {
        Some(table) => println!("{table}"),
        None => println!("{}", serde_json::to_string_pretty(report)?),
    }
    for finding in findings {
        eprintln!("{}: {}", finding.what, finding.text);
    }
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
