//! A set of pieces: which a peer has.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use swarmlab_metainfo::PieceIndex;

/// One bit per piece of a torrent. On the wire the high bit of the first byte is piece 0 and the spare bits at the
/// end are zero (BEP 3, `bitfield`); in memory likewise, 64 pieces to a word.
#[derive(Clone, PartialEq, Eq)]
pub struct Bitfield {
    words: Box<[u64]>,
    len: u32,
    count: u32,
}

impl Bitfield {
    /// No piece of `len`.
    pub fn empty(len: u32) -> Self {
        Bitfield { words: vec![0; len.div_ceil(64) as usize].into(), len, count: 0 }
    }

    /// All of `len` pieces.
    pub fn full(len: u32) -> Self {
        let mut words = vec![u64::MAX; len.div_ceil(64) as usize];
        if let (Some(last), used @ 1..) = (words.last_mut(), len % 64) {
            *last = u64::MAX << (64 - used);
        }
        Bitfield { words: words.into(), len, count: len }
    }

    /// Reads the payload of a `bitfield` message for a torrent of `len` pieces: `None` if the length is wrong or a
    /// spare bit is set, which BEP 3 forbids.
    pub fn from_wire(bytes: &[u8], len: u32) -> Option<Self> {
        let spare = (8 - len % 8) % 8;
        let clean = bytes.last().is_none_or(|last| last & !(0xffu8 << spare) == 0);
        if bytes.len() != len.div_ceil(8) as usize || !clean {
            return None;
        }
        let word = |eight: &[u8]| {
            let mut padded = [0; 8];
            padded[..eight.len()].copy_from_slice(eight);
            u64::from_be_bytes(padded)
        };
        let words: Box<[u64]> = bytes.chunks(8).map(word).collect();
        let count = words.iter().map(|word| word.count_ones()).sum();
        Some(Bitfield { words, len, count })
    }

    /// The payload of a `bitfield` message.
    pub fn to_wire(&self) -> Vec<u8> {
        let mut bytes: Vec<u8> = self.words.iter().flat_map(|word| word.to_be_bytes()).collect();
        bytes.truncate(self.wire_len() as usize);
        bytes
    }

    /// Length in bytes of the payload of a `bitfield` message.
    pub fn wire_len(&self) -> u32 {
        self.len.div_ceil(8)
    }

    /// Number of pieces in the torrent.
    pub fn len(&self) -> u32 {
        self.len
    }

    /// Whether no piece is in the set.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether every piece is in the set.
    pub fn is_full(&self) -> bool {
        self.count == self.len
    }

    /// Number of pieces in the set.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Whether the piece is in the set. A piece the torrent does not have is not.
    pub fn contains(&self, piece: PieceIndex) -> bool {
        contains(&self.words, piece)
    }

    /// Adds a piece; false if it was there or the torrent does not have it.
    pub fn insert(&mut self, piece: PieceIndex) -> bool {
        let fresh = piece.0 < self.len && !self.contains(piece);
        if fresh {
            self.words[piece.0 as usize / 64] |= mask(piece);
            self.count += 1;
        }
        fresh
    }

    /// Takes a piece out; false if it was not there.
    pub fn remove(&mut self, piece: PieceIndex) -> bool {
        let there = self.contains(piece);
        if there {
            self.words[piece.0 as usize / 64] &= !mask(piece);
            self.count -= 1;
        }
        there
    }

    /// The pieces in the set, in order.
    pub fn iter(&self) -> impl Iterator<Item = PieceIndex> + '_ {
        self.words.iter().enumerate().flat_map(|(at, &word)| ones(at, word))
    }

    /// The set as words of 64 pieces, piece 0 in the high bit of the first.
    pub(crate) fn words(&self) -> &[u64] {
        &self.words
    }
}

/// The bit of a piece in its word.
pub(crate) fn mask(piece: PieceIndex) -> u64 {
    1 << (63 - piece.0 % 64)
}

/// Whether the piece is in the set of these words.
pub(crate) fn contains(words: &[u64], piece: PieceIndex) -> bool {
    words.get(piece.0 as usize / 64).is_some_and(|word| word & mask(piece) != 0)
}

/// Whether the first set has a piece that the second lacks.
pub(crate) fn adds_to(words: &[u64], to: &[u64]) -> bool {
    words.iter().zip(to).any(|(word, to)| word & !to != 0)
}

/// The pieces in one word of a set, in order; `at` is the word's number.
pub(crate) fn ones(at: usize, mut word: u64) -> impl Iterator<Item = PieceIndex> + Clone {
    core::iter::from_fn(move || {
        let bit = word.leading_zeros();
        word &= !(1 << 63u32.checked_sub(bit)?);
        Some(PieceIndex(at as u32 * 64 + bit))
    })
}

impl fmt::Debug for Bitfield {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bitfield({}/{})", self.count, self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn high_bit_of_the_first_byte_is_piece_zero() {
        let mut have = Bitfield::empty(10);
        assert!(have.insert(PieceIndex(0)) && have.insert(PieceIndex(9)));
        assert_eq!(have.to_wire(), [0b1000_0000, 0b0100_0000]);
        assert!(!have.insert(PieceIndex(9)) && !have.insert(PieceIndex(10)));
        assert_eq!((have.count(), have.iter().count()), (2, 2));
        assert!(have.remove(PieceIndex(0)) && !have.remove(PieceIndex(0)));
    }

    #[test]
    fn wrong_length_and_spare_bits_are_refused() {
        for len in [0, 1, 7, 8, 9, 16, 63, 64, 65, 100] {
            let full = Bitfield::full(len);
            assert!(full.is_full() && full.iter().count() == len as usize);
            assert_eq!(Bitfield::from_wire(&full.to_wire(), len), Some(full.clone()));
            assert_eq!(Bitfield::from_wire(&[&full.to_wire()[..], &[0]].concat(), len), None);
        }
        assert_eq!(Bitfield::from_wire(&[0xff, 0xff], 10), None);
        assert_eq!(Bitfield::from_wire(&[0xff, 0xc0], 10).map(|set| set.count()), Some(10));
        assert_eq!(Bitfield::from_wire(&[], 10), None);
    }
}
