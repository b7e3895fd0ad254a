//! `umbra openapi`.

use std::io::{Write, stdout};
use std::process::ExitCode;

pub fn run() -> anyhow::Result<ExitCode> {
    writeln!(stdout().lock(), "{}", admin_api::document().to_pretty_json()?)?;
    Ok(ExitCode::SUCCESS)
}
