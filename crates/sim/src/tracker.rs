//! The tracker as a node: the table of `swarmlab_protocol::tracker` behind a latency, with outages.

use core::time::Duration;

use swarmlab_protocol::tracker::{Attendance, Limits, Table};
use swarmlab_protocol::{Announce, AnnounceFailure, AnnounceReply, Announced, InfoHash, Instant};
use swarmlab_trace::Level;

use crate::draw::{Purpose, stream};
use crate::event::{Answer, Event, NodeId, What};
use crate::hash::Hash;
use crate::http;
use crate::network::{addr_of, peer_id_of};
use crate::post::Post;

/// An announce that is not answered is given up after this time. Our real client: 15 s.
const PATIENCE_US: u64 = 15_000_000;
/// The info hash of the one torrent there is.
pub const TORRENT: InfoHash = InfoHash(*b"a simulated torrent.");

/// The tracker.
#[derive(Debug)]
pub(crate) struct Tracker {
    id: NodeId,
    table: Table,
    hash: Hash,
}

impl Tracker {
    pub(crate) fn new(id: NodeId, seed: u64, interval: Duration, nodes: u32) -> Self {
        let limits = Limits { lifetime: interval * 2 + Duration::from_secs(300), torrents: 1, peers: nodes };
        let seed = stream(seed, u64::from(id), Purpose::Tracker).bits();
        Tracker { id, table: Table::new(limits, seed), hash: Hash::new(id) }
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash.value()
    }

    /// Takes an announce and answers it.
    pub(crate) fn receive<P: Default>(&mut self, now: u64, event: &mut Event<P>, post: &mut Post<'_, P>) {
        self.hash.event(now, event);
        let What::Announce(announce) = std::mem::replace(&mut event.what, What::Ack) else { return };
        let fabric = &post.world.fabric;
        let down = post.world.tracker_is_down(now);
        let mut bytes = Vec::new();
        let (at, outcome) = if down {
            post.tally.tracker.unanswered += 1;
            // The client waits in vain from the moment it began to connect.
            (
                now + PATIENCE_US.saturating_sub(3 * fabric.tracker_us).max(fabric.tracker_us),
                Err(AnnounceFailure::Unreachable),
            )
        } else {
            (now + fabric.tracker_us, Ok(self.reply((now, event.from), &announce, &mut bytes, post)))
        };
        let announced = Announced { tracker: announce.tracker, event: announce.event, outcome };
        let answer = Answer { announced, bytes };
        post.send(at, || Event::new(self.id, (event.from, 0), What::Announced(Box::new(answer))));
    }

    fn reply<P>(
        &mut self,
        (at, from): (u64, NodeId),
        announce: &Announce,
        bytes: &mut Vec<u8>,
        post: &mut Post<'_, P>,
    ) -> AnnounceReply {
        let model = &post.world.model.tracker;
        let attendance = Attendance {
            info_hash: TORRENT,
            addr: addr_of(from),
            peer_id: peer_id_of(from),
            seed: announce.left == 0,
            event: announce.event,
            numwant: u32::from(announce.numwant).min(model.numwant),
        };
        let answer = self.table.announce(Instant::from_micros(at), &attendance);
        if let (Ok(answer), Level::Messages) = (&answer, post.world.level(from)) {
            *bytes = http::reply(model, answer);
        }
        let peers: Vec<_> =
            answer.map(|answer| answer.peers.iter().map(|(addr, _)| addr).collect()).unwrap_or_default();
        post.tally.tracker.announces += 1;
        post.tally.tracker.peers_given += peers.len() as u64;
        AnnounceReply { interval: model.interval, min_interval: model.min_interval, peers }
    }
}
