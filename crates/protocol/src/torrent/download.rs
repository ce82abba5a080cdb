//! Downloading: what the remotes have, which blocks are asked of whom, and what becomes of what arrives.

use alloc::vec::Vec;

use super::{DISK_PAUSE, Departed, Torrent, send};
use crate::bitfield::mask;
use crate::conn::{Conn, Outstanding, Stamp};
use crate::requests::{Asker, Chosen, Receipt};
use crate::{
    Bitfield, Block, CloseReason, ConnId, Endgame, Instant, Message, Misbehaviour, Note, Output, PieceIndex,
};

/// Blocks that nobody asked for until a remote is sent away.
const MOST_STRIKES: u16 = 64;
/// Pieces a remote may offer as allowed fast. BEP 6 proposes 10.
const MOST_ALLOWED_FAST: usize = 32;

impl Torrent {
    pub(super) fn remote_have(&mut self, now: Instant, id: ConnId, piece: PieceIndex, out: &mut Vec<Output>) {
        if !self.layout.contains(piece) {
            return self.misbehaved(now, id, Misbehaviour::PieceOutOfRange, out);
        }
        let Some(conn) = self.conns.get_mut(id) else { return };
        if conn.remote_seed || self.sets.contains(id, piece) {
            return;
        }
        self.sets.insert(id, piece);
        self.availability.add(piece);
        conn.remote_count += 1;
        if !self.have.contains(piece) {
            conn.wanted += 1;
        }
        if conn.remote_count == self.have.len() {
            self.availability.remove_set(self.sets.row(id));
            self.availability.add_seed();
            conn.remote_seed = true;
            if self.have.is_full() {
                return self.close(now, id, CloseReason::BothSeeds, out);
            }
        }
        self.update_interest(now, id, out);
        self.fill(now, id, out);
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
        if takes_back || (conn.remote_seed && !have.is_full()) {
            return self.misbehaved(now, id, Misbehaviour::ShrunkenBitfield, out);
        }
        if conn.remote_seed {
            return;
        }
        self.availability.remove_set(told);
        conn.remote_count = have.count();
        if have.is_full() {
            conn.remote_seed = true;
            self.availability.add_seed();
            if self.have.is_full() {
                return self.close(now, id, CloseReason::BothSeeds, out);
            }
        } else {
            self.sets.set(id, have);
            self.availability.add_set(have.words());
            let ours = self.have.words();
            conn.wanted =
                have.words().iter().zip(ours).map(|(theirs, ours)| (theirs & !ours).count_ones()).sum();
        }
        self.update_interest(now, id, out);
        self.fill(now, id, out);
    }

    /// Tells the remote whether we want something it has, if that has changed.
    fn update_interest(&mut self, now: Instant, id: ConnId, out: &mut Vec<Output>) {
        let Some(conn) = self.conns.get_mut(id) else { return };
        let lacks = if conn.remote_seed { !self.have.is_full() } else { conn.wanted > 0 };
        let wants = lacks && !self.config.upload_only;
        if wants != conn.we_interested {
            conn.we_interested = wants;
            let message = if wants { Message::Interested } else { Message::NotInterested };
            send(conn, id, now, message, out);
        }
    }

    pub(super) fn remote_choked(&mut self, now: Instant, id: ConnId, out: &mut Vec<Output>) {
        let Some(conn) = self.conns.get_mut(id) else { return };
        conn.remote_choking = true;
        if conn.fast || conn.outstanding.is_empty() {
            return; // with the fast extension each request is answered or rejected (BEP 6)
        }
        let dropped = core::mem::take(&mut conn.outstanding);
        conn.excused = conn.excused.saturating_add(dropped.len() as u16);
        for request in dropped.iter().filter(|request| !request.overdue) {
            self.requests.release(request.slot, request.block.piece, request.number, false);
        }
        self.wake(now, out);
    }

    pub(super) fn remote_unchoked(&mut self, now: Instant, id: ConnId, out: &mut Vec<Output>) {
        let Some(conn) = self.conns.get_mut(id) else { return };
        conn.remote_choking = false;
        conn.block_at = Stamp::of(now);
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
        if conn.allowed_fast.len() < MOST_ALLOWED_FAST && !conn.allowed_fast.contains(&piece) {
            conn.allowed_fast.push(piece);
        }
        self.fill(now, id, out);
    }

    /// Asks every remote that has room for more: blocks have become free.
    pub(super) fn wake(&mut self, now: Instant, out: &mut Vec<Output>) {
        for id in self.conns.slots() {
            self.fill(now, id, out);
        }
    }

    /// Keeps the remote's pipeline full.
    pub(super) fn fill(&mut self, now: Instant, id: ConnId, out: &mut Vec<Output>) {
        if self.disk_congested || self.rest_until.is_some() {
            return;
        }
        let Some(conn) = self.conns.get_mut(id) else { return };
        let limit = if conn.snubbed { 1 } else { usize::from(conn.pipeline) };
        if !conn.we_interested || conn.outstanding.len() >= limit {
            return;
        }
        let allowed;
        let has = if conn.remote_choking {
            if conn.allowed_fast.is_empty() {
                return;
            }
            let row = (!conn.remote_seed).then(|| self.sets.row(id));
            allowed = allowed_words(&conn.allowed_fast, row, self.have.words().len());
            Some(&allowed[..])
        } else {
            (!conn.remote_seed).then(|| self.sets.row(id))
        };
        let policy = (self.config.picker, self.config.random_first_pieces);
        while conn.outstanding.len() < limit {
            let asker = Asker { serial: conn.serial, has, alone: conn.suspect, working: conn.working };
            let random = &mut self.random.pick;
            let Some(chosen) = self.requests.next(asker, &self.layout, policy, &self.availability, random)
            else {
                break;
            };
            if let (Some(reason), true) = (chosen.begun, self.config.notes) {
                let (piece, availability) = (chosen.block.piece, self.availability.of(chosen.block.piece));
                out.push(Output::Note(Note::Picked { conn: id, piece, reason, availability }));
            }
            request(conn, id, now, chosen, out);
        }
        if !self.requests.is_endgame() {
            return;
        }
        let most = match self.config.endgame {
            Endgame::Full => limit,
            Endgame::Strict => 1,
        };
        while conn.outstanding.len() < most {
            let asker = Asker { serial: conn.serial, has, alone: conn.suspect, working: conn.working };
            let asked = &conn.outstanding;
            let chosen = self.requests.next_busy(asker, &self.layout, |piece, number| {
                asked.iter().any(|request| request.block.piece == piece && request.number == number)
            });
            let Some(chosen) = chosen else { break };
            request(conn, id, now, chosen, out);
        }
    }

    pub(super) fn block_arrived(&mut self, now: Instant, id: ConnId, block: Block, out: &mut Vec<Output>) {
        let Some(conn) = self.conns.get_mut(id) else { return };
        let stamp = Stamp::of(now);
        let request = conn.take_outstanding(block);
        self.totals.downloaded += u64::from(block.len);
        conn.received_bytes += u64::from(block.len);
        match request {
            Some(request) => {
                conn.down.add(block.len);
                conn.block_at = stamp;
                conn.snubbed = false;
                let (delay, span) = (stamp.since(request.sent), self.config.pipeline.span.as_millis() as u32);
                if delay <= span / 2 {
                    conn.pipeline = conn.pipeline.saturating_add(1).min(self.config.pipeline.max);
                } else if delay > span {
                    conn.pipeline = conn.pipeline.saturating_sub(1).max(self.config.pipeline.min);
                }
            }
            None if conn.excused > 0 => conn.excused -= 1,
            None => {
                self.totals.wasted += u64::from(block.len);
                conn.strikes += 1;
                if conn.strikes > MOST_STRIKES {
                    self.misbehaved(now, id, Misbehaviour::UnrequestedData, out);
                }
                return;
            }
        }
        match self.requests.receive(block, &self.layout, conn.serial, request) {
            Receipt::Useless => self.totals.wasted += u64::from(block.len),
            Receipt::Stored { duplicates, completes } => {
                out.push(Output::Store { conn: id, block });
                if duplicates {
                    self.cancel_duplicates(now, block, out);
                }
                if completes {
                    out.push(Output::Verify { piece: block.piece });
                }
            }
        }
        self.fill(now, id, out);
        if self.is_endgame() && !self.endgame_noted {
            self.endgame_noted = true;
            self.note(Note::Endgame, out);
            self.wake(now, out);
        }
    }

    /// The block is here: whoever else was asked for it need not send it.
    fn cancel_duplicates(&mut self, now: Instant, block: Block, out: &mut Vec<Output>) {
        for other in self.conns.slots() {
            let Some(conn) = self.conns.get_mut(other) else { continue };
            let Some(request) = conn.take_outstanding(block) else { continue };
            conn.excused = conn.excused.saturating_add(1);
            send(conn, other, now, Message::Cancel(block), out);
            if !request.overdue {
                self.requests.release(request.slot, block.piece, request.number, false);
            }
            self.fill(now, other, out);
        }
    }

    pub(super) fn rejected(&mut self, now: Instant, id: ConnId, block: Block, out: &mut Vec<Output>) {
        let Some(conn) = self.conns.get_mut(id) else { return };
        let Some(request) = conn.take_outstanding(block) else {
            conn.excused = conn.excused.saturating_sub(1);
            return;
        };
        conn.allowed_fast.retain(|&piece| piece != block.piece);
        if !request.overdue && self.requests.release(request.slot, block.piece, request.number, false) {
            self.wake_others(now, id, out);
        }
    }

    /// Asks every remote but the one that has just refused, which would refuse again.
    fn wake_others(&mut self, now: Instant, refused_by: ConnId, out: &mut Vec<Output>) {
        for id in self.conns.slots().filter(|&id| id != refused_by) {
            self.fill(now, id, out);
        }
    }

    /// The piece is here and checked.
    pub(super) fn piece_good(&mut self, now: Instant, piece: PieceIndex, out: &mut Vec<Output>) {
        let Some(givers) = self.requests.givers(piece) else { return };
        self.requests.finish(piece);
        if !self.have.insert(piece) {
            return;
        }
        self.totals.left -= u64::from(self.layout.piece_len(piece));
        if let [giver] = givers[..]
            && let Some((_, conn)) = self.conns.iter_mut().find(|(_, conn)| conn.serial == giver)
        {
            conn.suspect = false;
        }
        let complete = self.have.is_full();
        for id in self.conns.slots() {
            let Some(conn) = self.conns.get_mut(id) else { continue };
            let remote_has = conn.remote_seed || self.sets.contains(id, piece);
            if remote_has && !conn.remote_seed {
                conn.wanted -= 1;
            }
            if complete {
                conn.interest_at = Stamp::of(now);
            }
            if complete && conn.remote_seed {
                self.close(now, id, CloseReason::BothSeeds, out);
                continue;
            }
            if !remote_has || self.config.redundant_have {
                send(conn, id, now, Message::Have(piece), out);
            }
            self.update_interest(now, id, out);
        }
        if complete {
            if !core::mem::replace(&mut self.was_complete, true) {
                self.announcer.complete(now);
            }
            out.push(Output::Completed);
        }
    }

    /// The piece is here and wrong. Who gave all of it is banned; where several had a part, each works on pieces alone
    /// from now on, so that the next bad one tells who it is, and the piece is fetched anew.
    pub(super) fn piece_bad(&mut self, now: Instant, piece: PieceIndex, out: &mut Vec<Output>) {
        let Some(givers) = self.requests.givers(piece) else { return };
        self.requests.lose(piece);
        self.endgame_noted = false;
        self.totals.bad_pieces += 1;
        self.totals.wasted += u64::from(self.layout.piece_len(piece));
        if let [giver] = givers[..] {
            self.convict(now, giver, piece, out);
        } else {
            for (_, conn) in self.conns.iter_mut().filter(|(_, conn)| givers.contains(&conn.serial)) {
                conn.suspect = true;
                conn.working = u16::MAX;
            }
        }
        self.wake(now, out);
    }

    fn convict(&mut self, now: Instant, giver: u32, piece: PieceIndex, out: &mut Vec<Output>) {
        let here = self.conns.iter().find(|(_, conn)| conn.serial == giver).map(|(id, _)| id);
        if let Some(id) = here {
            self.note(Note::Banned { conn: id, piece }, out);
            self.close(now, id, CloseReason::Banned, out);
        } else if let Some(&Departed { addr, peer_id, .. }) =
            self.departed.iter().find(|departed| departed.serial == giver)
        {
            self.peers.ban(addr, peer_id);
        }
    }

    /// What was received of the piece is lost; requests rest for a while.
    pub(super) fn disk_failed(&mut self, now: Instant, piece: PieceIndex) {
        if self.layout.contains(piece) && !self.have.contains(piece) {
            self.requests.lose(piece);
            self.rest_until = Some(now + DISK_PAUSE);
        }
    }

    /// The piece was thought to be here and is not.
    pub(super) fn read_failed(&mut self, now: Instant, id: ConnId, block: Block, out: &mut Vec<Output>) {
        if self.have.remove(block.piece) {
            self.totals.left += u64::from(self.layout.piece_len(block.piece));
            self.requests.lose(block.piece);
            for other in self.conns.slots() {
                let Some(conn) = self.conns.get_mut(other) else { continue };
                if !conn.remote_seed && self.sets.contains(other, block.piece) {
                    conn.wanted += 1;
                }
                self.update_interest(now, other, out);
            }
        }
        let Some(conn) = self.conns.get_mut(id) else { return };
        if conn.fast {
            send(conn, id, now, Message::Reject(block), out);
        } else {
            self.close(now, id, CloseReason::Disk, out);
        }
    }
}

fn request(conn: &mut Conn, id: ConnId, now: Instant, chosen: Chosen, out: &mut Vec<Output>) {
    let Chosen { block, slot, number, .. } = chosen;
    let sent = Stamp::of(now);
    if conn.outstanding.is_empty() {
        conn.block_at = sent;
    }
    conn.working = slot;
    conn.outstanding.push_back(Outstanding { block, slot, number, sent, overdue: false });
    send(conn, id, now, Message::Request(block), out);
}

/// The pieces a remote serves while it chokes us, as words, of those it has.
fn allowed_words(allowed: &[PieceIndex], has: Option<&[u64]>, len: usize) -> Vec<u64> {
    let mut words = alloc::vec![0; len];
    for &piece in allowed {
        words[piece.0 as usize / 64] |= mask(piece);
    }
    if let Some(has) = has {
        words.iter_mut().zip(has).for_each(|(word, has)| *word &= has);
    }
    words
}
