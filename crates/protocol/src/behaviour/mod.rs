//! Odd clients: state machines around a [`Torrent`], with the same two methods, for any driver.
//!
//! What an honest client would never do is here and nowhere in the engine: an odd one sees the inputs before its torrent and
//! the outputs after it, and changes, drops or adds some. A driver runs a [`Node`], whatever is inside.

mod flooder;
mod liar;
mod opening;
mod super_seed;
#[cfg(test)]
mod tests;

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use crate::{Block, Config, Input, Instant, LeechChoker, Output, Random, Setup, Torrent};
use flooder::Flooder;
use liar::Liar;
use super_seed::SuperSeed;

/// Streams of random numbers from 100 on are those of odd clients; the engine's are below.
const STREAM: u64 = 100;

/// How a client behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Behaviour {
    /// As the engine does.
    Honest,
    /// Never unchokes anybody, and lets nobody ask for pieces while choked.
    FreeRider,
    /// Unchokes whoever returns most for the least: [`LeechChoker::BitTyrant`].
    BitTyrant,
    /// Sends every fourth block, by chance, with wrong content.
    Corrupter,
    /// Unchokes and takes requests, and never answers one.
    Staller,
    /// Says that it has half of the pieces it lacks, and refuses or ignores requests for them.
    Liar,
    /// Sends each remote a hundred useless messages in a second: requests for what it has, cancels, changes of interest.
    Flooder,
    /// A seed that shows each remote one piece at a time, until every piece is somewhere else (BEP 16). Other than a seed,
    /// it is honest.
    SuperSeed,
}

impl Behaviour {
    /// Every behaviour.
    pub const ALL: [Behaviour; 8] = [
        Behaviour::Honest,
        Behaviour::FreeRider,
        Behaviour::BitTyrant,
        Behaviour::Corrupter,
        Behaviour::Staller,
        Behaviour::Liar,
        Behaviour::Flooder,
        Behaviour::SuperSeed,
    ];

    /// Its name, as in scenarios.
    pub const fn name(self) -> &'static str {
        match self {
            Behaviour::Honest => "honest",
            Behaviour::FreeRider => "free-rider",
            Behaviour::BitTyrant => "bittyrant",
            Behaviour::Corrupter => "corrupter",
            Behaviour::Staller => "staller",
            Behaviour::Liar => "liar",
            Behaviour::Flooder => "flooder",
            Behaviour::SuperSeed => "super-seed",
        }
    }

    /// The behaviour of this name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|behaviour| behaviour.name() == name)
    }

    /// The configuration that this behaviour makes of another. Many nodes can share the result.
    pub fn configure(self, config: &Config) -> Config {
        let config = config.clone();
        match self {
            Behaviour::FreeRider => {
                Config { unchoke_slots: 0, optimistic_slots: 0, allowed_fast: 0, ..config }
            }
            Behaviour::BitTyrant => Config { choker: LeechChoker::BitTyrant, ..config },
            // A remote that was shown nothing new yet wants nothing, and must not be sent away for it.
            Behaviour::SuperSeed => Config { useless_after: Duration::MAX, allowed_fast: 0, ..config },
            _ => config,
        }
    }
}

/// A torrent that behaves in some way. An honest one costs nothing beyond its [`Torrent`].
#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // most nodes are honest, and theirs is not behind a pointer
pub enum Node {
    /// The engine as it is, or with another configuration: honest, free rider, BitTyrant.
    Plain(Torrent),
    /// Something stands between the engine and its driver.
    Odd(Box<Odd>),
}

/// A torrent with something between it and its driver.
#[derive(Debug)]
pub struct Odd {
    torrent: Torrent,
    trick: Trick,
}

#[derive(Debug)]
enum Trick {
    Corrupter(Random),
    Staller,
    Liar(Liar),
    Flooder(Flooder),
    SuperSeed(SuperSeed),
}

impl Node {
    /// A torrent that behaves so. The configuration of the setup is changed by [`Behaviour::configure`], unless it is
    /// changed already.
    pub fn new(behaviour: Behaviour, mut setup: Setup) -> Self {
        let config = behaviour.configure(&setup.config);
        if config != *setup.config {
            setup.config = Arc::new(config);
        }
        let trick = match behaviour {
            Behaviour::Honest | Behaviour::FreeRider | Behaviour::BitTyrant => {
                return Node::Plain(Torrent::new(setup));
            }
            Behaviour::Corrupter => Trick::Corrupter(Random::stream(setup.seed, STREAM)),
            Behaviour::Staller => Trick::Staller,
            Behaviour::Liar => Trick::Liar(Liar::new(&setup)),
            Behaviour::Flooder => Trick::Flooder(Flooder::new(&setup)),
            Behaviour::SuperSeed => Trick::SuperSeed(SuperSeed::new(&setup)),
        };
        Node::Odd(Box::new(Odd { torrent: Torrent::new(setup), trick }))
    }

    /// Takes one input and appends what is to be done to `out`: see [`Torrent::handle`].
    #[inline]
    pub fn handle(&mut self, now: Instant, input: Input, out: &mut Vec<Output>) {
        match self {
            Node::Plain(torrent) => torrent.handle(now, input, out),
            Node::Odd(odd) => odd.handle(now, input, out),
        }
    }

    /// When [`Input::Deadline`] is due, if ever: see [`Torrent::deadline`].
    #[inline]
    pub fn deadline(&self) -> Option<Instant> {
        match self {
            Node::Plain(torrent) => torrent.deadline(),
            Node::Odd(odd) => [odd.torrent.deadline(), odd.own_deadline()].into_iter().flatten().min(),
        }
    }

    /// The torrent inside.
    pub fn torrent(&self) -> &Torrent {
        match self {
            Node::Plain(torrent) => torrent,
            Node::Odd(odd) => &odd.torrent,
        }
    }

    /// Whether the block that is about to be sent gets wrong content. To be asked once for each [`Output::Send`] of a
    /// `Piece`, in order: a corrupter decides anew each time.
    pub fn corrupts(&mut self, _block: Block) -> bool {
        /// Every so many blocks, by chance. Ours: enough that no piece of usual size passes.
        const ONE_IN: u32 = 4;
        match self {
            Node::Odd(odd) => match &mut odd.trick {
                Trick::Corrupter(random) => random.below(ONE_IN) == 0,
                _ => false,
            },
            Node::Plain(_) => false,
        }
    }
}

impl Odd {
    fn handle(&mut self, now: Instant, input: Input, out: &mut Vec<Output>) {
        let torrent = &mut self.torrent;
        match &mut self.trick {
            Trick::Corrupter(_) => torrent.handle(now, input, out),
            // Without credit the engine keeps every request and sends no block.
            Trick::Staller => match input {
                Input::Writable { .. } => {}
                input => torrent.handle(now, input, out),
            },
            Trick::Liar(liar) => liar.handle(torrent, now, input, out),
            Trick::Flooder(flooder) => flooder.handle(torrent, now, input, out),
            Trick::SuperSeed(seed) => seed.handle(torrent, now, input, out),
        }
    }

    fn own_deadline(&self) -> Option<Instant> {
        match &self.trick {
            Trick::Flooder(flooder) => flooder.deadline(&self.torrent),
            Trick::SuperSeed(seed) => seed.deadline(),
            _ => None,
        }
    }
}
