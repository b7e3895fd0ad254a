//! The report as a page that stands alone: no script, nothing to fetch, read by day and in the dark.

mod bars;
mod facts;
mod headline;
mod marks;
mod rounds;

use askama::Template;

use crate::chart::{self, Chart};
use crate::words::{self, Check};
use crate::{BaselineReport, Finding, RunReport, Severity};
use bars::{Bar, StepBars};
use facts::Fact;
use headline::Tile;
use marks::Marks;

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    report: &'a RunReport,
    verdict: &'static str,
    echo: &'static str,
    extent: String,
    started: String,
    palette: Vec<(&'static str, String)>,
    tiles: Vec<Tile>,
    findings: Vec<&'a Finding>,
    percentiles: Option<Chart>,
    timeline: Option<Chart>,
    steps: Vec<StepBars>,
    cpu: Vec<Bar>,
    ratios: Vec<Marks>,
    others: Vec<Marks>,
    baselines: &'a [BaselineReport],
    rounds: Vec<Vec<String>>,
    compared: String,
    checks: Vec<Check>,
    settings: Vec<Fact>,
    repeat: Vec<String>,
}

/// One self-contained HTML page.
pub fn page(report: &RunReport) -> String {
    let page = Page {
        report,
        verdict: words::verdict(report.passed),
        echo: words::echo(report),
        extent: format!("{}; {}", words::model(&report.settings), words::extent(&report.settings)),
        started: words::moment(&report.started_at),
        palette: chart::palette().collect(),
        tiles: headline::tiles(report),
        findings: words::faults_first(&report.findings),
        percentiles: chart::percentiles(report),
        timeline: chart::timeline(report),
        steps: bars::steps(report),
        cpu: bars::cpu(report),
        ratios: marks::marks(report, true),
        others: marks::marks(report, false),
        baselines: &report.baselines,
        rounds: rounds::rounds(report),
        compared: words::compared(&report.truth),
        checks: words::checks(report),
        settings: facts::settings(report),
        repeat: words::repeat(report),
    };
    // Writing to a string fails at most where a value cannot be displayed; ours can.
    page.render().unwrap_or_default()
}

/// For the style sheet.
fn class_of(finding: &Finding) -> &'static str {
    if finding.severity == Severity::Fault { "fault" } else { "notice" }
}

#[cfg(test)]
mod tests;
