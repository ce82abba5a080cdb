//! Blocks that others were asked for already: the endgame's choice.

use super::{Asker, Chosen, Requests};
use crate::Layout;
use crate::active::BlockState;
use crate::bitfield::contains;
use crate::conn::Asked;

impl Requests {
    /// A block that others were asked for already, for the endgame: one this link may give and has not been asked
    /// for (see [`Self::mark`]), requested of the fewest, the oldest piece first.
    pub(crate) fn next_busy(&mut self, asker: Asker<'_>, layout: &Layout, askers: u16) -> Option<Chosen> {
        let mut best: Option<((u16, u32), u16, u32)> = None;
        for (slot, active) in self.active.iter().enumerate() {
            let others = active.owner != asker.serial;
            let barred = others && (asker.alone || active.is_exclusive());
            if barred || active.lacking == 0 || asker.has.is_some_and(|words| !contains(words, active.piece))
            {
                continue;
            }
            for (number, block) in self.blocks_of(slot as u16, layout).iter().enumerate() {
                let rank = (block.requesters(), active.age);
                if !block.is(BlockState::RECEIVED | BlockState::MARKED)
                    && block.requesters() < askers
                    && best.is_none_or(|(least, ..)| rank < least)
                {
                    best = Some((rank, slot as u16, number as u32));
                }
            }
        }
        let (_, slot, number) = best?;
        let block = layout.block(self.get(slot)?.piece, number);
        self.change(slot, number, BlockState::add_requester);
        Some(Chosen { block, slot, number, begun: None })
    }

    /// Notes, or forgets again, which blocks a link was asked for, so that [`Self::next_busy`] leaves them out.
    pub(crate) fn mark(&mut self, asked: Asked, on: bool) {
        let piece = asked.piece;
        let slot = Some(asked.slot).filter(|&slot| self.is_of(slot, piece)).or_else(|| self.slot_of(piece));
        let Some(slot) = slot else { return };
        let block = &mut self.blocks[slot as usize * self.stride as usize + asked.number() as usize];
        block.state = if on { block.state | BlockState::MARKED } else { block.state & !BlockState::MARKED };
    }
}
