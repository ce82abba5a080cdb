//! Arithmetic of pieces and blocks: which bytes of the content a piece or a block covers.
//!
//! A torrent's content is one run of bytes (multi-file torrents are their files in order, end to end). It is cut
//! into *pieces* of `piece_length` bytes, the unit that is hashed; each piece is requested in *blocks* of
//! `block_len` bytes, the unit of transfer. Only the last piece, and the last block of a piece, may be shorter.

use core::fmt;

/// Index of a piece, counted from 0 (BEP 3, `have`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PieceIndex(pub u32);

impl fmt::Display for PieceIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A range of bytes inside one piece: what `request`, `piece` and `cancel` name (BEP 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Block {
    /// The piece the range lies in.
    pub piece: PieceIndex,
    /// Offset of the first byte from the start of the piece, in bytes.
    pub begin: u32,
    /// Length in bytes.
    pub len: u32,
}

/// Why a [`Layout`] cannot exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// The piece length is zero or larger than 2^30.
    #[error("the piece length is {0} bytes; it must be from 1 to 1073741824")]
    PieceLength(u64),
    /// The block length is zero or larger than the piece length allows.
    #[error("the block length is {0} bytes; it must be from 1 to 1048576")]
    BlockLength(u32),
    /// More than 2^31 - 1 pieces.
    #[error("{length} bytes in pieces of {piece_length} bytes make more than 2147483647 pieces")]
    TooManyPieces {
        /// Content length in bytes.
        length: u64,
        /// Piece length in bytes.
        piece_length: u32,
    },
}

/// How the content is cut into pieces and blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    length: u64,
    piece_length: u32,
    block_len: u32,
    piece_count: u32,
}

impl Layout {
    /// The block length all clients use on real sockets: 16 KiB (BEP 3; larger requests are refused by most).
    pub const BLOCK_LEN: u32 = 16 * 1024;

    /// The layout of `length` bytes of content in pieces of `piece_length` bytes and blocks of `block_len` bytes.
    ///
    /// # Errors
    /// When a length is zero where it may not be, or out of the range of the wire protocol.
    pub fn new(length: u64, piece_length: u64, block_len: u32) -> Result<Self, LayoutError> {
        if piece_length == 0 || piece_length > 1 << 30 {
            return Err(LayoutError::PieceLength(piece_length));
        }
        if block_len == 0 || block_len > 1 << 20 {
            return Err(LayoutError::BlockLength(block_len));
        }
        let piece_length = piece_length as u32;
        let piece_count = length.div_ceil(u64::from(piece_length));
        if piece_count > i32::MAX as u64 {
            return Err(LayoutError::TooManyPieces { length, piece_length });
        }
        Ok(Layout { length, piece_length, block_len, piece_count: piece_count as u32 })
    }

    /// Length of the content in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Length in bytes of every piece but the last.
    pub fn piece_length(&self) -> u32 {
        self.piece_length
    }

    /// Length in bytes of every block but the last of a piece.
    pub fn block_len(&self) -> u32 {
        self.block_len
    }

    /// Number of pieces.
    pub fn piece_count(&self) -> u32 {
        self.piece_count
    }

    /// All pieces in order.
    pub fn pieces(&self) -> impl DoubleEndedIterator<Item = PieceIndex> + ExactSizeIterator + use<> {
        (0..self.piece_count).map(PieceIndex)
    }

    /// Whether the torrent has a piece of this index.
    pub fn contains(&self, piece: PieceIndex) -> bool {
        piece.0 < self.piece_count
    }

    /// Offset of the piece's first byte in the content. The piece must exist.
    pub fn piece_offset(&self, piece: PieceIndex) -> u64 {
        u64::from(piece.0) * u64::from(self.piece_length)
    }

    /// Length of this piece in bytes. The piece must exist.
    pub fn piece_len(&self, piece: PieceIndex) -> u32 {
        debug_assert!(self.contains(piece));
        let rest = self.length - self.piece_offset(piece);
        rest.min(u64::from(self.piece_length)) as u32
    }

    /// Number of blocks in this piece. The piece must exist.
    pub fn block_count(&self, piece: PieceIndex) -> u32 {
        self.piece_len(piece).div_ceil(self.block_len)
    }

    /// Block number `number` of a piece, counted from 0. Both must exist.
    pub fn block(&self, piece: PieceIndex, number: u32) -> Block {
        debug_assert!(number < self.block_count(piece));
        let begin = number * self.block_len;
        Block { piece, begin, len: (self.piece_len(piece) - begin).min(self.block_len) }
    }

    /// The number of `block` in its piece if it is exactly one of the blocks that [`Layout::block`] gives.
    pub fn block_number(&self, block: Block) -> Option<u32> {
        if !self.contains(block.piece) {
            return None;
        }
        let number = block.begin / self.block_len;
        let rest = self.piece_len(block.piece).checked_sub(block.begin).filter(|&rest| rest > 0)?;
        (number * self.block_len == block.begin && block.len == rest.min(self.block_len)).then_some(number)
    }

    /// Whether the range lies inside an existing piece and is not empty: what a remote may ask for.
    pub fn is_in_range(&self, block: Block) -> bool {
        self.contains(block.piece)
            && block.len > 0
            && u64::from(block.begin) + u64::from(block.len) <= u64::from(self.piece_len(block.piece))
    }

    /// Offset of the block's first byte in the content. The block must be in range.
    pub fn block_offset(&self, block: Block) -> u64 {
        self.piece_offset(block.piece) + u64::from(block.begin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(piece: u32, begin: u32, len: u32) -> Block {
        Block { piece: PieceIndex(piece), begin, len }
    }

    #[test]
    fn last_piece_and_last_block_are_shorter() {
        let layout = Layout::new(100_000, 65_536, 16_384).unwrap();
        assert_eq!(layout.piece_count(), 2);
        assert_eq!(layout.piece_len(PieceIndex(0)), 65_536);
        assert_eq!(layout.piece_len(PieceIndex(1)), 34_464);
        assert_eq!(layout.block_count(PieceIndex(1)), 3);
        assert_eq!(layout.block(PieceIndex(1), 2), block(1, 32_768, 1_696));
        assert_eq!(layout.block_offset(block(1, 32_768, 1_696)), 98_304);
    }

    #[test]
    fn blocks_cover_the_content_exactly_once() {
        for (length, piece_length, block_len) in
            [(1, 1, 1), (10, 4, 3), (1 << 20, 1 << 15, 1 << 14), (999, 100, 7)]
        {
            let layout = Layout::new(length, piece_length, block_len).unwrap();
            let mut next = 0;
            for piece in layout.pieces() {
                for number in 0..layout.block_count(piece) {
                    let block = layout.block(piece, number);
                    assert_eq!(layout.block_offset(block), next);
                    assert_eq!(layout.block_number(block), Some(number));
                    assert!(layout.is_in_range(block));
                    next += u64::from(block.len);
                }
            }
            assert_eq!(next, length);
        }
    }

    #[test]
    fn empty_content_has_no_piece() {
        assert_eq!(Layout::new(0, 16_384, 16_384).unwrap().piece_count(), 0);
    }

    #[test]
    fn foreign_ranges_are_refused() {
        let layout = Layout::new(100_000, 65_536, 16_384).unwrap();
        for foreign in [block(2, 0, 1), block(0, 65_536, 1), block(0, u32::MAX, u32::MAX), block(0, 0, 0)] {
            assert!(!layout.is_in_range(foreign), "{foreign:?}");
            assert_eq!(layout.block_number(foreign), None);
        }
        assert!(layout.is_in_range(block(0, 5, 10)));
        assert_eq!(layout.block_number(block(0, 5, 10)), None);
        assert_eq!(layout.block_number(block(1, 32_768, 16_384)), None);
    }

    #[test]
    fn impossible_layouts_are_refused() {
        assert_eq!(Layout::new(1, 0, 1), Err(LayoutError::PieceLength(0)));
        assert_eq!(Layout::new(1, 1 << 31, 1), Err(LayoutError::PieceLength(1 << 31)));
        assert_eq!(Layout::new(1, 1, 0), Err(LayoutError::BlockLength(0)));
        assert!(matches!(Layout::new(u64::MAX, 1, 1), Err(LayoutError::TooManyPieces { .. })));
    }
}
