//! Lines of least squares, in integers.

/// What one scenario says: `value = startup + slope * x`, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Point {
    /// What one unit of `x` is worth.
    pub(super) slope: i64,
    /// What was measured.
    pub(super) value: i64,
    /// How far that may be off, with 95 %.
    pub(super) unsure: u64,
}

/// `x` in millionths for no start-up time: the sum of products over that of squares. Slopes must not all be 0.
pub(super) fn through_origin(points: &[Point]) -> i64 {
    let square: i128 = points.iter().map(|point| i128::from(point.slope) * i128::from(point.slope)).sum();
    let product: i128 = points.iter().map(|point| i128::from(point.slope) * i128::from(point.value)).sum();
    i64::try_from(product.saturating_mul(1_000_000) / square.max(1)).unwrap_or(i64::MAX)
}

/// `x` in millionths and the start-up time in microseconds; `None` if all slopes are the same.
pub(super) fn with_intercept(points: &[Point]) -> Option<(i64, i64)> {
    let count = points.len() as i128;
    let slopes: i128 = points.iter().map(|point| i128::from(point.slope)).sum();
    let values: i128 = points.iter().map(|point| i128::from(point.value)).sum();
    let (mut square, mut product) = (0_i128, 0_i128);
    for point in points {
        let slope = count * i128::from(point.slope) - slopes;
        square += slope * slope;
        product += slope * (count * i128::from(point.value) - values);
    }
    let x = product.checked_mul(1_000_000)?.checked_div(square)?;
    let intercept = (values - slopes * x / 1_000_000) / count;
    Some((i64::try_from(x).ok()?, i64::try_from(intercept).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(slope: i64, value: i64) -> Point {
        Point { slope, value, unsure: 0 }
    }

    #[test]
    fn lines() {
        // value = 3 s + 1.25 slope.
        let points =
            [point(10_000_000, 15_500_000), point(40_000_000, 53_000_000), point(20_000_000, 28_000_000)];
        assert_eq!(with_intercept(&points), Some((1_250_000, 3_000_000)));
        assert_eq!(with_intercept(&points[..1]), None);
        assert_eq!(through_origin(&[point(10, 12), point(20, 24)]), 1_200_000);
    }
}
