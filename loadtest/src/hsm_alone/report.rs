//! The report of `loadtest hsm`: for programs as JSON, for people as a table.

use std::collections::BTreeMap;

use load_report::{Better, Figure, Finding, median};
use serde::Serialize;

use super::bare;
use super::round::{Measured, Round};
use super::settings::Settings;
use super::workload::Workload;
use crate::findings;

#[derive(Clone, Debug, Serialize)]
pub struct HsmReport {
    /// Name of a workload to the medians over its rounds.
    #[serde(flatten)]
    pub workloads: BTreeMap<&'static str, Measured>,

    /// `hsm`.
    pub kind: &'static str,
    /// Whether every command was answered, and rightly: what the exit status says.
    pub passed: bool,
    pub settings: Settings,
    pub findings: Vec<Finding>,
    pub figures: Vec<Figure>,
    pub rounds: Vec<Round>,
}

impl HsmReport {
    pub fn new(settings: Settings, rounds: Vec<Round>, mut findings: Vec<Finding>) -> Self {
        findings.extend(findings::others(&rounds.iter().map(|round| round.others_cores).collect::<Vec<_>>()));
        Self {
            workloads: Workload::ALL.map(|workload| (workload.name(), medians(&rounds, workload))).into(),
            kind: "hsm",
            passed: findings::passed(&findings),
            figures: figures(&rounds),
            settings,
            findings,
            rounds,
        }
    }

    pub fn table(&self) -> String {
        let mut lines = vec![format!(
            "{:<14}{:>12}{:>10}{:>10}{:>12}{:>10}{:>12}{:>9}",
            "", "commands/s", "p50 us", "p99 us", "server us", "bare us", "echoes/s", "to echo"
        )];
        for workload in Workload::ALL {
            let measured = self.workloads.get(workload.name()).copied().unwrap_or_default();
            lines.push(table_line(workload, &measured));
        }
        lines.push("server us: the simulator's processor time for one command; bare us: its block operations".into());
        lines.join("\n")
    }
}

fn table_line(workload: Workload, measured: &Measured) -> String {
    format!(
        "{:<14}{:>12.0}{:>10.0}{:>10.0}{:>12.2}{:>10.2}{:>12.0}{:>9.3}",
        workload.name(),
        measured.per_s,
        measured.p50_us,
        measured.p99_us,
        measured.server_us,
        measured.bare_us,
        measured.echo_per_s,
        to_echo(measured)
    )
}

fn to_echo(measured: &Measured) -> f64 {
    if measured.echo_per_s > 0.0 { measured.per_s / measured.echo_per_s } else { 0.0 }
}

fn medians(rounds: &[Round], workload: Workload) -> Measured {
    let of = |pick: fn(&Measured) -> f64| median(&each(rounds, workload, pick));
    Measured {
        per_s: of(|measured| measured.per_s),
        p50_us: of(|measured| measured.p50_us),
        p99_us: of(|measured| measured.p99_us),
        server_us: of(|measured| measured.server_us),
        bare_us: of(|measured| measured.bare_us),
        echo_per_s: of(|measured| measured.echo_per_s),
    }
}

fn each(rounds: &[Round], workload: Workload, pick: fn(&Measured) -> f64) -> Vec<f64> {
    rounds.iter().map(|round| pick(&round.of(workload))).collect()
}

/// The ratios of all workloads, then their absolute figures.
fn figures(rounds: &[Round]) -> Vec<Figure> {
    let ratios = Workload::ALL.map(|workload| ratio(rounds, workload));
    let absolute = Workload::ALL.map(|workload| absolute_figures(rounds, workload));
    ratios.into_iter().chain(absolute.into_iter().flatten()).collect()
}

fn ratio(rounds: &[Round], workload: Workload) -> Figure {
    let (name, (code, _)) = (workload.name(), workload.codes());
    let meaning = format!("{code} commands a second / echoes a second of the same frames");
    Figure::ratio(&format!("{name}_to_echo"), &meaning, Better::Higher, each(rounds, workload, to_echo))
}

fn absolute_figures(rounds: &[Round], workload: Workload) -> Vec<Figure> {
    let (name, (code, _)) = (workload.name(), workload.codes());
    let bare = bare::meaning(workload);
    let figure = |what: &str, meaning: &str, unit: &str, better, pick| {
        Figure::new(
            &format!("{name}_{what}"),
            &format!("{code}: {meaning}"),
            unit,
            better,
            each(rounds, workload, pick),
        )
    };
    let over = format!(
        "the simulator's processor time for one command less its bare block operations ({bare}; schedules ready). Keys \
         taken from under the LMK and their schedules are in it"
    );
    vec![
        figure("over_bare_us", &over, "us", Better::Lower, |measured| measured.server_us - measured.bare_us),
        figure("per_s", "commands a second", "1/s", Better::Higher, |measured| measured.per_s),
        figure("p50_us", "median latency", "us", Better::Lower, |measured| measured.p50_us),
        figure("p99_us", "99th percentile of latency", "us", Better::Lower, |measured| measured.p99_us),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_come_first_and_are_of_the_same_round() {
        let round = |per_s, echo_per_s| Round {
            workloads: [("pin_verify", Measured { per_s, echo_per_s, ..Measured::default() })].into(),
            others_cores: 0.0,
        };
        let settings = Settings { seconds: 1, rounds: 2, connections: 1, depth: 1, seed: 1 };
        let report = HsmReport::new(settings, vec![round(10.0, 40.0), round(30.0, 60.0)], Vec::new());
        assert_eq!(report.figures[0].per_round, [0.25, 0.5]);
        assert_eq!((report.figures[0].name.as_str(), report.figures.len()), ("pin_verify_to_echo", 30));
        assert_eq!(report.workloads["pin_verify"].per_s, 20.0);
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["rounds"][1]["pin_verify"]["per_s"], 30.0);
        assert!(report.table().contains("mac_verify"));
    }
}
