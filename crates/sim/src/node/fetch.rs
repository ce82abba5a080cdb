//! What of a node is needed next, step by step, for the processor to fetch: each step reads what the one before has named.

use swarmlab_protocol::{ConnId, PieceIndex};

use super::Node;
use crate::prefetch::{prefetch, prefetch_lines};
use crate::store::Store;

/// Lines of the cache from the start of a node that every message needs, that all but news need beyond those, and from its
/// uplink on.
const NEWS: usize = 6;
const BLOCKS: usize = 4;
const UP: usize = 3;

impl<S: Store> Node<S> {
    /// Has fetched what the node consists of itself, as far as something needs it: see [`crate::worker`].
    #[inline]
    pub(crate) fn prefetch(&self, only_news: bool) {
        prefetch_lines::<Self, NEWS>(self, 0);
        if !only_news {
            prefetch_lines::<Self, BLOCKS>(self, 64 * NEWS);
            self.prefetch_uplink();
        }
    }

    /// Whether it has something to do by itself before a time.
    #[inline]
    pub(crate) fn is_due(&self, before: u64) -> bool {
        self.local_at < before
    }

    /// Has fetched what the end of a block needs first.
    pub(crate) fn prefetch_uplink(&self) {
        prefetch_lines::<Self, UP>(self, std::mem::offset_of!(Self, up));
    }

    /// Has fetched what a message on this connection needs, about this piece if it is about one. Reads the node.
    pub(crate) fn prefetch_link(&self, conn: u16, piece: Option<PieceIndex>) {
        prefetch(self.links.as_ptr().wrapping_add(usize::from(conn)).cast());
        if let Some(torrent) = self.seat.torrent() {
            torrent.link_places(ConnId(conn), piece, prefetch);
        }
    }

    /// Has fetched where blocks wait for the uplink. Reads the node.
    pub(crate) fn prefetch_blocks_out(&self) {
        self.up.places().into_iter().for_each(prefetch);
    }

    /// The same, and what the block that leaves next needs.
    pub(crate) fn prefetch_serving(&self) {
        self.prefetch_blocks_out();
        self.prefetch_link(self.up.serving(), None);
    }

    /// Has fetched what a request or a block on this connection needs further, or what the block that leaves next does. Reads the
    /// row of the connection.
    pub(crate) fn prefetch_queues(&self, conn: Option<u16>) {
        let conn = conn.unwrap_or_else(|| self.up.serving());
        if let Some(torrent) = self.seat.torrent() {
            torrent.queue_places(ConnId(conn), prefetch);
        }
    }

    /// Has fetched what a request or a block on this connection needs after that. Reads what was fetched before.
    pub(crate) fn prefetch_blocks(&self, conn: Option<u16>) {
        let conn = conn.unwrap_or_else(|| self.up.serving());
        if let Some(torrent) = self.seat.torrent() {
            torrent.block_places(ConnId(conn), prefetch);
        }
    }

    /// Has fetched the rows of all connections, each of which is told of a new piece.
    pub(super) fn prefetch_links(&self) {
        let end = self.links.as_ptr().wrapping_add(self.links.len());
        let mut row = self.links.as_ptr().cast::<u8>();
        while row < end.cast() {
            prefetch(row);
            row = row.wrapping_add(64);
        }
    }
}
