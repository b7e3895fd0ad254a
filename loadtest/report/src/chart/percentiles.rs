//! How slow the slowest part of the answers is.

use super::axis::{Axis, log_place};
use super::palette::{ECHO, LOAD, SYNC};
use super::plot::{Area, Error, Plot};
use super::{Chart, Shape, both};
use crate::number::micros;
use crate::words;
use crate::{LatencyPoint, RunReport};

/// Percentiles with a mark; the scale stretches towards 100.
const MARKS: [f64; 7] = [0.0, 50.0, 90.0, 99.0, 99.9, 99.99, 99.999];
/// How far right of the last percentile the slowest answer stands.
const SLOWEST_GAP: f64 = 0.4;

/// Latency of load and echo server by percentile, with p50 and p99 of a sync as marks. Nothing without a curve.
pub fn percentiles(report: &RunReport) -> Option<Chart> {
    let points = || report.latency.iter().chain(&report.echo_latency).filter(|point| log_place(point.us).is_some());
    let latencies = points().map(|point| point.us).chain([report.sync_p50_us, report.sync_p99_us]);
    let us = Axis::logarithmic("latency, logarithmic", latencies, 12)?;
    let last = points().map(|point| depth(point.percentile)).filter(|depth| depth.is_finite()).reduce(f64::max)?;
    let has_slowest = points().any(|point| point.percentile >= 100.0);
    let shares = shares(last.max(1.0), has_slowest);
    let echo = words::echo(report);
    let label = format!("Latency at rising percentiles, of the load and of the {echo}, and of a disk sync");
    Some(both(&label, 400, |area, shape| draw(area, shape, report, &shares, &us)))
}

/// 0 at 0, 1 at 90, 2 at 99 …
fn depth(percentile: f64) -> f64 {
    -(1.0 - percentile / 100.0).log10()
}

fn shares(last: f64, has_slowest: bool) -> Axis {
    let marks = MARKS.map(|mark| (depth(mark), format!("{mark} %"))).into_iter().filter(|mark| mark.0 <= last + 1e-6);
    let mut ticks: Vec<(f64, String)> = marks.collect();
    let high = if has_slowest { last + SLOWEST_GAP } else { last };
    if has_slowest {
        ticks.push((high, "all".into()));
    }
    Axis { name: "share of the answers that came sooner", low: 0.0, high, ticks }
}

fn draw(area: &Area<'_>, shape: Shape, report: &RunReport, shares: &Axis, us: &Axis) -> Result<(), Error> {
    let mut plot = if shape.is_narrow() {
        // The first has no room beside the second.
        let fewer = Axis { ticks: shares.ticks.iter().skip(1).cloned().collect(), ..shares.clone() };
        Plot::new(area, shape.left(), &fewer, us)?
    } else {
        Plot::new(area, shape.left(), shares, us)?
    };
    for value in [report.sync_p50_us, report.sync_p99_us] {
        if let Some(place) = log_place(value) {
            plot.line(vec![(shares.low, place), (shares.high, place)], SYNC, 1.5)?;
        }
    }
    for (points, colour) in [(&report.echo_latency, ECHO), (&report.latency, LOAD)] {
        plot.line(curve(points, shares.high), colour, 2.25)?;
    }
    name_sync(&plot, report, shares, us)
}

/// At the right, where the curves are far above, and over them all the same. Above each line; the lower one's below,
/// where the names would meet.
fn name_sync(plot: &Plot<'_>, report: &RunReport, shares: &Axis, us: &Axis) -> Result<(), Error> {
    let places = log_place(report.sync_p50_us).zip(log_place(report.sync_p99_us));
    let are_near = places.is_some_and(|(p50, p99)| p99 - p50 < (us.high - us.low) / 16.0);
    let names = [("p50", report.sync_p50_us, if are_near { 4 } else { -3 }), ("p99", report.sync_p99_us, -3)];
    for (name, value, shift) in names {
        let Some(place) = log_place(value) else { continue };
        plot.text(&format!("sync {name} {}", micros(value)), (shares.high, place), (-6, shift), SYNC)?;
    }
    Ok(())
}

/// The slowest of all, whose depth has no end, at the end of the axis.
fn curve(points: &[LatencyPoint], end: f64) -> Vec<(f64, f64)> {
    let placed = |point: &LatencyPoint| {
        let depth = depth(point.percentile).min(end);
        Some((depth, log_place(point.us)?)).filter(|_| depth >= 0.0)
    };
    points.iter().filter_map(placed).collect()
}
