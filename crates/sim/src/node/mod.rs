//! One node: an engine, its connections, the two ends of its access link, and its own timers.
//!
//! Handling an event touches this node only. Whatever concerns another one is an event that takes at least the least
//! latency. `calls` opens and closes connections, `carry` does what the engine asks, `life` brings a node and takes it
//! away.

mod calls;
mod carry;
mod disk;
mod life;
mod record;

use swarmlab_protocol::behaviour::Node as Peer;
use swarmlab_protocol::{Block, ConnId, Input, Instant, Message};

use crate::calendar::{Bucket, Key};
use crate::check::Witness;
use crate::event::{Acks, Event, NodeId, What};
use crate::hash::Hash;
use crate::link::{Downlink, Rate, Uplink, Waiting};
use crate::plan::Plan;
use crate::post::Post;
use crate::store::Store;

/// Blocks in flight before the first acknowledgement: an initial window of ten segments (RFC 6928) is about one.
const FIRST_WINDOW: u8 = 1;

/// A connection as the network sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    remote: NodeId,
    /// The remote's slot.
    far: u16,
    state: State,
    /// Blocks granted to the engine or queued at the uplink.
    committed: u8,
    /// Blocks that left and are not acknowledged.
    in_flight: u8,
    /// Most blocks in flight.
    window: u8,
    /// Blocks acknowledged since the window last grew, after the first congestion; before it, `SLOW_START`.
    grown: u8,
}

/// Of [`Link::grown`]: each acknowledged block makes the window larger.
const SLOW_START: u8 = u8::MAX;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Free,
    /// We called and wait for an answer.
    Calling,
    /// We were called and wait for the handshake.
    Called,
    /// Our handshake is on its way.
    Greeting,
    Open,
}

const _: () = assert!(size_of::<Link>() == 12);

/// A node.
#[derive(Debug)]
pub(crate) struct Node<S: Store> {
    /// When it next has something to do by itself, in microseconds.
    local_at: u64,
    /// The window for which it has asked to be visited.
    wake_window: u64,
    id: NodeId,
    /// Events sent so far.
    order: u32,
    hash: Hash,
    group: u16,
    pub(crate) peer: Option<Peer>,
    links: Vec<Link>,
    up: Uplink<S::Payload>,
    down: Downlink<S::Payload>,
    store: Option<S>,
    /// Only while something is wrong with it.
    disk: Option<Box<disk::Disk>>,
    /// Connection that has a block to acknowledge on the next message to it.
    to_ack: Option<(u16, Acks)>,
    life: life::Life,
    record: record::Record,
    /// Corrupt blocks that are stored and not judged yet.
    tainted: Vec<Block>,
    /// Only with checkers.
    witness: Option<Box<Witness>>,
}

impl<S: Store> Node<S> {
    pub(crate) fn new(id: NodeId, plan: Plan, post: &mut Post<'_, S::Payload>) -> Self {
        let group = &post.world.model.groups[usize::from(plan.group)];
        let mut node = Node {
            local_at: u64::MAX,
            wake_window: u64::MAX,
            id,
            order: 0,
            hash: Hash::new(id),
            group: plan.group,
            peer: None,
            links: Vec::new(),
            up: Uplink::new(Rate::new(group.up)),
            down: Downlink::new(Rate::new(group.down)),
            store: None,
            disk: None,
            to_ack: None,
            record: record::Record::new(plan.nat),
            life: life::Life::new(plan),
            tainted: Vec::new(),
            witness: None,
        };
        node.settle(post);
        node
    }

    /// Handles everything of one window: the events of these keys, in order, and the node's own timers between them.
    pub(crate) fn run(
        &mut self,
        keys: &[u64],
        bucket: &mut Bucket<S::Payload>,
        (start, end): (u64, u64),
        post: &mut Post<'_, S::Payload>,
    ) {
        for &key in keys {
            let key = Key(key);
            let Some(place) = key.place() else { continue };
            let at = start + key.offset();
            while self.local_at <= at {
                self.tick(self.local_at, post);
            }
            let event = &mut bucket.events[place];
            self.hash.event(event);
            post.tally.events += 1;
            let what = std::mem::replace(&mut event.what, What::Ack);
            let payload = std::mem::take(&mut event.payload);
            self.receive(at, (event.from, event.conn, event.acks), what, payload, post);
            self.plan_ahead();
        }
        while self.local_at < end {
            self.tick(self.local_at, post);
        }
        self.settle_window(post);
    }

    /// Asks to be visited when the next timer is due.
    fn settle_window(&mut self, post: &mut Post<'_, S::Payload>) {
        if self.local_at == u64::MAX {
            return;
        }
        let window = post.calendar.window_of(self.local_at);
        if window < self.wake_window || self.wake_window <= post.calendar.now() {
            self.wake_window = window;
            post.calendar.wake(post.local(self.id), window);
        }
    }

    fn settle(&mut self, post: &mut Post<'_, S::Payload>) {
        self.plan_ahead();
        self.settle_window(post);
    }

    /// When the node has something to do by itself next.
    fn plan_ahead(&mut self) {
        let engine = self.peer.as_ref().and_then(Peer::deadline).map_or(u64::MAX, Instant::as_micros);
        let links = self.up.due().min(self.down.due());
        let rest = self.life.due().min(self.disk.as_ref().map_or(u64::MAX, |disk| disk.due()));
        self.local_at = engine.min(links).min(rest);
    }

    /// Does what is due now of the node's own.
    fn tick(&mut self, now: u64, post: &mut Post<'_, S::Payload>) {
        post.tally.events += 1;
        self.hash.tick(now);
        if self.up.due() <= now {
            self.sent(now, post);
        } else if self.down.due() <= now {
            self.through(now, post);
        } else if self.life.due() <= now {
            self.live(now, post);
        } else if self.disk.as_ref().is_some_and(|disk| disk.due() <= now) {
            self.written(now, post);
        } else {
            self.hand(now, Input::Deadline, post);
        }
        self.plan_ahead();
    }

    fn receive(
        &mut self,
        now: u64,
        (from, conn, acks): (NodeId, u16, Acks),
        what: What,
        payload: S::Payload,
        post: &mut Post<'_, S::Payload>,
    ) {
        match what {
            What::Message(Message::Piece(block)) => {
                self.block(now, (from, conn, acks), (block, false, payload), post);
            }
            What::CorruptPiece(block) => self.block(now, (from, conn, acks), (block, true, payload), post),
            What::Message(message) => {
                let bytes = post.world.fabric.frames.small(message.wire_len(), false);
                self.down.arrive(now, bytes);
                if self.is_open(conn, from) {
                    self.acknowledged(now, conn, acks, post);
                    self.hand(now, Input::Message { conn: ConnId(conn), message }, post);
                }
            }
            What::Ack => {
                if self.is_open(conn, from) {
                    self.acknowledged(now, conn, acks, post);
                }
            }
            What::Call { slot } => self.called(now, from, slot, post),
            What::Answer { slot } => self.answered(now, from, conn, slot, post),
            What::Handshake => self.greeted(now, from, conn, post),
            What::Refused | What::Closed => self.remote_closed(now, from, conn, post),
            What::Announced(announced) => {
                if self.peer.is_some() {
                    self.hand(now, Input::Announced(announced), post);
                }
            }
            What::Announce(_) => unreachable!("only the tracker gets announces"),
        }
    }

    fn is_open(&self, conn: u16, from: NodeId) -> bool {
        self.links.get(usize::from(conn)).is_some_and(|link| link.remote == from && link.state == State::Open)
    }

    /// A block has come in at the downlink.
    fn block(
        &mut self,
        now: u64,
        (from, conn, acks): (NodeId, u16, Acks),
        (block, corrupt, payload): (Block, bool, S::Payload),
        post: &mut Post<'_, S::Payload>,
    ) {
        let wire = post.world.fabric.frames.block(block.len + 13);
        let through = self.down.arrive(now, wire);
        debug_assert!(acks == Acks::default(), "blocks carry no acknowledgements");
        let congested = (through - now) * 1_000 > post.world.fabric.queue_ns;
        let waiting = Waiting { at: through, conn, from, corrupt, congested, block: Some(block), payload };
        if through > now {
            self.down.waiting.push_back(waiting);
        } else {
            self.deliver(now, waiting, post);
        }
    }

    /// The first block that waited at the downlink is through.
    fn through(&mut self, now: u64, post: &mut Post<'_, S::Payload>) {
        if let Some(waiting) = self.down.waiting.pop_front() {
            if waiting.block.is_some() {
                self.deliver(now, waiting, post);
            } else {
                self.drop_link(now, waiting.conn, waiting.from, post);
            }
        }
    }

    fn deliver(&mut self, now: u64, waiting: Waiting<S::Payload>, post: &mut Post<'_, S::Payload>) {
        let Waiting { conn, from, corrupt, congested, block: Some(block), payload, .. } = waiting else {
            return;
        };
        if !self.is_open(conn, from) {
            post.tally.lost += u64::from(block.len);
            return;
        }
        let tally = &mut post.tally;
        tally.blocks += 1;
        tally.received += u64::from(block.len);
        let groups = post.world.model.groups.len();
        let from_group = usize::from(post.world.group_of[from as usize]);
        tally.flows[from_group * groups + usize::from(self.group)] += u64::from(block.len);
        tally.groups[usize::from(self.group)].downloaded += u64::from(block.len);
        // TCP acknowledges as it receives.
        self.up.charge(now, post.world.fabric.frames.acks(block.len));
        self.to_ack = Some((conn, Acks { blocks: 1, congested }));
        self.arriving(now, ConnId(conn), block, corrupt, &payload, post);
        if let Some((conn, acks)) = self.to_ack.take() {
            self.acknowledge(now, conn, acks, post);
        }
    }

    /// The block that the uplink was sending has left.
    fn sent(&mut self, now: u64, post: &mut Post<'_, S::Payload>) {
        let frames = post.world.fabric.frames;
        let Some(sending) = self.up.finish(now, |len| frames.block(len + 13)) else { return };
        let Some(&link) = self.links.get(usize::from(sending.conn)) else { return };
        debug_assert!(link.state == State::Open, "blocks of closed connections are marked");
        let len = sending.block.len;
        post.tally.left += u64::from(len);
        post.tally.groups[usize::from(self.group)].uploaded += u64::from(len);
        self.record.uploaded += u64::from(len);
        self.down.arrive(now, frames.acks(len));
        let what = if sending.corrupt {
            What::CorruptPiece(sending.block)
        } else {
            What::Message(Message::Piece(sending.block))
        };
        let at = now + post.world.latency(self.id, link.remote);
        self.post(at, (link.remote, link.far), what, sending.payload, post);
        let link = &mut self.links[usize::from(sending.conn)];
        link.committed -= 1;
        link.in_flight += 1;
        self.grant(now, sending.conn, post);
        self.life.uploaded(u64::from(len), now);
    }

    /// Blocks have reached the remote.
    fn acknowledged(&mut self, now: u64, conn: u16, acks: Acks, post: &mut Post<'_, S::Payload>) {
        if acks.blocks == 0 {
            return;
        }
        let link = &mut self.links[usize::from(conn)];
        link.in_flight = link.in_flight.saturating_sub(acks.blocks);
        if acks.congested {
            link.window = (link.window / 2).max(FIRST_WINDOW);
            link.grown = 0;
        } else if link.grown == SLOW_START {
            link.window = link.window.saturating_add(acks.blocks);
        } else {
            link.grown += 1;
            if link.grown >= link.window {
                link.grown = 0;
                link.window = link.window.saturating_add(1).min(SLOW_START - 1);
            }
        }
        self.grant(now, conn, post);
    }

    /// Lets the engine hand over more blocks while the socket's buffer and the window take them.
    fn grant(&mut self, now: u64, conn: u16, post: &mut Post<'_, S::Payload>) {
        let client = &post.world.model.groups[usize::from(self.group)].client;
        let buffer = (client.send_buffer / post.world.layout.block_len()).clamp(1, 200) as u8;
        let link = &mut self.links[usize::from(conn)];
        let room = buffer.saturating_sub(link.committed);
        let open = link.window.saturating_sub(link.committed.saturating_add(link.in_flight));
        let blocks = room.min(open);
        if blocks > 0 {
            link.committed += blocks;
            self.hand(now, Input::Writable { conn: ConnId(conn), blocks: u16::from(blocks) }, post);
        }
    }

    /// Sends an event.
    fn post(
        &mut self,
        at: u64,
        (to, conn): (NodeId, u16),
        what: What,
        payload: S::Payload,
        post: &mut Post<'_, S::Payload>,
    ) {
        let acks = Acks::default();
        self.order += 1;
        post.send(Event { at, to, from: self.id, order: self.order, conn, acks, what, payload });
    }

    /// Reads what the node consists of itself: see [`crate::worker::Worker::run`].
    pub(crate) fn touch(&self) -> u64 {
        let ends = self.up.due() ^ self.down.due() ^ self.life.due();
        let torrent = self.peer.as_ref().map_or(0, |peer| peer.torrent().touch_self());
        self.local_at ^ self.hash.value() ^ ends ^ self.links.len() as u64 ^ torrent
    }

    /// Reads what a message on this connection will need, or what the block that leaves next will.
    pub(crate) fn touch_link(&self, conn: Option<u16>) -> u64 {
        let Some(conn) = conn.or_else(|| self.up.serving()) else { return 0 };
        let link = self.links.get(usize::from(conn)).map_or(0, |link| u64::from(link.remote));
        link ^ self.peer.as_ref().map_or(0, |peer| peer.torrent().touch(ConnId(conn)))
    }

    /// Content that has come as far as the downlink, in bytes.
    pub(crate) fn waiting(&self) -> u64 {
        self.down.waiting.iter().filter_map(|waiting| waiting.block).map(|block| u64::from(block.len)).sum()
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash.value()
    }
}
