//! What is recorded of a run: how much of each node, what befalls the swarm, and who gets it.
//!
//! Nodes add records to a list of their worker's. At fixed simulated times, edges of windows, the lists are put together in the
//! order of time and node and passed on: so the records are the same for any number of threads.

use core::fmt;
use core::time::Duration;
use std::collections::VecDeque;
use std::sync::Mutex;

use swarmlab_trace::{Entry, Fault, GroupSample, Level, Phase, Record, Recorded, Sample};

use crate::event::NodeId;
use crate::world::Tally;
use crate::{FaultKind, Model, Target};

/// Blocks that are recorded in full, about: some ten records each.
const BLOCKS: u64 = 200_000;
/// Pieces of nodes that are recorded as pieces, about.
const PIECES: u64 = 2_000_000;

/// What is recorded, and who gets it.
pub struct Recording<'a> {
    /// How much of each node.
    pub levels: Levels,
    /// Records are passed on at least this often, in simulated time; 100 ms are right for somebody who watches.
    pub every: Duration,
    /// Gets the records in order, with the time up to which they are whole; none if nothing happened. It may take as long as it
    /// likes: the simulation waits meanwhile, and nothing in it changes by that.
    pub sink: &'a mut dyn FnMut(Duration, &[Entry]),
}

impl fmt::Debug for Recording<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording").field("levels", &self.levels.recorded()).finish_non_exhaustive()
    }
}

/// How much of each node is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Levels(Box<[Level]>);

impl Levels {
    /// Of `full` nodes everything; without a number, of as many as make about 200,000 blocks. Of further ones their pieces, as
    /// long as that makes no more than about 2,000,000. Of the rest that they come, complete and go. Each group has its share of
    /// each level, at least one node of what is left, spread evenly over its numbers.
    pub fn choose(model: &Model, full: Option<u32>) -> Self {
        let counts: Vec<u64> = model.groups.iter().map(|group| group.count.into()).collect();
        let layout = &model.content.layout;
        let blocks = layout.length().div_ceil(layout.block_len().into()).max(1);
        let full = full.map_or(BLOCKS.div_ceil(blocks), u64::from);
        let pieces = PIECES / u64::from(layout.piece_count().max(1));
        let mut levels = vec![Level::Life; counts.iter().sum::<u64>() as usize];
        for (level, budget) in [(Level::Messages, full), (Level::Pieces, pieces)] {
            raise(&mut levels, &counts, level, budget);
        }
        Levels(levels.into())
    }

    /// How much of a node.
    pub fn of(&self, node: NodeId) -> Level {
        self.0.get(node as usize).copied().unwrap_or(Level::Seen)
    }

    /// How many nodes at which level.
    pub fn recorded(&self) -> Recorded {
        let count = |level| self.0.iter().filter(|of| **of == level).count() as u64;
        Recorded { messages: count(Level::Messages), pieces: count(Level::Pieces), life: count(Level::Life) }
    }
}

/// Raises so many nodes of which only the life is recorded to a level, evenly over the groups.
fn raise(levels: &mut [Level], counts: &[u64], level: Level, budget: u64) {
    let all: u64 = counts.iter().sum();
    let (mut first, mut left, mut nodes_left) = (0, budget.min(all), all);
    for &count in counts {
        let group = &mut levels[first..first + count as usize];
        // What is left is shared with the groups that follow; nobody goes without.
        let share = (u128::from(left) * u128::from(count)).div_ceil(u128::from(nodes_left.max(1))) as u64;
        let mut free: Vec<&mut Level> = group.iter_mut().filter(|of| **of == Level::Life).collect();
        let (of, take) = (free.len(), (share as usize).min(free.len()));
        (0..take).for_each(|at| *free[at * of / take] = level);
        left -= take as u64;
        nodes_left -= count;
        first += count as usize;
    }
}

/// Puts the records together and passes them on: the first worker's.
pub(crate) struct Recorder<'a> {
    sink: &'a mut dyn FnMut(Duration, &[Entry]),
    /// What is made to go wrong, in order of time.
    faults: VecDeque<Entry>,
    /// Vectors to use again: records as they were taken, their order, and in it.
    taken: Vec<Entry>,
    order: Vec<u128>,
    batch: Vec<Entry>,
}

impl<'a> Recorder<'a> {
    pub(crate) fn new(model: &Model, sink: &'a mut dyn FnMut(Duration, &[Entry])) -> Self {
        let mut faults: Vec<Entry> = model.faults.iter().flat_map(|fault| moments(model, fault)).collect();
        faults.sort_by_key(|entry| entry.at);
        let (taken, order, batch) = (Vec::new(), Vec::new(), Vec::new());
        Recorder { sink, faults: faults.into(), taken, order, batch }
    }

    /// Passes on everything before a time, in microseconds, and the sample of that time if there is one.
    pub(crate) fn pass_on(&mut self, at: u64, sample: Option<&Tally>, records: &Mutex<Vec<Entry>>) {
        if let Ok(mut records) = records.lock() {
            std::mem::swap(&mut self.taken, &mut *records);
        }
        while self.faults.front().is_some_and(|fault| fault.at < at) {
            self.taken.extend(self.faults.pop_front());
        }
        self.sort();
        self.batch
            .extend(sample.map(|tally| Entry { at, record: Record::Sample(Box::new(sample_of(tally))) }));
        (self.sink)(Duration::from_micros(at), &self.batch);
        self.batch.clear();
    }

    /// Moves what was taken into the batch, by time and node. A node's own records stay in their order; what is nobody's comes
    /// before them.
    fn sort(&mut self) {
        let key = |(place, entry): (usize, &Entry)| {
            let node = entry.record.node().map_or(0, |node| node + 1);
            u128::from(entry.at) << 64 | u128::from(node) << 32 | place as u128
        };
        self.order.clear();
        self.order.extend(self.taken.iter().enumerate().map(key));
        self.order.sort_unstable();
        let taken = &mut self.taken;
        self.batch.extend(self.order.iter().map(|key| {
            let entry = &mut taken[*key as u32 as usize];
            Entry { at: entry.at, record: std::mem::replace(&mut entry.record, Record::Lost(0)) }
        }));
        self.taken.clear();
    }
}

fn sample_of(tally: &Tally) -> Sample {
    Sample {
        rarest: tally.holders.iter().copied().min().unwrap_or(0).into(),
        announces: tally.tracker.announces,
        up: tally.up_capacity,
        groups: tally
            .groups
            .iter()
            .map(|group| GroupSample {
                leechers: group.leechers.into(),
                seeds: group.seeds.into(),
                completed: group.completed.into(),
                uploaded: group.uploaded,
                downloaded: group.downloaded,
            })
            .collect(),
    }
}

/// When a fault begins and ends, in words as well.
fn moments(model: &Model, fault: &crate::Fault) -> Vec<Entry> {
    use swarmlab_trace::FaultKind as Kind;
    let name = |group: u32| model.groups.get(group as usize).map_or("", |group| group.name.as_str());
    let some = |target: &Target| format!("{} of {}", target.count, name(target.group));
    let (kind, group, text) = match &fault.kind {
        FaultKind::TrackerDown => (Kind::TrackerDown, None, "the tracker does not answer".to_owned()),
        FaultKind::Partition(one, other) => (
            Kind::Partition,
            Some(*one),
            format!("nothing passes between {} and {}", name(*one), name(*other)),
        ),
        FaultKind::Reset(target) => (Kind::Reset, Some(target.group), format!("links of {}", some(target))),
        FaultKind::Crash(target) => (Kind::Crash, Some(target.group), some(target)),
        FaultKind::DiskSlow(target, rate) => {
            (Kind::DiskSlow, Some(target.group), format!("{}, {rate} bytes per second", some(target)))
        }
        FaultKind::DiskFull(target) => (Kind::DiskFull, Some(target.group), some(target)),
    };
    let entry = |at: u64, phase| Entry {
        at,
        record: Record::Fault(Box::new(Fault { kind, phase, group, text: text.clone() })),
    };
    let begins = fault.at.as_micros() as u64;
    let at_once = matches!(fault.kind, FaultKind::Reset(_));
    match fault.length {
        _ if at_once => vec![entry(begins, Phase::AtOnce)],
        Some(length) => {
            let ends = begins.saturating_add(length.as_micros() as u64);
            vec![entry(begins, Phase::Begins), entry(ends, Phase::Ends)]
        }
        None => vec![entry(begins, Phase::Begins)],
    }
}
