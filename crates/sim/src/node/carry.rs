//! Between the engine and the network: inputs in, outputs carried out.

use swarmlab_protocol::{Announce, Block, ConnId, Input, Message, Output, PieceIndex};

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
    #[inline]
    pub(super) fn hand(&mut self, now: u64, input: Input, post: &mut Post<'_, S::Payload>) -> bool {
        tap::input(self.level, self.id, now, &input, &mut post.records);
        if !self.seat.handle(now, input, &mut post.out) {
            return false;
        }
        // Most messages are news that call for nothing.
        let calls = !post.out.is_empty();
        if calls || self.witness.is_some() {
            self.carry(now, post);
        }
        calls
    }

    /// Hands in a block that has come.
    pub(super) fn arriving(
        &mut self,
        now: u64,
        conn: ConnId,
        block: Block,
        corrupt: bool,
        payload: &S::Payload,
        post: &mut Post<'_, S::Payload>,
    ) {
        let input = Input::Message { conn, message: Message::Piece(block) };
        tap::input(self.level, self.id, now, &input, &mut post.records);
        self.seat.handle(now, input, &mut post.out);
        let watched = corrupt || self.store.is_some() || self.witness.is_some() || !self.tainted.is_empty();
        if watched && post.out.iter().any(|output| matches!(output, Output::Store { .. })) {
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
        if !self.tainted.is_empty() {
            self.tainted.retain(|other| *other != block);
        }
        if corrupt {
            self.tainted.push(block);
        }
    }

    /// Does what the engine asks, in order.
    fn carry(&mut self, now: u64, post: &mut Post<'_, S::Payload>) {
        self.record_outputs(now, &post.out, &mut post.records, post.world);
        let mut at = 0;
        while let Some(output) = post.out.get_mut(at) {
            match output {
                Output::Send { conn, message } => {
                    let message = std::mem::replace(message, Message::KeepAlive);
                    self.send(now, conn.0, message, post);
                }
                Output::Store { .. } if self.disk.is_none() => {}
                _ => return self.carry_on(now, at, post),
            }
            at += 1;
        }
        post.out.clear();
        self.look(now, post);
    }

    /// Goes on with outputs that are more than messages, and tells the engine at once what came of them where no time
    /// passes.
    #[inline(never)]
    fn carry_on(&mut self, now: u64, done: usize, post: &mut Post<'_, S::Payload>) {
        let mut outputs = std::mem::take(&mut post.out);
        let mut rest = outputs.drain(done..);
        loop {
            let mut stored = Stored::default();
            for output in &mut rest {
                self.act(now, output, &mut stored, post);
            }
            drop(rest);
            let input = match (stored.answer, post.verify.pop()) {
                (Some(answer), piece) => {
                    post.verify.extend(piece);
                    answer
                }
                (None, Some(piece)) => Input::Verified { piece, ok: self.judge(now, piece, post) },
                (None, None) => break,
            };
            outputs.clear();
            tap::input(self.level, self.id, now, &input, &mut post.records);
            if !self.seat.handle(now, input, &mut outputs) {
                break;
            }
            self.record_outputs(now, &outputs, &mut post.records, post.world);
            rest = outputs.drain(..);
        }
        outputs.clear();
        post.out = outputs;
        self.look(now, post);
    }

    /// Has the checkers look at what the engine has.
    #[inline]
    fn look(&self, now: u64, post: &mut Post<'_, S::Payload>) {
        if let (Some(witness), Some(torrent)) = (&self.witness, self.seat.torrent()) {
            witness.looks_at((now, self.id), torrent.have(), &mut post.tally.breaches);
        }
    }

    fn act(&mut self, now: u64, output: Output, stored: &mut Stored, post: &mut Post<'_, S::Payload>) {
        match output {
            Output::Send { conn, message } => self.send(now, conn.0, message, post),
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
        if self.disk.is_none() {
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
        let tainted = self.tainted.iter().any(|block| block.piece == piece);
        let world = post.world;
        let real = self
            .store
            .as_ref()
            .and_then(|store| store.check(world.model.content.real.as_ref(), &world.layout, piece));
        let ok = real.unwrap_or(!tainted);
        if tainted {
            self.tainted.retain(|block| block.piece != piece);
        }
        if ok {
            post.tally.holders[piece.0 as usize] += 1;
            if let Some(witness) = &mut self.witness {
                witness.proves((now, self.id), piece, &world.layout, &mut post.tally.breaches);
            }
        } else {
            self.record.bad_pieces += 1;
            if let Some(witness) = &mut self.witness {
                witness.loses(piece);
            }
        }
        ok
    }

    #[inline]
    fn send(&mut self, now: u64, conn: u16, message: Message, post: &mut Post<'_, S::Payload>) {
        let world = post.world;
        let len = message.wire_len();
        post.tally.message(message.kind(), len);
        if let Some(witness) = &mut self.witness {
            witness.sends((now, self.id), conn, &message, world, &mut post.tally.breaches);
        }
        debug_assert!(self.links[usize::from(conn)].state == State::Open);
        if let Message::Piece(block) = message {
            return self.send_block(now, conn, block, post);
        }
        let message = if self.up.holds {
            let Some(message) = self.hold(now, conn, message, post) else { return };
            message
        } else {
            message
        };
        self.send_small(now, conn, message, post);
    }

    /// Sends a message that carries no content.
    #[inline]
    pub(super) fn send_small(
        &mut self,
        now: u64,
        conn: u16,
        message: Message,
        post: &mut Post<'_, S::Payload>,
    ) {
        let fabric = &post.world.fabric;
        let rides = self.up.rides(conn, now);
        let leaves = self.up.small(now, fabric.frames.small(message.wire_len(), rides), fabric.queue_ns);
        let leaves = if self.up.holds {
            self.beat(leaves, self.links[usize::from(conn)].remote, &message)
        } else {
            leaves
        };
        let acks = match self.to_ack {
            // TCP acknowledges by itself where the client is slow to speak.
            Some((acked, acks)) if acked == conn && !self.up.holds => {
                self.to_ack = None;
                acks
            }
            _ => Acks::default(),
        };
        self.send_on(conn, leaves, acks, What::Message(message), post);
    }

    fn send_block(&mut self, now: u64, conn: u16, block: Block, post: &mut Post<'_, S::Payload>) {
        let world = post.world;
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
        let Some(link) = self.links.get(usize::from(conn)) else { return };
        if link.state != State::Open {
            return;
        }
        let world = post.world;
        // The bytes were charged with the block.
        let leaves = self.up.small(now, 0, world.fabric.queue_ns);
        self.send_on(conn, leaves, acks, What::Ack, post);
    }

    /// Sends something small on a connection, which leaves at a time.
    #[inline]
    fn send_on(&self, conn: u16, leaves: u64, acks: Acks, what: What, post: &mut Post<'_, S::Payload>) {
        let link = &self.links[usize::from(conn)];
        let mut at = leaves + post.world.latency(self.id, link.remote);
        if post.world.fabric.units > 1 {
            at = self.long.as_ref().map_or(at, |long| long.behind(at, conn));
        }
        post.send(at, Event { acks, ..Event::new(self.id, (link.remote, link.far), what) });
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
        self.post(at, (world.tracker(), 0), What::Announce(announce), S::Payload::default(), post);
    }
}
