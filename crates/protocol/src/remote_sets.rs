//! What the remotes have: one set of pieces per link, all in one vector, a row per slot.

use alloc::vec::Vec;

use crate::bitfield::{contains, mask};
use crate::{Bitfield, ConnId, PieceIndex};

/// The pieces of every remote that is not a seed (seeds are a flag of their link).
#[derive(Debug)]
pub(crate) struct RemoteSets {
    words: Vec<u64>,
    row_len: usize,
}

impl RemoteSets {
    pub(crate) fn new(piece_count: u32) -> Self {
        RemoteSets { words: Vec::new(), row_len: piece_count.div_ceil(64) as usize }
    }

    /// Makes the row of a link empty, and makes it exist.
    pub(crate) fn clear(&mut self, conn: ConnId) {
        let end = (usize::from(conn.0) + 1) * self.row_len;
        if self.words.len() < end {
            self.words.resize(end, 0);
        }
        self.words[end - self.row_len..end].fill(0);
    }

    pub(crate) fn row(&self, conn: ConnId) -> &[u64] {
        let start = usize::from(conn.0) * self.row_len;
        &self.words[start..start + self.row_len]
    }

    pub(crate) fn set(&mut self, conn: ConnId, have: &Bitfield) {
        let start = usize::from(conn.0) * self.row_len;
        self.words[start..start + self.row_len].copy_from_slice(have.words());
    }

    pub(crate) fn contains(&self, conn: ConnId, piece: PieceIndex) -> bool {
        contains(self.row(conn), piece)
    }

    pub(crate) fn insert(&mut self, conn: ConnId, piece: PieceIndex) {
        let at = usize::from(conn.0) * self.row_len + piece.0 as usize / 64;
        self.words[at] |= mask(piece);
    }
}
