//! What all nodes of a run share and nobody changes, and what a worker counts for all of its nodes.

use std::sync::Arc;

use swarmlab_protocol::{Config, Layout, MessageKind, PieceIndex};
use swarmlab_trace::Level;

use crate::check::Breaches;
use crate::event::NodeId;
use crate::link::Rate;
use crate::network::Fabric;
use crate::{Behaviour, FaultKind, Levels, MessageCount, Model, Presence};

/// What all nodes of a run share.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) model: Model,
    pub(crate) fabric: Fabric,
    pub(crate) layout: Arc<Layout>,
    /// The group of each node; the tracker's is past the last.
    pub(crate) group_of: Vec<u16>,
    pub(crate) configs: Vec<Arc<Config>>,
    /// The same for nodes that are recorded in full: their engines tell their decisions.
    noted: Vec<Arc<Config>>,
    /// How much of each node is recorded; nothing if nothing is.
    levels: Option<Levels>,
    /// Uplinks by group.
    pub(crate) uplinks: Vec<Rate>,
    /// When the tracker is down, in microseconds: from, until.
    outages: Vec<(u64, u64)>,
    /// When nothing passes between two groups.
    partitions: Vec<(u64, u64, u16, u16)>,
}

impl World {
    pub(crate) fn new(model: Model, group_of: Vec<u16>) -> Self {
        let regions = model.groups.iter().map(|group| group.region as u16).collect();
        let paths_seed = crate::draw::stream(model.seed, 0, crate::draw::Purpose::Paths).bits();
        let fabric = Fabric::new(
            &model.network,
            model.tracker.latency,
            (paths_seed, model.content.layout.block_len()),
            regions,
        );
        let spans = model.faults.iter().map(|fault| {
            let from = fault.at.as_micros() as u64;
            let until = fault.length.map_or(u64::MAX, |length| from + length.as_micros() as u64);
            (from, until, &fault.kind)
        });
        let mut outages = Vec::new();
        let mut partitions = Vec::new();
        for (from, until, kind) in spans {
            match kind {
                FaultKind::TrackerDown => outages.push((from, until)),
                FaultKind::Partition(one, other) => {
                    partitions.push((from, until, *one as u16, *other as u16));
                }
                _ => {}
            }
        }
        World {
            uplinks: model.groups.iter().map(|group| Rate::new(group.up)).collect(),
            layout: Arc::new(model.content.layout),
            configs: model
                .groups
                .iter()
                .map(|group| {
                    let config = group.behaviour.configure(&group.client.config);
                    let upload_capacity = match group.behaviour {
                        Behaviour::BitTyrant => u32::try_from(group.up).unwrap_or(u32::MAX),
                        _ => config.upload_capacity,
                    };
                    Arc::new(Config { upload_capacity, ..config })
                })
                .collect(),
            noted: Vec::new(),
            levels: None,
            fabric,
            group_of,
            outages,
            partitions,
            model,
        }
    }

    /// Has nodes recorded.
    pub(crate) fn record(&mut self, levels: Levels) {
        let noted = |config: &Arc<Config>| Arc::new(Config { notes: true, ..(**config).clone() });
        self.noted = self.configs.iter().map(noted).collect();
        self.levels = Some(levels);
    }

    /// How much of a node is recorded.
    pub(crate) fn level(&self, node: NodeId) -> Level {
        self.levels.as_ref().map_or(Level::Seen, |levels| levels.of(node))
    }

    /// The configuration of a node of a group of which so much is recorded.
    pub(crate) fn config(&self, group: u16, level: Level) -> &Arc<Config> {
        let configs = if level == Level::Messages { &self.noted } else { &self.configs };
        &configs[usize::from(group)]
    }

    pub(crate) fn tracker(&self) -> NodeId {
        self.group_of.len() as NodeId
    }

    /// One-way latency between two nodes (neither the tracker), in microseconds.
    #[inline(always)] // mostly the same for all
    pub(crate) fn latency(&self, from: NodeId, to: NodeId) -> u64 {
        match &self.fabric.paths {
            crate::network::Paths::Constant(time) => *time,
            _ => self.latency_between(from, to),
        }
    }

    #[inline(never)]
    fn latency_between(&self, from: NodeId, to: NodeId) -> u64 {
        let group = |node: NodeId| (node, self.group_of[node as usize]);
        self.fabric.paths.latency(group(from), group(to))
    }

    pub(crate) fn tracker_is_down(&self, at: u64) -> bool {
        self.outages.iter().any(|&(from, until)| (from..until).contains(&at))
    }

    /// Whether nothing passes between two nodes now.
    pub(crate) fn parted(&self, at: u64, one: NodeId, other: NodeId) -> bool {
        if self.partitions.is_empty() {
            return false;
        }
        let groups = (self.group_of[one as usize], self.group_of[other as usize]);
        self.partitions
            .iter()
            .any(|&(from, until, a, b)| (from..until).contains(&at) && (groups == (a, b) || groups == (b, a)))
    }

    /// Since when nothing has been wrong with the network; `None` if something is. Nodes that never come back are no fault of
    /// the others, and a disk that is bad for good is its own node's.
    pub(crate) fn quiet_since(&self, now: u64) -> Option<u64> {
        let spans = self.model.faults.iter().map(|fault| {
            let at = fault.at.as_micros() as u64;
            let lasts = matches!(fault.kind, FaultKind::TrackerDown | FaultKind::Partition(..));
            match fault.length {
                Some(length) => (at, at + length.as_micros() as u64),
                None if lasts => (at, u64::MAX),
                None => (at, at),
            }
        });
        let past = spans.filter(|&(from, _)| from <= now);
        past.map(|(_, until)| until).max().map_or(Some(0), |until| (until <= now).then_some(until))
    }

    /// When the last of the faults begins or ends, in microseconds.
    pub(crate) fn last_fault(&self) -> u64 {
        let ends = self
            .model
            .faults
            .iter()
            .map(|fault| fault.at.saturating_add(fault.length.unwrap_or_default()).as_micros() as u64);
        ends.max().unwrap_or(0)
    }
}

/// What a worker counts for all of its nodes. Sums of these over the workers are the same for any number of them.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    pub(crate) events: u64,
    /// Blocks delivered.
    pub(crate) blocks: u64,
    pub(crate) messages: [MessageCount; MessageKind::ALL.len()],
    /// Content from group to group, in bytes: row by row.
    pub(crate) flows: Vec<u64>,
    pub(crate) groups: Vec<Presence>,
    /// How many present nodes have each piece.
    pub(crate) holders: Vec<u32>,
    /// Uplinks of present nodes, in bytes per second.
    pub(crate) up_capacity: u64,
    /// Honest leechers that have neither completed nor left.
    pub(crate) pending: u64,
    /// Nodes that will yet come or come back.
    pub(crate) to_come: u64,
    /// When the last leecher completed or left.
    pub(crate) last_done: u64,
    /// Events that nodes and the tracker have sent, and what of them has been handled.
    pub(crate) sent: u64,
    pub(crate) handled: u64,
    /// Content in bytes that left an uplink, and what of it was received, or lost with a connection.
    pub(crate) left: u64,
    pub(crate) received: u64,
    pub(crate) lost: u64,
    /// Nodes that had the bytes of the content when they completed.
    pub(crate) true_copies: u64,
    pub(crate) tracker: crate::TrackerLoad,
    pub(crate) breaches: Breaches,
}

impl Tally {
    pub(crate) fn new(groups: usize, pieces: u32) -> Self {
        Tally {
            events: 0,
            blocks: 0,
            messages: Default::default(),
            flows: vec![0; groups * groups],
            groups: vec![Presence::default(); groups],
            holders: vec![0; pieces as usize],
            up_capacity: 0,
            pending: 0,
            to_come: 0,
            last_done: 0,
            sent: 0,
            handled: 0,
            left: 0,
            received: 0,
            lost: 0,
            true_copies: 0,
            tracker: crate::TrackerLoad::default(),
            breaches: Breaches::default(),
        }
    }

    pub(crate) fn message(&mut self, kind: MessageKind, bytes: u32) {
        let count = &mut self.messages[kind as usize];
        count.count += 1;
        count.bytes += u64::from(bytes);
    }

    pub(crate) fn hold(&mut self, pieces: impl Iterator<Item = PieceIndex>) {
        pieces.for_each(|piece| self.holders[piece.0 as usize] += 1);
    }

    pub(crate) fn release(&mut self, pieces: impl Iterator<Item = PieceIndex>) {
        pieces.for_each(|piece| self.holders[piece.0 as usize] -= 1);
    }

    /// Adds another worker's.
    pub(crate) fn add(&mut self, other: &Tally) {
        self.events += other.events;
        self.blocks += other.blocks;
        for (sum, more) in self.messages.iter_mut().zip(&other.messages) {
            sum.count += more.count;
            sum.bytes += more.bytes;
        }
        self.flows.iter_mut().zip(&other.flows).for_each(|(sum, more)| *sum += more);
        for (sum, more) in self.groups.iter_mut().zip(&other.groups) {
            sum.leechers += more.leechers;
            sum.seeds += more.seeds;
            sum.completed += more.completed;
            sum.uploaded += more.uploaded;
            sum.downloaded += more.downloaded;
        }
        self.holders.iter_mut().zip(&other.holders).for_each(|(sum, more)| *sum += more);
        self.up_capacity += other.up_capacity;
        self.pending += other.pending;
        self.to_come += other.to_come;
        self.last_done = self.last_done.max(other.last_done);
        self.sent += other.sent;
        self.handled += other.handled;
        self.left += other.left;
        self.received += other.received;
        self.lost += other.lost;
        self.true_copies += other.true_copies;
        self.tracker.announces += other.tracker.announces;
        self.tracker.unanswered += other.tracker.unanswered;
        self.tracker.peers_given += other.tracker.peers_given;
        self.breaches.merge(&other.breaches);
    }
}
