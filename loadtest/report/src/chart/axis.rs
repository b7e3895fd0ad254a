//! Round numbers on axes, and where values stand.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

/// What one side of a chart measures. Chooses its ticks itself: the backend's own do not know which numbers are round on
/// a scale of percentiles.
#[derive(Clone)]
pub struct Axis {
    pub name: &'static str,
    pub low: f64,
    pub high: f64,
    /// Place and text, in rising order.
    pub ticks: Vec<(f64, String)>,
}

impl Axis {
    /// From 0 to `high`, with about `room` ticks.
    pub fn linear(name: &'static str, high: f64, room: usize, text: fn(f64) -> String) -> Self {
        let ticks = multiples(high, room).into_iter().map(|tick| (tick, text(tick)));
        Self { name, low: 0.0, high, ticks: ticks.collect() }
    }

    /// Microseconds, around all values that have a logarithm, which are placed by [`log_place`]; `room` ticks at most.
    /// Nothing when there are none.
    pub fn logarithmic(name: &'static str, values: impl Iterator<Item = f64>, room: usize) -> Option<Self> {
        const AIR: f64 = 0.12;
        let places = values.filter_map(log_place);
        let (low, high) = places.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), place| (l.min(place), h.max(place)));
        let (low, high) = (low - AIR, high + AIR);
        if low > high {
            return None;
        }
        let ticks = decades(low, high, room).into_iter().map(|tick| (tick.log10(), round_micros(tick)));
        Some(Self { name, low, high, ticks: ticks.collect() })
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, place: &f64, (from, to): (i32, i32)) -> i32 {
        // What lies beyond the axis is drawn at its end.
        let share = ((place - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        from + (f64::from(to - from) * share).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        // There is no second, finer grid.
        let is_fine = hint.weight().allow_light_points();
        self.ticks.iter().filter(|_| !is_fine).map(|tick| tick.0).collect()
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, place: &f64) -> String {
        self.ticks.iter().find(|tick| tick.0 == *place).map_or_else(String::new, |tick| tick.1.clone())
    }
}

/// Place on a logarithmic axis.
pub fn log_place(value: f64) -> Option<f64> {
    // What is beyond these was not measured; they keep the axis in bounds.
    (1e-3..=1e12).contains(&value).then(|| value.log10())
}

/// Multiples of 1, 2 or 5 times a power of ten, from 0 to `end`; at most `room` beside the 0.
fn multiples(end: f64, room: usize) -> Vec<f64> {
    let rough = end / room.max(1) as f64;
    if !rough.is_finite() || rough <= 0.0 {
        return vec![0.0];
    }
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0].map(|factor| factor * power).into_iter().find(|step| *step >= rough * 0.999_999);
    let step = step.unwrap_or(10.0 * power);
    // A hair beyond the end, for what rounding loses.
    let end = (end * 1.000_001).min(f64::MAX);
    (0..=room + 1).map(|index| index as f64 * step).take_while(|tick| *tick <= end).collect()
}

/// `100 µs`, `5 ms`.
fn round_micros(us: f64) -> String {
    match us {
        _ if us < 1e3 => format!("{us} µs"),
        _ if us < 1e6 => format!("{} ms", us / 1e3),
        _ => format!("{} s", us / 1e6),
    }
}

/// 1, 2 and 5 times powers of ten between two places, or the powers alone where there is no room for them.
fn decades(low: f64, high: f64, room: usize) -> Vec<f64> {
    let ticks = |factors: &[f64]| -> Vec<f64> {
        let powers = (low.floor() as i32..=high.ceil() as i32).map(|power| 10f64.powi(power));
        let all = powers.flat_map(|power| factors.iter().map(move |factor| factor * power));
        all.filter(|tick| (low..=high).contains(&tick.log10())).collect()
    };
    let fine = ticks(&[1.0, 2.0, 5.0]);
    if fine.len() <= room { fine } else { ticks(&[1.0]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_numbers() {
        assert_eq!(multiples(30.0, 10), [0.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0]);
        assert_eq!(multiples(13_100.0, 4), [0.0, 5_000.0, 10_000.0]);
        assert_eq!(multiples(0.0, 4), [0.0]);
        assert_eq!(multiples(f64::NAN, 4), [0.0]);
        for end in 1..2_000 {
            assert!((3..=11).contains(&multiples(f64::from(end) * 0.37, 10).len()), "{end}");
        }
    }

    #[test]
    fn powers_of_ten() {
        assert_eq!(decades(2.1, 3.1, 8), [200.0, 500.0, 1_000.0]);
        assert_eq!(decades(-0.1, 4.4, 8), [1.0, 10.0, 100.0, 1_000.0, 10_000.0]);
        let axis = Axis::logarithmic("us", [0.0, 50.0, f64::INFINITY, 400.0].into_iter(), 8);
        let axis = axis.expect("two values have a place");
        assert_eq!(axis.format_ext(&2.0), "100 µs");
        assert!(axis.low < 50f64.log10() && axis.high > 400f64.log10());
    }

    #[test]
    fn no_axis_of_nothing() {
        let values = [0.0, f64::NAN, f64::INFINITY, -1.0];
        assert!(Axis::logarithmic("us", values.into_iter(), 8).is_none());
    }
}
