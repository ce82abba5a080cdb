//! What repeated runs say of a number: its mean, how well that is known, and where one more run would lie.
//!
//! Both intervals are Student's at 95 %: of the mean, `mean ± t s / sqrt(n)`, and of one more run,
//! `mean ± t s sqrt(1 + 1/n)`, where `s` is the standard deviation over the `n` runs and `t` has `n - 1` degrees of freedom.
//! They hold as far as runs are independent and roughly normal. A single run has no interval.

/// What runs say of a number, in its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// How many runs.
    pub runs: u64,
    /// Their mean, rounded.
    pub mean: i64,
    /// Half the width of the 95 % interval of the mean; `None` of a single run.
    pub half: Option<u64>,
    /// Half the width of the interval in which one more run lies with 95 %; `None` of a single run.
    pub half_of_one: Option<u64>,
    /// The smallest.
    pub least: i64,
    /// The largest.
    pub most: i64,
}

impl Estimate {
    /// Of these values; `None` of nothing.
    pub fn of(values: &[i64]) -> Option<Estimate> {
        let (least, most) = (*values.iter().min()?, *values.iter().max()?);
        let count = values.len() as i128;
        let sum: i128 = values.iter().map(|&value| i128::from(value)).sum();
        let squares: u128 = values
            .iter()
            .map(|&value| (count * i128::from(value) - sum).unsigned_abs())
            .map(|far| far.saturating_mul(far))
            .fold(0, u128::saturating_add);
        let count = count as u128;
        let half = |parts: u128| {
            // parts: by how much the variance of one run is multiplied, times the number of runs.
            let variance = squares.checked_div(count - 1)? / (count * count);
            let t = u128::from(student(count - 1));
            let square = variance.saturating_mul(t * t).saturating_mul(parts) / count;
            u64::try_from(square.isqrt().div_ceil(1_000)).ok()
        };
        Some(Estimate {
            runs: count as u64,
            mean: rounded(sum, count as i128),
            half: half(1),
            half_of_one: half(count + 1),
            least,
            most,
        })
    }

    /// The same of a number that is larger by this much, known as well as this says: half widths add as independent errors do.
    #[must_use]
    pub fn shifted(self, by: i64, half: u64) -> Estimate {
        let wider = |old: Option<u64>| {
            let square = |half: u64| u128::from(half) * u128::from(half);
            old.map(|old| square(old).saturating_add(square(half)).isqrt() as u64)
        };
        Estimate {
            mean: self.mean.saturating_add(by),
            half: wider(self.half),
            half_of_one: wider(self.half_of_one),
            least: self.least.saturating_add(by),
            most: self.most.saturating_add(by),
            ..self
        }
    }
}

fn rounded(sum: i128, count: i128) -> i64 {
    let twice = 2 * sum + count;
    i64::try_from(twice.div_euclid(2 * count)).unwrap_or(i64::MAX)
}

/// Two-sided 95 % quantile of Student's t, in thousandths, by degrees of freedom from 1; rounded up between the rows of the
/// usual table.
const STUDENT: [u32; 30] = [
    12_706, 4_303, 3_182, 2_776, 2_571, 2_447, 2_365, 2_306, 2_262, 2_228, 2_201, 2_179, 2_160, 2_145, 2_131,
    2_120, 2_110, 2_101, 2_093, 2_086, 2_080, 2_074, 2_069, 2_064, 2_060, 2_056, 2_052, 2_048, 2_045, 2_042,
];

fn student(freedom: u128) -> u32 {
    match freedom {
        0 => u32::MAX,
        1..=30 => STUDENT[freedom as usize - 1],
        31..=60 => 2_042,
        _ => 2_000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn textbook_intervals() {
        // 9, 10, 11, 12, 13: mean 11, s = 1.5811, t(4) = 2.776.
        let estimate = Estimate::of(&[9_000, 11_000, 10_000, 13_000, 12_000]).unwrap();
        assert_eq!((estimate.runs, estimate.mean, estimate.least, estimate.most), (5, 11_000, 9_000, 13_000));
        assert_eq!(estimate.half, Some(1_963), "2.776 x 1.5811 / sqrt 5");
        assert_eq!(estimate.half_of_one, Some(4_809), "2.776 x 1.5811 x sqrt 1.2");
    }

    #[test]
    fn few_runs_say_little() {
        let one = Estimate::of(&[7]).unwrap();
        assert_eq!((one.mean, one.half, one.half_of_one), (7, None, None));
        assert_eq!(Estimate::of(&[]), None);
        assert_eq!(Estimate::of(&[5, 5, 5]).unwrap().half, Some(0));
        let two = Estimate::of(&[-1_000, 1_000]).unwrap();
        assert_eq!((two.mean, two.half), (0, Some(12_706)));
        assert_eq!(Estimate::of(&[-3, -4]).unwrap().mean, -3, "half up");
    }

    #[test]
    fn errors_add_by_their_squares() {
        let estimate = Estimate::of(&[0, 0]).unwrap().shifted(10, 4);
        assert_eq!((estimate.mean, estimate.half, estimate.least), (10, Some(4), 10));
        let estimate = Estimate { half: Some(3), ..estimate }.shifted(0, 4);
        assert_eq!(estimate.half, Some(5));
    }
}
