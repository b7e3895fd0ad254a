//! Whether two runs are the same test, on a machine as busy.

use serde_json::Value;

use super::{AnyReport, Change, Verdict};
use crate::number::cores;
use crate::words::several;

/// Settings that make no other test.
const FREE: [&str; 2] = ["seed", "seconds"];
/// Cores that other programs may use more in one run than in the other.
const CORES: f64 = 0.15;
/// As many rounds on both sides tell a change from chance.
const ROUNDS: usize = 5;

/// Sentences on what differs; the last says how to run alike.
pub fn differences(a: &AnyReport, b: &AnyReport) -> Vec<String> {
    let mut found = Vec::new();
    if a.kind != b.kind {
        found.push(format!("A is a report of `{}`, B of `{}`.", a.kind, b.kind));
    }
    if a.workload != b.workload {
        let [a, b] = [a, b].map(|report| report.workload.as_deref().unwrap_or("none"));
        found.push(format!("The workload was {a} in A, {b} in B."));
    }
    let mut names: Vec<&String> = a.settings.keys().chain(b.settings.keys()).collect();
    names.sort();
    names.dedup();
    let differing = names.into_iter().filter(|name| !FREE.contains(&name.as_str()));
    let differing = differing.map(|name| (name, a.settings.get(name), b.settings.get(name)));
    found.extend(
        differing
            .filter(|(_, a, b)| !same(*a, *b))
            .map(|(name, a, b)| format!("The setting {name} was {} in A, {} in B.", shown(a), shown(b))),
    );
    if !found.is_empty() {
        found.push("Run B again with what A had; only seed and seconds may differ.".into());
    }
    found
}

/// Nothing and null are the same, and so are 30 and 30.0.
fn same(a: Option<&Value>, b: Option<&Value>) -> bool {
    let [a, b] = [a, b].map(|value| value.filter(|value| !value.is_null()));
    let number = |value: Option<&Value>| value.and_then(Value::as_f64);
    a == b || (number(a).is_some() && number(a) == number(b))
}

fn shown(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "not set".into(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// Why absolute figures say nothing, if other programs kept the machine unequally busy.
pub fn load_differs(a: &AnyReport, b: &AnyReport) -> Option<String> {
    let (then, now) = a.others_cores().zip(b.others_cores())?;
    let differs = (then - now).abs() > CORES;
    differs.then(|| format!("other programs used {} cores then, {} now", cores(then), cores(now)))
}

/// Sentences on what makes the comparison say less.
pub fn notes(a: &AnyReport, b: &AnyReport, figures: &[Change]) -> Vec<String> {
    let sides = [("A", a), ("B", b)];
    let failed = sides.iter().filter(|(_, report)| !report.has_passed());
    let mut notes: Vec<String> =
        failed.map(|(name, _)| format!("Run {name} had not passed: see its findings.")).collect();
    notes.extend(load_note(a, b));
    let few = a.round_count().min(b.round_count()) < ROUNDS;
    if few && figures.iter().any(|change| change.verdict == Verdict::TooFewRounds) {
        notes.push(format!("Of so few rounds even a clear change could be chance: run both with {ROUNDS} or more."));
    }
    notes.extend(noise_note(figures));
    for (name, here, there) in [("A", a, b), ("B", b, a)] {
        let alone = here.figures.iter().filter(|figure| there.figure_like(figure).is_none());
        let alone: Vec<&str> = alone.map(|figure| figure.name.as_str()).collect();
        if !alone.is_empty() {
            notes.push(format!("Only {name} has {}: {}.", several(alone.len() as u64, "figure"), alone.join(", ")));
        }
    }
    notes
}

fn load_note(a: &AnyReport, b: &AnyReport) -> Option<String> {
    if a.others_cores().is_none() || b.others_cores().is_none() {
        let absolute = a.figures.iter().any(|figure| !figure.is_ratio());
        let note = "How busy other programs kept the machine is not known: absolute figures are judged as if alike.";
        return absolute.then(|| note.into());
    }
    let why = load_differs(a, b)?;
    Some(format!(
        "Absolute figures are not comparable: {why}. Ratios are judged, though other programs disturb a load and its \
         baselines unequally: repeat on a machine as idle."
    ))
}

/// Says how much the runs cannot tell, where that is much.
fn noise_note(figures: &[Change]) -> Option<String> {
    const MUCH_PERCENT: f64 = 10.0;
    let unsure = figures.iter().filter(|change| change.is_ratio() && change.verdict == Verdict::Same);
    let most = unsure.filter_map(|change| Some(change.percent?.abs())).reduce(f64::max)?;
    (most >= MUCH_PERCENT).then(|| {
        let most = most.round();
        format!("A ratio changed by {most} % and may have by chance: more seconds and more rounds would tell.")
    })
}
