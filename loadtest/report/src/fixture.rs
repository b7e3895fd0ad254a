//! A report like those of a small machine, for tests.

use crate::{
    BaselineReport, Better, CpuShare, Figure, Finding, LatencyPoint, Round, RunReport, Settings, Severity, StepReport,
    TimePoint, TruthReport,
};

/// Numbers between 0 and 1 that look random and are the same every time (xorshift).
pub struct Noise(pub u64);

impl Noise {
    pub fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Of the normal distribution.
    pub fn normal(&mut self) -> f64 {
        let (angle, distance) = (self.next() * std::f64::consts::TAU, self.next().max(1e-12));
        (-2.0 * distance.ln()).sqrt() * angle.cos()
    }
}

/// Passed, five rounds, nothing strange.
pub fn report() -> RunReport {
    RunReport {
        approved_per_s: 12_345.0,
        echo_per_s: 41_870.0,
        echo_p50_us: 148.0,
        p50_us: 1_312.0,
        p99_us: 4_240.0,
        p999_us: 9_710.0,
        sync_p50_us: 418.0,
        sync_p99_us: 1_630.0,
        declined: 0,
        lost: 0,
        doubled: 0,
        kind: "run".into(),
        workload: "purchases".into(),
        settings: settings(),
        started_at: "2026-03-14T09:26:53Z".into(),
        version: "0.1.0".into(),
        passed: true,
        findings: vec![finding(Severity::Notice, "stall", STALL)],
        figures: figures(),
        rounds: rounds(),
        latency: curve(1_312.0, 9_710.0),
        echo_latency: curve(148.0, 1_180.0),
        timeline: timeline(300),
        steps: steps(),
        cpu: cpu(),
        baselines: baselines(),
        truth: truth(),
    }
}

/// A run that everything is wrong with.
pub fn failed() -> RunReport {
    let mut report = report();
    report.passed = false;
    report.lost = 3;
    report.declined = 12;
    report.truth.lost = 3;
    report.truth.unanswered = 2;
    report.findings.push(finding(Severity::Fault, "lost", "3 approvals are not in the journal: look at journal.log."));
    report
}

/// Nothing measured at all, or nonsense.
pub fn empty(value: f64) -> RunReport {
    let mut report = report();
    for field in [&mut report.approved_per_s, &mut report.echo_per_s, &mut report.echo_p50_us, &mut report.p50_us] {
        *field = value;
    }
    for field in [&mut report.p99_us, &mut report.p999_us, &mut report.sync_p50_us, &mut report.sync_p99_us] {
        *field = value;
    }
    report.settings.seconds = value;
    report.findings.clear();
    report.figures =
        vec![Figure::ratio("a", "b", Better::Higher, vec![]), Figure::new("c", "d", "us", Better::Lower, vec![value])];
    report.rounds.clear();
    report.latency.clear();
    report.echo_latency = vec![LatencyPoint { percentile: value, us: value }];
    report.timeline = vec![TimePoint { at_s: value, answers_per_s: value, slowest_us: value }];
    report.steps = vec![StepReport { step: "post".into(), count: 0, mean_us: value, p99_us: value }];
    report.cpu = vec![CpuShare { part: "clients".into(), cores: value, us_per_answer: value }];
    report.baselines.clear();
    report.truth = TruthReport { projection_s: value, ..TruthReport::default() };
    report
}

const STALL: &str = "The slowest answer took 38.1 ms while the disk synced for 36.0 ms: the device, not the daemon. \
                     Repeat on a device of your own, or read p99 rather than the slowest.";

pub fn finding(severity: Severity, what: &str, text: &str) -> Finding {
    Finding { severity, what: what.into(), text: text.into() }
}

fn settings() -> Settings {
    Settings {
        model: "closed".into(),
        rate: None,
        seconds: 30.0,
        rounds: 5,
        connections: 8,
        depth: 2,
        terminals: 200,
        cards: 10_000,
        listener: "iso87".into(),
        seed: 7,
    }
}

fn figures() -> Vec<Figure> {
    let approvals: Vec<f64> = rounds().iter().map(|round| round.approved_per_s).collect();
    vec![
        Figure::ratio(
            "approved_to_echo",
            "approvals a second / echoes a second",
            Better::Higher,
            vec![0.297, 0.291, 0.295, 0.302, 0.288],
        ),
        Figure::ratio("p50_to_sync_p50", "latency p50 / sync p50", Better::Lower, vec![3.10, 3.22, 3.15, 3.05, 3.31]),
        Figure::ratio("p99_to_sync_p99", "latency p99 / sync p99", Better::Lower, vec![2.61, 2.44, 2.93, 2.58, 2.71]),
        Figure::ratio(
            "cpu_to_cipher",
            "processor time of an approval / its bare cipher work",
            Better::Lower,
            vec![6.4, 6.5, 6.3, 6.4, 6.8],
        ),
        Figure::new("approved_per_s", "approvals a second", "1/s", Better::Higher, approvals),
    ]
}

fn rounds() -> Vec<Round> {
    let mut noise = Noise(11);
    let mut near = |value: f64| value * (1.0 + 0.04 * (noise.next() - 0.5));
    (0..5)
        .map(|_| Round {
            approved_per_s: near(12_345.0),
            answers_per_s: near(12_360.0),
            p50_us: near(1_312.0),
            p99_us: near(4_240.0),
            p999_us: near(9_710.0),
            echo_per_s: near(41_870.0),
            echo_p50_us: near(148.0),
            echo_p99_us: near(690.0),
            sync_p50_us: near(418.0),
            sync_p99_us: near(1_630.0),
            sync_bytes: 12_288,
            cipher_us: near(11.4),
            others_cores: near(0.08),
            daemon_us: 61.0,
            baseline_us: 5.1,
            lag_bytes: 20_480,
            tranlog_lag_bytes: 4_096,
        })
        .collect()
}

/// From half to four times the median at 99, with a tail.
fn curve(median: f64, p999: f64) -> Vec<LatencyPoint> {
    let tail = (p999 / median).ln() / 3f64.powf(1.3);
    let depths = (0..=90).map(|step| f64::from(step) * 0.05);
    let mut points: Vec<LatencyPoint> = depths
        .map(|depth| {
            let percentile = 100.0 * (1.0 - 10f64.powf(-depth));
            LatencyPoint { percentile, us: median * 0.8 * (tail * depth.powf(1.3)).exp() }
        })
        .collect();
    points.push(LatencyPoint { percentile: 100.0, us: p999 * 9.4 });
    points
}

/// A point each tenth of a second.
pub fn timeline(points: u32) -> Vec<TimePoint> {
    let mut noise = Noise(5);
    (0..points)
        .map(|index| {
            let stall = index % 97 == 60;
            TimePoint {
                at_s: f64::from(index) * 0.1,
                answers_per_s: if stall { 8_100.0 } else { 12_360.0 + 260.0 * noise.normal() },
                slowest_us: if stall { 38_100.0 } else { 5_200.0 * (0.35 * noise.normal()).exp() },
            }
        })
        .collect()
}

fn steps() -> Vec<StepReport> {
    let step =
        |step: &str, mean_us: f64, p99_us: f64| StepReport { step: step.into(), count: 370_350, mean_us, p99_us };
    vec![
        step("decode", 1.9, 5.0),
        step("verify_mac", 9.8, 25.0),
        step("route", 2.4, 10.0),
        step("verify_pin", 24.1, 100.0),
        step("post", 702.0, 2_500.0),
        step("encode", 2.2, 5.0),
        step("mac", 9.6, 25.0),
    ]
}

fn cpu() -> Vec<CpuShare> {
    let share = |part: &str, cores: f64, us_per_answer: f64| CpuShare { part: part.into(), cores, us_per_answer };
    vec![
        share("daemon: cards", 0.71, 57.4),
        share("daemon: ledger", 0.32, 25.9),
        share("daemon: hsm", 0.24, 19.4),
        share("clients", 0.46, 37.2),
        share("others", 0.08, 0.0),
    ]
}

fn baselines() -> Vec<BaselineReport> {
    let baseline = |name: &str, meaning: &str, per_s: f64, p50_us: f64, p99_us: f64| BaselineReport {
        name: name.into(),
        meaning: meaning.into(),
        per_s,
        p50_us,
        p99_us,
    };
    vec![
        baseline("echo", "a TCP server that returns the same bytes, same clients", 41_870.0, 148.0, 690.0),
        baseline("sync", "12 KiB written and synced in a recycled file", 2_190.0, 418.0, 1_630.0),
        baseline("cipher", "the bare MAC and PIN work of one message", 87_700.0, 11.4, 14.0),
    ]
}

fn truth() -> TruthReport {
    TruthReport {
        sent: 370_362,
        approved: 370_350,
        wallets_compared: 10_000,
        projection_s: 0.35,
        journal_events: 390_412,
        tranlog_rows: 388_911,
        journal_s: 1.24,
        ..TruthReport::default()
    }
}
