//! One link: its flags, when it was heard of, how much may be asked of it and sent to it.
//!
//! A million simulated peers have tens of millions of links, of which a dozen of each are busy. So [`Conn`] is what every link needs,
//! and all that most have; what blocks and requests need besides is in `flows`, for the links where any pass. Who is at the
//! other end is in `remotes`.

use crate::flows::Flows;
use crate::pool::Pool;
use crate::time::{Coarse, Stamp};
use crate::{Block, Direction, Instant, PieceIndex};

/// A request we have made and that was not answered yet.
#[derive(Clone, Copy, Debug)]
#[repr(Rust, packed(2))] // leaves its place in a pool at 16 bytes
pub(crate) struct Asked {
    pub(crate) piece: PieceIndex,
    /// The block's number in its piece, and in the high bit [`Asked::OVERDUE`].
    number: u32,
    pub(crate) sent: Stamp,
    /// Where the piece is in the table of active pieces.
    pub(crate) slot: u16,
}

impl Asked {
    /// Unanswered for so long that others may be asked too. A piece has less than 2^31 blocks.
    const OVERDUE: u32 = 1 << 31;

    pub(crate) fn new(piece: PieceIndex, number: u32, slot: u16, sent: Stamp) -> Self {
        Asked { piece, number, sent, slot }
    }

    pub(crate) fn piece(self) -> PieceIndex {
        self.piece
    }

    pub(crate) fn number(self) -> u32 {
        self.number & !Self::OVERDUE
    }

    pub(crate) fn is_overdue(self) -> bool {
        self.number & Self::OVERDUE != 0
    }

    pub(crate) fn set_overdue(&mut self) {
        self.number |= Self::OVERDUE;
    }

    pub(crate) fn is_for(self, piece: PieceIndex, number: u32) -> bool {
        self.number() == number && { self.piece } == piece
    }
}

/// A property that a link has or has not. Its value is its bit in the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum Flag {
    /// The row is in use.
    Open = 1,
    /// The remote connected to us.
    Incoming = 1 << 1,
    /// Both ends speak the fast extension (BEP 6).
    Fast = 1 << 3,
    /// We do not answer the remote's requests.
    WeChoking = 1 << 4,
    /// We want something the remote has.
    WeInterested = 1 << 5,
    /// The remote does not answer our requests.
    RemoteChoking = 1 << 6,
    /// The remote wants something we have.
    RemoteInterested = 1 << 7,
    /// The remote has every piece; its row in the sets is not kept.
    RemoteSeed = 1 << 8,
    /// The remote owes us blocks and has sent none for too long.
    Snubbed = 1 << 9,
    /// A piece it had a part in was bad: it works on pieces alone until it is cleared or convicted.
    Suspect = 1 << 10,
    /// Content has passed, either way.
    Useful = 1 << 11,
    /// It serves some pieces even while it chokes us (BEP 6): they are in the side table.
    AllowsFast = 1 << 12,
    /// It refused a request although it does not choke us: it is not asked until it gives something, unchokes us anew, or a
    /// round has passed.
    Refusing = 1 << 13,
    /// It was asked for something since it was last seen to owe us nothing.
    Asked = 1 << 14,
}

/// One link to one remote peer. What every message needs lies first.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Conn {
    flags: u16,
    pub(crate) heard_at: Coarse,
    pub(crate) sent_at: Coarse,
    /// Where what passes is kept; [`Flows::NONE`] where nothing does.
    pub(crate) flow: u16,
    /// How many pieces the remote has.
    pub(crate) remote_count: u32,
    /// When we last unchoked it.
    pub(crate) unchoked_at: Stamp,
    /// How many requests to keep outstanding.
    pub(crate) pipeline: u16,
    /// How many blocks may still be handed to the driver.
    pub(crate) credit: u16,
    /// Not to be confused with another link of late: names who gave a block. Never 0.
    pub(crate) serial: u16,
    /// Since when it wants something of us, or nothing; since we have everything if that is later.
    pub(crate) interest_at: Coarse,
}

const _: () = assert!(size_of::<Conn>() == 24);
const _: () = assert!(Pool::<Asked>::ITEM_SIZE == 16);
const _: () = assert!(Pool::<Block>::ITEM_SIZE == 16);

impl Conn {
    /// The row of a slot that is free.
    pub(crate) const CLOSED: Conn = Conn {
        flags: 0,
        heard_at: Coarse::START,
        sent_at: Coarse::START,
        flow: Flows::NONE,
        remote_count: 0,
        unchoked_at: Stamp::START,
        pipeline: 0,
        credit: 0,
        serial: 0,
        interest_at: Coarse::START,
    };

    pub(crate) fn new(serial: u16, pipeline: u16, direction: Direction, fast: bool, now: Instant) -> Self {
        let coarse = Coarse::of(now);
        let mut conn = Conn {
            heard_at: coarse,
            sent_at: coarse,
            unchoked_at: Stamp::of(now),
            pipeline,
            serial,
            interest_at: coarse,
            ..Self::CLOSED
        };
        conn.set(Flag::Open, true);
        conn.set(Flag::Incoming, direction == Direction::Incoming);
        conn.set(Flag::Fast, fast);
        conn.set(Flag::WeChoking, true);
        conn.set(Flag::RemoteChoking, true);
        conn
    }

    #[inline]
    pub(crate) fn is(&self, flag: Flag) -> bool {
        self.flags & flag as u16 != 0
    }

    #[inline]
    pub(crate) fn set(&mut self, flag: Flag, on: bool) {
        self.flags = if on { self.flags | flag as u16 } else { self.flags & !(flag as u16) };
    }

    pub(crate) fn direction(&self) -> Direction {
        if self.is(Flag::Incoming) { Direction::Incoming } else { Direction::Outgoing }
    }

    /// It takes one of the upload slots: unchoked, and it wants something.
    pub(crate) fn is_served(&self) -> bool {
        self.flags & (Flag::WeChoking as u16 | Flag::RemoteInterested as u16) == Flag::RemoteInterested as u16
    }

    /// Whether it has something for us and would answer a request.
    #[inline]
    pub(crate) fn may_be_asked(&self) -> bool {
        self.is(Flag::WeInterested)
            && !self.is(Flag::Refusing)
            && (!self.is(Flag::RemoteChoking) || self.is(Flag::AllowsFast))
    }

    /// Whether it would answer another request and should be asked for more.
    #[inline]
    pub(crate) fn has_room(&self, flows: &Flows) -> bool {
        self.may_be_asked() && flows.get(self).asked.len() < self.most_asked()
    }

    /// How many requests may be outstanding now.
    #[inline]
    pub(crate) fn most_asked(&self) -> u16 {
        if self.is(Flag::Snubbed) { 1 } else { self.pipeline }
    }
}
