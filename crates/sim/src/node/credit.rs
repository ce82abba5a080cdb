//! How many blocks of a connection may be on their way: as many as the window of TCP and the buffer of the socket take. The
//! engine is granted credit for so many, and sends no block without.

use swarmlab_protocol::{ConnId, Input};

use super::Node;
use crate::event::Acks;
use crate::network::uneven_buffer;
use crate::post::Post;
use crate::store::Store;

/// Blocks in flight before the first acknowledgement: an initial window of ten segments (RFC 6928) is about one.
pub(super) const FIRST_WINDOW: u8 = 1;
/// Blocks in flight at least after a congestion: with one the link would idle for a round trip after each, where packets
/// in its queue would keep it busy.
const LEAST_WINDOW: u8 = 2;

/// Of `Link::grown`: each acknowledged block makes the window larger.
pub(super) const SLOW_START: u8 = u8::MAX;

impl<S: Store> Node<S> {
    /// Blocks have reached the remote. Gives whether anything came of it.
    pub(super) fn acknowledged(
        &mut self,
        now: u64,
        conn: u16,
        acks: Acks,
        post: &mut Post<'_, S::Payload>,
    ) -> bool {
        let link = &mut self.links[usize::from(conn)];
        link.in_flight = link.in_flight.saturating_sub(acks.blocks);
        if acks.congested {
            link.window = (link.window / 2).max(LEAST_WINDOW);
            link.grown = 0;
        } else if link.grown == SLOW_START {
            link.window = link.window.saturating_add(acks.blocks);
        } else {
            link.grown += 1;
            if link.grown >= link.window {
                link.grown = 0;
                link.window = link.window.saturating_add(1).min(SLOW_START - 1);
            }
        }
        self.grant(now, conn, post)
    }

    /// Lets the engine hand over more blocks while the socket's buffer and the window take them. Gives whether anything came of
    /// it.
    #[inline(always)] // for each block there are two occasions, and at one of them nothing is to be had
    pub(super) fn grant(&mut self, now: u64, conn: u16, post: &mut Post<'_, S::Payload>) -> bool {
        let link = &mut self.links[usize::from(conn)];
        let buffer = match post.world.fabric.uneven {
            true => uneven_buffer(self.buffer, now, (self.id, conn)),
            false => self.buffer,
        };
        let room = buffer.saturating_sub(link.committed);
        let open = link.window.saturating_sub(link.committed.saturating_add(link.in_flight));
        let blocks = room.min(open);
        if blocks == 0 {
            return false;
        }
        link.committed += blocks;
        self.writable(now, ConnId(conn), u16::from(blocks), post)
    }

    #[inline(never)]
    fn writable(&mut self, now: u64, conn: ConnId, blocks: u16, post: &mut Post<'_, S::Payload>) -> bool {
        self.hand_usual(now, || Input::Writable { conn, blocks }, post)
    }
}
