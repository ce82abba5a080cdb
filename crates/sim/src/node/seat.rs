//! The place of an engine in a node: empty, or taken by a torrent as it is, or by one with something around it.
//!
//! What is in it is said by a word that lies first, in the line of the cache that every event needs anyway.

use swarmlab_protocol::behaviour::Node as Peer;
use swarmlab_protocol::{Block, Input, Instant, Output, Torrent};

/// A node's engine, if it is here.
#[derive(Debug, Default)]
#[repr(C, u64)]
#[allow(clippy::large_enum_variant)] // most engines are plain, and lie in their node
pub(super) enum Seat {
    #[default]
    Empty,
    Plain(Torrent),
    Odd(Box<Peer>),
}

impl Seat {
    pub(super) fn of(peer: Peer) -> Self {
        match peer {
            Peer::Plain(torrent) => Seat::Plain(torrent),
            odd => Seat::Odd(Box::new(odd)),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Seat::Empty)
    }

    /// Hands an input in; false if nobody is here to take it.
    pub(super) fn handle(&mut self, now: u64, input: Input, out: &mut Vec<Output>) -> bool {
        match self {
            Seat::Plain(torrent) => torrent.handle(Instant::from_micros(now), input, out),
            Seat::Odd(peer) => handle_odd(peer, now, input, out),
            Seat::Empty => return false,
        }
        true
    }

    /// When the engine has something to do by itself, in microseconds; `u64::MAX` is never.
    #[inline]
    pub(super) fn due(&self) -> u64 {
        let due = match self {
            Seat::Plain(torrent) => torrent.deadline(),
            Seat::Odd(peer) => peer.deadline(),
            Seat::Empty => None,
        };
        due.unwrap_or(Instant::NEVER).as_micros()
    }

    #[inline]
    pub(super) fn torrent(&self) -> Option<&Torrent> {
        match self {
            Seat::Plain(torrent) => Some(torrent),
            Seat::Odd(peer) => Some(peer.torrent()),
            Seat::Empty => None,
        }
    }

    /// Whether the block that is about to be sent gets wrong content: see [`Peer::corrupts`].
    #[inline]
    pub(super) fn corrupts(&mut self, block: Block) -> bool {
        match self {
            Seat::Odd(peer) => peer.corrupts(block),
            _ => false,
        }
    }
}

#[inline(never)]
fn handle_odd(peer: &mut Peer, now: u64, input: Input, out: &mut Vec<Output>) {
    peer.handle(Instant::from_micros(now), input, out);
}

const _: () = assert!(Instant::NEVER.as_micros() == u64::MAX);
