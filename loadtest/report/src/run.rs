//! The report of `loadtest run`.

use serde::{Deserialize, Serialize};

use crate::Figure;

/// The first eleven keys are what programs rely on; medians over the rounds, times in microseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunReport {
    /// Approved messages a second, as the clients saw them.
    pub approved_per_s: f64,
    pub echo_per_s: f64,
    pub echo_p50_us: f64,
    pub p50_us: f64,
    pub p99_us: f64,
    pub p999_us: f64,
    /// As many bytes as the journal writes at once, written and synced in a recycled file.
    pub sync_p50_us: f64,
    pub sync_p99_us: f64,
    /// Answers that were neither approved nor meant to be declined.
    pub declined: u64,
    /// Approvals that ledger, transaction log or statements do not have.
    pub lost: u64,
    /// Postings beyond one for each approval.
    pub doubled: u64,

    /// `run`.
    pub kind: String,
    pub workload: String,
    pub settings: Settings,
    /// RFC 3339.
    pub started_at: String,
    /// Of the daemon: its version.
    pub version: String,
    /// Whether clients, ledger, transaction log and statements agree and every answer came: what the exit status says.
    pub passed: bool,
    pub findings: Vec<Finding>,
    pub figures: Vec<Figure>,
    pub rounds: Vec<Round>,
    /// Latency at rising percentiles over all rounds: of the load, and of the echo server.
    pub latency: Vec<LatencyPoint>,
    pub echo_latency: Vec<LatencyPoint>,
    /// The load only, its rounds put end to end.
    pub timeline: Vec<TimePoint>,
    /// Where a message's time goes, by the daemon's own clock.
    pub steps: Vec<StepReport>,
    /// While the load ran.
    pub cpu: Vec<CpuShare>,
    pub baselines: Vec<BaselineReport>,
    pub truth: TruthReport,
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// `closed`: the next message goes out when an answer comes. `open`: at fixed times, whatever comes.
    pub model: String,
    /// Messages a second, in the open model.
    pub rate: Option<f64>,
    /// Of load, all rounds together.
    pub seconds: f64,
    pub rounds: u32,
    pub connections: u32,
    /// Messages outstanding on each connection at most.
    pub depth: u32,
    pub terminals: u32,
    pub cards: u32,
    pub listener: String,
    pub seed: u64,
}

/// One slice of load and the baselines taken beside it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Round {
    pub approved_per_s: f64,
    pub answers_per_s: f64,
    pub p50_us: f64,
    pub p99_us: f64,
    pub p999_us: f64,
    pub echo_per_s: f64,
    pub echo_p50_us: f64,
    pub echo_p99_us: f64,
    pub sync_p50_us: f64,
    pub sync_p99_us: f64,
    /// Bytes of one sync of the baseline.
    pub sync_bytes: u64,
    /// The bare cipher work of one message; 0 where there is none.
    pub cipher_us: f64,
    /// Processor time of all the daemon's threads for an answer.
    #[serde(default)]
    pub daemon_us: f64,
    /// Processor time of the echo server (or the empty handler) for an answer.
    #[serde(default)]
    pub baseline_us: f64,
    /// Cores that programs outside of this test used while the load ran.
    pub others_cores: f64,
    /// Bytes of the journal that the statements did not have at the end of the slice.
    pub lag_bytes: u64,
    /// The same of the transaction log.
    #[serde(default)]
    pub tranlog_lag_bytes: u64,
}

impl Round {
    /// Of the follower that was farther behind.
    pub fn lag(&self) -> u64 {
        self.lag_bytes.max(self.tranlog_lag_bytes)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LatencyPoint {
    /// 0 to 100.
    pub percentile: f64,
    pub us: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimePoint {
    /// Start of the interval, in seconds of load.
    pub at_s: f64,
    pub answers_per_s: f64,
    /// The slowest answer of the interval.
    pub slowest_us: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepReport {
    /// As in the daemon's metric: `verify_mac`, `post` …
    pub step: String,
    pub count: u64,
    pub mean_us: f64,
    /// From the metric's buckets, so only as fine as they are.
    pub p99_us: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CpuShare {
    /// `daemon: cards`, `clients`, `others` …
    pub part: String,
    /// Cores, 1.0 for one that is always busy.
    pub cores: f64,
    /// Microseconds for each answer; 0 for what has nothing to do with it.
    pub us_per_answer: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BaselineReport {
    /// `echo`, `sync`, `cipher`, `http`.
    pub name: String,
    /// In words.
    pub meaning: String,
    pub per_s: f64,
    pub p50_us: f64,
    pub p99_us: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Fails the run.
    Fault,
    /// Makes the figures say less, or names something slow.
    Notice,
}

/// Something the reader should know, in a sentence that says what to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    pub severity: Severity,
    /// `lost`, `doubled`, `unanswered`, `stall` …: stable, for programs.
    pub what: String,
    pub text: String,
}

/// Clients' books against the ledger's journal, the transaction log and the statements.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TruthReport {
    /// Messages sent, repeats included.
    pub sent: u64,
    pub approved: u64,
    /// Approvals without their event in the journal, their row in the transaction log, or their entry in the
    /// statements.
    pub lost: u64,
    /// Events that post more than the clients were told.
    pub doubled: u64,
    /// Messages that were paid and had to be refused.
    #[serde(default)]
    pub wrongly_approved: u64,
    /// Messages no answer came to.
    pub unanswered: u64,
    /// Of them, those the ledger has approved: the answer was lost, not the money.
    pub unanswered_approved: u64,
    /// Answers that say other than the ledger or the transaction log (code, amount, approval number).
    pub contradicted: u64,
    /// Answers with a wrong MAC, of another message, or unreadable.
    pub unsound_answers: u64,
    pub wallets_compared: u64,
    /// Wallets whose statement does not add up to the approvals.
    pub wallets_wrong: u64,
    /// Seconds from the end of the load until statements and transaction log had everything.
    pub projection_s: f64,
    /// Events in the journal, and seconds to read and check it.
    pub journal_events: u64,
    pub journal_s: f64,
    /// Rows of the transaction log.
    #[serde(default)]
    pub tranlog_rows: u64,
}
