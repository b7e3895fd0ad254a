//! `umbra terminal`: a POS terminal at the command line.

mod follow_up;
pub(super) mod options;
mod report;
pub(super) mod setup;
mod task;

use std::process::ExitCode;

use anyhow::Context;
use parties::{Administration, Connection, Exchange, Terminal};

use self::options::Options;
use self::report::Report;
use self::setup::{Setup, Station, Usage};
use self::task::{Action, Task};

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
    /// Boxed, so that the other commands' arguments are not made as large as these.
    #[command(flatten)]
    options: Box<Options>,
}

/// Exit status of a command line that cannot be carried out.
const USAGE: u8 = 2;

pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start the runtime")?;
    exit_status(runtime.block_on(act(&args)))
}

/// Of a command that did what it was told to, or found that it was refused.
pub(super) fn exit_status(done: anyhow::Result<bool>) -> anyhow::Result<ExitCode> {
    match done {
        Err(error) if error.is::<Usage>() => {
            eprintln!("umbra: {error:#}");
            Ok(ExitCode::from(USAGE))
        }
        Ok(true) => Ok(ExitCode::SUCCESS),
        Ok(false) => Ok(ExitCode::FAILURE),
        Err(error) => Err(error),
    }
}

/// Whether the switch approved.
async fn act(args: &Args) -> anyhow::Result<bool> {
    let setup = Setup::new(&args.options);
    // Whatever is wrong with the command line shows before a socket is opened.
    let task = Task::plan(&args.action, &setup)?;
    let Station { address, dialect, profile } = setup.station()?;
    let mut report = Report::new(&args.options);
    let mut connection = Connection::connect(address, dialect.framing).await?;
    let mut terminal = Terminal::new(profile, dialect);
    prepare(&task, &mut terminal, &mut connection, &mut report).await?;
    if let Some(stan) = args.options.stan {
        terminal.set_next_stan(stan)?;
    }
    let exchange = carry_out(&task, &mut terminal, &mut connection, &args.options).await?;
    report.outcome(&exchange)?;
    Ok(exchange.is_approved())
}

/// Opens the session the task needs: sign-on and fresh keys for money, keys for a MAC alone, or nothing.
async fn prepare(
    task: &Task,
    terminal: &mut Terminal,
    connection: &mut Connection,
    report: &mut Report<'_>,
) -> anyhow::Result<()> {
    match task {
        Task::Administer(Administration::SignOff) if terminal.profile().mac => {
            // The switch need not know the terminal as signed on to give it keys.
            let exchange = terminal.exchange_keys(connection).await?;
            report.session("exchanged keys", terminal.profile(), &[&exchange])
        }
        Task::Administer(_) => Ok(()),
        Task::Transact { .. } | Task::Complete { .. } | Task::Reverse { .. } => {
            let opening = terminal.open_session(connection).await?;
            let exchanges = [&opening.sign_on, &opening.key_exchange];
            report.session("signed on and exchanged keys", terminal.profile(), &exchanges)
        }
    }
}

async fn carry_out(
    task: &Task,
    terminal: &mut Terminal,
    connection: &mut Connection,
    options: &Options,
) -> anyhow::Result<Exchange> {
    if matches!(task, Task::Administer(Administration::KeyExchange)) {
        return Ok(terminal.exchange_keys(connection).await?);
    }
    let request = task.build(terminal)?;
    let exchange = connection.exchange(&request).await;
    match follow_up::reversal(options, &request) {
        // Nobody knows what became of the money; a terminal at the counter would reverse by itself.
        Some(reversal) => exchange.with_context(|| format!("outcome unknown; reverse it with `{reversal}`")),
        None => Ok(exchange?),
    }
}
