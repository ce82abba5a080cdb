//! Links: who is let in, what is told first, what goes when one closes, and where to connect.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::SocketAddr;

use super::{Departed, Torrent, send};
use crate::allowed_fast::{allowed_fast, network};
use crate::conn::{Conn, Flag};
use crate::remotes::PeerHash;
use crate::{
    CloseReason, Config, ConnId, Direction, InfoHash, Instant, Message, Misbehaviour, Opened, Output,
    PieceIndex,
};

impl Torrent {
    pub(super) fn opened(&mut self, now: Instant, id: ConnId, peer: &Opened, out: &mut Vec<Output>) {
        if peer.direction == Direction::Outgoing {
            self.peers.opened(peer.addr);
        }
        if let Some(reason) = self.refusal(now, peer, out) {
            out.push(Output::Close { conn: id, reason });
            if peer.direction == Direction::Outgoing {
                let never = matches!(reason, CloseReason::Duplicate | CloseReason::Banned);
                self.peers.closed(peer.addr, now, false, never);
            }
            return;
        }
        let fast = self.config.fast_extension && peer.reserved.fast();
        let serial = self.free_serial();
        let conn = Conn::new(serial, self.config.pipeline.min, peer.direction, fast, now);
        if !self.conns.insert(id, conn, self.config.max_connections) {
            return;
        }
        let slots = self.conns.slots().len();
        self.remotes.insert(id, peer.addr, peer.peer_id, slots);
        if peer.direction == Direction::Incoming {
            self.peers.called(peer.addr);
        }
        self.next_serial = serial.wrapping_add(1);
        self.serials_used |= self.next_serial == 0;
        self.sets.clear(id, slots);
        self.choker.opened(id, &mut self.random.choke);
        if self.timers.round == Instant::NEVER {
            self.timers.round = now + self.config.rechoke_interval;
            self.reschedule();
        }
        let have = match (fast, self.have.is_empty()) {
            (true, _) if self.have.is_full() => Some(Message::HaveAll),
            (true, true) => Some(Message::HaveNone),
            (false, true) => None,
            (_, false) => Some(Message::Bitfield(Arc::new(self.have.clone()))),
        };
        if let (Some(message), Some(conn)) = (have, self.conns.get_mut(id)) {
            send(conn, id, now, || message, out);
        }
        self.allow_fast(now, id, out);
    }

    /// Tells a remote which pieces it may ask for while choked (BEP 6), whether we have them already or not.
    fn allow_fast(&mut self, now: Instant, id: ConnId, out: &mut Vec<Output>) {
        if !self.conns.get(id).is_some_and(|conn| conn.is(Flag::Fast)) {
            return;
        }
        let set = allowed_set(&self.config, &self.info_hash, self.have.len(), self.remotes.addr(id));
        for piece in set {
            if let Some(conn) = self.conns.get_mut(id) {
                send(conn, id, now, || Message::AllowedFast(piece), out);
            }
        }
    }

    /// The next serial that names no link and no giver of a block. All are free until they have been gone through once.
    fn free_serial(&self) -> u16 {
        if !self.serials_used {
            return self.next_serial;
        }
        let taken =
            |serial| serial == 0 || self.conns.named(serial).is_some() || self.requests.has_blocks_of(serial);
        let mut serial = self.next_serial;
        while taken(serial) {
            serial = serial.wrapping_add(1);
        }
        serial
    }

    /// Why a link is not let in, if so. Of two links that both ends opened at once, the one that the smaller peer id
    /// opened stays; the other may have to give way here.
    fn refusal(&mut self, now: Instant, peer: &Opened, out: &mut Vec<Output>) -> Option<CloseReason> {
        if self.stopping {
            return Some(CloseReason::Stopping);
        }
        if peer.peer_id == self.peer_id {
            return Some(CloseReason::Duplicate);
        }
        let hash = PeerHash::of(peer.peer_id);
        if self.peers.is_banned(peer.addr, hash) {
            return Some(CloseReason::Banned);
        }
        let same = self.remotes.with(hash).find_map(|id| Some((id, self.conns.get(id)?)));
        if let Some((other, conn)) = same {
            let newcomer_stays = match peer.direction {
                Direction::Outgoing => self.peer_id < peer.peer_id,
                Direction::Incoming => peer.peer_id < self.peer_id,
            };
            let addr = self.remotes.addr(other);
            // Where content has passed nothing crossed: the remote calls again although it is connected.
            let crossed =
                conn.direction() != peer.direction && addr.ip() == peer.addr.ip() && !conn.is(Flag::Useful);
            if !crossed || !newcomer_stays {
                return Some(CloseReason::Duplicate);
            }
            self.close(now, other, CloseReason::Duplicate, out);
        }
        (self.conns.len() >= self.config.max_connections).then_some(CloseReason::Full)
    }

    /// Closes a link from our side.
    pub(super) fn close(&mut self, now: Instant, id: ConnId, reason: CloseReason, out: &mut Vec<Output>) {
        let Some(conn) = self.conns.remove(id) else { return };
        out.push(Output::Close { conn: id, reason });
        if reason == CloseReason::Banned {
            self.peers.ban(self.remotes.addr(id), self.remotes.peer(id));
        }
        let never = matches!(
            reason,
            CloseReason::Banned
                | CloseReason::Misbehaved(_)
                | CloseReason::Duplicate
                | CloseReason::BothSeeds
                | CloseReason::Useless
        );
        self.part(now, id, conn, never, out);
    }

    #[inline(never)]
    pub(super) fn misbehaved(&mut self, now: Instant, id: ConnId, how: Misbehaviour, out: &mut Vec<Output>) {
        self.close(now, id, CloseReason::Misbehaved(how), out);
    }

    pub(super) fn remote_closed(&mut self, now: Instant, id: ConnId, out: &mut Vec<Output>) {
        if let Some(conn) = self.conns.remove(id) {
            self.part(now, id, conn, false, out);
        }
    }

    /// Takes a link that is gone out of every part.
    fn part(&mut self, now: Instant, id: ConnId, conn: Conn, never: bool, out: &mut Vec<Output>) {
        let (addr, peer) = (self.remotes.addr(id), self.remotes.peer(id));
        self.remotes.remove(id);
        let mut flow = self.flows.forget(conn.flow, &mut self.conns);
        for &asked in self.asked.iter(flow.asked).filter(|asked| !asked.is_overdue()) {
            self.requests.release(asked, false);
        }
        let owed = !flow.asked.is_empty();
        self.asked.clear(&mut flow.asked);
        self.queued.clear(&mut flow.queued);
        self.requests.owner_left(conn.serial);
        if self.requests.has_blocks_of(conn.serial) {
            let requests = &self.requests;
            self.departed.retain(|departed| requests.has_blocks_of(departed.serial));
            self.departed.push(Departed { serial: conn.serial, addr, peer });
        }
        self.choker.closed(id);
        self.tell_never(id);
        if conn.is(Flag::RemoteSeed) {
            self.availability.remove_seed();
        } else {
            self.availability.remove_words(self.sets.row(id));
            self.requests.unsort();
        }
        if !conn.is(Flag::Incoming) || self.peers.is_connected(addr) {
            self.peers.closed(addr, now, conn.is(Flag::Useful), never);
        }
        self.served -= u16::from(conn.is_served());
        if self.stopping {
            return;
        }
        if conn.is_served() {
            self.rechoke_soon(now);
        }
        if owed {
            self.wake(now, out);
        }
        self.seek_peers(now, out);
    }

    /// Connects while there is room; announces early where addresses have run out.
    pub(super) fn seek_peers(&mut self, now: Instant, out: &mut Vec<Output>) {
        self.timers.connect = Instant::NEVER;
        if !self.stopping && self.connect(now, out) {
            let known = self.conns.len() + self.peers.connecting();
            if !self.is_complete() && known < self.config.min_connections {
                self.announcer.hurry();
            }
        }
        self.reschedule();
    }

    /// Connects while there is room; false if as many attempts are under way as may be.
    fn connect(&mut self, now: Instant, out: &mut Vec<Output>) -> bool {
        let most = self.config.initiate_up_to.min(self.config.max_connections);
        while self.conns.len() + self.peers.connecting() < most {
            if self.peers.connecting() >= self.config.max_half_open {
                return false;
            }
            if let Some(again) = self.pace.wait(now, self.config.connects_per_second) {
                self.timers.connect = again;
                return false;
            }
            let Some(addr) = self.peers.next(now, &mut self.random.connect) else {
                self.timers.connect = self.peers.next_at(now).unwrap_or(Instant::NEVER);
                break;
            };
            self.pace.count();
            out.push(Output::Connect { addr: Box::new(addr) });
        }
        true
    }
}

/// The pieces that a remote with this address may ask for while choked (BEP 6): none with IPv6, for which there is no rule.
pub(super) fn allowed_set(
    config: &Config,
    info_hash: &InfoHash,
    piece_count: u32,
    addr: SocketAddr,
) -> Vec<PieceIndex> {
    match (addr, usize::from(config.allowed_fast)) {
        (SocketAddr::V4(addr), count @ 1..) => {
            let host = *addr.ip();
            let of = if config.allowed_fast_by_host { host } else { network(host) };
            allowed_fast(info_hash, piece_count, of, count)
        }
        _ => Vec::new(),
    }
}
