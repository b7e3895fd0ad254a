//! The HSM simulator without anything around it, in a process of its own, over TCP: how many commands it takes, and
//! what part of that is ciphers, processor time and loopback.

mod bare;
mod commands;
mod connection;
mod echo;
mod keys;
mod load;
mod report;
mod round;
mod settings;
mod simulator;
mod workload;

use anyhow::Context;

use crate::progress::Progress;
use commands::Commands;
use keys::Keys;
pub use report::HsmReport;
use round::{Bench, Round};
pub use settings::Settings;
use simulator::Simulator;

/// Starts the simulator, makes all frames, measures the rounds. Both servers are gone afterwards.
pub fn run(settings: &Settings, progress: &Progress) -> anyhow::Result<HsmReport> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let simulator = Simulator::start()?;
    let echo = echo::start()?;
    progress.stage("making frames");
    let keys = Keys::new(settings.seed).context("the simulator's console refuses the test keys")?;
    let commands = Commands::of_all(&keys, settings.seed)?;
    let mut bench = runtime.block_on(Bench::new(&simulator, &echo, commands, settings))?;
    let mut rounds: Vec<Round> = Vec::new();
    for number in 1..=settings.rounds {
        progress.stage(format!("round {number} of {}", settings.rounds));
        let round = runtime.block_on(bench.round(settings.slice()))?;
        progress.round(number, settings.rounds, &round.line());
        rounds.push(round);
    }
    Ok(HsmReport::new(settings.clone(), rounds, bench.findings()))
}
