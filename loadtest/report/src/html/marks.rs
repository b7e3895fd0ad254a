//! Figures with a mark for each round.

use crate::number::{NONE, with_unit};
use crate::{Better, Figure, RunReport};

pub struct Marks {
    pub meaning: String,
    pub name: String,
    pub better: &'static str,
    pub median: String,
    pub range: String,
    /// For screen readers.
    pub said: String,
    /// Places in percent of the width, which starts at nought.
    pub rounds: Vec<String>,
    pub low: String,
    pub high: String,
    pub middle: String,
    /// Where the baseline itself would be, if that is within the width.
    pub one: Option<String>,
}

pub fn marks(report: &RunReport, ratios: bool) -> Vec<Marks> {
    report.figures.iter().filter(|figure| figure.is_ratio() == ratios).map(of).collect()
}

fn of(figure: &Figure) -> Marks {
    let shown: Vec<f64> = figure.per_round.iter().copied().filter(|value| value.is_finite()).collect();
    let (low, high) = Figure { per_round: shown.clone(), ..figure.clone() }.range();
    let middle = crate::median(&shown);
    // Air right of the last mark.
    let width = high.max(0.0) * 1.08;
    let unit = |value: f64| with_unit(value, &figure.unit);
    let said = figure.per_round.iter().map(|value| unit(*value)).collect::<Vec<String>>().join(", ");
    let one = (figure.is_ratio() && (1.0..1e9).contains(&width)).then(|| place(1.0, width));
    Marks {
        meaning: figure.in_words().to_owned(),
        name: figure.name.clone(),
        better: if figure.better == Better::Higher { "higher is better" } else { "lower is better" },
        median: if shown.is_empty() { NONE.into() } else { unit(middle) },
        range: if shown.is_empty() { NONE.into() } else { format!("{} – {}", unit(low), unit(high)) },
        said: format!("rounds: {}", if said.is_empty() { NONE } else { &said }),
        rounds: shown.iter().map(|value| place(*value, width)).collect(),
        low: place(low, width),
        high: place(high, width),
        middle: place(middle, width),
        one,
    }
}

fn place(value: f64, width: f64) -> String {
    let percent = value / width * 100.0;
    format!("{:.2}", if percent.is_finite() { percent.clamp(0.0, 100.0) } else { 0.0 })
}
