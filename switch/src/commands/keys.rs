//! `umbra keys`: keys entered by people, and keys moved to another LMK.

mod component;
mod rewrap;

use std::process::ExitCode;

use clap::Subcommand;

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Make one component of a key, for one person to keep
    Component(component::ComponentArgs),
    /// Form a key of the components that two or more people enter, each on their own
    Form(component::FormArgs),
    /// Move every key of a database from the old LMK to the live one of an HSM
    Rewrap(rewrap::Args),
}

pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.action {
        Action::Component(args) => component::make(&args),
        Action::Form(args) => component::form(&args),
        Action::Rewrap(args) => rewrap::run(&args),
    }
}
