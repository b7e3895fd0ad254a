//! `loadtest compare`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use load_report::AnyReport;

#[derive(clap::Args)]
pub struct Args {
    /// Report of a run, written with --out or from --json: then
    a: PathBuf,
    /// Report of another run of the same kind: now
    b: PathBuf,
    /// One JSON object on standard output
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let comparison = load_report::compare(&read(&args.a)?, &read(&args.b)?);
    if args.json {
        println!("{}", serde_json::to_string(&comparison)?);
    } else {
        print!("{}", comparison.text());
    }
    if !comparison.is_alike() {
        bail!("the two reports are of different tests; run both alike");
    }
    Ok(if comparison.is_worse() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn read(path: &Path) -> anyhow::Result<AnyReport> {
    let name = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
    serde_json::from_str(&text).with_context(|| format!("{name} is no report; write one with --out FILE"))
}
