//! Time: what is due when.

use alloc::vec::Vec;

use super::{Torrent, send};
use crate::conn::Stamp;
use crate::{CloseReason, Instant, Message, Note, Output};

impl Torrent {
    /// Does everything that is due.
    pub(super) fn keep_time(&mut self, now: Instant, out: &mut Vec<Output>) {
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if self.announcer.deadline().is_some_and(|at| at <= now) {
            if self.announcer.give_up(now) {
                out.push(Output::Stopped);
            } else if let Some(due) = self.announcer.due(now) {
                self.announce(due, out);
            }
        }
        if self.stopping {
            return;
        }
        if due(self.rest_until) {
            self.rest_until = None;
            self.wake(now, out);
        }
        if due(self.round_at) {
            self.round(now, out);
        } else if due(self.choke_at) {
            self.rechoke(now, false, out);
        }
        if due(self.connect_at) {
            self.seek_peers(now, out);
        }
    }

    /// The end of a choke round: quiet links, overdue requests and snubs are dealt with, then the slots given anew.
    fn round(&mut self, now: Instant, out: &mut Vec<Output>) {
        for id in self.conns.slots() {
            self.tend(now, id, out);
        }
        self.rechoke(now, true, out);
        for (_, conn) in self.conns.iter_mut() {
            conn.down.turn();
            conn.up.turn();
        }
        self.round_at = (self.conns.len() > 0).then(|| now + self.config.rechoke_interval);
        self.wake(now, out);
        self.seek_peers(now, out);
    }

    fn tend(&mut self, now: Instant, id: crate::ConnId, out: &mut Vec<Output>) {
        let stamp = Stamp::of(now);
        let config = &self.config;
        let millis = |span: core::time::Duration| span.as_millis().min(u128::from(u32::MAX)) as u32;
        let round = millis(config.rechoke_interval);
        let Some(conn) = self.conns.get_mut(id) else { return };
        if stamp.since(conn.heard_at) >= millis(config.idle_timeout) {
            return self.close(now, id, CloseReason::Idle, out);
        }
        let useless = self.have.is_full() && !conn.remote_interested;
        if useless && stamp.since(conn.interest_at) >= millis(config.useless_after) {
            return self.close(now, id, CloseReason::Useless, out);
        }
        if stamp.since(conn.sent_at).saturating_add(round) > millis(config.keep_alive_interval) {
            send(conn, id, now, Message::KeepAlive, out);
        }
        let mut lost = Vec::new();
        for request in conn.outstanding.iter_mut().filter(|request| !request.overdue) {
            if stamp.since(request.sent) >= millis(config.request_timeout) {
                request.overdue = true;
                self.requests.release(request.slot, request.block.piece, request.number, true);
                if self.requests.owner_stalls(request.block.piece, conn.serial) {
                    lost.push(request.block.piece);
                }
            }
        }
        // Its other requests of a piece that was taken from it count no more.
        for request in conn.outstanding.iter_mut().filter(|request| lost.contains(&request.block.piece)) {
            request.overdue = true;
        }
        let owes = !conn.outstanding.is_empty();
        if owes && !conn.snubbed && stamp.since(conn.block_at) >= millis(config.snub_after) {
            conn.snubbed = true;
            conn.pipeline = config.pipeline.min;
            self.note(Note::Snubbed { conn: id }, out);
        }
    }
}
