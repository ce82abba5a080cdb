//! Peer messages in a trace: the id of BEP 3 or BEP 6, then the fields as varints. Of a piece its place, never its bytes.

use std::sync::Arc;

use swarmlab_protocol::{Bitfield, Block, Extended, Message, MessageKind, PieceIndex};

use crate::bytes::{Cursor, Flaw, put, put_bytes};

/// What stands for the id of keep-alive, which has none.
const KEEP_ALIVE: u8 = 255;

/// Appends a message.
#[inline]
pub(crate) fn write(out: &mut Vec<u8>, message: &Message) {
    out.push(message.kind().wire_id().unwrap_or(KEEP_ALIVE));
    match message {
        Message::KeepAlive
        | Message::Choke
        | Message::Unchoke
        | Message::Interested
        | Message::NotInterested
        | Message::HaveAll
        | Message::HaveNone => {}
        Message::Have(piece) | Message::Suggest(piece) | Message::AllowedFast(piece) => {
            put(out, piece.0.into());
        }
        Message::Bitfield(have) => put_bytes(out, &have.to_wire()),
        Message::Request(block) | Message::Piece(block) | Message::Cancel(block) | Message::Reject(block) => {
            write_block(out, block);
        }
        Message::Port(port) => put(out, (*port).into()),
        Message::Extended(extended) => {
            put(out, 1 + extended.payload.len() as u64);
            out.push(extended.id);
            out.extend_from_slice(&extended.payload);
        }
    }
}

/// Appends a block.
#[inline]
pub(crate) fn write_block(out: &mut Vec<u8>, block: &Block) {
    put(out, block.piece.0.into());
    put(out, block.begin.into());
    put(out, block.len.into());
}

/// Reads a message of a torrent of so many pieces.
pub(crate) fn read(cursor: &mut Cursor<'_>, pieces: u32) -> Result<Message, Flaw> {
    let id = cursor.byte("the id of a message")?;
    if id == KEEP_ALIVE {
        return Ok(Message::KeepAlive);
    }
    let kind = MessageKind::from_wire_id(id).ok_or(cursor.flaw(1, "the id of a message"))?;
    Ok(match kind {
        MessageKind::KeepAlive => Message::KeepAlive,
        MessageKind::Choke => Message::Choke,
        MessageKind::Unchoke => Message::Unchoke,
        MessageKind::Interested => Message::Interested,
        MessageKind::NotInterested => Message::NotInterested,
        MessageKind::Have => Message::Have(piece(cursor)?),
        MessageKind::Bitfield => Message::Bitfield(Arc::new(read_set(cursor, pieces)?)),
        MessageKind::Request => Message::Request(read_block(cursor)?),
        MessageKind::Piece => Message::Piece(read_block(cursor)?),
        MessageKind::Cancel => Message::Cancel(read_block(cursor)?),
        MessageKind::Port => Message::Port(cursor.small("a port")?),
        MessageKind::Suggest => Message::Suggest(piece(cursor)?),
        MessageKind::HaveAll => Message::HaveAll,
        MessageKind::HaveNone => Message::HaveNone,
        MessageKind::Reject => Message::Reject(read_block(cursor)?),
        MessageKind::AllowedFast => Message::AllowedFast(piece(cursor)?),
        MessageKind::Extended => {
            let bytes = cursor.bytes("an extended message")?;
            let (&id, payload) =
                bytes.split_first().ok_or(cursor.flaw(1, "an extended message with its id"))?;
            Message::Extended(Box::new(Extended { id, payload: payload.into() }))
        }
    })
}

/// The number of a piece. A peer may name one that does not exist.
pub(crate) fn piece(cursor: &mut Cursor<'_>) -> Result<PieceIndex, Flaw> {
    cursor.small("a piece").map(PieceIndex)
}

/// Reads a block.
pub(crate) fn read_block(cursor: &mut Cursor<'_>) -> Result<Block, Flaw> {
    Ok(Block {
        piece: piece(cursor)?,
        begin: cursor.small("the offset of a block")?,
        len: cursor.small("the length of a block")?,
    })
}

/// Reads the bytes of a set of so many pieces.
pub(crate) fn read_set(cursor: &mut Cursor<'_>, pieces: u32) -> Result<Bitfield, Flaw> {
    let at = cursor.at();
    let what = "a bitfield with a bit for each piece";
    Bitfield::from_wire(cursor.bytes(what)?, pieces).ok_or(Flaw { at, what })
}
