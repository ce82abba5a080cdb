//! Records as bytes.

use std::net::SocketAddr;

use crate::bytes::{put, put_bytes};
use crate::{Announce, Fault, Join, Opened, Pieces, Record, Reply, Sample, code, message};

/// Kinds of records.
pub(crate) mod kind {
    pub(crate) const JOIN: u8 = 1;
    pub(crate) const LEAVE: u8 = 2;
    pub(crate) const DIAL: u8 = 3;
    pub(crate) const DIAL_FAILED: u8 = 4;
    pub(crate) const OPENED: u8 = 5;
    pub(crate) const CLOSED: u8 = 6;
    pub(crate) const SENT: u8 = 16;
    pub(crate) const RECEIVED: u8 = 17;
    pub(crate) const UNCHOKED: u8 = 32;
    pub(crate) const CHOKED: u8 = 33;
    pub(crate) const PICKED: u8 = 34;
    pub(crate) const SNUBBED: u8 = 35;
    pub(crate) const BANNED: u8 = 36;
    pub(crate) const ENDGAME: u8 = 37;
    pub(crate) const VERIFIED: u8 = 48;
    pub(crate) const COMPLETED: u8 = 49;
    pub(crate) const ANNOUNCE: u8 = 56;
    pub(crate) const REPLY: u8 = 57;
    pub(crate) const FAULT: u8 = 64;
    pub(crate) const SAMPLE: u8 = 65;
    pub(crate) const LOST: u8 = 80;
}

/// Appends the kind of a record and its fields.
pub(crate) fn write(out: &mut Vec<u8>, record: &Record) {
    match record {
        Record::Sent { node, conn, message } => {
            begin(out, kind::SENT, &[(*node).into(), conn.0.into()]);
            message::write(out, message);
        }
        Record::Received { node, conn, message } => {
            begin(out, kind::RECEIVED, &[(*node).into(), conn.0.into()]);
            message::write(out, message);
        }
        Record::Join(join) => write_join(out, join),
        Record::Leave { node, why } => {
            begin(out, kind::LEAVE, &[(*node).into()]);
            out.push(code::DEPARTURES.number(*why));
        }
        Record::Dial { node, remote } => begin(out, kind::DIAL, &[(*node).into(), (*remote).into()]),
        Record::DialFailed { node, remote } => {
            begin(out, kind::DIAL_FAILED, &[(*node).into(), (*remote).into()]);
        }
        Record::Opened(opened) => write_opened(out, opened),
        Record::Closed { node, conn, reason } => {
            begin(out, kind::CLOSED, &[(*node).into(), conn.0.into()]);
            out.push(code::CLOSINGS.number(*reason));
        }
        Record::Unchoked { node, conn, reason } => {
            begin(out, kind::UNCHOKED, &[(*node).into(), conn.0.into()]);
            out.push(code::UNCHOKES.number(*reason));
        }
        Record::Choked { node, conn, reason } => {
            begin(out, kind::CHOKED, &[(*node).into(), conn.0.into()]);
            out.push(code::CHOKES.number(*reason));
        }
        Record::Picked { node, conn, piece, reason, availability } => {
            begin(out, kind::PICKED, &[(*node).into(), conn.0.into(), piece.0.into()]);
            out.push(code::PICKS.number(*reason));
            put(out, (*availability).into());
        }
        Record::Snubbed { node, conn } => begin(out, kind::SNUBBED, &[(*node).into(), conn.0.into()]),
        Record::Banned { node, conn, piece } => {
            begin(out, kind::BANNED, &[(*node).into(), conn.0.into(), piece.0.into()]);
        }
        Record::Endgame { node } => begin(out, kind::ENDGAME, &[(*node).into()]),
        Record::Verified { node, piece, ok } => {
            begin(out, kind::VERIFIED, &[(*node).into(), piece.0.into()]);
            out.push((*ok).into());
        }
        Record::Completed { node } => begin(out, kind::COMPLETED, &[(*node).into()]),
        Record::Announce(announce) => write_announce(out, announce),
        Record::Reply(reply) => write_reply(out, reply),
        Record::Fault(fault) => write_fault(out, fault),
        Record::Sample(sample) => {
            out.push(kind::SAMPLE);
            write_sample(out, sample);
        }
        Record::Lost(count) => begin(out, kind::LOST, &[*count]),
    }
}

#[inline]
fn begin<const N: usize>(out: &mut Vec<u8>, kind: u8, fields: &[u64; N]) {
    out.push(kind);
    fields.iter().for_each(|&field| put(out, field));
}

fn write_join(out: &mut Vec<u8>, join: &Join) {
    begin(out, kind::JOIN, &[join.node.into(), join.group.into()]);
    out.push(code::LEVELS.number(join.level));
    out.extend_from_slice(&join.peer_id.0);
    out.extend_from_slice(&join.reserved.0);
    write_addr(out, join.addr);
    put(out, join.up);
    put(out, join.down);
    write_pieces(out, &join.pieces);
}

/// Appends an address.
pub(crate) fn write_addr(out: &mut Vec<u8>, addr: SocketAddr) {
    match addr {
        SocketAddr::V4(addr) => {
            out.push(4);
            out.extend_from_slice(&addr.ip().octets());
        }
        SocketAddr::V6(addr) => {
            out.push(6);
            out.extend_from_slice(&addr.ip().octets());
        }
    }
    out.extend_from_slice(&addr.port().to_be_bytes());
}

/// Appends a set of pieces.
pub(crate) fn write_pieces(out: &mut Vec<u8>, pieces: &Pieces) {
    match pieces {
        Pieces::None => out.push(0),
        Pieces::All => out.push(1),
        Pieces::Some(have) => {
            out.push(2);
            put_bytes(out, &have.to_wire());
        }
    }
}

fn write_opened(out: &mut Vec<u8>, opened: &Opened) {
    begin(out, kind::OPENED, &[opened.node.into(), opened.conn.0.into(), opened.remote.into()]);
    out.push(code::DIRECTIONS.number(opened.direction));
    out.extend_from_slice(&opened.reserved.0);
}

fn write_announce(out: &mut Vec<u8>, announce: &Announce) {
    begin(out, kind::ANNOUNCE, &[announce.node.into(), announce.tracker.into()]);
    out.push(code::EVENTS.number(announce.event));
    put(out, announce.uploaded);
    put(out, announce.downloaded);
    put(out, announce.left);
    put_bytes(out, &announce.bytes);
}

fn write_reply(out: &mut Vec<u8>, reply: &Reply) {
    begin(out, kind::REPLY, &[reply.node.into(), reply.tracker.into()]);
    out.push(code::OUTCOMES.number(reply.outcome));
    put(out, reply.interval);
    put(out, reply.peers);
    put_bytes(out, &reply.bytes);
}

fn write_fault(out: &mut Vec<u8>, fault: &Fault) {
    out.extend_from_slice(&[kind::FAULT, code::FAULTS.number(fault.kind), code::PHASES.number(fault.phase)]);
    put(out, fault.group.map_or(0, |group| u64::from(group) + 1));
    put_bytes(out, fault.text.as_bytes());
}

/// Appends the fields of a sample.
pub(crate) fn write_sample(out: &mut Vec<u8>, sample: &Sample) {
    put(out, sample.rarest);
    put(out, sample.announces);
    put(out, sample.up);
    put(out, sample.groups.len() as u64);
    for group in &sample.groups {
        for number in [group.leechers, group.seeds, group.completed, group.uploaded, group.downloaded] {
            put(out, number);
        }
    }
}
