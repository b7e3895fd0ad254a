//! `loadtest`: terminals, cards and REST clients by the thousand, and reports people believe.

mod commands;
mod findings;
mod hsm_alone;
mod interrupt;
mod ledger_alone;
mod local_server;
mod measure;
mod progress;
mod run;
mod scratch;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(name = "loadtest", version, about = "Load on Umbra and its parts, beside baselines taken in the same run")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The whole daemon under load, and the truth afterwards
    Run(commands::run::Args),
    /// What differs between two reports beyond the noise of their rounds; exit status 1 where a ratio is worse
    Compare(commands::compare::Args),
    /// The ledger alone, in this process
    Ledger(commands::ledger::Args),
    /// The HSM simulator alone, over TCP
    Hsm(commands::hsm::Args),
    /// The daemon this program was built with: `loadtest umbra demo` is `umbra demo`
    #[command(hide = true, disable_help_flag = true)]
    Umbra {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
}

fn main() -> ExitCode {
    allow_many_files();
    let result = match Cli::parse().command {
        Command::Run(args) => commands::run::run(&args),
        Command::Compare(args) => commands::compare::run(&args),
        Command::Ledger(args) => commands::ledger::run(&args),
        Command::Hsm(args) => commands::hsm::run(&args),
        Command::Umbra { arguments } => return be_umbra(arguments),
    };
    result.unwrap_or_else(|error| {
        eprintln!("loadtest: {error:#}");
        ExitCode::FAILURE
    })
}

/// The daemon under test, which must not outlive the test, however that ends.
fn be_umbra(arguments: Vec<OsString>) -> ExitCode {
    // A refusal only costs that.
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM));
    umbra::run(std::iter::once("umbra".into()).chain(arguments))
}

/// Thousands of connections are thousands of files; what the system allows at most is taken, for the daemon too.
fn allow_many_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // A refusal shows when connections cannot be made.
    let _ = setrlimit(Resource::Nofile, limit);
}
