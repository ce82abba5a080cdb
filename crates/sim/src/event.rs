//! What passes between nodes, and the order in which a node handles it.
//!
//! Events of one node are ordered by time, then by source; of one source, in the order in which it sent them. Nothing in
//! this depends on who simulated the source, so the nodes of a run can be split over threads.

use swarmlab_protocol::{Announce, Announced, Message, PieceIndex};

/// A node by its number; the tracker has the number after the last.
pub(crate) type NodeId = u32;

/// Something that arrives at a node. When, is said by the bucket in which it lies, and by its offset there.
#[derive(Debug)]
pub(crate) struct Event<P> {
    /// Whom it reaches: the node's number until it is in a calendar, then that in its worker.
    pub(crate) to: NodeId,
    /// Who sent it.
    pub(crate) from: NodeId,
    /// The connection, by the receiver's slot.
    pub(crate) conn: u16,
    /// Microseconds since the start of its window.
    pub(crate) offset: u16,
    /// Blocks of this connection that have reached the sender of this event since its last acknowledgement.
    pub(crate) acks: Acks,
    /// What it is.
    pub(crate) what: What,
    /// The bytes of a block, where real bytes move.
    pub(crate) payload: P,
}

impl<P: Default> Event<P> {
    /// Something small, with no bytes of a block, that acknowledges nothing.
    pub(crate) fn new(from: NodeId, (to, conn): (NodeId, u16), what: What) -> Self {
        Event { to, from, conn, offset: 0, acks: Acks::default(), what, payload: P::default() }
    }
}

impl<P> Event<P> {
    /// Whether it mostly calls for nothing.
    #[inline]
    pub(crate) fn is_news(&self) -> bool {
        // What is acknowledged makes room for another block.
        self.acks.blocks == 0 && matches!(self.what, What::Message(Message::Have(_)))
    }

    /// The piece it concerns.
    #[inline]
    pub(crate) fn piece(&self) -> Option<PieceIndex> {
        match &self.what {
            What::Message(Message::Have(piece)) => Some(*piece),
            What::Message(Message::Request(block) | Message::Piece(block)) => Some(block.piece),
            _ => None,
        }
    }
}

/// Acknowledgement of blocks, with the mark that the receiver's queue had overflowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Acks {
    pub(crate) blocks: u8,
    pub(crate) congested: bool,
}

/// What arrives.
#[derive(Debug)]
pub(crate) enum What {
    /// A peer message on an open connection.
    Message(Message),
    /// A block whose content is wrong.
    CorruptPiece(swarmlab_protocol::Block),
    /// An acknowledgement that found no message to ride on.
    Ack,
    /// A request to connect (SYN), with the caller's slot.
    Call { slot: u16 },
    /// The answer to a call (SYN ACK), with the answering side's slot.
    Answer { slot: u16 },
    /// The call is refused, or nobody was there to answer it.
    Refused,
    /// The 68 bytes of a handshake.
    Handshake,
    /// The connection is closed.
    Closed,
    /// To the tracker: an announce.
    Announce(Box<Announce>),
    /// From the tracker: what came of one.
    Announced(Box<Answer>),
}

/// What comes of an announce.
#[derive(Debug)]
pub(crate) struct Answer {
    /// As the engine hears of it.
    pub(crate) announced: Announced,
    /// The bytes of the reply, where the announce is recorded.
    pub(crate) bytes: Vec<u8>,
}

const _: () = assert!(size_of::<What>() == 16);
const _: () = assert!(size_of::<Event<()>>() == 32);
