//! A comparison for people.

use super::{Change, Comparison, Side, Verdict};
use crate::columns::{columns, paragraph, shortened};
use crate::number::{NONE, change, cores, with_unit};
use crate::words::{moment, several};

/// A word, and what it is made of.
pub fn summary(comparison: &Comparison) -> String {
    let ratios = || comparison.figures.iter().filter(|change| change.is_ratio());
    let number = |verdict: &Verdict| ratios().filter(|change| change.verdict == *verdict).count();
    let [worse, better, same, few] =
        [Verdict::Worse, Verdict::Better, Verdict::Same, Verdict::TooFewRounds].map(|verdict| number(&verdict));
    if !comparison.is_alike() {
        return "NOT COMPARABLE: not the same test, nothing is judged".into();
    }
    let word = match (comparison.a.passed && comparison.b.passed, worse, better) {
        (false, ..) => "NOT PASSED",
        (true, 1.., _) => "WORSE",
        (true, 0, 1..) => "BETTER",
        _ if few > 0 => "TOO FEW ROUNDS",
        _ => "SAME",
    };
    let few = if few > 0 { format!(", {few} with too few rounds to tell") } else { String::new() };
    let all = several(ratios().count() as u64, "ratio");
    format!("{word}: of {all} {worse} worse, {better} better, {same} the same within noise{few}")
}

pub fn text(comparison: &Comparison) -> String {
    let mut text = paragraph("", &comparison.summary);
    text += &columns("<<<<", &[side("A", &comparison.a), side("B", &comparison.b)]);
    for (title, ratios) in [("Ratios", true), ("Absolute figures", false)] {
        text += &figures(title, comparison.figures.iter().filter(|change| change.is_ratio() == ratios));
    }
    for (title, lines) in [("Differences", &comparison.differences), ("Notes", &comparison.notes)] {
        if !lines.is_empty() {
            text += &format!("\n{title}\n{}", lines.iter().map(|line| paragraph("  ", line)).collect::<String>());
        }
    }
    text
}

fn side(name: &str, side: &Side) -> Vec<String> {
    let what = [side.kind.as_str(), side.workload.as_deref().unwrap_or_default()].join(" ");
    let passed = if side.passed { "passed" } else { "NOT PASSED" };
    let others = side.others_cores.map(|others| format!(", others {} cores", cores(others))).unwrap_or_default();
    let how = format!("{passed}, {}{others}", several(side.rounds as u64, "round"));
    vec![format!("  {name}  {}", what.trim()), moment(&side.started_at), side.version.clone(), how]
}

fn figures<'a>(title: &str, changes: impl Iterator<Item = &'a Change>) -> String {
    let mut rows = vec![[title, "A", "B", "change", "chance", "verdict"].map(str::to_owned).to_vec()];
    rows.extend(changes.map(|figure| {
        let value = |value: Option<f64>| value.map_or_else(|| NONE.into(), |value| with_unit(value, &figure.unit));
        let change = figure.percent.map_or_else(|| NONE.into(), change);
        let chance = format!("{:.3}", figure.probability);
        let name = format!("  {}", shortened(&figure.name, 32));
        vec![name, value(figure.a), value(figure.b), change, chance, figure.verdict.short().to_owned()]
    }));
    if rows.len() == 1 { String::new() } else { format!("\n{}", columns("<>>>><", &rows)) }
}
