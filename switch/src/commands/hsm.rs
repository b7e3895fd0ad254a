//! `umbra hsm`: the HSM simulator alone, and what belongs to it.

mod explain;
mod lmk;
mod serve;

use std::process::ExitCode;

use clap::Subcommand;

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    serve: serve::ServeArgs,
}

#[derive(Subcommand)]
enum Action {
    /// Take a request or an answer apart, in hexadecimal or as text
    Explain(explain::Args),
    /// List the commands offered
    Commands {
        /// As the table of the README
        #[arg(long)]
        markdown: bool,
    },
    /// Local master keys of one's own
    #[command(subcommand)]
    Lmk(lmk::Action),
}

pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.action {
        None => serve::run(args.serve),
        Some(Action::Explain(args)) => explain::run(&args),
        Some(Action::Commands { markdown }) => {
            commands(markdown);
            Ok(ExitCode::SUCCESS)
        }
        Some(Action::Lmk(action)) => lmk::run(&action),
    }
}

fn commands(markdown: bool) {
    if markdown {
        print!("{}", hsm_sim::commands::markdown());
        return;
    }
    for row in &hsm_sim::commands::TABLE {
        println!("{}  {}", row.name(), row.does);
    }
}

pub use lmk::named as named_lmk;
