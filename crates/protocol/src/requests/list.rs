//! A list of the pieces that are lacking, kept in order by moving one piece at a time, as Transmission 3.00 keeps it
//! (`peer-mgr.c`: `pieceListResortPiece`, `tr_peerMgrGetNextRequests`).
//!
//! A piece ranks by its blocks that nobody was asked for, fewest first; one that is asked for to the end comes last; among equals
//! the rarest goes first. But a piece is put in its place before the block that has just come counts as here. So pieces
//! under way gather at the front, where they do not belong, until the next look at the list puts them right; and a binary
//! search that meets one of them there goes astray. A piece that a remote has just told of then lands before rarer ones, at all
//! who heard of it: they ask the seed for it, too. It is why swarms of Transmission spread fewer pieces than rarest first would.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::{Asker, Requests};
use crate::picker::Availability;
use crate::{Layout, PickReason, PieceIndex, Random};

/// Numbers from which each piece draws its rank among equals.
const SALTS: u32 = 4_096;

/// The pieces that are lacking, in the order in which they are asked for.
#[derive(Debug, Default)]
pub(crate) struct PieceList {
    order: Vec<PieceIndex>,
    /// By piece.
    salts: Vec<u16>,
    /// Not since something changed for many pieces at once.
    is_sorted: bool,
    /// The first pieces of the list that were looked at for one remote, and may rank otherwise since.
    looked_at: usize,
    /// For whom.
    looker: u16,
}

/// What a piece is ranked by: its weight, whether it is neither the first nor the last, how many have it, and its salt.
type Rank = (u32, bool, u16, u16);

impl Requests {
    /// The first piece of the list with a block for this remote. All it is asked for at once is chosen from one state of the
    /// list.
    pub(super) fn next_listed(
        &mut self,
        asker: Asker<'_>,
        layout: &Layout,
        availability: &Availability,
        random: &mut Random,
    ) -> Option<(u16, Option<PickReason>)> {
        let mut list = self.list.take().unwrap_or_else(|| self.first_list(random));
        if list.looker != asker.serial || !list.is_sorted {
            self.look_over(&mut list, layout, availability);
            list.looker = asker.serial;
        }
        let found = list.order.iter().position(|&piece| self.is_for(piece, asker));
        list.looked_at = list.looked_at.max(found.map_or(list.order.len(), |at| at + 1));
        let piece = found.map(|at| list.order[at]);
        self.list = Some(list);
        match piece {
            Some(piece) if self.unstarted.contains(piece) => {
                let slot = self.begin(piece, if asker.alone { asker.serial } else { 0 }, layout)?;
                Some((slot, Some(PickReason::RarestFirst)))
            }
            Some(piece) => Some((self.slot_of(piece)?, None)),
            None if asker.alone => {
                self.next_listed(Asker { alone: false, ..asker }, layout, availability, random)
            }
            None => None,
        }
    }

    /// Puts a piece in its place: a remote has told of it, or a block of it has come, which counts as lacking still (`late` 1).
    #[inline]
    pub(crate) fn relist(
        &mut self,
        piece: PieceIndex,
        late: u32,
        layout: &Layout,
        availability: &Availability,
    ) {
        if let Some(list) = self.list.take() {
            let list = self.relisted(list, piece, late, layout, availability);
            self.list = Some(list);
        }
    }

    /// Whether there is a list.
    pub(crate) fn is_listed(&self) -> bool {
        self.list.is_some()
    }

    /// Something has changed for many pieces: the list is sorted before it is used again.
    #[inline]
    pub(crate) fn unsort(&mut self) {
        if let Some(list) = &mut self.list {
            list.is_sorted = false;
        }
    }

    /// A piece is here.
    pub(super) fn unlist(&mut self, piece: PieceIndex) {
        if let Some(list) = &mut self.list {
            let Some(at) = list.order.iter().position(|&other| other == piece) else { return };
            list.order.remove(at);
            list.looked_at -= usize::from(at < list.looked_at);
        }
    }

    /// A piece is lacking again.
    pub(super) fn list_again(&mut self, piece: PieceIndex) {
        if let Some(list) = &mut self.list {
            if !list.order.contains(&piece) {
                list.order.push(piece);
            }
            list.is_sorted = false;
        }
    }

    fn first_list(&self, random: &mut Random) -> Box<PieceList> {
        let pieces = self.unstarted.len();
        let is_lacking =
            |&piece: &PieceIndex| self.unstarted.contains(piece) || self.slot_of(piece).is_some();
        let order = (0..pieces).map(PieceIndex).filter(is_lacking).collect();
        let salts = (0..pieces).map(|_| random.below(SALTS) as u16).collect();
        Box::new(PieceList { order, salts, ..PieceList::default() })
    }

    fn is_for(&self, piece: PieceIndex, asker: Asker<'_>) -> bool {
        match self.slot_of(piece) {
            Some(slot) => self.active[usize::from(slot)].is_free_for(asker),
            None => asker.has.is_none_or(|words| crate::bitfield::contains(words, piece)),
        }
    }

    fn rank(
        &self,
        list: &PieceList,
        piece: PieceIndex,
        late: u32,
        layout: &Layout,
        availability: &Availability,
    ) -> Rank {
        let weight = match self.slot_of(piece) {
            None => layout.block_count(piece),
            Some(slot) => {
                let active = &self.active[usize::from(slot)];
                match active.free + late {
                    0 => self.stride + active.lacking,
                    free => free,
                }
            }
        };
        let is_inner = piece.0 > 0 && piece.0 + 1 < layout.piece_count();
        (weight, is_inner, availability.of(piece), list.salts[piece.0 as usize])
    }

    fn relisted(
        &self,
        mut list: Box<PieceList>,
        piece: PieceIndex,
        late: u32,
        layout: &Layout,
        availability: &Availability,
    ) -> Box<PieceList> {
        self.look_over(&mut list, layout, availability);
        let Some(at) = list.order.iter().position(|&other| other == piece) else { return list };
        let rank = |list: &PieceList, piece| self.rank(list, piece, 0, layout, availability);
        let own = self.rank(&list, piece, late, layout, availability);
        let before = at.checked_sub(1).map(|before| list.order[before]);
        let after = list.order.get(at + 1).copied();
        let fits = before.is_none_or(|before| rank(&list, before) <= own)
            && after.is_none_or(|after| own <= rank(&list, after));
        if !fits {
            list.order.remove(at);
            let at = lower_bound(&list.order, |&other| own <= rank(&list, other));
            list.order.insert(at, piece);
        }
        list
    }

    /// What was looked at for one remote is put in its place, the last first: or all of the list, if it has to be sorted.
    fn look_over(&self, list: &mut PieceList, layout: &Layout, availability: &Availability) {
        let looked_at = core::mem::take(&mut list.looked_at).min(list.order.len().saturating_sub(1));
        list.looker = 0;
        if !list.is_sorted {
            let mut order = core::mem::take(&mut list.order);
            order.sort_by_cached_key(|&piece| self.rank(list, piece, 0, layout, availability));
            (list.order, list.is_sorted) = (order, true);
            return;
        }
        for at in (0..looked_at).rev() {
            let own = self.rank(list, list.order[at], 0, layout, availability);
            let rest = &list.order[at + 1..];
            let steps = lower_bound(rest, |&other| own <= self.rank(list, other, 0, layout, availability));
            list.order[at..=at + steps].rotate_left(1);
        }
    }
}

/// The first place in a sorted list of which `is_after` holds. Where the list is not sorted the result depends on which
/// places are tried, so they are those of `tr_lowerBound`.
fn lower_bound<T>(list: &[T], is_after: impl Fn(&T) -> bool) -> usize {
    let (mut first, mut count) = (0, list.len());
    while count > 0 {
        let half = count / 2;
        if is_after(&list[first + half]) {
            count = half;
        } else {
            first += half + 1;
            count -= half + 1;
        }
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conn::Asked;
    use crate::time::Stamp;
    use crate::{Bitfield, Config, Unfinished};

    const BLOCKS: u32 = 4;

    /// A leecher that has nothing, and what it knows of others.
    struct Rig {
        layout: Layout,
        config: Config,
        availability: Availability,
        random: Random,
        requests: Requests,
    }

    impl Rig {
        fn new(counts: &[u16]) -> Rig {
            let pieces = counts.len() as u32;
            let layout = Layout::new(u64::from(pieces * BLOCKS * 16), u64::from(BLOCKS * 16), 16).unwrap();
            let mut availability = Availability::new(pieces);
            for (piece, &count) in counts.iter().enumerate() {
                (0..count).for_each(|_| availability.add(PieceIndex(piece as u32)));
            }
            let requests = Requests::new(&Bitfield::empty(pieces), &layout);
            let config = Config { unfinished: Unfinished::Listed, ..Config::default() };
            Rig { layout, config, availability, random: Random::new(1), requests }
        }

        /// Asks a remote that has all for so many blocks; the pieces they are of.
        fn ask(&mut self, serial: u16, count: usize) -> Vec<u32> {
            let asker = Asker { serial, has: None, alone: false, working: u16::MAX, run: 0, links: 9 };
            let mut asked = Vec::new();
            for _ in 0..count {
                let Rig { layout, config, availability, random, requests } = self;
                let Some(chosen) = requests.next(asker, layout, config, availability, random) else { break };
                requests.check(layout);
                asked.push(chosen.block.piece.0);
            }
            asked
        }

        fn receive(&mut self, piece: u32, number: u32) {
            let piece = PieceIndex(piece);
            let slot = self.requests.slot_of(piece).unwrap();
            let asked = Asked::new(piece, number, slot, Stamp::default());
            self.requests.receive((piece, number), 1, Some(asked));
            self.requests.relist(piece, 1, &self.layout, &self.availability);
        }

        fn told(&mut self, piece: u32) {
            self.availability.add(PieceIndex(piece));
            self.requests.relist(PieceIndex(piece), 0, &self.layout, &self.availability);
        }
    }

    #[test]
    fn the_ends_go_first_then_what_is_under_way_then_the_rarest() {
        let mut rig = Rig::new(&[3, 3, 1, 2, 3]);
        let mut ends = rig.ask(1, 2 * BLOCKS as usize);
        ends.dedup();
        ends.sort_unstable();
        assert_eq!(ends, [0, 4]);
        assert_eq!(rig.ask(2, 6), [2, 2, 2, 2, 3, 3]);
        assert_eq!(
            rig.ask(3, 4),
            [3, 3, 1, 1],
            "what is left of one under way goes before a rarer one, at any remote"
        );
        rig.requests.release(
            Asked::new(PieceIndex(0), 1, rig.requests.slot_of(PieceIndex(0)).unwrap(), Stamp::default()),
            false,
        );
        assert_eq!(rig.ask(3, 9), [0, 1, 1], "fewest blocks first");
        assert!(rig.requests.is_endgame());
    }

    #[test]
    fn a_piece_just_told_of_lands_before_rarer_ones_while_blocks_come() {
        // The ends, and then pieces 1 to 7, are asked for to the end; blocks of all of them come. 8 is the rarest left.
        let mut counts = [2; 16];
        (1..8).for_each(|piece| counts[piece] = 1);
        let mut rig = Rig::new(&counts);
        assert_eq!(rig.ask(1, 9 * BLOCKS as usize).len(), 36);
        let front = |rig: &Rig| rig.requests.list.as_ref().unwrap().order.clone();
        (1..8).for_each(|piece| rig.receive(piece, 0));
        assert!(front(&rig)[..7].iter().all(|piece| (1..8).contains(&piece.0)), "they gather at the front");
        let last = front(&rig)[9];
        rig.told(last.0);
        assert_eq!(rig.availability.of(last), 3, "more have it than any other");
        assert_ne!(front(&rig).last(), Some(&last), "but it is not put behind them");
        rig.requests.unsort();
        let asked = rig.ask(2, 7 * BLOCKS as usize);
        assert_eq!(asked.last(), Some(&last.0), "a list that was sorted has it last");
    }

    #[test]
    fn the_list_holds_what_is_lacking_whatever_happens() {
        for seed in 0..40 {
            let mut rig = Rig::new(&[0; 30]);
            let mut random = Random::new(seed);
            let mut out: Vec<(PieceIndex, u32, u16)> = Vec::new();
            let mut here = Bitfield::empty(30);
            for _ in 0..400 {
                match random.below(8) {
                    0 => rig.told(random.below(30)),
                    1 => rig.requests.unsort(),
                    2..=4 if !out.is_empty() => {
                        let (piece, number, slot) = out.swap_remove(random.below(out.len() as u32) as usize);
                        let asked = Asked::new(piece, number, slot, Stamp::default());
                        if random.below(4) == 0 {
                            rig.requests.release(asked, false);
                        } else {
                            rig.requests.receive((piece, number), 1, Some(asked));
                            rig.requests.relist(piece, 1, &rig.layout, &rig.availability);
                            if rig.requests.finish(piece, &rig.layout).is_some() {
                                here.insert(piece);
                            }
                        }
                    }
                    _ => {
                        let serial = 1 + random.below(3) as u16;
                        let asker =
                            Asker { serial, has: None, alone: false, working: u16::MAX, run: 0, links: 9 };
                        let Rig { layout, config, availability, random, requests } = &mut rig;
                        if let Some(chosen) = requests.next(asker, layout, config, availability, random) {
                            out.push((chosen.block.piece, chosen.number, chosen.slot));
                        }
                    }
                }
                rig.requests.check(&rig.layout);
                if let Some(list) = &rig.requests.list {
                    let mut listed: Vec<u32> = list.order.iter().map(|piece| piece.0).collect();
                    listed.sort_unstable();
                    let lacking: Vec<u32> =
                        (0..30).filter(|&piece| !here.contains(PieceIndex(piece))).collect();
                    assert_eq!(listed, lacking);
                }
            }
            assert!(here.count() > 5, "{}", here.count());
        }
    }
}
