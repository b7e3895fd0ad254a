//! `umbra hsm --listen …`: the simulator as a server.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use clap::ValueEnum;
use hsm_sim::behaviour::{Behaviour, Capacity, FaultRule, Faults, Latency};
use hsm_sim::{AuditLog, Device, Format, HsmOptions, LmkStore, Policy, Server, ZmkLength, tls};

use super::lmk;
use crate::observability::{self, Readiness};
use crate::stop_signals::StopSignals;

#[derive(clap::Args)]
pub struct ServeArgs {
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1:1500")]
    listen: SocketAddr,
    /// Characters of the message header (0 to 64)
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(0..=64))]
    header_length: u8,
    /// Connections at once
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Load an LMK: identifier and file, or test, test-aes, test-tdes. Without it: 00=test, 01=test-aes, 02=test-tdes
    #[arg(long, value_name = "ID=FILE", value_parser = lmk_option)]
    lmk: Vec<(u8, String)>,
    /// Load an LMK into key change storage, to translate keys from (BW)
    #[arg(long, value_name = "ID=FILE", value_parser = lmk_option)]
    old_lmk: Vec<(u8, String)>,
    /// Length of zone master keys without a scheme letter; found out from each command where it is left out
    #[arg(long, value_enum)]
    zmk_length: Option<ZmkLengthOption>,
    /// Start outside the authorised state
    #[arg(long)]
    unauthorised: bool,
    #[command(flatten)]
    policy: PolicyArgs,
    #[command(flatten)]
    behaviour: BehaviourArgs,
    #[command(flatten)]
    tls: TlsArgs,
    /// Serve /metrics, /healthz and /utilisation over HTTP
    #[arg(long, value_name = "ADDR")]
    http: Option<SocketAddr>,
    /// Add a line of JSON for each command to a file
    #[arg(long, value_name = "FILE")]
    audit_log: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum ZmkLengthOption {
    Single,
    Double,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum WeakPins {
    Allow,
    Refuse,
}

/// What the device refuses although it could do it
#[derive(clap::Args)]
#[command(next_help_heading = "Policy")]
struct PolicyArgs {
    /// Digits of PINs chosen or made here, least and most
    #[arg(long, value_name = "MIN-MAX", default_value = "4-12", value_parser = pin_length)]
    pin_length: (usize, usize),
    /// PINs of one digit, or of digits that count up or down
    #[arg(long, value_enum, default_value = "allow")]
    weak_pins: WeakPins,
    /// File of PINs that nobody may choose, one a line
    #[arg(long, value_name = "FILE")]
    excluded_pins: Option<PathBuf>,
    /// PIN block formats that commands may name
    #[arg(long, value_name = "CODES", value_delimiter = ',', default_value = "01,03,05,34,35,47,48")]
    pin_formats: Vec<String>,
    /// Refuse to translate PIN blocks bound to an account into IBM 3624
    #[arg(long)]
    strict_translation: bool,
    /// Take any decimalisation table
    #[arg(long)]
    any_decimalisation_table: bool,
    /// Tell the right cryptogram where one is wrong (KQ)
    #[arg(long)]
    diagnostics: bool,
    /// Commands that answer as if they were not offered
    #[arg(long, value_name = "CODES", value_delimiter = ',')]
    disable_commands: Vec<String>,
    /// Terminal keys are of types 70D (TPK) and 80D (TMK)
    #[arg(long)]
    separate_terminal_keys: bool,
    /// Refuse keys of equal parts
    #[arg(long)]
    refuse_disguised_keys: bool,
}

/// How a real unit differs from an ideal one
#[derive(clap::Args)]
#[command(next_help_heading = "Behaviour")]
struct BehaviourArgs {
    /// Work as a unit licensed for so many
    #[arg(long)]
    commands_per_second: Option<NonZeroU32>,
    /// Take so long for each command: a mean, or MEAN~DEVIATION
    #[arg(long)]
    latency: Option<String>,
    /// drop=P, delay=P:TIME, error=P:CODE, disconnect=P, tamper=P; for one command as CA:drop=P
    #[arg(long, value_name = "RULE")]
    fault: Vec<FaultRule>,
    /// The same seed gives the same faults
    #[arg(long, default_value_t = 0)]
    fault_seed: u64,
}

/// TLS on the host port
#[derive(clap::Args)]
#[command(next_help_heading = "TLS")]
struct TlsArgs {
    /// Certificate chain in PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Its key in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Only clients whose certificates an authority of this file signed
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_client_ca: Option<PathBuf>,
}

fn lmk_option(text: &str) -> Result<(u8, String), String> {
    let (id, file) = text.split_once('=').ok_or("write ID=FILE, for example 03=bank.lmk")?;
    let id = id.parse().ok().filter(|id| *id < 100).ok_or("an LMK's identifier is 00 to 99")?;
    Ok((id, file.to_owned()))
}

fn pin_length(text: &str) -> Result<(usize, usize), String> {
    let range = text.split_once('-').and_then(|(least, most)| Some((least.parse().ok()?, most.parse().ok()?)));
    range
        .filter(|(least, most)| 4 <= *least && least <= most && *most <= 12)
        .ok_or_else(|| "write MIN-MAX between 4-12".into())
}

impl PolicyArgs {
    fn policy(&self) -> anyhow::Result<Policy> {
        let formats = self.pin_formats.iter().map(|code| {
            Format::parse(code)
                .map_err(|_| anyhow::anyhow!("--pin-formats: {code} is none of 01, 03, 05, 34, 35, 47, 48"))
        });
        Ok(Policy {
            pin_length: self.pin_length.0..=self.pin_length.1,
            excluded_pins: self.excluded()?,
            refuse_weak_pins: self.weak_pins == WeakPins::Refuse,
            formats: formats.collect::<anyhow::Result<_>>()?,
            strict_translation: self.strict_translation,
            check_decimalisation_tables: !self.any_decimalisation_table,
            diagnostics: self.diagnostics,
            disabled_commands: self.disabled()?,
            separate_terminal_keys: self.separate_terminal_keys,
            refuse_disguised_keys: self.refuse_disguised_keys,
        })
    }

    fn disabled(&self) -> anyhow::Result<Vec<[u8; 2]>> {
        let code = |text: &String| {
            let code: Option<[u8; 2]> = text.as_bytes().try_into().ok();
            code.filter(|code| hsm_sim::commands::find(*code).is_some())
                .with_context(|| format!("--disable-commands: {text} is none of those that `umbra hsm commands` lists"))
        };
        self.disable_commands.iter().map(code).collect()
    }

    fn excluded(&self) -> anyhow::Result<HashSet<String>> {
        let Some(path) = &self.excluded_pins else { return Ok(HashSet::new()) };
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty()).enumerate();
        lines
            .map(|(at, line)| {
                let right = (4..=12).contains(&line.len()) && line.bytes().all(|byte| byte.is_ascii_digit());
                if !right {
                    bail!("{}: entry {} is not 4 to 12 digits", path.display(), at + 1);
                }
                Ok(line.to_owned())
            })
            .collect()
    }
}

impl BehaviourArgs {
    fn behaviour(&self) -> anyhow::Result<Behaviour> {
        Ok(Behaviour {
            capacity: self.commands_per_second.map(Capacity::new),
            latency: self.latency.as_deref().map(str::parse::<Latency>).transpose()?,
            faults: Faults::new(self.fault.clone(), self.fault_seed),
        })
    }
}

impl ServeArgs {
    fn lmks(&self) -> anyhow::Result<LmkStore> {
        let mut store = if self.lmk.is_empty() { LmkStore::test()? } else { LmkStore::default() };
        for (id, name) in &self.lmk {
            store.insert(*id, lmk::named(name)?)?;
        }
        for (id, name) in &self.old_lmk {
            store.insert_old(*id, lmk::named(name)?)?;
        }
        Ok(store)
    }

    fn options(&self) -> anyhow::Result<HsmOptions> {
        let zmk = self.zmk_length.map(|length| match length {
            ZmkLengthOption::Single => ZmkLength::Single,
            ZmkLengthOption::Double => ZmkLength::Double,
        });
        let device = Device::new(self.lmks()?, self.policy.policy()?, !self.unauthorised, zmk);
        let tls = match (&self.tls.tls_cert, &self.tls.tls_key) {
            (Some(chain), Some(key)) => Some(tls::server_config(chain, key, self.tls.tls_client_ca.as_deref())?),
            _ => None,
        };
        let audit = match &self.audit_log {
            Some(path) => {
                let log = AuditLog::open(path).with_context(|| format!("cannot write to {}", path.display()))?;
                Some(Arc::new(log))
            }
            None => None,
        };
        Ok(HsmOptions {
            behaviour: Arc::new(self.behaviour.behaviour()?),
            audit,
            tls,
            header_length: usize::from(self.header_length),
            connections_max: self.connections,
            ..HsmOptions::new(device)
        })
    }
}

pub fn run(args: ServeArgs) -> anyhow::Result<ExitCode> {
    observability::start_logs();
    let options = args.options()?;
    tokio::runtime::Runtime::new()?.block_on(async {
        let server = Server::bind(args.listen, options.clone()).await.with_context(|| {
            format!("cannot listen on {}; stop what uses it or choose another --listen", args.listen)
        })?;
        if let Some(address) = args.http {
            serve_http(address, options.clone()).await?;
        }
        let mut signals = StopSignals::new()?;
        let lmks: Vec<String> =
            options.device.lmks().iter().map(|(id, lmk)| format!("{id:02} {}", lmk.kind())).collect();
        let tls = if options.tls.is_some() { "with TLS " } else { "" };
        // The address stands last, for whoever starts the simulator on a port of the system's choice.
        println!("HSM simulator with LMKs {} {tls}on {}", lmks.join(", "), server.local_addr()?);
        server.run(async move { signals.received().await }).await;
        Ok(ExitCode::SUCCESS)
    })
}

/// Metrics, health and utilisation.
async fn serve_http(address: SocketAddr, options: HsmOptions) -> anyhow::Result<()> {
    let metrics = observability::start_metrics()?;
    tokio::spawn(observability::tidy_metrics(metrics.clone()));
    let readiness = Readiness::default();
    readiness.set(true);
    let utilisation = Router::new().route("/utilisation", get(utilisation)).with_state(Arc::new(options));
    let router = observability::router(readiness, metrics, Arc::new(|| {})).merge(utilisation);
    let listener = tokio::net::TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}; stop what uses it or choose another --http"))?;
    println!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(())
}

async fn utilisation(State(options): State<Arc<HsmOptions>>) -> axum::Json<hsm_sim::Figures> {
    axum::Json(options.usage.figures(options.licensed()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_checked() {
        assert_eq!(lmk_option("03=bank.lmk"), Ok((3, "bank.lmk".to_owned())));
        assert!(lmk_option("bank.lmk").is_err());
        assert!(lmk_option("100=bank.lmk").is_err());
        assert_eq!(pin_length("4-6"), Ok((4, 6)));
        for wrong in ["4", "3-6", "6-4", "4-13", "a-b"] {
            assert!(pin_length(wrong).is_err(), "{wrong}");
        }
    }
}
