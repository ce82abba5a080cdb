//! The bytes of announces, where they are recorded: what our own client and our own tracker would send. Nothing in a run reads
//! them.

use core::net::SocketAddr;

use swarmlab_protocol::Announce;
use swarmlab_protocol::tracker::{AnnounceQuery, AnnounceResponse, Answer, Counts, PeerList};

use crate::TrackerModel;
use crate::event::NodeId;
use crate::network::{addr_of, peer_id_of};
use crate::tracker::TORRENT;

/// The port that trackers listen at by habit.
const PORT: u16 = 6_969;

/// The request of a node to the tracker, as our client writes it.
pub(crate) fn request(node: NodeId, tracker: NodeId, announce: &Announce) -> Vec<u8> {
    let query = AnnounceQuery::of(announce, TORRENT, peer_id_of(node), addr_of(node).port(), node);
    let host = SocketAddr::new(addr_of(tracker).ip(), PORT);
    let agent = concat!("swarmlab/", env!("CARGO_PKG_VERSION"));
    let target = query.url("/announce");
    format!("GET {target} HTTP/1.1\r\nhost: {host}\r\nuser-agent: {agent}\r\nconnection: close\r\n\r\n")
        .into()
}

/// The body of the answer, as our tracker writes it.
pub(crate) fn reply(model: &TrackerModel, answer: &Answer<'_>) -> Vec<u8> {
    let Counts { complete, incomplete, downloaded } = answer.counts;
    let mut peers = Vec::new();
    answer.peers.compact(&mut peers);
    AnnounceResponse {
        min_interval: model.min_interval,
        complete: Some(complete),
        incomplete: Some(incomplete),
        downloaded: Some(downloaded),
        peers: PeerList::Compact { v4: peers, v6: Vec::new() },
        ..AnnounceResponse::new(model.interval)
    }
    .encode()
}
