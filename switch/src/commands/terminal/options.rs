//! Flags that every `umbra terminal` command takes.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use parties::{KeyScheme, STAN_MAX};
use zeroize::Zeroizing;

/// Where the demo keeps its files unless told otherwise.
pub const DATA_DIR: &str = "./umbra-data";

pub const LISTENER: &str = "pos-binary";

/// A value that no message may quote. It is checked after parsing, because clap quotes what it refuses.
pub type Hidden = Zeroizing<String>;

pub fn hidden(text: &str) -> Result<Hidden, Infallible> {
    Ok(Zeroizing::new(text.to_owned()))
}

// Has no `Debug`: it holds a TMK, a PAN and a PIN. (A doc comment here would become the help of the command.)
#[derive(clap::Args)]
pub struct Options {
    /// Data directory of `umbra demo`; its demo.json says address, terminal and card unless flags do
    #[arg(long, global = true, default_value = DATA_DIR, value_name = "DIR")]
    pub data_dir: PathBuf,
    /// The switch's address [default: the listener's in demo.json]
    #[arg(long, global = true)]
    pub address: Option<SocketAddr>,
    /// Which listener's spec and framing to speak
    #[arg(long, global = true, default_value = LISTENER, value_parser = ["pos-binary", "pos-ascii"])]
    pub listener: String,
    /// Terminal id, DE 41 [default: the first terminal of demo.json]
    #[arg(long, global = true)]
    pub tid: Option<String>,
    /// Merchant id, DE 42 [default: the terminal's in demo.json]
    #[arg(long, global = true)]
    pub mid: Option<String>,
    /// Terminal master key in hexadecimal. Process lists show command lines: set UMBRA_TMK instead
    #[arg(long, global = true, env = "UMBRA_TMK", hide_env_values = true, value_parser = hidden)]
    pub tmk: Option<Hidden>,
    /// How session keys travel, tr31 or ecb [default: the terminal's in demo.json, else tr31]
    #[arg(long, global = true, value_parser = KeyScheme::from_str, value_name = "SCHEME")]
    pub key_scheme: Option<KeyScheme>,
    /// Send no MACs
    #[arg(long, global = true)]
    pub no_mac: bool,
    /// Index of a card in demo.json, from 0; its stripe is read [default: 0]
    #[arg(long, global = true, value_name = "N")]
    pub card: Option<usize>,
    /// Card number, keyed in instead of a card of demo.json; process lists show it
    #[arg(long, global = true, value_parser = hidden)]
    pub pan: Option<Hidden>,
    /// Expiry of --pan
    #[arg(long, global = true, value_name = "YYMM", value_parser = hidden)]
    pub expiry: Option<Hidden>,
    /// PIN the cardholder enters [default: that of the card in demo.json, none for --pan]. Process lists show command
    /// lines: set UMBRA_PIN instead
    #[arg(long, global = true, env = "UMBRA_PIN", hide_env_values = true, value_parser = hidden)]
    pub pin: Option<Hidden>,
    /// Amount in major units, like 12.50
    #[arg(long, global = true)]
    pub amount: Option<String>,
    /// Currency, like 710 or ZAR [default: the card's in demo.json, 710 for a card that is not in it]
    #[arg(long, global = true)]
    pub currency: Option<String>,
    /// STAN of the request [default: the next of a run that begins anywhere]
    #[arg(long, global = true, value_parser = clap::value_parser!(u32).range(1..=i64::from(STAN_MAX)))]
    pub stan: Option<u32>,
    /// Print one JSON object
    #[arg(long, global = true)]
    pub json: bool,
    /// Also print the messages of sign-on and key exchange
    #[arg(long, global = true)]
    pub verbose: bool,
}
