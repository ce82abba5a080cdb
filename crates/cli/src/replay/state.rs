//! The state of a swarm at a moment as a JSON document.

use serde::Serialize;
use swarmlab_trace::{Header, Link, Node, Pieces, State, Word, code};

use super::lines::group_name;

/// `replay-state/1`.
#[derive(Serialize)]
pub(crate) struct Document {
    name: String,
    /// The moment asked for, in microseconds, and the time of the last record before it.
    at_us: u64,
    last_record_us: u64,
    piece_count: u32,
    nodes: Vec<NodeRow>,
}

#[derive(Serialize)]
struct NodeRow {
    node: u32,
    group: String,
    level: &'static str,
    present: bool,
    complete: bool,
    joined_us: u64,
    completed_us: Option<u64>,
    left_us: Option<u64>,
    peer_id: String,
    address: String,
    pieces: u32,
    /// In hexadecimal digits as on the wire, where it is neither none nor all.
    bitfield: Option<String>,
    sent: u64,
    received: u64,
    links: Vec<LinkRow>,
}

#[derive(Serialize)]
struct LinkRow {
    conn: u16,
    remote: u32,
    direction: &'static str,
    opened_us: u64,
    we_choke: bool,
    we_interested: bool,
    remote_chokes: bool,
    remote_interested: bool,
    snubbed: bool,
    /// The last decision about the remote and why, if there was one.
    decision: Option<String>,
    sent: u64,
    received: u64,
    /// Piece, offset and length of each request.
    outstanding: Vec<[u32; 3]>,
}

/// The document of a state at this time.
pub(crate) fn document(header: &Header, state: &State, at_us: u64) -> Document {
    Document {
        name: header.name.clone(),
        at_us,
        last_record_us: state.at(),
        piece_count: state.piece_count(),
        nodes: state.nodes().map(|node| node_row(header, state, node)).collect(),
    }
}

fn node_row(header: &Header, state: &State, node: &Node) -> NodeRow {
    NodeRow {
        node: node.number,
        group: group_name(header, node.group).to_owned(),
        level: code::LEVELS.name(node.level),
        present: node.present,
        complete: node.complete,
        joined_us: node.joined_at,
        completed_us: node.completed_at,
        left_us: node.left_at,
        peer_id: node.peer_id.to_string(),
        address: node.addr.to_string(),
        pieces: node.pieces.count(state.piece_count()),
        bitfield: match &node.pieces {
            Pieces::Some(have) => Some(have.to_wire().iter().map(|byte| format!("{byte:02x}")).collect()),
            Pieces::None | Pieces::All => None,
        },
        sent: node.sent,
        received: node.received,
        links: node.links.iter().map(link_row).collect(),
    }
}

fn link_row(link: &Link) -> LinkRow {
    LinkRow {
        conn: link.conn.0,
        remote: link.remote,
        direction: code::DIRECTIONS.name(link.direction),
        opened_us: link.opened_at,
        we_choke: link.we_choke,
        we_interested: link.we_interested,
        remote_chokes: link.remote_chokes,
        remote_interested: link.remote_interested,
        snubbed: link.snubbed,
        decision: match link.word {
            Word::Silent => None,
            Word::Unchoked(reason) => Some(format!("unchoked: {}", code::UNCHOKES.name(reason))),
            Word::Choked(reason) => Some(format!("choked: {}", code::CHOKES.name(reason))),
        },
        sent: link.sent,
        received: link.received,
        outstanding: link.outstanding.iter().map(|block| [block.piece.0, block.begin, block.len]).collect(),
    }
}
