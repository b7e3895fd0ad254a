//! Flags of both sides.

use std::str::FromStr;
use std::sync::Arc;

use parties::{KeyScheme, Zone};

use crate::commands::terminal::options::{Hidden, hidden};
use crate::commands::terminal::setup::usage;

// Has no `Debug`: it holds a ZMK. (A doc comment here would become the help of the command.)
#[derive(clap::Args)]
pub struct ZoneOptions {
    /// The network's id, DE 33
    #[arg(long)]
    pub id: String,
    /// Zone master key in hexadecimal. Process lists show command lines: set UMBRA_ZMK instead
    #[arg(long, env = "UMBRA_ZMK", hide_env_values = true, value_parser = hidden)]
    pub zmk: Hidden,
    /// How zone keys travel, tr31 or ecb
    #[arg(long, default_value = "tr31", value_parser = KeyScheme::from_str, value_name = "SCHEME")]
    pub key_scheme: KeyScheme,
    /// Print JSON objects, one a line
    #[arg(long)]
    pub json: bool,
}

impl ZoneOptions {
    pub fn zone(&self) -> anyhow::Result<Arc<Zone>> {
        let zmk = Zone::zmk(&self.zmk).map_err(usage)?;
        Ok(Arc::new(Zone::new(&self.id, zmk, self.key_scheme).map_err(usage)?))
    }
}
