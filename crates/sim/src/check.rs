//! Checkers: what must hold in every run, looked at from outside the engine.
//!
//! They watch what nodes hand to each other and what nodes claim, never the engine's own bookkeeping. They change nothing:
//! a run with them has the digest of the run without.

mod witness;

use crate::event::NodeId;
use crate::world::World;
use crate::{Behaviour, Check};

pub(crate) use witness::Witness;

/// An honest leecher gets something useful within this time while somebody who gives holds what it lacks and nothing is
/// broken, in microseconds; see [`patience`]. Far above what choking explains: a leecher gets its optimistic turn every few
/// minutes.
const PATIENCE_US: u64 = 30 * 60 * 1_000_000;
/// Blocks that a node may have to wait for, for each node of the swarm, while the slowest of those who give sends them.
const BLOCKS_AHEAD: u64 = 16;

/// How long an honest leecher may have to wait in this world, in microseconds. Whom nobody can call and whom the tracker
/// told of nobody yet hears of others at its next announce only; and slow uplinks serve many.
pub(crate) fn patience(world: &World) -> u64 {
    let gives =
        |behaviour| matches!(behaviour, Behaviour::Honest | Behaviour::BitTyrant | Behaviour::SuperSeed);
    let groups = world.model.groups.iter();
    let slowest =
        groups.filter(|group| gives(group.behaviour)).map(|group| group.up).min().unwrap_or(1).max(1);
    let blocks = BLOCKS_AHEAD * u64::from(world.tracker());
    let queue = blocks * u64::from(world.layout.block_len()) * 1_000_000 / slowest;
    PATIENCE_US + queue + world.model.tracker.interval.as_micros() as u64
}

/// How much longer it may take until somebody who can only call hears of one that waits for it, in microseconds. The tracker gives
/// some of many addresses with each announce: several times as many announces as would name all, if none were named twice.
pub(crate) fn search(world: &World) -> u64 {
    const TIMES: u64 = 8;
    let asked = world.configs.iter().map(|config| u32::from(config.numwant)).min();
    let told = asked.unwrap_or(0).min(world.model.tracker.numwant).max(1);
    let announces =
        if told < world.tracker() { TIMES * u64::from(world.tracker().div_ceil(told)) } else { 0 };
    announces * world.model.tracker.interval.as_micros() as u64
}

/// What is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Content that left equals content received, in flight and lost with its connection; events that were sent equal
    /// those handled and under way.
    Conservation,
    /// Nobody completes without every piece.
    Complete,
    /// Nobody completes sooner than its downlink allows.
    Bound,
    /// An honest node that can make progress does.
    Progress,
    /// What is stored stays stored, unless the disk lost it.
    Monotone,
    /// No honest node sends or claims what it does not have.
    Honesty,
    /// Every message passes the codec and comes back equal.
    Wire,
    /// What happens at a node happens in order of time, and time passes.
    Order,
    /// No honest node sends what nobody asked for, or asks while it may not or for what it has.
    Manners,
}

impl Rule {
    pub(crate) const ALL: [Rule; 9] = [
        Rule::Conservation,
        Rule::Complete,
        Rule::Bound,
        Rule::Progress,
        Rule::Monotone,
        Rule::Honesty,
        Rule::Wire,
        Rule::Order,
        Rule::Manners,
    ];

    fn name(self) -> &'static str {
        match self {
            Rule::Conservation => "conservation",
            Rule::Complete => "complete-means-all",
            Rule::Bound => "physical-bound",
            Rule::Progress => "progress",
            Rule::Monotone => "nothing-lost",
            Rule::Honesty => "honesty",
            Rule::Wire => "wire-check",
            Rule::Order => "order-of-time",
            Rule::Manners => "manners",
        }
    }
}

/// A rule that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Breach {
    at: u64,
    node: NodeId,
    what: String,
}

/// How often each rule was broken, and the first time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Breaches([(u64, Option<Breach>); Rule::ALL.len()]);

impl Breaches {
    pub(crate) fn add(&mut self, rule: Rule, at: u64, node: NodeId, what: impl FnOnce() -> String) {
        let (count, first) = &mut self.0[rule as usize];
        *count += 1;
        if first.as_ref().is_none_or(|first| (at, node) < (first.at, first.node)) {
            *first = Some(Breach { at, node, what: what() });
        }
    }

    /// Adds another worker's.
    pub(crate) fn merge(&mut self, other: &Breaches) {
        for ((count, first), (more, theirs)) in self.0.iter_mut().zip(&other.0) {
            *count += more;
            let earlier = theirs.as_ref().filter(|theirs| {
                first.as_ref().is_none_or(|ours| (theirs.at, theirs.node) < (ours.at, ours.node))
            });
            if let Some(theirs) = earlier {
                *first = Some(theirs.clone());
            }
        }
    }

    /// What the checkers say at the end.
    pub(crate) fn report(&self) -> Vec<Check> {
        Rule::ALL
            .iter()
            .zip(&self.0)
            .map(|(rule, (failures, first))| Check {
                name: rule.name(),
                failure: first.as_ref().map(|breach| {
                    let Breach { at, node, what } = breach;
                    format!("at {}.{:06} s, node {node}: {what}", at / 1_000_000, at % 1_000_000)
                }),
                failures: *failures,
            })
            .collect()
    }
}
