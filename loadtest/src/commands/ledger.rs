//! `loadtest ledger`.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::interrupt;
use crate::ledger_alone::{self, Settings};
use crate::progress::Progress;
use crate::scratch;

/// What `--help` says below the options.
const MEASURED: &str = "\
Each round measures, in turns, one client with one entry on its way, and writing and syncing as many bytes as that
entry's frame has in a file whose blocks are all written already; then entries of two postings with many on their
way; then pairs of a hold and its capture with many on their way. Both accounts of a movement are drawn with the
same probability from all. Entries carry no record. Every answer is checked, and afterwards every account and the
whole journal; a difference gives exit status 1.

`bytes_per_account` is what resident memory grew by while the accounts were opened, divided by their number. In it
are the account's row, the remembered event that opened it (for a day), and what the allocator keeps of both. The
journal is on disk and not in it.";

#[derive(clap::Args)]
#[command(after_long_help = MEASURED)]
pub struct Args {
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
    /// Seconds of measured time, all rounds together
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    seconds: u32,
    /// Rounds; the figures are medians over them
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// Accounts to open and to move money between
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(2..=20_000_000))]
    accounts: u32,
    /// Events on their way at once, where there are many; the ledger queues 32768
    #[arg(long, default_value_t = 16384, value_parser = clap::value_parser!(u32).range(1..=32768))]
    in_flight: u32,
    /// Events that a client submits together, where there are many
    #[arg(long, default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..=1024))]
    batch: u32,
    /// First post entries until the ledger remembers as many events as it may, as after ten seconds of such a load: from
    /// then on each lets an older one go. Takes 3 GB of memory and as much disk
    #[arg(long)]
    fill: bool,
    /// The same seed gives the same movements
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folder on the disk to be measured; a folder is made in it and removed [default: the system's]
    #[arg(long)]
    dir: Option<PathBuf>,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let settings = Settings {
        seconds: args.seconds,
        rounds: args.rounds,
        accounts: args.accounts,
        in_flight: usize::try_from(args.in_flight)?,
        batch: usize::try_from(args.batch)?,
        fill: args.fill,
        seed: args.seed,
    };
    let folder = scratch::folder(args.dir.as_deref())?;
    let path = folder.path().to_owned();
    let progress = Progress::new(u64::from(args.rounds));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = interrupt::run(runtime, async move {
        tokio::task::spawn_blocking(move || ledger_alone::run(&settings, &path, &progress)).await?
    })?;
    super::conclude(&report, report.passed, &report.findings, (!args.json).then(|| report.table()))
}
