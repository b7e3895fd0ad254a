//! One round: each workload, and beside it the network alone and the ciphers alone.

use std::collections::BTreeMap;
use std::time::Duration;

use load_report::Finding;
use serde::Serialize;

use super::bare::BareCiphers;
use super::commands::Commands;
use super::load::{Faults, Load, Timing};
use super::settings::Settings;
use super::simulator::Simulator;
use super::workload::Workload;
use crate::findings::fault;
use crate::local_server::LocalServer;
use crate::measure::cpu::{CpuUse, Outsiders, Watched};

/// Tenths of a workload's time; the rest is the load's.
const ECHO_TENTHS: u32 = 3;
const BARE_TENTHS: u32 = 1;

/// Long against the emptying of the connections at its end.
const BURST: Duration = Duration::from_millis(500);
/// The echo server falls into small or large writes by chance and stays with them: many beginnings even that out.
const ECHO_BURST: Duration = Duration::from_millis(20);

/// What was measured of one workload in one round, or the medians over all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Measured {
    /// Commands a second.
    pub per_s: f64,
    pub p50_us: f64,
    pub p99_us: f64,
    /// Processor time of the simulator's process for one command.
    pub server_us: f64,
    /// The block operations of one command alone.
    pub bare_us: f64,
    /// The same frames sent back by a bare server, a second.
    pub echo_per_s: f64,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Round {
    #[serde(flatten)]
    pub workloads: BTreeMap<&'static str, Measured>,
    /// Cores that other programs had during the round.
    pub others_cores: f64,
}

impl Round {
    pub fn of(&self, workload: Workload) -> Measured {
        self.workloads.get(workload.name()).copied().unwrap_or_default()
    }

    /// For a progress line.
    pub fn line(&self) -> String {
        let part = |workload: Workload| {
            let measured = self.of(workload);
            format!("{} {:.0}/s ({:.1} us of the server)", workload.name(), measured.per_s, measured.server_us)
        };
        Workload::ALL.map(part).join(", ")
    }
}

/// Everything that is connected and ready.
pub struct Bench {
    commands: Vec<Commands>,
    hsm: Load,
    echo: Load,
    bare: BareCiphers,
    server: Watched,
    process: u32,
    faults: BTreeMap<&'static str, Faults>,
}

impl Bench {
    pub async fn new(
        simulator: &Simulator,
        echo: &LocalServer,
        commands: Vec<Commands>,
        settings: &Settings,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            commands,
            hsm: Load::open(simulator.address, settings).await?,
            echo: Load::open(echo.address, settings).await?,
            bare: BareCiphers::new(),
            server: Watched::new(vec![(simulator.process(), "")]),
            process: simulator.process(),
            faults: BTreeMap::new(),
        })
    }

    pub async fn round(&mut self, slice: Duration) -> anyhow::Result<Round> {
        let outsiders = Outsiders::start(&[self.process]);
        let mut workloads = BTreeMap::new();
        for commands in &self.commands {
            let (measured, faults) =
                measure(&mut self.hsm, &mut self.echo, &self.bare, &self.server, commands, slice).await?;
            workloads.insert(commands.workload.name(), measured);
            self.faults.entry(commands.workload.name()).or_default().add(faults);
        }
        Ok(Round { workloads, others_cores: outsiders.cores() })
    }

    /// What must fail the run.
    pub fn findings(&self) -> Vec<Finding> {
        self.faults.iter().flat_map(|(name, faults)| findings_of(name, faults)).collect()
    }
}

async fn measure(
    hsm: &mut Load,
    echo: &mut Load,
    bare: &BareCiphers,
    server: &Watched,
    commands: &Commands,
    slice: Duration,
) -> anyhow::Result<(Measured, Faults)> {
    let (echo_time, bare_time) = (slice * ECHO_TENTHS / 10, slice * BARE_TENTHS / 10);
    let before = server.read();
    let timing = Timing { length: slice - echo_time - bare_time, burst: BURST };
    let loaded = hsm.run(&commands.frames, &commands.answers, timing).await?;
    let used: Duration = CpuUse::between(&before, &server.read()).groups.values().sum();
    let echoed = echo.run(&commands.frames, &commands.frames, Timing { length: echo_time, burst: ECHO_BURST }).await?;
    anyhow::ensure!(echoed.faults == Faults::default(), "the echo server lost or changed frames");
    let measured = Measured {
        per_s: loaded.per_s(),
        p50_us: loaded.latencies.us(50.0),
        p99_us: loaded.latencies.us(99.0),
        server_us: used.as_secs_f64() * 1e6 / loaded.latencies.len().max(1) as f64,
        bare_us: bare.measure(commands.workload, bare_time),
        echo_per_s: echoed.per_s(),
    };
    Ok((measured, loaded.faults))
}

fn findings_of(name: &str, faults: &Faults) -> Vec<Finding> {
    let mut found = Vec::new();
    if faults.wrong > 0 {
        let first = faults.first_wrong.as_deref().unwrap_or("none");
        found.push(fault("wrong_answers", format!("{name}: {} wrong answers, the first a {first}", faults.wrong)));
    }
    if faults.missing > 0 {
        found.push(fault("missing_answers", format!("{name}: {} commands were not answered", faults.missing)));
    }
    if faults.strange > 0 {
        found.push(fault("strange_answers", format!("{name}: {} answers that nobody waited for", faults.strange)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_and_missing_answers_are_faults() {
        assert_eq!(findings_of("mac_verify", &Faults::default()), []);
        let faults = Faults { wrong: 2, missing: 1, strange: 1, first_wrong: Some("M901".into()) };
        let found = findings_of("mac_verify", &faults);
        assert_eq!(found.len(), 3);
        assert_eq!(found[0].text, "mac_verify: 2 wrong answers, the first a M901");
    }
}
