//! A run: nodes are dealt out to workers, windows pass one after the other, samples are taken at fixed times.
//!
//! Every worker handles the same window at the same time and then swaps events with the others. All that crosses takes at
//! least the least latency, which is at least a window, so nothing comes too late. Samples, the end of a run and progress
//! belong to multiples of the sample time, which are edges of windows, never to a thread.

use core::time::Duration;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use sha2::{Digest as _, Sha256};
use swarmlab_trace::Entry;

use crate::barrier::Barrier;
use crate::calendar::MOST_WIDTH;
use crate::check::Rule;
use crate::network::MOST_NODES;
use crate::node::Node;
use crate::plan::{Plan, plans};
use crate::post::{Letter, Post};
use crate::recording::{Recorder, Recording};
use crate::store::{Bytes, Marks, Store};
use crate::tracker::Tracker;
use crate::worker::Worker;
use crate::world::{Tally, World};
use crate::{End, Model, Outcome, Role, Sample, Stop};

/// The checkers look at the progress of nodes at each so many samples.
const CHECK_EVERY: u64 = 60;

/// How far a run is, told at each sample.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Simulated time.
    pub at: Duration,
    /// Events handled so far.
    pub events: u64,
    /// Blocks delivered so far.
    pub blocks: u64,
    /// Leechers that have neither completed nor left; those that are yet to come among them.
    pub pending: u64,
    /// Content received so far, in bytes.
    pub received: u64,
}

/// Why a model cannot be run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// The least latency is too small.
    #[error(
        "the least latency is {0:?}; it must be at least 100 us, since a window of the simulation is as wide as that"
    )]
    Latency(Duration),
    /// No nodes, or too many.
    #[error("{0} nodes; there must be from 1 to {MOST_NODES}")]
    Nodes(u64),
    /// Too many groups.
    #[error("{0} groups; there may be at most 1000")]
    Groups(usize),
    /// The content has no piece.
    #[error("the content is empty")]
    NoContent,
    /// A group lacks a piece that does not exist.
    #[error("a group has all but piece {0}, which does not exist")]
    NoSuchPiece(u32),
    /// The time between samples is no multiple of a millisecond.
    #[error("a sample every {0:?}; it must be a whole number of milliseconds, at least 1")]
    Sample(Duration),
}

/// Runs a model to its end. `watch` is told the progress at each sample and ends the run by answering false.
///
/// # Errors
/// When the model is out of the simulator's bounds.
pub fn run(model: Model, watch: &mut dyn FnMut(Progress) -> bool) -> Result<Outcome, ModelError> {
    run_recorded(model, None, watch)
}

/// The same, and passes on what happens in it. The outcome is the same as without.
///
/// # Errors
/// When the model is out of the simulator's bounds.
pub fn run_recorded(
    model: Model,
    recording: Option<Recording<'_>>,
    watch: &mut dyn FnMut(Progress) -> bool,
) -> Result<Outcome, ModelError> {
    let nodes: u64 = model.groups.iter().map(|group| u64::from(group.count)).sum();
    if nodes == 0 || nodes > u64::from(MOST_NODES) {
        return Err(ModelError::Nodes(nodes));
    }
    if model.groups.len() > 1_000 {
        return Err(ModelError::Groups(model.groups.len()));
    }
    if model.content.layout.piece_count() == 0 {
        return Err(ModelError::NoContent);
    }
    for group in &model.groups {
        if let Role::AllBut(piece) = group.role
            && !model.content.layout.contains(piece)
        {
            return Err(ModelError::NoSuchPiece(piece.0));
        }
    }
    let sample = model.run.sample.as_nanos();
    if sample == 0 || !sample.is_multiple_of(1_000_000) {
        return Err(ModelError::Sample(model.run.sample));
    }
    let plans = plans(&model);
    let group_of = plans.iter().map(|plan| plan.group).collect();
    let mut world = World::new(model, group_of);
    let lookahead = world.fabric.lookahead();
    if lookahead < 100 {
        return Err(ModelError::Latency(Duration::from_micros(lookahead)));
    }
    let (mut parts, mut sink) = (1, None);
    if let Some(recording) = recording {
        parts = world.model.run.sample.as_micros().div_ceil(recording.every.as_micros().max(1)) as u64;
        world.record(recording.levels);
        sink = Some(recording.sink);
    }
    let recorder = sink.map(|sink| Recorder::new(&world.model, sink));
    Ok(match world.model.content.real {
        Some(_) => run_with::<Bytes>(&world, plans, (parts, recorder), watch),
        None => run_with::<Marks>(&world, plans, (parts, recorder), watch),
    })
}

/// The widest window that is no wider than the lookahead and of which the sample time is a multiple.
fn window_width(lookahead: u64, sample: u64) -> u64 {
    let fewest = sample.div_ceil(lookahead.min(MOST_WIDTH));
    let windows = (fewest..).find(|windows| sample.is_multiple_of(*windows));
    sample / windows.unwrap_or(sample)
}

/// Events from one worker to another.
pub(crate) type Mail<P> = Mutex<Vec<Letter<P>>>;

/// What the workers share while they run.
struct Shared<P> {
    barrier: Barrier,
    /// Events under way from worker to worker, by parity of the step, receiver and sender.
    mail: [Vec<Vec<Mail<P>>>; 2],
    /// The next window of each worker, by parity of the step.
    next: [Vec<AtomicU64>; 2],
    /// The counts of each worker at a sample.
    board: Mutex<Vec<Option<Tally>>>,
    /// How many nodes give each piece, for the checkers; see [`Node::count_gifts`].
    gifts: Mutex<Vec<u32>>,
    /// Why the run ends, once it does.
    end: Mutex<Option<End>>,
    /// Times at which records are passed on, to a sample.
    parts: u64,
    /// What all workers have recorded since.
    records: Mutex<Vec<Entry>>,
}

fn run_with<'a, S: Store>(
    world: &World,
    plans: Vec<Plan>,
    (parts, recorder): (u64, Option<Recorder<'a>>),
    watch: &'a mut dyn FnMut(Progress) -> bool,
) -> Outcome {
    let count = plans.len() as u32;
    let workers = u32::from(world.model.run.threads.max(1)).min(count);
    let width = window_width(world.fabric.lookahead(), world.model.run.sample.as_micros() as u64);
    let mut posts: Vec<Post<'_, S::Payload>> =
        (0..workers).map(|me| Post::new(world, width, me, workers)).collect();
    let mut dealt: Vec<Vec<Node<S>>> =
        (0..workers).map(|me| Vec::with_capacity(((count - me).div_ceil(workers)) as usize)).collect();
    for (id, plan) in plans.into_iter().enumerate() {
        let worker = id % workers as usize;
        let mut node = Node::new(id as u32, plan, &mut posts[worker]);
        node.enrol(&mut posts[worker]);
        dealt[worker].push(node);
    }
    let mut tracker = Some(Tracker::new(count, world.model.seed, world.model.tracker.interval, count));
    let team: Vec<Worker<'_, S>> = dealt
        .into_iter()
        .zip(posts)
        .enumerate()
        .map(|(me, (nodes, post))| {
            let here = count % workers == me as u32;
            Worker::new(nodes, if here { tracker.take() } else { None }, post, width)
        })
        .collect();

    let boxes = || {
        (0..workers).map(|_| (0..workers).map(|_| Mutex::new(Vec::new())).collect()).collect::<Vec<Vec<_>>>()
    };
    let nexts = || (0..workers).map(|_| AtomicU64::new(0)).collect::<Vec<_>>();
    let shared = Shared {
        barrier: Barrier::new(workers as usize),
        mail: [boxes(), boxes()],
        next: [nexts(), nexts()],
        board: Mutex::new((0..workers).map(|_| None).collect()),
        gifts: Mutex::new(Vec::new()),
        end: Mutex::new(None),
        parts: parts.clamp(1, world.model.run.sample.as_micros() as u64 / width),
        records: Mutex::new(Vec::new()),
    };
    let mut chair = Chair { world, watch, recorder, timeline: Vec::new(), at: 0, sum: None };
    let team = std::thread::scope(|scope| {
        let shared = &shared;
        let mut team = team.into_iter();
        let first = team.next();
        let others: Vec<_> = team
            .enumerate()
            .map(|(at, worker)| scope.spawn(move || work(worker, at + 1, width, shared, None)))
            .collect();
        let mut team: Vec<Worker<'_, S>> =
            first.map(|worker| work(worker, 0, width, shared, Some(&mut chair))).into_iter().collect();
        team.extend(others.into_iter().map(|other| match other.join() {
            Ok(worker) => worker,
            Err(panic) => std::panic::resume_unwind(panic),
        }));
        team
    });
    let end = shared.end.into_inner().ok().flatten().unwrap_or(End::Interrupted);
    chair.conclude(team, end, count)
}

/// What a worker does from the start of the run to its end.
fn work<'a, S: Store>(
    mut worker: Worker<'a, S>,
    me: usize,
    width: u64,
    shared: &Shared<S::Payload>,
    mut chair: Option<&mut Chair<'_, '_>>,
) -> Worker<'a, S> {
    let _guard = shared.barrier.guard();
    let sample = worker.post.world.model.run.sample.as_micros() as u64 / width;
    let most = worker.post.world.model.run.max_time.as_micros() as u64;
    let mut parity = 0;
    let mut part = 1;
    loop {
        // The next window of all: of the calendars, and of what is on its way between workers.
        let under_way = worker.post.hand_over(me, &shared.mail[parity]);
        let own = worker.next().unwrap_or(u64::MAX).min(under_way);
        shared.next[parity][me].store(own, SeqCst);
        shared.barrier.wait();
        worker.post.collect(&shared.mail[parity][me]);
        let window = shared.next[parity].iter().map(|next| next.load(SeqCst)).min().unwrap_or(u64::MAX);
        parity = 1 - parity;

        while window >= part * sample / shared.parts {
            let at = part * sample / shared.parts * width;
            let samples = part.is_multiple_of(shared.parts);
            part += 1;
            if let Ok(mut records) = shared.records.lock() {
                if records.is_empty() {
                    std::mem::swap(&mut *records, &mut worker.post.records);
                } else {
                    records.append(&mut worker.post.records);
                }
            }
            if !samples {
                // Nothing is recorded before all meet again.
                shared.barrier.wait();
                if let Some(chair) = &mut chair {
                    chair.pass_on(at, false, &shared.records);
                }
                continue;
            }
            if worker.post.world.model.run.check && (at / width / sample).is_multiple_of(CHECK_EVERY) {
                check_progress(&mut worker, at, shared, chair.is_some());
            }
            if let Ok(mut board) = shared.board.lock() {
                board[me] = Some(worker.post.tally.clone());
            }
            shared.barrier.wait();
            if let Some(chair) = &mut chair {
                let end = chair.sample(at, at >= most, &shared.board);
                chair.pass_on(at, true, &shared.records);
                if let Ok(mut place) = shared.end.lock() {
                    *place = end;
                }
            }
            shared.barrier.wait();
            if shared.end.lock().map_or(true, |end| end.is_some()) {
                return worker;
            }
        }
        if worker.next() == Some(window) {
            worker.run(window);
        }
    }
}

/// Has every worker check the progress of its nodes, against what is there to be had in all of them.
fn check_progress<S: Store>(worker: &mut Worker<'_, S>, at: u64, shared: &Shared<S::Payload>, chair: bool) {
    let mut gifts = vec![0; 2 * worker.post.world.layout.piece_count() as usize];
    worker.count_gifts(&mut gifts);
    if let Ok(mut all) = shared.gifts.lock() {
        all.resize(gifts.len(), 0);
        all.iter_mut().zip(&gifts).for_each(|(sum, more)| *sum += more);
    }
    shared.barrier.wait();
    if let Ok(all) = shared.gifts.lock() {
        gifts.clone_from(&all);
    }
    worker.check_progress(at, &gifts);
    shared.barrier.wait();
    if chair && let Ok(mut all) = shared.gifts.lock() {
        all.clear();
    }
}

/// Who decides at the samples: the first worker's thread.
struct Chair<'w, 'f> {
    world: &'w World,
    watch: &'f mut dyn FnMut(Progress) -> bool,
    recorder: Option<Recorder<'f>>,
    timeline: Vec<Sample>,
    /// The last sample, in microseconds.
    at: u64,
    sum: Option<Tally>,
}

impl Chair<'_, '_> {
    /// Adds up the counts of all workers, keeps a sample, and says whether the run ends.
    fn sample(&mut self, at: u64, over: bool, board: &Mutex<Vec<Option<Tally>>>) -> Option<End> {
        let mut sum = Tally::new(self.world.model.groups.len(), self.world.layout.piece_count());
        if let Ok(board) = board.lock() {
            board.iter().flatten().for_each(|tally| sum.add(tally));
        }
        self.at = at;
        if self.world.model.run.timeline {
            self.timeline.push(Sample {
                at: Duration::from_micros(at),
                groups: sum.groups.clone(),
                uploaded: sum.groups.iter().map(|group| group.uploaded).sum(),
                downloaded: sum.groups.iter().map(|group| group.downloaded).sum(),
                rarest: sum.holders.iter().copied().min().unwrap_or(0),
                up_capacity: sum.up_capacity,
                announces: sum.tracker.announces,
            });
        }
        let progress = Progress {
            at: Duration::from_micros(at),
            events: sum.events,
            blocks: sum.blocks,
            pending: sum.pending,
            received: sum.received,
        };
        let end = self.end(at, over, &sum);
        self.sum = Some(sum);
        let goes_on = (self.watch)(progress);
        end.or((!goes_on).then_some(End::Interrupted))
    }

    /// Passes on what was recorded before a time, if anything is.
    fn pass_on(&mut self, at: u64, samples: bool, records: &Mutex<Vec<Entry>>) {
        if let Some(recorder) = &mut self.recorder {
            recorder.pass_on(at, self.sum.as_ref().filter(|_| samples), records);
        }
    }

    fn end(&self, at: u64, over: bool, sum: &Tally) -> Option<End> {
        let quiet = sum.to_come == 0;
        if self.world.model.run.stop == Stop::LeechersDone && quiet && sum.pending == 0 {
            return Some(End::LeechersDone);
        }
        let waiting = sum.groups.iter().any(|group| group.leechers > 0);
        if quiet
            && waiting
            && at >= self.world.last_fault()
            && let Some(piece) = sum.holders.iter().position(|&holders| holders == 0)
        {
            return Some(End::PieceLost(piece as u32));
        }
        over.then_some(End::MaxTime)
    }

    fn conclude<S: Store>(self, team: Vec<Worker<'_, S>>, end: End, count: u32) -> Outcome {
        let mut sum = self.sum.unwrap_or_else(|| Tally::new(self.world.model.groups.len(), 0));
        let in_flight: u64 = team.iter().map(Worker::in_flight).sum();
        if sum.left != sum.received + sum.lost + in_flight {
            sum.breaches.add(Rule::Conservation, self.at, count, || {
                let (left, received, lost) = (sum.left, sum.received, sum.lost);
                format!("{left} bytes left, {received} were received, {lost} lost, {in_flight} are under way")
            });
        }
        let under_way: u64 = team.iter().map(Worker::events_under_way).sum();
        if sum.sent != sum.handled + under_way {
            sum.breaches.add(Rule::Conservation, self.at, count, || {
                let (sent, handled) = (sum.sent, sum.handled);
                format!("{sent} events were sent, {handled} handled, {under_way} are under way")
            });
        }
        let workers = team.len() as u32;
        let mut tracker = 0;
        let mut outcomes = Vec::new();
        for worker in team {
            tracker = worker.tracker.as_ref().map_or(tracker, Tracker::hash);
            outcomes.push(worker.conclude(self.at).into_iter().flatten());
        }
        let of = |id| outcomes[(id % workers) as usize].next().unwrap_or_default();
        let peers: Vec<crate::PeerOutcome> = (0..count).map(of).collect();
        let mut digest = Sha256::new();
        peers.iter().for_each(|peer| digest.update(peer.hash.to_le_bytes()));
        digest.update(tracker.to_le_bytes());
        let groups = self.world.model.groups.len();
        let last = if end == End::LeechersDone { sum.last_done } else { self.at };
        Outcome {
            digest: digest.finalize().into(),
            end,
            simulated: Duration::from_micros(last),
            events: sum.events,
            blocks: sum.blocks,
            peers,
            timeline: self.timeline,
            messages: sum.messages,
            tracker: sum.tracker,
            flows: sum.flows.chunks(groups).map(<[u64]>::to_vec).collect(),
            true_copies: self.world.model.content.real.as_ref().map(|_| sum.true_copies),
            checks: if self.world.model.run.check { sum.breaches.report() } else { Vec::new() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_fit_the_lookahead_and_divide_the_sample() {
        for (lookahead, sample, width) in [
            (20_000, 1_000_000, 20_000),
            (33_333, 1_000_000, 31_250),
            (100, 1_000_000, 100),
            (500_000, 1_000_000, 62_500),
        ] {
            assert_eq!(window_width(lookahead, sample), width);
        }
        for sample in [1_000, 7_000, 1_009_000, 60_000_000] {
            for lookahead in [100, 999, 1_000, 12_345, 20_000] {
                let width = window_width(lookahead, sample);
                assert!(
                    width <= lookahead && sample % width == 0 && width * 20 >= lookahead,
                    "{lookahead} {sample}"
                );
            }
        }
    }
}
