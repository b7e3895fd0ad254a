//! Who takes part in a run: terminals with their sessions, cards, and the wallets behind them.

use std::sync::Arc;

use anyhow::Context;
use futures::{StreamExt, TryStreamExt};
use parties::{CardProfile, Connection, DemoFile, Dialect, Terminal, TerminalProfile};

use super::script::CardStock;
use super::sender::Sender;
use super::target::Target;

/// Terminals that open their sessions at once.
const AT_ONCE: usize = 32;

/// Cards of every demo, by their place in `demo.json`; those behind them are for load.
const NEARLY_EMPTY: usize = 1;
const BLOCKED: usize = 2;
const EXPIRED: usize = 3;
const FIRST_FURTHER: usize = 5;

pub struct Stage {
    pub senders: Vec<Arc<Sender>>,
    pub stock: Arc<CardStock>,
    /// Wallets of the stock's cards, refused ones behind the good.
    pub wallets: Vec<i64>,
}

impl Stage {
    /// `secured`: with the terminals that send MACs, after a key exchange each; else with those that send none.
    pub async fn set_up(target: &Target, dialect: &Dialect, listener: &str, secured: bool) -> anyhow::Result<Self> {
        let address = target.address(listener)?;
        let numbered = |terminal: &&parties::DemoTerminal| terminal.terminal_id.starts_with('T');
        let ours = target.demo.terminals.iter().filter(numbered).filter(|terminal| terminal.mac == secured);
        let senders = futures::stream::iter(ours)
            .map(|terminal| async move {
                let mut terminal = Terminal::new(TerminalProfile::from_demo(terminal)?, dialect.clone());
                if secured {
                    let mut connection = Connection::connect(address, dialect.framing).await?;
                    terminal.open_session(&mut connection).await.context("a terminal gets no session")?;
                }
                anyhow::Ok(Arc::new(Sender::Terminal(terminal)))
            })
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        let (stock, wallets) = cards(&target.demo, secured)?;
        Ok(Self { senders, stock: Arc::new(stock), wallets })
    }
}

/// The cards there are, and their wallets in the same order.
fn cards(demo: &DemoFile, secured: bool) -> anyhow::Result<(CardStock, Vec<i64>)> {
    let profile = |index: usize| {
        let card = demo.cards.get(index).context("demo.json has too few cards")?;
        let profile = CardProfile::from_demo(card)?;
        anyhow::Ok((if secured { profile } else { profile.without_pin() }, card.wallet_id))
    };
    let (mut good, mut refused, mut wallets) = (Vec::new(), Vec::new(), Vec::new());
    for index in FIRST_FURTHER..demo.cards.len() {
        let (card, wallet) = profile(index)?;
        good.push(card);
        wallets.push(wallet);
    }
    for (index, code) in [(NEARLY_EMPTY, *b"51"), (BLOCKED, *b"62"), (EXPIRED, *b"54")] {
        let (card, wallet) = profile(index)?;
        refused.push((card, code));
        wallets.push(wallet);
    }
    Ok((CardStock { good, refused }, wallets))
}
