//! One row per link: the flags of both sides, what is outstanding each way, and how fast each way has been.
//!
//! A million simulated peers have tens of millions of these, so a row is 56 bytes and owns no memory: queues are in pools
//! (`pool`), what few links need is in side tables (`flows` and some here), and of a peer id only a hash is kept.

use alloc::vec::Vec;
use core::net::{Ipv4Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use core::time::Duration;

use crate::flows::Flows;
use crate::pool::{Pool, Queue};
use crate::seldom::Seldom;
use crate::torrent::place;
use crate::{Block, ConnId, Direction, Instant, Opened, PeerId, PieceIndex, Random};

/// A moment in milliseconds since the driver's start, wrapping after 49 days: half the size of an [`Instant`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stamp(u32);

impl Stamp {
    #[inline]
    pub(crate) fn of(now: Instant) -> Self {
        Stamp((now.as_micros() / 1_000) as u32)
    }

    /// Milliseconds from `earlier` to `self`.
    pub(crate) fn since(self, earlier: Stamp) -> u32 {
        self.0.wrapping_sub(earlier.0)
    }
}

/// A moment in quarters of a second (2^18 microseconds), wrapping after 4.7 hours: for what is counted in minutes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Coarse(u16);

impl Coarse {
    /// What it cannot tell apart.
    pub(crate) const STEP: Duration = Duration::from_micros(1 << 18);

    #[inline]
    pub(crate) fn of(now: Instant) -> Self {
        Coarse((now.as_micros() >> 18) as u16)
    }

    /// How many of its steps a span takes, 4.7 hours at most.
    pub(crate) fn steps(span: Duration) -> u16 {
        (span.as_micros() >> 18).min(u128::from(u16::MAX)) as u16
    }

    /// Whether this moment lies at least so many [steps](Self::steps) back. It may seem to up to half a second early.
    pub(crate) fn is_past(self, now: Instant, steps: u16) -> bool {
        Coarse::of(now).0.wrapping_sub(self.0) >= steps
    }
}

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
    /// Its address is one of IPv6, in the side table.
    V6 = 1 << 2,
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
}

/// One link to one remote peer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Conn {
    flags: u16,
    /// Not to be confused with another link of late: names who gave a block. Never 0.
    pub(crate) serial: u16,
    /// How many pieces the remote has.
    pub(crate) remote_count: u32,
    pub(crate) heard_at: Coarse,
    pub(crate) sent_at: Coarse,
    /// Requests made of the remote.
    pub(crate) asked: Queue,
    /// Blocks the remote has asked for.
    pub(crate) queued: Queue,
    /// How many requests to keep outstanding.
    pub(crate) pipeline: u16,
    /// The active piece it is working on, a guess.
    pub(crate) working: u16,
    /// How many blocks may still be handed to the driver.
    pub(crate) credit: u16,
    /// Requests withdrawn whose blocks may still arrive.
    pub(crate) excused: u16,
    /// Blocks that nobody asked for.
    pub(crate) strikes: u8,
    addr: SocketAddrV4,
    pub(crate) peer: PeerHash,
    /// When it last gave a block, or when it began to owe us one.
    pub(crate) block_at: Coarse,
    /// Since when it wants something of us, or nothing; since we have everything if that is later.
    pub(crate) interest_at: Coarse,
    /// When we last unchoked it.
    pub(crate) unchoked_at: Stamp,
    /// Where what has passed of late is kept.
    pub(crate) flow: u16,
}

const _: () = assert!(size_of::<Conn>() == 56);
const _: () = assert!(Pool::<Asked>::ITEM_SIZE == 16);
const _: () = assert!(Pool::<Block>::ITEM_SIZE == 16);

/// Stands for a peer id where only sameness counts. One that takes somebody else's hash could as well take the peer id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PeerHash([u32; 2]);

impl PeerHash {
    pub(crate) fn of(peer_id: PeerId) -> Self {
        let hash = peer_id.0.chunks(8).fold(0, |hash, bytes| {
            let mut padded = [0; 8];
            padded[..bytes.len()].copy_from_slice(bytes);
            Random::stream(hash, u64::from_le_bytes(padded)).bits()
        });
        PeerHash([hash as u32, (hash >> 32) as u32])
    }
}

impl Conn {
    pub(crate) fn new(peer: &Opened, serial: u16, fast: bool, pipeline: u16, now: Instant) -> Self {
        let coarse = Coarse::of(now);
        let addr = match peer.addr {
            SocketAddr::V4(addr) => addr,
            SocketAddr::V6(_) => SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0),
        };
        let mut conn = Conn {
            flags: 0,
            serial,
            remote_count: 0,
            heard_at: coarse,
            sent_at: coarse,
            asked: Queue::EMPTY,
            queued: Queue::EMPTY,
            pipeline,
            working: u16::MAX,
            credit: 0,
            excused: 0,
            strikes: 0,
            addr,
            peer: PeerHash::of(peer.peer_id),
            block_at: coarse,
            interest_at: coarse,
            unchoked_at: Stamp::of(now),
            flow: Flows::NONE,
        };
        conn.set(Flag::Open, true);
        conn.set(Flag::Incoming, peer.direction == Direction::Incoming);
        conn.set(Flag::V6, peer.addr.is_ipv6());
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
    pub(crate) fn has_room(&self) -> bool {
        self.may_be_asked() && self.asked.len() < self.most_asked()
    }

    /// How many requests may be outstanding now.
    #[inline]
    pub(crate) fn most_asked(&self) -> u16 {
        if self.is(Flag::Snubbed) { 1 } else { self.pipeline }
    }
}

/// What an observer may see of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnView {
    /// The remote's address.
    pub addr: SocketAddr,
    /// Who opened the link.
    pub direction: Direction,
    /// We do not answer the remote's requests.
    pub we_choking: bool,
    /// We want something the remote has.
    pub we_interested: bool,
    /// The remote does not answer our requests.
    pub remote_choking: bool,
    /// The remote wants something we have.
    pub remote_interested: bool,
    /// The remote owes us blocks and has sent none for too long.
    pub snubbed: bool,
    /// How many pieces the remote has.
    pub remote_count: u32,
    /// Our requests that are not answered yet.
    pub outstanding: u32,
    /// The remote's requests that are not answered yet.
    pub queued: u32,
    /// Content received in this choke round and the one before, in bytes.
    pub received_window: u32,
    /// Content sent in this choke round and the one before, in bytes.
    pub sent_window: u32,
}

/// The open links, by slot.
#[derive(Debug, Default)]
pub(crate) struct Conns {
    rows: Vec<Conn>,
    open: u16,
    /// Addresses of IPv6.
    v6: Seldom<(ConnId, SocketAddrV6)>,
    /// Pieces that remotes serve even while they choke us (BEP 6), in the order in which they were offered.
    allowed_fast: Seldom<(ConnId, PieceIndex)>,
    /// Requests dropped because too many were queued and the remote could not be told.
    overflow: Seldom<(ConnId, u16)>,
}

impl Conns {
    /// Where a row lies, for [`crate::Torrent::link_places`].
    pub(crate) fn place(&self, conn: ConnId) -> *const u8 {
        place(&self.rows, usize::from(conn.0))
    }

    /// Puts a link in its slot; false if the slot is taken.
    pub(crate) fn insert(&mut self, id: ConnId, conn: Conn, addr: SocketAddr) -> bool {
        let at = usize::from(id.0);
        if self.rows.len() <= at {
            let closed = Conn { flags: 0, ..conn };
            grow(&mut self.rows, at + 1, closed);
        }
        let free = !self.rows[at].is(Flag::Open);
        if free {
            self.rows[at] = conn;
            self.open += 1;
            if let SocketAddr::V6(addr) = addr {
                self.v6.push((id, addr));
            }
        }
        free
    }

    /// Takes a link out, with its address.
    pub(crate) fn remove(&mut self, id: ConnId) -> Option<(Conn, SocketAddr)> {
        let conn = *self.get(id)?;
        let addr = self.addr_of(id, &conn);
        self.rows[usize::from(id.0)].set(Flag::Open, false);
        self.open -= 1;
        self.v6.retain(|(other, _)| *other != id);
        self.allowed_fast.retain(|(other, _)| *other != id);
        self.overflow.retain(|(other, _)| *other != id);
        Some((conn, addr))
    }

    #[inline]
    pub(crate) fn get(&self, id: ConnId) -> Option<&Conn> {
        self.rows.get(usize::from(id.0)).filter(|conn| conn.is(Flag::Open))
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, id: ConnId) -> Option<&mut Conn> {
        self.rows.get_mut(usize::from(id.0)).filter(|conn| conn.is(Flag::Open))
    }

    /// Gives back the room that was kept for more links.
    pub(crate) fn shrink(&mut self) {
        self.rows.shrink_to_fit();
    }

    /// How many are open.
    pub(crate) fn len(&self) -> u16 {
        self.open
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (ConnId, &Conn)> {
        let rows = self.rows.iter().enumerate().filter(|(_, conn)| conn.is(Flag::Open));
        rows.map(|(at, conn)| (ConnId(at as u16), conn))
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (ConnId, &mut Conn)> {
        let rows = self.rows.iter_mut().enumerate().filter(|(_, conn)| conn.is(Flag::Open));
        rows.map(|(at, conn)| (ConnId(at as u16), conn))
    }

    /// One past the highest slot in use: for walks that must look a link up anew at each step.
    pub(crate) fn slots(&self) -> impl Iterator<Item = ConnId> + use<> {
        (0..self.rows.len()).map(|at| ConnId(at as u16))
    }

    /// The first link from this slot on that [has room](Conn::has_room): for walks in which links are asked for more.
    pub(crate) fn next_with_room(&self, from: usize) -> Option<ConnId> {
        let rows = self.rows.get(from..)?;
        let at = rows.iter().position(|conn| conn.is(Flag::Open) && conn.has_room())?;
        Some(ConnId((from + at) as u16))
    }

    /// The address of a link, given with its row.
    pub(crate) fn addr_of(&self, id: ConnId, conn: &Conn) -> SocketAddr {
        let v6 = self.v6.iter().find(|(other, _)| *other == id).filter(|_| conn.is(Flag::V6));
        v6.map_or(SocketAddr::V4(conn.addr), |&(_, addr)| SocketAddr::V6(addr))
    }

    /// The pieces a link serves even while it chokes us.
    pub(crate) fn allowed_fast(&self, id: ConnId) -> impl Iterator<Item = PieceIndex> + Clone {
        self.allowed_fast.iter().filter(move |(other, _)| *other == id).map(|&(_, piece)| piece)
    }

    /// Notes a piece that a link serves even while it chokes us, unless it has offered `most` already.
    pub(crate) fn allow_fast(&mut self, id: ConnId, piece: PieceIndex, most: usize) {
        let known = self.allowed_fast(id).any(|other| other == piece);
        if !known && self.allowed_fast(id).count() < most {
            self.allowed_fast.push((id, piece));
            self.rows[usize::from(id.0)].set(Flag::AllowsFast, true);
        }
    }

    /// The link does not serve this piece after all.
    pub(crate) fn disallow_fast(&mut self, id: ConnId, piece: PieceIndex) {
        self.allowed_fast.retain(|&other| other != (id, piece));
        let any = self.allowed_fast(id).next().is_some();
        self.rows[usize::from(id.0)].set(Flag::AllowsFast, any);
    }

    /// Notes a request of a link that was dropped; how many that makes.
    pub(crate) fn note_overflow(&mut self, id: ConnId) -> u16 {
        if let Some((_, count)) = self.overflow.iter_mut().find(|(other, _)| *other == id) {
            *count = count.saturating_add(1);
            return *count;
        }
        self.overflow.push((id, 1));
        1
    }

    /// What an observer may see of each link.
    pub(crate) fn views(&self, flows: &Flows) -> impl Iterator<Item = (ConnId, ConnView)> {
        let view = move |id, conn: &Conn| ConnView {
            addr: self.addr_of(id, conn),
            direction: conn.direction(),
            we_choking: conn.is(Flag::WeChoking),
            we_interested: conn.is(Flag::WeInterested),
            remote_choking: conn.is(Flag::RemoteChoking),
            remote_interested: conn.is(Flag::RemoteInterested),
            snubbed: conn.is(Flag::Snubbed),
            remote_count: conn.remote_count,
            outstanding: conn.asked.len().into(),
            queued: conn.queued.len().into(),
            received_window: flows.get(conn).down.bytes(),
            sent_window: flows.get(conn).up.bytes(),
        };
        self.iter().map(move |(id, conn)| (id, view(id, conn)))
    }
}

/// Lengthens a vector to `len`, in modest steps: doubling would leave half of it unused in most of a million peers.
pub(crate) fn grow<T: Clone>(vec: &mut Vec<T>, len: usize, value: T) {
    if len > vec.capacity() {
        let step = len.div_ceil(8);
        vec.reserve_exact(len + step - vec.len());
    }
    vec.resize(len, value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coarse_moments_keep_count_where_they_wrap() {
        let at = |millis: u64| Instant::from_micros(millis * 1_000);
        let wraps = (1 << 34) / 1_000;
        for start in [0, 100, 1_000, wraps - 30_000, wraps - 1] {
            let moment = Coarse::of(at(start));
            let minute = Coarse::steps(Duration::from_secs(60));
            assert!(!moment.is_past(at(start + 59_400), minute), "{start}");
            assert!(moment.is_past(at(start + 60_000), minute), "{start}");
        }
    }
}
