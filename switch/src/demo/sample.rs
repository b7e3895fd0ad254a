//! The sample purchase: a real terminal on a real socket, and what it did to the wallet.

use anyhow::{Context, bail};
use iso8583::domain::amount_in_words;
use parties::{CardProfile, Connection, DemoCard, DemoFile, Dialect, Kind, Terminal, TerminalProfile};

use crate::daemon::Daemon;
use crate::data_dir::DataDir;

const LISTENER: &str = "pos-binary";
/// 12.50.
const AMOUNT: u64 = 1250;

/// Buys something with the first card at the first terminal and prints it for people.
pub async fn sample(daemon: &Daemon, file: &DemoFile, data_dir: &DataDir) -> anyhow::Result<()> {
    let (terminal, card) = (file.terminals.first(), file.cards.first());
    let (terminal, card) = terminal.zip(card).context("demo.json lists no terminal or no card")?;
    let dialect = Dialect::of_listener(LISTENER)?;
    let address = *file.listeners.get(LISTENER).context("the demo has no pos-binary listener")?;
    let mut connection = Connection::connect(address, dialect.framing).await?;
    let mut terminal = Terminal::new(TerminalProfile::from_demo(terminal)?, dialect);

    let before = balance(daemon, card).await?;
    terminal.open_session(&mut connection).await?;
    let request = terminal.request(Kind::Purchase, &CardProfile::from_demo(card)?, AMOUNT)?;
    let exchange = connection.exchange(&request).await?;
    let after = balance(daemon, card).await?;

    println!("A terminal signed on, received its session keys as key blocks, and sent a purchase with PIN and MAC:\n");
    println!("{}", exchange.describe());
    println!("Balance before  {}\nBalance after   {}\n", in_words(before, card), in_words(after, card));
    println!("{}\n", next_steps(file, card, data_dir));
    if !exchange.is_approved() {
        bail!("the sample purchase was answered {} ({})", exchange.code(), exchange.meaning());
    }
    Ok(())
}

async fn balance(daemon: &Daemon, card: &DemoCard) -> anyhow::Result<i64> {
    Ok(daemon.wallet_account(card.wallet_id).await?.available)
}

fn in_words(minor: i64, card: &DemoCard) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    format!("{sign}{}", amount_in_words(&minor.unsigned_abs().to_string(), Some(&card.currency)))
}

/// Commands that work as printed, wherever the demo runs.
fn next_steps(file: &DemoFile, card: &DemoCard, data_dir: &DataDir) -> String {
    let program = std::env::args().next().unwrap_or_else(|| "umbra".to_owned());
    let folder = data_dir.path().display();
    let admin = file.listeners.get("admin").map(ToString::to_string).unwrap_or_default();
    let (tenant, wallet) = (file.tenant_id, card.wallet_id);
    [
        "Try next, in another terminal:".to_owned(),
        format!("  1. {program} terminal pre-auth --amount 100 --data-dir {folder}"),
        "     and then the completion it prints".to_owned(),
        format!("  2. open http://{admin}/docs, log in as the admin of {folder}/demo.json, and"),
        format!("     GET /tenants/{tenant}/wallets/{wallet}/transactions lists this purchase"),
        "  3. kill -9 this process, start it again, and repeat the request: nothing is lost or doubled;".to_owned(),
        format!("     {program} ledger verify {folder} proves the journal"),
    ]
    .join("\n")
}
