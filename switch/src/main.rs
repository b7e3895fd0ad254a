//! `umbra`: a payment switch and card-processing platform in one binary.

mod commands;
mod daemon;
mod data_dir;
mod data_keys;
mod demo;
mod limits;
mod listener;
mod message;
mod observability;
mod runtimes;
mod stop_signals;
mod undecodable;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(name = "umbra", version, about = "Payment switch and card-processing platform")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run everything in one process with a seeded tenant and a sample purchase
    Demo(commands::demo::Args),
    /// Run the HSM simulator alone
    Hsm(commands::hsm::Args),
    /// Decode and encode ISO 8583 messages
    Iso(commands::iso::Args),
    /// Check or print a ledger offline
    Ledger(commands::ledger::Args),
    /// Print the OpenAPI document of the REST API
    Openapi,
    /// Act as a POS terminal
    Terminal(commands::terminal::Args),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Demo(args) => commands::demo::run(args),
        Command::Hsm(args) => commands::hsm::run(args),
        Command::Iso(args) => commands::iso::run(args),
        Command::Ledger(args) => commands::ledger::run(args),
        Command::Openapi => commands::openapi::run(),
        Command::Terminal(args) => commands::terminal::run(args),
    };
    result.unwrap_or_else(|error| {
        eprintln!("umbra: {error:#}");
        ExitCode::FAILURE
    })
}
