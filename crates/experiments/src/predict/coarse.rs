//! Coarser blocks: the same swarm with fewer, larger units of transfer, so that 20 GB to 500 nodes are simulated in seconds.
//!
//! A factor `c` stands for blocks of `c` times 16 KiB. Up to 128 KiB, the longest an engine answers, blocks are that long. Beyond,
//! content, pieces and rates are all divided by the same number, so that a block takes the time of one that is longer
//! still. Latencies, choke rounds and all other times stay. What is counted in blocks (pipelines, queues of
//! requests) is divided by `c`, and rates are raised or lowered by what the headers of finer blocks cost more. Where there are
//! thousands of pieces at many nodes, telling of them is most of the work: several pieces are made one, down to a thousand.
//!
//! The window of a connection stays what it is in bytes (`crates/sim/src/window.rs`).
//!
//! What changes nevertheless: blocks of several remotes come at once that would have come in turns; a node has a block for
//! others later; small messages weigh more where content is divided. What that costs is measured: [`super::reduced`].

use std::sync::Arc;

use swarmlab_metainfo::Layout;
use swarmlab_protocol::wire::MAX_BLOCK_LEN;
use swarmlab_sim::{FaultKind, Framing, Model, Role};

/// Most blocks that all nodes together receive in one run: about three seconds of a core.
const MOST_BLOCKS: u128 = 5_000_000;
/// A piece has at least so many blocks, or as many as it has: a node fetches a piece from several others.
const LEAST_IN_PIECE: u64 = 4;

/// Most times that nodes are told of a piece in one run: about as much work.
const MOST_HAVES: u128 = 30_000_000;
/// More pieces than this may be merged.
const ENOUGH_PIECES: u32 = 1_000;

/// How much coarser blocks are than on real sockets, and pieces than in the content: powers of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coarsening {
    factor: u64,
    merged: u32,
}

impl Coarsening {
    /// Blocks and pieces as they are.
    pub const NONE: Coarsening = Coarsening { factor: 1, merged: 1 };

    /// What makes a run of this model short enough. It depends on the model alone, not on the machine.
    pub fn of(model: &Model) -> Coarsening {
        let layout = model.content.layout;
        let nodes: u64 = model.groups.iter().map(|group| u64::from(group.count)).sum();
        let lacking = || model.groups.iter().filter(|group| group.role != Role::Seed);
        let haves: u128 = lacking()
            .map(|group| {
                let told = u64::from(group.client.config.max_connections).min(nodes);
                u128::from(group.count) * u128::from(told) * u128::from(layout.piece_count())
            })
            .sum();
        let mut merged = 1;
        while haves > MOST_HAVES * u128::from(merged) && layout.piece_count() / (2 * merged) >= ENOUGH_PIECES
        {
            merged *= 2;
        }
        let piece = u64::from(layout.piece_length()) * u64::from(merged);
        let bytes =
            lacking().map(|group| u128::from(group.count)).sum::<u128>() * u128::from(layout.length());
        let mut factor = 1;
        while bytes > MOST_BLOCKS * u128::from(factor * u64::from(Layout::BLOCK_LEN))
            && 2 * factor * LEAST_IN_PIECE * u64::from(Layout::BLOCK_LEN) <= piece
        {
            factor *= 2;
        }
        Coarsening { factor, merged }
    }

    /// Blocks of at least this many bytes, rounded up to a power of two times 16 KiB, but not longer than a piece.
    pub fn to_block(bytes: u64, model: &Model) -> Coarsening {
        let wanted = bytes.div_ceil(u64::from(Layout::BLOCK_LEN)).max(1).next_power_of_two();
        let most = u64::from(model.content.layout.piece_length()) / u64::from(Layout::BLOCK_LEN);
        Coarsening { factor: wanted.min(most.max(1)), merged: 1 }
    }

    /// Whether blocks and pieces are as they are in reality.
    pub fn is_none(self) -> bool {
        self == Coarsening::NONE
    }

    /// How many times longer blocks are.
    pub fn factor(self) -> u64 {
        self.factor
    }

    /// How many pieces are made one.
    pub fn merged(self) -> u32 {
        self.merged
    }

    /// The length that blocks stand for, in bytes.
    pub fn block(self) -> u64 {
        self.factor * u64::from(Layout::BLOCK_LEN)
    }

    /// By what content and rates are divided. Bytes of an outcome are to be multiplied by it.
    pub fn divisor(self) -> u64 {
        (self.block() / u64::from(MAX_BLOCK_LEN)).max(1)
    }

    /// The coarse form of a model.
    ///
    /// # Panics
    /// When a piece is shorter than a block; [`Coarsening::of`] and [`Coarsening::to_block`] take care of that.
    pub fn apply(self, fine: &Model) -> Model {
        if self.is_none() {
            return fine.clone();
        }
        let (divisor, block) = (self.divisor(), self.block() / self.divisor());
        let layout = fine.content.layout;
        let mut model = fine.clone();
        model.content.layout = Layout::new(
            (layout.length() / divisor).max(1),
            u64::from(layout.piece_length()) * u64::from(self.merged) / divisor,
            block as u32,
        )
        .expect("a piece is no shorter than a block");
        let framing = fine.network.framing;
        let rate = |rate: u64| {
            let coarse = u128::from(cost(framing, block)) * u128::from(Layout::BLOCK_LEN);
            let fine = u128::from(cost(framing, Layout::BLOCK_LEN.into())) * u128::from(block * divisor);
            ((u128::from(rate) * coarse / fine) as u64).max(1)
        };
        for group in &mut model.groups {
            (group.up, group.down) = (rate(group.up), rate(group.down));
            let mut config = (*group.client.config).clone();
            let blocks = |blocks: u16| (u64::from(blocks).div_ceil(self.factor) as u16).max(2);
            config.pipeline.min = blocks(config.pipeline.min);
            config.pipeline.max = blocks(config.pipeline.max);
            config.max_queued_requests = blocks(config.max_queued_requests);
            config.upload_capacity = (u64::from(config.upload_capacity) / divisor) as u32;
            group.client.config = Arc::new(config);
            group.client.send_buffer = (group.client.send_buffer / divisor as u32).max(block as u32);
        }
        model.network.window = fine.network.window / divisor as u32;
        for fault in &mut model.faults {
            if let FaultKind::DiskSlow(_, bytes) = &mut fault.kind {
                *bytes = bytes.div_ceil(divisor);
            }
        }
        model
    }
}

/// Bytes that a block of this length costs on links with all that belongs to it: its header of 13 bytes (BEP 3), the request of 17, and
/// with Ethernet 66 bytes for each segment of 1,448, each acknowledgement of two of them and the request.
fn cost(framing: Framing, block: u64) -> u64 {
    let bytes = block + 13;
    let segments = match framing {
        Framing::None => 0,
        Framing::Ethernet => bytes.div_ceil(1_448) + bytes.div_ceil(2 * 1_448) + 1,
    };
    bytes + 17 + 66 * segments
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predict::tests::model;

    #[test]
    fn small_swarms_keep_their_blocks() {
        let small = model("64 MiB", 30);
        assert!(Coarsening::of(&small).is_none());
        assert_eq!(Coarsening::NONE.apply(&small).content.layout, small.content.layout);
    }

    #[test]
    fn large_swarms_have_few_blocks_and_no_more_pieces_than_needed() {
        for (size, nodes, block, merged) in
            [("20 GB", 500, 2 << 20, 1), ("130 GB", 200, 8 << 20, 4), ("1 GiB", 100_000, 256 << 10, 1)]
        {
            let fine = model(size, nodes);
            let coarsening = Coarsening::of(&fine);
            assert_eq!((coarsening.block(), coarsening.merged()), (block, merged), "{size} to {nodes}");
            let coarse = coarsening.apply(&fine);
            let (old, new) = (fine.content.layout, coarse.content.layout);
            assert_eq!(new.piece_count(), old.piece_count().div_ceil(merged));
            assert!(new.block_len() <= MAX_BLOCK_LEN, "an engine answers no longer request");
            assert_eq!(new.length() * coarsening.divisor() / 1_000, old.length() / 1_000, "about");
        }
    }

    #[test]
    fn a_block_takes_as_long_as_the_blocks_it_stands_for() {
        let fine = model("20 GB", 500);
        let coarsening = Coarsening::to_block(1 << 20, &fine);
        let coarse = coarsening.apply(&fine);
        let time = |model: &Model, blocks: u64| {
            let block = u64::from(model.content.layout.block_len());
            blocks * cost(model.network.framing, block) * 1_000_000 / (model.groups[1].up / 1_000)
        };
        let (old, new) = (time(&fine, 64), time(&coarse, 1));
        assert!(old.abs_diff(new) < old / 10_000, "{old} and {new}");
        assert_eq!(coarse.groups[1].client.config.pipeline.max, 8, "500 blocks of 16 KiB");
    }
}
