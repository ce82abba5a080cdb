//! A set of pieces: which a peer has.

use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use swarmlab_metainfo::PieceIndex;

/// One bit per piece of a torrent. On the wire the high bit of the first byte is piece 0 and the spare bits at the
/// end are zero (BEP 3, `bitfield`).
#[derive(Clone, PartialEq, Eq)]
pub struct Bitfield {
    bytes: Vec<u8>,
    len: u32,
    count: u32,
}

impl Bitfield {
    /// No piece of `len`.
    pub fn empty(len: u32) -> Self {
        Bitfield { bytes: vec![0; len.div_ceil(8) as usize], len, count: 0 }
    }

    /// All of `len` pieces.
    pub fn full(len: u32) -> Self {
        let mut bytes = vec![0xff; len.div_ceil(8) as usize];
        if let (Some(last), spare @ 1..) = (bytes.last_mut(), bytes_spare(len)) {
            *last = 0xff << spare;
        }
        Bitfield { bytes, len, count: len }
    }

    /// Reads the payload of a `bitfield` message for a torrent of `len` pieces: `None` if the length is wrong or a
    /// spare bit is set, which BEP 3 forbids.
    pub fn from_wire(bytes: &[u8], len: u32) -> Option<Self> {
        let spare = bytes_spare(len);
        let clean = bytes.last().is_none_or(|last| last & !(0xffu8 << spare) == 0);
        (bytes.len() == len.div_ceil(8) as usize && clean).then(|| Bitfield {
            bytes: bytes.to_vec(),
            len,
            count: bytes.iter().map(|byte| byte.count_ones()).sum(),
        })
    }

    /// The payload of a `bitfield` message.
    pub fn as_wire(&self) -> &[u8] {
        &self.bytes
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
        self.bytes.get(piece.0 as usize / 8).is_some_and(|byte| byte & (0x80 >> (piece.0 % 8)) != 0)
    }

    /// Adds a piece; false if it was there or the torrent does not have it.
    pub fn insert(&mut self, piece: PieceIndex) -> bool {
        let fresh = piece.0 < self.len && !self.contains(piece);
        if fresh {
            self.bytes[piece.0 as usize / 8] |= 0x80 >> (piece.0 % 8);
            self.count += 1;
        }
        fresh
    }

    /// Takes a piece out; false if it was not there.
    pub fn remove(&mut self, piece: PieceIndex) -> bool {
        let there = self.contains(piece);
        if there {
            self.bytes[piece.0 as usize / 8] &= !(0x80 >> (piece.0 % 8));
            self.count -= 1;
        }
        there
    }

    /// The pieces in the set, in order.
    pub fn iter(&self) -> impl Iterator<Item = PieceIndex> + '_ {
        (0..self.len).map(PieceIndex).filter(|&piece| self.contains(piece))
    }
}

/// Spare bits at the end of the last byte.
fn bytes_spare(len: u32) -> u32 {
    (8 - len % 8) % 8
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
        assert_eq!(have.as_wire(), [0b1000_0000, 0b0100_0000]);
        assert!(!have.insert(PieceIndex(9)) && !have.insert(PieceIndex(10)));
        assert_eq!((have.count(), have.iter().count()), (2, 2));
        assert!(have.remove(PieceIndex(0)) && !have.remove(PieceIndex(0)));
    }

    #[test]
    fn wrong_length_and_spare_bits_are_refused() {
        for len in [0, 1, 7, 8, 9, 16, 100] {
            let full = Bitfield::full(len);
            assert!(full.is_full() && full.iter().count() == len as usize);
            assert_eq!(Bitfield::from_wire(full.as_wire(), len), Some(full.clone()));
            assert_eq!(Bitfield::from_wire(&[full.as_wire(), &[0]].concat(), len), None);
        }
        assert_eq!(Bitfield::from_wire(&[0xff, 0xff], 10), None);
        assert_eq!(Bitfield::from_wire(&[0xff, 0xc0], 10).map(|set| set.count()), Some(10));
        assert_eq!(Bitfield::from_wire(&[], 10), None);
    }
}
