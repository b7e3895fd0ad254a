//! Load on the REST API, and the empty handler it is compared with.

use std::time::Duration;

use parties::DemoFile;

use super::card_load::Model;
use super::empty_handler;
use super::lane::{Finish, Record};
use super::open;
use super::slice::Slice;
use super::target::Target;
use super::transfers::{Client, PreparedTransfer, Transfer, Users};
use crate::local_server::LocalServer;

pub struct RestLoad {
    model: Model,
    demo: DemoFile,
    users: Users,
    clients: Vec<Option<(Client, Vec<PreparedTransfer>)>>,
    empty: LocalServer,
    /// Everything the clients know.
    pub transfers: Vec<Transfer>,
}

impl RestLoad {
    pub async fn new(
        target: &Target,
        key_set: &serde_json::Value,
        wallets: Vec<i64>,
        model: Model,
        clients: usize,
        seed: u64,
    ) -> anyhow::Result<Self> {
        let (users, clients) = Users::make(target, clients, wallets, seed).await?;
        let clients = clients.into_iter().map(|client| Some((client, Vec::new()))).collect();
        let demo = target.demo.clone();
        Ok(Self { model, demo, users, clients, empty: empty_handler::start(key_set)?, transfers: Vec::new() })
    }

    pub async fn prepare(&mut self, rate: f64, length: Duration) -> anyhow::Result<()> {
        let clients = self.clients.iter_mut().flatten().map(|(client, _)| client);
        self.users.stay_logged_in(&self.demo, clients).await?;
        let count = match self.model {
            Model::Open { rate } => rate * length.as_secs_f64(),
            Model::Closed { .. } => rate * length.as_secs_f64() * 1.3,
        };
        let (count, lanes) = (count.round() as usize, self.clients.len());
        let least = if matches!(self.model, Model::Closed { .. }) { 4 } else { 0 };
        for (lane, (client, prepared)) in self.clients.iter_mut().flatten().enumerate() {
            let share = count / lanes + usize::from(lane < count % lanes);
            *prepared = client.prepare(share.max(least))?;
        }
        Ok(())
    }

    /// The empty handler, asked by the same clients on the same number of connections.
    pub async fn baseline(&mut self, length: Duration) -> anyhow::Result<Slice> {
        let address = format!("http://{}/", self.empty.address);
        let mut tasks = Vec::with_capacity(self.clients.len());
        for slot in &mut self.clients {
            let Some((client, prepared)) = slot.take() else { continue };
            let address = address.clone();
            tasks.push(tokio::spawn(async move {
                let times = client.fire_at_baseline(&address, length).await;
                (client, prepared, times)
            }));
        }
        let mut slice = Slice { length, ..Slice::default() };
        for (slot, task) in self.clients.iter_mut().zip(tasks) {
            let (client, prepared, times) = task.await?;
            *slot = Some((client, prepared));
            slice.answers += times.len() as u64;
            times.into_iter().for_each(|time| slice.latencies.record(time));
        }
        Ok(slice)
    }

    pub fn prepared(&self) -> usize {
        self.clients.iter().flatten().map(|(_, prepared)| prepared.len()).sum()
    }

    /// Gives each transfer that was asked for, with its times, to be judged.
    pub async fn fire(&mut self, finish: &Finish) -> anyhow::Result<Vec<(Transfer, Record)>> {
        let times = open::times(self.prepared(), finish.length, |_| 1.0);
        let lanes = self.clients.len();
        let mut tasks = Vec::with_capacity(lanes);
        for (number, slot) in self.clients.iter_mut().enumerate() {
            let Some((client, prepared)) = slot.take() else { continue };
            let is_open = matches!(self.model, Model::Open { .. });
            let due = is_open.then(|| times.iter().skip(number).step_by(lanes).copied().collect());
            let finish = finish.clone();
            tasks.push(tokio::spawn(async move {
                let done = client.fire(prepared, due, &finish).await;
                (client, done)
            }));
        }
        let mut all = Vec::new();
        for (slot, task) in self.clients.iter_mut().zip(tasks) {
            let (client, done) = task.await?;
            *slot = Some((client, Vec::new()));
            all.extend(done);
        }
        Ok(all)
    }

    /// The clients' books are kept.
    pub fn judge(&mut self, done: Vec<(Transfer, Record)>, finish: &Finish) -> Slice {
        let mut slice = Slice { length: finish.whole(), ..Slice::default() };
        for (transfer, record) in done {
            slice.take(&record, finish, matches!(transfer.told, Some(Ok(_))));
            self.transfers.push(transfer);
        }
        slice.finish()
    }
}
