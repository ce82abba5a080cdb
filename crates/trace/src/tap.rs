//! Records of what passes the boundary of an engine. Every driver uses these, so that all worlds record the same.
//!
//! A driver looks at the input before it hands it in, and at the outputs before it carries them out. What an engine cannot
//! know it adds itself: joins and leaves, and the bytes of announces.

use std::net::SocketAddr;

use swarmlab_protocol::{self as protocol, AnnounceFailure, Announced, Input, Note, Output};

use crate::{Announce, Closing, NodeId, Opened, Outcome, Record, Reply};

/// The number of the node at an address; with what it said of itself where a link to it has opened.
pub type Number<'a> = &'a mut dyn FnMut(SocketAddr, Option<&protocol::Opened>) -> NodeId;

/// What an input is in the trace of this node, if it is in it. What comes of announces is left to [`reply`].
#[inline]
pub fn of_input(node: NodeId, input: &Input, number: Number<'_>) -> Option<Record> {
    Some(match input {
        Input::Message { conn, message } => Record::Received { node, conn: *conn, message: message.clone() },
        Input::Opened { conn, peer } => Record::Opened(Box::new(Opened {
            node,
            conn: *conn,
            remote: number(peer.addr, Some(peer)),
            direction: peer.direction,
            reserved: peer.reserved,
        })),
        Input::Closed { conn } => Record::Closed { node, conn: *conn, reason: Closing::Remote },
        Input::ConnectFailed { addr } => Record::DialFailed { node, remote: number(**addr, None) },
        Input::Verified { piece, ok } => Record::Verified { node, piece: *piece, ok: *ok },
        Input::Writable { .. }
        | Input::Announced(_)
        | Input::Peers { .. }
        | Input::DiskFailed { .. }
        | Input::ReadFailed { .. }
        | Input::Congested { .. }
        | Input::Stop
        | Input::Deadline => return None,
    })
}

/// What an output is in the trace of this node, if it is in it. Announces are left to [`announce`].
#[inline]
pub fn of_output(node: NodeId, output: &Output, number: Number<'_>) -> Option<Record> {
    Some(match output {
        Output::Send { conn, message } => Record::Sent { node, conn: *conn, message: message.clone() },
        Output::Connect { addr } => Record::Dial { node, remote: number(**addr, None) },
        Output::Close { conn, reason } => Record::Closed { node, conn: *conn, reason: Closing::By(*reason) },
        Output::Completed => Record::Completed { node },
        Output::Note(note) => of_note(node, note),
        Output::Store { .. } | Output::Verify { .. } | Output::Announce(_) | Output::Stopped => return None,
    })
}

fn of_note(node: NodeId, note: &Note) -> Record {
    match *note {
        Note::Unchoked { conn, reason } => Record::Unchoked { node, conn, reason },
        Note::Choked { conn, reason } => Record::Choked { node, conn, reason },
        Note::Picked { conn, piece, reason, availability } => {
            Record::Picked { node, conn, piece, reason, availability }
        }
        Note::Snubbed { conn } => Record::Snubbed { node, conn },
        Note::Banned { conn, piece } => Record::Banned { node, conn, piece },
        Note::Endgame => Record::Endgame { node },
    }
}

/// An announce, with the bytes of its request.
pub fn announce(node: NodeId, announce: &protocol::Announce, bytes: Vec<u8>) -> Record {
    Record::Announce(Box::new(Announce {
        node,
        tracker: announce.tracker.0,
        event: announce.event,
        uploaded: announce.uploaded,
        downloaded: announce.downloaded,
        left: announce.left,
        bytes,
    }))
}

/// What came of an announce, with the bytes of the reply if there were any.
pub fn reply(node: NodeId, announced: &Announced, bytes: Vec<u8>) -> Record {
    let (outcome, interval, peers) = match &announced.outcome {
        Ok(reply) => (Outcome::Answered, reply.interval.as_secs(), reply.peers.len() as u64),
        Err(AnnounceFailure::Unreachable) => (Outcome::Unreachable, 0, 0),
        Err(AnnounceFailure::Refused) => (Outcome::Refused, 0, 0),
    };
    Record::Reply(Box::new(Reply { node, tracker: announced.tracker.0, outcome, interval, peers, bytes }))
}
