//! Whole pieces for one remote: runs of pieces that lie side by side and are kept for the remote that begins them.
//!
//! It is how libtorrent picks (`piece_picker::pick_pieces`, `request_a_block`): a remote that is fast enough is asked for whole
//! pieces, and the blocks that its pipeline does not take yet are spoken for all the same. So a rare piece and its neighbours
//! are asked of the seed by one leecher long before they come, and by another that has begun it, too.

use super::{Asker, Requests};
use crate::active::{Active, BlockState};
use crate::picker::{Availability, PickView, pick};
use crate::{Config, Layout, PickReason, PieceIndex, Random};

/// With so many blocks in pieces under way these are finished first (libtorrent, `pick_pieces`: 2,048, which is 32 MiB).
const MOST_BLOCKS: u32 = 2_048;

impl Requests {
    /// The next piece of the rarest a remote has, one under way before one not begun among equals, and its own before all.
    /// While few pieces are here, or many under way, what is under way is finished first.
    pub(super) fn next_rarest(
        &mut self,
        asker: Asker<'_>,
        layout: &Layout,
        config: &Config,
        availability: &Availability,
        random: &mut Random,
    ) -> Option<(u16, Option<PickReason>)> {
        let kept = |active: &Active| active.kept && active.owner == asker.serial && active.is_free_for(asker);
        if let Some(slot) = self.least(kept, |active| active.age) {
            return Some((slot, None));
        }
        if self.is_endgame() {
            return None;
        }
        let under_way = self.active.iter().filter(|active| active.in_use).count() as u32;
        let have = self.unstarted.len() - self.unstarted.count() - under_way;
        let first = have < u32::from(config.random_first_pieces);
        let crowded = under_way > u32::from(asker.links) * 3 / 2 || under_way * self.stride > MOST_BLOCKS;
        let joinable = |active: &Active| active.in_use && active.is_free_for(asker);
        if first || crowded {
            let rank = |active: &Active| (if first { 0 } else { availability.of(active.piece) }, active.age);
            if let Some(slot) = self.least(joinable, rank) {
                return Some((slot, None));
            }
        }
        let run = if crowded || asker.alone { 0 } else { asker.run };
        let rarity = |active: &Active| (availability.of(active.piece), active.age);
        let idle = self.least(|active| joinable(active) && (run == 0 || self.is_idle(active)), rarity);
        let view = PickView {
            remote: asker.has,
            unstarted: self.unstarted.words(),
            availability,
            begun: have,
            random_first: u32::from(config.random_first_pieces),
        };
        let picked = pick(config.picker, view, random);
        let rarer =
            |slot: u16, piece| availability.of(piece) < availability.of(self.active[usize::from(slot)].piece);
        match (idle, picked) {
            (Some(slot), picked) if picked.is_none_or(|(piece, _)| !rarer(slot, piece)) => {
                if run > 0 {
                    self.keep(slot, asker.serial);
                }
                Some((slot, None))
            }
            (_, Some((piece, reason))) => Some((self.begin_run(piece, run, asker, layout)?, Some(reason))),
            // Nothing is left to begin: what others work on, and of two bad ways the one that convicts nobody.
            _ => {
                let any =
                    |active: &Active| active.in_use && active.is_free_for(Asker { alone: false, ..asker });
                Some((self.least(any, rarity)?, None))
            }
        }
    }

    /// The piece under way that fits and ranks least.
    fn least<R: Ord>(&self, fits: impl Fn(&Active) -> bool, rank: impl Fn(&Active) -> R) -> Option<u16> {
        let slots = self.active.iter().enumerate().filter(|(_, active)| fits(active));
        slots.min_by_key(|(_, active)| rank(active)).map(|(slot, _)| slot as u16)
    }

    /// Whether nobody is asked for a block of it.
    fn is_idle(&self, active: &Active) -> bool {
        let slot = self.active.iter().position(|other| core::ptr::eq(other, active)).unwrap_or(0);
        let blocks = &self.blocks[slot * self.stride as usize..][..self.stride as usize];
        blocks.iter().all(|block| block.is(BlockState::RECEIVED) || block.requesters() == 0)
    }

    /// Begins a piece and its neighbours, `run` in all or as many as there are, for one remote alone. Those before it come
    /// first, as they lie (libtorrent, `expand_piece`). Without a run it is one piece, for everyone.
    fn begin_run(&mut self, piece: PieceIndex, run: u16, asker: Asker<'_>, layout: &Layout) -> Option<u16> {
        if run == 0 {
            return self.begin(piece, if asker.alone { asker.serial } else { 0 }, layout);
        }
        let fits = |piece: u32| {
            let has = asker.has.is_none_or(|words| crate::bitfield::contains(words, PieceIndex(piece)));
            self.unstarted.contains(PieceIndex(piece)) && has
        };
        let lowest = piece.0.saturating_sub(u32::from(run) - 1);
        let start = (lowest..piece.0).rev().take_while(|&before| fits(before)).last().unwrap_or(piece.0);
        let most = (start + u32::from(run)).min(self.unstarted.len());
        let end = (piece.0 + 1..most).take_while(|&next| fits(next)).last().map_or(piece.0, |last| last) + 1;
        let mut first = None;
        for next in start..end {
            let Some(slot) = self.begin(PieceIndex(next), 0, layout) else { break };
            self.keep(slot, asker.serial);
            first = first.or(Some(slot));
        }
        first
    }

    /// Keeps what is free of a piece for one remote.
    fn keep(&mut self, slot: u16, serial: u16) {
        let active = &mut self.active[usize::from(slot)];
        if !active.kept {
            (active.kept, active.owner) = (true, serial);
            self.free -= active.free;
            self.kept_free += active.free;
        }
    }

    /// What was kept for a remote is free for all: it does not answer. True if anything was.
    pub(crate) fn release_kept(&mut self, serial: u16) -> bool {
        let mut any = false;
        for active in self.active.iter_mut().filter(|active| active.kept && active.owner == serial) {
            (active.kept, active.owner) = (false, 0);
            self.kept_free -= active.free;
            self.free += active.free;
            any |= active.free > 0;
        }
        any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conn::Asked;
    use crate::time::Stamp;
    use crate::{Bitfield, Unfinished};
    use alloc::string::String;
    use alloc::vec::Vec;

    const BLOCKS: u32 = 4;

    fn layout(pieces: u32) -> Layout {
        Layout::new(u64::from(pieces * BLOCKS * 16), u64::from(BLOCKS * 16), 16).unwrap()
    }

    fn config() -> Config {
        Config { unfinished: Unfinished::Rarest, random_first_pieces: 0, ..Config::default() }
    }

    fn asker(serial: u16, run: u16) -> Asker<'static> {
        Asker { serial, has: None, alone: false, working: u16::MAX, run, links: 100 }
    }

    /// Pieces under way, in the order in which they were begun, if the rarest one is begun in a run; in `here` a piece is
    /// lacking where there is a dot.
    fn begun(here: &str, rarest: u32, run: u16) -> Vec<u32> {
        let layout = layout(here.len() as u32);
        let mut have = Bitfield::empty(here.len() as u32);
        let mut availability = Availability::new(here.len() as u32);
        for (piece, mark) in here.chars().enumerate() {
            let piece = PieceIndex(piece as u32);
            if mark != '.' {
                have.insert(piece);
            }
            (0..u8::from(piece.0 != rarest)).for_each(|_| availability.add(piece));
        }
        let mut requests = Requests::new(&have, &layout);
        let random = &mut Random::new(1);
        requests.next(asker(1, run), &layout, &config(), &availability, random).unwrap();
        requests.check(&layout);
        requests.active(&layout).map(|(piece, ..)| piece.0).collect()
    }

    #[test]
    fn a_run_goes_back_first_and_then_on_as_far_as_pieces_are_lacking() {
        for (here, rarest, run, expected) in [
            ("..........", 5, 0, &[5][..]),
            ("..........", 5, 1, &[5]),
            ("..........", 5, 3, &[3, 4, 5]),
            ("....o.....", 5, 3, &[5, 6, 7]),
            ("...o.....o", 5, 3, &[4, 5, 6]),
            ("..........", 1, 4, &[0, 1, 2, 3]),
            ("..........", 9, 4, &[6, 7, 8, 9]),
            ("....o..ooo", 6, 9, &[5, 6]),
        ] {
            assert_eq!(begun(here, rarest, run), expected, "{here} {rarest} {run}");
        }
    }

    #[test]
    fn what_is_kept_is_its_owners_until_it_is_released() {
        let (layout, config) = (layout(3), config());
        let (mut requests, random) = (Requests::new(&Bitfield::empty(3), &layout), &mut Random::new(1));
        let availability = Availability::new(3);
        let mut next = |requests: &mut Requests, serial, run| {
            let chosen = requests.next(asker(serial, run), &layout, &config, &availability, random)?;
            requests.check(&layout);
            Some((chosen.block.piece.0, chosen.number))
        };
        let first = next(&mut requests, 1, 3).unwrap();
        assert_eq!(first, (0, 0), "all three in a run");
        assert_eq!(next(&mut requests, 2, 3), None, "nothing is left for others");
        assert!(requests.is_endgame(), "so they may ask for what is spoken for");
        let busy = requests.next_busy(asker(2, 3), &layout, 2).unwrap();
        assert_eq!((busy.block.piece.0, busy.number), (0, 1), "first of all what nobody was asked for");
        assert_eq!(next(&mut requests, 1, 3), Some((0, 2)), "which its owner then leaves out");
        assert!(requests.release_kept(1) && !requests.release_kept(1) && !requests.is_endgame());
        assert_eq!(next(&mut requests, 2, 3), Some((1, 0)), "nobody works on that one");
        assert_eq!(next(&mut requests, 1, 0), Some((0, 3)), "and on this one others do");
        let asked = Asked::new(PieceIndex(1), 0, 1, Stamp::default());
        requests.release(asked, false);
        requests.check(&layout);
        assert_eq!(next(&mut requests, 1, 3), Some((2, 0)), "refused, it is still kept for the other");
    }

    #[test]
    fn what_is_asked_for_to_the_end_is_kept_no_more_once_released() {
        let (layout, config) = (layout(1), config());
        let (mut requests, random) = (Requests::new(&Bitfield::empty(1), &layout), &mut Random::new(1));
        let availability = Availability::new(1);
        let mut next = |requests: &mut Requests, asker| {
            Some(requests.next(asker, &layout, &config, &availability, random)?.number)
        };
        (0..BLOCKS).for_each(|number| assert_eq!(next(&mut requests, asker(1, 1)), Some(number)));
        assert!(!requests.release_kept(1), "nothing of it is free");
        requests.release(Asked::new(PieceIndex(0), 2, 0, Stamp::default()), false);
        let nothing = [0];
        assert_eq!(
            next(&mut requests, Asker { has: Some(&nothing), ..asker(1, 1) }),
            None,
            "it may not be asked"
        );
        assert_eq!(next(&mut requests, asker(2, 1)), Some(2), "a block that is refused later is for all");
        requests.check(&layout);
    }

    #[test]
    fn the_counts_hold_whatever_happens() {
        let (layout, config) = (layout(40), config());
        let mut log = String::new();
        for seed in 0..50 {
            let mut random = Random::new(seed);
            let mut requests = Requests::new(&Bitfield::empty(40), &layout);
            let mut availability = Availability::new(40);
            (0..60).for_each(|_| availability.add(PieceIndex(random.below(40))));
            let mut asked: Vec<(u16, Asked)> = Vec::new();
            for _ in 0..400 {
                let serial = 1 + random.below(4) as u16;
                match random.below(10) {
                    0 => _ = requests.release_kept(serial),
                    1 | 2 if !asked.is_empty() => {
                        let (_, asked) = asked.swap_remove(random.below(asked.len() as u32) as usize);
                        requests.release(asked, false);
                    }
                    3..=5 if !asked.is_empty() => {
                        let (giver, asked) = asked.swap_remove(random.below(asked.len() as u32) as usize);
                        let block = (asked.piece, asked.number());
                        requests.receive(block, giver, Some(asked));
                    }
                    _ => {
                        let links = [100, 2][random.below(2) as usize];
                        let asker = Asker { links, ..asker(serial, random.below(4) as u16) };
                        let chosen = requests.next(asker, &layout, &config, &availability, &mut random);
                        if let Some(chosen) = chosen {
                            let (piece, number, slot) = (chosen.block.piece, chosen.number, chosen.slot);
                            asked.push((serial, Asked::new(piece, number, slot, Stamp::default())));
                            log.push('r');
                        }
                    }
                }
                requests.check(&layout);
            }
        }
        assert!(log.len() > 5_000, "{}", log.len());
    }
}
