//! The time no swarm can beat: a lower bound on the last completion, after Kumar and Ross ("Peer-assisted file distribution:
//! the minimum distribution time", HOTWEB 2006), generalised to nodes that come one after another and to nodes that hold a
//! part from the start.
//!
//! Kumar and Ross have `N` leechers that come together and lack all `F` bytes, seeds with the uplink `u_S` in all, and
//! leechers with uplinks `u_i` and downlinks `d_i`. Nobody can be last before
//! `max(F / u_S, F / min d_i, N F / (u_S + sum u_i))`. Each of the three has a form here that holds in every run:
//!
//! - **Downlink.** A node that comes at `a` and lacks `b` bytes takes them through its own downlink, so it is not complete
//!   before `a + b / d`. The bound is the latest of these.
//! - **Seeds.** A byte that no node but the seeds holds at its arrival leaves a seed at least once, and not before the first
//!   node comes that lacks anything. There are at least `F - (what all partial nodes hold together)` such bytes, and every leecher
//!   lacks all of them. They take the uplinks of the seeds, each from its arrival.
//! - **Uplinks.** For any moment `s`: what the nodes that come at `s` or later lack is sent after `s`, by nodes that are
//!   there, so it takes all uplinks together, each from its arrival. For the first arrival this is the third term of Kumar
//!   and Ross; the later ones matter where much arrives late. The bound is the latest over all `s`.
//!
//! The bound is below every possible run because everything that makes runs slower is left out: latency, headers and
//! messages of the protocol, what is sent twice, what a node cannot send since it has nothing yet, nodes that leave, crash or
//! refuse connections (all take capacity away, or add to what must be sent), whole pieces. What makes a run faster
//! is counted in full: nodes that do not wait for the end, free riders too, count with their whole uplink; rates are what
//! content gets of a link at most (with Ethernet framing 1,448 of 1,514 bytes); and every division is rounded down.
//!
//! The bound is on the *honest* leechers, for whom a run waits. There is none (`None`) where the last completion means nothing: no
//! honest leecher, a run that ends by time, leechers that may give up or be cut off for good.

#[cfg(test)]
mod tests;

use std::time::Duration;

use swarmlab_sim::{Arrive, End, FaultKind, Framing, Group, Model, Outcome, PeerOutcome, Role, Stop};

use crate::numbers::micros;

/// A lower bound on the last completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// From the first arrival of an honest leecher to the last completion, at least.
    pub time: Duration,
    /// Which part of the network sets it.
    pub limit: Limit,
}

/// What sets a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// The downlink of one node.
    Downlink,
    /// The uplinks of the seeds.
    Seeds,
    /// The uplinks of all nodes together.
    Uplinks,
}

impl Limit {
    /// What it is, in words: "the bound is set by ..".
    pub fn words(self) -> &'static str {
        match self {
            Limit::Downlink => "the slowest downlink",
            Limit::Seeds => "the seeds' uplinks",
            Limit::Uplinks => "all uplinks together",
        }
    }
}

/// The three lower bounds that [`Bound`] is the largest of, each from the first arrival of an honest leecher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    /// What the slowest downlinks take.
    pub downlink: Duration,
    /// What the seeds' uplinks take for what only they have.
    pub seeds: Duration,
    /// What all uplinks together take.
    pub uplinks: Duration,
}

impl Parts {
    /// The largest of them, and whose it is.
    pub fn bound(self) -> Bound {
        let time = self.downlink.max(self.seeds).max(self.uplinks);
        let limit = match () {
            () if time == self.downlink => Limit::Downlink,
            () if time == self.seeds => Limit::Seeds,
            () => Limit::Uplinks,
        };
        Bound { time, limit }
    }
}

/// What the bound needs to know of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// When it comes at the earliest, in microseconds.
    pub join: u64,
    /// Bytes it lacks when it comes; 0 for a seed.
    pub lacks: u64,
    /// Its uplink in bytes per second.
    pub up: u64,
    /// Its downlink in bytes per second.
    pub down: u64,
    /// Whether the end of the run waits for it.
    pub awaited: bool,
}

/// The bound for a run; `None` where it has none (see the module).
pub fn of_run(model: &Model, outcome: &Outcome) -> Option<Bound> {
    parts_of_run(model, outcome).map(Parts::bound)
}

/// The bounds by part of the network for a run; `None` where it has none.
pub fn parts_of_run(model: &Model, outcome: &Outcome) -> Option<Parts> {
    if model.run.stop == Stop::Never || !all_are_to_complete(model) {
        return None;
    }
    let end = micros(outcome.simulated);
    let node = |peer: &PeerOutcome| {
        let group = model.groups.get(peer.group as usize)?;
        // A process that dies out brings only some of its nodes, and nobody waits for the others.
        let dies_out = matches!(group.arrive, Arrive::Decaying { .. });
        if peer.join.is_none() && (dies_out || outcome.end == End::LeechersDone) {
            return None;
        }
        Some(Node {
            // Who has not come before the end comes after it.
            join: peer.join.map_or(end, micros),
            lacks: lacks(group, peer, model.content.layout.length()),
            up: group.up,
            down: group.down,
            awaited: model.awaits(group),
        })
    };
    let nodes: Vec<Node> = outcome.peers.iter().filter_map(node).collect();
    parts(&nodes, model.content.layout.length(), model.network.framing)
}

fn lacks(group: &Group, peer: &PeerOutcome, length: u64) -> u64 {
    match group.role {
        Role::Seed => 0,
        Role::Leecher => length,
        Role::Partial(_) | Role::AllBut(_) => peer.lacked.min(length),
    }
}

/// Whether nothing in the scenario keeps an honest leecher from the end for good.
fn all_are_to_complete(model: &Model) -> bool {
    let awaited = |group: u32| model.groups.get(group as usize).is_some_and(|group| model.awaits(group));
    let gives_up = model.groups.iter().any(|group| model.awaits(group) && group.abort.is_some());
    let cut_off = model.faults.iter().any(|fault| {
        fault.length.is_none()
            && match fault.kind {
                FaultKind::Crash(target) | FaultKind::DiskFull(target) => {
                    target.count > 0 && awaited(target.group)
                }
                FaultKind::Partition(one, other) => awaited(one) || awaited(other),
                FaultKind::DiskSlow(target, rate) => rate == 0 && target.count > 0 && awaited(target.group),
                FaultKind::TrackerDown | FaultKind::Reset(_) => false,
            }
    });
    !gives_up && !cut_off
}

/// The bound for these nodes and content of this length. `None` without an awaited node that lacks something, and where
/// links of no rate make the end impossible.
pub fn lower_bound(nodes: &[Node], length: u64, framing: Framing) -> Option<Bound> {
    parts(nodes, length, framing).map(Parts::bound)
}

fn parts(nodes: &[Node], length: u64, framing: Framing) -> Option<Parts> {
    let awaited = || nodes.iter().filter(|node| node.awaited && node.lacks > 0);
    let first = awaited().map(|node| node.join).min()?;
    let share = Share::of(framing);
    let mut by_downlink = 0;
    for node in awaited() {
        let time = share.time(node.lacks.into(), node.down.into())?;
        by_downlink = by_downlink.max(node.join.checked_add(time)?);
    }
    let since_first = |end: u64| Duration::from_micros(end.saturating_sub(first));
    Some(Parts {
        downlink: since_first(by_downlink),
        seeds: since_first(from_seeds(nodes, length, share)?),
        uplinks: since_first(from_all(nodes, share)?),
    })
}

/// The earliest end of sending once what only seeds hold. Not only awaited nodes receive it: one that is not may have
/// had it earlier, and hand it on.
fn from_seeds(nodes: &[Node], length: u64, share: Share) -> Option<u64> {
    let held: u128 = nodes
        .iter()
        .filter(|node| node.lacks > 0)
        .map(|node| u128::from(length - node.lacks.min(length)))
        .sum();
    let only_there = u128::from(length).saturating_sub(held);
    let first = nodes.iter().filter(|node| node.lacks > 0).map(|node| node.join).min()?;
    let seeds = nodes.iter().filter(|node| node.lacks == 0).map(|node| (node.join, node.up));
    Capacity::of(seeds.collect(), share).until(first, only_there)
}

/// The latest over all moments `s` of the earliest end of sending what awaited nodes that come at `s` or later lack.
fn from_all(nodes: &[Node], share: Share) -> Option<u64> {
    let capacity = Capacity::of(nodes.iter().map(|node| (node.join, node.up)).collect(), share);
    let mut lacking: Vec<(u64, u64)> = nodes
        .iter()
        .filter(|node| node.awaited && node.lacks > 0)
        .map(|node| (node.join, node.lacks))
        .collect();
    lacking.sort_unstable();
    let (mut latest, mut lacked) = (0, 0_u128);
    for (join, lacks) in lacking.into_iter().rev() {
        // Of several that come together the last one counted sees the sum of all; the others see less.
        lacked += u128::from(lacks);
        latest = latest.max(capacity.until(join, lacked)?);
    }
    Some(latest)
}

/// How much of a link is left for content: `content` of every `link` bytes.
#[derive(Clone, Copy)]
pub(crate) struct Share {
    content: u128,
    link: u128,
}

impl Share {
    /// With Ethernet 1,448 bytes of a TCP segment (1,500 less IP, TCP and its timestamps: 20 + 20 + 12) take 1,514 on the link.
    pub(crate) fn of(framing: Framing) -> Share {
        match framing {
            Framing::Ethernet => Share { content: 1_448, link: 1_514 },
            Framing::None => Share { content: 1, link: 1 },
        }
    }

    /// Bytes of content a second that a link of this rate carries, rounded down.
    pub(crate) fn goodput(self, rate: u64) -> u64 {
        (u128::from(rate) * self.content / self.link) as u64
    }

    /// Work in byte-microseconds per second, times `content`, that moving these bytes is for a link.
    fn work(self, bytes: u128) -> u128 {
        bytes.saturating_mul(self.link).saturating_mul(1_000_000)
    }

    /// The same unit for what a link does in a time. Saturates, which leaves times too short, never too long.
    fn done(self, rate: u128, time: u64) -> u128 {
        rate.saturating_mul(self.content).saturating_mul(time.into())
    }

    /// Microseconds that bytes take at a rate, rounded down; `None` if they never get through.
    fn time(self, bytes: u128, rate: u128) -> Option<u64> {
        if bytes == 0 {
            return Some(0);
        }
        u64::try_from(self.work(bytes).checked_div(self.done(rate, 1))?).ok()
    }
}

/// What links can carry together, over time: a rate from each arrival to the next.
struct Capacity {
    share: Share,
    steps: Vec<Step>,
}

/// From one arrival to the next.
struct Step {
    /// When it begins.
    at: u64,
    /// Bytes per second in it.
    rate: u128,
    /// What has been carried before it, in units of [`Share::done`].
    before: u128,
}

impl Capacity {
    /// Of links that are there from a time on.
    fn of(mut links: Vec<(u64, u64)>, share: Share) -> Capacity {
        links.sort_unstable();
        let mut steps = vec![Step { at: 0, rate: 0, before: 0 }];
        for (at, rate) in links {
            let last = steps.last_mut().expect("there is one at 0");
            if last.at == at {
                last.rate += u128::from(rate);
            } else {
                let before = last.before.saturating_add(share.done(last.rate, at - last.at));
                let rate = last.rate + u128::from(rate);
                steps.push(Step { at, rate, before });
            }
        }
        Capacity { share, steps }
    }

    /// The earliest end of carrying bytes from a moment on, rounded down; `None` if it never ends.
    fn until(&self, from: u64, bytes: u128) -> Option<u64> {
        if bytes == 0 {
            return Some(from);
        }
        let step = &self.steps[self.steps.partition_point(|step| step.at <= from) - 1];
        let done = step.before.saturating_add(self.share.done(step.rate, from - step.at));
        let wanted = done.saturating_add(self.share.work(bytes));
        let step = &self.steps[self.steps.partition_point(|step| step.before < wanted) - 1];
        let time = (wanted - step.before).checked_div(self.share.done(step.rate, 1))?;
        Some(step.at.checked_add(u64::try_from(time).ok()?)?.max(from))
    }
}
