//! `umbra network acquirer`.

mod outcome;
mod under_way;

use std::io::{Write, stdout};
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, bail};
use parties::{AcquirerSettings, AcquirerSide, CardProfile, Exchange, Kind, Repeats, Settlement};
use tokio_util::sync::CancellationToken;

use self::outcome::Outcome;
use super::options::ZoneOptions;
use super::report;
use crate::commands::terminal::options::{Hidden, hidden};
use crate::commands::terminal::setup::{currency, minor_units, usage};
use crate::stop_signals::StopSignals;

// Has no `Debug`: it holds a ZMK, a PAN and a PIN. (A doc comment here would become the help of the command.)
#[derive(clap::Args)]
pub struct Args {
    /// Address of the other side's network listener
    #[arg(long, value_name = "ADDR")]
    connect: SocketAddr,
    #[command(flatten)]
    zone: ZoneOptions,
    /// The acquirer behind the network, DE 32 [default: the network's id]
    #[arg(long, value_name = "ID")]
    acquirer: Option<String>,
    /// Terminal id, DE 41
    #[arg(long, default_value = "NET00001")]
    tid: String,
    /// Merchant id, DE 42
    #[arg(long, default_value = "NETWORKMERCHANT")]
    mid: String,
    /// Card number; process lists show it
    #[arg(long, value_parser = hidden)]
    pan: Hidden,
    /// Expiry of the card
    #[arg(long, value_name = "YYMM", value_parser = hidden)]
    expiry: Option<Hidden>,
    /// PIN the cardholder enters. Process lists show command lines: set UMBRA_PIN instead
    #[arg(long, env = "UMBRA_PIN", hide_env_values = true, value_parser = hidden)]
    pin: Option<Hidden>,
    /// Amount in major units, like 12.50
    #[arg(long)]
    amount: String,
    /// Currency, like 710 or ZAR
    #[arg(long, default_value = "710")]
    currency: String,
    /// How many to send, 64 at once
    #[arg(long, default_value_t = 1, value_name = "N")]
    count: u32,
    /// Hold the amount (0100) instead of taking it (0200)
    #[arg(long)]
    preauth: bool,
    /// Take everything back that is approved (0420)
    #[arg(long)]
    reverse: bool,
    /// Time-out of an answer; then 0420 is sent, and 0421 until one is answered
    #[arg(long, default_value_t = 10_000, value_name = "N")]
    timeout_ms: u64,
    /// Also print one line a message
    #[arg(long)]
    verbose: bool,
}

/// Whether everything was sent and approved. The first signal ends the sending, and what is under way is settled; the
/// second ends that.
pub async fn run(args: &Args) -> anyhow::Result<bool> {
    // Whatever is wrong with the command line shows before a socket is opened.
    let (zone, card) = (args.zone.zone()?, args.card()?);
    let amount = minor_units("--amount", &args.amount, card.currency())?;
    let kind = if args.preauth { Kind::PreAuth } else { Kind::Purchase };
    let settings = args.settings()?;
    let watch = args.verbose.then(|| report::watch(args.zone.json));
    let mut signals = StopSignals::new()?;
    let acquirer = tokio::select! {
        connected = AcquirerSide::connect(args.connect, zone, settings, watch) => connected?,
        () = signals.received() => return Ok(false),
    };
    let items = (0..args.count).map(|_| transact(&acquirer, args, kind, &card, amount));
    let (stop, mut approved) = (CancellationToken::new(), 0);
    let finished = under_way::finish(items, &stop, |outcome| {
        approved += u32::from(outcome.is_approved());
        print(&outcome, args.zone.json);
    });
    let result = tokio::select! {
        result = finished => result,
        () = stopped_twice(&mut signals, &stop) => bail!("stopped before everything was settled; reverse by hand"),
    };
    acquirer.stop().await;
    if args.verbose {
        report::counts(acquirer.counts(), args.zone.json);
    }
    result.map(|()| approved == args.count)
}

async fn stopped_twice(signals: &mut StopSignals, stop: &CancellationToken) {
    signals.received().await;
    stop.cancel();
    signals.received().await;
}

/// Whoever reads may have gone; what is under way is settled all the same.
fn print(outcome: &Outcome, json: bool) {
    let _ = writeln!(stdout().lock(), "{}", if json { outcome.json().to_string() } else { outcome.describe() });
}

async fn transact(
    acquirer: &AcquirerSide,
    args: &Args,
    kind: Kind,
    card: &CardProfile,
    amount: u64,
) -> anyhow::Result<Outcome> {
    let request = acquirer.request(kind, card, amount)?;
    let whose = || format!("request {}", request.stan());
    match acquirer.settle(&request, card).await.with_context(whose)? {
        Settlement::Reversed(reversal) => Ok(Outcome::Unanswered { request, reversal }),
        Settlement::Answered(exchange) => {
            let reversal = match args.reverse && moves_money(&exchange) {
                true => {
                    let reversed = acquirer.reverse_until_answered(&request, card).await.with_context(whose)?;
                    Some(Box::new(reversed))
                }
                false => None,
            };
            Ok(Outcome::Answered { exchange, reversal })
        }
    }
}

fn moves_money(exchange: &Exchange) -> bool {
    ["00", "10"].contains(&exchange.code())
}

impl Args {
    fn card(&self) -> anyhow::Result<CardProfile> {
        let currency = format!("{:03}", currency(&self.currency)?.number());
        let expiry = self.expiry.as_ref().map(|expiry| expiry.as_str());
        let card = CardProfile::keyed(&self.pan, expiry, &currency).map_err(usage)?;
        match &self.pin {
            Some(pin) => card.with_pin(pin).map_err(usage),
            None => Ok(card),
        }
    }

    fn settings(&self) -> anyhow::Result<AcquirerSettings> {
        for (flag, text, longest) in [("--tid", &self.tid, 8), ("--mid", &self.mid, 15)] {
            if text.is_empty() || text.len() > longest || !text.is_ascii() {
                return Err(usage(format!("{flag} is 1 to {longest} characters")));
            }
        }
        let acquirer_id = self.acquirer.as_ref().unwrap_or(&self.zone.id);
        Ok(AcquirerSettings {
            terminal_id: self.tid.clone(),
            merchant_id: self.mid.clone(),
            answer_timeout: Duration::from_millis(self.timeout_ms),
            repeats: Repeats::default(),
            ..AcquirerSettings::new(acquirer_id)
        })
    }
}
