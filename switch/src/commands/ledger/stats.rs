//! `umbra ledger stats`: what a journal consists of.

use std::path::Path;

use ledger::limits::Bounds;
use ledger::{Report, Stats};
use serde_json::{Map, Value, json};

use super::moment;

pub fn for_people(dir: &Path, stats: &Stats, report: &Report) -> String {
    let mut lines = vec![format!("ledger in {}", dir.display())];
    if let (Some(first), Some(last)) = (stats.first_at, stats.last_at) {
        let (first, last) = (moment::text(first), moment::text(last));
        lines.push(format!("  {} events from {first} to {last}", report.events));
        lines.push(format!("  at most {} in a second, {} copies of earlier ones", stats.busiest_second, stats.copies));
    }
    for (kind, outcomes) in &stats.kinds {
        let all: u64 = outcomes.values().sum();
        let outcomes: Vec<String> = outcomes.iter().map(|(code, count)| format!("{code:?} {count}")).collect();
        lines.push(format!("  {kind:16}{all:>12}  {}", outcomes.join(", ")));
    }
    for (table, rows, bound) in fullness(report) {
        let percent = rows as f64 * 100.0 / bound as f64;
        lines.push(format!("  {:24}{rows:>12} of {bound:>9} rows, {percent:.1} %", table.replace('_', " ")));
    }
    lines.join("\n")
}

pub fn to_json(stats: &Stats, report: &Report) -> Value {
    let kinds: Map<String, Value> = stats
        .kinds
        .iter()
        .map(|(kind, outcomes)| {
            let outcomes: Map<String, Value> =
                outcomes.iter().map(|(code, count)| (format!("{code:?}"), json!(count))).collect();
            ((*kind).to_owned(), Value::Object(outcomes))
        })
        .collect();
    let tables: Map<String, Value> = fullness(report)
        .into_iter()
        .map(|(table, rows, bound)| (table.to_owned(), json!({"rows": rows, "bound": bound})))
        .collect();
    json!({
        "events": report.events,
        "copies": stats.copies,
        "first_at": stats.first_at,
        "last_at": stats.last_at,
        "busiest_second": stats.busiest_second,
        "kinds": kinds,
        "tables": tables,
    })
}

/// Table, its rows, and how many it takes.
fn fullness(report: &Report) -> Vec<(&'static str, usize, usize)> {
    let bounds = Bounds::default().tables();
    report.sizes.iter().zip(bounds).map(|((table, rows), (_, bound))| (*table, *rows, bound)).collect()
}

#[cfg(test)]
mod tests {
    use ledger::Code;

    use super::*;

    fn counted() -> (Stats, Report) {
        let stats = Stats {
            kinds: [("card post", [(Code::Approved, 3), (Code::InsufficientFunds, 1)].into())].into(),
            copies: 1,
            first_at: Some(1_796_018_400_500),
            last_at: Some(1_796_018_401_500),
            busiest_second: 3,
        };
        let report = Report {
            segments: 1,
            frames: 2,
            events: 4,
            unfinished: None,
            sizes: Bounds::default().tables().map(|(table, _)| (table, 2)),
            trial_balance: [].into(),
            digest: 1,
        };
        (stats, report)
    }

    #[test]
    fn counts_for_people_and_for_programs() {
        let (stats, report) = counted();
        let text = for_people(Path::new("data"), &stats, &report);
        assert!(text.contains("4 events from 2026-11-30T06:00:00.500Z to 2026-11-30T06:00:01.500Z"), "{text}");
        assert!(text.contains("  card post                  4  Approved 3, InsufficientFunds 1\n"), "{text}");
        assert!(text.contains("open holds                         2 of   4000000 rows, 0.0 %"), "{text}");
        let json = to_json(&stats, &report);
        assert_eq!(json["kinds"]["card post"]["InsufficientFunds"], 1);
        assert_eq!(json["tables"]["accounts"], json!({"rows": 2, "bound": 20_000_000}));
    }
}
