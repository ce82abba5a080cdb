//! `calibrate`: what a real network loses against the simulated one, fitted from small real runs.
//!
//! Each [`Case`] is a scenario that was really run, once or several times, with the times it took. The scenario is simulated
//! with its links at their nominal rate and at a lower one. The mean time of its nodes is then, closely, `c + d x`, where `x` is one
//! over the share of the rate that links give: `d` is the part of the time that goes with the rate, `c` is the part that does
//! not. What was measured is `startup + c + d x`. So
//!
//! - with one length of content only `x` can be told; a late start would look like a slow link, and `startup` is 0;
//! - with two lengths or more, `x` and `startup` are the line of least squares through the points `(d, measured - c)`, if they lie
//!   far enough apart: the model itself may be off by 3 %, which lengths close to each other would turn into minutes.
//!
//! The fit is repeated with the rate found, so the two simulated rates end near it; then the scenarios are simulated with what was
//! found, and the errors that remain are told ([`Fit::cases`]). A rate that the runs do not tell (its 95 % interval from their own spread
//! and that of the simulated ones is wider than a tenth either way), or that no link has, is refused.

mod case;
mod line;
#[cfg(test)]
mod tests;
mod text;

use serde::Serialize;
use swarmlab_sim::Model;

use crate::numbers::{Decimal, Signed};
use crate::predict::{Calibration, Estimate, Times};

pub use case::{Case, CaseError};

use line::Point;

/// Seeds each scenario is simulated with.
const SEEDS: u64 = 5;
/// Rounds of the fit.
const ROUNDS: usize = 3;
/// The rate simulated beside the nominal one at first, in millionths.
const LOWER: u64 = 800_000;
/// By how much the model may be off, in millionths of a time: what real swarms showed (`docs/fidelity.md`).
const MODEL: u64 = 30_000;
/// Widest half of the interval of the rate, in millionths of it.
const WIDEST: u64 = 100_000;

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub struct Fit {
    /// `calibrate/1`.
    pub schema: &'static str,
    /// What goes into predictions.
    pub calibration: Calibration,
    /// Half of the 95 % interval of the rate, as a share of it.
    pub rate_half: Decimal,
    /// Whether the start-up time was fitted: only runs with two lengths of content, one much longer, tell it.
    pub startup_fitted: bool,
    /// What remains, scenario by scenario.
    pub cases: Vec<Residual>,
}

/// How far a simulation with what was found is from a real scenario.
#[derive(Clone, Debug, Serialize)]
pub struct Residual {
    /// Where the runs come from.
    pub name: String,
    /// Real runs of it.
    pub runs: u64,
    /// Their mean time in seconds.
    pub real_mean_seconds: Decimal,
    /// The simulated mean without the calibration, over the real one, less one.
    pub mean_before: Option<Signed>,
    /// The same with it.
    pub mean: Option<Signed>,
    /// Of the median.
    pub p50: Option<Signed>,
    /// Of the time within which 95 % are done.
    pub p95: Option<Signed>,
    /// Of the last completion.
    pub last: Option<Signed>,
}

/// Why nothing was found.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum FitError {
    /// There is no run.
    #[error("there is no real run to fit")]
    NoCase,
    /// The user wants it to stop.
    #[error("it was stopped")]
    Stopped,
    /// A simulated swarm does not end.
    #[error(
        "the simulation of {0} ends before all nodes are complete, so there is nothing to hold its times against"
    )]
    Unfinished(String),
    /// The time does not go with the rate of links.
    #[error(
        "the time of these swarms hardly depends on the rate of links, so it does not tell their rate; take a larger content"
    )]
    Insensitive,
    /// The runs differ too much.
    #[error(
        "the rate would be {rate} of the nominal one, uncertain by {half}: these runs differ too much among themselves to tell; \
         make more of them, or take a larger content"
    )]
    Uncertain {
        /// What it would be.
        rate: String,
        /// Half of its interval, as a share of it.
        half: String,
    },
    /// No link is like that.
    #[error(
        "the links would give {0} of their nominal rate: this network has other links than the scenario says, or something \
         else than its links holds it up"
    )]
    Absurd(String),
}

/// Figures of the runs of each model handed in, in the same order; `None` where a run did not end, or if it was stopped.
pub type Simulate<'a> = dyn Fn(Vec<Model>) -> Option<Vec<Option<Times>>> + 'a;

/// Fits what these runs tell. `simulate` runs models, as many at a time as it likes.
///
/// # Errors
/// When the runs do not tell it.
pub fn fit(cases: &[Case], simulate: &Simulate<'_>) -> Result<Fit, FitError> {
    if cases.is_empty() {
        return Err(FitError::NoCase);
    }
    let nominal = simulated(cases, 1_000_000, simulate)?;
    let (mut other, mut rate) = (simulated(cases, LOWER, simulate)?, LOWER);
    let lengths = lengths_differ(cases);
    let mut found = Found { rate: 1_000_000, startup: None, half: 0 };
    for round in 0..ROUNDS {
        let points = points(cases, &nominal, &other, rate);
        found = solve(&points, lengths)?;
        // A rate too near the nominal one makes no second point.
        let apart = found.rate.abs_diff(1_000_000) >= 20_000;
        if round + 1 < ROUNDS && apart && (100_000..=2_000_000).contains(&found.rate) {
            rate = found.rate;
            other = simulated(cases, rate, simulate)?;
        }
    }
    judge(&found)?;
    let calibration = Calibration { rate: found.rate, startup_us: found.startup.unwrap_or(0) };
    let after = simulated(cases, found.rate, simulate)?;
    let residual = |(case, (before, after)): (&Case, (&Vec<Times>, &Vec<Times>))| {
        residual(case, before, after, calibration.startup_us)
    };
    let cases = cases.iter().zip(nominal.iter().zip(&after)).map(residual).collect();
    let rate_half = Decimal::ratio(found.half.into(), found.rate.into()).unwrap_or(Decimal::micros(0));
    Ok(Fit { schema: "calibrate/1", calibration, rate_half, startup_fitted: found.startup.is_some(), cases })
}

/// A rate in millionths, half of its interval likewise, and a start-up time in microseconds if it can be told.
struct Found {
    rate: u64,
    half: u64,
    startup: Option<u64>,
}

fn judge(found: &Found) -> Result<(), FitError> {
    let share = |millionths: u64| Decimal::micros(millionths).percent();
    if !(100_000..=2_000_000).contains(&found.rate) {
        return Err(FitError::Absurd(share(found.rate)));
    }
    let half = u128::from(found.half) * 1_000_000 / u128::from(found.rate);
    if half > u128::from(WIDEST) {
        let half = Decimal::micros(u64::try_from(half).unwrap_or(u64::MAX)).percent();
        return Err(FitError::Uncertain { rate: share(found.rate), half });
    }
    Ok(())
}

/// Whether the longest content is at least half as long again as the shortest: then lengths tell a start from a rate.
fn lengths_differ(cases: &[Case]) -> bool {
    let lengths = || cases.iter().map(|case| u128::from(case.model.content.layout.length()));
    let (Some(least), Some(most)) = (lengths().min(), lengths().max()) else { return false };
    2 * most >= 3 * least
}

/// The times of each case at this rate, a row for each seed.
fn simulated(cases: &[Case], rate: u64, simulate: &Simulate<'_>) -> Result<Vec<Vec<Times>>, FitError> {
    let links = Calibration { rate, startup_us: 0 };
    let models = cases.iter().flat_map(|case| {
        let model = links.apply(&case.model);
        (0..SEEDS).map(move |seed| Model { seed: model.seed.wrapping_add(seed), ..model.clone() })
    });
    let times = simulate(models.collect()).ok_or(FitError::Stopped)?;
    let rows = times.chunks(SEEDS as usize).zip(cases);
    rows.map(|(row, case)| {
        let row: Option<Vec<Times>> = row.iter().copied().collect();
        row.ok_or_else(|| FitError::Unfinished(case.name.clone()))
    })
    .collect()
}

fn mean_of(values: impl Iterator<Item = u64>) -> Estimate {
    let values: Vec<i64> = values.map(|value| i64::try_from(value).unwrap_or(i64::MAX)).collect();
    Estimate::of(&values).expect("a case has runs, and is simulated with several seeds")
}

/// What each case says: the part of its time that goes with the rate, and the measured time less the other part.
fn points(cases: &[Case], nominal: &[Vec<Times>], other: &[Vec<Times>], rate: u64) -> Vec<Point> {
    let mean = |times: &Vec<Times>| mean_of(times.iter().map(|times| times.mean));
    cases
        .iter()
        .zip(nominal.iter().zip(other))
        .map(|(case, (nominal, other))| {
            let (nominal, other) = (mean(nominal), mean(other));
            let real = mean_of(case.runs.iter().map(|run| run.mean));
            // c + d = nominal, c + d / rate = other.
            let slope =
                i128::from(other.mean - nominal.mean) * i128::from(rate) / (1_000_000 - i128::from(rate));
            let rest = i128::from(nominal.mean) - slope;
            let unsure = [real.half, nominal.half].map(|half| u128::from(half.unwrap_or(0)));
            Point {
                slope: i64::try_from(slope).unwrap_or(i64::MAX),
                value: i64::try_from(i128::from(real.mean) - rest).unwrap_or(i64::MAX),
                unsure: unsure.iter().map(|half| half * half).sum::<u128>().isqrt() as u64,
            }
        })
        .collect()
}

fn solve(points: &[Point], lengths: bool) -> Result<Found, FitError> {
    // A tenth of the time, at least, must go with the rate.
    if points.iter().any(|point| point.slope <= 0 || point.slope < point.value / 10) {
        return Err(FitError::Insensitive);
    }
    let with_start = if lengths && are_apart(points) { line::with_intercept(points) } else { None };
    let (over, startup) = match with_start {
        Some((over, startup)) if startup >= 0 => (over, Some(startup as u64)),
        Some(_) => (line::through_origin(points), Some(0)),
        None => (line::through_origin(points), None),
    };
    if over <= 0 {
        return Err(FitError::Insensitive);
    }
    let rate = 1_000_000_000_000 / over as u64;
    // An error of the value is one of the same share of x, and so of the rate.
    let half = points
        .iter()
        .map(|point| u128::from(point.unsure) * u128::from(rate) / point.slope.unsigned_abs().max(1) as u128)
        .min()
        .unwrap_or(0);
    Ok(Found { rate, half: u64::try_from(half).unwrap_or(u64::MAX), startup })
}

/// Whether errors of the model and of the runs leave the slope of a line through these points certain enough.
fn are_apart(points: &[Point]) -> bool {
    let slopes = || points.iter().map(|point| point.slope);
    let (Some(least), Some(most)) = (slopes().min(), slopes().max()) else { return false };
    let square = |point: &Point| {
        let model = u128::from(point.value.unsigned_abs()) * u128::from(MODEL) / 1_000_000;
        model * model + u128::from(point.unsure) * u128::from(point.unsure)
    };
    let unsure = points.iter().map(square).sum::<u128>().isqrt();
    unsure * 1_000_000 <= u128::from(most.abs_diff(least)) * u128::from(WIDEST)
}

fn residual(case: &Case, before: &[Times], after: &[Times], startup: u64) -> Residual {
    let error = |simulated: &[Times], startup: u64, part: fn(&Times) -> u64| {
        let real = mean_of(case.runs.iter().map(part)).mean;
        let simulated = mean_of(simulated.iter().map(part)).mean + startup as i64;
        Signed::ratio(i128::from(simulated - real), real.unsigned_abs().into())
    };
    Residual {
        name: case.name.clone(),
        runs: case.runs.len() as u64,
        real_mean_seconds: Decimal::micros(mean_of(case.runs.iter().map(|run| run.mean)).mean.unsigned_abs()),
        mean_before: error(before, 0, |times| times.mean),
        mean: error(after, startup, |times| times.mean),
        p50: error(after, startup, |times| times.p50),
        p95: error(after, startup, |times| times.p95),
        last: error(after, startup, |times| times.last),
    }
}
