//! How many blocks of a connection may be on their way: as many as the window of TCP and the buffer of the socket take. The
//! engine is granted credit for so many, and sends no block without.

use swarmlab_protocol::{ConnId, Input};

use super::Node;
use crate::event::Acks;
use crate::network::uneven_buffer;
use crate::post::Post;
use crate::store::Store;

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
        link.window.acknowledged(acks.blocks, acks.congested, post.world.fabric.units);
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
        let open = link.window.blocks(post.world.fabric.units);
        let open = open.saturating_sub(link.committed.saturating_add(link.in_flight));
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
