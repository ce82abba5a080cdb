//! What others may see of a torrent, and where what it needs next lies in memory. Nothing here changes anything.

use core::net::SocketAddr;

use super::{Torrent, Totals, place};
use crate::conn::Flag;
use crate::picker::Availability;
use crate::{Bitfield, ConnId, Direction, PieceIndex};

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

impl Torrent {
    /// Names the places in memory that a message of this link needs, beside the torrent itself, and what it needs of a piece.
    /// Whoever drives many torrents and knows which ones are next can have the processor fetch these for several of them at
    /// once, where handling one after the other would wait for each. `stored` takes addresses only to hint at; nothing may be
    /// read through them.
    pub fn link_places(&self, conn: ConnId, piece: Option<PieceIndex>, mut stored: impl FnMut(*const u8)) {
        self.conns.places(conn, &mut stored);
        if let Some(piece) = piece {
            stored(self.sets.place(conn, piece));
            self.availability.places(piece, &mut stored);
            stored(place(self.have.words(), piece.0 as usize / 64));
        }
    }

    /// Names the places that a request or a block of this link needs further: see [`link_places`](Self::link_places). Reads what
    /// that names.
    pub fn queue_places(&self, conn: ConnId, mut stored: impl FnMut(*const u8)) {
        if let Some(conn) = self.conns.get(conn) {
            self.flows.places(conn.flow, &mut stored);
        }
    }

    /// Names the places that come after those: see [`queue_places`](Self::queue_places). Reads what that names.
    pub fn block_places(&self, conn: ConnId, mut stored: impl FnMut(*const u8)) {
        let Some(conn) = self.conns.get(conn) else { return };
        let flow = self.flows.get(conn);
        self.asked.places(flow.asked, &mut stored);
        self.queued.places(flow.queued, &mut stored);
        self.requests.places(flow.working, stored);
    }

    /// The pieces that are here and checked.
    pub fn have(&self) -> &Bitfield {
        &self.have
    }

    /// Whether every piece is here and checked.
    pub fn is_complete(&self) -> bool {
        self.have.is_full()
    }

    /// Whether every lacking block is requested of someone.
    pub fn is_endgame(&self) -> bool {
        !self.is_complete() && self.requests.is_endgame()
    }

    /// What has passed since the start.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// How many of the connected remotes have each piece.
    pub fn availability(&self) -> &Availability {
        &self.availability
    }

    /// The open links.
    pub fn conns(&self) -> impl Iterator<Item = (ConnId, ConnView)> + '_ {
        self.conns.iter().map(|(id, conn)| {
            let flow = self.flows.get(conn);
            let view = ConnView {
                addr: self.remotes.addr(id),
                direction: conn.direction(),
                we_choking: conn.is(Flag::WeChoking),
                we_interested: conn.is(Flag::WeInterested),
                remote_choking: conn.is(Flag::RemoteChoking),
                remote_interested: conn.is(Flag::RemoteInterested),
                snubbed: conn.is(Flag::Snubbed),
                remote_count: conn.remote_count,
                outstanding: flow.asked.len().into(),
                queued: flow.queued.len().into(),
                received_window: flow.down.bytes(),
                sent_window: flow.up.bytes(),
            };
            (id, view)
        })
    }

    /// Blocks that a remote has asked for and that were not handed to the driver yet.
    pub fn queued(&self, conn: ConnId) -> u16 {
        self.conns.get(conn).map_or(0, |conn| self.flows.get(conn).queued.len())
    }

    /// How many links are open.
    pub fn conn_count(&self) -> u16 {
        self.conns.len()
    }

    /// The pieces under way: index, blocks that are here, blocks in all.
    pub fn active_pieces(&self) -> impl Iterator<Item = (PieceIndex, u32, u32)> + '_ {
        self.requests.active(&self.layout)
    }
}
