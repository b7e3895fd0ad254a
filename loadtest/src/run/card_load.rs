//! Load on a terminal listener: connections, the scripts behind them, and the echo server they are compared with.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use parties::Dialect;
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::book::Seen;
use super::cipher::CipherWork;
use super::closed::{self, Supply};
use super::echo;
use super::lane::{Finish, Lane, Record, Shot};
use super::open;
use super::rounds::Plan;
use super::script::{Prepared, Script};
use super::sender::Sender;
use super::slice::Slice;
use super::stage::Stage;
use super::workload::{Mix, Workload};
use crate::local_server::LocalServer;

/// How messages are timed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Model {
    /// So many outstanding on each connection.
    Closed { depth: usize },
    /// So many a second, over all connections.
    Open { rate: f64 },
}

/// The echo server loses nothing.
const BASELINE_PATIENCE: Duration = Duration::from_secs(5);

/// Threads that prepare and judge messages while no clock runs.
const PREPARERS: usize = 2;

pub struct CardLoad {
    workload: Workload,
    mix: Mix,
    model: Model,
    dialect: Dialect,
    address: SocketAddr,
    echo: LocalServer,
    lanes: Vec<Hand>,
    /// Everything the clients know.
    pub seen: Vec<Seen>,
}

/// A connection's script, what it is about to send, and its two connections.
struct Hand {
    script: Script,
    prepared: Vec<Prepared>,
    lane: Option<Lane>,
    echo_lane: Option<Lane>,
}

impl CardLoad {
    pub fn new(stage: &Stage, plan: &Plan, mix: Mix, dialect: Dialect, address: SocketAddr) -> anyhow::Result<Self> {
        let (workload, model, connections, seed) = (plan.workload, plan.model, plan.connections, plan.seed);
        let in_order = model == Model::Closed { depth: 1 };
        let mut dealt: Vec<Vec<Arc<Sender>>> = vec![Vec::new(); connections];
        // Each connection has senders of its own; where there are fewer, they are shared.
        for number in 0..stage.senders.len().max(connections) {
            let sender = stage.senders.get(number % stage.senders.len().max(1)).context("there are no senders")?;
            if let Some(hand) = dealt.get_mut(number % connections) {
                hand.push(Arc::clone(sender));
            }
        }
        let lanes = dealt.into_iter().zip(0_u64..).map(|(senders, number)| {
            let random = StdRng::seed_from_u64(seed.wrapping_mul(1_000_003).wrapping_add(number));
            let script = Script::new(senders, Arc::clone(&stage.stock), mix, in_order, random)?;
            anyhow::Ok(Hand { script, prepared: Vec::new(), lane: None, echo_lane: None })
        });
        let lanes = lanes.collect::<anyhow::Result<_>>()?;
        let echo = echo::start(dialect.framing)?;
        Ok(Self { workload, mix, model, dialect, address, echo, lanes, seen: Vec::new() })
    }

    /// Makes the messages of a slice that will go at about this rate. `part`: where in the run the slice lies, from 0
    /// to 1.
    pub fn prepare(&mut self, rate: f64, length: Duration, part: (f64, f64)) -> anyhow::Result<()> {
        let count = match self.model {
            Model::Open { rate } => (rate * length.as_secs_f64() * self.mean_factor(part)).round(),
            // More than will be needed; what is left over is sent next time.
            Model::Closed { .. } => rate * length.as_secs_f64() * 1.3,
        };
        let (count, lanes) = (count as usize, self.lanes.len());
        // In the open model one connection may have a message more than another: the sum is the rate.
        let share = |lane: usize| count / lanes + usize::from(lane < count % lanes);
        let least = match self.model {
            Model::Closed { depth } => depth * 2 + 8,
            Model::Open { .. } => 0,
        };
        let mut work: Vec<(usize, &mut Hand)> = self.lanes.iter_mut().enumerate().collect();
        in_parallel(&mut work, |(lane, hand)| {
            hand.prepared = hand.script.prepare(share(*lane).max(least))?;
            Ok(())
        })
    }

    fn mean_factor(&self, (from, to): (f64, f64)) -> f64 {
        const POINTS: u32 = 100;
        let at = |point: u32| from + (to - from) * (f64::from(point) + 0.5) / f64::from(POINTS);
        (0..POINTS).map(|point| self.workload.rate_factor(at(point))).sum::<f64>() / f64::from(POINTS)
    }

    /// Answers a second of the echo server for the prepared frames, closed model, and their latencies.
    pub async fn echo(&mut self, length: Duration) -> anyhow::Result<Slice> {
        let depth = match self.model {
            Model::Closed { depth } => depth,
            Model::Open { .. } => 1,
        };
        for hand in &mut self.lanes {
            if hand.echo_lane.is_none() {
                hand.echo_lane = Some(Lane::connect(self.echo.address, &self.dialect, true).await?);
            }
        }
        // Connections with nothing to send just now echo what another one has.
        let any = self.lanes.iter().find(|hand| !hand.prepared.is_empty()).map(|hand| shots(&hand.prepared));
        let any = any.unwrap_or_default();
        let finish = Finish::new(length, BASELINE_PATIENCE, self.prepared());
        let mut tasks = Vec::with_capacity(self.lanes.len());
        for hand in &mut self.lanes {
            let lane = hand.echo_lane.take().context("the echo server is gone")?;
            let shots = if hand.prepared.is_empty() { any.clone() } else { shots(&hand.prepared) };
            let finish = finish.clone();
            tasks.push(tokio::spawn(async move { closed::fire(lane, &shots, Supply::Cycle, depth, &finish).await }));
        }
        let mut slice = Slice { length: finish.whole(), ..Slice::default() };
        for (hand, task) in self.lanes.iter_mut().zip(tasks) {
            let (lane, records) = task.await?;
            hand.echo_lane = lane;
            records.iter().for_each(|record| slice.take(record, &finish, true));
        }
        Ok(slice)
    }

    /// The bare cipher work of the prepared messages; `None` where there is none.
    pub fn cipher_work(&self) -> Option<CipherWork> {
        /// What is in an answer: the echoed fields, DE 38, DE 39, the MAC.
        const ANSWER_BYTES: usize = 110;
        let lengths: Vec<usize> = self
            .lanes
            .iter()
            .filter_map(|hand| hand.prepared.first())
            .map(|first| first.request.wire().len())
            .collect();
        let request_bytes = lengths.iter().sum::<usize>().checked_div(lengths.len())?;
        self.mix.secured.then_some(CipherWork { request_bytes, answer_bytes: ANSWER_BYTES, pin: true })
    }

    /// Connects what is not connected.
    pub async fn connect(&mut self) -> anyhow::Result<()> {
        for hand in &mut self.lanes {
            if hand.lane.is_none() {
                let mut lane = Lane::connect(self.address, &self.dialect, false).await?;
                if let Some(greeting) = hand.script.greeting()? {
                    lane.greet(greeting).await?;
                }
                hand.lane = Some(lane);
            }
        }
        Ok(())
    }

    /// How many messages are ready to be sent.
    pub fn prepared(&self) -> usize {
        self.lanes.iter().map(|hand| hand.prepared.len()).sum()
    }

    /// Fires the prepared messages; gives the records of each connection, to be judged.
    pub async fn fire(&mut self, finish: &Finish, part: (f64, f64)) -> anyhow::Result<Vec<Vec<Record>>> {
        match self.model {
            Model::Closed { depth } => self.fire_closed(depth, finish).await,
            Model::Open { .. } => self.fire_open(finish, part).await,
        }
    }

    async fn fire_closed(&mut self, depth: usize, finish: &Finish) -> anyhow::Result<Vec<Vec<Record>>> {
        let mut tasks = Vec::with_capacity(self.lanes.len());
        for hand in &mut self.lanes {
            let (lane, shots) = (hand.lane.take().context("a connection is missing")?, shots(&hand.prepared));
            let finish = finish.clone();
            tasks.push(tokio::spawn(async move { closed::fire(lane, &shots, Supply::Once, depth, &finish).await }));
        }
        let mut all = Vec::with_capacity(tasks.len());
        for (hand, task) in self.lanes.iter_mut().zip(tasks) {
            let (lane, records) = task.await?;
            hand.lane = lane;
            all.push(records);
        }
        Ok(all)
    }

    async fn fire_open(&mut self, finish: &Finish, (from, to): (f64, f64)) -> anyhow::Result<Vec<Vec<Record>>> {
        let count = self.lanes.iter().map(|hand| hand.prepared.len()).sum();
        let factor = |at: f64| self.workload.rate_factor(from + (to - from) * at);
        let times = open::times(count, finish.length, factor);
        let lanes = self.lanes.len();
        let mut loads = Vec::with_capacity(lanes);
        for (number, hand) in self.lanes.iter_mut().enumerate() {
            let lane = hand.lane.take().context("a connection is missing")?;
            // Dealt out in turn, so that every connection has its share of each moment.
            let due = times.iter().skip(number).step_by(lanes).copied().collect();
            loads.push(open::Load { lane, shots: shots(&hand.prepared), due });
        }
        let (dialect, on_time) = (self.dialect.clone(), finish.clone());
        let fired = tokio::spawn(async move { open::fire(loads, &dialect, &on_time).await }).await??;
        let mut all = Vec::with_capacity(fired.len());
        for (hand, (lane, records)) in self.lanes.iter_mut().zip(fired) {
            hand.lane = lane;
            all.push(records);
        }
        Ok(all)
    }

    /// Reads the answers; the clients' books are kept.
    pub fn judge(&mut self, records: Vec<Vec<Record>>, finish: &Finish) -> anyhow::Result<Slice> {
        let mut work: Vec<(&mut Hand, Vec<Record>, Vec<Seen>)> =
            self.lanes.iter_mut().zip(records).map(|(hand, records)| (hand, records, Vec::new())).collect();
        in_parallel(&mut work, |(hand, records, seen)| {
            let mut prepared = std::mem::take(&mut hand.prepared);
            hand.script.put_back(prepared.split_off(records.len().min(prepared.len())));
            let answers = records.iter().map(|record| record.answer.as_ref().map(|(_, answer)| answer.clone()));
            *seen = hand.script.judge(prepared.into_iter().zip(answers));
            Ok(())
        })?;
        let mut slice = Slice { length: finish.whole(), ..Slice::default() };
        let mut all = Vec::new();
        for (_, records, seen) in work {
            for (record, seen) in records.iter().zip(&seen) {
                slice.take(record, finish, seen.told.is_some_and(|told| told.is_approved()));
            }
            all.extend(seen);
        }
        self.seen.extend(all);
        Ok(slice.finish())
    }
}

fn shots(prepared: &[Prepared]) -> Vec<Shot> {
    prepared.iter().map(|prepared| Shot { frame: prepared.frame.clone(), key: prepared.key() }).collect()
}

/// Works on all items with [`PREPARERS`] threads.
fn in_parallel<T: Send>(items: &mut [T], act: impl Fn(&mut T) -> anyhow::Result<()> + Sync) -> anyhow::Result<()> {
    let part = items.len().div_ceil(PREPARERS).max(1);
    let act = &act;
    std::thread::scope(|scope| {
        let work: Vec<_> =
            items.chunks_mut(part).map(|items| scope.spawn(move || items.iter_mut().try_for_each(act))).collect();
        work.into_iter()
            .try_for_each(|thread| thread.join().map_err(|_| anyhow::anyhow!("a preparing thread failed"))?)
    })
}
