//! How steady the load was.

use plotters::style::RGBColor;

use super::axis::{Axis, log_place};
use super::palette::{INK, LOAD, MARK, SLOW};
use super::plot::{Area, Error, Plot};
use super::thin::thin;
use super::{Chart, Shape, both};
use crate::RunReport;
use crate::number::count;

/// Above the curve, for the names of the rounds.
const HEADROOM: f64 = 1.2;
const LABEL: &str = "Answers a second, and the slowest answer of each interval, over the seconds of load";

/// Throughput above, the slowest answer below, over the same seconds. Nothing without points.
pub fn timeline(report: &RunReport) -> Option<Chart> {
    let points = || report.timeline.iter().filter(|point| point.at_s.is_finite() && point.at_s >= 0.0);
    let mut answers: Vec<(f64, f64)> = points().map(|point| (point.at_s, point.answers_per_s)).collect();
    answers.retain(|point| point.1.is_finite());
    let slowest = points().filter_map(|point| Some((point.at_s, log_place(point.slowest_us)?))).collect();
    let last = points().map(|point| point.at_s).reduce(f64::max).filter(|last| *last > 0.0)?;
    // The last point is the start of its interval: the axis goes on to the end of that.
    let end = last + last / (points().count() - 1).max(1) as f64;
    let lines = Lines { answers, slowest, starts: round_starts(report.rounds.len(), end), end };
    Some(both(LABEL, 440, |area, shape| draw(area, shape, report, &lines)))
}

/// In seconds, and in microseconds' logarithms.
struct Lines {
    answers: Vec<(f64, f64)>,
    slowest: Vec<(f64, f64)>,
    /// Where each round starts.
    starts: Vec<f64>,
    end: f64,
}

/// All rounds are about equally long. Nothing to tell apart when there is only one.
fn round_starts(rounds: usize, end: f64) -> Vec<f64> {
    /// More would be a hatching.
    const MANY: usize = 60;
    let starts = (0..rounds).map(|round| round as f64 / rounds as f64 * end);
    if (2..=MANY).contains(&rounds) { starts.collect() } else { Vec::new() }
}

fn draw(area: &Area<'_>, shape: Shape, report: &RunReport, lines: &Lines) -> Result<(), Error> {
    let (upper, lower) = area.split_vertically(shape.height * super::FINE / 2);
    let room = if shape.is_narrow() { 4 } else { 10 };
    let x = Axis::linear("seconds of load", lines.end, room, short);
    let highest = lines.answers.iter().map(|point| point.1).fold(0.0, f64::max);
    // An axis needs a length, though nothing may have been answered.
    let y = Axis::linear("answers a second", if highest > 0.0 { highest * HEADROOM } else { 1.0 }, 4, short);
    let nameless = Axis { name: "", ..x.clone() };
    let plot = panel(&upper, shape, (&nameless, &y), lines, (&lines.answers, LOAD))?;
    name_rounds(&plot, shape, lines, y.high)?;
    let slowest = report.timeline.iter().map(|point| point.slowest_us);
    match Axis::logarithmic("slowest answer of each interval, logarithmic", slowest, 6) {
        Some(y) => panel(&lower, shape, (&x, &y), lines, (&lines.slowest, SLOW)).map(drop),
        None => Ok(()),
    }
}

fn panel<'a>(
    area: &Area<'a>,
    shape: Shape,
    (x, y): (&Axis, &Axis),
    lines: &Lines,
    (points, colour): (&[(f64, f64)], RGBColor),
) -> Result<Plot<'a>, Error> {
    let mut plot = Plot::new(area, shape.left(), x, y)?;
    for start in &lines.starts {
        plot.line(vec![(*start, y.low), (*start, y.high)], MARK, 1.0)?;
    }
    plot.line(thin(points, shape.width as usize), colour, 1.5)?;
    Ok(plot)
}

/// Above the curve, if there is room beside each other.
fn name_rounds(plot: &Plot<'_>, shape: Shape, lines: &Lines, top: f64) -> Result<(), Error> {
    let room = if shape.is_narrow() { 12 } else { 30 };
    for (index, start) in lines.starts.iter().enumerate().filter(|_| lines.starts.len() <= room) {
        let name = if lines.starts.len() <= 10 && !shape.is_narrow() { "round " } else { "" };
        plot.text(&format!("{name}{}", index + 1), (*start, top), (4, 3), INK)?;
    }
    Ok(())
}

/// `12,000`, `0.5`.
fn short(value: f64) -> String {
    if value.fract() == 0.0 { count(value as u64) } else { format!("{value:.2}").trim_end_matches('0').to_owned() }
}
