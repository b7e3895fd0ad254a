//! What `loadtest run` prints for people.

use crate::columns::{columns, paragraph, shortened};
use crate::number::{NONE, bytes, cores, count, micros, per_s, with_unit};
use crate::words::{self, several};
use crate::{Better, Figure, RunReport, Severity};

/// Longest text in a column beside numbers.
const TEXT: usize = 56;

/// The report as plain text, the verdict first.
pub fn table(report: &RunReport) -> String {
    [
        head(report),
        headline(report),
        figures("Ratios to the baselines of the same round", report, Figure::is_ratio),
        figures("Other figures", report, |figure| !figure.is_ratio()),
        baselines(report),
        steps(report),
        processor(report),
        truth(report),
        findings(report),
    ]
    .into_iter()
    .filter(|part| !part.is_empty())
    .collect::<Vec<String>>()
    .join("\n")
}

fn head(report: &RunReport) -> String {
    let (verdict, settings) = (words::verdict(report.passed), &report.settings);
    let first = format!("{}: {}; {}", report.workload, words::model(settings), words::extent(settings));
    let second = format!("{}; umbra {}, {}", words::parties(settings), report.version, report.started_at);
    paragraph(&format!("{verdict}  "), &first) + &paragraph(&" ".repeat(verdict.len() + 2), &second)
}

fn headline(report: &RunReport) -> String {
    let line = |name: &str, values: String| vec![format!("  {name}"), values];
    let p999 =
        format!("p50 {}   p99 {}   p99.9 {}", micros(report.p50_us), micros(report.p99_us), micros(report.p999_us));
    let books = format!(
        "{} lost, {} doubled, {} declined of {} sent",
        count(report.lost),
        count(report.doubled),
        count(report.declined),
        several(report.truth.sent, "message")
    );
    let throughput = format!("{} (echo server {})", per_s(report.approved_per_s), per_s(report.echo_per_s));
    columns("<<", &[line("Approvals", throughput), line("Latency", p999), line("Books", books)])
}

fn figures(title: &str, report: &RunReport, of_kind: impl Fn(&Figure) -> bool) -> String {
    let rows = report.figures.iter().filter(|figure| of_kind(figure)).map(|figure| {
        let (low, high) = figure.range();
        let better = if figure.better == Better::Higher { "higher" } else { "lower" };
        let [middle, low, high] = [figure.median(), low, high].map(|value| with_unit(value, &figure.unit));
        // The median of nothing would read as nought.
        let middle = if figure.per_round.is_empty() { NONE.to_owned() } else { middle };
        vec![shortened(&figure.meaning, TEXT), middle, low, high, better.to_owned()]
    });
    part("<>>><", &[title, "median", "lowest", "highest", "better"], rows.collect())
}

fn baselines(report: &RunReport) -> String {
    let rows = report.baselines.iter().map(|baseline| {
        let [p50, p99] = [baseline.p50_us, baseline.p99_us].map(micros);
        vec![baseline.name.clone(), shortened(&baseline.meaning, TEXT), per_s(baseline.per_s), p50, p99]
    });
    part("<<>>>", &["Baselines", "", "rate", "p50", "p99"], rows.collect())
}

fn steps(report: &RunReport) -> String {
    let rows = report
        .steps
        .iter()
        .map(|step| vec![shortened(&step.step, TEXT), count(step.count), micros(step.mean_us), micros(step.p99_us)]);
    part("<>>>", &["Steps of a message", "count", "mean", "p99"], rows.collect())
}

fn processor(report: &RunReport) -> String {
    let rows = report.cpu.iter().map(|share| {
        // Others have nothing to do with the answers.
        let each = if share.us_per_answer == 0.0 { String::new() } else { micros(share.us_per_answer) };
        vec![shortened(&share.part, TEXT), cores(share.cores), each]
    });
    part("<>>", &["Processors under load", "cores", "per answer"], rows.collect())
}

fn truth(report: &RunReport) -> String {
    let mut text = paragraph("", "Truth") + &paragraph("  ", &words::compared(&report.truth));
    let wrong: Vec<Vec<String>> = words::checks(report)
        .into_iter()
        .filter(words::Check::is_wrong)
        .map(|check| vec![String::new(), count(check.number), check.what])
        .collect();
    if wrong.is_empty() {
        text += "  They agree: nothing lost, doubled, unanswered or contradicted.\n";
    }
    if let Some(lag) = report.rounds.iter().map(|round| round.lag_bytes).max() {
        text +=
            &paragraph("  ", &format!("Followers of the journal were at most {} behind after a round.", bytes(lag)));
    }
    text + &columns("<><", &wrong)
}

fn findings(report: &RunReport) -> String {
    let findings = words::faults_first(&report.findings);
    let lines = findings.iter().map(|finding| {
        let severity = if finding.severity == Severity::Fault { "FAULT   " } else { "notice  " };
        paragraph(&format!("  {severity}"), &format!("{}: {}", finding.what, finding.text))
    });
    if findings.is_empty() { String::new() } else { format!("Findings\n{}", lines.collect::<String>()) }
}

/// Nothing when there are no rows. They are indented under the title, which is the first column's head.
fn part(align: &str, head: &[&str], mut rows: Vec<Vec<String>>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    for first in rows.iter_mut().filter_map(|row| row.first_mut()) {
        first.insert_str(0, "  ");
    }
    rows.insert(0, head.iter().map(|&cell| cell.to_owned()).collect());
    columns(align, &rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::WIDTH;
    use crate::{Finding, fixture};
    #[test]
    fn show() {
        println!(
            "{}\n\n{}\n\n{}",
            table(&fixture::report()),
            table(&fixture::failed()),
            table(&fixture::empty(f64::NAN))
        );
    }
}
