//! `umbra network issuer`.

mod cards;

use std::io::{Write, stdout};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use parties::{Behaviour, IssuerSettings, IssuerSide, Latency};
use serde_json::json;

use super::options::ZoneOptions;
use super::report;
use crate::commands::terminal::setup::usage;
use crate::stop_signals::StopSignals;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    zone: ZoneOptions,
    #[command(flatten)]
    trouble: Trouble,
    /// Cards with PIN, balance or a code to decline with, as JSON: [{"pan", "pin", "balance", "currency", "decline"}].
    /// All other cards exist too, with any PIN and a balance that follows from number and seed
    #[arg(long, value_name = "FILE")]
    cards: Option<PathBuf>,
    /// Give the other side keys although it is the one that connects
    #[arg(long)]
    exchange_keys: bool,
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct Place {
    /// Address to wait on for connections
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Address to connect to, again and again; keys are exchanged then
    #[arg(long, value_name = "ADDR")]
    connect: Option<SocketAddr>,
}

#[derive(clap::Args)]
struct Trouble {
    /// Median time to an answer
    #[arg(long, default_value_t = 0, value_name = "N")]
    delay_ms: u64,
    /// Time within which 99 of 100 answers come [default: all take as long]
    #[arg(long, value_name = "N")]
    delay_p99_ms: Option<u64>,
    /// Fraction of messages whose answer is lost
    #[arg(long, default_value_t = 0.0, value_name = "P")]
    lose: f64,
    /// Fraction of messages that are lost before they are read
    #[arg(long, default_value_t = 0.0, value_name = "P")]
    lose_requests: f64,
    /// Fraction of messages that are answered late
    #[arg(long, default_value_t = 0.0, value_name = "P")]
    late: f64,
    /// How late
    #[arg(long, default_value_t = 15_000, value_name = "N")]
    late_ms: u64,
    /// Code of DE 39 and the fraction of authorizations that get it, like 51:0.1; may be given several times
    #[arg(long, value_parser = decline, value_name = "CODE:P")]
    decline: Vec<(String, f64)>,
    /// Fraction of messages at which the connection is closed
    #[arg(long, default_value_t = 0.0, value_name = "P")]
    disconnect: f64,
    /// Fraction of messages at which the network signs off
    #[arg(long, default_value_t = 0.0, value_name = "P")]
    sign_off: f64,
    /// How long it is signed off
    #[arg(long, default_value_t = 5_000, value_name = "N")]
    away_ms: u64,
    /// What all chance follows from, together with the order of messages
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
}

pub async fn run(args: &Args) -> anyhow::Result<()> {
    let settings = args.settings()?;
    settings.behaviour.check().map_err(usage)?;
    let (zone, json) = (args.zone.zone()?, args.zone.json);
    let mut signals = StopSignals::new()?;
    let issuer = IssuerSide::new(zone, settings, Some(report::watch(json)))?;
    tokio::select! {
        begun = begin(&issuer, args) => begun?,
        () = signals.received() => return Ok(()),
    }
    signals.received().await;
    issuer.stop().await;
    report::counts(issuer.counts(), json);
    Ok(())
}

async fn begin(issuer: &IssuerSide, args: &Args) -> anyhow::Result<()> {
    if let Some(address) = args.place.connect {
        return Ok(issuer.connect(address).await?);
    }
    let Some(address) = args.place.listen else { return Err(usage("give --listen or --connect")) };
    let bound = issuer.listen(address).await?;
    let line = match args.zone.json {
        true => json!({ "listening": bound }).to_string(),
        false => format!("network {} listens on {bound}", issuer.zone().id()),
    };
    writeln!(stdout().lock(), "{line}")?;
    Ok(())
}

impl Args {
    fn settings(&self) -> anyhow::Result<IssuerSettings> {
        let cards = self.cards.as_deref().map(cards::read).transpose()?.unwrap_or_default();
        let exchange_keys = self.exchange_keys || self.place.connect.is_some();
        Ok(IssuerSettings { behaviour: self.trouble.behaviour(), cards, exchange_keys, ..IssuerSettings::default() })
    }
}

impl Trouble {
    fn behaviour(&self) -> Behaviour {
        let median = Duration::from_millis(self.delay_ms);
        Behaviour {
            seed: self.seed,
            latency: Latency { median, p99: self.delay_p99_ms.map_or(median, Duration::from_millis) },
            lose_requests: self.lose_requests,
            lose_answers: self.lose,
            late: self.late,
            late_after: Duration::from_millis(self.late_ms),
            disconnect: self.disconnect,
            sign_off: self.sign_off,
            away: Duration::from_millis(self.away_ms),
            declines: self.decline.clone(),
        }
    }
}

fn decline(text: &str) -> Result<(String, f64), String> {
    let parts = text.split_once(':').and_then(|(code, part)| Some((code.to_owned(), part.parse().ok()?)));
    parts.ok_or_else(|| "write a code and a fraction, like 51:0.1".to_owned())
}
