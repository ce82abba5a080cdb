//! What is decided before a run begins: when each node comes, what it has then, when it would give up, and what befalls
//! it. All drawn by node and purpose, so that it does not depend on anything that happens in the run.

use core::time::Duration;

use swarmlab_protocol::{Bitfield, PieceIndex, Random};

use crate::draw::{Purpose, below, chance, exponential, seconds, stream};
use crate::event::NodeId;
use crate::{Arrive, FaultKind, Group, Leave, Model, Role, Target};

/// What befalls a node at a time of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mishap {
    /// Every connection breaks.
    Reset,
    /// Every connection to nodes of this group breaks: a partition begins.
    Cut(u16),
    /// The process dies; with `back` it comes again then.
    Crash { back: Option<u64> },
    /// The disk writes so many bytes per second from now on; `None`: as fast as it gets.
    Disk(Option<u64>),
}

/// What is decided of a node.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) group: u16,
    /// When it comes, in microseconds; never at `u64::MAX`.
    pub(crate) join: u64,
    /// Gives up this long after it came if it is not complete.
    pub(crate) patience: Option<Duration>,
    pub(crate) nat: bool,
    /// What befalls it, in order of time.
    pub(crate) mishaps: Vec<(u64, Mishap)>,
}

/// The plans of all nodes, in the order of their numbers.
pub(crate) fn plans(model: &Model) -> Vec<Plan> {
    let mut plans = Vec::new();
    for (number, group) in model.groups.iter().enumerate() {
        let arrivals = arrivals(model.seed, number as u64, group, plans.len() as NodeId);
        for join in arrivals {
            let node = plans.len() as u64;
            let patience = group
                .abort
                .map(|rate| seconds(exponential(&mut stream(model.seed, node, Purpose::Abort)) / rate));
            let nat = chance(&mut stream(model.seed, node, Purpose::Nat), group.nat);
            let start_up = || {
                below(&mut stream(model.seed, node, Purpose::StartUp), group.client.start_up).as_micros()
                    as u64
            };
            let join = if join == Duration::MAX { u64::MAX } else { join.as_micros() as u64 + start_up() };
            plans.push(Plan { group: number as u16, join, patience, nat, mishaps: Vec::new() });
        }
    }
    let mut disks: Vec<Vec<Spoilt>> = vec![Vec::new(); if model.faults.is_empty() { 0 } else { plans.len() }];
    for (number, fault) in model.faults.iter().enumerate() {
        let at = fault.at.as_micros() as u64;
        let end = fault.length.map(|length| at + length.as_micros() as u64);
        let mut random = stream(model.seed, number as u64, Purpose::Faults);
        let mut spoil = |target: &Target, rate| {
            for node in targets(&plans, target, &mut random) {
                disks[node].push(Spoilt { from: at, until: end.unwrap_or(u64::MAX), rate });
            }
        };
        match &fault.kind {
            FaultKind::TrackerDown => {}
            FaultKind::Partition(one, other) => {
                for plan in &mut plans {
                    if u32::from(plan.group) == *one {
                        plan.mishaps.push((at, Mishap::Cut(*other as u16)));
                    } else if u32::from(plan.group) == *other {
                        plan.mishaps.push((at, Mishap::Cut(*one as u16)));
                    }
                }
            }
            FaultKind::Reset(target) => hit(&mut plans, target, (at, Mishap::Reset), &mut random),
            FaultKind::Crash(target) => {
                hit(&mut plans, target, (at, Mishap::Crash { back: end }), &mut random);
            }
            FaultKind::DiskSlow(target, rate) => spoil(target, *rate),
            FaultKind::DiskFull(target) => spoil(target, 0),
        }
    }
    for (plan, spoilt) in plans.iter_mut().zip(&disks) {
        plan.mishaps.extend(changes(spoilt));
    }
    plans.iter_mut().for_each(|plan| plan.mishaps.sort_by_key(|&(at, _)| at));
    plans
}

/// A disk that writes slowly for a time, or (rate 0) not at all.
#[derive(Clone, Copy, Debug)]
struct Spoilt {
    from: u64,
    until: u64,
    rate: u64,
}

/// The changes of a disk with which these things are wrong: of several at a time the worst counts.
fn changes(spoilt: &[Spoilt]) -> Vec<(u64, Mishap)> {
    let mut times: Vec<u64> = spoilt.iter().flat_map(|one| [one.from, one.until]).collect();
    times.retain(|&time| time < u64::MAX);
    times.sort_unstable();
    times.dedup();
    let worst =
        |time| spoilt.iter().filter(|one| (one.from..one.until).contains(&time)).map(|one| one.rate).min();
    times.into_iter().map(|time| (time, Mishap::Disk(worst(time)))).collect()
}

/// Something befalls so many nodes of a group.
fn hit(plans: &mut [Plan], target: &Target, mishap: (u64, Mishap), random: &mut Random) {
    for node in targets(plans, target, random) {
        plans[node].mishaps.push(mishap);
    }
}

/// So many nodes of a group, drawn without replacement.
fn targets(plans: &[Plan], target: &Target, random: &mut Random) -> Vec<usize> {
    let mut nodes: Vec<usize> =
        (0..plans.len()).filter(|&node| u32::from(plans[node].group) == target.group).collect();
    random.shuffle(&mut nodes);
    nodes.truncate(target.count as usize);
    nodes.sort_unstable();
    nodes
}

/// When the nodes of a group come, in the order of their numbers; [`Duration::MAX`] for one that never does.
fn arrivals(seed: u64, number: u64, group: &Group, first: NodeId) -> Vec<Duration> {
    let nodes = 0..group.count;
    // A process is drawn by the group; its stream must not be that of a node.
    let mut process = stream(seed, u64::MAX - number, Purpose::Arrival);
    match &group.arrive {
        Arrive::Together(within) => nodes
            .map(|node| below(&mut stream(seed, u64::from(first + node), Purpose::Arrival), *within))
            .collect(),
        Arrive::At(time) => nodes.map(|_| *time).collect(),
        Arrive::Every(gap) => nodes.map(|node| *gap * node).collect(),
        Arrive::Poisson(rate) => {
            let mut passed = 0.0;
            nodes
                .map(|_| {
                    passed += exponential(&mut process);
                    seconds(passed / rate)
                })
                .collect()
        }
        Arrive::Decaying { rate, tau } => {
            // The process of rate r exp(-t / tau) is one of rate 1 in the time r tau (1 - exp(-t / tau)).
            let (mut passed, tau) = (0.0, tau.as_secs_f64());
            nodes
                .map(|_| {
                    passed += exponential(&mut process);
                    let share = passed / (rate * tau);
                    if share < 1.0 { seconds(-tau * libm::log1p(-share)) } else { Duration::MAX }
                })
                .collect()
        }
        Arrive::Trace(times) => {
            nodes.map(|node| times.get(node as usize).copied().unwrap_or(Duration::MAX)).collect()
        }
    }
}

/// What a node has when it comes.
pub(crate) fn initial_pieces(model: &Model, node: NodeId, group: &Group) -> Bitfield {
    let pieces = model.content.layout.piece_count();
    match group.role {
        Role::Seed => Bitfield::full(pieces),
        Role::Leecher => Bitfield::empty(pieces),
        Role::AllBut(piece) => {
            let mut have = Bitfield::full(pieces);
            have.remove(piece);
            have
        }
        Role::Partial(share) => {
            let mut all: Vec<PieceIndex> = model.content.layout.pieces().collect();
            stream(model.seed, u64::from(node), Purpose::Pieces).shuffle(&mut all);
            // A leecher lacks something: at most all but one.
            let count = (libm::round(share * f64::from(pieces)) as u32).min(pieces.saturating_sub(1));
            let mut have = Bitfield::empty(pieces);
            all.iter().take(count as usize).for_each(|&piece| {
                have.insert(piece);
            });
            have
        }
    }
}

/// How long a node stays after it completed; `None` if that is not decided by time.
pub(crate) fn stay(model: &Model, node: NodeId, group: &Group) -> Option<Duration> {
    match group.leave {
        Leave::OnComplete => Some(Duration::ZERO),
        Leave::Stay | Leave::AtRatio(_) => None,
        Leave::After { time, exponential: false } => Some(time),
        Leave::After { time, exponential: true } => {
            let drawn = exponential(&mut stream(model.seed, u64::from(node), Purpose::Departure));
            Some(seconds(drawn * time.as_secs_f64()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_things_wrong_with_a_disk_the_worst_counts() {
        let spoilt = |from, until, rate| Spoilt { from, until, rate };
        let disk = |time, rate| (time, Mishap::Disk(rate));
        assert_eq!(changes(&[spoilt(5, 9, 100)]), [disk(5, Some(100)), disk(9, None)]);
        assert_eq!(
            changes(&[spoilt(8, u64::MAX, 0), spoilt(1, 8, 100)]),
            [disk(1, Some(100)), disk(8, Some(0))],
            "the end of one is not the end of the other"
        );
        assert_eq!(
            changes(&[spoilt(1, 20, 100), spoilt(5, 9, 0)]),
            [disk(1, Some(100)), disk(5, Some(0)), disk(9, Some(100)), disk(20, None)]
        );
    }
}
