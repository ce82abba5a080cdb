//! What of a node is needed next, step by step, for the processor to fetch: each step reads what the one before has named.

use swarmlab_protocol::ConnId;

use super::Node;
use crate::event::Need;
use crate::prefetch::{prefetch, prefetch_lines};
use crate::store::Store;

/// Lines of the cache from the start of a node that every message needs, that blocks need beyond those, and from its uplink
/// on.
const NEWS: usize = 6;
const BLOCKS: usize = 4;
const UP: usize = 3;

impl<S: Store> Node<S> {
    /// Has fetched what the node consists of itself, as far as something needs it: see [`crate::worker`].
    #[inline]
    pub(crate) fn prefetch(&self, need: Need) {
        prefetch_lines::<Self, NEWS>(self, 0);
        if need >= Need::Request {
            prefetch_lines::<Self, BLOCKS>(self, 64 * NEWS);
        }
        if need >= Need::All {
            prefetch_lines::<Self, UP>(self, std::mem::offset_of!(Self, up));
        }
    }

    /// Has fetched what a message on this connection needs, or what the block that leaves next does. Reads the node.
    pub(crate) fn prefetch_link(&self, conn: Option<u16>) {
        let conn = match conn {
            Some(conn) => conn,
            None => {
                prefetch(self.up.place());
                self.up.serving()
            }
        };
        prefetch(self.links.as_ptr().wrapping_add(usize::from(conn)).cast());
        if let Some(torrent) = self.seat.torrent() {
            torrent.link_places(ConnId(conn), prefetch);
        }
    }

    /// Has fetched what a request or a block on this connection needs further. Reads the row of the connection.
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
}
