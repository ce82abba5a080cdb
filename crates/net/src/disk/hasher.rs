//! Hashes of the pieces under way, fed with blocks as they arrive.
//!
//! Blocks that come in order are hashed while they are still in the processor's cache; what came out of order is read
//! back from the file when the piece is complete. So each byte is hashed once and, as a rule, never read.

use std::collections::HashMap;

use sha1::{Digest, Sha1};
use swarmlab_metainfo::{Block, PieceIndex};

use super::files::{DiskError, Files};

/// How much is read back at once.
const READ_LEN: usize = 256 * 1024;

/// The pieces under way. Bounded by what the engine has asked for.
#[derive(Debug, Default)]
pub(crate) struct Hasher {
    started: HashMap<PieceIndex, Partial>,
    buffer: Vec<u8>,
}

/// A piece hashed up to `next`.
#[derive(Debug, Default)]
struct Partial {
    sha: Sha1,
    next: u32,
}

impl Hasher {
    /// Takes notice of a block that is about to be written.
    pub(crate) fn feed(&mut self, block: Block, bytes: &[u8]) {
        let partial = self.started.entry(block.piece).or_default();
        if block.begin == partial.next {
            partial.sha.update(bytes);
            partial.next += bytes.len() as u32;
        } else if block.begin < partial.next {
            // Written a second time: what was hashed may no longer be what is there.
            *partial = Partial::default();
        }
    }

    /// Forgets a piece that will be fetched anew.
    pub(crate) fn forget(&mut self, piece: PieceIndex) {
        self.started.remove(&piece);
    }

    /// Whether the piece as it is on disk has the hash the torrent gives.
    pub(crate) fn verify(&mut self, piece: PieceIndex, files: &mut Files) -> Result<bool, DiskError> {
        let Partial { mut sha, mut next } = self.started.remove(&piece).unwrap_or_default();
        let (offset, len) = {
            let layout = files.content().layout();
            (layout.piece_offset(piece), layout.piece_len(piece))
        };
        while next < len {
            let part = (len - next).min(READ_LEN as u32);
            self.buffer.resize(READ_LEN.min(len as usize).max(self.buffer.len()), 0);
            let buffer = &mut self.buffer[..part as usize];
            files.read(offset + u64::from(next), buffer)?;
            sha.update(buffer);
            next += part;
        }
        Ok(sha.finalize()[..] == files.content().torrent().piece_hash(piece))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::super::files::Access;
    use super::super::testing::{PIECE, bytes, content};
    use super::*;

    const LEN: usize = PIECE;

    /// One piece, on disk as zeros.
    fn setup(dir: &Path) -> (Vec<u8>, Files) {
        fs::write(dir.join("f"), [0; LEN]).unwrap();
        (bytes(LEN), Files::new(content(dir, &[("f", LEN as u64)]), Access::Write))
    }

    /// The quarter of the piece of this number arrives.
    fn arrive(hasher: &mut Hasher, files: &mut Files, bytes: &[u8], number: usize) {
        let (begin, len) = (number * LEN / 4, LEN / 4);
        let part = &bytes[begin..begin + len];
        hasher.feed(Block { piece: PieceIndex(0), begin: begin as u32, len: len as u32 }, part);
        files.write(begin as u64, part).unwrap();
    }

    #[test]
    fn any_order_of_blocks_gives_the_hash() {
        let dir = tempfile::tempdir().unwrap();
        let (bytes, mut files) = setup(dir.path());
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [0, 2, 1, 3], [1, 0, 3, 2]] {
            files.write(0, &[0; LEN]).unwrap();
            let mut hasher = Hasher::default();
            order.iter().for_each(|&number| arrive(&mut hasher, &mut files, &bytes, number));
            assert!(hasher.verify(PieceIndex(0), &mut files).unwrap(), "{order:?}");
            assert!(hasher.started.is_empty());
        }
    }

    #[test]
    fn block_written_twice_counts_as_it_is_on_disk() {
        let dir = tempfile::tempdir().unwrap();
        let (bytes, mut files) = setup(dir.path());
        let mut hasher = Hasher::default();
        let wrong = vec![7; LEN];
        arrive(&mut hasher, &mut files, &wrong, 0);
        (0..4).for_each(|number| arrive(&mut hasher, &mut files, &bytes, number));
        assert!(hasher.verify(PieceIndex(0), &mut files).unwrap());
        (0..4).for_each(|number| arrive(&mut hasher, &mut files, &bytes, number));
        arrive(&mut hasher, &mut files, &wrong, 0);
        assert!(!hasher.verify(PieceIndex(0), &mut files).unwrap());
    }

    #[test]
    fn in_order_nothing_is_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let (bytes, mut files) = setup(dir.path());
        let mut hasher = Hasher::default();
        (0..4).for_each(|number| arrive(&mut hasher, &mut files, &bytes, number));
        fs::write(dir.path().join("f"), "").unwrap();
        assert!(hasher.verify(PieceIndex(0), &mut files).unwrap());
        assert!(hasher.verify(PieceIndex(0), &mut files).is_err());
    }
}
