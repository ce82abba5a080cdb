//! The state machine of one torrent at one endpoint: routes each input to the part that decides.

use alloc::sync::Arc;
use alloc::vec::Vec;

use swarmlab_metainfo::Layout;

use crate::{Bitfield, Config, Input, Instant, Output, PeerId};

/// What a [`Torrent`] begins with.
#[derive(Clone, Debug)]
pub struct Setup {
    /// How the content is cut.
    pub layout: Arc<Layout>,
    /// How to behave.
    pub config: Arc<Config>,
    /// Our peer id, the one in our handshakes.
    pub peer_id: PeerId,
    /// The pieces that are here and checked.
    pub have: Bitfield,
    /// Number of trackers in each tier (BEP 12), in the torrent's order.
    pub tiers: Vec<u16>,
    /// Of everything drawn at random.
    pub seed: u64,
}

/// The state machine of one torrent at one endpoint.
#[derive(Debug)]
pub struct Torrent {
    have: Bitfield,
}

impl Torrent {
    /// A torrent that has not joined the swarm yet: the first [`Input::Deadline`] at its [`deadline`](Self::deadline)
    /// starts it.
    pub fn new(setup: Setup) -> Self {
        Torrent { have: setup.have }
    }

    /// Takes one input and appends what is to be done to `out`. Cannot fail.
    pub fn handle(&mut self, now: Instant, input: Input, out: &mut Vec<Output>) {
        let _ = (now, input, out);
    }

    /// When [`Input::Deadline`] is due, if ever. Asked again after each `handle`.
    pub fn deadline(&self) -> Option<Instant> {
        None
    }

    /// The pieces that are here and checked.
    pub fn have(&self) -> &Bitfield {
        &self.have
    }
}
