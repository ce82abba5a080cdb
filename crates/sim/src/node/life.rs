//! How a node comes and goes: joining, completing, leaving, giving up, and what befalls it.

use std::sync::Arc;
use core::time::Duration;

use swarmlab_protocol::{Input, Setup, Torrent};

use super::Node;
use crate::check::{Breaches, PATIENCE_US, Rule, Witness};
use crate::draw::{Purpose, stream};
use crate::network::peer_id_of;
use crate::plan::{Mishap, Plan, initial_pieces, stay};
use crate::post::Post;
use crate::store::Store;
use crate::{Behaviour, Leave, Role};

/// A node's timers that have nothing to do with the protocol.
#[derive(Debug)]
pub(super) struct Life {
    /// The earliest of all below.
    due: u64,
    /// When it comes; `u64::MAX` once it has.
    join: u64,
    leave: u64,
    give_up: u64,
    /// When it comes back after a crash, with the pieces its disk kept.
    back: Option<Box<(u64, swarmlab_protocol::Bitfield)>>,
    patience: Option<Duration>,
    mishaps: Box<[(u64, Mishap)]>,
    next_mishap: u32,
    /// Content sent that is left until it goes; `u64::MAX` where that does not matter.
    to_give: u64,
    /// How often it has started.
    starts: u32,
    joined_at: u64,
    /// Counted among those that are waited for.
    pending: bool,
}

impl Life {
    pub(super) fn new(plan: Plan) -> Self {
        let mut life = Life {
            due: u64::MAX,
            join: plan.join,
            leave: u64::MAX,
            give_up: u64::MAX,
            back: None,
            patience: plan.patience,
            mishaps: plan.mishaps.into_boxed_slice(),
            next_mishap: 0,
            to_give: u64::MAX,
            starts: 0,
            joined_at: 0,
            pending: false,
        };
        life.look_ahead();
        life
    }

    pub(super) fn due(&self) -> u64 {
        self.due
    }

    fn look_ahead(&mut self) {
        let mishap = self.mishaps.get(self.next_mishap as usize).map_or(u64::MAX, |&(at, _)| at);
        let back = self.back.as_ref().map_or(u64::MAX, |back| back.0);
        self.due = self.join.min(self.leave).min(self.give_up).min(back).min(mishap);
    }

    /// Content has left.
    pub(super) fn uploaded(&mut self, bytes: u64, now: u64) {
        if self.to_give == u64::MAX {
            return;
        }
        self.to_give = self.to_give.saturating_sub(bytes);
        if self.to_give == 0 {
            self.to_give = u64::MAX;
            self.leave = now;
            self.look_ahead();
        }
    }
}

impl<S: Store> Node<S> {
    /// Counts the node among those that are waited for, before the run begins.
    pub(crate) fn enrol(&mut self, post: &mut Post<'_, S::Payload>) {
        let group = &post.world.model.groups[usize::from(self.group)];
        let layout = &post.world.layout;
        if self.life.join == u64::MAX {
            return;
        }
        post.tally.to_come += 1;
        let lacks = !matches!(group.role, Role::Seed);
        let honest = matches!(
            group.behaviour,
            Behaviour::Honest | Behaviour::BitTyrant | Behaviour::SuperSeed | Behaviour::FreeRider
        );
        if lacks && honest {
            self.life.pending = true;
            post.tally.pending += 1;
        }
        if !lacks {
            return;
        }
        let have = initial_pieces(&post.world.model, self.id, group);
        let here: u64 = have.iter().map(|piece| u64::from(layout.piece_len(piece))).sum();
        self.outcome.lacked = layout.length() - here;
    }

    /// Does the one thing that is due.
    pub(super) fn live(&mut self, now: u64, post: &mut Post<'_, S::Payload>) {
        let life = &mut self.life;
        if life.join <= now {
            life.join = u64::MAX;
            post.tally.to_come -= 1;
            let group = &post.world.model.groups[usize::from(self.group)];
            let have = initial_pieces(&post.world.model, self.id, group);
            self.join(now, have, post);
        } else if life.back.as_ref().is_some_and(|back| back.0 <= now) {
            if let Some(back) = life.back.take() {
                post.tally.to_come -= 1;
                self.join(now, back.1, post);
            }
        } else if life.leave <= now || life.give_up <= now {
            (life.leave, life.give_up) = (u64::MAX, u64::MAX);
            self.leave(now, post);
        } else if let Some(&(_, mishap)) = life.mishaps.get(life.next_mishap as usize) {
            life.next_mishap += 1;
            self.befall(now, mishap, post);
        }
        self.life.look_ahead();
    }

    fn join(&mut self, now: u64, have: swarmlab_protocol::Bitfield, post: &mut Post<'_, S::Payload>) {
        let world = post.world;
        let group = &world.model.groups[usize::from(self.group)];
        self.life.joined_at = now;
        if self.outcome.join.is_none() {
            self.outcome.join = Some(Duration::from_micros(now));
        }
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
        self.peer = Some(Torrent::new(Setup {
            layout: Arc::clone(&world.layout),
            config: Arc::clone(&world.configs[usize::from(self.group)]),
            peer_id: peer_id_of(self.id),
            have,
            tiers: vec![1],
            seed: seed.wrapping_add(u64::from(self.life.starts)),
        }));
        self.life.starts += 1;
        if complete {
            presence.seeds += 1;
            self.outcome.complete.get_or_insert(Duration::from_micros(now));
            self.plan_departure(now, post);
        } else {
            presence.leechers += 1;
            if let Some(patience) = self.life.patience {
                self.life.give_up = now.saturating_add(patience.as_micros() as u64);
            }
        }
        self.hand(now, Input::Deadline, post);
    }

    /// Everything is here.
    pub(super) fn completed(&mut self, now: u64, post: &mut Post<'_, S::Payload>) {
        let presence = &mut post.tally.groups[usize::from(self.group)];
        presence.leechers -= 1;
        presence.seeds += 1;
        if self.outcome.complete.is_none() {
            presence.completed += 1;
            self.outcome.complete = Some(Duration::from_micros(now));
        }
        if let Some(witness) = &self.witness {
            let since = self.outcome.join.map_or(0, |join| join.as_micros() as u64);
            let down = post.world.model.groups[usize::from(self.group)].down;
            witness.completes((now, self.id), (since, self.outcome.lacked, down), &mut post.tally.breaches);
        }
        self.life.give_up = u64::MAX;
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
            self.life.leave = now.saturating_add(time.as_micros() as u64);
        } else if let Leave::AtRatio(ratio) = group.leave {
            let goal = (world.layout.length() as f64 * ratio) as u64;
            let given = self.peer.as_ref().map_or(0, |peer| peer.totals().uploaded) + self.outcome.uploaded;
            self.life.to_give = goal.saturating_sub(given);
            self.life.uploaded(0, now);
        }
    }

    /// Leaves the swarm: connections are closed, the tracker is told.
    fn leave(&mut self, now: u64, post: &mut Post<'_, S::Payload>) {
        if self.peer.is_none() {
            return;
        }
        self.hand(now, Input::Stop, post);
        self.outcome.leave = Some(Duration::from_micros(now));
        self.no_longer_waited_for(now, post);
        self.go(now, post);
    }

    /// Is gone, whatever the reason.
    fn go(&mut self, now: u64, post: &mut Post<'_, S::Payload>) -> Option<Torrent> {
        // First the engine goes, so that it does not try to replace what breaks.
        let peer = self.peer.take()?;
        self.break_links(now, |_| true, post);
        let group = &post.world.model.groups[usize::from(self.group)];
        let presence = &mut post.tally.groups[usize::from(self.group)];
        if peer.is_complete() {
            presence.seeds -= 1;
        } else {
            presence.leechers -= 1;
        }
        post.tally.release(peer.have().iter());
        post.tally.up_capacity -= group.up;
        self.links = Vec::new();
        self.store = None;
        self.disk = None;
        self.tainted = Vec::new();
        self.witness = None;
        self.add_totals(now, &peer);
        Some(peer)
    }

    fn add_totals(&mut self, now: u64, peer: &Torrent) {
        let totals = peer.totals();
        self.outcome.uploaded += totals.uploaded;
        self.outcome.downloaded += totals.downloaded;
        self.outcome.wasted += totals.wasted;
        self.outcome.present_us += now - self.life.joined_at;
    }

    /// Counts the pieces of a node that others can have of it.
    pub(crate) fn count_gifts(&self, holders: &mut [u32]) {
        let Some(witness) = self.witness.as_ref().filter(|witness| witness.gives()) else { return };
        if !self.outcome.nat {
            witness.proven().for_each(|piece| holders[piece.0 as usize] += 1);
        }
    }

    /// Checks that the node has not waited too long for something it could have. `holders` counts who holds each piece
    /// and gives it.
    pub(crate) fn check_progress(
        &self,
        now: u64,
        quiet_since: u64,
        holders: &[u32],
        breaches: &mut Breaches,
    ) {
        let (Some(peer), Some(witness)) = (&self.peer, &self.witness) else { return };
        let since = witness.progress_at.max(quiet_since);
        if !self.life.pending || now < since.saturating_add(PATIENCE_US) {
            return;
        }
        let reachable = holders.iter().zip(0..).find(|&(&holders, piece)| {
            holders > 0 && !peer.have().contains(swarmlab_protocol::PieceIndex(piece))
        });
        if let Some((_, piece)) = reachable {
            breaches.add(Rule::Progress, now, self.id, || {
                format!("nothing for {} s, while piece {piece} is there to be had", (now - since) / 1_000_000)
            });
        }
    }

    /// What became of the node, at the end of the run.
    pub(crate) fn conclude(&mut self, now: u64) -> crate::PeerOutcome {
        if let Some(peer) = self.peer.take() {
            self.add_totals(now, &peer);
        }
        self.outcome.up_wire = self.up.carried;
        self.outcome.down_wire = self.down.carried;
        self.outcome.hash = self.hash();
        self.outcome
    }

    fn befall(&mut self, now: u64, mishap: Mishap, post: &mut Post<'_, S::Payload>) {
        if self.peer.is_none() {
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
                let Some(peer) = self.go(now, post) else { return };
                (self.life.leave, self.life.give_up) = (u64::MAX, u64::MAX);
                match back {
                    Some(at) => {
                        post.tally.to_come += 1;
                        self.life.back = Some(Box::new((at.max(now + 1), peer.have().clone())));
                    }
                    None => {
                        self.outcome.leave = Some(Duration::from_micros(now));
                        self.no_longer_waited_for(now, post);
                    }
                }
            }
        }
    }
}
