//! One node: an engine, its connections, the two ends of its access link, and its own timers.
//!
//! Handling an event touches this node only. Whatever concerns another one is an event that takes at least the least
//! latency. `calls` opens and closes connections, `carry` does what the engine asks, `credit` lets it send blocks, `life` brings a
//! node and takes it away.

mod behind;
mod calls;
mod carry;
mod credit;
mod disk;
mod fetch;
mod life;
mod long;
mod record;
mod seat;
mod seldom;
mod tap;

use swarmlab_protocol::{Block, ConnId, Input, Message};
use swarmlab_trace::Level;

use crate::check::Witness;
use crate::event::{Acks, Event, NodeId, What};
use crate::hash::Hash;
use crate::link::{Downlink, Rate, Uplink, Waiting};
use crate::plan::Plan;
use crate::post::Post;
use crate::store::{Marks, Store};
use crate::window::Window;
use crate::worker;

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
    window: Window,
}

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
    seldom: seldom::Seldom,
    /// Connection that has a block to acknowledge on the next message to it.
    to_ack: Option<(u16, Acks)>,
    store: Option<S>,
    /// Nobody can call it.
    nat: bool,
    record: record::Record,
}

const _: () = assert!(std::mem::offset_of!(Node<Marks>, seat) == 128);
// A node in a simulation of a million: every line of the cache is 64 megabytes there.
const _: () = assert!(size_of::<Node<Marks>>() <= 1_024);

impl<S: Store> Node<S> {
    pub(crate) fn new(id: NodeId, plan: Plan, post: &mut Post<'_, S::Payload>) -> Self {
        let group = &post.world.model.groups[usize::from(plan.group)];
        let behind = behind::Behind::new(&group.client, post.world.layout.block_len());
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
            up: Uplink::new(Rate::new(group.up), behind.is_some()),
            down: Downlink::new(Rate::new(group.down)),
            store: None,
            to_ack: None,
            nat: plan.nat,
            record: record::Record::default(),
            life: life::Life::new(plan),
            seldom: seldom::Seldom::new(behind, (post.world.fabric.units > 1).then(long::Long::default)),
            witness: None,
        };
        node.settle(post);
        node
    }

    /// Handles everything of one window: the events at these places, in order, and the node's own timers between them.
    pub(crate) fn run(
        &mut self,
        places: &[u32],
        window: &mut worker::Window<'_, S::Payload>,
        post: &mut Post<'_, S::Payload>,
    ) {
        for &place in places {
            let event = &mut window.events[place as usize];
            let at = window.start + u64::from(event.offset);
            while self.local_at <= at {
                self.tick(self.local_at, post);
            }
            let route = (event.from, event.conn);
            // What a swarm is made of is looked at where it lies, the rest is taken out.
            match event.what {
                What::Message(Message::Have(piece)) => {
                    self.attend(at, event, post);
                    if !self.usual(at, route, event.acks, || Message::Have(piece), post) {
                        self.plan_engine(at);
                        continue;
                    }
                }
                What::Message(Message::Request(block)) => {
                    self.attend(at, event, post);
                    if !self.usual(at, route, event.acks, || Message::Request(block), post) {
                        self.plan_engine(at);
                        continue;
                    }
                }
                What::Message(Message::Piece(block)) | What::CorruptPiece(block) => {
                    self.attend(at, event, post);
                    let corrupt = matches!(event.what, What::CorruptPiece(_));
                    self.block(at, route, (block, corrupt), std::mem::take(&mut event.payload), post);
                }
                _ => {
                    self.attend(at, event, post);
                    let what = std::mem::replace(&mut event.what, What::Ack);
                    self.receive(at, route, event.acks, what, post);
                }
            }
            self.plan_ahead(at);
        }
        while self.local_at < window.end {
            self.tick(self.local_at, post);
        }
        self.settle_window(window.start, post);
    }

    /// Counts an event that is about to be handled in the digest, and tells the checkers.
    #[inline(always)] // where its kind is known, little is left of what hashes it
    fn attend(&mut self, at: u64, event: &Event<S::Payload>, post: &mut Post<'_, S::Payload>) {
        self.hash.event(at, event);
        if let Some(witness) = &mut self.witness {
            witness.attends((at, self.id), &mut post.tally.breaches);
        }
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

    #[inline]
    fn ask_for_visit(&mut self, post: &mut Post<'_, S::Payload>) {
        self.wake_at = post.calendar.wake(post.local(self.id), self.local_at);
    }

    fn settle(&mut self, post: &mut Post<'_, S::Payload>) {
        self.plan_ahead(0);
        if self.local_at != u64::MAX {
            self.ask_for_visit(post);
        }
    }

    /// When the node has something to do by itself next: what is overdue, now.
    #[inline(always)]
    fn plan_ahead(&mut self, now: u64) {
        let links = self.up.due().min(self.down.due());
        let rest = self.life.due().min(self.seldom.disk().map_or(u64::MAX, |disk| disk.due()));
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
        } else if self.seldom.disk().is_some_and(|disk| disk.due() <= now) {
            self.written(now, post);
        } else {
            self.hand(now, Input::Deadline, post);
        }
        self.plan_ahead(now);
    }

    #[inline(never)]
    fn receive(
        &mut self,
        now: u64,
        (from, conn): (NodeId, u16),
        acks: Acks,
        what: What,
        post: &mut Post<'_, S::Payload>,
    ) {
        match what {
            What::Message(message) => self.message(now, (from, conn), acks, message, post),
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

    /// A message has come of a kind that is usual. Gives whether anything came of it. As [`Self::hand_usual`] does, it has
    /// the message made anew for each use.
    #[inline(always)]
    fn usual(
        &mut self,
        now: u64,
        (from, conn): (NodeId, u16),
        acks: Acks,
        message: impl Fn() -> Message,
        post: &mut Post<'_, S::Payload>,
    ) -> bool {
        self.down.small(post.world.fabric.frames.small(message().wire_len(), false));
        if !self.is_open(conn, from) {
            return false;
        }
        let of_acks = acks.blocks > 0 && self.acknowledged(now, conn, acks, post);
        if let Some(witness) = &mut self.witness {
            witness.hears(conn, &message());
        }
        self.hand_usual(now, || Input::Message { conn: ConnId(conn), message: message() }, post) || of_acks
    }

    /// A message has come of another kind.
    fn message(
        &mut self,
        now: u64,
        (from, conn): (NodeId, u16),
        acks: Acks,
        message: Message,
        post: &mut Post<'_, S::Payload>,
    ) {
        self.down.small(post.world.fabric.frames.small(message.wire_len(), false));
        if !self.is_open(conn, from) {
            return;
        }
        if acks.blocks > 0 {
            self.acknowledged(now, conn, acks, post);
        }
        if let Some(witness) = &mut self.witness {
            witness.hears(conn, &message);
        }
        let withdraws = matches!(message, Message::Cancel(_));
        self.hand(now, Input::Message { conn: ConnId(conn), message }, post);
        if withdraws && self.up.holds {
            self.pass(now, conn, false, post);
        }
    }

    #[inline]
    fn is_open(&self, conn: u16, from: NodeId) -> bool {
        self.links.get(usize::from(conn)).is_some_and(|link| link.remote == from && link.state == State::Open)
    }

    /// A block has come in at the downlink.
    #[inline]
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
        let (through, congested) = self.down.block(now, wire, sender, world.fabric.room());
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

    #[inline(always)] // most blocks do not wait, and then nothing has to be put together and taken apart
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
        let at = now + post.world.latency(self.id, link.remote);
        let at = self.carried(at, sending.conn, post.world);
        let (to, payload) = ((link.remote, link.far), sending.payload);
        let Block { piece, begin, len } = sending.block;
        let block = || Block { piece, begin, len };
        match sending.corrupt {
            true => self.post(at, to, || What::CorruptPiece(block()), payload, post),
            false => self.post(at, to, || What::Message(Message::Piece(block())), payload, post),
        }
        let link = &mut self.links[usize::from(sending.conn)];
        link.committed -= 1;
        link.in_flight += 1;
        if self.up.holds {
            self.pass(now, sending.conn, true, post);
        }
        self.grant(now, sending.conn, post);
        self.life.uploaded(u64::from(len), now);
    }

    /// Sends an event.
    #[inline(always)]
    fn post(
        &mut self,
        at: u64,
        to: (NodeId, u16),
        what: impl FnOnce() -> What,
        payload: S::Payload,
        post: &mut Post<'_, S::Payload>,
    ) {
        post.send(at, || Event { payload, ..Event::new(self.id, to, what()) });
    }

    /// Content that has come as far as the downlink, in bytes.
    pub(crate) fn waiting(&self) -> u64 {
        self.down.waiting.iter().filter_map(|waiting| waiting.block).map(|block| u64::from(block.len)).sum()
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash.value()
    }
}
