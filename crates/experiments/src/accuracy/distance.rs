//! The Kolmogorov-Smirnov distance of samples: the largest difference between the shares of both that are not above a value.

use crate::numbers::Decimal;

/// The distance of two samples in ascending order, from 0 to 1; `None` if one is empty.
pub(super) fn apart(one: &[u64], other: &[u64]) -> Option<Decimal> {
    debug_assert!(one.is_sorted() && other.is_sorted(), "distances are of sorted values");
    let (n, m) = (one.len() as u128, other.len() as u128);
    let (mut i, mut j, mut most) = (0, 0, 0);
    while let (Some(&a), Some(&b)) = (one.get(i), other.get(j)) {
        // Equal values are passed together: between them there is no place to look.
        let value = a.min(b);
        i += one[i..].iter().take_while(|&&a| a == value).count();
        j += other[j..].iter().take_while(|&&b| b == value).count();
        most = (i as u128 * m).abs_diff(j as u128 * n).max(most);
    }
    Decimal::ratio(most, n * m)
}

/// The largest distance that one of the samples has from all others together; `None` of fewer than two.
pub(super) fn farthest(samples: &[Vec<u64>]) -> Option<Decimal> {
    let left_out = samples.iter().enumerate().filter_map(|(out, sample)| {
        let others = samples.iter().enumerate().filter(|(number, _)| *number != out);
        let mut others: Vec<u64> = others.flat_map(|(_, sample)| sample).copied().collect();
        others.sort_unstable();
        apart(sample, &others)
    });
    left_out.max_by_key(|distance| distance.millionths())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(one: &[u64], other: &[u64]) -> String {
        apart(one, other).map_or_else(|| "-".to_owned(), |distance| distance.rounded(3).to_string())
    }

    #[test]
    fn distances() {
        for (one, other, distance) in [
            (&[1, 2, 3, 4][..], &[1, 2, 3, 4][..], "0.000"),
            (&[1, 2], &[3, 4], "1.000"),
            (&[3, 4], &[1, 2], "1.000"),
            (&[1, 2, 3, 4], &[3, 4, 5, 6], "0.500"),
            (&[5, 5, 5], &[5], "0.000"),
            (&[1, 5, 5], &[5], "0.333"),
            (&[1, 3], &[2], "0.500"),
            (&[], &[1], "-"),
        ] {
            assert_eq!(shown(one, other), distance, "{one:?} {other:?}");
        }
    }

    #[test]
    fn the_run_that_is_not_like_the_others() {
        let runs = [vec![1, 2, 3], vec![1, 2, 3], vec![7, 8, 9]];
        assert_eq!(farthest(&runs).unwrap().rounded(2).to_string(), "1.00");
        assert_eq!(farthest(&runs[..2]).unwrap().rounded(2).to_string(), "0.00");
        assert_eq!(farthest(&runs[..1]), None);
    }

    proptest! {
        /// By its definition, at every value that occurs.
        #[test]
        fn no_value_shows_more(mut one in prop::collection::vec(0..20_u64, 1..30), mut other in prop::collection::vec(0..20_u64, 1..30)) {
            one.sort_unstable();
            other.sort_unstable();
            let share = |values: &[u64], at| values.iter().filter(|&&value| value <= at).count() as f64 / values.len() as f64;
            let most = (0..20).map(|at| (share(&one, at) - share(&other, at)).abs()).fold(0.0, f64::max);
            let found = apart(&one, &other).unwrap().millionths() as f64 / 1e6;
            prop_assert!((found - most).abs() < 2e-6, "{found} {most}");
            prop_assert_eq!(apart(&one, &other), apart(&other, &one));
        }
    }
}
