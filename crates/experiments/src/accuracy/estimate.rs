//! A figure on both sides: the mean over runs, its standard error, and how far the simulated side is off.

use serde::{Serialize, Serializer};

use super::error;
use crate::numbers::{Decimal, Signed};

/// What a figure counts, which decides how it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Microseconds; seconds in files.
    Time,
    /// Bytes.
    Bytes,
    /// Millionths; a plain number in files.
    Ratio,
    /// Things.
    Count,
}

/// A quantity of several runs. All in its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    unit: Unit,
    /// How many runs have it.
    pub runs: u64,
    /// The mean over them; `None` of none.
    pub mean: Option<u64>,
    /// The standard error of that mean: the standard deviation over runs by the root of their number; `None` of fewer
    /// than two.
    pub standard_error: Option<u64>,
}

impl Estimate {
    /// Of the values of the runs that have it.
    pub(super) fn of(unit: Unit, values: &[u64]) -> Estimate {
        let (runs, mean) = (values.len() as u64, crate::statistics::mean(values));
        Estimate { unit, runs, mean, standard_error: standard_error(values) }
    }

    /// What it counts.
    pub(crate) fn unit(self) -> Unit {
        self.unit
    }

    /// A value in the unit of files.
    fn number(self, value: u64) -> Decimal {
        match self.unit {
            Unit::Time | Unit::Ratio => Decimal::micros(value),
            Unit::Bytes | Unit::Count => Decimal::whole(value),
        }
    }
}

impl Serialize for Estimate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Written {
            runs: u64,
            mean: Option<Decimal>,
            standard_error: Option<Decimal>,
        }
        let number = |value: Option<u64>| value.map(|value| self.number(value));
        Written { runs: self.runs, mean: number(self.mean), standard_error: number(self.standard_error) }
            .serialize(serializer)
    }
}

/// A quantity on both sides.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    /// What the real runs have.
    pub real: Estimate,
    /// What the simulated runs have.
    pub simulated: Estimate,
    /// `simulated / real - 1`, as a share.
    pub error: Option<Signed>,
    /// Most that the error may be either way: the target, or twice the standard error of the real runs where that is
    /// more; `null` where there is no target.
    pub allowed: Option<Decimal>,
    /// Whether it is.
    pub within: Option<bool>,
}

impl Figure {
    /// Of the values of each side's runs, and the target in millionths.
    pub(super) fn of(unit: Unit, real: &[u64], simulated: &[u64], target: Option<u64>) -> Figure {
        let (real, simulated) = (Estimate::of(unit, real), Estimate::of(unit, simulated));
        let error = real.mean.zip(simulated.mean).and_then(|(real, simulated)| error(real, simulated));
        let luck = real
            .standard_error
            .zip(real.mean)
            .and_then(|(luck, mean)| Decimal::ratio(2 * u128::from(luck), mean.into()));
        let allowed = target.map(|target| {
            let target = Decimal::micros(target);
            luck.filter(|luck| luck.millionths() > target.millionths()).unwrap_or(target)
        });
        let within = error.zip(allowed).map(|(error, most)| error.size().millionths() <= most.millionths());
        Figure { real, simulated, error, allowed, within }
    }
}

/// The root of `sum (x - mean)^2 / (n (n - 1))`, rounded down to the unit of the values.
fn standard_error(values: &[u64]) -> Option<u64> {
    let n = values.len() as i128;
    if n < 2 {
        return None;
    }
    let sum: i128 = values.iter().map(|&value| i128::from(value)).sum();
    // Each deviation times n, which keeps them whole.
    let squares = values.iter().map(|&value| (n * i128::from(value) - sum).unsigned_abs().saturating_pow(2));
    let squares = squares.fold(0_u128, u128::saturating_add);
    let n = n.unsigned_abs();
    u64::try_from((squares / (n * n * n * (n - 1))).isqrt()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_errors() {
        // Deviations 1, 0, 1 of the mean 11: the variance is 1, its third 0.333, the root 0.577.
        assert_eq!(standard_error(&[10_000_000, 11_000_000, 12_000_000]), Some(577_350));
        assert_eq!(standard_error(&[5, 5]), Some(0));
        assert_eq!(standard_error(&[5]), None);
        assert_eq!(standard_error(&[]), None);
    }

    #[test]
    fn luck_widens_the_target() {
        let figure = |real: &[u64], simulated: &[u64]| Figure::of(Unit::Time, real, simulated, Some(50_000));
        let close = figure(&[100, 100], &[104]);
        assert_eq!((close.error.unwrap().to_string().as_str(), close.within), ("0.040000", Some(true)));
        let off = figure(&[100, 100], &[94]);
        assert_eq!((off.error.unwrap().to_string().as_str(), off.within), ("-0.060000", Some(false)));
        // Standard error 10 of 100: 20 % are allowed.
        let noisy = figure(&[90_000, 110_000], &[119_000]);
        assert_eq!(
            (noisy.allowed.unwrap().rounded(2).to_string().as_str(), noisy.within),
            ("0.20", Some(true))
        );
        let alone = figure(&[], &[5]);
        assert!(alone.error.is_none() && alone.within.is_none());
    }
}
