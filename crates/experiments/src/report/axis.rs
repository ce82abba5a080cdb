//! Axes: what a value is called, which round values get a tick, and where a value lies. Times are microseconds, shares and
//! ratios millionths, counts themselves.

use crate::units::{grouped, show_number};

/// Most ticks besides the one at 0.
const TICKS: u64 = 5;
const MILLION: u64 = 1_000_000;

/// An axis from 0 to an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Axis {
    /// What it shows, with its unit.
    pub title: String,
    /// The value at its far end; at least 1.
    pub end: u64,
    /// What one of the shown unit is in values.
    pub unit: u64,
    /// What follows a number in a read-out, with its blank.
    pub suffix: &'static str,
    step: u64,
}

impl Axis {
    /// Time, in the unit that leaves small numbers.
    pub(super) fn time(what: &str, end: u64) -> Axis {
        const UNITS: [(&str, &str, u64); 5] = [
            ("days", " d", 86_400 * MILLION),
            ("hours", " h", 3_600 * MILLION),
            ("minutes", " min", 60 * MILLION),
            ("seconds", " s", MILLION),
            ("milliseconds", " ms", 1_000),
        ];
        let fits = |unit: u64| end / unit >= 3;
        let (name, suffix, unit) = UNITS.into_iter().find(|(_, _, unit)| fits(*unit)).unwrap_or(UNITS[4]);
        let end = end.max(unit);
        Axis { title: format!("{what}, {name}"), end, unit, suffix, step: step(end, unit, 1) }
    }

    /// Shares from nothing to all.
    pub(super) fn percent(what: &str) -> Axis {
        let (end, unit) = (MILLION, MILLION / 100);
        Axis { title: what.to_owned(), end, unit, suffix: " %", step: end / 4 }
    }

    /// Whole numbers, the end rounded up to a tick.
    pub(super) fn count(what: &str, largest: u64) -> Axis {
        let step = step(largest.max(1), 1, 1).max(1);
        let end = largest.max(1).div_ceil(step).saturating_mul(step);
        Axis { title: what.to_owned(), end, unit: 1, suffix: "", step }
    }

    /// Ratios, the end rounded up to a tick.
    pub(super) fn ratio(what: &str, largest: u64) -> Axis {
        let step = step(largest.max(MILLION), MILLION, 10);
        let end = largest.max(MILLION).div_ceil(step).saturating_mul(step);
        Axis { title: what.to_owned(), end, unit: MILLION, suffix: "", step }
    }

    /// Round values with their labels, from 0 on.
    pub(super) fn ticks(&self) -> Vec<(u64, String)> {
        let values = (0..=TICKS + 1).map(|number| number * self.step).take_while(|value| *value <= self.end);
        values.map(|value| (value, self.label(value))).collect()
    }

    /// A value in the unit, with the decimals its tick needs.
    fn label(&self, value: u64) -> String {
        if self.unit == 1 {
            return if self.end < 10_000 { grouped(value) } else { show_number(value) };
        }
        let thousandths = u128::from(value) * 1_000 / u128::from(self.unit);
        let text = format!("{}.{:03}", thousandths / 1_000, thousandths % 1_000);
        let text = text.trim_end_matches('0').trim_end_matches('.');
        if self.suffix == " %" { format!("{text} %") } else { text.to_owned() }
    }

    /// Where a value lies on a line of this length; beyond the end at the end.
    pub(super) fn place(&self, value: u64, length: i64) -> i64 {
        let value = i128::from(value.min(self.end));
        let place = (value * i128::from(length) + i128::from(self.end / 2)) / i128::from(self.end);
        i64::try_from(place).unwrap_or(length)
    }
}

/// The smallest of 1, 2, 5, 10, .. units (or of their `parts`) that gives few enough ticks.
fn step(end: u64, unit: u64, parts: u64) -> u64 {
    let mut decade = (unit / parts).max(1);
    loop {
        let round = [1, 2, 5].map(|times| decade.saturating_mul(times));
        match round.into_iter().find(|step| end / step <= TICKS) {
            Some(step) => return step,
            None => decade = decade.saturating_mul(10),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> String {
        axis.ticks().into_iter().map(|(_, label)| label).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn ticks_are_few_and_round() {
        const SECOND: u64 = 1_000_000;
        for (end, title, ticks) in [
            (0, "time, milliseconds", "0 1"),
            (2_500_000, "time, milliseconds", "0 500 1000 1500 2000 2500"),
            (13 * SECOND, "time, seconds", "0 5 10"),
            (100 * SECOND, "time, seconds", "0 20 40 60 80 100"),
            (2_200 * SECOND, "time, minutes", "0 10 20 30"),
            (40_000 * SECOND, "time, hours", "0 2 4 6 8 10"),
            (1_000_000 * SECOND, "time, days", "0 2 4 6 8 10"),
        ] {
            let axis = Axis::time("time", end);
            assert_eq!((axis.title.as_str(), labels(&axis).as_str()), (title, ticks), "{end}");
        }
        assert_eq!(labels(&Axis::percent("share")), "0 % 25 % 50 % 75 % 100 %");
        for (largest, ticks) in [
            (0, "0 1"),
            (3, "0 1 2 3"),
            (31, "0 10 20 30 40"),
            (1_001, "0 200 400 600 800 1,000 1,200"),
            (40_000, "0 10 k 20 k 30 k 40 k"),
            (u64::MAX / 2, ""),
        ] {
            let axis = Axis::count("peers", largest);
            assert!(axis.end >= largest && axis.ticks().len() <= 7);
            assert!(ticks.is_empty() || labels(&axis) == ticks, "{largest}: {}", labels(&axis));
        }
        assert_eq!(labels(&Axis::ratio("ratio", 1_230_000)), "0 0.5 1 1.5");
    }

    #[test]
    fn places_reach_from_end_to_end() {
        let axis = Axis::count("n", 40);
        assert_eq!([0, 10, 40, 99].map(|value| axis.place(value, 1000)), [0, 250, 1000, 1000]);
        assert_eq!(Axis::time("t", u64::MAX).place(u64::MAX, 4000), 4000);
    }
}
