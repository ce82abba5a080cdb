//! Uploading: what remotes ask for, and who is unchoked.

use alloc::vec::Vec;

use super::links::allowed_set;
use super::{CHOKE_SPACING, Torrent, send};
use crate::choker::ChokeView;
use crate::choker::slots::slots;
use crate::conn::{Conn, Flag};
use crate::flows::Flow;
use crate::remotes::Tally;
use crate::time::{Coarse, Stamp};
use crate::wire::MAX_BLOCK_LEN;
use crate::{Block, ChokeReason, ConnId, Instant, Message, Misbehaviour, Note, Output, UnchokeReason};

/// Requests beyond the queue's bound until a remote that cannot be told (no fast extension) is sent away.
const MOST_OVERFLOW: u32 = 10_000;

/// How often a choked remote may ask for each block that is allowed fast, taken all together. libtorrent: 3.
const MOST_FAST: u32 = 3;

impl Torrent {
    pub(super) fn remote_request(&mut self, now: Instant, id: ConnId, block: Block, out: &mut Vec<Output>) {
        if !self.layout.is_in_range(block) || block.len > MAX_BLOCK_LEN {
            return self.misbehaved(now, id, Misbehaviour::BadRequest, out);
        }
        let Some(conn) = self.conns.get_mut(id) else { return };
        conn.heard_at = Coarse::of(now);
        let mut allowed = || {
            let count = u32::from(self.config.allowed_fast);
            count > 0
                && allowed_set(&self.config, &self.info_hash, self.have.len(), self.remotes.addr(id))
                    .contains(&block.piece)
                && self.remotes.count(id, Tally::Fast)
                    <= MOST_FAST * count * self.layout.block_count(block.piece)
        };
        let choked = conn.is(Flag::WeChoking) && !allowed();
        if choked || !self.have.contains(block.piece) {
            return self.refuse(now, id, (block, false), out);
        }
        let flow = self.flows.of(id, conn);
        if flow.queued.len() >= self.config.max_queued_requests || self.queued.is_full() {
            return self.refuse(now, id, (block, true), out);
        }
        if conn.credit > 0 && flow.queued.is_empty() {
            return self.totals.uploaded += upload(conn, flow, id, now, block, out);
        }
        self.queued.push(&mut flow.queued, block);
        if conn.credit > 0 {
            self.writable(now, id, 0, out);
        }
    }

    /// A request that is not served. `overflow`: because too many are queued.
    #[cold]
    fn refuse(&mut self, now: Instant, id: ConnId, (block, overflow): (Block, bool), out: &mut Vec<Output>) {
        let Some(conn) = self.conns.get_mut(id) else { return };
        if conn.is(Flag::Fast) {
            send(conn, id, now, || Message::Reject(block), out);
        } else if overflow && self.remotes.count(id, Tally::Overflow) > MOST_OVERFLOW {
            self.misbehaved(now, id, Misbehaviour::Flood, out);
        }
    }

    pub(super) fn remote_cancel(&mut self, now: Instant, id: ConnId, block: Block, out: &mut Vec<Output>) {
        let Some(conn) = self.conns.get_mut(id) else { return };
        let Some(flow) = self.flows.get_mut(conn) else { return };
        let withdrawn = self.queued.take(&mut flow.queued, |&queued| queued == block);
        if withdrawn.is_some() && conn.is(Flag::Fast) {
            send(conn, id, now, || Message::Reject(block), out);
        }
    }

    /// The driver takes so many blocks more: sends queued ones while it does.
    pub(super) fn writable(&mut self, now: Instant, id: ConnId, blocks: u16, out: &mut Vec<Output>) {
        let Some(conn) = self.conns.get_mut(id) else { return };
        conn.credit = conn.credit.saturating_add(blocks);
        let Some(flow) = self.flows.get_mut(conn) else { return };
        while conn.credit > 0 {
            let Some(block) = self.queued.pop(&mut flow.queued) else { return };
            self.totals.uploaded += upload(conn, flow, id, now, block, out);
        }
    }

    pub(super) fn remote_interested(
        &mut self,
        now: Instant,
        id: ConnId,
        interested: bool,
        out: &mut Vec<Output>,
    ) {
        let Some(conn) = self.conns.get_mut(id) else { return };
        if conn.is(Flag::RemoteInterested) == interested {
            return;
        }
        conn.set(Flag::RemoteInterested, interested);
        conn.interest_at = Coarse::of(now);
        let choking = conn.is(Flag::WeChoking);
        match (interested, choking) {
            (true, false) => self.served += 1,
            (false, false) => self.served -= 1,
            _ => {}
        }
        let (taken, slots) = (self.served, self.slots);
        match (interested, choking) {
            (true, true) if taken < slots && self.config.between_rounds => {
                self.unchoke(now, id, UnchokeReason::Regular, out)
            }
            (true, false) if taken > slots => self.rechoke_soon(now),
            (false, false) => self.rechoke_soon(now),
            _ => {}
        }
    }

    /// Has the slots given anew before the round ends, but not more often than once in [`CHOKE_SPACING`].
    pub(super) fn rechoke_soon(&mut self, now: Instant) {
        if !self.config.between_rounds {
            return;
        }
        self.timers.choke = now.max(self.choked_at + CHOKE_SPACING);
        self.reschedule();
    }

    /// Decides who is unchoked and sends what changes.
    pub(super) fn rechoke(&mut self, now: Instant, round: bool, out: &mut Vec<Output>) {
        self.timers.choke = Instant::NEVER;
        self.choked_at = now;
        let views = self.choke_views(now);
        let seeding = self.is_complete() || self.config.upload_only;
        let when = (seeding, round);
        self.slots = slots(&self.config, when, &views, self.layout.piece_length());
        let random = &mut self.random.choke;
        let mut decision = self.choker.decide_slots(&self.config, when, self.slots, &views, random);
        // In the order of links, as the views are: so one pass over both finds what differs.
        decision.sort_by_key(|&(conn, _)| conn);
        decision.dedup_by_key(|&mut (conn, _)| conn);
        let mut decision = decision.into_iter().peekable();
        for view in &views {
            let chosen = decision.next_if(|&(conn, _)| conn == view.conn);
            match (chosen, view.unchoked) {
                (Some((_, reason)), false) => self.unchoke(now, view.conn, reason, out),
                (None, true) => self.choke(now, view, out),
                _ => {}
            }
        }
    }

    #[inline(never)]
    fn choke_views(&self, now: Instant) -> Vec<ChokeView> {
        let (stamp, piece_length) = (Stamp::of(now), self.layout.piece_length());
        let piece_count = u64::from(self.have.len().max(1));
        // Divisions are dear, and few are sent anything.
        let pieces = |bytes: u32| if bytes < piece_length { 0 } else { bytes / piece_length };
        let mut views = Vec::with_capacity(self.conns.len().into());
        for (id, conn) in self.conns.iter() {
            let flow = self.flows.get(conn);
            let may_ask = !conn.is(Flag::WeChoking) || self.config.allowed_fast > 0;
            let pending = may_ask && !flow.queued.is_empty();
            views.push(ChokeView {
                conn: id,
                interested: conn.is(Flag::RemoteInterested),
                unchoked: !conn.is(Flag::WeChoking),
                snubbed: conn.is(Flag::Snubbed),
                received: flow.down.bytes(),
                sent: flow.up.bytes(),
                pending,
                since_unchoke: stamp.since(conn.unchoked_at),
                pieces_since_unchoke: pieces(flow.sent_since_unchoke),
                progress: (u64::from(conn.remote_count) * 1_000 / piece_count) as u16,
            });
        }
        views
    }

    fn unchoke(&mut self, now: Instant, id: ConnId, reason: UnchokeReason, out: &mut Vec<Output>) {
        let Some(conn) = self.conns.get_mut(id) else { return };
        conn.set(Flag::WeChoking, false);
        self.served += u16::from(conn.is_served());
        conn.unchoked_at = Stamp::of(now);
        if let Some(flow) = self.flows.get_mut(conn) {
            flow.sent_since_unchoke = 0;
        }
        send(conn, id, now, || Message::Unchoke, out);
        self.note(Note::Unchoked { conn: id, reason }, out);
    }

    /// Chokes a remote. What it has asked for is dropped, and rejected where it can be told (BEP 6).
    fn choke(&mut self, now: Instant, view: &ChokeView, out: &mut Vec<Output>) {
        let id = view.conn;
        let Some(conn) = self.conns.get_mut(id) else { return };
        self.served -= u16::from(conn.is_served());
        conn.set(Flag::WeChoking, true);
        send(conn, id, now, || Message::Choke, out);
        if conn.is(Flag::Fast) {
            for &block in self.queued.iter(self.flows.get(conn).queued) {
                send(conn, id, now, || Message::Reject(block), out);
            }
        }
        if let Some(flow) = self.flows.get_mut(conn) {
            self.queued.clear(&mut flow.queued);
        }
        let reason = match (view.interested, view.snubbed) {
            (false, _) => ChokeReason::NotInterested,
            (true, true) => ChokeReason::Snubbed,
            (true, false) => ChokeReason::Outranked,
        };
        self.note(Note::Choked { conn: id, reason }, out);
    }
}

/// Sends a block for one of the link's credits; returns its length.
fn upload(
    conn: &mut Conn,
    flow: &mut Flow,
    id: ConnId,
    now: Instant,
    block: Block,
    out: &mut Vec<Output>,
) -> u64 {
    conn.credit -= 1;
    conn.set(Flag::Useful, true);
    flow.up.add(block.len);
    flow.sent_since_unchoke = flow.sent_since_unchoke.saturating_add(block.len);
    let Block { piece, begin, len } = block;
    send(conn, id, now, || Message::Piece(Block { piece, begin, len }), out);
    block.len.into()
}
