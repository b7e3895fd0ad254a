//! From what was measured to the report.

use std::collections::BTreeMap;
use std::time::Duration;

use load_report::{BaselineReport, Better, CpuShare, Figure, Finding, Round, RunReport, Settings, TimePoint, median};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::book::Seen;
use super::card_load::Model;
use super::load::Load;
use super::rounds::Plan;
use super::scrape::Scrape;
use super::slice::{Slice, per_second};
use super::stalls::{self, Stall};
use super::truth::Truth;
use crate::findings;
use crate::measure::cpu::CpuUse;
use crate::measure::latency::Latencies;
use crate::measure::recycled_file::is_in_memory;

/// All rounds of a run.
#[derive(Default)]
pub struct Measured {
    pub version: String,
    pub rounds: Vec<Round>,
    pub latencies: Latencies,
    /// In the open model: how much later than meant the clients sent.
    pub lateness: Latencies,
    /// Of the echo server or the empty handler.
    pub echo: Latencies,
    pub syncs: Latencies,
    pub answers: u64,
    /// Rounds before which the statements had not caught up.
    pub busy_baselines: u32,
    pub stalls: Vec<Stall>,
    pub metrics: Scrape,
    pub cpu: CpuUse,
    timeline: Vec<TimePoint>,
    /// Of load so far, in seconds.
    passed_s: f64,
}

/// Length of a point of the timeline.
const POINT: Duration = Duration::from_millis(100);

impl Measured {
    pub fn add_timeline(&mut self, slice: &Slice) {
        let mut bins: BTreeMap<u128, (u64, Duration)> = BTreeMap::new();
        let last = slice.length.as_nanos().saturating_sub(1) / POINT.as_nanos();
        bins.extend((0..=last).map(|bin| (bin, (0, Duration::ZERO))));
        for point in slice.points.iter().filter(|point| point.at < slice.length) {
            let bin = bins.entry(point.at.as_nanos() / POINT.as_nanos()).or_default();
            *bin = (bin.0 + 1, bin.1.max(point.latency));
        }
        for (bin, (count, slowest)) in bins {
            let start = POINT * u32::try_from(bin).unwrap_or(u32::MAX);
            let length = POINT.min(slice.length.saturating_sub(start));
            self.timeline.push(TimePoint {
                at_s: self.passed_s + start.as_secs_f64(),
                answers_per_s: per_second(count, length),
                slowest_us: slowest.as_secs_f64() * 1e6,
            });
        }
        self.passed_s += slice.length.as_secs_f64();
    }

    fn median(&self, of: impl Fn(&Round) -> f64) -> f64 {
        median(&self.rounds.iter().map(of).collect::<Vec<_>>())
    }
}

pub fn report(plan: &Plan, started_at: OffsetDateTime, measured: Measured, load: &Load, truth: &Truth) -> RunReport {
    let found = findings_of(plan, &measured, load, truth);
    let passed = truth.passed() && findings::passed(&found);
    RunReport {
        approved_per_s: measured.median(|round| round.approved_per_s),
        echo_per_s: measured.median(|round| round.echo_per_s),
        echo_p50_us: measured.median(|round| round.echo_p50_us),
        p50_us: measured.median(|round| round.p50_us),
        p99_us: measured.median(|round| round.p99_us),
        p999_us: measured.median(|round| round.p999_us),
        sync_p50_us: measured.median(|round| round.sync_p50_us),
        sync_p99_us: measured.median(|round| round.sync_p99_us),
        declined: declined(load).len() as u64,
        lost: truth.report.lost,
        doubled: truth.report.doubled,
        kind: "run".into(),
        workload: plan.workload.name(),
        settings: settings(plan),
        started_at: started_at.format(&Rfc3339).unwrap_or_default(),
        passed,
        findings: found,
        figures: figures(plan, &measured, load),
        latency: measured.latencies.points(),
        echo_latency: measured.echo.points(),
        steps: measured.metrics.steps(),
        cpu: cpu(&measured),
        baselines: baselines(&measured, load),
        truth: truth.report.clone(),
        version: measured.version,
        timeline: measured.timeline,
        rounds: measured.rounds,
    }
}

fn settings(plan: &Plan) -> Settings {
    let (model, rate, depth) = match plan.model {
        Model::Closed { depth } => ("closed", None, depth),
        Model::Open { rate } => ("open", Some(rate), 0),
    };
    Settings {
        model: model.into(),
        rate,
        seconds: plan.length.as_secs_f64(),
        rounds: plan.rounds,
        connections: u32::try_from(plan.connections).unwrap_or(u32::MAX),
        depth: u32::try_from(depth).unwrap_or(u32::MAX),
        terminals: plan.terminals,
        cards: plan.cards,
        listener: plan.listener.clone(),
        seed: plan.seed,
    }
}

/// Answers that were meant to be other, with what they were: code, or status of REST.
fn declined(load: &Load) -> Vec<String> {
    match load {
        Load::Cards(load) => {
            let wrong = |seen: &&Seen| seen.told.is_some() && !seen.is_as_meant();
            load.seen.iter().filter(wrong).filter_map(|seen| Some(seen.told?.code())).collect()
        }
        Load::Rest(load) => {
            let refused = load.transfers.iter().filter_map(|transfer| transfer.told.as_ref()?.as_ref().err());
            refused.map(u16::to_string).collect()
        }
    }
}

/// What runs are compared by: ratios of one round's figures, then the figures themselves.
fn figures(plan: &Plan, measured: &Measured, load: &Load) -> Vec<Figure> {
    let each = |of: &dyn Fn(&Round) -> f64| measured.rounds.iter().map(of).collect::<Vec<f64>>();
    let over = |one: f64, other: f64| if other > 0.0 { one / other } else { 0.0 };
    let (higher, lower) = (Better::Higher, Better::Lower);
    let (baseline, words) = match load {
        Load::Cards(_) => ("echo", "bare echoes of the same frames a second"),
        Load::Rest(_) => ("http", "answers a second of an empty handler that verifies the same token"),
    };
    let mut all = vec![Figure::ratio(
        &format!("approved_to_{baseline}"),
        &format!("approvals a second / {words}"),
        higher,
        each(&|round| over(round.approved_per_s, round.echo_per_s)),
    )];
    if let (Model::Closed { depth }, Load::Cards(_)) = (plan.model, load) {
        let outstanding = (plan.connections * depth) as f64;
        let floor = move |round: &Round| outstanding / ((round.echo_p50_us + 1.5 * round.sync_p50_us) / 1e6);
        all.push(Figure::ratio(
            "approved_to_durable_bound",
            "approvals a second / what echo p50 and 1.5 sync p50 allow with so many outstanding",
            higher,
            each(&|round| over(round.approved_per_s, floor(round))),
        ));
    }
    all.push(Figure::ratio(
        &format!("cpu_to_{baseline}"),
        &format!("processor time of the daemon for an answer / of the {baseline} baseline"),
        lower,
        each(&|round| over(round.daemon_us, round.baseline_us)),
    ));
    let latency = |name: &str, words: &str, of: &dyn Fn(&Round) -> f64| Figure::ratio(name, words, lower, each(of));
    all.push(latency("p50_to_sync", "latency p50 / p50 of writing and syncing as many bytes", &|round| {
        over(round.p50_us, round.sync_p50_us)
    }));
    all.push(latency("p99_to_sync", "latency p99 / p99 of writing and syncing as many bytes", &|round| {
        over(round.p99_us, round.sync_p99_us)
    }));
    if measured.rounds.iter().any(|round| round.cipher_us > 0.0) {
        all.push(Figure::ratio(
            "cipher_share",
            "cores that the bare cipher work of the approvals takes",
            higher,
            each(&|round| round.approved_per_s * round.cipher_us / 1e6),
        ));
    }
    let absolute =
        |name: &str, unit: &str, better, of: &dyn Fn(&Round) -> f64| Figure::new(name, "", unit, better, each(of));
    all.extend([
        absolute("approved_per_s", "1/s", higher, &|round| round.approved_per_s),
        absolute("p50_us", "us", lower, &|round| round.p50_us),
        absolute("p99_us", "us", lower, &|round| round.p99_us),
        absolute("p999_us", "us", lower, &|round| round.p999_us),
    ]);
    all
}

fn cpu(measured: &Measured) -> Vec<CpuShare> {
    let used = &measured.cpu;
    let a_message = |time: Duration| time.as_secs_f64() * 1e6 / (measured.answers.max(1) as f64);
    let mut shares: Vec<CpuShare> = used
        .groups
        .iter()
        .map(|(name, time)| CpuShare { part: name.clone(), cores: used.cores(*time), us_per_answer: a_message(*time) })
        .filter(|share| share.cores >= 0.001)
        .collect();
    shares.sort_by(|one, other| other.cores.total_cmp(&one.cores));
    shares.push(CpuShare { part: "others".into(), cores: used.cores(used.others), us_per_answer: 0.0 });
    shares
}

fn baselines(measured: &Measured, load: &Load) -> Vec<BaselineReport> {
    let first = match load {
        Load::Cards(_) => ("echo", "a bare tokio server that sends the same frames back on as many connections"),
        Load::Rest(_) => ("http", "an empty axum handler that verifies the same token, asked by as many clients"),
    };
    let of = |(name, meaning): (&str, &str), per_s, times: &Latencies| BaselineReport {
        name: name.into(),
        meaning: meaning.into(),
        per_s,
        p50_us: times.us(50.0),
        p99_us: times.us(99.0),
    };
    let bytes = measured.median(|round| round.sync_bytes as f64);
    let sync_words =
        format!("{bytes:.0} bytes (what the journal writes at once) written and synced in a recycled file");
    let syncs = if measured.syncs.len() > 0 { 1e6 / measured.syncs.mean_us() } else { 0.0 };
    let mut all = vec![
        of(first, measured.median(|round| round.echo_per_s), &measured.echo),
        of(("sync", &sync_words), syncs, &measured.syncs),
    ];
    let cipher = measured.median(|round| round.cipher_us);
    if cipher > 0.0 {
        all.push(BaselineReport {
            name: "cipher".into(),
            meaning: "the TDES work of one message on one core: two retail MACs, a PIN block, a PVV".into(),
            per_s: 1e6 / cipher,
            p50_us: cipher,
            p99_us: cipher,
        });
    }
    all
}

fn findings_of(plan: &Plan, measured: &Measured, load: &Load, truth: &Truth) -> Vec<Finding> {
    let mut all = truth.findings();
    if measured.rounds.iter().all(|round| round.approved_per_s == 0.0) {
        all.push(findings::fault("nothing_approved", "no message was approved: nothing was measured".into()));
    }
    let mut notice = |what: &str, text: String| all.push(findings::notice(what, text));
    if measured.busy_baselines > 0 {
        notice(
            "busy_baselines",
            format!(
                "the baselines of {} rounds were taken while statements or transaction log were still being written, \
                 which flatters the ratios",
                measured.busy_baselines
            ),
        );
    }
    let declined = declined(load);
    if !declined.is_empty() {
        notice("declined", format!("{} answers were not as meant: {}", declined.len(), by_code(&declined)));
    }
    if let Some(pattern) = stalls::pattern(&measured.stalls, Duration::from_secs_f64(measured.passed_s)) {
        let slow = measured.metrics.above("umbra_ledger_sync_seconds", "0.02");
        notice("stall", format!("{}; {slow:.0} syncs of the journal took more than 20 ms", pattern.text()));
    }
    type Lag = fn(&Round) -> u64;
    let followers: [(&str, &str, Lag); 2] = [
        ("projection_lag", "the statements fall", |round| round.lag_bytes),
        ("tranlog_lag", "the transaction log falls", |round| round.tranlog_lag_bytes),
    ];
    for (what, who, lag) in followers {
        let behind = measured.rounds.iter().filter(|round| lag(round) > LAG_NOTICED).count();
        if behind * 2 > measured.rounds.len() {
            notice(
                what,
                format!(
                    "{who} behind at this load: by {:.1} MB of journal in {:.1} s; at the daemon's bound messages are \
                     answered 96",
                    measured.median(|round| lag(round) as f64) / 1e6,
                    plan.length.as_secs_f64() / f64::from(plan.rounds.max(1))
                ),
            );
        }
    }
    let late_us = match load {
        Load::Cards(_) => LATE_NOTICED_US,
        // The runtime's clock, which rings every millisecond, is good enough for REST.
        Load::Rest(_) => 5.0 * LATE_NOTICED_US,
    };
    if measured.lateness.us(99.0) > late_us {
        notice(
            "clients_late",
            format!(
                "1 in 100 messages went out {:.0} µs late or more: {}; lower --rate",
                measured.lateness.us(99.0),
                match load {
                    Load::Cards(_) => "the clients had no processor",
                    Load::Rest(_) => "clients were waiting for an earlier answer, so use more of them",
                }
            ),
        );
    }
    if is_in_memory(&plan.folder) {
        notice(
            "no_disk",
            "the data directory is kept in memory, where a sync costs nothing; choose --dir on a disk".into(),
        );
    }
    let cores: Vec<f64> = measured.rounds.iter().map(|round| round.others_cores).collect();
    all.extend(findings::others(&cores));
    all
}

/// Behind the ledger by more than this at the end of a slice is more than the last batches.
const LAG_NOTICED: u64 = 1024 * 1024;
const LATE_NOTICED_US: f64 = 1000.0;

/// `96 (12 times), 51 (once)`, most often first.
fn by_code(codes: &[String]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    codes.iter().for_each(|code| *counts.entry(code).or_default() += 1);
    let mut counts: Vec<(&str, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts.iter().map(|(code, count)| format!("{code} ({count} times)")).collect::<Vec<_>>().join(", ")
}
