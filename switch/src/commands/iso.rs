//! `umbra iso decode|encode`.

use std::io::{stdin, stdout};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Subcommand;
use iso8583::{Spec, tool};

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Hexadecimal lines on standard input to JSON lines on standard output
    Decode {
        /// A builtin spec (iso87ascii, iso87binary) or the path of a spec file
        #[arg(long)]
        spec: String,
        /// Hide card data
        #[arg(long)]
        mask: bool,
    },
    /// JSON lines on standard input to hexadecimal lines on standard output
    Encode {
        /// A builtin spec (iso87ascii, iso87binary) or the path of a spec file
        #[arg(long)]
        spec: String,
    },
}

pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let clean = match args.action {
        Action::Decode { spec, mask } => tool::decode_lines(&*find(&spec)?, mask, stdin().lock(), stdout().lock())?,
        Action::Encode { spec } => tool::encode_lines(&*find(&spec)?, stdin().lock(), stdout().lock())?,
    };
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn find(spec: &str) -> anyhow::Result<Arc<Spec>> {
    let path = Path::new(spec);
    Ok(if path.is_file() { Spec::load(path)? } else { Spec::builtin(spec)? })
}
