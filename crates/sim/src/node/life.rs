//! How a node comes and goes: joining, completing, leaving, giving up, and what befalls it.

use core::time::Duration;
use std::sync::Arc;

use swarmlab_protocol::behaviour::Node as Peer;
use swarmlab_protocol::{Bitfield, Input, Setup};
use swarmlab_trace::Departure;

use super::Node;
use super::seat::Seat;
use crate::check::{Breaches, Rule, Witness};
use crate::draw::{Purpose, stream};
use crate::network::peer_id_of;
use crate::plan::{Mishap, Plan, initial_pieces, stay};
use crate::post::Post;
use crate::store::Store;
use crate::tracker::TORRENT;
use crate::{Leave, Role};

/// A node's timers that have nothing to do with the protocol. Most nodes have none left once they have come, so these are
/// kept apart.
#[derive(Debug)]
pub(super) struct Life {
    /// The earliest of what is to come.
    due: u64,
    schedule: Option<Box<Schedule>>,
    /// How often it has started.
    starts: u32,
    /// Counted among those that are waited for.
    pending: bool,
}

/// What is to come; `u64::MAX` is never.
#[derive(Debug)]
struct Schedule {
    join: u64,
    leave: u64,
    give_up: u64,
    /// When it comes back after a crash, with the pieces its disk kept.
    back: Option<(u64, Bitfield)>,
    patience: Option<Duration>,
    /// In order of time, the next one last.
    mishaps: Vec<(u64, Mishap)>,
    /// Content it will yet send before it goes; `u64::MAX` where that does not matter.
    to_give: u64,
    /// What is wrong with its disk, which no restart mends.
    disk: Option<u64>,
}

impl Default for Schedule {
    fn default() -> Self {
        Schedule {
            join: u64::MAX,
            leave: u64::MAX,
            give_up: u64::MAX,
            back: None,
            patience: None,
            mishaps: Vec::new(),
            to_give: u64::MAX,
            disk: None,
        }
    }
}

impl Life {
    pub(super) fn new(mut plan: Plan) -> Self {
        plan.mishaps.reverse();
        let schedule = Schedule {
            join: plan.join,
            patience: plan.patience,
            mishaps: plan.mishaps,
            ..Schedule::default()
        };
        let schedule = Some(Box::new(schedule));
        let mut life = Life { due: u64::MAX, schedule, starts: 0, pending: false };
        life.look_ahead();
        life
    }

    pub(super) fn due(&self) -> u64 {
        self.due
    }

    fn schedule(&mut self) -> &mut Schedule {
        self.schedule.get_or_insert_default()
    }

    /// Finds what comes next, and lets go of a schedule with nothing in it.
    fn look_ahead(&mut self) {
        let Some(schedule) = &self.schedule else { return };
        let mishap = schedule.mishaps.last().map_or(u64::MAX, |&(at, _)| at);
        let back = schedule.back.as_ref().map_or(u64::MAX, |back| back.0);
        self.due = schedule.join.min(schedule.leave).min(schedule.give_up).min(back).min(mishap);
        if self.due == u64::MAX && schedule.to_give == u64::MAX && schedule.disk.is_none() {
            self.schedule = None;
        }
    }

    /// Content has left.
    pub(super) fn uploaded(&mut self, bytes: u64, now: u64) {
        let Some(schedule) = self.schedule.as_mut().filter(|schedule| schedule.to_give != u64::MAX) else {
            return;
        };
        schedule.to_give = schedule.to_give.saturating_sub(bytes);
        if schedule.to_give == 0 {
            schedule.to_give = u64::MAX;
            schedule.leave = now;
            self.look_ahead();
        }
    }
}

impl<S: Store> Node<S> {
    /// Counts the node among those that are waited for, before the run begins.
    pub(crate) fn enrol(&mut self, post: &mut Post<'_, S::Payload>) {
        let group = &post.world.model.groups[usize::from(self.group)];
        let layout = &post.world.layout;
        if self.life.schedule.as_ref().is_none_or(|schedule| schedule.join == u64::MAX) {
            return;
        }
        post.tally.to_come += 1;
        let lacks = !matches!(group.role, Role::Seed);
        if post.world.model.awaits(group) {
            self.life.pending = true;
            post.tally.pending += 1;
        }
        if !lacks {
            return;
        }
        let have = initial_pieces(&post.world.model, self.id, group);
        let here: u64 = have.iter().map(|piece| u64::from(layout.piece_len(piece))).sum();
        self.record.lacked = layout.length() - here;
    }

    /// Does the one thing that is due.
    pub(super) fn live(&mut self, now: u64, post: &mut Post<'_, S::Payload>) {
        let schedule = self.life.schedule();
        if schedule.join <= now {
            schedule.join = u64::MAX;
            post.tally.to_come -= 1;
            let group = &post.world.model.groups[usize::from(self.group)];
            let have = initial_pieces(&post.world.model, self.id, group);
            self.join(now, have, post);
        } else if let Some((_, have)) = schedule.back.take_if(|back| back.0 <= now) {
            post.tally.to_come -= 1;
            self.join(now, have, post);
        } else if schedule.leave <= now || schedule.give_up <= now {
            (schedule.leave, schedule.give_up) = (u64::MAX, u64::MAX);
            self.leave(now, post);
        } else if let Some((_, mishap)) = schedule.mishaps.pop_if(|&mut (at, _)| at <= now) {
            self.befall(now, mishap, post);
        }
        self.life.look_ahead();
    }

    fn join(&mut self, now: u64, have: Bitfield, post: &mut Post<'_, S::Payload>) {
        let world = post.world;
        let group = &world.model.groups[usize::from(self.group)];
        self.record.joins(now);
        self.record_join(now, &have, post);
        post.tally.hold(have.iter());
        post.tally.up_capacity += group.up;
        let presence = &mut post.tally.groups[usize::from(self.group)];
        if world.model.content.real.is_some() {
            self.store = Some(S::new(world.model.content.real.as_ref(), &world.layout, &have));
        }
        if world.model.run.check {
            self.witness = Some(Box::new(Witness::new(&have, group.behaviour, now)));
        }
        let complete = have.is_full();
        let seed = stream(world.model.seed, u64::from(self.id), Purpose::Engine).bits();
        let setup = Setup {
            info_hash: TORRENT,
            layout: Arc::clone(&world.layout),
            config: Arc::clone(world.config(self.group, self.level)),
            peer_id: peer_id_of(self.id),
            have,
            tiers: vec![1],
            seed: seed.wrapping_add(u64::from(self.life.starts)),
        };
        self.seat = Seat::of(Peer::new(group.behaviour, setup));
        self.life.starts += 1;
        let disk = self.life.schedule().disk;
        self.set_disk(now, disk);
        if complete {
            presence.seeds += 1;
            self.record.complete.set_once(now);
            self.plan_departure(now, post);
        } else {
            presence.leechers += 1;
            let schedule = self.life.schedule();
            if let Some(patience) = schedule.patience {
                schedule.give_up = now.saturating_add(patience.as_micros() as u64);
            }
        }
        self.hand(now, Input::Deadline, post);
    }

    /// Everything is here.
    pub(super) fn completed(&mut self, now: u64, post: &mut Post<'_, S::Payload>) {
        self.record_completion(now, post);
        let presence = &mut post.tally.groups[usize::from(self.group)];
        presence.leechers -= 1;
        presence.seeds += 1;
        if self.record.complete.set_once(now) {
            presence.completed += 1;
            let content = post.world.model.content.real.as_ref();
            let is_true = self.store.as_ref().is_some_and(|store| store.is_true_copy(content));
            post.tally.true_copies += u64::from(is_true);
        }
        if let Some(witness) = &self.witness {
            let since = self.record.join.get().unwrap_or(0);
            let down = post.world.model.groups[usize::from(self.group)].down;
            witness.completes((now, self.id), (since, self.record.lacked, down), &mut post.tally.breaches);
        }
        self.life.schedule().give_up = u64::MAX;
        self.no_longer_waited_for(now, post);
        self.plan_departure(now, post);
        self.life.look_ahead();
    }

    fn no_longer_waited_for(&mut self, now: u64, post: &mut Post<'_, S::Payload>) {
        if std::mem::take(&mut self.life.pending) {
            post.tally.pending -= 1;
            post.tally.last_done = post.tally.last_done.max(now);
        }
    }

    fn plan_departure(&mut self, now: u64, post: &mut Post<'_, S::Payload>) {
        let world = post.world;
        let group = &world.model.groups[usize::from(self.group)];
        if let Some(time) = stay(&world.model, self.id, group) {
            self.life.schedule().leave = now.saturating_add(time.as_micros() as u64);
        } else if let Leave::AtRatio(ratio) = group.leave {
            let goal = (world.layout.length() as f64 * ratio) as u64;
            self.life.schedule().to_give = goal.saturating_sub(self.up.content);
            self.life.uploaded(0, now);
        }
    }

    /// Leaves the swarm: connections are closed, the tracker is told.
    fn leave(&mut self, now: u64, post: &mut Post<'_, S::Payload>) {
        if self.seat.is_empty() {
            return;
        }
        self.hand(now, Input::Stop, post);
        self.record.leave.set_once(now);
        self.no_longer_waited_for(now, post);
        if let Some(peer) = self.go(now, post) {
            let why = if peer.torrent().is_some_and(|torrent| torrent.is_complete()) {
                Departure::Done
            } else {
                Departure::GaveUp
            };
            self.record_leave(now, why, post);
        }
    }

    /// Is gone, whatever the reason.
    fn go(&mut self, now: u64, post: &mut Post<'_, S::Payload>) -> Option<Seat> {
        // First the engine goes, so that it does not try to replace what breaks.
        let seat = std::mem::take(&mut self.seat);
        let torrent = seat.torrent()?;
        self.break_links(now, |_| true, post);
        let group = &post.world.model.groups[usize::from(self.group)];
        let presence = &mut post.tally.groups[usize::from(self.group)];
        if torrent.is_complete() {
            presence.seeds -= 1;
        } else {
            presence.leechers -= 1;
        }
        post.tally.release(torrent.have().iter());
        post.tally.up_capacity -= group.up;
        self.links = Vec::new();
        self.store = None;
        self.seldom.set_disk(None);
        self.seldom.retain_tainted(|_| false);
        self.witness = None;
        self.record.add(torrent.totals(), now);
        Some(seat)
    }

    /// Counts the pieces of a node that others can have of it: a number for each piece of givers who can be called, and then
    /// one for each of those who can only call.
    pub(crate) fn count_gifts(&self, holders: &mut [u32]) {
        let Some(witness) = self.witness.as_ref().filter(|witness| witness.gives()) else { return };
        let (open, hidden) = holders.split_at_mut(holders.len() / 2);
        let holders = if self.nat { hidden } else { open };
        witness.proven().for_each(|piece| holders[piece.0 as usize] += 1);
    }

    /// Checks that the node has not waited longer than `patience` for something it could have. `holders` counts who holds
    /// each piece and gives it; those of them who can only call have `search` longer to find it.
    pub(crate) fn check_progress(
        &self,
        now: u64,
        (quiet_since, patience, search): (u64, u64, u64),
        holders: &[u32],
        breaches: &mut Breaches,
    ) {
        let (Some(torrent), Some(witness)) = (self.seat.torrent(), &self.witness) else { return };
        let since = witness.progress_at.max(quiet_since);
        if !self.life.pending || self.seldom.disk().is_some() || now < since.saturating_add(patience) {
            return;
        }
        let found = now >= since.saturating_add(patience).saturating_add(search);
        let (open, hidden) = holders.split_at(holders.len() / 2);
        let reachable = open.iter().zip(hidden).zip(0..).find(|&((&open, &hidden), piece)| {
            (open > 0 || hidden > 0 && !self.nat && found)
                && !torrent.have().contains(swarmlab_protocol::PieceIndex(piece))
        });
        if let Some((_, piece)) = reachable {
            breaches.add(Rule::Progress, now, self.id, || {
                format!("nothing for {} s, while piece {piece} is there to be had", (now - since) / 1_000_000)
            });
        }
    }

    /// What became of the node, at the end of the run.
    pub(crate) fn conclude(&mut self, now: u64) -> crate::PeerOutcome {
        let present = self.seat.torrent().map(|torrent| torrent.totals());
        self.seat = Seat::Empty;
        crate::PeerOutcome {
            uploaded: self.up.content,
            up_wire: self.up.carried,
            down_wire: self.down.carried,
            hash: self.hash(),
            group: u32::from(self.group),
            nat: self.nat,
            ..self.record.outcome(present, now)
        }
    }

    fn befall(&mut self, now: u64, mishap: Mishap, post: &mut Post<'_, S::Payload>) {
        if let Mishap::Disk(rate) = mishap {
            self.life.schedule().disk = rate;
        }
        if self.seat.is_empty() {
            return;
        }
        match mishap {
            Mishap::Reset => self.break_links(now, |_| true, post),
            Mishap::Cut(group) => {
                let of = &post.world.group_of;
                self.break_links(now, |remote| of[remote as usize] == group, post);
            }
            Mishap::Disk(rate) => self.set_disk(now, rate),
            Mishap::Crash { back } => {
                let seat = self.go(now, post);
                let Some(torrent) = seat.as_ref().and_then(Seat::torrent) else { return };
                self.record_leave(now, Departure::Crashed, post);
                let schedule = self.life.schedule();
                (schedule.leave, schedule.give_up) = (u64::MAX, u64::MAX);
                match back {
                    Some(at) => {
                        post.tally.to_come += 1;
                        schedule.back = Some((at.max(now + 1), torrent.have().clone()));
                    }
                    None => {
                        self.record.leave.set_once(now);
                        self.no_longer_waited_for(now, post);
                    }
                }
            }
        }
    }
}
