//! The boundary between the engine and whoever drives it: everything that goes in and everything that comes out.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::net::SocketAddr;
use core::time::Duration;

use swarmlab_metainfo::{Block, PieceIndex};

use crate::{Message, PeerId, Reserved};

/// One link to one remote peer: a dense slot number chosen by the driver, used again after the link is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u16);

impl fmt::Display for ConnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// A tracker of the torrent: its number when the tiers are read in order, before any shuffle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrackerId(pub u16);

/// Who opened a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The remote connected to us.
    Incoming,
    /// We connected to the remote.
    Outgoing,
}

/// A link on which both handshakes have passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The remote's address: for an outgoing link the one connected to, for an incoming one the one seen.
    pub addr: SocketAddr,
    /// Who opened the link.
    pub direction: Direction,
    /// The remote's peer id.
    pub peer_id: PeerId,
    /// The remote's reserved bits: the extensions it speaks.
    pub reserved: Reserved,
}

/// Where a list of peer addresses came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PeerSource {
    /// Named by the user.
    User,
    /// From a tracker.
    Tracker,
}

/// What an announce tells the tracker about the state of the download (BEP 3, `event`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum AnnounceEvent {
    /// Nothing new: done at regular intervals.
    #[default]
    None,
    /// The first announce.
    Started,
    /// The download has completed; never sent by one that began complete.
    Completed,
    /// The last announce.
    Stopped,
}

impl AnnounceEvent {
    /// The value of the `event` key; `None` where the key is left out.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            AnnounceEvent::None => None,
            AnnounceEvent::Started => Some("started"),
            AnnounceEvent::Completed => Some("completed"),
            AnnounceEvent::Stopped => Some("stopped"),
        }
    }
}

/// An announce the driver is to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announce {
    /// The tracker to ask.
    pub tracker: TrackerId,
    /// What has happened.
    pub event: AnnounceEvent,
    /// Bytes of content sent since the start.
    pub uploaded: u64,
    /// Bytes of content received since the start.
    pub downloaded: u64,
    /// Bytes of content still lacking.
    pub left: u64,
    /// How many peers are wanted.
    pub numwant: u16,
}

/// What came of an announce.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announced {
    /// The tracker that was asked.
    pub tracker: TrackerId,
    /// The event that was announced.
    pub event: AnnounceEvent,
    /// Its answer.
    pub outcome: Result<AnnounceReply, AnnounceFailure>,
}

/// A tracker's answer, as far as the engine cares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnnounceReply {
    /// When the tracker wants to hear from us again.
    pub interval: Duration,
    /// The soonest it wants to hear from us again (`min interval`).
    pub min_interval: Option<Duration>,
    /// Peers of the swarm.
    pub peers: Vec<SocketAddr>,
}

/// Why an announce gave no answer. The driver keeps the words for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AnnounceFailure {
    /// No answer, or none that can be read.
    Unreachable,
    /// The tracker answered with a `failure reason`.
    Refused,
}

/// What the driver tells the engine.
#[derive(Clone, Debug)]
pub enum Input {
    /// A link has passed both handshakes and takes this slot.
    Opened {
        /// The slot, free until now.
        conn: ConnId,
        /// Who is at the other end.
        peer: Box<Opened>,
    },
    /// The remote closed the link or it broke. Not sent after an [`Output::Close`].
    Closed {
        /// The slot, free from now on.
        conn: ConnId,
    },
    /// A link asked for by [`Output::Connect`] did not come to be.
    ConnectFailed {
        /// The address that was tried.
        addr: Box<SocketAddr>,
    },
    /// A message has arrived. The payload of a `Piece` stays with the driver until the call returns.
    Message {
        /// The link.
        conn: ConnId,
        /// The message.
        message: Message,
    },
    /// The link can take this many more `Piece` messages than it was told so far. The first grant of a link comes
    /// after its `Opened`; each `Piece` that has left the send queue is granted again.
    Writable {
        /// The link.
        conn: ConnId,
        /// How many blocks more.
        blocks: u16,
    },
    /// The answer to [`Output::Verify`].
    Verified {
        /// The piece.
        piece: PieceIndex,
        /// Whether its hash is the one in the torrent.
        ok: bool,
    },
    /// The answer to [`Output::Announce`].
    Announced(Box<Announced>),
    /// Addresses of peers from elsewhere than an announce.
    Peers {
        /// Where they came from.
        source: PeerSource,
        /// The addresses.
        list: Box<[SocketAddr]>,
    },
    /// A block of this piece could not be stored: the piece is fetched anew after a pause.
    DiskFailed {
        /// The piece.
        piece: PieceIndex,
    },
    /// A block asked for by [`Output::Send`] of a `Piece` could not be read. The piece counts as lost.
    ReadFailed {
        /// The link that was to get it.
        conn: ConnId,
        /// The block.
        block: Block,
    },
    /// The disk cannot keep up (true: request nothing new) or has caught up (false).
    Congested {
        /// Whether the disk is behind.
        disk: bool,
    },
    /// Leave the swarm: announce `stopped`, close every link, then [`Output::Stopped`].
    Stop,
    /// The time of [`crate::Torrent::deadline`] has come.
    Deadline,
}

/// What the engine asks the driver to do, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Connect and shake hands: answered by [`Input::Opened`] or [`Input::ConnectFailed`].
    Connect {
        /// Where to.
        addr: Box<SocketAddr>,
    },
    /// Close the link; its slot is free at once and nothing more of it may be handed in.
    Close {
        /// The link.
        conn: ConnId,
        /// Why.
        reason: CloseReason,
    },
    /// Send a message; for a `Piece`, read the block and append it.
    Send {
        /// The link.
        conn: ConnId,
        /// The message.
        message: Message,
    },
    /// Keep the payload of the message just handed in as this block's bytes.
    Store {
        /// Who sent it.
        conn: ConnId,
        /// The block.
        block: Block,
    },
    /// All blocks of the piece are stored: hash it, answered by [`Input::Verified`].
    Verify {
        /// The piece.
        piece: PieceIndex,
    },
    /// Ask a tracker, answered by [`Input::Announced`].
    Announce(Box<Announce>),
    /// Every piece is here and checked.
    Completed,
    /// The torrent has left the swarm; nothing more will come out.
    Stopped,
    /// A decision and its reason, only when `Config::notes` is set.
    Note(Note),
}

/// Why the engine closed a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CloseReason {
    /// The remote broke the protocol.
    Misbehaved(Misbehaviour),
    /// The remote alone gave a piece that did not verify.
    Banned,
    /// A second link to the same peer, or one to ourselves.
    Duplicate,
    /// Every connection slot is taken.
    Full,
    /// Nothing was heard for too long.
    Idle,
    /// Both ends have everything.
    BothSeeds,
    /// We have everything and the remote has wanted nothing for long.
    Useless,
    /// The remote cannot be served: the disk failed.
    Disk,
    /// The torrent is leaving the swarm.
    Stopping,
}

/// How a remote broke the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Misbehaviour {
    /// A piece index the torrent does not have.
    PieceOutOfRange,
    /// A bitfield (or have none) that takes back a piece the remote had said it has.
    ShrunkenBitfield,
    /// A bitfield of the wrong length or with spare bits set.
    MalformedBitfield,
    /// A request outside a piece, or longer than 128 KiB.
    BadRequest,
    /// A message of an extension that was not agreed on.
    UnagreedExtension,
    /// Blocks nobody asked for, again and again.
    UnrequestedData,
    /// Far more requests queued than any client needs.
    Flood,
}

/// Decisions of the engine with their reasons; written only on request, changing nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// The remote was unchoked.
    Unchoked {
        /// The link.
        conn: ConnId,
        /// Why.
        reason: UnchokeReason,
    },
    /// The remote was choked.
    Choked {
        /// The link.
        conn: ConnId,
        /// Why.
        reason: ChokeReason,
    },
    /// A piece was begun.
    Picked {
        /// Who is asked for its first block.
        conn: ConnId,
        /// The piece.
        piece: PieceIndex,
        /// Why this one.
        reason: PickReason,
        /// How many connected peers have it.
        availability: u16,
    },
    /// The remote has sent nothing that was asked of it for too long.
    Snubbed {
        /// The link.
        conn: ConnId,
    },
    /// The remote gave bad data and will not be spoken to again.
    Banned {
        /// The link.
        conn: ConnId,
        /// The piece.
        piece: PieceIndex,
    },
    /// The last blocks are requested from everyone who has them.
    Endgame,
}

/// Why a remote was unchoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnchokeReason {
    /// Among those that send us most (or, as a seed, by the seed's rule).
    Regular,
    /// The optimistic unchoke: a chance for someone new.
    Optimistic,
    /// Faster than the slowest regular one but not interested: it costs nothing until it is.
    FastUninterested,
}

/// Why a remote was choked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChokeReason {
    /// Others rank before it.
    Outranked,
    /// It has snubbed us.
    Snubbed,
    /// It no longer wants anything.
    NotInterested,
}

/// Why a piece was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PickReason {
    /// One of the first pieces, chosen at random to have something to trade soon.
    RandomFirst,
    /// The fewest connected peers have it.
    RarestFirst,
    /// Chosen at random by configuration.
    Random,
    /// In order by configuration.
    Sequential,
    /// It is the first or the last of the content.
    Edge,
}

const _: () = assert!(size_of::<Input>() == 24);
const _: () = assert!(size_of::<Output>() == 24);
