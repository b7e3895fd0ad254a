//! `loadtest run`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::run::{Fault, Model, NETWORK, Plan, Workload, run as run_plan};
use crate::scratch;

#[derive(clap::Args)]
pub struct Args {
    /// What is sent
    #[arg(long, value_enum)]
    workload: Workload,
    /// Length of the load, all rounds together
    #[arg(long, default_value_t = 15.0, value_parser = seconds)]
    seconds: f64,
    /// Messages a second at fixed times (open model); without it the next goes out when an answer comes (closed model)
    #[arg(long, value_parser = rate)]
    rate: Option<f64>,
    /// Slices of load, each beside its own baselines and of 20 s at most; many short ones say more than few long ones
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// Connections, or REST clients
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=4096))]
    connections: u16,
    /// Messages outstanding on each connection in the closed model
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    depth: u16,
    /// Terminals, or acquirers behind the card network, dealt out over the connections
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=50_000))]
    terminals: u32,
    /// Cards, each with a wallet of its own
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(2..=100_000))]
    cards: u32,
    /// Where messages go: to a listener for terminals, or from a card network
    #[arg(long, default_value = "pos-binary", value_parser = ["pos-binary", "pos-ascii", NETWORK])]
    listener: String,
    /// Seconds that answers are waited for at the end of a round
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=300))]
    patience: u64,
    /// The same seed sends the same acts
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folder on the disk to be measured; a data directory is made in it and removed [default: the system's]
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Another daemon than the one this program was built with
    #[arg(long)]
    umbra: Option<PathBuf>,
    /// Plant a fault between clients and daemon, to see that the report names it
    #[arg(long, value_enum)]
    plant: Option<Fault>,
    /// One JSON object on standard output
    #[arg(long)]
    json: bool,
    /// Write the JSON object to a file too, for `loadtest compare`
    #[arg(long)]
    out: Option<PathBuf>,
    /// Write a page with charts
    #[arg(long)]
    html: Option<PathBuf>,
}

/// Seconds of a slice at most: all its messages are made before it begins. A longer run has more rounds.
const SLICE_MAX_S: f64 = 20.0;

/// Not so short that a slice has nothing in it.
fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.5..=86_400.0).contains(&seconds) => Ok(seconds),
        _ => Err("give 0.5 to 86400".into()),
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if (1.0..=1_000_000.0).contains(&rate) => Ok(rate),
        _ => Err("give 1 to 1000000".into()),
    }
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if args.listener == NETWORK {
        if args.workload.mix().is_none_or(|mix| !mix.secured) {
            bail!("card networks send every message with a MAC; choose --workload pin-purchase, for example");
        }
        if args.plant.is_some() {
            bail!("faults are planted between terminals and daemon; choose --listener pos-binary");
        }
    }
    if let Some(fault) = args.plant
        && args.workload.mix().is_none_or(|mix| mix.secured && fault.needs_unsecured())
    {
        bail!("this fault cannot be planted in this workload; choose --workload purchase");
    }
    let folder = scratch::folder(args.dir.as_deref())?;
    let plan = Plan {
        workload: args.workload,
        model: match args.rate {
            Some(rate) => Model::Open { rate },
            None => Model::Closed { depth: usize::from(args.depth) },
        },
        length: Duration::from_secs_f64(args.seconds),
        rounds: args.rounds.max((args.seconds / SLICE_MAX_S).ceil() as u32),
        connections: usize::from(args.connections),
        terminals: args.terminals,
        cards: args.cards,
        listener: args.listener.clone(),
        seed: args.seed,
        patience: Duration::from_secs(args.patience),
        fault: args.plant,
        umbra: args.umbra.clone(),
        folder: folder.path().to_owned(),
    };
    let report = run_plan(&plan)?;
    let json = serde_json::to_string(&report)?;
    for (path, text) in [(&args.out, json.clone()), (&args.html, load_report::page(&report))] {
        if let Some(path) = path {
            std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    if args.json {
        println!("{json}");
    } else {
        print!("{}", load_report::table(&report));
    }
    Ok(if report.passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
