//! Who takes part in a run: terminals with their sessions or acquirers behind the card network, cards, and the wallets
//! behind them.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use futures::{StreamExt, TryStreamExt};
use parties::{
    AcquirerSettings, AcquirerSide, CardProfile, Connection, DemoFile, Dialect, Terminal, TerminalProfile, Zone,
};

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

/// The listener for card networks.
pub const NETWORK: &str = "network";

impl Stage {
    /// `secured`: with PINs, and with the terminals that send MACs; else with those that send none. `acquirers`: how many
    /// there are behind the network, where it is the network's listener.
    pub async fn set_up(
        target: &Target,
        dialect: &Dialect,
        listener: &str,
        secured: bool,
        acquirers: u32,
    ) -> anyhow::Result<Self> {
        let address = target.address(listener)?;
        let senders = match listener {
            NETWORK => behind_network(target, address, acquirers).await?,
            _ => Self::terminals(target, dialect, address, secured).await?,
        };
        let (stock, wallets) = cards(&target.demo, secured)?;
        Ok(Self { senders, stock: Arc::new(stock), wallets })
    }

    /// Each has its session, if it is to have one.
    async fn terminals(
        target: &Target,
        dialect: &Dialect,
        address: SocketAddr,
        secured: bool,
    ) -> anyhow::Result<Vec<Arc<Sender>>> {
        let numbered = |terminal: &&parties::DemoTerminal| terminal.terminal_id.starts_with('T');
        let ours = target.demo.terminals.iter().filter(numbered).filter(|terminal| terminal.mac == secured);
        futures::stream::iter(ours)
            .map(|terminal| async move {
                let mut terminal = Terminal::new(TerminalProfile::from_demo(terminal)?, dialect.clone());
                if secured {
                    let mut connection = Connection::connect(address, dialect.framing).await?;
                    terminal.open_session(&mut connection).await.context("a terminal gets no session")?;
                }
                anyhow::Ok(Arc::new(Sender::Terminal(Box::new(terminal))))
            })
            .buffered(AT_ONCE)
            .try_collect()
            .await
    }
}

/// Acquirers of the demo's network, under one pair of zone keys.
async fn behind_network(target: &Target, address: SocketAddr, count: u32) -> anyhow::Result<Vec<Arc<Sender>>> {
    /// DE 32 of the first.
    const FIRST: u32 = 400_000;
    let network = target.demo.network.as_ref().context("the demo has no card network")?;
    let zone = Arc::new(Zone::from_demo(network)?);
    let mut senders = Vec::new();
    // One after the other: the first gives the zone its keys, the others find them.
    for number in 0..count {
        let settings = AcquirerSettings {
            terminal_id: format!("N{number:07}"),
            ..AcquirerSettings::new(&(FIRST + number).to_string())
        };
        let acquirer = AcquirerSide::connect(address, Arc::clone(&zone), settings, None).await;
        senders.push(Arc::new(Sender::Network(Box::new(acquirer.context("the card network cannot sign on")?))));
    }
    Ok(senders)
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
