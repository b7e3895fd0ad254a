//! The daemon's metrics: Prometheus text read into numbers, and what changed between two readings.

use std::collections::BTreeMap;

use load_report::StepReport;

/// Series, `name{label="value"}`, to value.
#[derive(Clone, Debug, Default)]
pub struct Scrape(BTreeMap<String, f64>);

impl Scrape {
    pub fn parse(text: &str) -> Self {
        let series = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        });
        Self(series.collect())
    }

    /// 0 where there is no such series: a counter that never counted is not there.
    pub fn value(&self, series: &str) -> f64 {
        self.0.get(series).copied().unwrap_or(0.0)
    }

    /// What was counted since an earlier reading.
    pub fn since(&self, earlier: &Self) -> Self {
        Self(self.0.iter().map(|(series, value)| (series.clone(), value - earlier.value(series))).collect())
    }

    /// Adds what was counted in another interval.
    pub fn add(&mut self, other: &Self) {
        for (series, value) in &other.0 {
            *self.0.entry(series.clone()).or_default() += value;
        }
    }

    /// How many samples of a histogram were above a bound that is one of its buckets'.
    pub fn above(&self, histogram: &str, bound: &str) -> f64 {
        self.value(&format!("{histogram}_count")) - self.value(&format!("{histogram}_bucket{{le=\"{bound}\"}}"))
    }

    /// The steps of a message, longest first.
    pub fn steps(&self) -> Vec<StepReport> {
        const COUNT: &str = "umbra_step_seconds_count{step=\"";
        let names = self.0.keys().filter_map(|series| series.strip_prefix(COUNT)?.strip_suffix("\"}"));
        let mut steps: Vec<StepReport> = names
            .map(|step| {
                let count = self.value(&format!("{COUNT}{step}\"}}"));
                let sum = self.value(&format!("umbra_step_seconds_sum{{step=\"{step}\"}}"));
                StepReport {
                    step: step.to_owned(),
                    count: count as u64,
                    mean_us: if count > 0.0 { sum / count * 1e6 } else { 0.0 },
                    p99_us: self.step_quantile(step, 0.99) * 1e6,
                }
            })
            .filter(|step| step.count > 0)
            .collect();
        steps.sort_by(|one, other| other.mean_us.total_cmp(&one.mean_us));
        steps
    }

    /// Seconds, as far as buckets tell: linear within the one it falls into.
    fn step_quantile(&self, step: &str, quantile: f64) -> f64 {
        let start = format!("umbra_step_seconds_bucket{{step=\"{step}\",le=\"");
        let mut buckets: Vec<(f64, f64)> = self
            .0
            .iter()
            .filter_map(|(series, count)| {
                let bound = series.strip_prefix(&start)?.strip_suffix("\"}")?;
                Some((bound.parse().ok()?, *count))
            })
            .collect();
        buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
        let wanted = buckets.last().map_or(0.0, |(_, all)| all * quantile);
        let (mut below, mut counted) = (0.0, 0.0);
        for (bound, count) in buckets {
            if count >= wanted && count > counted {
                return if bound.is_finite() {
                    below + (bound - below) * (wanted - counted) / (count - counted)
                } else {
                    below
                };
            }
            (below, counted) = (bound, count);
        }
        below
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# TYPE umbra_step_seconds histogram
umbra_step_seconds_bucket{step=\"post\",le=\"0.001\"} 90
umbra_step_seconds_bucket{step=\"post\",le=\"0.002\"} 100
umbra_step_seconds_bucket{step=\"post\",le=\"+Inf\"} 100
umbra_step_seconds_sum{step=\"post\"} 0.05
umbra_step_seconds_count{step=\"post\"} 100
umbra_messages_total{mti=\"0200\",code=\"00\"} 7
umbra_messages_total{mti=\"0100\",code=\"00\"} 5
umbra_projection_seq 12
";

    #[test]
    fn series_are_read_and_compared() {
        let before = Scrape::parse(TEXT);
        assert_eq!((before.value("umbra_projection_seq"), before.value("nothing")), (12.0, 0.0));
        let after = Scrape::parse(&TEXT.replace(" 7\n", " 9\n"));
        let messages = "umbra_messages_total{mti=\"0200\",code=\"00\"}";
        assert_eq!(after.since(&before).value(messages), 2.0);
        let [post] = before.steps().try_into().unwrap();
        assert_eq!((post.step.as_str(), post.count), ("post", 100));
        assert!((post.mean_us - 500.0).abs() < 1e-6 && (post.p99_us - 1900.0).abs() < 1e-6, "{post:?}");
        assert!((before.above("umbra_step_seconds", "0.001")).abs() < 1e-9, "other labels are other series");
    }
}
