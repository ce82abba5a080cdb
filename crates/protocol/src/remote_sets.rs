//! What the remotes have: one set of pieces per link, all in one vector, a row per slot.

use alloc::boxed::Box;

use crate::bitfield::mask;
use crate::conns::lengthen;
use crate::torrent::place;
use crate::{Bitfield, ConnId, PieceIndex};

/// The pieces of every remote that is not a seed (seeds are a flag of their link).
#[derive(Debug)]
pub(crate) struct RemoteSets {
    words: Box<[u64]>,
    row_len: u32,
}

impl RemoteSets {
    pub(crate) fn new(piece_count: u32) -> Self {
        RemoteSets { words: Box::default(), row_len: piece_count.div_ceil(64) }
    }

    /// Makes the row of a link empty, in a table of so many slots.
    pub(crate) fn clear(&mut self, conn: ConnId, slots: usize) {
        lengthen(&mut self.words, slots * self.row_len as usize, 0);
        let start = self.start(conn);
        self.words[start..start + self.row_len as usize].fill(0);
    }

    pub(crate) fn row(&self, conn: ConnId) -> &[u64] {
        let start = self.start(conn);
        &self.words[start..start + self.row_len as usize]
    }

    pub(crate) fn contains(&self, conn: ConnId, piece: PieceIndex) -> bool {
        let word = self.words.get(self.start(conn) + piece.0 as usize / 64);
        word.is_some_and(|word| word & mask(piece) != 0)
    }

    pub(crate) fn set(&mut self, conn: ConnId, have: &Bitfield) {
        let start = self.start(conn);
        self.words[start..start + self.row_len as usize].copy_from_slice(have.words());
    }

    /// Adds a piece that the torrent has; false if it was there.
    pub(crate) fn insert(&mut self, conn: ConnId, piece: PieceIndex) -> bool {
        let at = self.start(conn) + piece.0 as usize / 64;
        let word = &mut self.words[at];
        let fresh = *word & mask(piece) == 0;
        *word |= mask(piece);
        fresh
    }

    fn start(&self, conn: ConnId) -> usize {
        usize::from(conn.0) * self.row_len as usize
    }

    /// Where it is kept whether a remote has a piece, for [`crate::Torrent::link_places`].
    pub(crate) fn place(&self, conn: ConnId, piece: PieceIndex) -> *const u8 {
        place(&self.words, self.start(conn) + piece.0 as usize / 64)
    }
}
