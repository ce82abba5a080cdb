//! What only few nodes need, behind one word: there may be a million of them.

use swarmlab_protocol::Block;

use super::behind::Behind;
use super::disk::Disk;
use super::long::Long;

/// What only few nodes need; one that needs nothing of it takes one word.
#[derive(Debug)]
pub(super) struct Seldom(Option<Box<Needs>>);

#[derive(Debug, Default)]
struct Needs {
    /// Only while something is wrong with it.
    disk: Option<Disk>,
    /// Corrupt blocks that are stored and not judged yet.
    tainted: Vec<Block>,
    /// Only where small messages wait behind content.
    behind: Option<Behind>,
    /// Only where blocks are long.
    long: Option<Long>,
}

impl Seldom {
    pub(super) fn new(behind: Option<Behind>, long: Option<Long>) -> Self {
        let mut seldom = Seldom(Some(Box::new(Needs { behind, long, ..Needs::default() })));
        seldom.tidy();
        seldom
    }

    #[inline]
    pub(super) fn disk(&self) -> Option<&Disk> {
        self.0.as_ref()?.disk.as_ref()
    }

    pub(super) fn disk_mut(&mut self) -> Option<&mut Disk> {
        self.0.as_mut()?.disk.as_mut()
    }

    pub(super) fn set_disk(&mut self, disk: Option<Disk>) {
        if disk.is_some() || self.disk().is_some() {
            self.0.get_or_insert_default().disk = disk;
            self.tidy();
        }
    }

    #[inline]
    pub(super) fn tainted(&self) -> &[Block] {
        self.0.as_ref().map_or(&[], |needs| &needs.tainted)
    }

    pub(super) fn taint(&mut self, block: Block) {
        self.0.get_or_insert_default().tainted.push(block);
    }

    /// Keeps the corrupt blocks that fit.
    pub(super) fn retain_tainted(&mut self, fits: impl FnMut(&Block) -> bool) {
        if let Some(needs) = &mut self.0 {
            needs.tainted.retain(fits);
            self.tidy();
        }
    }

    pub(super) fn behind(&self) -> Option<&Behind> {
        self.0.as_ref()?.behind.as_ref()
    }

    pub(super) fn behind_mut(&mut self) -> Option<&mut Behind> {
        self.0.as_mut()?.behind.as_mut()
    }

    pub(super) fn long(&self) -> Option<&Long> {
        self.0.as_ref()?.long.as_ref()
    }

    pub(super) fn long_mut(&mut self) -> Option<&mut Long> {
        self.0.as_mut()?.long.as_mut()
    }

    /// Lets go of what nothing is in.
    fn tidy(&mut self) {
        let is_empty = |needs: &Needs| {
            needs.disk.is_none() && needs.tainted.is_empty() && needs.behind.is_none() && needs.long.is_none()
        };
        if self.0.as_deref().is_some_and(is_empty) {
            self.0 = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use swarmlab_protocol::PieceIndex;

    #[test]
    fn it_takes_memory_only_while_something_is_in_it() {
        let block = |piece| Block { piece: PieceIndex(piece), begin: 0, len: 1 };
        let mut seldom = Seldom::new(None, None);
        assert!(seldom.0.is_none());
        seldom.retain_tainted(|_| false);
        seldom.set_disk(None);
        assert!(seldom.0.is_none() && seldom.tainted().is_empty());
        (1..4).for_each(|piece| seldom.taint(block(piece)));
        seldom.retain_tainted(|block| block.piece.0 == 2);
        assert_eq!(seldom.tainted(), [block(2)]);
        seldom.retain_tainted(|_| false);
        assert!(seldom.0.is_none());
        let mut long = Seldom::new(None, Some(Long::default()));
        long.taint(block(1));
        long.retain_tainted(|_| false);
        assert!(long.long_mut().is_some() && long.behind().is_none());
    }
}
