//! The pieces under way: which of their blocks are asked for, from how many, which are here, and who gave them.
//!
//! Strict priority (BEP 3 economics): a block of a piece already begun goes before a new piece. It owns no link and
//! sends nothing; a caller says who asks and gets the block to request. A block takes 4 bytes, in one vector for all.

mod busy;
mod list;
mod whole;

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::active::{Active, BlockState, UNUSED};
use crate::conn::Asked;
use crate::picker::{Availability, PickView, pick, pick_edge};
use crate::torrent::{ends, place};
use list::PieceList;

use crate::{Bitfield, Block, Config, Layout, PickReason, PieceIndex, Random, Unfinished};

/// With so many pieces under way none is begun for being rarer: what is begun is to be finished, too.
const MOST_UNFINISHED: usize = 12;

/// Who asks for a block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asker<'a> {
    /// Names the link.
    pub(crate) serial: u16,
    /// What the remote has; `None` if all.
    pub(crate) has: Option<&'a [u64]>,
    /// It works on pieces alone, so that a bad one convicts it.
    pub(crate) alone: bool,
    /// The active piece it worked on last, a guess.
    pub(crate) working: u16,
    /// It is asked for runs of so many whole pieces; 0 if not ([`Config::whole_pieces`]).
    pub(crate) run: u16,
    /// How many links there are.
    pub(crate) links: u16,
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
        /// At most so many requests for it are still outstanding at others.
        duplicates: u16,
        /// It was the last of its piece.
        completes: bool,
    },
}

/// The pieces under way and those not begun.
#[derive(Debug)]
pub(crate) struct Requests {
    active: Vec<Active>,
    /// The blocks of all slots, `stride` for each.
    blocks: Vec<BlockState>,
    /// Blocks of a full piece.
    stride: u32,
    /// Pieces we lack and have not begun.
    unstarted: Bitfield,
    /// Free blocks of all active pieces that are not kept for somebody.
    free: u32,
    /// Free blocks that are.
    kept_free: u32,
    begun: u32,
    /// A piece was begun anew: requests of its first time may be outstanding and count nowhere.
    any_lost: bool,
    /// Only with [`Unfinished::Listed`], from the first choice on.
    list: Option<Box<PieceList>>,
}

impl Requests {
    pub(crate) fn new(have: &Bitfield, layout: &Layout) -> Self {
        let mut unstarted = Bitfield::full(have.len());
        have.iter().for_each(|piece| _ = unstarted.remove(piece));
        let stride = if layout.piece_count() == 0 { 0 } else { layout.block_count(PieceIndex(0)) };
        let (active, blocks) = (Vec::new(), Vec::new());
        Requests {
            active,
            blocks,
            stride,
            unstarted,
            free: 0,
            kept_free: 0,
            begun: 0,
            any_lost: false,
            list: None,
        }
    }

    /// Whether every lacking block is requested of someone: what is left is waited for, or asked of others too.
    pub(crate) fn is_endgame(&self) -> bool {
        self.free == 0 && self.unstarted.is_empty()
    }

    /// Whether this piece has blocks, or may have, that nobody was asked for.
    pub(crate) fn may_have_free(&self, piece: PieceIndex) -> bool {
        self.unstarted.contains(piece) || self.slot_of(piece).is_some()
    }

    /// The next block to ask of this remote: of the piece it works on, of the oldest piece under way, or of a new one.
    #[inline]
    pub(crate) fn next(
        &mut self,
        asker: Asker<'_>,
        layout: &Layout,
        config: &Config,
        availability: &Availability,
        random: &mut Random,
    ) -> Option<Chosen> {
        if let Some(chosen) = self.next_of_same(asker, layout) {
            return Some(chosen);
        }
        let (slot, begun) = self.next_slot(asker, layout, config, availability, random)?;
        Some(self.take_free(slot, layout, begun))
    }

    /// The same, of the piece it works on only; with a list that is of no account.
    #[inline(always)] // of what follows from a block
    pub(crate) fn next_of_same(&mut self, asker: Asker<'_>, layout: &Layout) -> Option<Chosen> {
        let working = self.get(asker.working).is_some_and(|active| active.is_free_for(asker));
        (working && self.list.is_none()).then(|| self.take_free(asker.working, layout, None))
    }

    /// Another piece than the one the remote works on, with a block that nobody was asked for, and why it was begun if
    /// it is begun now.
    #[inline(never)]
    fn next_slot(
        &mut self,
        asker: Asker<'_>,
        layout: &Layout,
        config: &Config,
        availability: &Availability,
        random: &mut Random,
    ) -> Option<(u16, Option<PickReason>)> {
        match config.unfinished {
            Unfinished::Rarest => return self.next_rarest(asker, layout, config, availability, random),
            Unfinished::Listed if self.is_endgame() => return None,
            Unfinished::Listed => return self.next_listed(asker, layout, availability, random),
            _ => {}
        }
        let joinable = self.joinable(asker, config.unfinished);
        let begun = self.unstarted.len() - self.unstarted.count();
        let rarer = config.unfinished == Unfinished::OldestUnlessRarer
            && begun >= u32::from(config.random_first_pieces)
            && self.active.iter().filter(|active| active.in_use).count() < MOST_UNFINISHED;
        match joinable {
            Some(slot) if !rarer => return Some((slot, None)),
            None if self.is_endgame() => return None,
            _ => {}
        }
        let view = PickView {
            remote: asker.has,
            unstarted: self.unstarted.words(),
            availability,
            begun,
            random_first: u32::from(config.random_first_pieces),
        };
        let edge = if config.edges_first { pick_edge(view, self.unstarted.len(), random) } else { None };
        let picked = edge.or_else(|| pick(config.picker, view, random));
        if let Some(slot) = joinable {
            let here = availability.of(self.active[usize::from(slot)].piece);
            if picked.is_none_or(|(piece, _)| availability.of(piece) >= here) {
                return Some((slot, None));
            }
        }
        let Some((piece, reason)) = picked else {
            // Nothing is left to begin alone. A piece that may not convict anybody is better than none: the remote that
            // began it may never go on.
            return Some((self.joinable(Asker { alone: false, ..asker }, config.unfinished)?, None));
        };
        let slot = self.begin(piece, if asker.alone { asker.serial } else { 0 }, layout)?;
        Some((slot, Some(reason)))
    }

    fn joinable(&self, asker: Asker<'_>, unfinished: Unfinished) -> Option<u16> {
        if self.free + self.kept_free == 0 {
            return None;
        }
        let fits = |active: &Active| active.in_use && active.is_free_for(asker);
        if self.get(asker.working).is_some_and(fits) {
            return Some(asker.working);
        }
        let slots = self.active.iter().enumerate().filter(|(_, active)| fits(active));
        let rank = |active: &Active| match unfinished {
            Unfinished::FewestMissing => active.lacking,
            Unfinished::FewestUnrequested => active.free,
            Unfinished::Oldest | Unfinished::OldestUnlessRarer | Unfinished::Rarest | Unfinished::Listed => {
                active.age
            }
        };
        let best = slots.min_by_key(|(_, active)| (rank(active), active.age));
        best.map(|(at, _)| at as u16)
    }

    fn get(&self, slot: u16) -> Option<&Active> {
        self.active.get(usize::from(slot)).filter(|active| active.in_use)
    }

    fn is_of(&self, slot: u16, piece: PieceIndex) -> bool {
        self.get(slot).is_some_and(|active| active.piece == piece)
    }

    fn blocks_of(&self, slot: u16, layout: &Layout) -> &[BlockState] {
        let count = self.get(slot).map_or(0, |active| layout.block_count(active.piece));
        &self.blocks[usize::from(slot) * self.stride as usize..][..count as usize]
    }

    fn begin(&mut self, piece: PieceIndex, owner: u16, layout: &Layout) -> Option<u16> {
        let slot = self.active.iter().position(|active| !active.in_use).unwrap_or(self.active.len());
        if slot >= usize::from(u16::MAX) {
            return None;
        }
        let (start, end) = (slot * self.stride as usize, (slot + 1) * self.stride as usize);
        if slot == self.active.len() {
            grow(&mut self.active, slot + 1, UNUSED);
            grow(&mut self.blocks, end, BlockState::default());
        }
        self.blocks[start..end].fill(BlockState::default());
        let count = layout.block_count(piece);
        self.unstarted.remove(piece);
        self.free += count;
        self.begun = self.begun.wrapping_add(1);
        let age = self.begun;
        self.active[slot] = Active { piece, free: count, lacking: count, age, owner, in_use: true, ..UNUSED };
        Some(slot as u16)
    }

    #[inline(always)] // as its callers
    fn take_free(&mut self, slot: u16, layout: &Layout, begun: Option<PickReason>) -> Chosen {
        let active = &mut self.active[usize::from(slot)];
        let start = usize::from(slot) * self.stride as usize;
        let mut number = active.first_free;
        let free = self.blocks[start + number as usize..].iter().position(|block| block.is_free());
        number += free.unwrap_or(0) as u32;
        self.blocks[start + number as usize].add_requester();
        active.first_free = number + 1;
        active.free -= 1;
        *if active.kept { &mut self.kept_free } else { &mut self.free } -= 1;
        let block = layout.block(active.piece, number);
        Chosen { block, slot, number, begun }
    }

    /// A request was withdrawn, refused or is `overdue`: the block may be asked for anew. True if it is free now.
    pub(crate) fn release(&mut self, asked: Asked, overdue: bool) -> bool {
        if !self.is_of(asked.slot, asked.piece) {
            return false;
        }
        self.unsort();
        self.change(asked.slot, asked.number(), |block| {
            block.remove_requester();
            block.state |= if overdue { BlockState::OVERDUE } else { 0 };
            block.is_free()
        })
    }

    /// Block `number` of a piece has arrived; `asked` is the request it answers, if any.
    #[inline(always)] // for the block that was asked for; the other caller is cold
    pub(crate) fn receive(
        &mut self,
        (piece, number): (PieceIndex, u32),
        giver: u16,
        asked: Option<Asked>,
    ) -> Receipt {
        let slot = asked.map(|asked| asked.slot).filter(|&slot| self.is_of(slot, piece));
        let Some(slot) = slot.or_else(|| self.slot_of(piece)) else { return Receipt::Useless };
        let counts = asked.is_some_and(|asked| !asked.is_overdue());
        let active = &mut self.active[usize::from(slot)];
        let block = &mut self.blocks[usize::from(slot) * self.stride as usize + number as usize];
        let barred = active.is_exclusive() && active.owner != giver;
        if block.is(BlockState::RECEIVED) || barred {
            if counts {
                self.change(slot, number, BlockState::remove_requester);
            }
            return Receipt::Useless;
        }
        if block.is_free() {
            active.free -= 1;
            *if active.kept { &mut self.kept_free } else { &mut self.free } -= 1;
        }
        if counts {
            block.remove_requester();
        }
        block.state |= BlockState::RECEIVED;
        block.giver = giver;
        active.lacking -= 1;
        let uncounted = block.is(BlockState::OVERDUE) || (self.any_lost && block.requesters() > 0);
        let duplicates = if uncounted { u16::MAX } else { block.requesters() };
        Receipt::Stored { duplicates, completes: active.lacking == 0 }
    }

    /// Changes the state of a block and keeps the counts of free ones true. The slot must be in use.
    fn change<T>(&mut self, slot: u16, number: u32, change: impl FnOnce(&mut BlockState) -> T) -> T {
        let block = &mut self.blocks[usize::from(slot) * self.stride as usize + number as usize];
        let before = block.is_free();
        let result = change(block);
        let after = block.is_free();
        if before != after {
            let active = &mut self.active[usize::from(slot)];
            let free = if active.kept { &mut self.kept_free } else { &mut self.free };
            if after {
                active.free += 1;
                active.first_free = active.first_free.min(number);
                *free += 1;
            } else {
                active.free -= 1;
                *free -= 1;
            }
        }
        result
    }

    fn slot_of(&self, piece: PieceIndex) -> Option<u16> {
        self.active.iter().position(|active| active.piece == piece && active.in_use).map(|at| at as u16)
    }

    /// The slot of a piece that is all here but not judged yet.
    fn whole(&self, piece: PieceIndex) -> Option<u16> {
        self.slot_of(piece).filter(|&slot| self.get(slot).is_some_and(|active| active.lacking == 0))
    }

    /// Who gave blocks of a piece that is all here, each once; `None` if it is not under way or not all here.
    pub(crate) fn givers(&self, piece: PieceIndex, layout: &Layout) -> Option<Vec<u16>> {
        let mut givers: Vec<u16> = Vec::new();
        for block in self.blocks_of(self.whole(piece)?, layout) {
            if !givers.contains(&block.giver) {
                givers.push(block.giver);
            }
        }
        Some(givers)
    }

    /// Ends a piece that is all here and checked: who gave all of it, 0 if several had a part. `None` if it is not under
    /// way or not all here.
    pub(crate) fn finish(&mut self, piece: PieceIndex, layout: &Layout) -> Option<u16> {
        let slot = self.whole(piece)?;
        let blocks = self.blocks_of(slot, layout);
        let giver = blocks.first().map_or(0, |block| block.giver);
        let alone = blocks.iter().all(|block| block.giver == giver);
        self.forget(slot);
        self.unlist(piece);
        Some(if alone { giver } else { 0 })
    }

    /// What was here of a piece is lost, whether it was under way or done.
    pub(crate) fn lose(&mut self, piece: PieceIndex) {
        if let Some(slot) = self.slot_of(piece) {
            self.forget(slot);
        }
        self.unstarted.insert(piece);
        self.list_again(piece);
        self.any_lost = true;
    }

    fn forget(&mut self, slot: u16) {
        let active = core::mem::replace(&mut self.active[usize::from(slot)], UNUSED);
        *if active.kept { &mut self.kept_free } else { &mut self.free } -= active.free;
        while self.active.last().is_some_and(|active| !active.in_use) {
            self.active.pop();
        }
        self.blocks.truncate(self.active.len() * self.stride as usize);
    }

    /// Gives memory back where most of it is unused.
    pub(crate) fn shrink(&mut self) {
        if self.active.capacity() > self.active.len() + self.active.len() / 4 + 2 || self.unstarted.is_empty()
        {
            self.active.shrink_to_fit();
            self.blocks.shrink_to_fit();
        }
    }

    /// The link owes a block of this piece for too long. If nobody else may give the piece, it begins anew; true then.
    pub(crate) fn owner_stalls(&mut self, piece: PieceIndex, serial: u16) -> bool {
        let slot = self.slot_of(piece);
        let owns = slot
            .and_then(|slot| self.get(slot))
            .is_some_and(|active| active.is_exclusive() && active.owner == serial);
        if owns {
            self.lose(piece);
        }
        owns
    }

    /// A link is gone: nobody else may finish what it alone was to give, so that begins anew.
    pub(crate) fn owner_left(&mut self, serial: u16) {
        self.release_kept(serial);
        for slot in 0..self.active.len() as u16 {
            if let Some(active) = self.get(slot).filter(|active| active.owner == serial && active.lacking > 0)
            {
                let piece = active.piece;
                self.lose(piece);
            }
        }
    }

    /// Whether any block of an unfinished piece was given by this link.
    pub(crate) fn has_blocks_of(&self, serial: u16) -> bool {
        let given = |block: &BlockState| block.is(BlockState::RECEIVED) && block.giver == serial;
        let stride = self.stride.max(1) as usize;
        let mut slots = self.active.iter().zip(self.blocks.chunks_exact(stride));
        slots.any(|(active, blocks)| active.in_use && blocks.iter().any(given))
    }

    /// The pieces under way, with how many of their blocks are here and how many they have.
    pub(crate) fn active(&self, layout: &Layout) -> impl Iterator<Item = (PieceIndex, u32, u32)> {
        self.active.iter().filter(|active| active.in_use).map(|active| {
            let count = layout.block_count(active.piece);
            (active.piece, count - active.lacking, count)
        })
    }

    /// Where the piece a link works on lies, for [`crate::Torrent::block_places`].
    pub(crate) fn places(&self, working: u16, mut stored: impl FnMut(*const u8)) {
        let (working, stride) = (usize::from(working), self.stride as usize);
        ends(&self.active, working, 1).into_iter().for_each(&mut stored);
        // The blocks of one piece, where there are not very many.
        ends(&self.blocks, working * stride, stride.min(16)).into_iter().for_each(&mut stored);
        stored(place(self.unstarted.words(), 0));
    }

    /// Checks the counts against the states.
    #[cfg(test)]
    pub(crate) fn check(&self, layout: &Layout) {
        let mut free = [0, 0];
        for (slot, active) in self.active.iter().enumerate().filter(|(_, active)| active.in_use) {
            let blocks = self.blocks_of(slot as u16, layout);
            let count = |wanted: fn(&BlockState) -> bool| blocks.iter().filter(|block| wanted(block)).count();
            assert_eq!(count(|block| block.is_free()) as u32, active.free);
            assert_eq!(count(|block| !block.is(BlockState::RECEIVED)) as u32, active.lacking);
            assert_eq!(count(|block| block.is(BlockState::MARKED)), 0);
            assert!(!self.unstarted.contains(active.piece));
            free[usize::from(active.kept)] += active.free;
        }
        assert_eq!(free, [self.free, self.kept_free]);
    }
}

/// Lengthens a vector to `len`, in modest steps: doubling would leave half of it unused in most of a million peers.
fn grow<T: Clone>(vec: &mut Vec<T>, len: usize, value: T) {
    if len > vec.capacity() {
        let step = len.div_ceil(8);
        vec.reserve_exact(len + step - vec.len());
    }
    vec.resize(len, value);
}
