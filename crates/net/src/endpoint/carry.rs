//! What reaches the endpoint's task becomes inputs of the engine, and its outputs are carried out.

use swarmlab_protocol::{Direction, Input, Message, Output};
use tracing::{debug, trace};

use super::Command;
use super::announcer::Answer;
use super::run::Driver;
use super::snapshot::Phase;
use crate::conn::{Batch, Key, LinkEvent, Opening, dial};
use crate::disk::{DiskEvent, WriteJob};

impl Driver {
    /// A link says something.
    pub(super) fn link_event(&mut self, event: LinkEvent) {
        match event {
            LinkEvent::Received { key, batch } => self.batch(key, batch),
            LinkEvent::Wrote { key, blocks, bytes } => self.wrote(key, blocks, bytes),
            LinkEvent::Broken { key, why } => self.broken(key, &why),
        }
    }

    /// Messages that arrived together. Their blocks go to the disk together.
    fn batch(&mut self, key: Key, batch: Batch) {
        let mut payloads = batch.payloads.into_iter();
        for message in batch.messages {
            if self.slots.current(key).is_none() {
                break;
            }
            trace!(conn = %key.conn, ?message, "received");
            self.received.add(message.kind());
            self.payload = if matches!(message, Message::Piece(_)) { payloads.next() } else { None };
            self.hand_in(Input::Message { conn: key.conn, message });
        }
        self.payload = None;
        if !self.stores.is_empty() {
            let blocks = std::mem::take(&mut self.stores);
            self.disk.write(WriteJob::Store { blocks, permit: batch.permit });
        }
        for piece in self.verifies.drain(..) {
            self.disk.write(WriteJob::Verify(piece));
        }
    }

    /// Blocks have left for the socket: their credit comes back, at once or as the limit allows.
    fn wrote(&mut self, key: Key, blocks: u32, bytes: u64) {
        let Some(taken) = self.slots.current(key) else { return };
        taken.note_sent(bytes);
        let Some(limit) = &mut self.upload else {
            let blocks = blocks.min(u16::MAX.into()) as u16;
            return self.hand_in(Input::Writable { conn: key.conn, blocks });
        };
        let each = (bytes / u64::from(blocks.max(1))) as u32;
        for _ in 0..blocks {
            if let Some(unpaid) = taken.unpaid.checked_sub(1) {
                taken.unpaid = unpaid;
                limit.charge(each);
            }
            limit.push(key, each);
        }
    }

    fn broken(&mut self, key: Key, why: &str) {
        if self.slots.current(key).is_some() {
            debug!(conn = %key.conn, why, "link broken");
            self.slots.close(key.conn);
            self.hand_in(Input::Closed { conn: key.conn });
        }
    }

    /// The disk says something.
    pub(super) fn disk_event(&mut self, event: DiskEvent) {
        match event {
            DiskEvent::Verified { piece, ok } => self.hand_in(Input::Verified { piece, ok }),
            DiskEvent::StoreFailed { piece, error } => {
                self.hand_in(Input::DiskFailed { piece });
                self.fail(error);
            }
            DiskEvent::ReadFailed { key, block, error } => {
                self.last_error = Some(error.to_string());
                if self.slots.current(key).is_some() {
                    self.hand_in(Input::ReadFailed { conn: key.conn, block });
                    // The credit was not used.
                    self.hand_in(Input::Writable { conn: key.conn, blocks: 1 });
                }
            }
        }
    }

    /// A link has come to be, or has not.
    pub(super) fn opening(&mut self, opening: Opening) {
        while self.helpers.try_join_next().is_some() {}
        let fresh = match opening {
            Opening::Done(fresh) => fresh,
            Opening::Failed { addr, why } => {
                debug!(%addr, %why, "not connected");
                return self.hand_in(Input::ConnectFailed { addr: Box::new(addr) });
            }
        };
        let peer = Box::new(fresh.peer);
        if peer.direction == Direction::Incoming && self.slots.opened_from(peer.addr.ip()) >= self.most_of_one
        {
            debug!(addr = %peer.addr, "refused: one address has many links already");
            return;
        }
        let Some(key) = self.slots.open(fresh.socket, fresh.rest, &peer, &self.shared) else { return };
        debug!(conn = %key.conn, addr = %peer.addr, peer_id = %peer.peer_id, "link open");
        self.hand_in(Input::Opened { conn: key.conn, peer });
        let credit = self.credit;
        if let Some(taken) = self.slots.current(key) {
            taken.unpaid = credit;
            self.hand_in(Input::Writable { conn: key.conn, blocks: credit });
        }
    }

    /// A tracker has answered, or has not.
    pub(super) fn answer(&mut self, answer: Answer) {
        let at = self.now().since(swarmlab_protocol::Instant::START);
        let announced = self.announcer.answered(at, answer);
        debug!(?announced, "announced");
        self.hand_in(Input::Announced(Box::new(announced)));
    }

    /// The handle says something.
    pub(super) fn command(&mut self, command: Command) {
        match command {
            Command::AddPeers(peers) => {
                let source = swarmlab_protocol::PeerSource::User;
                self.hand_in(Input::Peers { source, list: peers.into() });
            }
            Command::Stop => self.leave(),
        }
    }

    /// Hands one input to the engine and does what it asks for.
    pub(super) fn hand_in(&mut self, input: Input) {
        let now = self.now();
        let mut out = std::mem::take(&mut self.out);
        if let Some(tap) = &self.tap {
            tap.input(&input);
        }
        self.torrent.handle(now, input, &mut out);
        if let Some(tap) = &self.tap {
            tap.outputs(&out);
        }
        out.drain(..).for_each(|output| self.carry_out(output));
        self.out = out;
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Send { conn, message } => {
                trace!(%conn, ?message, "send");
                self.sent.add(message.kind());
                self.slots.send(conn, &message);
            }
            Output::Store { conn, block } => {
                let Some(bytes) = self.payload.take() else { return };
                if let Some(taken) = self.slots.get(conn) {
                    taken.note_received(bytes.len() as u64);
                }
                self.stores.push((block, bytes));
            }
            Output::Verify { piece } => self.verifies.push(piece),
            Output::Close { conn, reason } => {
                debug!(%conn, ?reason, "link closed");
                self.slots.close(conn);
            }
            Output::Connect { addr } => {
                let (from, ours, openings) = (self.from, self.ours, self.openings.clone());
                self.helpers.spawn(async move {
                    let opening = match dial(*addr, from, ours).await {
                        Ok(fresh) => Opening::Done(Box::new(fresh)),
                        Err(why) => Opening::Failed { addr: *addr, why },
                    };
                    _ = openings.send(opening).await;
                });
            }
            Output::Announce(announce) => self.announcer.announce(*announce),
            Output::Completed => {
                self.completed_after = Some(self.now().since(swarmlab_protocol::Instant::START));
                self.show(self.now());
            }
            Output::Stopped => self.phase = Phase::Stopped,
            Output::Note(note) => debug!(?note, "note"),
        }
    }

    /// Hands everything queued to sockets and disk.
    pub(super) fn flush(&mut self) {
        for key in self.slots.flush(&self.disk) {
            self.broken(key, "the remote does not read");
        }
    }
}
