//! Quantiles and means over whole numbers (microseconds, bytes, thousandths), exact and without floats.
//!
//! A quantile is the *nearest rank*: the p-quantile of n values is the smallest of them that at least the share p of all
//! values does not exceed, the `ceil(p * n)`-th in order. So it is always a value that occurred, "95 % of the peers took no
//! longer than this" is true as it stands, and of few values the upper quantiles are the largest.

/// The nearest-rank quantile of values in ascending order, `per_mille` from 0 (the smallest) to 1,000 (the largest);
/// `None` of nothing.
pub fn quantile(sorted: &[u64], per_mille: u32) -> Option<u64> {
    debug_assert!(sorted.is_sorted(), "quantiles are of sorted values");
    let rank = (sorted.len() as u128 * u128::from(per_mille.min(1_000))).div_ceil(1_000);
    let index = usize::try_from(rank).ok()?.saturating_sub(1);
    sorted.get(index).copied()
}

/// The median as most programs have it, of values in ascending order: the middle one, or of an even number the middle
/// of the two there, rounded down; `None` of nothing. Of few values it jumps less than the nearest rank.
pub fn median(sorted: &[u64]) -> Option<u64> {
    debug_assert!(sorted.is_sorted(), "medians are of sorted values");
    let upper = sorted.get(sorted.len() / 2)?;
    let lower = sorted.get((sorted.len() - 1) / 2)?;
    Some(lower.midpoint(*upper))
}

/// The mean, rounded half up; `None` of nothing.
pub fn mean(values: &[u64]) -> Option<u64> {
    let sum: u128 = values.iter().map(|&value| u128::from(value)).sum();
    let count = values.len() as u128;
    u64::try_from((sum + count / 2).checked_div(count)?).ok()
}

/// How values spread. All in the unit of the values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    /// The smallest.
    pub min: u64,
    /// The 5 % quantile.
    pub p5: u64,
    /// The 25 % quantile.
    pub p25: u64,
    /// The median.
    pub p50: u64,
    /// The 75 % quantile.
    pub p75: u64,
    /// The 95 % quantile.
    pub p95: u64,
    /// The 99 % quantile.
    pub p99: u64,
    /// The largest.
    pub max: u64,
    /// The mean, rounded half up.
    pub mean: u64,
}

impl Spread {
    /// Of these values, in any order; `None` of nothing.
    pub fn of(mut values: Vec<u64>) -> Option<Spread> {
        values.sort_unstable();
        let at = |per_mille| quantile(&values, per_mille);
        Some(Spread {
            min: at(0)?,
            p5: at(50)?,
            p25: at(250)?,
            p50: at(500)?,
            p75: at(750)?,
            p95: at(950)?,
            p99: at(990)?,
            max: at(1_000)?,
            mean: mean(&values)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quantiles_are_the_nearest_rank() {
        let ten: Vec<u64> = (1..=10).collect();
        for (per_mille, value) in
            [(0, 1), (1, 1), (100, 1), (101, 2), (500, 5), (501, 6), (900, 9), (950, 10), (1_000, 10)]
        {
            assert_eq!(quantile(&ten, per_mille), Some(value), "{per_mille}");
        }
        assert_eq!(quantile(&[7], 500), Some(7));
        assert_eq!(quantile(&[], 500), None);
    }

    #[test]
    fn medians_are_the_middle_of_two() {
        for (values, middle) in [(&[3][..], 3), (&[3, 8], 5), (&[1, 3, 8], 3), (&[1, 3, 9, 10], 6)] {
            assert_eq!(median(values), Some(middle), "{values:?}");
        }
        assert_eq!((median(&[]), median(&[u64::MAX; 2])), (None, Some(u64::MAX)));
    }

    #[test]
    fn spreads() {
        let spread = Spread::of((1..=200).rev().collect()).unwrap();
        let (p5, p25, p50, p75, p95, p99) = (10, 50, 100, 150, 190, 198);
        assert_eq!(spread, Spread { min: 1, p5, p25, p50, p75, p95, p99, max: 200, mean: 101 });
        assert_eq!(Spread::of(vec![]), None);
        assert_eq!(mean(&[u64::MAX, u64::MAX]), Some(u64::MAX));
    }

    proptest! {
        #[test]
        fn a_quantile_splits_the_values(mut values in prop::collection::vec(0..50_u64, 1..60), per_mille in 1..=1_000_u32) {
            values.sort_unstable();
            let value = quantile(&values, per_mille).unwrap();
            let at_most = values.iter().filter(|&&other| other <= value).count() as u64;
            let below = values.iter().filter(|&&other| other < value).count() as u64;
            let share = u64::from(per_mille) * values.len() as u64;
            prop_assert!(at_most * 1_000 >= share && below * 1_000 < share);
        }
    }
}
