//! Moments in which nothing was answered though messages waited, and whether they come at regular times.

use std::time::Duration;

use super::slice::Slice;

/// Shorter pauses are the scheduler's.
const SHORTEST: Duration = Duration::from_millis(20);

/// A pause this many times as long as the usual one between answers is a stall in itself.
const LONG: u32 = 30;

/// Where messages are few, a pause of a few times the usual one is a stall if somebody waited through it, and much
/// longer than messages usually wait.
const FEW: u32 = 4;
const MUCH: u32 = 3;

/// How many of the answers right behind a pause are looked at for one that had waited through it.
const BEHIND: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stall {
    /// Since the start of the run.
    pub at: Duration,
    pub length: Duration,
}

/// What the stalls of a run are like.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    pub count: usize,
    pub shortest: Duration,
    pub longest: Duration,
    pub median: Duration,
    /// The time from one to the next, where they are regular: then the rest is about those that are.
    pub every: Option<Duration>,
}

/// Pauses between answers of a slice in which messages waited. `start`: of the slice, since the start of the run.
pub fn find(slice: &Slice, start: Duration) -> Vec<Stall> {
    let points = &slice.points;
    let Some(last) = points.last() else { return Vec::new() };
    let usual = last.at / u32::try_from(points.len()).unwrap_or(u32::MAX);
    let patience = Duration::from_secs_f64(slice.latencies.us(50.0) / 1e6) * MUCH;
    (1..points.len())
        .filter_map(|index| {
            let (before, behind) = (points.get(index - 1)?, points.get(index..)?);
            let pause = behind.first()?.at - before.at;
            if pause < SHORTEST.max(usual * FEW) {
                return None;
            }
            // In the open model nothing may have been due for a while.
            let waited = behind.iter().take(BEHIND).map(|point| point.latency).max()?.min(pause);
            let is_long = pause >= usual * LONG || waited >= patience;
            (waited >= SHORTEST && is_long).then_some(Stall { at: start + before.at, length: waited })
        })
        .collect()
}

/// `load`: how long there was load in all; between slices nothing can be seen to stall.
pub fn pattern(stalls: &[Stall], load: Duration) -> Option<Pattern> {
    let regular = regular(stalls, load);
    let of_pattern = regular.as_ref().map_or(stalls, |(_, stalls)| stalls.as_slice());
    let mut lengths: Vec<Duration> = of_pattern.iter().map(|stall| stall.length).collect();
    lengths.sort_unstable();
    let (shortest, longest) = (*lengths.first()?, *lengths.last()?);
    let median = *lengths.get(lengths.len() / 2)?;
    Some(Pattern { count: lengths.len(), shortest, longest, median, every: regular.map(|(every, _)| every) })
}

/// The shortest time at whose multiples nearly always something stalled, and those stalls. Others in between do not
/// matter: a busy machine has its own.
fn regular(stalls: &[Stall], load: Duration) -> Option<(Duration, Vec<Stall>)> {
    /// Stalls of a pattern at least, and which part of those that there should be.
    const COUNT: usize = 4;
    const PART: f64 = 0.7;
    let mut periods = candidates(stalls);
    periods.sort_by(f64::total_cmp);
    periods.into_iter().find_map(|period| {
        let in_time = largest_in_time(stalls, period);
        let expected = load.as_secs_f64() / period;
        // Several close to each other are one of the pattern.
        let mut places: Vec<i64> =
            in_time.iter().map(|stall| (stall.at.as_secs_f64() / period).round() as i64).collect();
        places.dedup();
        let enough = places.len() >= COUNT && places.len() as f64 >= PART * expected;
        enough.then(|| (Duration::from_secs_f64(period), in_time))
    })
}

/// Times between two stalls, and what they may be multiples of.
fn candidates(stalls: &[Stall]) -> Vec<f64> {
    /// Shorter periods are load itself.
    const SHORTEST_S: f64 = 0.2;
    const MULTIPLES: u32 = 4;
    /// How many stalls behind each are looked at: others may lie between two of a pattern.
    const AHEAD: usize = 6;
    /// Of a machine that does nothing but stall, the first are enough.
    const STALLS: usize = 200;
    let times: Vec<f64> = stalls.iter().take(STALLS).map(|stall| stall.at.as_secs_f64()).collect();
    let pairs = times
        .iter()
        .enumerate()
        .flat_map(|(index, from)| times.iter().skip(index + 1).take(AHEAD).map(move |to| to - from));
    pairs
        .flat_map(|gap| (1..=MULTIPLES).map(move |times| gap / f64::from(times)))
        .filter(|p| *p >= SHORTEST_S)
        .collect()
}

/// The most stalls that lie at multiples of a period, from any one of them.
fn largest_in_time(stalls: &[Stall], period: f64) -> Vec<Stall> {
    let tolerance = (0.04 * period).clamp(0.015, 0.05);
    let from = |first: &Stall| -> Vec<Stall> {
        let off = |stall: &&Stall| {
            let since = stall.at.as_secs_f64() - first.at.as_secs_f64();
            (since - (since / period).round() * period).abs() <= tolerance
        };
        stalls.iter().filter(off).copied().collect()
    };
    stalls.iter().take(8).map(from).max_by_key(Vec::len).unwrap_or_default()
}

impl Pattern {
    pub fn text(&self) -> String {
        let ms = |time: Duration| format!("{:.0} ms", time.as_secs_f64() * 1000.0);
        match self.every {
            Some(every) => format!(
                "the answers stop for about {} every {:.2} s ({} times in all, {} at most): something stands still at \
                 regular times",
                ms(self.median),
                every.as_secs_f64(),
                self.count,
                ms(self.longest)
            ),
            None => format!(
                "the answers stopped {}, for {} to {}, at no regular times",
                if self.count == 1 { "once".to_owned() } else { format!("{} times", self.count) },
                ms(self.shortest),
                ms(self.longest)
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::slice::Point;

    /// An answer every half millisecond, but for `length` ms at the start of every `every` ms.
    fn slice(every: u64, length: u64) -> Slice {
        let mut slice = Slice::default();
        for half in 0..16_000_u64 {
            let at = Duration::from_micros(half * 500);
            let within = at.as_millis() as u64 % every;
            if within >= length {
                let latency = Duration::from_millis(if within == length { length + 1 } else { 1 });
                slice.points.push(Point { at, latency });
                slice.latencies.record(latency);
            }
        }
        slice.finish()
    }

    fn stall(at: u64) -> Stall {
        Stall { at: Duration::from_millis(at), length: Duration::from_millis(40) }
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_stall_every_second_is_named() {
        let found = pattern(&find(&slice(1000, 50), Duration::ZERO), 8 * SECOND).unwrap();
        assert!((7..=8).contains(&found.count), "{found:?}");
        assert_eq!(found.every, Some(SECOND));
        let text = found.text();
        assert!(
            text.contains("for about 50 ms every 1.00 s") || text.contains("for about 51 ms every 1.00 s"),
            "{text}"
        );
    }

    #[test]
    fn stalls_of_short_slices_are_put_together_and_others_left_out() {
        // The slices lie 1.7 s apart; what stalls every second shows in most of them once.
        let seen = [stall(300), stall(2_310), stall(2_700), stall(4_305), stall(5_300), stall(5_610), stall(7_290)];
        let found = pattern(&seen, 5 * SECOND).unwrap();
        let every = found.every.unwrap().as_secs_f64();
        assert!((0.95..1.05).contains(&every), "{every}");
        assert_eq!(found.count, 5);
    }

    #[test]
    fn a_stall_shows_where_messages_are_few() {
        let mut slice = Slice::default();
        for number in 0..100_u64 {
            let due = number * 10;
            // Everything due from 500 to 560 ms is answered at 560.
            let at = if (500..560).contains(&due) { 560 } else { due + 1 };
            let latency = Duration::from_millis(at - due);
            slice.points.push(Point { at: Duration::from_millis(at), latency });
            slice.latencies.record(latency);
        }
        let found = find(&slice.finish(), Duration::ZERO);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].length >= Duration::from_millis(55));
    }

    #[test]
    fn no_stall_and_no_pattern_where_there_is_none() {
        assert_eq!(pattern(&find(&slice(1000, 5), Duration::ZERO), 8 * SECOND), None);
        let clusters = [stall(100), stall(130), stall(13_390), stall(13_410)];
        assert_eq!(pattern(&clusters, 20 * SECOND).unwrap().every, None);
        let random = [stall(100), stall(350), stall(2000), stall(2140), stall(3910), stall(4470)];
        let found = pattern(&random, 8 * SECOND).unwrap();
        assert_eq!((found.count, found.every), (6, None));
        assert!(found.text().contains("no regular times"));
    }
}
