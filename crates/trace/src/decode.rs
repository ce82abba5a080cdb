//! Bytes as records. Every field is checked where it is read.

use std::net::{IpAddr, SocketAddr};

use swarmlab_protocol::{ConnId, PeerId, Reserved};

use crate::bytes::{Cursor, Flaw};
use crate::code::{self, Table};
use crate::encode::kind;
use crate::message::{self, piece, read_set};
use crate::state::MOST_NODES;
use crate::{Announce, Fault, GroupSample, Join, NodeId, Opened, Pieces, Record, Reply, Sample};

/// Reads a record of a run about content of so many pieces.
pub(crate) fn read(cursor: &mut Cursor<'_>, pieces: u32) -> Result<Record, Flaw> {
    let kind = cursor.byte("the kind of a record")?;
    Ok(match kind {
        kind::SENT => {
            Record::Sent { node: node(cursor)?, conn: conn(cursor)?, message: message::read(cursor, pieces)? }
        }
        kind::RECEIVED => Record::Received {
            node: node(cursor)?,
            conn: conn(cursor)?,
            message: message::read(cursor, pieces)?,
        },
        kind::JOIN => Record::Join(Box::new(join(cursor, pieces)?)),
        kind::LEAVE => Record::Leave {
            node: node(cursor)?,
            why: coded(cursor, &code::DEPARTURES, "why a node has gone")?,
        },
        kind::DIAL => Record::Dial { node: node(cursor)?, remote: node(cursor)? },
        kind::DIAL_FAILED => Record::DialFailed { node: node(cursor)?, remote: node(cursor)? },
        kind::OPENED => Record::Opened(Box::new(opened(cursor)?)),
        kind::CLOSED => Record::Closed {
            node: node(cursor)?,
            conn: conn(cursor)?,
            reason: coded(cursor, &code::CLOSINGS, "why a link was closed")?,
        },
        kind::UNCHOKED..=kind::ENDGAME => decision(kind, cursor)?,
        kind::VERIFIED => Record::Verified { node: node(cursor)?, piece: piece(cursor)?, ok: flag(cursor)? },
        kind::COMPLETED => Record::Completed { node: node(cursor)? },
        kind::ANNOUNCE => Record::Announce(Box::new(announce(cursor)?)),
        kind::REPLY => Record::Reply(Box::new(reply(cursor)?)),
        kind::FAULT => Record::Fault(Box::new(fault(cursor)?)),
        kind::SAMPLE => Record::Sample(Box::new(sample(cursor)?)),
        kind::LOST => Record::Lost(cursor.number("how many records were lost")?),
        _ => return Err(cursor.flaw(1, "the kind of a record")),
    })
}

/// Reads what the engine decided.
fn decision(kind: u8, cursor: &mut Cursor<'_>) -> Result<Record, Flaw> {
    let node = node(cursor)?;
    if kind == kind::ENDGAME {
        return Ok(Record::Endgame { node });
    }
    let conn = conn(cursor)?;
    Ok(match kind {
        kind::UNCHOKED => {
            Record::Unchoked { node, conn, reason: coded(cursor, &code::UNCHOKES, "a reason to unchoke")? }
        }
        kind::CHOKED => {
            Record::Choked { node, conn, reason: coded(cursor, &code::CHOKES, "a reason to choke")? }
        }
        kind::PICKED => Record::Picked {
            node,
            conn,
            piece: piece(cursor)?,
            reason: coded(cursor, &code::PICKS, "a reason to pick a piece")?,
            availability: cursor.small("an availability")?,
        },
        kind::SNUBBED => Record::Snubbed { node, conn },
        _ => Record::Banned { node, conn, piece: piece(cursor)? },
    })
}

pub(crate) fn node(cursor: &mut Cursor<'_>) -> Result<NodeId, Flaw> {
    cursor.below(MOST_NODES, "the number of a node")
}

pub(crate) fn conn(cursor: &mut Cursor<'_>) -> Result<ConnId, Flaw> {
    cursor.small("the number of a link").map(ConnId)
}

/// A byte that stands for one of a few values.
pub(crate) fn coded<T: Copy + PartialEq>(
    cursor: &mut Cursor<'_>,
    table: &Table<T>,
    what: &'static str,
) -> Result<T, Flaw> {
    let number = cursor.byte(what)?;
    table.value(number).ok_or(cursor.flaw(1, what))
}

pub(crate) fn flag(cursor: &mut Cursor<'_>) -> Result<bool, Flaw> {
    match cursor.byte("0 or 1")? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(cursor.flaw(1, "0 or 1")),
    }
}

fn join(cursor: &mut Cursor<'_>, pieces: u32) -> Result<Join, Flaw> {
    Ok(Join {
        node: node(cursor)?,
        group: cursor.small("the number of a group")?,
        level: coded(cursor, &code::LEVELS, "a level")?,
        peer_id: PeerId(cursor.array("a peer id")?),
        reserved: Reserved(cursor.array("reserved bytes")?),
        addr: addr(cursor)?,
        up: cursor.number("an uplink")?,
        down: cursor.number("a downlink")?,
        pieces: set(cursor, pieces)?,
    })
}

pub(crate) fn addr(cursor: &mut Cursor<'_>) -> Result<SocketAddr, Flaw> {
    let ip = match cursor.byte("4 or 6, the version of an address")? {
        4 => IpAddr::from(cursor.array::<4>("an address")?),
        6 => IpAddr::from(cursor.array::<16>("an address")?),
        _ => return Err(cursor.flaw(1, "4 or 6, the version of an address")),
    };
    Ok(SocketAddr::new(ip, u16::from_be_bytes(cursor.array("a port")?)))
}

pub(crate) fn set(cursor: &mut Cursor<'_>, pieces: u32) -> Result<Pieces, Flaw> {
    Ok(match cursor.byte("0, 1 or 2 before pieces")? {
        0 => Pieces::None,
        1 => Pieces::All,
        2 => Pieces::Some(read_set(cursor, pieces)?),
        _ => return Err(cursor.flaw(1, "0, 1 or 2 before pieces")),
    })
}

fn opened(cursor: &mut Cursor<'_>) -> Result<Opened, Flaw> {
    Ok(Opened {
        node: node(cursor)?,
        conn: conn(cursor)?,
        remote: node(cursor)?,
        direction: coded(cursor, &code::DIRECTIONS, "who opened a link")?,
        reserved: Reserved(cursor.array("reserved bytes")?),
    })
}

fn announce(cursor: &mut Cursor<'_>) -> Result<Announce, Flaw> {
    Ok(Announce {
        node: node(cursor)?,
        tracker: cursor.small("the number of a tracker")?,
        event: coded(cursor, &code::EVENTS, "the event of an announce")?,
        uploaded: cursor.number("bytes uploaded")?,
        downloaded: cursor.number("bytes downloaded")?,
        left: cursor.number("bytes left")?,
        bytes: cursor.bytes("the bytes of an announce")?.to_vec(),
    })
}

fn reply(cursor: &mut Cursor<'_>) -> Result<Reply, Flaw> {
    Ok(Reply {
        node: node(cursor)?,
        tracker: cursor.small("the number of a tracker")?,
        outcome: coded(cursor, &code::OUTCOMES, "what came of an announce")?,
        interval: cursor.number("an interval")?,
        peers: cursor.number("a number of peers")?,
        bytes: cursor.bytes("the bytes of a reply")?.to_vec(),
    })
}

fn fault(cursor: &mut Cursor<'_>) -> Result<Fault, Flaw> {
    let kind = coded(cursor, &code::FAULTS, "the kind of a fault")?;
    let phase = coded(cursor, &code::PHASES, "whether a fault begins or ends")?;
    let group: u32 = cursor.small("a group or 0")?;
    let text = cursor.bytes("the words of a fault")?;
    Ok(Fault { kind, phase, group: group.checked_sub(1), text: String::from_utf8_lossy(text).into_owned() })
}

/// Reads the fields of a sample.
pub(crate) fn sample(cursor: &mut Cursor<'_>) -> Result<Sample, Flaw> {
    let mut number = |what| cursor.number(what);
    let (rarest, announces, up) =
        (number("how many have the rarest piece")?, number("announces")?, number("uplinks")?);
    let count = number("the number of groups")?;
    let mut groups = Vec::new();
    for _ in 0..count {
        groups.push(GroupSample {
            leechers: number("leechers of a group")?,
            seeds: number("seeds of a group")?,
            completed: number("nodes that have completed")?,
            uploaded: number("bytes uploaded")?,
            downloaded: number("bytes downloaded")?,
        });
    }
    Ok(Sample { rarest, announces, up, groups })
}
