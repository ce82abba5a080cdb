//! Who is at the other end of each link, and what only few links need: nothing here is looked at when a message comes.

use alloc::boxed::Box;
use core::net::{Ipv4Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use crate::conns::lengthen;
use crate::seldom::Seldom;
use crate::{ConnId, PeerId, PieceIndex, Random};

/// Stands for a peer id where only sameness counts. One that takes somebody else's hash could as well take the peer id; of the
/// few that are compared in a torrent, two have the same by chance once in a million torrents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PeerHash([u16; 2]);

impl PeerHash {
    pub(crate) fn of(peer_id: PeerId) -> Self {
        let hash = peer_id.0.chunks(8).fold(0, |hash, bytes| {
            let mut padded = [0; 8];
            padded[..bytes.len()].copy_from_slice(bytes);
            Random::stream(hash, u64::from_le_bytes(padded)).bits()
        });
        PeerHash([32, 48].map(|shift| (hash >> shift) as u16))
    }
}

#[derive(Clone, Copy, Debug)]
struct Remote {
    /// Unspecified for one of IPv6.
    addr: SocketAddrV4,
    peer: PeerHash,
}

const _: () = assert!(size_of::<Remote>() == 10);

/// The remotes, by slot. A row is of account while the link is open.
#[derive(Debug, Default)]
pub(crate) struct Remotes {
    rows: Box<[Remote]>,
    /// Addresses of IPv6.
    v6: Seldom<(ConnId, SocketAddrV6)>,
    /// Pieces that remotes serve even while they choke us (BEP 6), in the order in which they were offered.
    allowed_fast: Seldom<(ConnId, PieceIndex)>,
    /// What is counted of links.
    tallies: Seldom<(ConnId, Tally, u32)>,
}

/// What is counted of a link where it happens at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tally {
    /// Requests dropped because too many were queued and the remote could not be told.
    Overflow,
    /// Requests while it was choked for pieces that are allowed fast.
    Fast,
}

impl Remotes {
    /// A link has come, into a table of so many slots.
    pub(crate) fn insert(&mut self, id: ConnId, addr: SocketAddr, peer: PeerId, slots: usize) {
        let v4 = match addr {
            SocketAddr::V4(addr) => addr,
            SocketAddr::V6(addr) => {
                self.v6.push((id, addr));
                SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0)
            }
        };
        let remote = Remote { addr: v4, peer: PeerHash::of(peer) };
        lengthen(&mut self.rows, slots, remote);
        self.rows[usize::from(id.0)] = remote;
    }

    /// A link is gone.
    pub(crate) fn remove(&mut self, id: ConnId) {
        self.v6.retain(|(other, _)| *other != id);
        self.allowed_fast.retain(|(other, _)| *other != id);
        self.tallies.retain(|(other, ..)| *other != id);
    }

    /// The address of a link.
    pub(crate) fn addr(&self, id: ConnId) -> SocketAddr {
        let v6 = self.v6.iter().find(|(other, _)| *other == id);
        v6.map_or(SocketAddr::V4(self.rows[usize::from(id.0)].addr), |&(_, addr)| SocketAddr::V6(addr))
    }

    /// The slots where the remote had this peer id: of those that are open and of some that were.
    pub(crate) fn with(&self, peer: PeerHash) -> impl Iterator<Item = ConnId> {
        let rows = self.rows.iter().enumerate().filter(move |(_, remote)| remote.peer == peer);
        rows.map(|(at, _)| ConnId(at as u16))
    }

    /// The peer id of a link, as far as it is kept.
    pub(crate) fn peer(&self, id: ConnId) -> PeerHash {
        self.rows[usize::from(id.0)].peer
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
        }
    }

    /// The link does not serve this piece after all; whether it serves any.
    pub(crate) fn disallow_fast(&mut self, id: ConnId, piece: PieceIndex) -> bool {
        self.allowed_fast.retain(|&other| other != (id, piece));
        self.allowed_fast(id).next().is_some()
    }

    /// Notes that it happened once more on this link; how often that makes.
    pub(crate) fn count(&mut self, id: ConnId, what: Tally) -> u32 {
        if let Some((.., count)) = self.tallies.iter_mut().find(|row| (row.0, row.1) == (id, what)) {
            *count = count.saturating_add(1);
            return *count;
        }
        self.tallies.push((id, what, 1));
        1
    }
}
