//! `umbra hsm`: the HSM simulator alone.

use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Context;
use hsm_sim::{HsmOptions, Server};

use crate::stop_signals::StopSignals;

#[derive(clap::Args)]
pub struct Args {
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1:1500")]
    listen: SocketAddr,
    /// Characters of the message header (0 to 64)
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(0..=64))]
    header_length: u8,
}

pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    crate::observability::start_logs();
    tokio::runtime::Runtime::new()?.block_on(async {
        let options = HsmOptions { header_length: usize::from(args.header_length), ..HsmOptions::with_test_lmks()? };
        let server = Server::bind(args.listen, options).await.with_context(|| {
            format!("cannot listen on {}; stop what uses it or choose another --listen", args.listen)
        })?;
        let mut signals = StopSignals::new()?;
        println!("HSM simulator with the published test LMKs on {}", server.local_addr()?);
        server.run(async move { signals.received().await }).await;
        Ok(ExitCode::SUCCESS)
    })
}
