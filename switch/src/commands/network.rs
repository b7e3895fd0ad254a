//! `umbra network`: a card network at the command line, in front of issuers or of acquirers.

mod acquirer;
mod issuer;
mod options;
mod report;

use std::process::ExitCode;

use anyhow::Context;
use clap::Subcommand;

use super::terminal::exit_status;

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    side: Side,
}

#[derive(Subcommand)]
enum Side {
    /// Answer authorizations, advices and reversals for issuers, until SIGTERM
    Issuer(Box<issuer::Args>),
    /// Send authorizations, and reverse what is not answered
    Acquirer(Box<acquirer::Args>),
}

pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let result = runtime.block_on(async {
        match &args.side {
            Side::Issuer(args) => issuer::run(args).await.map(|()| true),
            Side::Acquirer(args) => acquirer::run(args).await,
        }
    });
    exit_status(result)
}
