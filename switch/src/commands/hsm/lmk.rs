//! `umbra hsm lmk`: local master keys in files.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Subcommand, ValueEnum};
use hsm_sim::Lmk;
use hsm_sim::keys::{KeyBlockLmk, VariantLmk, read_lmk_file, write_lmk_file};
use zeroize::Zeroizing;

/// Environment variable with the passphrase of LMK files.
const PASSPHRASE: &str = "UMBRA_LMK_PASSPHRASE";

/// Shorter ones are guessed.
const PASSPHRASE_MIN: usize = 12;

#[derive(Subcommand)]
pub enum Action {
    /// Make one and keep it in a file under a passphrase (UMBRA_LMK_PASSPHRASE, or asked for)
    Generate {
        /// The new file
        file: PathBuf,
        #[arg(long, value_enum, default_value = "variant")]
        kind: Kind,
    },
    /// Open a file and tell its kind and check value
    Check { file: PathBuf },
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Kind {
    /// Twenty pairs of TDES, keys in schemes U, T, X, Y
    Variant,
    /// One triple-length TDES key, keys in key blocks
    TdesKeyBlock,
    /// One AES key of 256 bits, keys in key blocks
    AesKeyBlock,
}

pub fn run(action: &Action) -> anyhow::Result<ExitCode> {
    let refused = |_| anyhow::anyhow!("the system gives no random numbers");
    match action {
        Action::Generate { file, kind } => {
            let lmk = match kind {
                Kind::Variant => Lmk::from(VariantLmk::generate().map_err(refused)?),
                Kind::TdesKeyBlock => Lmk::from(KeyBlockLmk::generate(false).map_err(refused)?),
                Kind::AesKeyBlock => Lmk::from(KeyBlockLmk::generate(true).map_err(refused)?),
            };
            let passphrase = passphrase(file, true)?;
            if passphrase.len() < PASSPHRASE_MIN {
                bail!("a passphrase of at least {PASSPHRASE_MIN} characters is needed");
            }
            write_lmk_file(file, &lmk, &passphrase)
                .with_context(|| format!("cannot write {}; choose a new file", file.display()))?;
            print(&lmk)
        }
        Action::Check { file } => print(&open(file)?),
    }
}

fn print(lmk: &Lmk) -> anyhow::Result<ExitCode> {
    let check = lmk.check_value().map_err(|_| anyhow::anyhow!("the LMK is damaged"))?;
    println!("{} LMK, check value {check}", lmk.kind());
    Ok(ExitCode::SUCCESS)
}

/// The LMK in a file, or the test LMK that `test`, `test-aes` and `test-tdes` name.
pub fn named(name: &str) -> anyhow::Result<Lmk> {
    let damaged = |_| anyhow::anyhow!("the test LMK is damaged");
    match name {
        "test" => Ok(Lmk::test_variant()),
        "test-aes" => Ok(KeyBlockLmk::test_aes().map_err(damaged)?.into()),
        "test-tdes" => Ok(KeyBlockLmk::test_tdes().map_err(damaged)?.into()),
        path => open(Path::new(path)),
    }
}

fn open(file: &Path) -> anyhow::Result<Lmk> {
    let passphrase = passphrase(file, false)?;
    read_lmk_file(file, &passphrase).with_context(|| format!("cannot open the LMK in {}", file.display()))
}

/// From the environment, or asked for: twice where it is new.
fn passphrase(file: &Path, new: bool) -> anyhow::Result<Zeroizing<String>> {
    if let Ok(given) = std::env::var(PASSPHRASE) {
        return Ok(Zeroizing::new(given));
    }
    if !std::io::stdin().is_terminal() {
        bail!("no passphrase for {}; set {PASSPHRASE} or run it at a terminal", file.display());
    }
    let asked = |what: &str| -> anyhow::Result<Zeroizing<String>> {
        Ok(Zeroizing::new(rpassword::prompt_password(format!("{what} for {}: ", file.display()))?))
    };
    let passphrase = asked("Passphrase")?;
    if new && *asked("The same again")? != *passphrase {
        bail!("the two passphrases differ");
    }
    Ok(passphrase)
}
