//! Bars of times and of processors.

use crate::RunReport;
use crate::number::{cores, count, micros};

/// A step's two bars, in percent of the widest.
pub struct StepBars {
    pub step: String,
    pub count: String,
    pub mean: String,
    pub p99: String,
    pub mean_width: String,
    pub p99_width: String,
}

pub fn steps(report: &RunReport) -> Vec<StepBars> {
    let widest = report.steps.iter().flat_map(|step| [step.mean_us, step.p99_us]);
    let widest = widest.filter(|us| us.is_finite()).fold(0.0, f64::max);
    let bars = report.steps.iter().map(|step| StepBars {
        step: step.step.clone(),
        count: count(step.count),
        mean: micros(step.mean_us),
        p99: micros(step.p99_us),
        mean_width: percent(step.mean_us, widest),
        p99_width: percent(step.p99_us, widest),
    });
    bars.collect()
}

pub struct Bar {
    pub part: String,
    pub cores: String,
    /// Time for each answer; empty for what has nothing to do with it.
    pub each: String,
    pub width: String,
    /// Other programs' share, which is not this test's.
    pub is_others: bool,
}

/// A core is the whole width, or the busiest part where that uses more.
pub fn cpu(report: &RunReport) -> Vec<Bar> {
    let widest = report.cpu.iter().map(|share| share.cores).filter(|cores| cores.is_finite()).fold(1.0, f64::max);
    let bars = report.cpu.iter().map(|share| Bar {
        part: share.part.clone(),
        cores: cores(share.cores),
        each: if share.us_per_answer == 0.0 { String::new() } else { micros(share.us_per_answer) },
        width: percent(share.cores, widest),
        is_others: share.part.starts_with("others"),
    });
    bars.collect()
}

/// What is measured at all is seen, a hair at least.
fn percent(value: f64, widest: f64) -> String {
    const HAIR: f64 = 0.3;
    let percent = value / widest * 100.0;
    let shown = if percent.is_finite() && value > 0.0 { percent.clamp(HAIR, 100.0) } else { 0.0 };
    format!("{shown:.2}")
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn widths_that_can_be_drawn() {
        let cases =
            [(5.0, 10.0), (0.0, 10.0), (1e-9, 10.0), (f64::NAN, 10.0), (f64::INFINITY, 10.0), (0.0, 0.0), (-1.0, 1.0)];
        let widths = cases.map(|(value, widest)| percent(value, widest));
        assert_eq!(widths, ["50.00", "0.00", "0.30", "0.00", "0.00", "0.00", "0.00"]);
    }
}
