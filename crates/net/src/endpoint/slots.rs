//! The slots of an endpoint's links: dense numbers for the engine, generations against events that come late.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use swarmlab_protocol::wire::encode;
use swarmlab_protocol::{Block, ConnId, Direction, Message, Opened, PeerId};
use tokio::net::TcpStream;

use super::snapshot::Exchange;
use crate::conn::{Key, Link, Shared};
use crate::disk::{Disk, ReadJob};

/// Remotes that have left whose exchange is remembered. Beyond, those with which little was exchanged are forgotten.
const REMEMBERED: usize = 1_000;

/// The links of an endpoint.
#[derive(Debug, Default)]
pub(super) struct Slots {
    slots: Vec<Slot>,
    /// Slots with something to flush.
    dirty: Vec<ConnId>,
    departed: BTreeMap<PeerId, Exchange>,
}

#[derive(Debug, Default)]
struct Slot {
    generation: u32,
    taken: Option<Taken>,
}

/// A slot in use.
#[derive(Debug)]
pub(super) struct Taken {
    link: Link,
    peer_id: PeerId,
    addr: SocketAddr,
    direction: Direction,
    /// Content sent and received, in bytes.
    sent: u64,
    received: u64,
    /// Messages in wire form that wait for the flush, to be sent after so many blocks.
    messages: Vec<u8>,
    after: u64,
    /// Blocks to read at the flush.
    blocks: Vec<Block>,
    /// Blocks the engine has sent so far.
    ordered: u64,
    /// Upload credit given that was never paid for.
    pub(super) unpaid: u16,
    dirty: bool,
}

impl Slots {
    /// Puts a link in the first free slot; `None` if there is none.
    pub(super) fn open(
        &mut self,
        socket: TcpStream,
        rest: bytes::BytesMut,
        peer: &Opened,
        shared: &Shared,
    ) -> Option<Key> {
        let free = self.slots.iter().position(|slot| slot.taken.is_none());
        let number = free.unwrap_or(self.slots.len());
        let conn = ConnId(u16::try_from(number).ok()?);
        if number == self.slots.len() {
            self.slots.push(Slot::default());
        }
        let slot = &mut self.slots[number];
        slot.generation = slot.generation.wrapping_add(1);
        let key = Key { conn, generation: slot.generation };
        slot.taken = Some(Taken {
            link: Link::start(socket, rest, key, shared),
            peer_id: peer.peer_id,
            addr: peer.addr,
            direction: peer.direction,
            sent: 0,
            received: 0,
            messages: Vec::new(),
            after: 0,
            blocks: Vec::new(),
            ordered: 0,
            unpaid: 0,
            dirty: false,
        });
        Some(key)
    }

    /// How many of the links were opened by remotes at this address or, where one subscriber has many, in its network.
    pub(super) fn opened_from(&self, addr: IpAddr) -> usize {
        let open = self.slots.iter().filter_map(|slot| slot.taken.as_ref());
        let incoming = open.filter(|taken| taken.direction == Direction::Incoming);
        incoming.filter(|taken| subscriber(taken.addr.ip()) == subscriber(addr)).count()
    }

    /// The link of a key, unless it is gone.
    pub(super) fn current(&mut self, key: Key) -> Option<&mut Taken> {
        let slot = self.slots.get_mut(usize::from(key.conn.0))?;
        slot.taken.as_mut().filter(|_| slot.generation == key.generation)
    }

    /// The link in a slot.
    pub(super) fn get(&mut self, conn: ConnId) -> Option<&mut Taken> {
        self.slots.get_mut(usize::from(conn.0))?.taken.as_mut()
    }

    /// Ends the link in a slot at once.
    pub(super) fn close(&mut self, conn: ConnId) {
        let Some(taken) = self.slots.get_mut(usize::from(conn.0)).and_then(|slot| slot.taken.take()) else {
            return;
        };
        let exchange = taken.exchange();
        if exchange.sent + exchange.received == 0 {
            return;
        }
        merge(&mut self.departed, exchange);
        if self.departed.len() > REMEMBERED {
            let least = self.departed.values().min_by_key(|exchange| exchange.sent + exchange.received);
            let least = least.map(|exchange| exchange.peer_id);
            least.map(|peer_id| self.departed.remove(&peer_id));
        }
    }

    /// Ends every link at once.
    pub(super) fn close_all(&mut self) {
        (0..self.slots.len()).for_each(|number| self.close(ConnId(number as u16)));
    }

    /// Queues a message for the flush.
    pub(super) fn send(&mut self, conn: ConnId, message: &Message) {
        let Some(taken) = self.slots.get_mut(usize::from(conn.0)).and_then(|slot| slot.taken.as_mut()) else {
            return;
        };
        match message {
            Message::Piece(block) => {
                taken.ordered += 1;
                taken.blocks.push(*block);
            }
            _ => {
                // Other messages may overtake blocks that are still being read. A choke may not: a remote without the
                // fast extension would take what comes behind it for something it never asked for.
                if matches!(message, Message::Choke) {
                    taken.after = taken.ordered;
                }
                encode(message, &mut taken.messages);
            }
        }
        if !taken.dirty {
            taken.dirty = true;
            self.dirty.push(conn);
        }
    }

    /// Hands everything queued to the writers and the disk. Returns the links whose remotes do not read.
    pub(super) fn flush(&mut self, disk: &Disk) -> Vec<Key> {
        let mut stuck = Vec::new();
        for conn in std::mem::take(&mut self.dirty) {
            let Some(slot) = self.slots.get_mut(usize::from(conn.0)) else { continue };
            let (generation, Some(taken)) = (slot.generation, slot.taken.as_mut()) else { continue };
            taken.dirty = false;
            let key = Key { conn, generation };
            if !taken.messages.is_empty() {
                let bytes = std::mem::take(&mut taken.messages);
                if !taken.link.send(bytes, std::mem::take(&mut taken.after)) {
                    stuck.push(key);
                }
            }
            if !taken.blocks.is_empty() {
                let blocks = std::mem::take(&mut taken.blocks);
                disk.read(ReadJob { key, blocks, to: taken.link.writer().clone() });
            }
        }
        stuck
    }

    /// What was exchanged with whom.
    pub(super) fn exchanged(&self) -> Vec<Exchange> {
        let mut all = self.departed.clone();
        let open = self.slots.iter().filter_map(|slot| slot.taken.as_ref());
        open.for_each(|taken| merge(&mut all, taken.exchange()));
        all.into_values().collect()
    }
}

impl Taken {
    /// Counts content as sent.
    pub(super) fn note_sent(&mut self, bytes: u64) {
        self.sent += bytes;
    }

    /// Counts content as received.
    pub(super) fn note_received(&mut self, bytes: u64) {
        self.received += bytes;
    }

    fn exchange(&self) -> Exchange {
        Exchange { peer_id: self.peer_id, addr: self.addr, sent: self.sent, received: self.received }
    }
}

/// An IPv4 address, or the 64 bits of an IPv6 one behind which a subscriber has all addresses.
fn subscriber(addr: IpAddr) -> u64 {
    match addr {
        IpAddr::V4(addr) => addr.to_bits().into(),
        IpAddr::V6(addr) => (addr.to_bits() >> 64) as u64,
    }
}

fn merge(all: &mut BTreeMap<PeerId, Exchange>, exchange: Exchange) {
    let entry = all.entry(exchange.peer_id);
    let sum = entry.or_insert(Exchange { sent: 0, received: 0, ..exchange });
    (sum.sent, sum.received, sum.addr) =
        (sum.sent + exchange.sent, sum.received + exchange.received, exchange.addr);
}
