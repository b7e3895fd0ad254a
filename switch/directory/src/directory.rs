//! The sharded, lock-free read copy.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;

use arc_swap::ArcSwap;

use crate::{Card, Network, PanHash, Terminal, TerminalName};

/// Shards of the card table: one change copies one shard, so its cost is cards / SHARDS.
const SHARDS: usize = 4096;

type CardShard = HashMap<PanHash, Arc<Card>, foldhash::fast::FixedState>;

/// One row of the change feed, with the whole new value.
#[derive(Clone, Debug)]
pub enum Change {
    Card(Card),
    /// The card of this number is not known any more.
    NoCard(PanHash),
    Terminal(Terminal),
    /// The terminal of this row is not known any more.
    NoTerminal(i64),
    Network(Network),
    /// The network of this row is not known any more.
    NoNetwork(i64),
}

/// Cards by PAN hash, terminals by name, networks by institution.
#[derive(Debug)]
pub struct Directory {
    cards: Vec<ArcSwap<CardShard>>,
    terminals: ArcSwap<HashMap<TerminalName, Arc<Terminal>>>,
    networks: ArcSwap<Vec<Arc<Network>>>,
    /// Writers take turns; readers never wait.
    writer: Mutex<()>,
}

impl Default for Directory {
    fn default() -> Self {
        Self::new()
    }
}

impl Directory {
    pub fn new() -> Self {
        Self {
            cards: (0..SHARDS).map(|_| ArcSwap::default()).collect(),
            terminals: ArcSwap::default(),
            networks: ArcSwap::default(),
            writer: Mutex::new(()),
        }
    }

    fn shard(hash: &PanHash) -> usize {
        // The hash is uniform, so its first bytes spread cards evenly.
        usize::from(u16::from_le_bytes([hash.0[0], hash.0[1]])) % SHARDS
    }

    pub fn card(&self, hash: &PanHash) -> Option<Arc<Card>> {
        self.cards.get(Self::shard(hash))?.load().get(hash).cloned()
    }

    pub fn terminal(&self, name: &TerminalName) -> Option<Arc<Terminal>> {
        self.terminals.load().get(name).cloned()
    }

    /// The network that calls itself so in DE 33. There are few.
    pub fn network(&self, institution: &str) -> Option<Arc<Network>> {
        self.networks.load().iter().find(|network| network.institution == institution).cloned()
    }

    /// Terminals known now, for tools and gauges.
    pub fn terminal_count(&self) -> usize {
        self.terminals.load().len()
    }

    /// Takes over a batch of changes in order; each touched shard is replaced once.
    pub fn apply(&self, changes: Vec<Change>) {
        let _turn = self.writer.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut shards: HashMap<usize, CardShard> = HashMap::new();
        let mut terminals: Option<HashMap<TerminalName, Arc<Terminal>>> = None;
        for change in changes {
            match change {
                Change::Card(card) => {
                    if let Some(shard) = self.copy_of_shard(&mut shards, &card.pan_hash) {
                        shard.insert(card.pan_hash, Arc::new(card));
                    }
                }
                Change::NoCard(hash) => {
                    if let Some(shard) = self.copy_of_shard(&mut shards, &hash) {
                        shard.remove(&hash);
                    }
                }
                Change::Terminal(terminal) => {
                    let map = terminals.get_or_insert_with(|| HashMap::clone(&self.terminals.load()));
                    map.retain(|name, old| old.id != terminal.id || *name == terminal.name);
                    map.insert(terminal.name.clone(), Arc::new(terminal));
                }
                Change::NoTerminal(id) => {
                    let map = terminals.get_or_insert_with(|| HashMap::clone(&self.terminals.load()));
                    map.retain(|_, old| old.id != id);
                }
                Change::Network(network) => self.replace_network(network.id, Some(network)),
                Change::NoNetwork(id) => self.replace_network(id, None),
            }
        }
        for (index, shard) in shards {
            if let Some(current) = self.cards.get(index) {
                current.store(Arc::new(shard));
            }
        }
        if let Some(terminals) = terminals {
            self.terminals.store(Arc::new(terminals));
        }
    }

    fn replace_network(&self, id: i64, network: Option<Network>) {
        let others = self.networks.load().iter().filter(|old| old.id != id).cloned().collect::<Vec<_>>();
        self.networks.store(Arc::new(others.into_iter().chain(network.map(Arc::new)).collect()));
    }

    /// The shard of a card, copied once a batch.
    fn copy_of_shard<'a>(
        &self,
        shards: &'a mut HashMap<usize, CardShard>,
        hash: &PanHash,
    ) -> Option<&'a mut CardShard> {
        let index = Self::shard(hash);
        let current = self.cards.get(index)?;
        Some(shards.entry(index).or_insert_with(|| CardShard::clone(&current.load())))
    }
}
