//! The simulator against theory: a file for each prediction, with its formula, its settings, its tolerance and its source.
//!
//! Each file gives [`Line`]s: what theory says, what the simulator gives, and how far apart they may be. The tests hold the
//! lines; `cargo bench -p swarmlab-sim --bench theory` prints them, and larger ones that no test waits for.

pub(crate) mod conservation;
pub(crate) mod first_copy;
pub(crate) mod fluid;
pub(crate) mod kumar_ross;
pub(crate) mod one_club;
pub(crate) mod optimistic;
pub(crate) mod overhead;
pub(crate) mod rounds;
pub(crate) mod seed_service;
mod swarm;

use std::fmt;
use std::ops::RangeInclusive;

/// A prediction and what came of it.
#[derive(Debug)]
pub(crate) struct Line {
    /// What is predicted, with its unit.
    pub(crate) what: String,
    /// By theory.
    pub(crate) predicted: f64,
    /// By the simulator.
    pub(crate) measured: f64,
    /// Where the measured must lie; `None` for what is shown only.
    pub(crate) allowed: Option<RangeInclusive<f64>>,
}

impl Line {
    /// Must lie in a range of its own.
    fn within(what: String, predicted: f64, measured: f64, allowed: RangeInclusive<f64>) -> Self {
        Line { what, predicted, measured, allowed: Some(allowed) }
    }

    /// Must be so many times the prediction.
    fn times(what: String, predicted: f64, measured: f64, factor: RangeInclusive<f64>) -> Self {
        Self::within(what, predicted, measured, factor.start() * predicted..=factor.end() * predicted)
    }

    /// Must be the prediction.
    fn exact(what: String, predicted: u64, measured: u64) -> Self {
        let (predicted, measured) = (predicted as f64, measured as f64);
        Self::within(what, predicted, measured, predicted..=predicted)
    }

    /// Must be nothing: is to be read.
    fn shown(what: String, predicted: f64, measured: f64) -> Self {
        Line { what, predicted, measured, allowed: None }
    }

    pub(crate) fn holds(&self) -> bool {
        self.allowed.as_ref().is_none_or(|allowed| allowed.contains(&self.measured))
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Line { what, predicted, measured, allowed } = self;
        write!(f, "{what}: predicted {predicted}, measured {measured}, allowed {allowed:?}")
    }
}

/// Fails with every line that does not hold.
fn hold(lines: &[Line]) {
    let broken: Vec<String> = lines.iter().filter(|line| !line.holds()).map(Line::to_string).collect();
    assert!(broken.is_empty() && !lines.is_empty(), "\n{}", broken.join("\n"));
}
