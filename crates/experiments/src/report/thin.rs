//! Fewer points for a picture that looks the same. Deterministic: which points stay depends on the points alone.

/// Columns of a picture: more are not seen.
pub(super) const COLUMNS: usize = 240;

/// A series of samples with at most four points for each of [`COLUMNS`] equal runs of samples: the first, the least, the
/// greatest and the last, in their order. So peaks and gaps stay as they are.
pub(super) fn series(points: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    if points.len() <= 4 * COLUMNS {
        return points;
    }
    let mut kept = Vec::with_capacity(4 * COLUMNS);
    for column in 0..COLUMNS {
        let run = &points[points.len() * column / COLUMNS..points.len() * (column + 1) / COLUMNS];
        // Of equal ones the first.
        let least = (0..run.len()).min_by_key(|&number| (run[number].1, number)).unwrap_or(0);
        let greatest = (0..run.len()).max_by_key(|&number| (run[number].1, run.len() - number)).unwrap_or(0);
        let mut numbers = [0, least.min(greatest), least.max(greatest), run.len() - 1].to_vec();
        numbers.dedup();
        kept.extend(numbers.into_iter().map(|number| run[number]));
    }
    kept
}

/// The distribution of values in ascending order as steps: `(value, how many are not greater)`, at most [`COLUMNS`] + 1 of
/// them, the first and the last value among them.
pub(super) fn distribution(sorted: &[u64]) -> Vec<(u64, u64)> {
    let steps = COLUMNS.min(sorted.len());
    let mut points: Vec<(u64, u64)> = Vec::with_capacity(steps + 1);
    let ranks = (1..=steps).map(|step| sorted.len() * step / steps);
    for rank in sorted.first().map(|_| 1).into_iter().chain(ranks) {
        let value = sorted[rank - 1];
        match points.last_mut() {
            Some(last) if last.0 == value => last.1 = rank as u64,
            _ => points.push((value, rank as u64)),
        }
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_points_all_stay() {
        let points: Vec<_> = (0..960).map(|at| (at, at % 7)).collect();
        assert_eq!(series(points.clone()), points);
        assert_eq!(series(vec![]), vec![]);
    }

    #[test]
    fn peaks_and_ends_stay() {
        let mut points: Vec<_> = (0..100_000).map(|at| (at, 50)).collect();
        points[12_345].1 = 99;
        points[54_321].1 = 1;
        let kept = series(points.clone());
        assert!(kept.len() <= 4 * COLUMNS && kept.is_sorted(), "{}", kept.len());
        for point in [0, 12_345, 54_321, 99_999] {
            assert!(kept.contains(&points[point]), "{point}");
        }
    }

    #[test]
    fn distributions_end_at_all() {
        assert_eq!(distribution(&[]), vec![]);
        assert_eq!(distribution(&[5]), vec![(5, 1)]);
        assert_eq!(distribution(&[1, 2, 2, 9]), vec![(1, 1), (2, 3), (9, 4)]);
        let many: Vec<u64> = (1..=10_000).collect();
        let points = distribution(&many);
        assert!(points.len() <= COLUMNS + 1 && points.is_sorted());
        assert_eq!((points[0], points[points.len() - 1]), ((1, 1), (10_000, 10_000)));
    }
}
