//! The two-sided test of Mann, Whitney and Wilcoxon: how often chance would part two groups as far as these.

/// Up to as many values on each side the probability is counted, beyond it is approximated.
const EXACT_MAX: usize = 20;

/// Probability that values from one source, dealt out to two groups of these sizes, differ in rank at least as much.
/// All values must be finite.
pub fn probability(a: &[f64], b: &[f64]) -> f64 {
    if a.is_empty() || b.is_empty() {
        return 1.0;
    }
    let ranks = doubled_ranks(a, b);
    let sum: usize = ranks.iter().take(a.len()).sum();
    // Doubled like the ranks, whose mean is one more than their number.
    let distance = sum.abs_diff(a.len() * (ranks.len() + 1));
    if a.len().max(b.len()) <= EXACT_MAX {
        counted(&ranks, a.len(), distance)
    } else {
        normal(&ranks, a.len(), distance)
    }
}

/// The lowest probability that groups of these sizes can have: when every value of one is beyond all of the other.
pub fn least_probability(a: usize, b: usize) -> f64 {
    let ways = (1..=a.min(b)).fold(1.0, |ways, index| ways * (a.max(b) + index) as f64 / index as f64);
    (2.0 / ways).min(1.0)
}

/// Twice the rank of each value among all, those of `a` first: equal values share the mean of their ranks, which may end
/// in a half.
fn doubled_ranks(a: &[f64], b: &[f64]) -> Vec<usize> {
    let all = || a.iter().chain(b);
    let rank = |value: &f64| {
        let below = all().filter(|other| *other < value).count();
        let equal = all().filter(|other| *other == value).count();
        2 * below + equal + 1
    };
    all().map(rank).collect()
}

/// Of all ways to choose `taken` of the ranks, the share whose sum is at least as far from the mean.
fn counted(ranks: &[usize], taken: usize, distance: usize) -> f64 {
    let most: usize = ranks.iter().sum();
    // ways[k][s]: to choose k of the ranks seen so far with sum s. At most 40 over 20 of them, exact in an f64.
    let mut ways = vec![vec![0.0f64; most + 1]; taken + 1];
    ways[0][0] = 1.0;
    for &rank in ranks {
        for count in (1..=taken).rev() {
            for sum in rank..=most {
                ways[count][sum] += ways[count - 1][sum - rank];
            }
        }
    }
    let mean = taken * (ranks.len() + 1);
    let last = ways.pop().unwrap_or_default();
    let far = last.iter().enumerate().filter(|(sum, _)| sum.abs_diff(mean) >= distance);
    far.map(|(_, ways)| ways).sum::<f64>() / last.iter().sum::<f64>()
}

/// With the corrections for ties and for whole numbers.
fn normal(ranks: &[usize], taken: usize, distance: usize) -> f64 {
    let (all, taken) = (ranks.len() as f64, taken as f64);
    // Over all values, t²-1 of a group of t ties adds up to t³-t.
    let ties = ranks.iter().map(|rank| ranks.iter().filter(|other| *other == rank).count() as f64);
    let ties: f64 = ties.map(|equal| equal * equal - 1.0).sum();
    let variance = taken * (all - taken) / 12.0 * (all + 1.0 - ties / (all * (all - 1.0)));
    let difference = (distance as f64 / 2.0 - 0.5).max(0.0);
    if variance > 0.0 { complementary_error(difference / (2.0 * variance).sqrt()) } else { 1.0 }
}

/// erfc of what is not negative, to seven digits (Abramowitz and Stegun 7.1.26).
fn complementary_error(x: f64) -> f64 {
    const FACTORS: [f64; 5] = [1.061_405_429, -1.453_152_027, 1.421_413_741, -0.284_496_736, 0.254_829_592];
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    FACTORS.iter().fold(0.0, |sum, factor| (sum + factor) * t) * (-x * x).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(left: f64, right: f64, tolerance: f64) {
        assert!((left - right).abs() < tolerance, "{left} is not {right}");
    }

    fn numbers(from: u32, count: u32) -> Vec<f64> {
        (from..from + count).map(f64::from).collect()
    }

    #[test]
    fn separated_groups_have_the_least_probability() {
        for (a, b, expected) in [(5, 5, 2.0 / 252.0), (3, 3, 0.1), (4, 4, 2.0 / 70.0), (3, 5, 2.0 / 56.0)] {
            near(probability(&numbers(0, a), &numbers(100, b)), expected, 1e-12);
            near(least_probability(a as usize, b as usize), expected, 1e-12);
        }
    }

    /// From the usual table: for 5 and 5, U ≤ 2 is significant at 5 % and U = 3 is not; for 10 and 10, 23 and 24.
    #[test]
    fn critical_values() {
        // 5 values of a, U of them above values of b.
        near(probability(&[1.0, 2.0, 3.0, 4.0, 7.5], &[5.0, 6.0, 7.0, 8.0, 9.0]), 14.0 / 252.0, 1e-12);
        near(probability(&[1.0, 2.0, 3.0, 4.0, 6.5], &[5.0, 6.0, 7.0, 8.0, 9.0]), 8.0 / 252.0, 1e-12);
        // The first values of `a` are above all of `b`, the next above some, until there are `u` such pairs.
        let with_u = |u: f64| {
            let above = |index: u32| (u - 10.0 * f64::from(index)).clamp(0.0, 10.0);
            let a: Vec<f64> = (0..10).map(|index| 99.5 + above(index) + 0.01 * f64::from(index)).collect();
            probability(&a, &numbers(100, 10))
        };
        assert!(with_u(23.0) < 0.05 && with_u(24.0) > 0.05, "{} {}", with_u(23.0), with_u(24.0));
    }

    /// As scipy's permutation distribution of midranks has them.
    #[test]
    fn ties_share_ranks() {
        near(probability(&[1.0, 1.0, 2.0], &[2.0, 3.0, 3.0]), 4.0 / 20.0, 1e-12);
        near(probability(&[1.0; 5], &[1.0; 5]), 1.0, 1e-12);
        near(probability(&[1.0; 4], &[2.0; 4]), 2.0 / 70.0, 1e-12);
    }

    #[test]
    fn many_values_are_approximated() {
        let (a, b) = (numbers(0, 20), numbers(7, 20).iter().map(|value| value + 0.5).collect::<Vec<f64>>());
        let ranks = doubled_ranks(&a, &b);
        let distance = ranks[..20].iter().sum::<usize>().abs_diff(20 * 41);
        near(normal(&ranks, 20, distance), counted(&ranks, 20, distance), 5e-4);
        near(complementary_error(1.0), 0.157_299, 1e-6);
        near(probability(&vec![1.0; 30], &vec![1.0; 30]), 1.0, 1e-6);
        assert!(probability(&numbers(0, 30), &numbers(30, 30)) < 1e-9);
    }
}
