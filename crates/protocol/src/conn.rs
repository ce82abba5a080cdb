//! One row per link: the flags of both sides, what is outstanding each way, and how fast each way has been.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::net::SocketAddr;

use crate::{Block, ConnId, Direction, Instant, Opened, PeerId, PieceIndex};

/// A moment in milliseconds since the driver's start, wrapping after 49 days: half the size of an [`Instant`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stamp(u32);

impl Stamp {
    pub(crate) fn of(now: Instant) -> Self {
        Stamp((now.as_micros() / 1_000) as u32)
    }

    /// Milliseconds from `earlier` to `self`.
    pub(crate) fn since(self, earlier: Stamp) -> u32 {
        self.0.wrapping_sub(earlier.0)
    }
}

/// A request we have made and that was not answered yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outstanding {
    pub(crate) block: Block,
    /// Where the piece is in the table of active pieces.
    pub(crate) slot: u16,
    /// The block's number in its piece.
    pub(crate) number: u32,
    pub(crate) sent: Stamp,
    /// Unanswered for so long that others may be asked too.
    pub(crate) overdue: bool,
}

/// Bytes in this choke round and the one before: at the end of a round, a window of 20 s (Cohen 2003).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Window {
    current: u32,
    last: u32,
}

impl Window {
    pub(crate) fn add(&mut self, bytes: u32) {
        self.current = self.current.saturating_add(bytes);
    }

    pub(crate) fn bytes(self) -> u32 {
        self.current.saturating_add(self.last)
    }

    pub(crate) fn turn(&mut self) {
        self.last = core::mem::take(&mut self.current);
    }
}

/// One link to one remote peer.
#[derive(Debug)]
pub(crate) struct Conn {
    pub(crate) addr: SocketAddr,
    pub(crate) peer_id: PeerId,
    pub(crate) direction: Direction,
    /// Both ends speak the fast extension (BEP 6).
    pub(crate) fast: bool,
    /// We do not answer the remote's requests.
    pub(crate) we_choking: bool,
    /// We want something the remote has.
    pub(crate) we_interested: bool,
    /// The remote does not answer our requests.
    pub(crate) remote_choking: bool,
    /// The remote wants something we have.
    pub(crate) remote_interested: bool,
    /// The remote has every piece; its row in the sets is not kept.
    pub(crate) remote_seed: bool,
    /// The remote owes us blocks and has sent none for too long.
    pub(crate) snubbed: bool,
    /// A piece it had a part in was bad: it works on pieces alone until it is cleared or convicted.
    pub(crate) suspect: bool,
    /// Not to be confused with another link that had this slot: names who gave a block.
    pub(crate) serial: u32,
    /// How many pieces the remote has.
    pub(crate) remote_count: u32,
    /// How many pieces the remote has that we lack; not kept for a seed.
    pub(crate) wanted: u32,
    /// The active piece it is working on, a guess.
    pub(crate) working: u16,
    /// How many requests to keep outstanding.
    pub(crate) pipeline: u16,
    /// How many blocks may still be handed to the driver.
    pub(crate) credit: u16,
    /// Requests withdrawn whose blocks may still arrive.
    pub(crate) excused: u16,
    /// Blocks that nobody asked for.
    pub(crate) strikes: u16,
    /// Requests dropped because too many were queued and the remote could not be told.
    pub(crate) overflow: u16,
    pub(crate) outstanding: VecDeque<Outstanding>,
    /// Blocks the remote has asked for.
    pub(crate) queue: VecDeque<Block>,
    /// Pieces the remote serves even while it chokes us (BEP 6).
    pub(crate) allowed_fast: Vec<PieceIndex>,
    pub(crate) heard_at: Stamp,
    pub(crate) sent_at: Stamp,
    /// When it last gave a block, or when it began to owe us one.
    pub(crate) block_at: Stamp,
    /// Since when it wants something of us, or nothing; since we have everything if that is later.
    pub(crate) interest_at: Stamp,
    /// When we last unchoked it.
    pub(crate) unchoked_at: Stamp,
    /// Bytes sent since we last unchoked it.
    pub(crate) sent_since_unchoke: u32,
    pub(crate) down: Window,
    pub(crate) up: Window,
    pub(crate) received_bytes: u64,
    pub(crate) sent_bytes: u64,
}

impl Conn {
    pub(crate) fn new(peer: &Opened, serial: u32, fast: bool, pipeline: u16, now: Stamp) -> Self {
        Conn {
            addr: peer.addr,
            peer_id: peer.peer_id,
            direction: peer.direction,
            fast,
            we_choking: true,
            we_interested: false,
            remote_choking: true,
            remote_interested: false,
            remote_seed: false,
            snubbed: false,
            suspect: false,
            serial,
            remote_count: 0,
            wanted: 0,
            working: u16::MAX,
            pipeline,
            credit: 0,
            excused: 0,
            strikes: 0,
            overflow: 0,
            outstanding: VecDeque::new(),
            queue: VecDeque::new(),
            allowed_fast: Vec::new(),
            heard_at: now,
            sent_at: now,
            block_at: now,
            interest_at: now,
            unchoked_at: now,
            sent_since_unchoke: 0,
            down: Window::default(),
            up: Window::default(),
            received_bytes: 0,
            sent_bytes: 0,
        }
    }

    /// Takes the request for a block out of the outstanding ones. Answers come mostly in order, so the first fits.
    pub(crate) fn take_outstanding(&mut self, block: Block) -> Option<Outstanding> {
        let at = self.outstanding.iter().position(|request| request.block == block)?;
        self.outstanding.remove(at)
    }
}

/// What an observer may see of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnView {
    /// The remote's address.
    pub addr: SocketAddr,
    /// The remote's peer id.
    pub peer_id: PeerId,
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
    /// Content received in all, in bytes.
    pub received_bytes: u64,
    /// Content sent in all, in bytes.
    pub sent_bytes: u64,
    /// Content received in this choke round and the one before, in bytes.
    pub received_window: u32,
    /// Content sent in this choke round and the one before, in bytes.
    pub sent_window: u32,
}

impl From<&Conn> for ConnView {
    fn from(conn: &Conn) -> Self {
        ConnView {
            addr: conn.addr,
            peer_id: conn.peer_id,
            direction: conn.direction,
            we_choking: conn.we_choking,
            we_interested: conn.we_interested,
            remote_choking: conn.remote_choking,
            remote_interested: conn.remote_interested,
            snubbed: conn.snubbed,
            remote_count: conn.remote_count,
            outstanding: conn.outstanding.len() as u32,
            queued: conn.queue.len() as u32,
            received_bytes: conn.received_bytes,
            sent_bytes: conn.sent_bytes,
            received_window: conn.down.bytes(),
            sent_window: conn.up.bytes(),
        }
    }
}

/// The open links, by slot.
#[derive(Debug, Default)]
pub(crate) struct Conns {
    slots: Vec<Option<Box<Conn>>>,
    open: u16,
}

impl Conns {
    /// Puts a link in its slot; false if the slot is taken.
    pub(crate) fn insert(&mut self, id: ConnId, conn: Conn) -> bool {
        let at = usize::from(id.0);
        if self.slots.len() <= at {
            self.slots.resize_with(at + 1, || None);
        }
        let free = self.slots[at].is_none();
        if free {
            self.slots[at] = Some(Box::new(conn));
            self.open += 1;
        }
        free
    }

    pub(crate) fn remove(&mut self, id: ConnId) -> Option<Box<Conn>> {
        let conn = self.slots.get_mut(usize::from(id.0))?.take()?;
        self.open -= 1;
        Some(conn)
    }

    #[cfg(test)]
    pub(crate) fn get(&self, id: ConnId) -> Option<&Conn> {
        self.slots.get(usize::from(id.0))?.as_deref()
    }

    pub(crate) fn get_mut(&mut self, id: ConnId) -> Option<&mut Conn> {
        self.slots.get_mut(usize::from(id.0))?.as_deref_mut()
    }

    /// How many are open.
    pub(crate) fn len(&self) -> u16 {
        self.open
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (ConnId, &Conn)> {
        self.slots.iter().enumerate().filter_map(|(at, conn)| Some((ConnId(at as u16), conn.as_deref()?)))
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (ConnId, &mut Conn)> {
        self.slots
            .iter_mut()
            .enumerate()
            .filter_map(|(at, conn)| Some((ConnId(at as u16), conn.as_deref_mut()?)))
    }

    /// One past the highest slot in use: for walks that must look a link up anew at each step.
    pub(crate) fn slots(&self) -> impl Iterator<Item = ConnId> + use<> {
        (0..self.slots.len()).map(|at| ConnId(at as u16))
    }
}
