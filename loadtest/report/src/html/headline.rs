//! The figures at the top.

use crate::RunReport;
use crate::number::{NONE, count, micros, per_s, ratio};
use crate::words::{self, several};

/// A large figure and a line that says what to hold it against.
pub struct Tile {
    pub name: &'static str,
    pub value: String,
    pub beside: String,
    /// Red.
    pub is_wrong: bool,
}

pub fn tiles(report: &RunReport) -> Vec<Tile> {
    let tile = |name, value, beside| Tile { name, value, beside, is_wrong: false };
    let (share, echo) = (share(report.approved_per_s, report.echo_per_s), words::echo(report));
    let rate = format!("{share} of the {echo}’s {}", per_s(report.echo_per_s));
    vec![
        tile("Approvals", per_s(report.approved_per_s), rate),
        tile("Latency p50", micros(report.p50_us), times(report.p50_us, report.sync_p50_us, "p50")),
        tile("Latency p99", micros(report.p99_us), times(report.p99_us, report.sync_p99_us, "p99")),
        tile("Latency p99.9", micros(report.p999_us), slowest(report)),
        books(report),
    ]
}

/// What is wrong in large, what else would be beside it.
fn books(report: &RunReport) -> Tile {
    let mut counts = [(report.lost, "lost"), (report.doubled, "doubled"), (report.declined, "declined")];
    counts.sort_by_key(|(number, _)| *number == 0);
    let is_wrong = counts.iter().any(|(number, _)| *number > 0);
    let [first, second, third] = counts.map(|(number, what)| format!("{} {what}", count(number)));
    let sent = several(report.truth.sent, "message");
    Tile { name: "Books", value: first, beside: format!("{second}, {third}, of {sent}"), is_wrong }
}

fn share(part: f64, whole: f64) -> String {
    let percent = part / whole * 100.0;
    if percent.is_finite() { format!("{percent:.0} %") } else { NONE.into() }
}

fn times(latency: f64, sync: f64, of: &str) -> String {
    format!("{} × a disk sync’s {of} of {}", ratio(latency / sync), micros(sync))
}

fn slowest(report: &RunReport) -> String {
    let slowest = report.latency.iter().map(|point| point.us).filter(|us| us.is_finite()).reduce(f64::max);
    format!("slowest of all {}", micros(slowest.unwrap_or(f64::NAN)))
}
