//! `umbra`: a payment switch and card-processing platform in one binary.
//!
//! A library only so that the load tester can run the very daemon it was built with: [`run`] is the whole program.

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

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

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
    /// Run the HSM simulator alone, explain its messages, make LMKs
    Hsm(Box<commands::hsm::Args>),
    /// Decode and encode ISO 8583 messages
    Iso(commands::iso::Args),
    /// Form keys of components, or move keys to another LMK
    Keys(commands::keys::Args),
    /// Check or print a ledger offline
    Ledger(commands::ledger::Args),
    /// Act as a card network
    Network(commands::network::Args),
    /// Print the OpenAPI document of the REST API
    Openapi,
    /// Act as a POS terminal
    Terminal(commands::terminal::Args),
    /// Search, print or check the transaction log offline
    Tranlog(commands::tranlog::Args),
}

/// Runs the command line; the first argument is the program's name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let result = match Cli::parse_from(arguments).command {
        Command::Demo(args) => commands::demo::run(args),
        Command::Hsm(args) => commands::hsm::run(*args),
        Command::Iso(args) => commands::iso::run(args),
        Command::Keys(args) => commands::keys::run(args),
        Command::Ledger(args) => commands::ledger::run(args),
        Command::Network(args) => commands::network::run(args),
        Command::Openapi => commands::openapi::run(),
        Command::Terminal(args) => commands::terminal::run(args),
        Command::Tranlog(args) => commands::tranlog::run(args),
    };
    result.unwrap_or_else(|error| {
        eprintln!("umbra: {error:#}");
        ExitCode::FAILURE
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What clap checks when a command is first used: names that are there twice, flags that exclude each other.
    #[test]
    fn the_command_line_is_sound() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }
}
