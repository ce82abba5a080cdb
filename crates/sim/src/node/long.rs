//! Long blocks: those that stand for several units of a connection's window. Their uplink sends them at once, but no faster than
//! the window lets go do they arrive, and what is said after them arrives after them.

use super::Node;
use crate::store::Store;
use crate::world::World;

/// When the last block of each connection arrives, in microseconds.
#[derive(Debug, Default)]
pub(super) struct Long {
    arrives: Vec<u64>,
}

impl Long {
    /// A connection is a new one.
    pub(super) fn forget(&mut self, conn: u16) {
        if let Some(arrives) = self.arrives.get_mut(usize::from(conn)) {
            *arrives = 0;
        }
    }

    /// When something arrives that would at `at`, but for the blocks before it.
    pub(super) fn behind(&self, at: u64, conn: u16) -> u64 {
        self.arrives.get(usize::from(conn)).map_or(at, |&last| last.max(at))
    }

    /// The same of a block that the connection carries for some time.
    fn block(&mut self, at: u64, conn: u16, takes: u64) -> u64 {
        let conn = usize::from(conn);
        if self.arrives.len() <= conn {
            self.arrives.resize(conn + 1, 0);
        }
        let arrives = at.max(self.arrives[conn] + takes);
        self.arrives[conn] = arrives;
        arrives
    }
}

impl<S: Store> Node<S> {
    /// When a block arrives that leaves now and, with an open window, would arrive at `at`.
    #[inline]
    pub(super) fn carried(&mut self, at: u64, conn: u16, world: &World) -> u64 {
        // What all nodes share is at hand, this end of a node is not.
        if world.fabric.units == 1 {
            return at;
        }
        let Some(long) = self.seldom.long_mut() else { return at };
        let link = &mut self.links[usize::from(conn)];
        let round = world.latency(self.id, link.remote) + world.latency(link.remote, self.id);
        long.block(at, conn, link.window.carry(world.fabric.units) * round / 1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_arrives_before_what_was_sent_before() {
        let mut long = Long::default();
        assert_eq!(long.behind(5, 3), 5, "nothing was sent");
        assert_eq!((long.block(100, 3, 40), long.block(110, 3, 40), long.block(300, 3, 40)), (100, 140, 300));
        assert_eq!((long.behind(290, 3), long.behind(310, 3), long.behind(290, 2)), (300, 310, 290));
        long.forget(3);
        assert_eq!(long.behind(290, 3), 290);
    }
}
