//! What a trace records, as values.

use std::net::SocketAddr;

use swarmlab_protocol::{
    AnnounceEvent, Bitfield, ChokeReason, CloseReason, ConnId, Direction, Message, PeerId, PickReason,
    PieceIndex, Reserved, UnchokeReason,
};

use crate::encode::kind;

/// The number of a node, from 0 and below [`crate::MOST_NODES`].
pub type NodeId = u32;

/// A record and its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Microseconds since the start of the run.
    pub at: u64,
    /// What happened.
    pub record: Record,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // fields of the same name are explained once, in `docs/trace.md`
pub enum Record {
    /// A node came, or is seen for the first time.
    Join(Box<Join>),
    /// A node has gone.
    Leave { node: NodeId, why: Departure },
    /// A node connects to another.
    Dial { node: NodeId, remote: NodeId },
    /// The connection did not come to be.
    DialFailed { node: NodeId, remote: NodeId },
    /// A link has passed both handshakes.
    Opened(Box<Opened>),
    /// A link is no more.
    Closed { node: NodeId, conn: ConnId, reason: Closing },
    /// The engine handed a message over to be sent.
    Sent { node: NodeId, conn: ConnId, message: Message },
    /// A message reached the engine.
    Received { node: NodeId, conn: ConnId, message: Message },
    /// The remote was unchoked.
    Unchoked { node: NodeId, conn: ConnId, reason: UnchokeReason },
    /// The remote was choked.
    Choked { node: NodeId, conn: ConnId, reason: ChokeReason },
    /// A piece was begun; so many connected peers have it.
    Picked { node: NodeId, conn: ConnId, piece: PieceIndex, reason: PickReason, availability: u16 },
    /// The remote sends nothing that was asked of it.
    Snubbed { node: NodeId, conn: ConnId },
    /// The remote gave a bad piece.
    Banned { node: NodeId, conn: ConnId, piece: PieceIndex },
    /// The last blocks are asked of everyone.
    Endgame { node: NodeId },
    /// A piece was hashed.
    Verified { node: NodeId, piece: PieceIndex, ok: bool },
    /// Every piece is there.
    Completed { node: NodeId },
    /// A tracker is asked.
    Announce(Box<Announce>),
    /// What came of it.
    Reply(Box<Reply>),
    /// Something is made to go wrong.
    Fault(Box<Fault>),
    /// The swarm at one moment.
    Sample(Box<Sample>),
    /// So many records could not be kept.
    Lost(u64),
}

const _: () = assert!(size_of::<Record>() <= 32);

impl Record {
    /// The node whose record this is; of a fault, a sample and a loss it is nobody's.
    pub fn node(&self) -> Option<NodeId> {
        match self {
            Record::Join(join) => Some(join.node),
            Record::Opened(opened) => Some(opened.node),
            Record::Announce(announce) => Some(announce.node),
            Record::Reply(reply) => Some(reply.node),
            Record::Leave { node, .. }
            | Record::Dial { node, .. }
            | Record::DialFailed { node, .. }
            | Record::Closed { node, .. }
            | Record::Sent { node, .. }
            | Record::Received { node, .. }
            | Record::Unchoked { node, .. }
            | Record::Choked { node, .. }
            | Record::Picked { node, .. }
            | Record::Snubbed { node, .. }
            | Record::Banned { node, .. }
            | Record::Endgame { node }
            | Record::Verified { node, .. }
            | Record::Completed { node } => Some(*node),
            Record::Fault(_) | Record::Sample(_) | Record::Lost(_) => None,
        }
    }
}

impl Record {
    /// The number of its kind in the format.
    pub fn kind(&self) -> u8 {
        match self {
            Record::Join(_) => kind::JOIN,
            Record::Leave { .. } => kind::LEAVE,
            Record::Dial { .. } => kind::DIAL,
            Record::DialFailed { .. } => kind::DIAL_FAILED,
            Record::Opened(_) => kind::OPENED,
            Record::Closed { .. } => kind::CLOSED,
            Record::Sent { .. } => kind::SENT,
            Record::Received { .. } => kind::RECEIVED,
            Record::Unchoked { .. } => kind::UNCHOKED,
            Record::Choked { .. } => kind::CHOKED,
            Record::Picked { .. } => kind::PICKED,
            Record::Snubbed { .. } => kind::SNUBBED,
            Record::Banned { .. } => kind::BANNED,
            Record::Endgame { .. } => kind::ENDGAME,
            Record::Verified { .. } => kind::VERIFIED,
            Record::Completed { .. } => kind::COMPLETED,
            Record::Announce(_) => kind::ANNOUNCE,
            Record::Reply(_) => kind::REPLY,
            Record::Fault(_) => kind::FAULT,
            Record::Sample(_) => kind::SAMPLE,
            Record::Lost(_) => kind::LOST,
        }
    }
}

/// How much of a node is recorded. Each level has all that those before it have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Known only by what others saw of it.
    #[default]
    Seen,
    /// That it joins, completes and leaves.
    Life,
    /// Also its pieces.
    Pieces,
    /// Everything.
    Messages,
}

/// Which pieces a node has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Pieces {
    /// No piece, or none that is known.
    #[default]
    None,
    /// Every piece.
    All,
    /// These.
    Some(Bitfield),
}

impl Pieces {
    /// The set in its shortest form.
    pub fn of(have: &Bitfield) -> Self {
        match have {
            have if have.is_empty() => Pieces::None,
            have if have.is_full() => Pieces::All,
            have => Pieces::Some(have.clone()),
        }
    }

    /// How many pieces these are, of so many.
    pub fn count(&self, of: u32) -> u32 {
        match self {
            Pieces::None => 0,
            Pieces::All => of,
            Pieces::Some(have) => have.count(),
        }
    }
}

/// A node comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Join {
    /// Its number.
    pub node: NodeId,
    /// The number of its group in the header.
    pub group: u32,
    /// How much is recorded of it.
    pub level: Level,
    /// What it calls itself; zero if that is not known.
    pub peer_id: PeerId,
    /// The extensions it speaks; zero if that is not known.
    pub reserved: Reserved,
    /// Where it is reached.
    pub addr: SocketAddr,
    /// Its uplink in bytes per second; 0 where unlimited or unknown.
    pub up: u64,
    /// Its downlink in bytes per second; 0 where unlimited or unknown.
    pub down: u64,
    /// What it has.
    pub pieces: Pieces,
}

/// Why a node has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// It had got what it came for, or was told to go.
    Done,
    /// It crashed.
    Crashed,
    /// It went without everything.
    GaveUp,
    /// Nobody sees it any more.
    Lost,
}

/// A link opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// At whose end.
    pub node: NodeId,
    /// Its number there.
    pub conn: ConnId,
    /// Who is at the other end.
    pub remote: NodeId,
    /// Who opened it.
    pub direction: Direction,
    /// The remote's reserved bytes.
    pub reserved: Reserved,
}

/// Why a link is no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// The remote closed it, or it broke.
    Remote,
    /// The engine closed it.
    By(CloseReason),
    /// The node itself is gone.
    Gone,
}

/// A tracker is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announce {
    /// Who asks.
    pub node: NodeId,
    /// Whom: the number of the tracker at that node.
    pub tracker: u16,
    /// What has happened.
    pub event: AnnounceEvent,
    /// Content sent so far, in bytes.
    pub uploaded: u64,
    /// Content received so far, in bytes.
    pub downloaded: u64,
    /// Content lacking, in bytes.
    pub left: u64,
    /// The request as it goes over the wire, to the blank line; empty where it was not kept.
    pub bytes: Vec<u8>,
}

/// What came of asking a tracker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Who asked.
    pub node: NodeId,
    /// Whom: the number of the tracker at that node.
    pub tracker: u16,
    /// What came of it.
    pub outcome: Outcome,
    /// When the tracker wants to be asked again, in seconds.
    pub interval: u64,
    /// How many peers it named.
    pub peers: u64,
    /// The bencoded body; empty where it was not kept.
    pub bytes: Vec<u8>,
}

/// What came of asking a tracker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It answered.
    Answered,
    /// There was no answer that can be read.
    Unreachable,
    /// It refused.
    Refused,
}

/// Something is made to go wrong, or no longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What.
    pub kind: FaultKind,
    /// Whether it begins or ends.
    pub phase: Phase,
    /// Whom it concerns, if a group.
    pub group: Option<u32>,
    /// The same in words.
    pub text: String,
}

/// What can be made to go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // as in scenarios
pub enum FaultKind {
    TrackerDown,
    Partition,
    Reset,
    Crash,
    DiskSlow,
    DiskFull,
}

/// Whether a fault begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// From now on.
    Begins,
    /// Until now.
    Ends,
    /// At this moment only.
    AtOnce,
}

/// The swarm at one moment, all nodes counted, whatever their level.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// How many present nodes have the rarest piece.
    pub rarest: u64,
    /// Announces that the tracker has answered so far.
    pub announces: u64,
    /// Uplinks of the present nodes, in bytes per second.
    pub up: u64,
    /// Each group, in the order of the header.
    pub groups: Vec<GroupSample>,
}

/// A group at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GroupSample {
    /// Present nodes that lack something.
    pub leechers: u64,
    /// Present nodes that have everything.
    pub seeds: u64,
    /// Nodes that have completed so far.
    pub completed: u64,
    /// Content sent so far, in bytes.
    pub uploaded: u64,
    /// Content received so far, in bytes.
    pub downloaded: u64,
}
