//! What is decided before a run begins, for who brings the same swarm about by other means: the same draws, so the same nodes
//! come and go at the same times.

use core::time::Duration;

use crate::plan::{Mishap, plans, stay};
use crate::{Group, Model};

/// What is decided of a node. Times are since the start of the run, but as said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodePlan {
    /// Index in [`Model::groups`].
    pub group: u32,
    /// When it comes; `None` if it never does.
    pub join: Option<Duration>,
    /// Gives up this long after it came if it is not complete.
    pub patience: Option<Duration>,
    /// Goes this long after it completed; `None` if that is not decided by time.
    pub stay: Option<Duration>,
    /// Accepts no incoming connection.
    pub nat: bool,
    /// When its process dies, in order of time.
    pub crashes: Vec<CrashPlan>,
}

/// The death of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CrashPlan {
    /// When.
    pub at: Duration,
    /// When it comes again; `None` if it does not.
    pub back: Option<Duration>,
}

/// The plans of all nodes, in the order of their numbers: those that [`crate::run`] follows.
pub fn schedule(model: &Model) -> Vec<NodePlan> {
    let node = |(number, plan): (usize, crate::plan::Plan)| {
        let group: &Group = &model.groups[usize::from(plan.group)];
        let crash = |&(at, mishap): &(u64, Mishap)| match mishap {
            Mishap::Crash { back } => {
                Some(CrashPlan { at: Duration::from_micros(at), back: back.map(Duration::from_micros) })
            }
            _ => None,
        };
        NodePlan {
            group: u32::from(plan.group),
            join: (plan.join != u64::MAX).then(|| Duration::from_micros(plan.join)),
            patience: plan.patience,
            stay: stay(model, number as u32, group),
            nat: plan.nat,
            crashes: plan.mishaps.iter().filter_map(crash).collect(),
        }
    };
    plans(model).into_iter().enumerate().map(node).collect()
}
