//! `umbra demo`: everything in one process, with a seeded tenant and a sample purchase.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use admin_store::Database;
use anyhow::Context;
use iso8583::framing::HeaderKind;
use parties::DemoFile;

use crate::daemon::{Daemon, Ending, ListenerSettings, Parts, Serves, Settings};
use crate::data_dir::{DataDir, write_whole};
use crate::demo::{self, DemoHsm, Further};
use crate::observability;
use crate::runtimes::Runtimes;
use crate::stop_signals::StopSignals;

#[derive(clap::Args)]
pub struct Args {
    /// Where the demo keeps its database, journal and keys
    #[arg(long, default_value = "./umbra-data")]
    data_dir: PathBuf,
    /// SQLite file, or postgres://user:password@host/name, instead of the data directory's own database
    #[arg(long, env = "UMBRA_DATABASE", hide_env_values = true)]
    database: Option<Database>,
    /// Bind every listener to 127.0.0.1 with a port the system chooses (see ready.json)
    #[arg(long)]
    ephemeral_ports: bool,
    /// Cards beside the usual five when the demo is made, each with 100,000,000.00 on a wallet of its own
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=100_000))]
    further_cards: u32,
    /// Terminals beside the usual three when the demo is made; every second sends no MACs
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=100_000))]
    further_terminals: u32,
    /// Do not run the sample purchase
    #[arg(long)]
    no_sample: bool,
}

/// Ports of the demo's listeners.
const HSM_PORT: u16 = 1500;
const POS_BINARY_PORT: u16 = 8583;
const POS_ASCII_PORT: u16 = 8584;
const NETWORK_PORT: u16 = 8600;
const ADMIN_PORT: u16 = 8080;

pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    observability::start_logs();
    let runtimes = Runtimes::new().context("cannot start threads")?;
    runtimes.cards.block_on(serve(&args, &runtimes))
}

async fn serve(args: &Args, runtimes: &Runtimes) -> anyhow::Result<ExitCode> {
    let background = runtimes.background.handle();
    let address = |port: u16| SocketAddr::from(([127, 0, 0, 1], if args.ephemeral_ports { 0 } else { port }));
    let signals = StopSignals::new()?;
    let data_dir = DataDir::create(&args.data_dir)?;
    let metrics = observability::start_metrics()?;
    let hsm = DemoHsm::start(address(HSM_PORT), runtimes.hsm.handle()).await?;
    let settings = Settings {
        data_dir: data_dir.clone(),
        listeners: vec![
            ListenerSettings {
                name: "pos-binary".into(),
                address: address(POS_BINARY_PORT),
                spec: "iso87binary".into(),
                header: HeaderKind::Tpdu,
                serves: Serves::Terminals,
            },
            ListenerSettings {
                name: "pos-ascii".into(),
                address: address(POS_ASCII_PORT),
                spec: "iso87ascii".into(),
                header: HeaderKind::None,
                serves: Serves::Terminals,
            },
            ListenerSettings {
                name: "network".into(),
                address: address(NETWORK_PORT),
                spec: "iso87ascii".into(),
                header: HeaderKind::None,
                serves: Serves::Networks,
            },
        ],
        admin: address(ADMIN_PORT),
        hsm: vec![hsm.address.to_string()],
        database: args.database.clone().unwrap_or_else(|| Database::Sqlite(data_dir.database())),
    };
    let parts = Parts::open(&settings, background).await?;
    let further = Further { cards: args.further_cards, terminals: args.further_terminals };
    // Left there by a daemon that was killed, it would pass for this one's.
    data_dir.remove_ready_file()?;
    let mut demo_file = demo::seed(&data_dir, &parts, further).await.context("cannot seed the demo tenant")?;
    let daemon = Daemon::start(&settings, parts, metrics, background).await?;

    let mut listeners = daemon.listeners.clone();
    listeners.insert("hsm".into(), hsm.address);
    demo_file.serve_at(&listeners);
    write_whole(&data_dir.demo_file(), &serde_json::to_vec_pretty(&demo_file)?)?;
    daemon.set_ready();
    if !args.no_sample {
        show_sample(&daemon, &demo_file, &data_dir).await;
    }
    let ready = serde_json::json!({ "listeners": listeners });
    write_whole(&data_dir.ready_file(), &serde_json::to_vec_pretty(&ready)?)?;
    println!("umbra ready");

    let ending = daemon.wait(signals).await;
    if let Err(error) = data_dir.remove_ready_file() {
        tracing::warn!(%error, "ready.json outlives the daemon");
    }
    daemon.stop().await;
    hsm.stop();
    match ending {
        Ending::Asked => Ok(ExitCode::SUCCESS),
        Ending::LedgerStopped => {
            anyhow::bail!("the ledger stopped; the log says why, and `umbra ledger verify` checks the journal")
        }
    }
}

/// A sample that is refused is no reason not to serve: the card may have been blocked, or its money spent, over REST.
async fn show_sample(daemon: &Daemon, demo_file: &DemoFile, data_dir: &DataDir) {
    if let Err(error) = demo::sample(daemon, demo_file, data_dir).await {
        eprintln!(
            "umbra: warning: {error:#}; the demo serves all the same. Put the first card or terminal of {} right over \
             REST, choose a new --data-dir to start afresh, or leave the sample out with --no-sample",
            data_dir.demo_file().display()
        );
    }
}
