//! One node: an engine, its connections, the two ends of its access link, and its own timers.
//!
//! Handling an event touches this node only. Whatever concerns another one is an event that takes at least the least
//! latency. `calls` opens and closes connections, `carry` does what the engine asks, `life` brings a node and takes it
//! away.

mod behind;
mod calls;
mod carry;
mod disk;
mod fetch;
mod life;
mod record;
mod seat;
mod tap;

use swarmlab_protocol::{Block, ConnId, Input, Message};
use swarmlab_trace::Level;

use crate::check::Witness;
use crate::event::{Acks, Event, NodeId, What};
use crate::hash::Hash;
use crate::link::{Downlink, Rate, Uplink, Waiting};
use crate::network::uneven_buffer;
use crate::plan::Plan;
use crate::post::Post;
use crate::store::{Marks, Store};

/// Blocks in flight before the first acknowledgement: an initial window of ten segments (RFC 6928) is about one.
const FIRST_WINDOW: u8 = 1;
/// Blocks in flight at least after a congestion: with one the link would idle for a round trip after each, where packets
/// in its queue would keep it busy.
const LEAST_WINDOW: u8 = 2;

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

/// A node. What every event needs lies first, and together: see [`crate::worker`].
#[derive(Debug)]
#[repr(C, align(64))]
pub(crate) struct Node<S: Store> {
    /// When it next has something to do by itself, in microseconds.
    local_at: u64,
    /// The same without what the engine has to do.
    own_at: u64,
    /// When the window starts for which it has asked to be visited.
    wake_at: u64,
    hash: Hash,
    id: NodeId,
    group: u16,
    /// Blocks that the buffer of a socket takes.
    buffer: u8,
    /// How much of it is recorded.
    level: Level,
    links: Vec<Link>,
    /// Only with checkers.
    witness: Option<Box<Witness>>,
    down: Downlink<S::Payload>,
    seat: seat::Seat,
    up: Uplink<S::Payload>,
    life: life::Life,
    /// Only while something is wrong with it.
    disk: Option<Box<disk::Disk>>,
    /// Connection that has a block to acknowledge on the next message to it.
    to_ack: Option<(u16, Acks)>,
    store: Option<S>,
    /// Corrupt blocks that are stored and not judged yet.
    tainted: Vec<Block>,
    record: record::Record,
    /// Only where small messages wait behind content.
    behind: Option<Box<behind::Behind>>,
}

const _: () = assert!(std::mem::offset_of!(Node<Marks>, seat) == 128);

impl<S: Store> Node<S> {
    pub(crate) fn new(id: NodeId, plan: Plan, post: &mut Post<'_, S::Payload>) -> Self {
        let group = &post.world.model.groups[usize::from(plan.group)];
        let mut node = Node {
            local_at: u64::MAX,
            own_at: u64::MAX,
            wake_at: u64::MAX,
            id,
            hash: Hash::new(id),
            group: plan.group,
            buffer: (group.client.send_buffer / post.world.layout.block_len()).clamp(1, 200) as u8,
            seat: seat::Seat::Empty,
            level: post.world.level(id),
            links: Vec::new(),
            up: Uplink::new(Rate::new(group.up)),
            down: Downlink::new(Rate::new(group.down)),
            store: None,
            disk: None,
            to_ack: None,
            record: record::Record::new(plan.nat),
            life: life::Life::new(plan),
            tainted: Vec::new(),
            behind: behind::Behind::new(&group.client, post.world.layout.block_len()),
            witness: None,
        };
        node.up.holds = node.behind.is_some();
        node.settle(post);
        node
    }

    /// Handles everything of one window: the events at these places, in order, and the node's own timers between them.
    pub(crate) fn run(
        &mut self,
        places: &[u32],
        events: &mut [Event<S::Payload>],
        (start, end): (u64, u64),
        post: &mut Post<'_, S::Payload>,
    ) {
        post.tally.events += places.len() as u64;
        post.tally.handled += places.len() as u64;
        for &place in places {
            let event = &mut events[place as usize];
            let at = start + u64::from(event.offset);
            while self.local_at <= at {
                self.tick(self.local_at, post);
            }
            self.hash.event(at, event);
            if let Some(witness) = &mut self.witness {
                witness.attends((at, self.id), &mut post.tally.breaches);
            }
            let route = (event.from, event.conn);
            // What a swarm is made of is looked at where it lies, the rest is taken out.
            match event.what {
                What::Message(Message::Have(piece)) => {
                    let acks = event.acks;
                    if !self.message(at, route, acks, Message::Have(piece), post) {
                        self.plan_engine(at);
                        continue;
                    }
                }
                What::Message(Message::Request(block)) => {
                    let acks = event.acks;
                    if !self.message(at, route, acks, Message::Request(block), post) {
                        self.plan_engine(at);
                        continue;
                    }
                }
                What::Message(Message::Piece(block)) => {
                    self.block(at, route, (block, false), std::mem::take(&mut event.payload), post);
                }
                What::CorruptPiece(block) => {
                    self.block(at, route, (block, true), std::mem::take(&mut event.payload), post);
                }
                _ => {
                    let what = std::mem::replace(&mut event.what, What::Ack);
                    self.receive(at, route, event.acks, what, post);
                }
            }
            self.plan_ahead(at);
        }
        while self.local_at < end {
            self.tick(self.local_at, post);
        }
        self.settle_window(start, post);
    }

    /// Asks to be visited when the next timer is due, unless it will be visited before that anyway. `start` is that of
    /// the window which is over.
    #[inline]
    fn settle_window(&mut self, start: u64, post: &mut Post<'_, S::Payload>) {
        let waits = self.wake_at > start && self.wake_at <= self.local_at;
        if !waits && self.local_at != u64::MAX {
            self.ask_for_visit(post);
        }
    }

    fn ask_for_visit(&mut self, post: &mut Post<'_, S::Payload>) {
        let window = post.calendar.window_of(self.local_at);
        self.wake_at = post.calendar.start_of(window);
        post.calendar.wake(post.local(self.id), window);
    }

    fn settle(&mut self, post: &mut Post<'_, S::Payload>) {
        self.plan_ahead(0);
        if self.local_at != u64::MAX {
            self.ask_for_visit(post);
        }
    }

    /// When the node has something to do by itself next: what is overdue, now.
    fn plan_ahead(&mut self, now: u64) {
        let links = self.up.due().min(self.down.due());
        let rest = self.life.due().min(self.disk.as_ref().map_or(u64::MAX, |disk| disk.due()));
        self.own_at = links.min(rest);
        self.plan_engine(now);
    }

    /// The same where nothing but the engine has changed.
    #[inline]
    fn plan_engine(&mut self, now: u64) {
        self.local_at = self.seat.due().min(self.own_at).max(now);
    }

    /// Does what is due now of the node's own.
    fn tick(&mut self, now: u64, post: &mut Post<'_, S::Payload>) {
        post.tally.events += 1;
        self.hash.tick(now);
        if let Some(witness) = &mut self.witness {
            witness.attends((now, self.id), &mut post.tally.breaches);
        }
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
        self.plan_ahead(now);
    }

    fn receive(
        &mut self,
        now: u64,
        (from, conn): (NodeId, u16),
        acks: Acks,
        what: What,
        post: &mut Post<'_, S::Payload>,
    ) {
        match what {
            What::Message(message) => {
                self.message(now, (from, conn), acks, message, post);
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
            What::Announced(answer) => self.replied(now, *answer, post),
            What::CorruptPiece(_) | What::Announce(_) => {
                unreachable!("blocks are taken before, and only the tracker gets announces")
            }
        }
    }

    /// A message has come. Gives whether anything came of it.
    #[inline]
    fn message(
        &mut self,
        now: u64,
        (from, conn): (NodeId, u16),
        acks: Acks,
        message: Message,
        post: &mut Post<'_, S::Payload>,
    ) -> bool {
        self.down.small(post.world.fabric.frames.small(message.wire_len(), false));
        if self.is_open(conn, from) {
            let calls = acks.blocks > 0 && self.acknowledged(now, conn, acks, post);
            if let Some(witness) = &mut self.witness {
                witness.hears(conn, &message);
            }
            let withdraws = matches!(message, Message::Cancel(_));
            let calls = self.hand(now, Input::Message { conn: ConnId(conn), message }, post) || calls;
            if withdraws && self.up.holds {
                self.pass(now, conn, false, post);
            }
            return calls;
        }
        false
    }

    #[inline]
    fn is_open(&self, conn: u16, from: NodeId) -> bool {
        self.links.get(usize::from(conn)).is_some_and(|link| link.remote == from && link.state == State::Open)
    }

    /// A block has come in at the downlink.
    fn block(
        &mut self,
        now: u64,
        (from, conn): (NodeId, u16),
        (block, corrupt): (Block, bool),
        payload: S::Payload,
        post: &mut Post<'_, S::Payload>,
    ) {
        let world = post.world;
        let from_group = world.group_of[from as usize];
        let wire = world.fabric.frames.block(block.len);
        let sender = world.uplinks[usize::from(from_group)];
        let (through, congested) = self.down.block(now, wire, sender, world.fabric.queue_ns);
        let waiting = Waiting { at: through, conn, from, corrupt, congested, block: Some(block), payload };
        // What waits goes first, even where the clock is rounded to the same microsecond.
        if through > now || !self.down.waiting.is_empty() {
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
        let Some(sending) = self.up.finish(now, |len| frames.block(len)) else { return };
        let Some(&link) = self.links.get(usize::from(sending.conn)) else { return };
        debug_assert!(link.state == State::Open, "blocks of closed connections are marked");
        let len = sending.block.len;
        post.tally.left += u64::from(len);
        post.tally.groups[usize::from(self.group)].uploaded += u64::from(len);
        self.up.content += u64::from(len);
        self.down.small(frames.acks(len));
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
        if self.up.holds {
            self.pass(now, sending.conn, true, post);
        }
        self.grant(now, sending.conn, post);
        self.life.uploaded(u64::from(len), now);
    }

    /// Blocks have reached the remote. Gives whether anything came of it.
    fn acknowledged(&mut self, now: u64, conn: u16, acks: Acks, post: &mut Post<'_, S::Payload>) -> bool {
        let link = &mut self.links[usize::from(conn)];
        link.in_flight = link.in_flight.saturating_sub(acks.blocks);
        if acks.congested {
            link.window = (link.window / 2).max(LEAST_WINDOW);
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
        self.grant(now, conn, post)
    }

    /// Lets the engine hand over more blocks while the socket's buffer and the window take them. Gives whether anything came of
    /// it.
    fn grant(&mut self, now: u64, conn: u16, post: &mut Post<'_, S::Payload>) -> bool {
        let link = &mut self.links[usize::from(conn)];
        let buffer = match post.world.fabric.uneven {
            true => uneven_buffer(self.buffer, now, (self.id, conn)),
            false => self.buffer,
        };
        let room = buffer.saturating_sub(link.committed);
        let open = link.window.saturating_sub(link.committed.saturating_add(link.in_flight));
        let blocks = room.min(open);
        if blocks == 0 {
            return false;
        }
        link.committed += blocks;
        self.hand(now, Input::Writable { conn: ConnId(conn), blocks: u16::from(blocks) }, post)
    }

    /// Sends an event.
    fn post(
        &mut self,
        at: u64,
        to: (NodeId, u16),
        what: What,
        payload: S::Payload,
        post: &mut Post<'_, S::Payload>,
    ) {
        post.send(at, Event { payload, ..Event::new(self.id, to, what) });
    }

    /// Content that has come as far as the downlink, in bytes.
    pub(crate) fn waiting(&self) -> u64 {
        self.down.waiting.iter().filter_map(|waiting| waiting.block).map(|block| u64::from(block.len)).sum()
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash.value()
    }
}
