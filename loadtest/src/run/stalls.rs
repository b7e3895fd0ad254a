//! Moments in which nothing was answered though messages waited, and whether they come at regular times.

use std::time::Duration;

use super::slice::Slice;

/// Shorter pauses are the scheduler's.
const SHORTEST: Duration = Duration::from_millis(20);

/// And below this many times the usual pause between answers.
const USUAL: u32 = 30;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stall {
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
    /// The time from one to the next, where it is nearly always the same.
    pub every: Option<Duration>,
}

/// Pauses between answers of a slice. A message waits in every pause if any that ended after it was due before it.
pub fn find(slice: &Slice) -> Vec<Stall> {
    let points = &slice.points;
    let Some(last) = points.last() else { return Vec::new() };
    let usual = last.at / u32::try_from(points.len()).unwrap_or(u32::MAX);
    let threshold = SHORTEST.max(usual * USUAL);
    points
        .windows(2)
        .filter_map(|pair| {
            let [before, after] = pair else { return None };
            let length = after.at - before.at;
            // In the open model nothing may have been due.
            let waited = after.latency.min(length);
            (length >= threshold && waited >= threshold).then_some(Stall { at: before.at, length: waited })
        })
        .collect()
}

/// `slices`: the stalls of each slice, whose clocks begin anew.
pub fn pattern(slices: &[Vec<Stall>]) -> Option<Pattern> {
    let mut lengths: Vec<Duration> = slices.iter().flatten().map(|stall| stall.length).collect();
    lengths.sort_unstable();
    let (shortest, longest) = (*lengths.first()?, *lengths.last()?);
    let median = *lengths.get(lengths.len() / 2)?;
    Some(Pattern { count: lengths.len(), shortest, longest, median, every: period(slices, median) })
}

/// The usual time between stalls of the usual length, if most come at it.
fn period(slices: &[Vec<Stall>], median: Duration) -> Option<Duration> {
    let alike = |stall: &&Stall| stall.length >= median / 2 && stall.length <= median * 2;
    let mut gaps: Vec<Duration> = Vec::new();
    for stalls in slices {
        let alike: Vec<&Stall> = stalls.iter().filter(alike).collect();
        gaps.extend(alike.windows(2).filter_map(|pair| Some(pair.last()?.at - pair.first()?.at)));
    }
    gaps.sort_unstable();
    let middle = *gaps.get(gaps.len() / 2)?;
    let near = gaps.iter().filter(|gap| gap.abs_diff(middle) <= middle / 10).count();
    (gaps.len() >= 3 && near * 10 >= gaps.len() * 7).then_some(middle)
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
                "the answers stopped {} times, for {} to {}, at no regular times",
                self.count,
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
                let held = within == length && half % 2 == 0;
                let latency = Duration::from_millis(if held { length + 1 } else { 1 });
                slice.points.push(Point { at, latency });
            }
        }
        slice.finish()
    }

    #[test]
    fn a_stall_every_second_is_named() {
        let found = pattern(&[find(&slice(1000, 50))]).unwrap();
        assert!((7..=8).contains(&found.count), "{found:?}");
        assert_eq!(found.every, Some(Duration::from_secs(1)));
        assert!(
            found.text().contains("about 50 ms every 1.00 s") || found.text().contains("about 51 ms every 1.00 s"),
            "{}",
            found.text()
        );
    }

    #[test]
    fn no_stall_and_no_pattern_where_there_is_none() {
        assert_eq!(pattern(&[find(&slice(1000, 5))]), None);
        let stall = |at: u64| Stall { at: Duration::from_millis(at), length: Duration::from_millis(40) };
        let random = vec![stall(100), stall(350), stall(2000), stall(2100), stall(3900)];
        let found = pattern(&[random]).unwrap();
        assert_eq!((found.count, found.every), (5, None));
        assert!(found.text().contains("no regular times"));
    }
}
