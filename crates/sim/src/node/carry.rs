//! Between the engine and the network: inputs in, outputs carried out.

use swarmlab_protocol::{Announce, Block, ConnId, Input, Instant, Message, MessageKind, Output, PieceIndex};

use super::seat::Seat;
use super::{Node, State, tap};
use crate::event::{Acks, Event, What};
use crate::link::Sending;
use crate::network::node_at;
use crate::post::Post;
use crate::store::Store;

/// What came of storing blocks.
#[derive(Default)]
struct Stored {
    /// What the engine is to be told.
    answer: Option<Input>,
    /// The piece of which a block could not be stored.
    failed: Option<PieceIndex>,
}

impl<S: Store> Node<S> {
    /// Hands an input to the engine and does what comes of it. Gives whether anything did.
    #[inline(never)]
    pub(super) fn hand(&mut self, now: u64, input: Input, post: &mut Post<'_, S::Payload>) -> bool {
        tap::input(self.level, self.id, now, &input, &mut post.records);
        self.seat.handle(now, input, &mut post.out) && self.follow(now, post)
    }

    /// The same of an input that is usual, into an engine that is usual: all that is left there is a call of what handles this
    /// one. It is made anew for each use, so that it lies in memory only where it must.
    #[inline(always)]
    pub(super) fn hand_usual(
        &mut self,
        now: u64,
        input: impl Fn() -> Input,
        post: &mut Post<'_, S::Payload>,
    ) -> bool {
        match &mut self.seat {
            Seat::Plain(torrent) if !tap::is_wanted(self.level) => {
                torrent.handle(Instant::from_micros(now), input(), &mut post.out);
                self.follow(now, post)
            }
            _ => self.hand(now, input(), post),
        }
    }

    /// Does what the engine asks after an input, mostly nothing. Gives whether it was anything.
    #[inline(always)]
    fn follow(&mut self, now: u64, post: &mut Post<'_, S::Payload>) -> bool {
        let calls = !post.out.is_empty();
        if calls || self.witness.is_some() {
            self.carry(now, post);
        }
        calls
    }

    /// Hands in a block that has come.
    #[inline(always)]
    pub(super) fn arriving(
        &mut self,
        now: u64,
        conn: ConnId,
        block: Block,
        corrupt: bool,
        payload: &S::Payload,
        post: &mut Post<'_, S::Payload>,
    ) {
        let kept = self.store.is_some() || self.witness.is_some();
        if corrupt || kept || !self.seldom.tainted().is_empty() {
            return self.keep_arriving(now, conn, (block, corrupt), payload, post);
        }
        self.hand_usual(now, || Input::Message { conn, message: Message::Piece(block) }, post);
    }

    /// The same where it matters what is in a block.
    #[inline(never)]
    fn keep_arriving(
        &mut self,
        now: u64,
        conn: ConnId,
        (block, corrupt): (Block, bool),
        payload: &S::Payload,
        post: &mut Post<'_, S::Payload>,
    ) {
        let input = Input::Message { conn, message: Message::Piece(block) };
        tap::input(self.level, self.id, now, &input, &mut post.records);
        self.seat.handle(now, input, &mut post.out);
        if post.out.iter().any(|output| matches!(output, Output::Store { .. })) {
            self.keep(now, block, corrupt, payload, post);
        }
        self.carry(now, post);
    }

    /// Stores a block.
    fn keep(
        &mut self,
        now: u64,
        block: Block,
        corrupt: bool,
        payload: &S::Payload,
        post: &mut Post<'_, S::Payload>,
    ) {
        if let Some(witness) = &mut self.witness {
            witness.progress_at = now;
            witness.stores(block);
        }
        if let Some(store) = &mut self.store {
            store.write(&post.world.layout, block, payload);
        }
        self.seldom.retain_tainted(|other| *other != block);
        if corrupt {
            self.seldom.taint(block);
        }
    }

    /// Does what the engine asks, in order, and tells it at once what came of that where no time passes.
    fn carry(&mut self, now: u64, post: &mut Post<'_, S::Payload>) {
        self.record_outputs(now, &post.out, &mut post.records, post.world);
        let mut stored = Stored::default();
        let mut at = 0;
        while let Some(output) = post.out.get_mut(at) {
            at += 1;
            // What a swarm is made of is looked at where it lies, the rest is taken out.
            match *output {
                Output::Send { conn, message: Message::Have(piece) } => {
                    self.send(now, conn.0, || Message::Have(piece), post);
                }
                Output::Send { conn, message: Message::Request(Block { piece, begin, len }) } => {
                    self.send(now, conn.0, || Message::Request(Block { piece, begin, len }), post);
                }
                Output::Send { conn, message: Message::Piece(block) } => {
                    self.send_block(now, conn.0, block, post);
                }
                Output::Store { .. } if self.seldom.disk().is_none() => {}
                _ => {
                    let output = std::mem::replace(output, Output::Stopped);
                    self.act(now, output, &mut stored, post);
                }
            }
        }
        // Nothing that is left there holds memory.
        while let Some(done) = post.out.pop() {
            std::mem::forget(done);
        }
        if stored.answer.is_some() || !post.verify.is_empty() {
            self.answer(now, stored, post);
        }
        self.look(now, post);
    }

    /// Tells the engine what came of storing and verifying.
    fn answer(&mut self, now: u64, stored: Stored, post: &mut Post<'_, S::Payload>) {
        let mut input = stored.answer;
        while let Some(next) = input.or_else(|| self.verdict(now, post)) {
            self.hand(now, next, post);
            input = None;
        }
    }

    /// The verdict on the next piece that waits for one.
    fn verdict(&mut self, now: u64, post: &mut Post<'_, S::Payload>) -> Option<Input> {
        let piece = post.verify.pop()?;
        self.prefetch_links();
        Some(Input::Verified { piece, ok: self.judge(now, piece, post) })
    }

    /// Has the checkers look at what the engine has.
    #[inline]
    fn look(&self, now: u64, post: &mut Post<'_, S::Payload>) {
        if let (Some(witness), Some(torrent)) = (&self.witness, self.seat.torrent()) {
            witness.looks_at((now, self.id), torrent.have(), &mut post.tally.breaches);
        }
    }

    /// Does what is seldom asked.
    #[inline(never)]
    fn act(&mut self, now: u64, output: Output, stored: &mut Stored, post: &mut Post<'_, S::Payload>) {
        match output {
            Output::Send { conn, message } => self.send(now, conn.0, || message.clone(), post),
            Output::Store { block, .. } => self.write(now, block, stored),
            // A piece of which a block could not be stored begins anew.
            Output::Verify { piece } if stored.failed == Some(piece) => {}
            Output::Verify { piece } => {
                if !self.verify_later(now, piece) {
                    post.verify.push(piece);
                }
            }
            Output::Connect { addr } => self.call(now, *addr, post),
            Output::Close { conn, .. } => self.hang_up(now, conn.0, post),
            Output::Announce(announce) => self.announce(now, announce, post),
            Output::Completed => self.completed(now, post),
            Output::Stopped | Output::Note(_) => {}
        }
    }

    /// Stores a block, which takes time if something is wrong with the disk.
    fn write(&mut self, now: u64, block: Block, stored: &mut Stored) {
        if self.seldom.disk().is_none() {
            return;
        }
        stored.answer = self.write_slowly(now, block);
        if let Some(Input::DiskFailed { piece }) = stored.answer {
            stored.failed = Some(piece);
            if let Some(witness) = &mut self.witness {
                witness.loses(piece);
            }
        }
    }

    pub(super) fn verified(&mut self, now: u64, piece: PieceIndex, post: &mut Post<'_, S::Payload>) {
        let ok = self.judge(now, piece, post);
        self.hand(now, Input::Verified { piece, ok }, post);
    }

    /// Whether a piece that is all here is right.
    fn judge(&mut self, now: u64, piece: PieceIndex, post: &mut Post<'_, S::Payload>) -> bool {
        let tainted = self.seldom.tainted().iter().any(|block| block.piece == piece);
        let world = post.world;
        let real = self
            .store
            .as_ref()
            .and_then(|store| store.check(world.model.content.real.as_ref(), &world.layout, piece));
        let ok = real.unwrap_or(!tainted);
        if tainted {
            self.seldom.retain_tainted(|block| block.piece != piece);
        }
        if ok {
            post.tally.holders[piece.0 as usize] += 1;
            if let Some(witness) = &mut self.witness {
                witness.proves((now, self.id), piece, &world.layout, &mut post.tally.breaches);
            }
        } else {
            self.record.bad_piece();
            if let Some(witness) = &mut self.witness {
                witness.loses(piece);
            }
        }
        ok
    }

    /// Sends a message that carries no content. It is made anew for each use, as in [`Self::hand_usual`].
    #[inline(always)] // where the kind is known, little is left of this
    fn send(&mut self, now: u64, conn: u16, message: impl Fn() -> Message, post: &mut Post<'_, S::Payload>) {
        let len = message().wire_len();
        post.tally.message(message().kind(), len);
        self.attest(now, conn, &message, post);
        if self.up.holds {
            return self.send_behind(now, conn, message(), post);
        }
        let leaves = self.leaves_at(now, conn, len, post);
        let acks = match self.to_ack {
            Some((acked, acks)) if acked == conn => {
                self.to_ack = None;
                acks
            }
            _ => Acks::default(),
        };
        self.send_on(conn, leaves, acks, || What::Message(message()), post);
    }

    /// Has the checkers look at a message that is about to be sent.
    #[inline(always)]
    fn attest(
        &mut self,
        now: u64,
        conn: u16,
        message: impl Fn() -> Message,
        post: &mut Post<'_, S::Payload>,
    ) {
        if let Some(witness) = &mut self.witness {
            witness.sends((now, self.id), conn, &message(), post.world, &mut post.tally.breaches);
        }
        debug_assert!(self.links[usize::from(conn)].state == State::Open);
    }

    /// Sends a small message of a client that says nothing without need: it waits for the content before it, and for the pulse.
    #[cold]
    pub(super) fn send_behind(
        &mut self,
        now: u64,
        conn: u16,
        message: Message,
        post: &mut Post<'_, S::Payload>,
    ) {
        if let Some(message) = self.hold(now, conn, message, post) {
            self.send_late(now, conn, message, post);
        }
    }

    /// The same once nothing is before it. TCP acknowledges by itself where the client is slow to speak.
    pub(super) fn send_late(
        &mut self,
        now: u64,
        conn: u16,
        message: Message,
        post: &mut Post<'_, S::Payload>,
    ) {
        let could = self.leaves_at(now, conn, message.wire_len(), post);
        let leaves = self.beat(could, self.links[usize::from(conn)].remote, &message);
        self.send_on(conn, leaves, Acks::default(), || What::Message(message.clone()), post);
    }

    /// When a small message of so many bytes that is sent now leaves.
    #[inline(always)]
    fn leaves_at(&mut self, now: u64, conn: u16, len: u32, post: &Post<'_, S::Payload>) -> u64 {
        let fabric = &post.world.fabric;
        let rides = self.up.rides(conn, now);
        self.up.small(now, fabric.frames.small(len, rides), fabric.queue_ns)
    }

    /// Sends a block.
    #[inline(always)]
    fn send_block(&mut self, now: u64, conn: u16, block: Block, post: &mut Post<'_, S::Payload>) {
        let world = post.world;
        post.tally.message(MessageKind::Piece, Message::Piece(block).wire_len());
        self.attest(now, conn, || Message::Piece(block), post);
        let corrupt = self.seat.corrupts(block);
        let payload = match &self.store {
            Some(store) => store.read(&world.layout, block, corrupt),
            None => S::Payload::default(),
        };
        let frames = world.fabric.frames;
        self.up.push(now, Sending { conn, corrupt, block, payload }, |len| frames.block(len));
    }

    /// Acknowledges blocks where no message goes the same way.
    pub(super) fn acknowledge(&mut self, now: u64, conn: u16, acks: Acks, post: &mut Post<'_, S::Payload>) {
        if !self.links.get(usize::from(conn)).is_some_and(|link| link.state == State::Open) {
            return;
        }
        // The bytes were charged with the block.
        let leaves = self.up.small(now, 0, post.world.fabric.queue_ns);
        self.send_on(conn, leaves, acks, || What::Ack, post);
    }

    /// Sends something small on a connection, which leaves at a time.
    #[inline(always)]
    fn send_on(
        &self,
        conn: u16,
        leaves: u64,
        acks: Acks,
        what: impl FnOnce() -> What,
        post: &mut Post<'_, S::Payload>,
    ) {
        let link = &self.links[usize::from(conn)];
        let mut at = leaves + post.world.latency(self.id, link.remote);
        if post.world.fabric.units > 1 {
            at = self.seldom.long().map_or(at, |long| long.behind(at, conn));
        }
        post.send(at, || Event { acks, ..Event::new(self.id, (link.remote, link.far), what()) });
    }

    fn call(&mut self, now: u64, addr: core::net::SocketAddr, post: &mut Post<'_, S::Payload>) {
        let nodes = post.world.tracker();
        let node = node_at(addr).filter(|&node| node < nodes && node != self.id);
        debug_assert!(node.is_some(), "the tracker names nodes only");
        if let Some(node) = node {
            self.dial(now, node, post);
        }
    }

    /// An announce over HTTP: a connection of its own, so three latencies until the tracker has the request.
    fn announce(&mut self, now: u64, announce: Box<Announce>, post: &mut Post<'_, S::Payload>) {
        /// A request line with its headers, and the answer's headers with fifty compact peers, in bytes: what our own
        /// client and server exchange.
        const REQUEST: u32 = 350;
        let world = post.world;
        let leaves = self.up.small(now, world.fabric.frames.small(REQUEST, false), world.fabric.queue_ns);
        let at = leaves + 3 * world.fabric.tracker_us;
        self.post(at, (world.tracker(), 0), || What::Announce(announce), S::Payload::default(), post);
    }
}
