//! How well simulated runs tell what real runs do: errors of times and of bytes, and the distance of the distributions.
//!
//! Both sides are runs as plain numbers ([`Run`]), read from the directories of results ([`read`]); a side is several runs
//! of the same swarm. Each figure is taken of each run by itself; a side's value is the mean over its runs, with its
//! standard error. So a difference can be held against the luck of the draw: real swarms differ from each other too.
//!
//! The [`Targets`] are those of the project unless others are given: mean and median within 5 %, the last completion within
//! 10 %, or within twice the standard error over the real runs where that is more; and the shape of the distribution no
//! more than 0.05 farther from the real runs than these are from each other.

mod csv;
mod distance;
mod estimate;
mod measured;
pub mod read;
mod run;
#[cfg(test)]
mod tests;
pub(crate) mod text;

use serde::Serialize;

use crate::numbers::{Decimal, Signed};
use crate::{report, statistics};

pub use estimate::{Estimate, Figure, Unit};
pub use run::{Peer, Run};

use distance::{apart, farthest};
use run::Part;

/// How far the simulated side may be from the real one. All in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Targets {
    /// Error of mean and median.
    pub centre: u64,
    /// Error of the last completion.
    pub last: u64,
    /// How much farther the simulated shape may be from the real runs than any of these is from the others.
    pub shape: u64,
}

impl Targets {
    /// Those of the project: 5 %, 10 % and 0.05.
    pub const PROJECT: Targets = Targets { centre: 50_000, last: 100_000, shape: 50_000 };
}

/// Two sides compared.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// `compare/1`.
    pub schema: &'static str,
    /// Where the real runs come from, one for each run.
    pub real: Vec<String>,
    /// The same of the simulated ones.
    pub simulated: Vec<String>,
    /// Whether the targets of all leechers together are met; `null` if there is nothing to judge.
    pub within: Option<bool>,
    /// All that came without everything.
    pub overall: Row,
    /// Each group that both sides have, seeds too.
    pub groups: Vec<Row>,
    /// Groups that only the real side has.
    pub only_real: Vec<String>,
    /// Groups that only the simulated side has.
    pub only_simulated: Vec<String>,
    /// What the results of real runs say was otherwise than the scenario, or disturbed; each once.
    pub notes: Vec<String>,
    /// What it was held to.
    #[serde(skip)]
    targets: Targets,
    /// Download times of all runs together, for the picture.
    #[serde(skip)]
    times: Times,
}

/// A group, or all leechers, on both sides.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The group; `all leechers` for all.
    pub name: String,
    /// Peers of it in a real run.
    pub peers: Estimate,
    /// Peers of it in a simulated run.
    pub simulated_peers: Estimate,
    /// Leechers that completed, in all runs, of those that came.
    pub completed: Completed,
    /// Time from join to completion, and the last completion since the first join of any leecher; `null` of seeds.
    pub time: Option<TimeFigures>,
    /// Distance of the distributions of times; `null` of seeds.
    pub distance: Option<Distance>,
    /// Content sent by a peer.
    pub uploaded: Figure,
    /// Content received by a peer, duplicates included, of the runs in which that was measured.
    pub downloaded: Figure,
    /// Sent over received of all peers of it, of the same runs.
    pub share_ratio: Figure,
    #[serde(skip)]
    times: Times,
}

/// How many leechers came and completed, over all runs of a side.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Completed {
    /// That came, real.
    pub real_came: u64,
    /// That completed, real.
    pub real: u64,
    /// That came, simulated.
    pub simulated_came: u64,
    /// That completed, simulated.
    pub simulated: u64,
}

/// Errors of times.
#[derive(Clone, Debug, Serialize)]
pub struct TimeFigures {
    /// Of the mean.
    pub mean: Figure,
    /// Of the median; of an even number of times the middle of the two in the middle.
    pub p50: Figure,
    /// Of the 95 % quantile (nearest rank).
    pub p95: Figure,
    /// Of the last completion.
    pub last: Figure,
}

/// Kolmogorov-Smirnov distances between pooled times: the largest difference of the two distribution functions.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Distance {
    /// Of the times as they are.
    pub raw: Decimal,
    /// After each run's times have been divided by their mean: of the shapes.
    pub shape: Decimal,
    /// The largest that a real run has against the other real runs, raw; `null` of one run.
    pub real_raw: Option<Decimal>,
    /// The same of the shapes.
    pub real_shape: Option<Decimal>,
    /// The most `shape` may be: `real_shape` and the target.
    pub allowed: Option<Decimal>,
    /// Whether it is.
    pub within: Option<bool>,
}

/// Sorted times of all runs of both sides, in microseconds, with how many came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Times {
    pub(crate) real: Vec<u64>,
    pub(crate) real_came: u64,
    pub(crate) simulated: Vec<u64>,
    pub(crate) simulated_came: u64,
    /// The same over the mean of the run, in millionths.
    pub(crate) real_shape: Vec<u64>,
    pub(crate) simulated_shape: Vec<u64>,
}

impl Comparison {
    /// Compares what really happened with what was simulated. Each side must have a run.
    pub fn of(real: &[Run], simulated: &[Run], targets: Targets) -> Comparison {
        let row = |name: &str, group| row(name, targets, &parts(real, group), &parts(simulated, group));
        let overall = row("all leechers", None);
        let (here, there) = (names(real), names(simulated));
        let both = here.iter().filter(|name| there.contains(name));
        let groups = both.map(|name| row(name, Some(name)));
        let without = |some: &[String], others: &[String]| {
            some.iter().filter(|name| !others.contains(name)).cloned().collect()
        };
        Comparison {
            schema: "compare/1",
            real: real.iter().map(|run| run.source.clone()).collect(),
            simulated: simulated.iter().map(|run| run.source.clone()).collect(),
            within: overall.within(),
            groups: groups.collect(),
            only_real: without(&here, &there),
            only_simulated: without(&there, &here),
            notes: notes(real),
            targets,
            times: overall.times.clone(),
            overall,
        }
    }

    /// The `compare/1` document as JSON text, with a line end.
    pub fn json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("plain numbers and texts have a JSON form");
        text.push('\n');
        text
    }

    /// The text a person reads, at most 100 columns wide.
    pub fn summary(&self) -> String {
        text::of(self)
    }

    /// The page with the pictures: one file of HTML that needs nothing else.
    pub fn page(&self) -> String {
        report::comparison::page(self)
    }

    /// The picture alone: both distributions of the times of all leechers, as a file of SVG.
    pub fn picture(&self) -> String {
        report::comparison::picture(self)
    }

    /// The times of all leechers.
    pub(crate) fn times(&self) -> &Times {
        &self.times
    }
}

impl Row {
    /// The times of the group.
    pub(crate) fn times(&self) -> &Times {
        &self.times
    }

    /// Whether every target that can be judged is met; `None` if none can.
    fn within(&self) -> Option<bool> {
        let time = self.time.as_ref();
        let times = time.into_iter().flat_map(|time| [&time.mean, &time.p50, &time.last]);
        let judged: Vec<bool> = times
            .filter_map(|figure| figure.within)
            .chain(self.distance.and_then(|distance| distance.within))
            .collect();
        (!judged.is_empty()).then(|| judged.iter().all(|within| *within))
    }
}

/// Names of the groups of a side, in the order in which they appear.
fn names(runs: &[Run]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for peer in runs.iter().flat_map(|run| &run.peers) {
        if !names.contains(&peer.group) {
            names.push(peer.group.clone());
        }
    }
    names
}

/// What the results of a side note, each once.
fn notes(runs: &[Run]) -> Vec<String> {
    let mut notes: Vec<String> = Vec::new();
    for note in runs.iter().flat_map(|run| &run.notes) {
        if !notes.contains(note) {
            notes.push(note.clone());
        }
    }
    notes
}

fn parts(runs: &[Run], group: Option<&str>) -> Vec<Part> {
    runs.iter().map(|run| Part::of(run, group)).collect()
}

fn row(name: &str, targets: Targets, real: &[Part], simulated: &[Part]) -> Row {
    let figure = |unit: Unit, target: Option<u64>, of: &dyn Fn(&Part) -> Option<u64>| {
        let side = |parts: &[Part]| parts.iter().filter_map(of).collect::<Vec<u64>>();
        Figure::of(unit, &side(real), &side(simulated), target)
    };
    let lacking = real.iter().chain(simulated).any(|part| part.came > 0);
    let time = lacking.then(|| TimeFigures {
        mean: figure(Unit::Time, Some(targets.centre), &|part| statistics::mean(&part.times)),
        p50: figure(Unit::Time, Some(targets.centre), &|part| statistics::median(&part.times)),
        p95: figure(Unit::Time, None, &|part| statistics::quantile(&part.times, 950)),
        last: figure(Unit::Time, Some(targets.last), &|part| part.last),
    });
    let sum = |parts: &[Part], of: fn(&Part) -> u64| parts.iter().map(of).sum::<u64>();
    let counts =
        |parts: &[Part]| Estimate::of(Unit::Count, &parts.iter().map(|part| part.peers).collect::<Vec<_>>());
    let times = Times {
        real: pooled(real, |part| part.times.clone()),
        real_came: sum(real, |part| part.came),
        simulated: pooled(simulated, |part| part.times.clone()),
        simulated_came: sum(simulated, |part| part.came),
        real_shape: pooled(real, Part::shape),
        simulated_shape: pooled(simulated, Part::shape),
    };
    Row {
        name: name.to_owned(),
        peers: counts(real),
        simulated_peers: counts(simulated),
        completed: Completed {
            real_came: times.real_came,
            real: times.real.len() as u64,
            simulated_came: times.simulated_came,
            simulated: times.simulated.len() as u64,
        },
        time,
        distance: distance(real, &times, targets.shape),
        uploaded: figure(Unit::Bytes, None, &|part| part.uploaded.checked_div(part.peers)),
        downloaded: figure(Unit::Bytes, None, &|part| part.downloaded?.checked_div(part.peers)),
        share_ratio: figure(Unit::Ratio, None, &Part::share_ratio),
        times,
    }
}

fn pooled(parts: &[Part], of: impl Fn(&Part) -> Vec<u64>) -> Vec<u64> {
    let mut all: Vec<u64> = parts.iter().flat_map(of).collect();
    all.sort_unstable();
    all
}

/// `None` where one side has no times.
fn distance(real: &[Part], times: &Times, target: u64) -> Option<Distance> {
    let raw = apart(&times.real, &times.simulated)?;
    let shape = apart(&times.real_shape, &times.simulated_shape)?;
    let of_runs = |of: fn(&Part) -> Vec<u64>| farthest(&real.iter().map(of).collect::<Vec<_>>());
    let real_raw = of_runs(|part| part.times.clone());
    let real_shape = of_runs(Part::shape);
    let allowed = real_shape.map(|most| Decimal::micros((most.millionths() as u64).saturating_add(target)));
    let within = allowed.map(|most| shape.millionths() <= most.millionths());
    Some(Distance { raw, shape, real_raw, real_shape, allowed, within })
}

/// `simulated / real - 1`; `None` if the real one is nothing.
fn error(real: u64, simulated: u64) -> Option<Signed> {
    Signed::ratio(i128::from(simulated) - i128::from(real), real.into())
}
