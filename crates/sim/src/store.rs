//! Content of nodes: nothing at all in the usual run, real bytes where they were asked for.

use std::fmt;
use std::sync::Arc;

use swarmlab_metainfo::sha1;
use swarmlab_protocol::{Bitfield, Block, Layout, PieceIndex};

use crate::RealContent;

/// What a node keeps of the content, and what travels with a block.
pub(crate) trait Store: Send + Sized + fmt::Debug {
    /// What travels with a block.
    type Payload: Send + Default + fmt::Debug;

    /// Of a node that has these pieces.
    fn new(content: Option<&RealContent>, layout: &Layout, have: &Bitfield) -> Self;

    /// The bytes of a block; with `corrupt`, others.
    fn read(&self, layout: &Layout, block: Block, corrupt: bool) -> Self::Payload;

    /// Keeps a block.
    fn write(&mut self, layout: &Layout, block: Block, payload: &Self::Payload);

    /// Whether the piece hashes to what it must; `None` where no bytes are kept.
    fn check(&self, content: Option<&RealContent>, layout: &Layout, piece: PieceIndex) -> Option<bool>;

    /// Whether all of it is the content, byte for byte; `false` where no bytes are kept.
    fn is_true_copy(&self, content: Option<&RealContent>) -> bool;
}

/// No content: a corrupt block is a mark.
#[derive(Debug)]
pub(crate) struct Marks;

impl Store for Marks {
    type Payload = ();

    fn new(_: Option<&RealContent>, _: &Layout, _: &Bitfield) -> Self {
        Marks
    }

    fn read(&self, _: &Layout, _: Block, _: bool) {}

    fn write(&mut self, _: &Layout, _: Block, (): &()) {}

    fn check(&self, _: Option<&RealContent>, _: &Layout, _: PieceIndex) -> Option<bool> {
        None
    }

    fn is_true_copy(&self, _: Option<&RealContent>) -> bool {
        false
    }
}

/// Real bytes, in memory.
pub(crate) struct Bytes(Vec<u8>);

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bytes({})", self.0.len())
    }
}

fn range(layout: &Layout, block: Block) -> std::ops::Range<usize> {
    let start = layout.piece_offset(block.piece) as usize + block.begin as usize;
    start..start + block.len as usize
}

impl Store for Bytes {
    type Payload = Option<Arc<[u8]>>;

    fn new(content: Option<&RealContent>, layout: &Layout, have: &Bitfield) -> Self {
        let mut bytes = vec![0; layout.length() as usize];
        if let Some(content) = content {
            for piece in have.iter() {
                let start = layout.piece_offset(piece) as usize;
                let end = start + layout.piece_len(piece) as usize;
                bytes[start..end].copy_from_slice(&content.bytes[start..end]);
            }
        }
        Bytes(bytes)
    }

    fn read(&self, layout: &Layout, block: Block, corrupt: bool) -> Option<Arc<[u8]>> {
        let bytes = &self.0[range(layout, block)];
        Some(if corrupt { bytes.iter().map(|byte| !byte).collect() } else { bytes.into() })
    }

    fn write(&mut self, layout: &Layout, block: Block, payload: &Option<Arc<[u8]>>) {
        if let Some(bytes) = payload {
            self.0[range(layout, block)].copy_from_slice(bytes);
        }
    }

    fn check(&self, content: Option<&RealContent>, layout: &Layout, piece: PieceIndex) -> Option<bool> {
        let start = layout.piece_offset(piece) as usize;
        let bytes = &self.0[start..start + layout.piece_len(piece) as usize];
        Some(content.is_some_and(|content| sha1(bytes) == content.hashes[piece.0 as usize]))
    }

    fn is_true_copy(&self, content: Option<&RealContent>) -> bool {
        content.is_some_and(|content| self.0[..] == content.bytes[..])
    }
}
