//! `loadtest hsm`.

use std::process::ExitCode;

use crate::hsm_alone::{self, Settings};
use crate::progress::Progress;

/// What `--help` says below the options.
const MEASURED: &str = "\
Each round measures six commands: a PIN verified by its PVV (DC), a PIN block translated from a terminal's key to a
zone's (CA), a retail MAC over 200 bytes made (M6) and verified (M8); and with AES keys, a block of format 4 verified
(EC) and a CMAC over 200 bytes made (M6). Beside each stand, of the same round: a bare server
that sends the same frames back on as many connections, and the bare time of the block operations with every key
schedule ready. Processor time is that of all threads of the simulator. Every answer is checked; a wrong or missing
one gives exit status 1.";

#[derive(clap::Args)]
#[command(after_long_help = MEASURED)]
pub struct Args {
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
    /// Seconds of measured time, all rounds, commands and baselines together
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    seconds: u32,
    /// Rounds; the figures are medians over them
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// Connections; the simulator takes 64 at once
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=60))]
    connections: u32,
    /// Commands outstanding on each connection
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=256))]
    depth: u32,
    /// The same seed gives the same keys, cards and messages
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let settings = Settings {
        seconds: args.seconds,
        rounds: args.rounds,
        connections: args.connections,
        depth: usize::try_from(args.depth)?,
        seed: args.seed,
    };
    let progress = Progress::new(u64::from(args.rounds));
    let report = hsm_alone::run(&settings, &progress)?;
    drop(progress);
    super::conclude(&report, report.passed, &report.findings, (!args.json).then(|| report.table()))
}
