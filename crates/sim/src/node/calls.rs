//! Opening and closing connections: a call and its answer (TCP), a handshake each way (BEP 3), then the engine knows.
//!
//! So a connection costs two round trips before the caller can send a peer message.

use swarmlab_protocol::{ConnId, Direction, Handshake, Input, Opened, Reserved};

use super::{Link, Node, State};
use crate::event::{NodeId, What};
use crate::network::{addr_of, peer_id_of};
use crate::post::Post;
use crate::store::Store;
use crate::window::Window;
use crate::world::World;

/// A call that nobody answers is given up after this time. libtorrent: 15 s (`peer_connect_timeout`).
const PATIENCE_US: u64 = 15_000_000;
/// Calls that are answered before the handshake, at most; the next is refused. The real listener: 64.
const MOST_CALLED: usize = 64;

impl<S: Store> Node<S> {
    pub(super) fn dial(&mut self, now: u64, to: NodeId, post: &mut Post<'_, S::Payload>) {
        let slot = self.take_slot(to, State::Calling, post.world);
        self.say(now, (to, 0), What::Call { slot }, 0, post);
    }

    /// Somebody calls.
    pub(super) fn called(&mut self, now: u64, from: NodeId, slot: u16, post: &mut Post<'_, S::Payload>) {
        if self.seat.is_empty() || self.nat || post.world.parted(now, from, self.id) {
            // Nobody answers, and the caller hears of it by waiting.
            let at = now + PATIENCE_US.max(post.world.fabric.lookahead());
            return self.post(at, (from, slot), || What::Refused, S::Payload::default(), post);
        }
        let waiting = self.links.iter().filter(|link| link.state == State::Called).count();
        if waiting >= MOST_CALLED {
            return self.say(now, (from, slot), What::Refused, 0, post);
        }
        let ours = self.take_slot(from, State::Called, post.world);
        self.links[usize::from(ours)].far = slot;
        self.say(now, (from, slot), What::Answer { slot: ours }, 0, post);
    }

    /// Our call was answered.
    pub(super) fn answered(
        &mut self,
        now: u64,
        from: NodeId,
        conn: u16,
        far: u16,
        post: &mut Post<'_, S::Payload>,
    ) {
        match self.links.get_mut(usize::from(conn)) {
            Some(link) if link.remote == from && link.state == State::Calling => {
                (link.far, link.state) = (far, State::Greeting);
                self.say(now, (from, far), What::Handshake, Handshake::LEN as u32, post);
            }
            // We have gone away meanwhile.
            _ => self.say(now, (from, far), What::Closed, 0, post),
        }
    }

    /// A handshake has come: the link is open on this side.
    pub(super) fn greeted(&mut self, now: u64, from: NodeId, conn: u16, post: &mut Post<'_, S::Payload>) {
        let Some(link) = self.links.get_mut(usize::from(conn)).filter(|link| link.remote == from) else {
            return;
        };
        let direction = match link.state {
            State::Called => Direction::Incoming,
            State::Greeting => Direction::Outgoing,
            State::Free | State::Calling | State::Open => return,
        };
        link.state = State::Open;
        let far = link.far;
        if direction == Direction::Incoming {
            self.say(now, (from, far), What::Handshake, Handshake::LEN as u32, post);
        }
        let group = usize::from(post.world.group_of[from as usize]);
        let reserved =
            if post.world.configs[group].fast_extension { Reserved::OURS } else { Reserved::default() };
        if let Some(witness) = &mut self.witness {
            witness.meets(conn);
        }
        let peer = Opened { addr: addr_of(from), direction, peer_id: peer_id_of(from), reserved };
        self.hand(now, Input::Opened { conn: ConnId(conn), peer: Box::new(peer) }, post);
        if self.is_open(conn, from) {
            self.grant(now, conn, post);
        }
    }

    /// The remote has closed the connection, or our call came to nothing. The end comes behind the blocks that wait at
    /// the downlink.
    pub(super) fn remote_closed(
        &mut self,
        now: u64,
        from: NodeId,
        conn: u16,
        post: &mut Post<'_, S::Payload>,
    ) {
        let behind = self.down.waiting.iter().rev().find(|waiting| waiting.conn == conn).map(|last| last.at);
        match behind {
            Some(_) if self.is_open(conn, from) => {
                let at = self.down.due().max(self.down.waiting.back().map_or(now, |last| last.at));
                self.down.waiting.push_back(crate::link::Waiting {
                    at,
                    conn,
                    from,
                    corrupt: false,
                    congested: false,
                    block: None,
                    payload: S::Payload::default(),
                });
            }
            _ => self.drop_link(now, conn, from, post),
        }
    }

    /// Takes a connection away that the remote has left.
    pub(super) fn drop_link(&mut self, now: u64, conn: u16, from: NodeId, post: &mut Post<'_, S::Payload>) {
        let Some(link) = self.links.get(usize::from(conn)).filter(|link| link.remote == from) else { return };
        let state = link.state;
        self.free_slot(conn);
        match state {
            State::Open => {
                self.hand(now, Input::Closed { conn: ConnId(conn) }, post);
            }
            State::Calling | State::Greeting => {
                self.hand(now, Input::ConnectFailed { addr: Box::new(addr_of(from)) }, post);
            }
            State::Free | State::Called => {}
        }
    }

    /// Our engine closes a connection.
    pub(super) fn hang_up(&mut self, now: u64, conn: u16, post: &mut Post<'_, S::Payload>) {
        let link = self.links[usize::from(conn)];
        self.free_slot(conn);
        self.say(now, (link.remote, link.far), What::Closed, 0, post);
    }

    /// Breaks every connection that fits, at both ends: the remote hears of it like of a close.
    pub(super) fn break_links(
        &mut self,
        now: u64,
        fits: impl Fn(NodeId) -> bool,
        post: &mut Post<'_, S::Payload>,
    ) {
        for conn in 0..self.links.len() as u16 {
            let link = self.links[usize::from(conn)];
            if link.state == State::Free || !fits(link.remote) {
                continue;
            }
            if link.state != State::Calling {
                self.say(now, (link.remote, link.far), What::Closed, 0, post);
            }
            self.drop_link(now, conn, link.remote, post);
        }
    }

    fn take_slot(&mut self, remote: NodeId, state: State, world: &World) -> u16 {
        let link = Link { remote, far: 0, state, committed: 0, in_flight: 0, window: Window::NEW };
        let free = self.links.iter().position(|link| link.state == State::Free);
        match free {
            Some(slot) => {
                if let Some(long) = self.seldom.long_mut() {
                    long.forget(slot as u16);
                }
                self.links[slot] = link;
                slot as u16
            }
            None => {
                if self.links.len() == self.links.capacity() {
                    self.links.reserve_exact(self.room(world));
                }
                self.links.push(link);
                (self.links.len() - 1) as u16
            }
        }
    }

    /// For how many more links there is to be room. In large swarms the connections are most of what a node costs: there is room for
    /// as many as there will be at once, since vectors that grow leave holes behind, and for few more at a time.
    fn room(&self, world: &World) -> usize {
        /// In larger ones it depends.
        const USUAL: usize = 64;
        if !self.links.is_empty() {
            return 1 + self.links.len() / 8;
        }
        let most = usize::from(world.configs[usize::from(self.group)].max_connections);
        most.min(world.group_of.len() - 1).clamp(1, USUAL)
    }

    fn free_slot(&mut self, conn: u16) {
        self.links[usize::from(conn)].state = State::Free;
        self.up.forget(conn);
        if let Some(behind) = self.seldom.behind_mut() {
            behind.forget(conn);
        }
    }

    /// Sends what belongs to a connection but is no peer message.
    fn say(
        &mut self,
        now: u64,
        (to, conn): (NodeId, u16),
        what: What,
        bytes: u32,
        post: &mut Post<'_, S::Payload>,
    ) {
        let fabric = &post.world.fabric;
        let leaves = self.up.small(now, bytes + fabric.frames.bare(), fabric.queue_ns);
        let at = leaves + post.world.latency(self.id, to);
        self.post(at, (to, conn), || what, S::Payload::default(), post);
    }
}
