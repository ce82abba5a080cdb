//! How many connected remotes have each piece, kept bit by bit: the counts of 64 pieces are a few words side by side.
//!
//! The first word of such a group holds the lowest bit of each of its 64 counts, the next word the second bit, and so on.
//! One more remote is then an addition of 64 counts at a time, and the rarest of 64 pieces are found with one step per
//! bit of a count, all ties at once. With 50 links that is 6 bits a piece, where plain counts take 16.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use crate::bitfield::mask;
use crate::torrent::ends;
use crate::{Bitfield, PieceIndex};

/// How many connected remotes have each piece.
#[derive(Clone, Debug)]
pub struct Availability {
    /// `depth` words for each 64 pieces, piece 0 in their high bit.
    planes: Box<[u64]>,
    depth: u16,
    seeds: u16,
}

impl Availability {
    /// Of a torrent of `piece_count` pieces that nobody has.
    pub fn new(piece_count: u32) -> Self {
        Availability { planes: vec![0; piece_count.div_ceil(64) as usize].into(), depth: 1, seeds: 0 }
    }

    /// How many have this piece. The piece must exist.
    pub fn of(&self, piece: PieceIndex) -> u16 {
        let bit = mask(piece);
        let planes = self.planes_of(piece.0 as usize / 64).iter().enumerate();
        let count = planes.fold(0u16, |count, (at, plane)| count | (u16::from(plane & bit != 0) << at));
        count.saturating_add(self.seeds)
    }

    /// How many have all pieces.
    pub fn seeds(&self) -> u16 {
        self.seeds
    }

    /// A remote has got this piece. The piece must exist.
    pub fn add(&mut self, piece: PieceIndex) {
        if !self.add_within(piece) {
            self.add_beyond(piece);
        }
    }

    /// The same as far as there is room; false if the count has become too large for it, which [`Self::add_beyond`] mends.
    #[inline]
    pub(crate) fn add_within(&mut self, piece: PieceIndex) -> bool {
        self.carry(piece.0 as usize / 64, mask(piece)) == 0
    }

    /// Makes room for the count of a piece that has become too large.
    pub(crate) fn add_beyond(&mut self, piece: PieceIndex) {
        self.deepen(piece.0 as usize / 64, mask(piece));
    }

    /// A remote has come that has these pieces.
    pub fn add_set(&mut self, have: &Bitfield) {
        self.add_words(have.words());
    }

    /// A remote that has everything has come.
    pub fn add_seed(&mut self) {
        self.seeds += 1;
    }

    pub(crate) fn remove_seed(&mut self) {
        self.seeds -= 1;
    }

    pub(crate) fn add_words(&mut self, words: &[u64]) {
        words.iter().enumerate().for_each(|(at, &word)| self.add_word(at, word));
    }

    /// A remote that had these pieces is gone.
    pub(crate) fn remove_words(&mut self, words: &[u64]) {
        let depth = usize::from(self.depth);
        for (planes, &word) in self.planes.chunks_exact_mut(depth).zip(words) {
            let mut borrow = word;
            for plane in planes {
                let before = *plane;
                *plane ^= borrow;
                borrow &= !before;
            }
        }
    }

    /// The counts of the pieces of each word, without the seeds.
    pub(crate) fn groups(&self) -> impl Iterator<Item = Group<'_>> + Clone {
        self.planes.chunks_exact(self.depth.into()).map(Group)
    }

    /// Adds one to the counts of these of the 64 pieces of one word.
    fn add_word(&mut self, at: usize, pieces: u64) {
        let carry = self.carry(at, pieces);
        if carry != 0 {
            self.deepen(at, carry);
        }
    }

    /// The same as far as there is room; gives the pieces whose counts have become too large for it.
    #[inline]
    fn carry(&mut self, at: usize, pieces: u64) -> u64 {
        let depth = usize::from(self.depth);
        let mut carry = pieces;
        for plane in &mut self.planes[at * depth..(at + 1) * depth] {
            let before = *plane;
            *plane ^= carry;
            carry &= before;
            if carry == 0 {
                break;
            }
        }
        carry
    }

    /// Makes room for counts of one more bit, which these pieces of a word have set.
    #[cold]
    fn deepen(&mut self, at: usize, carry: u64) {
        let depth = usize::from(self.depth);
        let mut planes = Vec::with_capacity(self.planes.len() / depth * (depth + 1));
        for word in self.planes.chunks_exact(depth) {
            planes.extend_from_slice(word);
            planes.push(0);
        }
        (self.planes, self.depth) = (planes.into(), self.depth + 1);
        self.planes[(at + 1) * depth + at] = carry;
    }

    fn planes_of(&self, at: usize) -> &[u64] {
        let depth = usize::from(self.depth);
        &self.planes[at * depth..(at + 1) * depth]
    }

    /// Where the count of a piece lies, for [`crate::Torrent::link_places`].
    pub(crate) fn places(&self, piece: PieceIndex, stored: &mut impl FnMut(*const u8)) {
        let depth = usize::from(self.depth);
        ends(&self.planes, piece.0 as usize / 64 * depth, depth).into_iter().for_each(stored);
    }
}

/// The counts of the 64 pieces of one word, without the seeds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group<'a>(&'a [u64]);

impl Group<'_> {
    /// Those among the candidates that the fewest have, and how many have them. There must be a candidate.
    #[inline]
    pub(crate) fn rarest(self, candidates: u64) -> (u32, u64) {
        let (mut count, mut left) = (0, candidates);
        for plane in self.0.iter().rev() {
            let without = left & !plane;
            count = count << 1 | u32::from(without == 0);
            left = if without == 0 { left } else { without };
        }
        (count, left)
    }

    /// Those among the candidates that so many have.
    #[inline]
    pub(crate) fn with(self, candidates: u64, count: u32) -> u64 {
        let bits = (0..).map(|bit| u64::from(count >> bit & 1));
        self.0.iter().zip(bits).fold(candidates, |left, (plane, bit)| left & (plane ^ bit.wrapping_sub(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Random;

    #[test]
    fn counts_are_those_of_plain_counting() {
        let mut random = Random::new(1);
        let pieces = 150;
        let (mut availability, mut plain) = (Availability::new(pieces), vec![0u16; pieces as usize]);
        let mut sets: Vec<Bitfield> = Vec::new();
        for step in 0..2_000 {
            if sets.len() > 40 || (step > 1_000 && !sets.is_empty()) {
                let gone = sets.swap_remove(random.below(sets.len() as u32) as usize);
                availability.remove_words(gone.words());
                gone.iter().for_each(|piece| plain[piece.0 as usize] -= 1);
            } else if random.below(3) == 0 {
                let mut set = Bitfield::empty(pieces);
                (0..pieces).filter(|_| random.below(2) == 0).for_each(|at| _ = set.insert(PieceIndex(at)));
                availability.add_set(&set);
                set.iter().for_each(|piece| plain[piece.0 as usize] += 1);
                sets.push(set);
            } else if let Some(set) = sets.first_mut() {
                let piece = PieceIndex(random.below(pieces));
                if set.insert(piece) {
                    availability.add(piece);
                    plain[piece.0 as usize] += 1;
                }
            }
            let counts: Vec<u16> = (0..pieces).map(|at| availability.of(PieceIndex(at))).collect();
            assert_eq!(counts, plain, "step {step}");
            let candidates = random.bits() | 1;
            let of_first = |at: u32| candidates & mask(PieceIndex(at)) != 0;
            let least = (0..64).filter(|&at| of_first(at)).map(|at| plain[at as usize]).min().unwrap();
            let rarest = (0..64).filter(|&at| of_first(at) && plain[at as usize] == least);
            let rarest = rarest.fold(0, |word, at| word | mask(PieceIndex(at)));
            let group = availability.groups().next().unwrap();
            assert_eq!(group.rarest(candidates), (u32::from(least), rarest));
            assert_eq!(group.with(candidates, u32::from(least)), rarest);
        }
    }

    #[test]
    fn seeds_count_for_every_piece() {
        let mut availability = Availability::new(3);
        availability.add_seed();
        availability.add(PieceIndex(1));
        assert_eq!([0, 1, 2].map(|at| availability.of(PieceIndex(at))), [1, 2, 1]);
    }
}
