//! The flooder: keeps each remote busy with messages that do nothing for either side, at a bounded rate.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use super::STREAM;
use crate::{Block, ConnId, Input, Instant, Layout, Message, Output, PieceIndex, Random, Setup, Torrent};

/// Time between two bursts.
const EVERY: Duration = Duration::from_millis(100);
/// Messages to each remote in a burst: a hundred in a second.
const BURST: u32 = 10;

#[derive(Debug)]
pub(super) struct Flooder {
    layout: Arc<Layout>,
    random: Random,
    next: Instant,
}

impl Flooder {
    pub(super) fn new(setup: &Setup) -> Self {
        let random = Random::stream(setup.seed, STREAM);
        Flooder { layout: setup.layout.clone(), random, next: Instant::START }
    }

    pub(super) fn handle(
        &mut self,
        torrent: &mut Torrent,
        now: Instant,
        input: Input,
        out: &mut Vec<Output>,
    ) {
        // Answers to its own requests, of which its engine knows nothing: they are for pieces it has.
        let own = matches!(&input, Input::Message { message: Message::Piece(block), .. }
            if torrent.have().contains(block.piece));
        if !own {
            torrent.handle(now, input, out);
        }
        if now >= self.next && torrent.conn_count() > 0 {
            self.next = now + EVERY;
            self.flood(torrent, out);
        }
    }

    /// Nothing is due while there is nobody to send to.
    pub(super) fn deadline(&self, torrent: &Torrent) -> Option<Instant> {
        (torrent.conn_count() > 0).then_some(self.next)
    }

    fn flood(&mut self, torrent: &Torrent, out: &mut Vec<Output>) {
        let have: Vec<PieceIndex> = torrent.have().iter().collect();
        for (conn, view) in torrent.conns() {
            for _ in 0..BURST {
                let message = self.junk(&have, view.we_interested);
                out.push(Output::Send { conn, message });
            }
            // The last word on interest is the engine's, so that its own download goes on.
            self.settle(conn, view.we_interested, out);
        }
    }

    fn junk(&mut self, have: &[PieceIndex], interested: bool) -> Message {
        let block = self.block_of(have);
        match (self.random.below(4), block) {
            (0 | 1, Some(block)) => Message::Request(block),
            (2, Some(block)) => Message::Cancel(block),
            (3, _) if interested => Message::NotInterested,
            _ => Message::Interested,
        }
    }

    fn block_of(&mut self, have: &[PieceIndex]) -> Option<Block> {
        let piece = *have.get(self.random.below(have.len() as u32) as usize)?;
        Some(self.layout.block(piece, self.random.below(self.layout.block_count(piece))))
    }

    fn settle(&self, conn: ConnId, interested: bool, out: &mut Vec<Output>) {
        let message = if interested { Message::Interested } else { Message::NotInterested };
        out.push(Output::Send { conn, message });
    }
}
