//! A state as the body of a keyframe, and back.

use swarmlab_protocol::{Block, PeerId, Reserved};

use crate::bytes::{Cursor, Flaw, put};
use crate::decode::{addr, coded, conn, flag, node, sample, set};
use crate::encode::{write_addr, write_pieces, write_sample};
use crate::message::{read_block, write_block};
use crate::{Link, Node, State, Word, code};

/// Bits of a node's status.
const PRESENT: u8 = 1;
const COMPLETE: u8 = 2;

/// Bits of a link's flags.
const WE_CHOKE: u8 = 1;
const WE_INTERESTED: u8 = 2;
const REMOTE_CHOKES: u8 = 4;
const REMOTE_INTERESTED: u8 = 8;
const SNUBBED: u8 = 16;

/// Added to the reason of a choke.
const CHOKED: u8 = 128;
/// No decision was told.
const SILENT: u8 = 255;

/// Appends the body of a keyframe.
pub(crate) fn write(out: &mut Vec<u8>, state: &State) {
    put(out, state.at);
    put(out, state.joined());
    for node in state.nodes() {
        write_node(out, node);
    }
    match &state.sample {
        Some(sample) => {
            out.push(1);
            write_sample(out, sample);
        }
        None => out.push(0),
    }
}

fn write_node(out: &mut Vec<u8>, node: &Node) {
    put(out, node.number.into());
    put(out, node.group.into());
    let status = bit(node.present, PRESENT) | bit(node.complete, COMPLETE);
    out.extend_from_slice(&[code::LEVELS.number(node.level), status]);
    put(out, node.joined_at);
    put(out, moment(node.completed_at));
    put(out, moment(node.left_at));
    out.extend_from_slice(&node.peer_id.0);
    out.extend_from_slice(&node.reserved.0);
    write_addr(out, node.addr);
    put(out, node.up);
    put(out, node.down);
    write_pieces(out, &node.pieces);
    put(out, node.sent);
    put(out, node.received);
    put(out, node.links.len() as u64);
    node.links.iter().for_each(|link| write_link(out, link));
}

fn bit(set: bool, bit: u8) -> u8 {
    if set { bit } else { 0 }
}

fn moment(at: Option<u64>) -> u64 {
    at.map_or(0, |at| at.saturating_add(1))
}

fn write_link(out: &mut Vec<u8>, link: &Link) {
    put(out, link.conn.0.into());
    put(out, link.remote.into());
    out.push(code::DIRECTIONS.number(link.direction));
    out.extend_from_slice(&link.reserved.0);
    put(out, link.opened_at);
    let flags = bit(link.we_choke, WE_CHOKE)
        | bit(link.we_interested, WE_INTERESTED)
        | bit(link.remote_chokes, REMOTE_CHOKES)
        | bit(link.remote_interested, REMOTE_INTERESTED)
        | bit(link.snubbed, SNUBBED);
    let word = match link.word {
        Word::Silent => SILENT,
        Word::Unchoked(reason) => code::UNCHOKES.number(reason),
        Word::Choked(reason) => CHOKED | code::CHOKES.number(reason),
    };
    out.extend_from_slice(&[flags, word]);
    put(out, link.sent);
    put(out, link.received);
    put(out, link.outstanding.len() as u64);
    link.outstanding.iter().for_each(|block| write_block(out, block));
}

/// Reads the body of a keyframe of a run about content of so many pieces.
pub(crate) fn read(cursor: &mut Cursor<'_>, pieces: u32) -> Result<State, Flaw> {
    let mut state = State::new(pieces);
    state.at = cursor.number("the time of a keyframe")?;
    let count = cursor.number("the number of nodes")?;
    let mut least = 0;
    for _ in 0..count {
        let start = cursor.at();
        let node = read_node(cursor, pieces)?;
        if node.number < least {
            return Err(Flaw { at: start, what: "a node with a larger number than the one before" });
        }
        least = node.number + 1;
        state.restore(node);
    }
    if flag(cursor)? {
        state.sample = Some(sample(cursor)?);
    }
    if cursor.is_empty() { Ok(state) } else { Err(cursor.flaw(0, "the end of the keyframe")) }
}

fn read_node(cursor: &mut Cursor<'_>, pieces: u32) -> Result<Node, Flaw> {
    let number = node(cursor)?;
    let group = cursor.small("the number of a group")?;
    let level = coded(cursor, &code::LEVELS, "a level")?;
    let status = flags(cursor, PRESENT | COMPLETE, "the status of a node")?;
    let mut read = Node {
        number,
        group,
        level,
        present: status & PRESENT != 0,
        complete: status & COMPLETE != 0,
        joined_at: cursor.number("when a node joined")?,
        completed_at: cursor.number("when a node completed")?.checked_sub(1),
        left_at: cursor.number("when a node left")?.checked_sub(1),
        peer_id: PeerId(cursor.array("a peer id")?),
        reserved: Reserved(cursor.array("reserved bytes")?),
        addr: addr(cursor)?,
        up: cursor.number("an uplink")?,
        down: cursor.number("a downlink")?,
        pieces: set(cursor, pieces)?,
        sent: cursor.number("bytes sent")?,
        received: cursor.number("bytes received")?,
        links: Vec::new(),
    };
    let count = cursor.number("the number of links")?;
    for _ in 0..count {
        let start = cursor.at();
        let link = read_link(cursor)?;
        if read.links.last().is_some_and(|last| last.conn >= link.conn) {
            return Err(Flaw { at: start, what: "a link with a larger number than the one before" });
        }
        read.links.push(link);
    }
    Ok(read)
}

fn read_link(cursor: &mut Cursor<'_>) -> Result<Link, Flaw> {
    let conn = conn(cursor)?;
    let remote = node(cursor)?;
    let direction = coded(cursor, &code::DIRECTIONS, "who opened a link")?;
    let reserved = Reserved(cursor.array("reserved bytes")?);
    let opened_at = cursor.number("when a link opened")?;
    let all = WE_CHOKE | WE_INTERESTED | REMOTE_CHOKES | REMOTE_INTERESTED | SNUBBED;
    let flags = flags(cursor, all, "the flags of a link")?;
    let mut link = Link {
        conn,
        remote,
        direction,
        reserved,
        opened_at,
        we_choke: flags & WE_CHOKE != 0,
        we_interested: flags & WE_INTERESTED != 0,
        remote_chokes: flags & REMOTE_CHOKES != 0,
        remote_interested: flags & REMOTE_INTERESTED != 0,
        snubbed: flags & SNUBBED != 0,
        word: read_word(cursor)?,
        sent: cursor.number("bytes sent")?,
        received: cursor.number("bytes received")?,
        outstanding: Vec::new(),
    };
    let count = cursor.number("the number of requests outstanding")?;
    for _ in 0..count {
        let block: Block = read_block(cursor)?;
        link.outstanding.push(block);
    }
    Ok(link)
}

fn read_word(cursor: &mut Cursor<'_>) -> Result<Word, Flaw> {
    let what = "why a link is choked or unchoked";
    let number = cursor.byte(what)?;
    let word = match number {
        SILENT => Some(Word::Silent),
        CHOKED.. => code::CHOKES.value(number - CHOKED).map(Word::Choked),
        _ => code::UNCHOKES.value(number).map(Word::Unchoked),
    };
    word.ok_or(cursor.flaw(1, what))
}

/// A byte of which only these bits may be set.
fn flags(cursor: &mut Cursor<'_>, all: u8, what: &'static str) -> Result<u8, Flaw> {
    let flags = cursor.byte(what)?;
    if flags & !all == 0 { Ok(flags) } else { Err(cursor.flaw(1, what)) }
}
