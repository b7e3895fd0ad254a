//! What `loadtest run` prints for people.

use crate::columns::{WIDTH, columns, paragraph, shortened};
use crate::number::{NONE, bytes, cores, count, micros, per_s, with_unit};
use crate::words::{self, several};
use crate::{Better, Figure, Round, RunReport, Severity};

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
    let second =
        format!("{}; umbra {}, {}", words::parties(settings), report.version, words::moment(&report.started_at));
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
    let throughput = format!("{} ({} {})", per_s(report.approved_per_s), words::echo(report), per_s(report.echo_per_s));
    columns("<<", &[line("Approvals", throughput), line("Latency", p999), line("Books", books)])
}

fn figures(title: &str, report: &RunReport, of_kind: impl Fn(&Figure) -> bool) -> String {
    let rows = report.figures.iter().filter(|figure| of_kind(figure)).map(|figure| {
        let (low, high) = figure.range();
        let better = if figure.better == Better::Higher { "higher" } else { "lower" };
        let [middle, low, high] = [figure.median(), low, high].map(|value| with_unit(value, &figure.unit));
        // The median of nothing would read as nought.
        let middle = if figure.per_round.is_empty() { NONE.to_owned() } else { middle };
        vec![figure.in_words().to_owned(), middle, low, high, better.to_owned()]
    });
    part("<>>><", &[title, "median", "lowest", "highest", "better"], rows.collect())
}

fn baselines(report: &RunReport) -> String {
    let rows = report.baselines.iter().map(|baseline| {
        let [p50, p99] = [baseline.p50_us, baseline.p99_us].map(micros);
        vec![baseline.name.clone(), baseline.meaning.clone(), per_s(baseline.per_s), p50, p99]
    });
    part("<<>>>", &["Baselines", "", "rate", "p50", "p99"], rows.collect())
}

fn steps(report: &RunReport) -> String {
    let rows = report
        .steps
        .iter()
        .map(|step| vec![step.step.clone(), count(step.count), micros(step.mean_us), micros(step.p99_us)]);
    part("<>>>", &["Steps of a message", "count", "mean", "p99"], rows.collect())
}

fn processor(report: &RunReport) -> String {
    let rows = report.cpu.iter().map(|share| {
        // Others have nothing to do with the answers.
        let each = if share.us_per_answer == 0.0 { String::new() } else { micros(share.us_per_answer) };
        vec![share.part.clone(), cores(share.cores), each]
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
    if wrong.is_empty() && report.truth.sent > 0 {
        text += "  They agree: nothing lost, doubled, unanswered or contradicted.\n";
    }
    if let Some(lag) = report.rounds.iter().map(Round::lag).max() {
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
    // The last column of words gives way where a line would be too long.
    let words = align.find('>').unwrap_or_default().saturating_sub(1);
    let others: Vec<Vec<String>> = rows.iter().map(|row| without(row, words)).collect();
    let taken = columns(align, &others).lines().map(|line| line.chars().count()).max().unwrap_or_default();
    for cell in rows.iter_mut().filter_map(|row| row.get_mut(words)) {
        *cell = shortened(cell, WIDTH.saturating_sub(taken));
    }
    columns(align, &rows)
}

fn without(row: &[String], index: usize) -> Vec<String> {
    row.iter().enumerate().map(|(at, cell)| if at == index { String::new() } else { cell.clone() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn assert_lines(text: &str, lines: &[&str]) {
        for line in lines {
            assert!(text.lines().any(|there| there == *line), "no line {line:?} in\n{text}");
        }
    }

    #[test]
    fn a_run_that_passed() {
        let text = table(&fixture::report());
        let first =
            "PASSED  purchases: closed model, 8 connections with up to 2 messages each; 5 rounds, 30 s of load\n";
        assert!(text.starts_with(first), "{text}");
        assert_lines(
            &text,
            &[
                "  Approvals  12,345/s (echo server 41,870/s)",
                "  Latency    p50 1.31 ms   p99 4.24 ms   p99.9 9.71 ms",
                "  Books      0 lost, 0 doubled, 0 declined of 370,362 messages sent",
                "Ratios to the baselines of the same round               median  lowest  highest  better",
                "  latency p50 / sync p50                                  3.15    3.05     3.31  lower",
                "  post              370,350   702 µs  2.50 ms",
                "  clients               0.46     37.2 µs",
                "  They agree: nothing lost, doubled, unanswered or contradicted.",
            ],
        );
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
    }

    #[test]
    fn long_words_give_way() {
        let mut report = fixture::report();
        report.figures[0].meaning = "approvals a second / ".repeat(8);
        report.figures[1].meaning = String::new();
        report.baselines[0].meaning = "a TCP server ".repeat(12);
        let text = table(&report);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert!(text.contains("…") && text.contains("  p50_to_sync_p50 "), "{text}");
    }

    #[test]
    fn faults_come_first() {
        let text = table(&fixture::failed());
        assert!(text.starts_with("FAILED  ") && !text.contains("They agree"), "{text}");
        assert_lines(&text, &["   3  approvals lost: not in the journal, transaction log or statements"]);
        let place = |word: &str| text.find(word).unwrap_or_else(|| panic!("no {word} in\n{text}"));
        assert!(place("  FAULT   lost: 3 approvals") < place("  notice  stall: The slowest"));
    }

    #[test]
    fn of_nothing_and_of_nonsense() {
        for value in [0.0, -1.0, f64::NAN, f64::INFINITY, f64::MAX] {
            let text = table(&fixture::empty(value));
            assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
            assert!(!text.contains("Baselines\n") && text.contains("Truth\n"), "{text}");
        }
    }

    #[test]
    fn hostile_text_moves_no_cursor() {
        let mut report = fixture::report();
        report.workload = "a\u{1b}[2Jb".into();
        report.steps[0].step = "c\rd\u{7}".into();
        report.findings[0].text = "e\u{1b}]0;f".into();
        assert!(table(&report).chars().all(|c| c == '\n' || !c.is_control()));
    }
}
