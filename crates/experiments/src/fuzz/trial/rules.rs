//! What must hold of every outcome, whatever was simulated. The checkers of the simulator see what happens in a run; these
//! see what is left of it.

use swarmlab_sim::{Behaviour, End, Model, Outcome, PeerOutcome, Role};

use super::Rule;
use crate::bound;

/// All of them.
pub(super) const ALL: &[Rule<'static>] = &[
    Rule { name: "swarm-bound", check: &swarm_bound },
    Rule { name: "order-of-life", check: &order_of_life },
    Rule { name: "content-adds-up", check: &content_adds_up },
    Rule { name: "completion-is-paid-for", check: &completion_is_paid_for },
    Rule { name: "end-is-true", check: &end_is_true },
    Rule { name: "no-storm", check: &no_storm },
];

/// The last completion is not before the bound of the whole swarm.
fn swarm_bound(model: &Model, outcome: &Outcome) -> Option<String> {
    if outcome.end != End::LeechersDone {
        return None;
    }
    let bound = bound::of_run(model, outcome)?;
    let awaited = |peer: &&PeerOutcome| model.awaits(&model.groups[peer.group as usize]);
    let first = outcome.peers.iter().filter(awaited).filter_map(|peer| peer.join).min()?;
    let last = outcome.peers.iter().filter(awaited).filter_map(|peer| peer.complete).max()?;
    let took = last.saturating_sub(first);
    // Times are whole microseconds.
    let wrong = took.as_micros() + 1 < bound.time.as_micros();
    wrong.then(|| {
        format!("the last completes after {took:?}; {:?} is the least ({})", bound.time, bound.limit.words())
    })
}

/// A node comes, completes and goes, in this order, and nothing after the end.
fn order_of_life(_: &Model, outcome: &Outcome) -> Option<String> {
    let last = outcome.timeline.last().map(|sample| sample.at)?;
    outcome.peers.iter().enumerate().find_map(|(node, peer)| {
        let in_order = match (peer.join, peer.complete, peer.leave) {
            (None, complete, leave) => complete.is_none() && leave.is_none(),
            (Some(join), complete, leave) => {
                let complete_at = complete.unwrap_or(join);
                join <= complete_at
                    && leave.is_none_or(|leave| join <= leave)
                    && join.max(complete_at).max(leave.unwrap_or(join)) <= last
            }
        };
        (!in_order).then(|| format!("node {node}: {peer:?}"))
    })
}

/// What nodes, groups and samples say of content is the same content.
fn content_adds_up(model: &Model, outcome: &Outcome) -> Option<String> {
    let received: u64 = outcome.flows.iter().flatten().sum();
    let sample = outcome.timeline.last()?;
    if sample.downloaded != received {
        return Some(format!("{received} bytes between groups, {} in the last sample", sample.downloaded));
    }
    if sample.uploaded < received {
        return Some(format!("{} bytes sent, {received} received", sample.uploaded));
    }
    let by_nodes: u64 = outcome.peers.iter().map(|peer| peer.downloaded).sum();
    let honest = model.groups.iter().all(|group| group.behaviour == Behaviour::Honest);
    if honest && by_nodes != received {
        return Some(format!("{received} bytes between groups, {by_nodes} received by nodes"));
    }
    None
}

/// Who completes has received what it lacked.
fn completion_is_paid_for(model: &Model, outcome: &Outcome) -> Option<String> {
    let paid = |peer: &PeerOutcome| {
        let group = &model.groups[peer.group as usize];
        let came_with_all = group.role == Role::Seed;
        let lacked = if came_with_all { 0 } else { peer.lacked };
        peer.complete.is_none() || peer.downloaded.saturating_sub(peer.wasted) >= lacked
    };
    outcome.peers.iter().position(|peer| !paid(peer)).map(|node| {
        let peer = &outcome.peers[node];
        let PeerOutcome { lacked, downloaded, wasted, .. } = peer;
        format!("node {node} lacked {lacked} bytes and received {downloaded}, {wasted} of them for nothing")
    })
}

/// A run that ends because all are done ends with all done; one that ends for a lost piece has somebody who lacks it.
fn end_is_true(model: &Model, outcome: &Outcome) -> Option<String> {
    let honest = |peer: &PeerOutcome| model.groups[peer.group as usize].behaviour == Behaviour::Honest;
    let waiting = |peer: &PeerOutcome| {
        honest(peer) && peer.join.is_some() && peer.complete.is_none() && peer.leave.is_none()
    };
    let node = outcome.peers.iter().position(waiting);
    match (&outcome.end, node) {
        (End::LeechersDone, Some(node)) => Some(format!("all are done, but node {node} is not")),
        _ => None,
    }
}

/// Events that a swarm may take, for each second of a node, tenth of a block and pair of nodes: three times what any of some
/// thousand drawn scenarios took.
const STORM: u64 = 30;

/// Nobody keeps the others busy with messages that lead to nothing, such as a request that is refused and made again at
/// once. (Flooders do just that.)
fn no_storm(model: &Model, outcome: &Outcome) -> Option<String> {
    if model.groups.iter().any(|group| group.behaviour == Behaviour::Flooder) {
        return None;
    }
    let seconds: u64 = outcome.peers.iter().map(|peer| peer.present_us / 1_000_000).sum();
    let nodes = outcome.peers.len() as u64;
    let calm = STORM * (seconds + 10 * outcome.blocks + nodes * nodes + 1_000);
    let Outcome { events, blocks, .. } = outcome;
    (*events > calm)
        .then(|| format!("{events} events for {blocks} blocks in {seconds} seconds of {nodes} nodes"))
}
