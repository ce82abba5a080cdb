//! The running hash of what a node has handled: our own, pinned, so that a digest means the same on every machine.
//!
//! It is no defence against anybody: it tells two runs apart. Each step multiplies and folds 128 bits, which spreads
//! every bit of the input.

use swarmlab_protocol::{Block, Message, MessageKind};

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

    #[inline]
    fn add(&mut self, one: u64, other: u64) {
        let product = u128::from(self.0 ^ one) * u128::from(other ^ KEY);
        self.0 = (product as u64) ^ (product >> 64) as u64 ^ other;
    }

    /// A timer of the node's own.
    #[inline]
    pub(crate) fn tick(&mut self, now: u64) {
        self.add(now, 0);
    }

    /// An event that came at a time.
    #[inline]
    pub(crate) fn event<P>(&mut self, at: u64, event: &Event<P>) {
        let (kind, content) = content(&event.what);
        // In the order in which they lie, so that it takes one look at the memory.
        let acks = u64::from(event.acks.blocks) | u64::from(event.acks.congested) << 8;
        let head = u64::from(event.from) | acks << 32 | u64::from(event.conn) << 48;
        self.add(head, (at << 8 | u64::from(kind)) ^ content.rotate_left(24));
    }
}

/// The kind of an event and its content in one number each.
#[inline]
fn content(what: &What) -> (u8, u64) {
    match what {
        What::Message(Message::Have(piece)) => (MessageKind::Have as u8, u64::from(piece.0)),
        What::Message(Message::Request(block)) => (MessageKind::Request as u8, of_block(block)),
        What::Message(Message::Piece(block)) => (MessageKind::Piece as u8, of_block(block)),
        what => seldom_content(what),
    }
}

#[inline]
fn of_block(block: &Block) -> u64 {
    u64::from(block.piece.0) << 32 ^ u64::from(block.begin) << 12 ^ u64::from(block.len)
}

/// The same of what is less usual.
#[inline(never)]
fn seldom_content(what: &What) -> (u8, u64) {
    match what {
        What::Message(message) => (
            message.kind() as u8,
            match message {
                Message::Have(piece) | Message::Suggest(piece) | Message::AllowedFast(piece) => {
                    u64::from(piece.0)
                }
                Message::Request(of) | Message::Piece(of) | Message::Cancel(of) | Message::Reject(of) => {
                    of_block(of)
                }
                Message::Bitfield(have) => have.iter().fold(0, |sum, piece| spread(sum, u64::from(piece.0))),
                Message::Port(port) => u64::from(*port),
                Message::Extended(extended) => extended.payload.len() as u64,
                _ => 0,
            },
        ),
        What::CorruptPiece(of) => (32, of_block(of)),
        What::Ack => (33, 0),
        What::Call { slot } => (34, u64::from(*slot)),
        What::Answer { slot } => (35, u64::from(*slot)),
        What::Refused => (36, 0),
        What::Handshake => (37, 0),
        What::Closed => (38, 0),
        What::Announce(announce) => (39, announce.left),
        What::Announced(answer) => (
            40,
            answer.announced.outcome.as_ref().map_or(0, |reply| {
                reply.peers.iter().fold(0, |sum, addr| {
                    spread(sum, crate::network::node_at(*addr).map_or(0, |node| u64::from(node) + 1))
                })
            }),
        ),
    }
}

fn spread(sum: u64, more: u64) -> u64 {
    sum.wrapping_mul(KEY).wrapping_add(more + 1)
}
