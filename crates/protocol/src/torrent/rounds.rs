//! Time: what is due when.

use alloc::vec::Vec;

use super::{Torrent, send};
use crate::conn::Flag;
use crate::time::{Coarse, Stamp};
use crate::{CloseReason, Config, Instant, Message, Note, Output};

/// What a link is held against at the end of a round, in the units of its row: steps of [`Coarse`], and milliseconds.
struct Limits {
    idle: u16,
    useless: u16,
    /// What would be too late at the end of the next round is sent now.
    quiet: u16,
    snub: u16,
    request_ms: u32,
}

impl Limits {
    fn of(config: &Config) -> Self {
        let quiet = config.keep_alive_interval.saturating_sub(config.rechoke_interval) + Coarse::STEP;
        Limits {
            idle: Coarse::steps(config.idle_timeout),
            useless: Coarse::steps(config.useless_after),
            quiet: Coarse::steps(quiet),
            snub: Coarse::steps(config.snub_after),
            request_ms: config.request_timeout.as_millis().min(u128::from(u32::MAX)) as u32,
        }
    }
}

impl Torrent {
    /// Does everything that is due.
    #[inline(never)]
    pub(super) fn keep_time(&mut self, now: Instant, out: &mut Vec<Output>) {
        if self.announcer.deadline().is_some_and(|at| at <= now) {
            if self.announcer.give_up(now) {
                out.push(Output::Stopped);
            } else if let Some(due) = self.announcer.due(now) {
                self.announce(due, out);
            }
        }
        if !self.stopping {
            self.keep_timers(now, out);
        }
        self.reschedule();
    }

    fn keep_timers(&mut self, now: Instant, out: &mut Vec<Output>) {
        if !self.config.between_rounds && self.timers.round == Instant::NEVER {
            self.timers.round = now + self.config.rechoke_interval;
        }
        if self.tells_at() <= now {
            self.tell_due(now, out);
        }
        if self.timers.rest <= now {
            self.timers.rest = Instant::NEVER;
            self.wake(now, out);
        }
        if self.timers.round <= now {
            self.round(now, out);
        } else if self.timers.choke <= now {
            self.rechoke(now, false, out);
        }
        if self.timers.connect <= now {
            self.seek_peers(now, out);
        }
    }

    /// The end of a choke round: quiet links, overdue requests and snubs are dealt with, then the slots given anew.
    fn round(&mut self, now: Instant, out: &mut Vec<Output>) {
        let limits = Limits::of(&self.config);
        for id in self.conns.slots() {
            self.tend(now, id, &limits, out);
            if !self.config.between_rounds {
                self.update_interest(now, id, out);
            }
        }
        self.rechoke(now, true, out);
        self.flows.turn(&mut self.conns);
        let any = self.conns.len() > 0 || !self.config.between_rounds;
        self.timers.round = if any { now + self.config.rechoke_interval } else { Instant::NEVER };
        self.wake(now, out);
        self.seek_peers(now, out);
        self.peers.look(now);
        self.shrink();
    }

    /// Gives back memory that was needed once.
    pub(super) fn shrink(&mut self) {
        self.asked.shrink(self.flows.iter_mut().map(|flow| &mut flow.asked));
        self.queued.shrink(self.flows.iter_mut().map(|flow| &mut flow.queued));
        self.requests.shrink();
    }

    fn tend(&mut self, now: Instant, id: crate::ConnId, limits: &Limits, out: &mut Vec<Output>) {
        let Some(conn) = self.conns.get_mut(id) else { return };
        if conn.heard_at.is_past(now, limits.idle) {
            return self.close(now, id, CloseReason::Idle, out);
        }
        let useless = self.have.is_full() && !conn.is(Flag::RemoteInterested);
        if useless && conn.interest_at.is_past(now, limits.useless) {
            return self.close(now, id, CloseReason::Useless, out);
        }
        if conn.sent_at.is_past(now, limits.quiet) {
            send(conn, id, now, || Message::KeepAlive, out);
        }
        conn.set(Flag::Refusing, false);
        if !conn.is(Flag::Asked) {
            return;
        }
        let flow = self.flows.get_mut(conn).filter(|flow| !flow.asked.is_empty());
        let Some(flow) = flow else { return conn.set(Flag::Asked, false) };
        let mut lost = Vec::new();
        let stamp = Stamp::of(now);
        self.asked.for_each_mut(flow.asked, |asked| {
            if !asked.is_overdue() && stamp.since(asked.sent) >= limits.request_ms {
                self.requests.release(*asked, true);
                asked.set_overdue();
                if self.requests.owner_stalls(asked.piece, conn.serial) {
                    lost.push(asked.piece);
                }
            }
        });
        if !lost.is_empty() {
            // Its other requests of a piece that was taken from it count no more.
            self.asked.for_each_mut(flow.asked, |asked| {
                if lost.contains(&{ asked.piece }) {
                    asked.set_overdue();
                }
            });
        }
        if !conn.is(Flag::Snubbed) && flow.block_at.is_past(now, limits.snub) {
            conn.set(Flag::Snubbed, true);
            conn.pipeline = self.config.pipeline.min;
            self.requests.release_kept(conn.serial);
            self.note(Note::Snubbed { conn: id }, out);
        }
    }
}
