//! As many points as a chart has room for.

/// Lowest and highest of each stretch of points, in order: what a line through all of them would look like.
pub fn thin(points: &[(f64, f64)], columns: usize) -> Vec<(f64, f64)> {
    let stretch = points.len().div_ceil(columns.max(1));
    if stretch <= 2 {
        return points.to_vec();
    }
    points.chunks(stretch).flat_map(extremes).collect()
}

fn extremes(stretch: &[(f64, f64)]) -> impl Iterator<Item = (f64, f64)> {
    let numbered = || stretch.iter().map(|point| point.1).enumerate();
    let lowest = numbered().min_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(index, _)| index);
    let highest = numbered().max_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(index, _)| index);
    let second = (lowest != highest).then_some(lowest.max(highest));
    std::iter::once(lowest.min(highest)).chain(second).filter_map(|index| stretch.get(index).copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_points_stay() {
        let points = [(0.0, 1.0), (1.0, 2.0), (2.0, 3.0)];
        assert_eq!(thin(&points, 2), points);
        assert_eq!(thin(&[], 0), []);
    }

    #[test]
    fn extremes_stay() {
        let mut points: Vec<(f64, f64)> = (0..50_000).map(|x| (f64::from(x), 100.0 + f64::from(x % 7))).collect();
        points[31_234].1 = 9_000.0;
        points[31_236].1 = 1.0;
        let few = thin(&points, 800);
        assert!(few.len() <= 1_600, "{}", few.len());
        assert!(few.contains(&(31_234.0, 9_000.0)) && few.contains(&(31_236.0, 1.0)));
        assert!(few.is_sorted_by(|a, b| a.0 < b.0));
    }
}
