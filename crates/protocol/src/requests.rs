//! The pieces under way: which of their blocks are asked for, from how many, which are here, and who gave them.
//!
//! Strict priority (BEP 3 economics): a block of a piece already begun goes before a new piece. It owns no link and
//! sends nothing; a caller says who asks and gets the block to request.

use alloc::vec;
use alloc::vec::Vec;

use crate::bitfield::contains;
use crate::conn::Outstanding;
use crate::picker::{Availability, PickView, pick};
use crate::{Bitfield, Block, Layout, PickReason, Picker, PieceIndex, Random};

/// Who asks for a block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asker<'a> {
    /// Names the link, never reused.
    pub(crate) serial: u32,
    /// What the remote has; `None` if all.
    pub(crate) has: Option<&'a [u64]>,
    /// It works on pieces alone, so that a bad one convicts it.
    pub(crate) alone: bool,
    /// The active piece it worked on last, a guess.
    pub(crate) working: u16,
}

/// A block to request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chosen {
    pub(crate) block: Block,
    pub(crate) slot: u16,
    pub(crate) number: u32,
    /// Set if this begins a piece.
    pub(crate) begun: Option<PickReason>,
}

/// What came of a block that has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Receipt {
    /// It is here already, or its piece is not under way.
    Useless,
    /// It was lacking.
    Stored {
        /// Others still have a request for it outstanding.
        duplicates: bool,
        /// It was the last of its piece.
        completes: bool,
    },
}

#[derive(Clone, Copy, Debug, Default)]
struct BlockState {
    /// Who gave it.
    giver: u32,
    /// How many links have a request for it outstanding that is not overdue.
    requesters: u16,
    received: bool,
    /// A request for it is outstanding that does not count any more.
    overdue: bool,
}

#[derive(Debug)]
struct Active {
    piece: PieceIndex,
    blocks: Vec<BlockState>,
    /// Blocks neither here nor requested.
    free: u32,
    /// Blocks not here.
    lacking: u32,
    /// No block before this one is free.
    first_free: u32,
    /// Only this link may give it.
    owner: Option<u32>,
    /// Rises with each piece begun: the oldest is finished first.
    age: u32,
}

/// The pieces under way and those not begun.
#[derive(Debug)]
pub(crate) struct Requests {
    active: Vec<Option<Active>>,
    /// Pieces we lack and have not begun.
    unstarted: Bitfield,
    /// Free blocks of all active pieces.
    free: u32,
    begun: u32,
    /// Vectors to use again.
    spare: Vec<Vec<BlockState>>,
}

impl Requests {
    pub(crate) fn new(have: &Bitfield) -> Self {
        let mut unstarted = Bitfield::full(have.len());
        have.iter().for_each(|piece| {
            unstarted.remove(piece);
        });
        Requests { active: Vec::new(), unstarted, free: 0, begun: 0, spare: Vec::new() }
    }

    /// Whether every lacking block is requested of someone: what is left is waited for, or asked of others too.
    pub(crate) fn is_endgame(&self) -> bool {
        self.free == 0 && self.unstarted.is_empty()
    }

    /// The next block to ask of this remote: of the piece it works on, of the oldest piece under way, or of a new one.
    pub(crate) fn next(
        &mut self,
        asker: Asker<'_>,
        layout: &Layout,
        policy: (Picker, u16),
        availability: &Availability,
        random: &mut Random,
    ) -> Option<Chosen> {
        if let Some(slot) = self.joinable(asker) {
            return Some(self.take_free(slot, layout, None));
        }
        let view = PickView {
            remote: asker.has,
            unstarted: self.unstarted.words(),
            counts: availability.counts(),
            begun: self.unstarted.len() - self.unstarted.count(),
            random_first: u32::from(policy.1),
        };
        let Some((piece, reason)) = pick(policy.0, view, random) else {
            // Nothing is left to begin alone. A piece that may not convict anybody is better than none: the remote that
            // began it may never go on.
            let slot = self.joinable(Asker { alone: false, ..asker })?;
            return Some(self.take_free(slot, layout, None));
        };
        let slot = self.begin(piece, asker.alone.then_some(asker.serial), layout)?;
        Some(self.take_free(slot, layout, Some(reason)))
    }

    fn joinable(&self, asker: Asker<'_>) -> Option<u16> {
        if self.free == 0 {
            return None;
        }
        let fits = |active: &Active| {
            active.free > 0
                && active.owner.map_or(!asker.alone, |owner| owner == asker.serial)
                && asker.has.is_none_or(|words| contains(words, active.piece))
        };
        if self.get(asker.working).is_some_and(fits) {
            return Some(asker.working);
        }
        let fitting = self.active.iter().enumerate().filter_map(|(at, active)| {
            active.as_ref().filter(|active| fits(active)).map(|active| (active.age, at as u16))
        });
        fitting.min().map(|(_, slot)| slot)
    }

    /// A block that others were asked for already, for the endgame: one this link may give and has not been asked
    /// for, requested of the fewest, the oldest piece first.
    pub(crate) fn next_busy(
        &mut self,
        asker: Asker<'_>,
        layout: &Layout,
        is_asked: impl Fn(PieceIndex, u32) -> bool,
    ) -> Option<Chosen> {
        let mut best: Option<((u16, u32), u16, u32)> = None;
        for (slot, active) in self.active.iter().enumerate() {
            let Some(active) = active else { continue };
            let barred = active.owner.map_or(asker.alone, |owner| owner != asker.serial);
            if barred || active.lacking == 0 || asker.has.is_some_and(|words| !contains(words, active.piece))
            {
                continue;
            }
            for (number, block) in active.blocks.iter().enumerate() {
                let rank = (block.requesters, active.age);
                if !block.received
                    && best.is_none_or(|(least, ..)| rank < least)
                    && !is_asked(active.piece, number as u32)
                {
                    best = Some((rank, slot as u16, number as u32));
                }
            }
        }
        let (_, slot, number) = best?;
        let block = layout.block(self.get(slot)?.piece, number);
        self.change(slot, number, |block| block.requesters = block.requesters.saturating_add(1));
        Some(Chosen { block, slot, number, begun: None })
    }

    fn get(&self, slot: u16) -> Option<&Active> {
        self.active.get(usize::from(slot))?.as_ref()
    }

    fn get_mut(&mut self, slot: u16) -> Option<&mut Active> {
        self.active.get_mut(usize::from(slot))?.as_mut()
    }

    fn begin(&mut self, piece: PieceIndex, owner: Option<u32>, layout: &Layout) -> Option<u16> {
        let slot = self.active.iter().position(Option::is_none).unwrap_or(self.active.len());
        if slot >= usize::from(u16::MAX) {
            return None;
        }
        if slot == self.active.len() {
            self.active.push(None);
        }
        let count = layout.block_count(piece);
        let mut blocks = self.spare.pop().unwrap_or_else(|| vec![BlockState::default(); count as usize]);
        blocks.clear();
        blocks.resize(count as usize, BlockState::default());
        self.unstarted.remove(piece);
        self.free += count;
        self.begun = self.begun.wrapping_add(1);
        let age = self.begun;
        self.active[slot] =
            Some(Active { piece, blocks, free: count, lacking: count, first_free: 0, owner, age });
        Some(slot as u16)
    }

    fn take_free(&mut self, slot: u16, layout: &Layout, begun: Option<PickReason>) -> Chosen {
        let active = self.active[usize::from(slot)].as_mut().expect("the slot was just found");
        let mut number = active.first_free;
        while !active.blocks[number as usize].is_free() {
            number += 1;
        }
        active.first_free = number + 1;
        let block = layout.block(active.piece, number);
        self.change(slot, number, |block| block.requesters = 1);
        Chosen { block, slot, number, begun }
    }

    /// A request was withdrawn, refused or is `overdue`: the block may be asked for anew. True if it is free now.
    pub(crate) fn release(&mut self, slot: u16, piece: PieceIndex, number: u32, overdue: bool) -> bool {
        if self.get(slot).is_none_or(|active| active.piece != piece) {
            return false;
        }
        self.change(slot, number, |block| {
            block.requesters = block.requesters.saturating_sub(1);
            block.overdue |= overdue;
            block.is_free()
        })
    }

    /// A block has arrived; `request` is the one it answers, if any.
    pub(crate) fn receive(
        &mut self,
        block: Block,
        layout: &Layout,
        giver: u32,
        request: Option<Outstanding>,
    ) -> Receipt {
        let Some(number) = layout.block_number(block) else { return Receipt::Useless };
        let is_of = |slot: &u16| self.get(*slot).is_some_and(|active| active.piece == block.piece);
        let slot = request.map(|request| request.slot).filter(is_of).or_else(|| self.slot_of(block.piece));
        let Some(slot) = slot else { return Receipt::Useless };
        let asked = request.is_some_and(|request| !request.overdue);
        let barred = self.get(slot).is_some_and(|active| active.owner.is_some_and(|owner| owner != giver));
        let receipt = self.change(slot, number, |block| {
            block.requesters = block.requesters.saturating_sub(u16::from(asked));
            if block.received || barred {
                return Receipt::Useless;
            }
            block.received = true;
            block.giver = giver;
            Receipt::Stored { duplicates: block.requesters > 0 || block.overdue, completes: false }
        });
        let Receipt::Stored { duplicates, .. } = receipt else { return receipt };
        let Some(active) = self.get_mut(slot) else { return receipt };
        active.lacking -= 1;
        Receipt::Stored { duplicates, completes: active.lacking == 0 }
    }

    /// Changes the state of a block and keeps the counts of free ones true. The slot must be in use.
    fn change<T>(&mut self, slot: u16, number: u32, change: impl FnOnce(&mut BlockState) -> T) -> T {
        let active = self.active[usize::from(slot)].as_mut().expect("the caller has looked the slot up");
        let block = &mut active.blocks[number as usize];
        let before = block.is_free();
        let result = change(block);
        match (before, block.is_free()) {
            (false, true) => {
                active.free += 1;
                active.first_free = active.first_free.min(number);
                self.free += 1;
            }
            (true, false) => {
                active.free -= 1;
                self.free -= 1;
            }
            _ => {}
        }
        result
    }

    fn slot_of(&self, piece: PieceIndex) -> Option<u16> {
        let at = self
            .active
            .iter()
            .position(|active| active.as_ref().is_some_and(|active| active.piece == piece))?;
        Some(at as u16)
    }

    /// Who gave blocks of a piece that is all here, each once; `None` if it is not under way or not all here.
    pub(crate) fn givers(&self, piece: PieceIndex) -> Option<Vec<u32>> {
        let active = self.get(self.slot_of(piece)?).filter(|active| active.lacking == 0)?;
        let mut givers: Vec<u32> = Vec::new();
        for block in &active.blocks {
            if !givers.contains(&block.giver) {
                givers.push(block.giver);
            }
        }
        Some(givers)
    }

    /// Ends a piece that is here and checked.
    pub(crate) fn finish(&mut self, piece: PieceIndex) {
        if let Some(slot) = self.slot_of(piece) {
            self.forget(slot);
        }
    }

    /// What was here of a piece is lost, whether it was under way or done.
    pub(crate) fn lose(&mut self, piece: PieceIndex) {
        if let Some(slot) = self.slot_of(piece) {
            self.forget(slot);
        }
        self.unstarted.insert(piece);
    }

    fn forget(&mut self, slot: u16) {
        let Some(active) = self.active[usize::from(slot)].take() else { return };
        self.free -= active.free;
        if self.spare.len() < 8 {
            self.spare.push(active.blocks);
        }
    }

    /// The link owes a block of this piece for too long. If nobody else may give the piece, it begins anew; true then.
    pub(crate) fn owner_stalls(&mut self, piece: PieceIndex, serial: u32) -> bool {
        let slot = self.slot_of(piece);
        let owns = slot.and_then(|slot| self.get(slot)).is_some_and(|active| active.owner == Some(serial));
        if owns {
            self.lose(piece);
        }
        owns
    }

    /// A link is gone: nobody else may finish what it alone was to give, so that begins anew.
    pub(crate) fn owner_left(&mut self, serial: u32) {
        for slot in 0..self.active.len() as u16 {
            if let Some(active) =
                self.get(slot).filter(|active| active.owner == Some(serial) && active.lacking > 0)
            {
                let piece = active.piece;
                self.lose(piece);
            }
        }
    }

    /// Whether any block of an unfinished piece was given by this link.
    pub(crate) fn has_blocks_of(&self, serial: u32) -> bool {
        self.active
            .iter()
            .flatten()
            .any(|active| active.blocks.iter().any(|block| block.received && block.giver == serial))
    }

    /// The pieces under way, with how many of their blocks are here and how many they have.
    pub(crate) fn active(&self) -> impl Iterator<Item = (PieceIndex, u32, u32)> + '_ {
        self.active.iter().flatten().map(|active| {
            let count = active.blocks.len() as u32;
            (active.piece, count - active.lacking, count)
        })
    }

    /// Checks the counts against the states.
    #[cfg(test)]
    pub(crate) fn check(&self) {
        let mut free = 0;
        for active in self.active.iter().flatten() {
            let count =
                |wanted: fn(&BlockState) -> bool| active.blocks.iter().filter(|block| wanted(block)).count();
            assert_eq!(count(|block| block.is_free()) as u32, active.free);
            assert_eq!(count(|block| !block.received) as u32, active.lacking);
            assert!(!self.unstarted.contains(active.piece));
            free += active.free;
        }
        assert_eq!(free, self.free);
    }
}

impl BlockState {
    fn is_free(&self) -> bool {
        !self.received && self.requesters == 0
    }
}
