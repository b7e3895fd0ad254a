//! `umbra keys rewrap`: every key of a database from the old LMK to the live one, in one change.
//!
//! The HSM has the old LMK in key change storage and translates each key (BW). All new texts are there, and checked,
//! before the first row is changed; the rows change together or not at all. A crash before leaves the database as it
//! was, one behind leaves it done. Run a second time it says so: no key deciphers under the old LMK any more.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use admin_store::{Database, Store, StoredKey, StoredKeyKind};
use anyhow::{Context, bail};
use host_commands::{ClientTls, HsmClient, HsmConfig, HsmError, KeyUnderLmk};
use ledger::FileStorage;

use crate::data_dir::DataDir;

#[derive(clap::Args)]
pub struct Args {
    /// The data directory, whose database it is
    #[arg(long, conflicts_with = "database", required_unless_present = "database")]
    data_dir: Option<PathBuf>,
    /// The database: a SQLite file or postgres://…
    #[arg(long)]
    database: Option<String>,
    /// Address of the HSM with the new LMK live and the old one in key change storage
    #[arg(long)]
    hsm: String,
    /// Characters of the HSM's message header
    #[arg(long, default_value_t = 4)]
    header_length: usize,
    /// Speak TLS to the HSM: the authority that signed its certificate, in PEM
    #[arg(long, value_name = "FILE")]
    hsm_ca: Option<PathBuf>,
    /// Our certificate, for an HSM that knows its hosts by them
    #[arg(long, value_name = "FILE", requires = "hsm_ca", requires = "hsm_key")]
    hsm_cert: Option<PathBuf>,
    /// Its key
    #[arg(long, value_name = "FILE", requires = "hsm_cert")]
    hsm_key: Option<PathBuf>,
    /// Translate and check, and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Type code under a variant LMK.
fn type_code(kind: StoredKeyKind) -> &'static str {
    match kind {
        StoredKeyKind::ZoneMaster => "000",
        StoredKeyKind::ZonePin => "001",
        StoredKeyKind::TerminalMaster | StoredKeyKind::TerminalPin | StoredKeyKind::PinVerification => "002",
        StoredKeyKind::TerminalMac => "003",
        StoredKeyKind::ZoneMac => "008",
        StoredKeyKind::CardVerification => "402",
        StoredKeyKind::DataEncryption => "00B",
    }
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let (database, _lock) = database(args)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(rewrap(args, &database))
}

/// The database, and with a data directory its ledger's lock: a daemon that runs would go on with the old keys.
fn database(args: &Args) -> anyhow::Result<(Database, Option<FileStorage>)> {
    if let Some(text) = &args.database {
        return Ok((text.parse().context("--database")?, None));
    }
    let dir = DataDir::below(args.data_dir.as_deref().context("name --data-dir or --database")?);
    if !dir.database().exists() {
        bail!("there is no database in {}; name the data directory of a daemon", dir.path().display());
    }
    let lock = FileStorage::open(&dir.ledger()).context("stop the daemon first, it would go on with the old keys")?;
    Ok((Database::Sqlite(dir.database()), Some(lock)))
}

fn tls(args: &Args) -> anyhow::Result<Option<ClientTls>> {
    let Some(authority) = &args.hsm_ca else { return Ok(None) };
    let identity = args.hsm_cert.as_deref().zip(args.hsm_key.as_deref());
    Ok(Some(ClientTls::new(authority, identity)?))
}

async fn rewrap(args: &Args, database: &Database) -> anyhow::Result<ExitCode> {
    let hsm = HsmClient::new(HsmConfig {
        addresses: vec![args.hsm.clone()],
        connections: 1,
        header_length: args.header_length,
        timeout: Duration::from_secs(10),
        in_flight_max: 16,
        tls: tls(args)?,
    });
    hsm.diagnostics().await.with_context(|| format!("no HSM answers at {}; start one, or correct --hsm", args.hsm))?;
    let store = Store::open(database).await.context("cannot open the database")?;
    let keys = store.keys_under_lmk().await?;
    let mut new = HashMap::new();
    for key in keys {
        let translated = translate(&hsm, &key).await?;
        new.insert(key, translated.as_str().to_owned());
    }
    if args.dry_run {
        println!("{} keys translate; nothing was changed", new.len());
        return Ok(ExitCode::SUCCESS);
    }
    let rows = store.replace_keys_under_lmk(&new).await?;
    println!("{} keys in {rows} places are under the new LMK", new.len());
    Ok(ExitCode::SUCCESS)
}

/// The key under the new LMK, which must open it.
async fn translate(hsm: &HsmClient, key: &StoredKey) -> anyhow::Result<KeyUnderLmk> {
    let code = type_code(key.kind);
    let old = KeyUnderLmk::from(key.text.clone());
    let translated = hsm.rewrap_key(code, &old).await.map_err(|error| match error {
        HsmError::Refused { ref code, .. } if code == "33" => {
            anyhow::anyhow!("the HSM has no LMK in key change storage; load the old one there (--old-lmk)")
        }
        HsmError::Refused { ref code, .. } if code == "10" => anyhow::anyhow!(
            "a key of kind {:?} is not under the old LMK: load the right one, or this database was rewrapped before",
            key.kind
        ),
        other => anyhow::Error::from(other).context(format!("translate a key of kind {:?}", key.kind)),
    })?;
    hsm.key_check_value(code, &translated).await.context("the HSM cannot open a key that it has just translated")?;
    Ok(translated)
}
