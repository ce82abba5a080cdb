//! Asking: which blocks are requested of whom, and when.

use alloc::vec::Vec;

use super::{Torrent, send};
use crate::bitfield::mask;
use crate::conn::{Asked, Conn, Flag};
use crate::flows::Flow;
use crate::pool::Pool;
use crate::requests::{Asker, Chosen};
use crate::time::{Coarse, Stamp};
use crate::{Block, Config, ConnId, Endgame, Instant, Layout, Message, Note, Output, PieceIndex};

/// Whole pieces asked for at once have at most so many bytes together (libtorrent, `request_a_block`).
const MOST_AT_ONCE: u64 = 8 << 20;

impl Torrent {
    /// Asks every remote that has room for more: blocks have become free.
    pub(super) fn wake(&mut self, now: Instant, out: &mut Vec<Output>) {
        self.wake_others(now, None, out);
    }

    /// Asks every remote that has room but the one that has just refused, which would refuse again.
    pub(super) fn wake_others(&mut self, now: Instant, refused_by: Option<ConnId>, out: &mut Vec<Output>) {
        let mut from = 0;
        while let Some(id) = self.conns.next_with_room(from, &self.flows) {
            if Some(id) != refused_by {
                self.fill(now, id, out);
            }
            from = usize::from(id.0) + 1;
        }
    }

    /// Keeps the remote's pipeline full.
    #[inline(never)]
    pub(super) fn fill(&mut self, now: Instant, id: ConnId, out: &mut Vec<Output>) {
        self.refill(now, id, out);
    }

    /// The same, where a block has made room: a remote that has room is asked for as much as it takes, blocks of the piece it
    /// works on first.
    #[inline(always)] // the next request is most of what follows from a block
    pub(super) fn refill(&mut self, now: Instant, id: ConnId, out: &mut Vec<Output>) {
        let Some(conn) = self.conns.get_mut(id) else { return };
        let limit = conn.most_asked();
        let enough = u32::from(limit) * u32::from(self.config.refill_percent);
        let rests = self.disk_congested || self.timers.rest != Instant::NEVER;
        if rests || !conn.may_be_asked() {
            return;
        }
        match self.flows.get_mut(conn) {
            Some(flow) => {
                if flow.asked.len() >= limit || u32::from(flow.asked.len()) * 100 > enough {
                    return;
                }
                if !conn.is(Flag::RemoteChoking) {
                    let has = (!conn.is(Flag::RemoteSeed)).then(|| self.sets.row(id));
                    let (alone, working) = (conn.is(Flag::Suspect), flow.working);
                    let asker = Asker { serial: conn.serial, has, alone, working, run: 0, links: 0 };
                    while !self.asked.is_full()
                        && let Some(chosen) = self.requests.next_of_same(asker, &self.layout)
                    {
                        request((conn, flow), &mut self.asked, id, now, chosen, out);
                        if flow.asked.len() >= limit {
                            return;
                        }
                    }
                }
            }
            None if limit == 0 => return,
            // It works on no piece.
            None => {}
        }
        self.ask_further(now, id, out);
    }

    /// The same where it works on nothing, or on nothing of which a block is free.
    #[inline(never)]
    fn ask_further(&mut self, now: Instant, id: ConnId, out: &mut Vec<Output>) {
        let links = self.conns.len();
        let Some(conn) = self.conns.get_mut(id) else { return };
        let row = (!conn.is(Flag::RemoteSeed)).then(|| self.sets.row(id));
        let allowed;
        let has = if conn.is(Flag::RemoteChoking) {
            let pieces = self.remotes.allowed_fast(id).filter(|&piece| self.requests.may_have_free(piece));
            if pieces.clone().next().is_none() {
                return;
            }
            allowed = allowed_words(pieces, row, self.have.words().len());
            Some(&allowed[..])
        } else {
            row
        };
        let limit = conn.most_asked();
        let alone = conn.is(Flag::Suspect);
        let run = match conn.is(Flag::RemoteChoking) {
            true => 0,
            false => run(&self.config, &self.layout, self.flows.pace(conn).rate()),
        };
        let serial = conn.serial;
        let asker = |flow: &Flow| Asker { serial, has, alone, working: flow.working, run, links };
        let mut flow = self.flows.get(conn);
        while flow.asked.len() < limit && !self.asked.is_full() {
            let random = &mut self.random.pick;
            let chosen =
                self.requests.next(asker(flow), &self.layout, &self.config, &self.availability, random);
            let Some(chosen) = chosen else { break };
            if let (Some(reason), true) = (chosen.begun, self.config.notes) {
                let (piece, availability) = (chosen.block.piece, self.availability.of(chosen.block.piece));
                out.push(Output::Note(Note::Picked { conn: id, piece, reason, availability }));
            }
            // Only now does something pass: most who are looked at have nothing that is free.
            let begun = self.flows.of(id, conn);
            request((conn, begun), &mut self.asked, id, now, chosen, out);
            flow = begun;
        }
        if flow.asked.len() >= limit || !self.requests.is_endgame() {
            return;
        }
        let most = match self.config.endgame {
            Endgame::Full => limit,
            Endgame::Strict => 1,
        };
        let askers = self.config.endgame_askers;
        if flow.asked.len() >= most || askers < 2 {
            return;
        }
        self.asked.iter(flow.asked).for_each(|&asked| self.requests.mark(asked, true));
        while flow.asked.len() < most && !self.asked.is_full() {
            let Some(chosen) = self.requests.next_busy(asker(flow), &self.layout, askers) else { break };
            let begun = self.flows.of(id, conn);
            let asked = request((conn, begun), &mut self.asked, id, now, chosen, out);
            flow = begun;
            self.requests.mark(asked, true);
        }
        self.asked.iter(flow.asked).for_each(|&asked| self.requests.mark(asked, false));
    }
}

/// How many whole pieces a remote of this rate is asked for at once.
fn run(config: &Config, layout: &Layout, rate: u32) -> u16 {
    let within = u64::from(rate) * config.whole_pieces.as_secs();
    let run = (within.min(MOST_AT_ONCE) / u64::from(layout.piece_length().max(1))) as u16;
    run.max(config.least_run)
}

#[inline(always)] // for the usual request; the other caller is the endgame
fn request(
    (conn, flow): (&mut Conn, &mut Flow),
    pool: &mut Pool<Asked>,
    id: ConnId,
    now: Instant,
    chosen: Chosen,
    out: &mut Vec<Output>,
) -> Asked {
    let Chosen { block: Block { piece, begin, len }, slot, number, .. } = chosen;
    let sent = Stamp::of(now);
    if flow.asked.is_empty() {
        flow.block_at = Coarse::of(now);
    }
    conn.set(Flag::Asked, true);
    flow.working = slot;
    let asked = || Asked::new(piece, number, slot, sent);
    pool.push(&mut flow.asked, asked());
    send(conn, id, now, || Message::Request(Block { piece, begin, len }), out);
    asked()
}

/// The pieces a remote serves while it chokes us, as words, of those it has.
fn allowed_words(allowed: impl Iterator<Item = PieceIndex>, has: Option<&[u64]>, len: usize) -> Vec<u64> {
    let mut words = alloc::vec![0; len];
    allowed.for_each(|piece| words[piece.0 as usize / 64] |= mask(piece));
    if let Some(has) = has {
        words.iter_mut().zip(has).for_each(|(word, has)| *word &= has);
    }
    words
}
