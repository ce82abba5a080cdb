//! The running hash of what a node has handled: our own, pinned, so that a digest means the same on every machine.
//!
//! It is no defence against anybody: it tells two runs apart. Each step multiplies and folds 128 bits, which spreads
//! every bit of the input.

use swarmlab_protocol::{Block, Message};

use crate::event::{Event, NodeId, What};

const KEY: u64 = 0x9e37_79b9_7f4a_7c15;

/// The running hash of one node.
#[derive(Debug)]
pub(crate) struct Hash(u64);

impl Hash {
    pub(crate) fn new(node: NodeId) -> Self {
        let mut hash = Hash(KEY);
        hash.add(u64::from(node), 0);
        hash
    }

    pub(crate) fn value(&self) -> u64 {
        self.0
    }

    fn add(&mut self, one: u64, other: u64) {
        let product = u128::from(self.0 ^ one) * u128::from(other.wrapping_add(KEY) | 1);
        self.0 = (product as u64) ^ (product >> 64) as u64 ^ one.rotate_left(29) ^ KEY;
    }

    /// A timer of the node's own.
    pub(crate) fn tick(&mut self, now: u64) {
        self.add(now, u64::MAX);
    }

    /// An event that came.
    pub(crate) fn event<P>(&mut self, event: &Event<P>) {
        let (kind, content) = content(&event.what);
        let acks = u64::from(event.acks.blocks) << 1 | u64::from(event.acks.congested);
        self.add(event.at, u64::from(event.from) << 24 | u64::from(kind) << 16 | u64::from(event.conn));
        self.add(content, acks);
    }
}

/// The kind of an event and its content in one number each.
fn content(what: &What) -> (u8, u64) {
    let block =
        |block: &Block| u64::from(block.piece.0) << 32 ^ u64::from(block.begin) << 12 ^ u64::from(block.len);
    match what {
        What::Message(message) => (
            message.kind() as u8,
            match message {
                Message::Have(piece) | Message::Suggest(piece) | Message::AllowedFast(piece) => {
                    u64::from(piece.0)
                }
                Message::Request(of) | Message::Piece(of) | Message::Cancel(of) | Message::Reject(of) => {
                    block(of)
                }
                Message::Bitfield(have) => have
                    .iter()
                    .fold(0, |sum: u64, piece| sum.wrapping_mul(KEY).wrapping_add(u64::from(piece.0) + 1)),
                Message::Port(port) => u64::from(*port),
                Message::Extended(extended) => extended.payload.len() as u64,
                _ => 0,
            },
        ),
        What::CorruptPiece(of) => (32, block(of)),
        What::Ack => (33, 0),
        What::Call { slot } => (34, u64::from(*slot)),
        What::Answer { slot } => (35, u64::from(*slot)),
        What::Refused => (36, 0),
        What::Handshake => (37, 0),
        What::Closed => (38, 0),
        What::Announce(announce) => (39, announce.left),
        What::Announced(announced) => (
            40,
            announced.outcome.as_ref().map_or(0, |reply| {
                reply.peers.iter().fold(0, |sum: u64, addr| {
                    sum.wrapping_mul(KEY)
                        .wrapping_add(crate::network::node_at(*addr).map_or(0, |node| u64::from(node) + 1))
                })
            }),
        ),
    }
}
