//! Small messages that wait behind content: a connection is one stream, and some clients put content into it long before
//! their link carries it ([`crate::Client::send_ahead`]).
//!
//! What the client has taken on is still in the engine's queue here, or in the uplink's: a message counts the blocks
//! before it, and goes when they have left.

use std::collections::VecDeque;

use swarmlab_protocol::{ConnId, Message, Random};

use super::Node;
use crate::Client;
use crate::event::NodeId;
use crate::post::Post;
use crate::store::Store;

/// The messages that wait, of all connections.
#[derive(Debug)]
pub(super) struct Behind {
    /// Time between two pulses of the client in microseconds; 0 if it does everything at once.
    pulse: u64,
    /// Blocks a client takes out of the requests of a connection ahead of time.
    most: u32,
    waiting: VecDeque<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    conn: u16,
    /// Blocks that leave before it.
    blocks: u32,
    message: Message,
}

impl Behind {
    /// What a client's messages wait for, if for anything.
    pub(super) fn new(client: &Client, block_len: u32) -> Option<Self> {
        let (most, pulse) = (client.send_ahead / block_len, client.pulse.as_micros() as u64);
        (most > 0 || pulse > 0).then(|| Behind { pulse, most, waiting: VecDeque::new() })
    }

    /// A connection is gone.
    pub(super) fn forget(&mut self, conn: u16) {
        self.waiting.retain(|waiting| waiting.conn != conn);
    }
}

/// The next pulse of a node at or after a time. Each has its own beat.
fn next_pulse(at: u64, pulse: u64, node: NodeId) -> u64 {
    let beat = Random::stream(u64::from(node), pulse).bits() % pulse;
    at + (beat + pulse - at % pulse) % pulse
}

impl<S: Store> Node<S> {
    /// When a message that could leave at a time does leave, so that a remote of the same kind acts on it when it comes: a
    /// client with a pulse says nothing between two, and answers a request with the next of its own.
    pub(super) fn beat(&self, leaves: u64, to: NodeId, message: &Message) -> u64 {
        let pulse = self.seldom.behind().map_or(0, |behind| behind.pulse);
        if pulse == 0 {
            return leaves;
        }
        // A pulse begins a batch, and the next one sends it.
        let leaves = next_pulse(leaves, pulse, self.id) + pulse;
        if matches!(message, Message::Request(_)) { next_pulse(leaves, pulse, to) } else { leaves }
    }

    /// Blocks that leave before what is said now on this connection.
    fn before(&self, conn: u16, most: u32) -> u32 {
        let queued = self.seat.torrent().map_or(0, |torrent| torrent.queued(ConnId(conn)));
        self.up.queued(conn) + u32::from(queued).min(most)
    }

    /// Holds a message back while content is before it; gives it back if none is.
    #[inline(never)] // most clients have no use for it
    pub(super) fn hold(
        &mut self,
        now: u64,
        conn: u16,
        message: Message,
        post: &mut Post<'_, S::Payload>,
    ) -> Option<Message> {
        let most = self.seldom.behind()?.most;
        let blocks = self.before(conn, most);
        if blocks == 0 {
            self.release(now, conn, true, post);
            return Some(message);
        }
        self.seldom.behind_mut()?.waiting.push_back(Waiting { conn, blocks, message });
        None
    }

    /// Content has left on a connection (`block`), or was withdrawn: what waited for it alone goes.
    pub(super) fn pass(&mut self, now: u64, conn: u16, block: bool, post: &mut Post<'_, S::Payload>) {
        let Some(behind) = self.seldom.behind_mut() else { return };
        let mut any = false;
        for waiting in behind.waiting.iter_mut().filter(|waiting| waiting.conn == conn) {
            waiting.blocks = waiting.blocks.saturating_sub(u32::from(block));
            any = true;
        }
        let most = behind.most;
        if any {
            let all = self.before(conn, most) == 0;
            self.release(now, conn, all, post);
        }
    }

    fn release(&mut self, now: u64, conn: u16, all: bool, post: &mut Post<'_, S::Payload>) {
        let mut at = 0;
        while let Some(behind) = self.seldom.behind_mut() {
            let Some(waiting) = behind.waiting.get(at) else { return };
            if waiting.conn != conn || (waiting.blocks > 0 && !all) {
                at += 1;
            } else if let Some(waiting) = behind.waiting.remove(at) {
                self.send_late(now, conn, waiting.message, post);
            }
        }
    }
}
