//! A piece under way: how much of it is here and asked for, and the state of each of its blocks.

use crate::PieceIndex;
use crate::bitfield::contains;
use crate::requests::Asker;

/// What is known of a block of a piece under way.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct BlockState {
    /// Who gave it.
    pub(crate) giver: u16,
    /// How many links have a request for it outstanding that is not overdue, and the bits below.
    pub(crate) state: u16,
}

impl BlockState {
    pub(crate) const RECEIVED: u16 = 1 << 15;
    /// A request for it is outstanding that does not count any more.
    pub(crate) const OVERDUE: u16 = 1 << 14;
    /// Already asked of the link for which a block is being chosen.
    pub(crate) const MARKED: u16 = 1 << 13;
    const REQUESTERS: u16 = Self::MARKED - 1;

    pub(crate) fn is(self, bit: u16) -> bool {
        self.state & bit != 0
    }

    pub(crate) fn requesters(self) -> u16 {
        self.state & Self::REQUESTERS
    }

    pub(crate) fn add_requester(&mut self) {
        self.state += u16::from(self.requesters() < Self::REQUESTERS);
    }

    pub(crate) fn remove_requester(&mut self) {
        self.state -= u16::from(self.requesters() > 0);
    }

    pub(crate) fn is_free(self) -> bool {
        self.state & (Self::RECEIVED | Self::REQUESTERS) == 0
    }
}

/// A piece under way, or a slot for one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Active {
    pub(crate) piece: PieceIndex,
    /// Blocks neither here nor requested.
    pub(crate) free: u32,
    /// Blocks not here.
    pub(crate) lacking: u32,
    /// No block before this one is free.
    pub(crate) first_free: u32,
    /// Rises with each piece begun: the oldest is finished first.
    pub(crate) age: u32,
    /// Only this link may give it; 0 if any.
    pub(crate) owner: u16,
    pub(crate) in_use: bool,
    /// Others may give it too, but its free blocks are spoken for by the owner.
    pub(crate) kept: bool,
}

impl Active {
    /// Whether only its owner may give it.
    pub(crate) fn is_exclusive(&self) -> bool {
        self.owner != 0 && !self.kept
    }

    /// Whether it has a block that nobody was asked for and that this link may be asked for.
    #[inline]
    pub(crate) fn is_free_for(&self, asker: Asker<'_>) -> bool {
        self.free > 0
            && (self.owner == asker.serial || (self.owner == 0 && !asker.alone))
            && asker.has.is_none_or(|words| contains(words, self.piece))
    }
}

/// A slot without a piece.
pub(crate) const UNUSED: Active = Active {
    piece: PieceIndex(0),
    free: 0,
    lacking: 0,
    first_free: 0,
    age: 0,
    owner: 0,
    in_use: false,
    kept: false,
};

const _: () = assert!(size_of::<Active>() == 24);
const _: () = assert!(size_of::<BlockState>() == 4);
