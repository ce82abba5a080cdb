//! Downloading: what the remotes have, which blocks are asked of whom, and what becomes of what arrives.

use alloc::vec::Vec;

use super::{DISK_PAUSE, Departed, Torrent, emit, haves, send};
use crate::bitfield::adds_to;
use crate::conn::{Asked, Conn, Flag};
use crate::flows::Flow;
use crate::pipeline::{Arrival, Depth, Pace, by_delay};
use crate::pool::Pool;
use crate::requests::Receipt;
use crate::time::{Coarse, Stamp};
use crate::{
    Bitfield, Block, CloseReason, ConnId, Instant, Message, Misbehaviour, Note, Output, PieceIndex,
    PipelineRule,
};

/// Blocks that nobody asked for until a remote is sent away.
const MOST_STRIKES: u8 = 64;
/// Pieces a remote may offer as allowed fast. BEP 6 proposes 10.
const MOST_ALLOWED_FAST: usize = 32;

impl Torrent {
    pub(super) fn remote_have(&mut self, now: Instant, id: ConnId, piece: PieceIndex, out: &mut Vec<Output>) {
        if piece.0 >= self.have.len() {
            return self.misbehaved(now, id, Misbehaviour::PieceOutOfRange, out);
        }
        let Some(conn) = self.conns.get_mut(id) else { return };
        conn.heard_at = Coarse::of(now);
        if conn.is(Flag::RemoteSeed) || !self.sets.insert(id, piece) {
            return;
        }
        let counted = self.availability.add_within(piece);
        conn.remote_count += 1;
        // Mostly it changes nothing: we want something of the remote already, or not this, and it chokes us.
        let known = conn.is(Flag::WeInterested) || self.have.contains(piece);
        let listed = self.requests.is_listed();
        if !counted || !known || listed || conn.may_be_asked() || conn.remote_count == self.have.len() {
            self.remote_gained(now, id, (piece, counted), out);
        }
    }

    /// A remote has a piece more, of which something may follow.
    #[inline(never)]
    fn remote_gained(
        &mut self,
        now: Instant,
        id: ConnId,
        (piece, counted): (PieceIndex, bool),
        out: &mut Vec<Output>,
    ) {
        if !counted {
            self.availability.add_beyond(piece);
        }
        self.requests.relist(piece, 0, &self.layout, &self.availability);
        let Some(conn) = self.conns.get_mut(id) else { return };
        if conn.remote_count == self.have.len() {
            self.availability.remove_words(self.sets.row(id));
            self.availability.add_seed();
            conn.set(Flag::RemoteSeed, true);
            if self.have.is_full() {
                return self.close(now, id, CloseReason::BothSeeds, out);
            }
        }
        let wants = !conn.is(Flag::WeInterested) && !self.have.contains(piece) && !self.config.upload_only;
        if wants && self.config.between_rounds {
            set_interest(conn, id, now, true, out);
        }
        if conn.may_be_asked() && (wants || self.config.haves_ask) {
            self.fill(now, id, out);
        }
    }

    pub(super) fn remote_bitfield(
        &mut self,
        now: Instant,
        id: ConnId,
        have: &Bitfield,
        out: &mut Vec<Output>,
    ) {
        let Some(conn) = self.conns.get_mut(id) else { return };
        if have.len() != self.have.len() {
            return self.misbehaved(now, id, Misbehaviour::MalformedBitfield, out);
        }
        // BEP 3 has a bitfield open the link only. aria2 sends one (or have all) later too, where that is shorter than the
        // haves it stands for, so a later one is taken for what it adds.
        let told = self.sets.row(id);
        let takes_back = told.iter().zip(have.words()).any(|(told, now)| told & !now != 0);
        if takes_back || (conn.is(Flag::RemoteSeed) && !have.is_full()) {
            return self.misbehaved(now, id, Misbehaviour::ShrunkenBitfield, out);
        }
        if conn.is(Flag::RemoteSeed) {
            return;
        }
        self.requests.unsort();
        self.availability.remove_words(told);
        conn.remote_count = have.count();
        if have.is_full() {
            conn.set(Flag::RemoteSeed, true);
            self.availability.add_seed();
            if self.have.is_full() {
                return self.close(now, id, CloseReason::BothSeeds, out);
            }
        } else {
            self.sets.set(id, have);
            self.availability.add_words(have.words());
        }
        if self.config.between_rounds {
            self.update_interest(now, id, out);
        }
        self.fill(now, id, out);
    }

    /// Tells the remote whether we want something it has, if that has changed.
    pub(super) fn update_interest(&mut self, now: Instant, id: ConnId, out: &mut Vec<Output>) {
        let Some(conn) = self.conns.get_mut(id) else { return };
        let wants = !self.config.upload_only
            && if conn.is(Flag::RemoteSeed) {
                !self.have.is_full()
            } else {
                adds_to(self.sets.row(id), self.have.words())
            };
        if wants != conn.is(Flag::WeInterested) {
            set_interest(conn, id, now, wants, out);
        }
    }

    pub(super) fn remote_choked(&mut self, now: Instant, id: ConnId, out: &mut Vec<Output>) {
        let Some(conn) = self.conns.get_mut(id) else { return };
        conn.set(Flag::RemoteChoking, true);
        if self.requests.release_kept(conn.serial) {
            self.wake(now, out);
        }
        let Some(conn) = self.conns.get_mut(id).filter(|conn| !conn.is(Flag::Fast)) else {
            return; // with the fast extension each request is answered or rejected (BEP 6)
        };
        let flow = self.flows.get_mut(conn).filter(|flow| !flow.asked.is_empty());
        let Some(flow) = flow else { return };
        flow.excused = flow.excused.saturating_add(flow.asked.len());
        for &asked in self.asked.iter(flow.asked).filter(|asked| !asked.is_overdue()) {
            self.requests.release(asked, false);
        }
        self.asked.clear(&mut flow.asked);
        self.wake(now, out);
    }

    pub(super) fn remote_unchoked(&mut self, now: Instant, id: ConnId, out: &mut Vec<Output>) {
        let Some(conn) = self.conns.get_mut(id) else { return };
        conn.set(Flag::RemoteChoking, false);
        conn.set(Flag::Refusing, false);
        if let Some(flow) = self.flows.get_mut(conn) {
            flow.block_at = Coarse::of(now);
        }
        self.fill(now, id, out);
    }

    pub(super) fn allowed_fast(
        &mut self,
        now: Instant,
        id: ConnId,
        piece: PieceIndex,
        out: &mut Vec<Output>,
    ) {
        if !self.layout.contains(piece) {
            return self.misbehaved(now, id, Misbehaviour::PieceOutOfRange, out);
        }
        let Some(conn) = self.conns.get_mut(id) else { return };
        self.remotes.allow_fast(id, piece, MOST_ALLOWED_FAST);
        conn.set(Flag::AllowsFast, true);
        self.fill(now, id, out);
    }

    pub(super) fn block_arrived(&mut self, now: Instant, id: ConnId, block: Block, out: &mut Vec<Output>) {
        let Some(conn) = self.conns.get_mut(id) else { return };
        conn.heard_at = Coarse::of(now);
        conn.set(Flag::Useful, true);
        self.totals.downloaded += u64::from(block.len);
        let layout = &self.layout;
        let flow = self.flows.of(id, conn);
        let asked = self.asked.take(&mut flow.asked, |asked| {
            asked.piece() == block.piece && layout.block(block.piece, asked.number()) == block
        });
        let Some(asked) = asked else { return self.unasked_block(now, id, block, out) };
        flow.block_at = conn.heard_at;
        conn.set(Flag::Snubbed, false);
        conn.set(Flag::Refusing, false);
        flow.down.add(block.len);
        let (delay, serial) = (Stamp::of(now).since(asked.sent), conn.serial);
        match self.config.pipeline_rule {
            PipelineRule::Delay => conn.pipeline = by_delay(&self.config, conn.pipeline, delay),
            _ => self.pace(now, id, (block.len, delay)),
        }
        let receipt = self.requests.receive((block.piece, asked.number()), serial, Some(asked));
        self.received(now, id, block, receipt, out);
    }

    /// Has a rule that looks at more than the delay say how many requests are kept outstanding.
    #[inline(never)]
    fn pace(&mut self, now: Instant, id: ConnId, (len, delay): (u32, u32)) {
        let Some(conn) = self.conns.get_mut(id) else { return };
        let down = self.flows.of(id, conn).down;
        let round = self.config.rechoke_interval;
        let gone = (now + round).since(self.timers.round.min(now + round)).as_millis() as u32;
        let arrival = Arrival {
            delay,
            len,
            millis: (now.as_micros() / 1_000) as u32,
            window_bytes: down.bytes(),
            window_ms: down.millis(gone, round.as_millis() as u32),
            block_len: self.layout.block_len(),
        };
        let mut nothing = Pace::NEW;
        let remembers = self.config.pipeline_rule.remembers();
        let pace = if remembers { self.flows.pace_mut(conn) } else { &mut nothing };
        let mut depth = Depth { limit: conn.pipeline, pace };
        depth.block(&self.config, arrival);
        conn.pipeline = depth.limit;
    }

    /// A block that answers no request of ours: too late, or unasked.
    #[cold]
    fn unasked_block(&mut self, now: Instant, id: ConnId, block: Block, out: &mut Vec<Output>) {
        let Some(conn) = self.conns.get_mut(id) else { return };
        let flow = self.flows.of(id, conn);
        if flow.excused > 0 {
            flow.excused -= 1;
            let number = self.layout.block_number(block);
            let receipt =
                number.map(|number| self.requests.receive((block.piece, number), conn.serial, None));
            return self.received(now, id, block, receipt.unwrap_or(Receipt::Useless), out);
        }
        self.totals.wasted += u64::from(block.len);
        flow.strikes += 1;
        if flow.strikes > MOST_STRIKES {
            self.misbehaved(now, id, Misbehaviour::UnrequestedData, out);
        }
    }

    /// Has a block stored, if it was lacking, and asks its giver for more.
    #[inline(always)] // for the usual block; the other caller is cold
    fn received(&mut self, now: Instant, id: ConnId, block: Block, receipt: Receipt, out: &mut Vec<Output>) {
        match receipt {
            Receipt::Useless => self.totals.wasted += u64::from(block.len),
            Receipt::Stored { duplicates, completes } => {
                let Block { piece, begin, len } = block;
                emit(out, || Output::Store { conn: id, block: Block { piece, begin, len } });
                self.requests.relist(piece, 1, &self.layout, &self.availability);
                if duplicates > 0 {
                    self.cancel_duplicates(now, block, duplicates, out);
                }
                if completes {
                    out.push(Output::Verify { piece: block.piece });
                }
            }
        }
        self.refill(now, id, out);
        if !self.endgame_noted && self.requests.is_endgame() {
            self.begin_endgame(now, out);
        }
    }

    #[cold]
    fn begin_endgame(&mut self, now: Instant, out: &mut Vec<Output>) {
        if !self.is_complete() {
            self.endgame_noted = true;
            self.note(Note::Endgame, out);
            self.wake(now, out);
        }
    }

    /// The block is here: whoever else was asked for it, at most so many, need not send it.
    #[inline(never)]
    fn cancel_duplicates(&mut self, now: Instant, block: Block, most: u16, out: &mut Vec<Output>) {
        let Some(number) = self.layout.block_number(block) else { return };
        let mut left = most;
        for other in self.conns.slots() {
            let Some(conn) = self.conns.get_mut(other) else { continue };
            let Some(flow) = self.flows.get_mut(conn) else { continue };
            let Some(asked) = take_asked(&mut self.asked, flow, block.piece, number) else { continue };
            flow.excused = flow.excused.saturating_add(1);
            send(conn, other, now, || Message::Cancel(block), out);
            if !asked.is_overdue() {
                self.requests.release(asked, false);
            }
            self.fill(now, other, out);
            left -= 1;
            if left == 0 {
                return;
            }
        }
    }

    pub(super) fn rejected(&mut self, now: Instant, id: ConnId, block: Block, out: &mut Vec<Output>) {
        let Some(conn) = self.conns.get_mut(id) else { return };
        let Some(flow) = self.flows.get_mut(conn) else { return };
        let number = self.layout.block_number(block);
        let asked = number.and_then(|number| take_asked(&mut self.asked, flow, block.piece, number));
        let Some(asked) = asked else {
            flow.excused = flow.excused.saturating_sub(1);
            return;
        };
        // Two that refuse would else be asked for the same block in turn, as fast as they answer.
        conn.set(Flag::Refusing, !conn.is(Flag::RemoteChoking));
        if conn.is(Flag::AllowsFast) {
            conn.set(Flag::AllowsFast, self.remotes.disallow_fast(id, block.piece));
        }
        if !asked.is_overdue() && self.requests.release(asked, false) {
            self.wake_others(now, Some(id), out);
        }
    }

    /// The piece is here and checked.
    #[inline(never)]
    pub(super) fn piece_good(&mut self, now: Instant, piece: PieceIndex, out: &mut Vec<Output>) {
        let Some(giver) = self.requests.finish(piece, &self.layout) else { return };
        if !self.have.insert(piece) {
            return;
        }
        self.totals.left -= u64::from(self.layout.piece_len(piece));
        let complete = self.have.is_full();
        if giver != 0 && self.any_suspect {
            self.clear_suspect(giver);
        }
        for id in self.conns.slots() {
            let Some(conn) = self.conns.get_mut(id) else { continue };
            let seed = conn.is(Flag::RemoteSeed);
            if complete && seed {
                self.close(now, id, CloseReason::BothSeeds, out);
                continue;
            }
            let remote_has = seed || self.sets.contains(id, piece);
            if !remote_has || self.config.redundant_have {
                haves::tell(&mut self.haves, (id, conn), now, piece, out);
            }
            let interested = remote_has && !seed && conn.is(Flag::WeInterested);
            if interested && self.config.between_rounds && !adds_to(self.sets.row(id), self.have.words()) {
                set_interest(conn, id, now, false, out);
            }
        }
        if complete {
            self.conns.iter_mut().for_each(|conn| conn.interest_at = Coarse::of(now));
            if !core::mem::replace(&mut self.was_complete, true) {
                self.announcer.complete(now);
                self.reschedule();
            }
            self.shrink();
            out.push(Output::Completed);
        }
    }

    /// What this link alone gave was right.
    fn clear_suspect(&mut self, giver: u16) {
        for conn in self.conns.iter_mut() {
            if conn.is(Flag::Suspect) && conn.serial == giver {
                conn.set(Flag::Suspect, false);
            }
        }
    }

    /// The piece is here and wrong. Who gave all of it is banned; where several had a part, each works on pieces alone
    /// from now on, so that the next bad one tells who it is, and the piece is fetched anew.
    pub(super) fn piece_bad(&mut self, now: Instant, piece: PieceIndex, out: &mut Vec<Output>) {
        let Some(givers) = self.requests.givers(piece, &self.layout) else { return };
        self.requests.lose(piece);
        self.endgame_noted = false;
        self.totals.bad_pieces += 1;
        self.totals.wasted += u64::from(self.layout.piece_len(piece));
        if let [giver] = givers[..] {
            self.convict(now, giver, piece, out);
        } else {
            for conn in self.conns.iter_mut().filter(|conn| givers.contains(&conn.serial)) {
                conn.set(Flag::Suspect, true);
                if let Some(flow) = self.flows.get_mut(conn) {
                    flow.working = u16::MAX;
                }
            }
            self.any_suspect = true;
        }
        self.wake(now, out);
    }

    fn convict(&mut self, now: Instant, giver: u16, piece: PieceIndex, out: &mut Vec<Output>) {
        if let Some(id) = self.conns.named(giver) {
            self.note(Note::Banned { conn: id, piece }, out);
            self.close(now, id, CloseReason::Banned, out);
        } else if let Some(&Departed { addr, peer, .. }) =
            self.departed.iter().find(|departed| departed.serial == giver)
        {
            self.peers.ban(addr, peer);
        }
    }

    /// What was received of the piece is lost; requests rest for a while.
    pub(super) fn disk_failed(&mut self, now: Instant, piece: PieceIndex) {
        if self.layout.contains(piece) && !self.have.contains(piece) {
            self.requests.lose(piece);
            self.timers.rest = now + DISK_PAUSE;
            self.reschedule();
        }
    }

    /// The piece was thought to be here and is not.
    pub(super) fn read_failed(&mut self, now: Instant, id: ConnId, block: Block, out: &mut Vec<Output>) {
        // It was counted when it was handed to the driver.
        self.totals.uploaded = self.totals.uploaded.saturating_sub(u64::from(block.len));
        if self.have.remove(block.piece) {
            self.totals.left += u64::from(self.layout.piece_len(block.piece));
            self.requests.lose(block.piece);
            for other in self.conns.slots() {
                self.update_interest(now, other, out);
            }
        }
        let Some(conn) = self.conns.get_mut(id) else { return };
        if conn.is(Flag::Fast) {
            send(conn, id, now, || Message::Reject(block), out);
        } else {
            self.close(now, id, CloseReason::Disk, out);
        }
    }
}

fn set_interest(conn: &mut Conn, id: ConnId, now: Instant, wants: bool, out: &mut Vec<Output>) {
    conn.set(Flag::WeInterested, wants);
    let message = if wants { Message::Interested } else { Message::NotInterested };
    send(conn, id, now, || message, out);
}

/// Takes the request for a block out of those made of a link. Answers come mostly in order, so the first fits.
fn take_asked(pool: &mut Pool<Asked>, flow: &mut Flow, piece: PieceIndex, number: u32) -> Option<Asked> {
    pool.take(&mut flow.asked, |asked| asked.is_for(piece, number))
}
