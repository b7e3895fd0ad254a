//! The rounds of a run, from the daemon's start to the truth.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use futures::{StreamExt, TryStreamExt};
use load_report::{Round, RunReport};
use parties::Dialect;

use super::card_load::{CardLoad, Model};
use super::journal::Journal;
use super::lane::Finish;
use super::load::Load;
use super::reporting::{self, Measured};
use super::rest::Rest;
use super::rest_load::RestLoad;
use super::saboteur::{self, Fault};
use super::scrape::Scrape;
use super::slice::Slice;
use super::stage::Stage;
use super::stalls;
use super::target::{self, Target};
use super::tranlog_rows;
use super::truth::{self, Books, Clients, Truth, Wallet};
use super::workload::Workload;
use crate::interrupt;
use crate::local_server::LocalServer;
use crate::measure::cpu::{CpuUse, Watched};
use crate::measure::recycled_file::RecycledFile;
use crate::progress::Progress;

/// What a run is told.
#[derive(Clone, Debug)]
pub struct Plan {
    pub workload: Workload,
    pub model: Model,
    /// Of load, all rounds together.
    pub length: Duration,
    pub rounds: u32,
    pub connections: usize,
    pub terminals: u32,
    pub cards: u32,
    pub listener: String,
    pub seed: u64,
    /// How long answers are waited for after the last message of a slice.
    pub patience: Duration,
    pub fault: Option<Fault>,
    /// Another daemon than the one this program was built with.
    pub umbra: Option<PathBuf>,
    /// A new folder on the disk that is to be measured.
    pub folder: PathBuf,
}

/// How long the journal's followers may take to catch up before a round and at the end.
const CATCH_UP: Duration = Duration::from_secs(20);
const CATCH_UP_AT_END: Duration = Duration::from_secs(600);

/// Statements that are read at once.
const STATEMENTS_AT_ONCE: usize = 8;

/// Of the load before the first round, whose rate tells how much to prepare.
const WARM_UP: Duration = Duration::from_millis(500);
const RATE_BEFORE: f64 = 20_000.0;

/// One sync of the baseline before the journal has shown how much it writes at once.
const SYNC_BYTES_BEFORE: u64 = 4096;

/// Runs everything on threads named `clients`.
pub fn run(plan: &Plan) -> anyhow::Result<RunReport> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name("clients").enable_all().build()?;
    let report = interrupt::run(runtime, Run::go(plan));
    report.map_err(|error| match target::last_words(&plan.folder) {
        Some(words) => error.context(words),
        None => error,
    })
}

struct Run<'a> {
    plan: &'a Plan,
    target: Target,
    rest: Rest,
    load: Load,
    file: RecycledFile,
    watched: Watched,
    progress: Progress,
    measured: Measured,
    sync_bytes: u64,
    began: Instant,
    _saboteur: Option<LocalServer>,
}

impl<'a> Run<'a> {
    async fn go(plan: &'a Plan) -> anyhow::Result<RunReport> {
        let started_at = time::OffsetDateTime::now_utc();
        let progress = Progress::new(u64::from(plan.rounds) + 3);
        progress.line("starting the daemon, making cards and terminals");
        let (mut run, wallets) = Self::set_up(plan, progress).await?;
        run.progress.step();
        let mut rate = run.warm_up().await?;
        run.progress.step();
        for number in 0..plan.rounds {
            rate = run.round(number, rate).await.with_context(|| format!("round {}", number + 1))?;
            run.progress.step();
        }
        run.progress.line("comparing clients, ledger, transaction log and statements");
        let Self { target, rest, load, mut measured, progress, .. } = run;
        let truth = find_truth(target, &rest, &load, &wallets).await?;
        drop(progress);
        measured.version = env!("CARGO_PKG_VERSION").to_owned();
        Ok(reporting::report(plan, started_at, measured, &load, &truth))
    }

    async fn set_up(plan: &'a Plan, progress: Progress) -> anyhow::Result<(Self, Vec<i64>)> {
        // On the main thread: the daemon ends with the thread that started it. Every second terminal sends no MACs.
        let target = Target::start(plan.umbra.as_deref(), &plan.folder, plan.cards, plan.terminals * 2)?;
        let rest = Rest::log_in(&target.demo, &target.demo.admin).await?;
        let (load, saboteur, wallets) = make_load(plan, &target, &rest).await?;
        let watched = Watched::new(vec![(target.process(), "daemon: "), (std::process::id(), "loadtest: ")]);
        let file = RecycledFile::create(&plan.folder)?;
        let (measured, sync_bytes) = (Measured::default(), SYNC_BYTES_BEFORE);
        let (began, _saboteur) = (Instant::now(), saboteur);
        let run = Self { plan, target, rest, load, file, watched, progress, measured, sync_bytes, began, _saboteur };
        Ok((run, wallets))
    }

    /// Gives the answers a second.
    async fn warm_up(&mut self) -> anyhow::Result<f64> {
        self.progress.stage("warming up");
        let length = WARM_UP.min(self.slice());
        self.load.prepare(RATE_BEFORE, length, (0.0, 0.0)).await?;
        self.load.baseline(length / 4).await?;
        let finish = Finish::new(length, self.plan.patience, self.load.prepared());
        let fired = self.load.fire(&finish, (0.0, 0.0)).await?;
        let slice = self.load.judge(fired, &finish)?;
        Ok(slice.answers_per_s().max(1.0))
    }

    fn slice(&self) -> Duration {
        self.plan.length / self.plan.rounds.max(1)
    }

    async fn round(&mut self, number: u32, rate: f64) -> anyhow::Result<f64> {
        let title = format!("round {} of {}", number + 1, self.plan.rounds);
        let part = |number: u32| f64::from(number) / f64::from(self.plan.rounds);
        let part = (part(number), part(number + 1));
        let length = self.slice();
        self.load.prepare(rate, length, part).await?;
        if wait_for_followers(&self.rest, CATCH_UP).await?.is_none() {
            self.measured.busy_baselines += 1;
        }
        let mut round = Round::default();
        let baseline = length.clamp(Duration::from_millis(200), Duration::from_secs(2)) / 2;
        self.baselines(&mut round, baseline).await?;

        let before = self.rest.metrics().await?;
        let cpu_before = self.watched.read();
        let finish = Finish::new(length, self.plan.patience, self.load.prepared());
        let rate =
            || format!("{title}: {:.0} answers/s", finish.answered() as f64 / finish.start.elapsed().as_secs_f64());
        let fired = self.progress.watch(self.load.fire(&finish, part), rate).await?;
        // Before the answers are judged, which takes its own time.
        let cpu = CpuUse::between(&cpu_before, &self.watched.read());
        let counted = self.rest.metrics().await?;
        let slice = self.load.judge(fired, &finish)?;
        self.measured.stalls.extend(stalls::find(&slice, finish.start - self.began));
        self.note(&title, round, slice, cpu, &counted, &counted.since(&before))
    }

    /// What the machine gives at best, right before the load.
    async fn baselines(&mut self, round: &mut Round, length: Duration) -> anyhow::Result<()> {
        let cpu_before = self.watched.read();
        let echo = self.load.baseline(length).await?;
        let cpu = CpuUse::between(&cpu_before, &self.watched.read());
        let server = cpu.of("loadtest: echo") + cpu.of("loadtest: empty-http");
        round.baseline_us = us_each(server, echo.answers);
        round.echo_per_s = echo.answers_per_s();
        (round.echo_p50_us, round.echo_p99_us) = (echo.latencies.us(50.0), echo.latencies.us(99.0));
        self.measured.echo.add(&echo.latencies);
        let bytes = usize::try_from(self.sync_bytes)?;
        let syncs = self.file.measure(bytes, length / 2)?;
        round.sync_bytes = self.sync_bytes;
        (round.sync_p50_us, round.sync_p99_us) = (syncs.us(50.0), syncs.us(99.0));
        self.measured.syncs.add(&syncs);
        round.cipher_us = self.load.cipher_work().map_or(0.0, |work| work.measure(length / 4));
        Ok(())
    }

    /// Takes down a round; gives the answers a second.
    fn note(
        &mut self,
        title: &str,
        mut round: Round,
        slice: Slice,
        cpu: CpuUse,
        now: &Scrape,
        change: &Scrape,
    ) -> anyhow::Result<f64> {
        round.approved_per_s = slice.approved_per_s();
        round.answers_per_s = slice.answers_per_s();
        let us = |percentile: f64| slice.latencies.us(percentile);
        (round.p50_us, round.p99_us, round.p999_us) = (us(50.0), us(99.0), us(99.9));
        round.others_cores = cpu.cores(cpu.others);
        round.daemon_us = us_each(cpu.of("daemon: "), slice.answers);
        let (syncs, written) =
            (change.value("umbra_ledger_batch_events_count"), change.value("umbra_ledger_written_bytes_total"));
        if syncs > 0.0 {
            self.sync_bytes = (written / syncs) as u64;
        }
        let events = now.value("umbra_ledger_batch_events_sum");
        let event_bytes = now.value("umbra_ledger_written_bytes_total") / events.max(1.0);
        let [projection, tranlog] = FOLLOWERS.map(|seq| (events - now.value(seq)).max(0.0) * event_bytes);
        (round.lag_bytes, round.tranlog_lag_bytes) = (projection as u64, tranlog as u64);
        self.progress.line(&format!(
            "{title}: {:.0} approvals/s, p50 {:.0} µs, p99 {:.0} µs; echo {:.0}/s, sync p50 {:.0} µs",
            round.approved_per_s, round.p50_us, round.p99_us, round.echo_per_s, round.sync_p50_us
        ));
        let rate = round.answers_per_s.max(1.0);
        self.measured.take(round, slice, cpu, change);
        Ok(rate)
    }
}

/// Microseconds for each of so many.
fn us_each(time: Duration, count: u64) -> f64 {
    if count == 0 { 0.0 } else { time.as_secs_f64() * 1e6 / count as f64 }
}

/// The last event that statements and transaction log have.
const FOLLOWERS: [&str; 2] = ["umbra_projection_seq", "umbra_tranlog_seq"];

/// Gives how long it took, or nothing when patience ended.
async fn wait_for_followers(rest: &Rest, patience: Duration) -> anyhow::Result<Option<Duration>> {
    let began = Instant::now();
    while began.elapsed() < patience {
        let now = rest.metrics().await?;
        let events = now.value("umbra_ledger_batch_events_sum");
        if FOLLOWERS.iter().all(|seq| now.value(seq) >= events) {
            return Ok(Some(began.elapsed()));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(None)
}

/// As [`wait_for_followers`], and the ledger does nothing more: what clients have given up on may still be in work.
async fn wait_until_still(rest: &Rest, patience: Duration) -> anyhow::Result<Option<Duration>> {
    const STILL: Duration = Duration::from_millis(500);
    let began = Instant::now();
    let events = async || anyhow::Ok(rest.metrics().await?.value("umbra_ledger_batch_events_sum"));
    while began.elapsed() < patience {
        let caught_up = wait_for_followers(rest, patience.saturating_sub(began.elapsed())).await?;
        let (before, took) = (events().await?, began.elapsed());
        tokio::time::sleep(STILL).await;
        if caught_up.is_some() && events().await? == before {
            return Ok(Some(took));
        }
    }
    Ok(None)
}

/// The load of a workload, and the wallets it moves money on.
async fn make_load(plan: &Plan, target: &Target, rest: &Rest) -> anyhow::Result<(Load, Option<LocalServer>, Vec<i64>)> {
    let dialect = Dialect::of_listener(&plan.listener)?;
    let Some(mix) = plan.workload.mix() else {
        let wallets: Vec<i64> = target.demo.cards.iter().skip(5).map(|card| card.wallet_id).collect();
        let keys = rest.get_public(&target.demo, "/authentication/jwks").await?;
        let load = RestLoad::new(target, &keys, wallets.clone(), plan.model, plan.connections, plan.seed).await?;
        return Ok((Load::Rest(Box::new(load)), None, wallets));
    };
    let stage = Stage::set_up(target, &dialect, &plan.listener, mix.secured, plan.terminals).await?;
    let daemon = target.address(&plan.listener)?;
    let saboteur = plan.fault.map(|fault| saboteur::start(fault, dialect.clone(), daemon)).transpose()?;
    if saboteur.is_some() {
        // Forged messages have STANs far above these.
        stage.senders.iter().try_for_each(|sender| sender.set_next_stan(1))?;
    }
    let address = saboteur.as_ref().map_or(daemon, |saboteur| saboteur.address);
    let load = CardLoad::new(&stage, plan, mix, dialect, address)?;
    Ok((Load::Cards(Box::new(load)), saboteur, stage.wallets))
}

/// Waits for the statements, reads them, ends the daemon, reads its journal and transaction log, and compares.
async fn find_truth(target: Target, rest: &Rest, load: &Load, wallets: &[i64]) -> anyhow::Result<Truth> {
    let caught_up = wait_until_still(rest, CATCH_UP_AT_END).await?;
    let caught_up = caught_up.with_context(|| {
        let within = CATCH_UP_AT_END.as_secs();
        format!("statements and transaction log do not catch up within {within} s of the load's end")
    })?;
    // The token of the start may be over.
    let rest = Rest::log_in(&target.demo, &target.demo.admin).await?;
    let read = |id: &i64| {
        let (id, rest) = (*id, &rest);
        async move { anyhow::Ok(Wallet { id, statement: rest.statement(id).await? }) }
    };
    let stated: Vec<Wallet> =
        futures::stream::iter(wallets).map(read).buffered(STATEMENTS_AT_ONCE).try_collect().await?;
    let data_dir = tokio::task::spawn_blocking(move || target.stop()).await??;
    let began = Instant::now();
    let journal = read_journal(data_dir.clone(), &stated).await?;
    let journal_s = began.elapsed().as_secs_f64();
    let (tranlog, rows) = tokio::task::spawn_blocking(move || tranlog_rows::read(&data_dir)).await??;
    let (messages, transfers) = match load {
        Load::Cards(load) => (load.seen.as_slice(), &[][..]),
        Load::Rest(load) => (&[][..], load.transfers.as_slice()),
    };
    let books = Books { journal: &journal, tranlog: &tranlog };
    let mut truth = truth::compare(&Clients { messages, transfers, wallets: &stated }, books);
    truth.report.projection_s = caught_up.as_secs_f64();
    truth.report.journal_s = journal_s;
    truth.report.tranlog_rows = rows;
    Ok(truth)
}

async fn read_journal(data_dir: PathBuf, stated: &[Wallet]) -> anyhow::Result<Journal> {
    let keep: Vec<u64> = stated.iter().filter_map(|wallet| wallet.statement.first).map(|(seq, _)| seq).collect();
    tokio::task::spawn_blocking(move || Journal::read(Path::new(&data_dir), keep)).await?
}

impl Measured {
    fn take(&mut self, round: Round, slice: Slice, cpu: CpuUse, change: &Scrape) {
        self.rounds.push(round);
        self.metrics.add(change);
        self.cpu.add(&cpu);
        self.answers += slice.answers;
        self.latencies.add(&slice.latencies);
        self.lateness.add(&slice.lateness);
        self.add_timeline(&slice);
    }
}
