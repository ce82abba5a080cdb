//! What is kept of a run: the figures that are averaged over runs.

use std::time::Duration;

use swarmlab_sim::{End, Group, Model, Outcome, PeerOutcome, Role};

use super::http::{self, Download};
use crate::bound::{self, Parts, Share};
use crate::numbers::micros;
use crate::results::{download_time, makespan};
use crate::statistics::{mean, quantile};

/// Figures of one run. Times are microseconds, bytes those of the content as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The seed of the run.
    pub seed: u64,
    /// The times of the nodes that are waited for; `None` unless all of them completed.
    pub times: Option<Times>,
    /// Why it ended.
    pub end: End,
    /// What the seeds sent.
    pub seeds_sent: u64,
    /// The physical bounds on the last completion.
    pub bound: Option<Parts>,
    /// The same nodes served by plain HTTP.
    pub http: Option<Times>,
    /// How much of each resource content took.
    pub used: Used,
    /// Median times by group.
    pub medians: Vec<Option<u64>>,
}

/// How long downloads take, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// Mean over the nodes, from a node's start to its last piece.
    pub mean: u64,
    /// Median.
    pub p50: u64,
    /// 95 % take no longer.
    pub p95: u64,
    /// 99 % take no longer.
    pub p99: u64,
    /// From the first start to the last completion.
    pub last: u64,
}

/// Content moved of what links could have moved until the last completion, in millionths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// Uplinks of the seeds.
    pub seeds: u64,
    /// Uplinks of all other nodes.
    pub uplinks: u64,
    /// Downlinks of the nodes that are waited for, each until it is done.
    pub downlinks: u64,
}

impl Times {
    fn of(mut times: Vec<u64>, last: u64) -> Option<Times> {
        times.sort_unstable();
        let at = |per_mille| quantile(&times, per_mille);
        Some(Times { mean: mean(&times)?, p50: at(500)?, p95: at(950)?, p99: at(990)?, last })
    }
}

impl Record {
    /// Of a run of a model, or of its coarse form: the outcome's bytes are those of `fine` divided by `divisor`.
    pub fn of(fine: &Model, divisor: u64, outcome: &Outcome) -> Record {
        let awaited = || outcome.peers.iter().filter(|peer| peer.lacked > 0 && awaits(fine, peer));
        let times = awaited().filter_map(download_time).map(micros).collect();
        let last = makespan(fine, outcome).filter(|_| outcome.end == End::LeechersDone);
        let seeds = || outcome.peers.iter().filter(|peer| is_seed(fine, peer));
        Record {
            seed: fine.seed,
            times: last.and_then(|last| Times::of(times, micros(last))),
            end: outcome.end.clone(),
            seeds_sent: seeds().map(|peer| peer.uploaded * divisor).sum(),
            bound: bound::parts_of_run(fine, outcome),
            http: http_of(fine, divisor, outcome),
            used: used(fine, divisor, outcome),
            medians: medians(fine, outcome),
        }
    }
}

fn group<'a>(model: &'a Model, peer: &PeerOutcome) -> Option<&'a Group> {
    model.groups.get(peer.group as usize)
}

fn awaits(model: &Model, peer: &PeerOutcome) -> bool {
    group(model, peer).is_some_and(|group| model.awaits(group))
}

fn is_seed(model: &Model, peer: &PeerOutcome) -> bool {
    group(model, peer).is_some_and(|group| group.role == Role::Seed)
}

fn http_of(model: &Model, divisor: u64, outcome: &Outcome) -> Option<Times> {
    let share = Share::of(model.network.framing);
    let download = |peer: &PeerOutcome| {
        let group = group(model, peer).filter(|group| model.awaits(group))?;
        let (join, length) = (micros(peer.join?), peer.lacked * divisor);
        (length > 0).then(|| Download { join, length, down: share.goodput(group.down) })
    };
    let seeds = model.groups.iter().filter(|group| group.role == Role::Seed);
    let up = seeds.map(|group| share.goodput(group.up) * u64::from(group.count)).sum();
    let served = http::serve(outcome.peers.iter().filter_map(download).collect(), up)?;
    Times::of(served.times, served.last)
}

fn used(model: &Model, divisor: u64, outcome: &Outcome) -> Used {
    let goodput = |rate| u128::from(Share::of(model.network.framing).goodput(rate));
    let present = |peer: &PeerOutcome, until: Option<Duration>| {
        let end = until.unwrap_or(outcome.simulated).min(outcome.simulated);
        peer.join.map_or(0, |join| end.saturating_sub(join).as_micros())
    };
    let share = |moved: u128, able: u128| {
        (moved * 1_000_000 * 1_000_000).checked_div(able).map_or(0, |share| share.min(1_000_000) as u64)
    };
    let up = |seeds: bool| {
        let (mut moved, mut able) = (0, 0);
        for peer in outcome.peers.iter().filter(|peer| is_seed(model, peer) == seeds) {
            let rate = group(model, peer).map_or(0, |group| goodput(group.up));
            moved += u128::from(peer.uploaded * divisor);
            able += rate * present(peer, peer.leave);
        }
        share(moved, able)
    };
    let (mut moved, mut able) = (0, 0);
    for peer in outcome.peers.iter().filter(|peer| peer.lacked > 0 && awaits(model, peer)) {
        let rate = group(model, peer).map_or(0, |group| goodput(group.down));
        moved += u128::from(peer.downloaded * divisor);
        able += rate * present(peer, peer.complete.or(peer.leave));
    }
    Used { seeds: up(true), uplinks: up(false), downlinks: share(moved, able) }
}

fn medians(model: &Model, outcome: &Outcome) -> Vec<Option<u64>> {
    let mut times = vec![Vec::new(); model.groups.len()];
    for peer in &outcome.peers {
        if let (Some(time), Some(times)) = (download_time(peer), times.get_mut(peer.group as usize)) {
            times.push(micros(time));
        }
    }
    let median = |mut times: Vec<u64>| {
        times.sort_unstable();
        quantile(&times, 500)
    };
    times.into_iter().map(median).collect()
}
