//! The wire form of peer messages: a four-byte length, an id, fixed fields (BEP 3, BEP 6, BEP 10).
//!
//! This module turns a contiguous run of received bytes into [`Message`]s and back. It judges a frame at the earliest
//! byte that shows it is wrong: the length as soon as its four bytes are here, the fit of length and id one byte
//! later. It keeps no buffer and copies no content: of a `Piece` it tells where the block lies, and it writes only the
//! 13 bytes before one. Whether a message makes sense at this point of a conversation is the engine's business.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

use swarmlab_metainfo::{Block, Layout, PieceIndex};

use crate::{Bitfield, Extended, Message, MessageKind};

/// Bytes of a `Piece` message before its block: length, id, index, begin.
pub const PIECE_HEADER_LEN: usize = 13;

/// Longest block accepted in a `Piece` or asked for in a `request`, in bytes. Ours are 16 KiB; 128 KiB is the most any
/// client was seen to use, and libtorrent and Transmission refuse more.
pub const MAX_BLOCK_LEN: u32 = 128 * 1024;

/// Longest message of the extension protocol, its payload in bytes: room for a metadata block and then some (BEP 9, 10).
pub const MAX_EXTENDED_LEN: u32 = 64 * 1024;

/// Bytes of the length prefix, which does not count itself.
const PREFIX: usize = 4;

/// What a frame may be at most: depends on the torrent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pieces: Option<u32>,
    max_block: u32,
}

impl Limits {
    /// The limits of a torrent: the `bitfield` must have exactly its length.
    pub fn of(layout: &Layout) -> Self {
        Limits { pieces: Some(layout.piece_count()), max_block: layout.block_len().max(MAX_BLOCK_LEN) }
    }

    /// For reading messages without knowing their torrent: a `bitfield` of any length up to 256 KiB is taken to be of
    /// eight pieces a byte.
    pub const fn unknown_torrent() -> Self {
        Limits { pieces: None, max_block: MAX_BLOCK_LEN }
    }

    /// The largest length prefix that can be part of a valid message.
    pub fn max_len(&self) -> u32 {
        let bitfield = self.pieces.map_or(256 * 1024, |pieces| pieces.div_ceil(8));
        (self.max_block + 9).max(bitfield + 1).max(MAX_EXTENDED_LEN + 2)
    }
}

/// Why bytes are not a peer message. The connection cannot go on after one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The length prefix is beyond everything a peer of this torrent can send.
    #[error("a message of {len} bytes; at most {max} make sense")]
    TooLong {
        /// The length prefix.
        len: u32,
        /// The largest one accepted.
        max: u32,
    },
    /// A message of a known kind whose length does not fit its kind.
    #[error("a `{}` message cannot be {len} bytes long", .kind.name())]
    WrongLength {
        /// The kind its id names.
        kind: MessageKind,
        /// The length prefix.
        len: u32,
    },
    /// A `bitfield` with a bit set behind the last piece (BEP 3 forbids it).
    #[error("a bitfield with a spare bit set")]
    SpareBits,
}

/// One whole message at the start of a buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The message; `None` for an id nobody has assigned, which is skipped as BEP 3's successors ask.
    pub message: Option<Message>,
    /// Bytes the frame takes from the start of the buffer.
    pub len: usize,
    /// Where in the buffer the block of a `Piece` lies.
    pub payload: Option<Range<usize>>,
}

/// Length in bytes of the frame at the start of `buffer`, its prefix included, as soon as that is known.
///
/// # Errors
/// When no valid message can begin with these bytes.
pub fn frame_len(buffer: &[u8], limits: &Limits) -> Result<Option<usize>, WireError> {
    let Some(prefix) = buffer.first_chunk::<PREFIX>() else { return Ok(None) };
    let len = u32::from_be_bytes(*prefix);
    let max = limits.max_len();
    if len > max {
        return Err(WireError::TooLong { len, max });
    }
    if let Some(kind) = buffer.get(PREFIX).filter(|_| len > 0).and_then(|&id| MessageKind::from_wire_id(id)) {
        check_len(kind, len, limits)?;
    }
    Ok(Some(PREFIX + len as usize))
}

/// Reads the message at the start of `buffer`; `None` while it is not whole.
///
/// # Errors
/// When the bytes are not a message a peer of this torrent can send: judged as early as they show it.
pub fn decode(buffer: &[u8], limits: &Limits) -> Result<Option<Frame>, WireError> {
    let Some(len) = frame_len(buffer, limits)? else { return Ok(None) };
    let Some(frame) = buffer.get(PREFIX..len) else { return Ok(None) };
    let Some((&id, body)) = frame.split_first() else {
        return Ok(Some(Frame { message: Some(Message::KeepAlive), len, payload: None }));
    };
    let Some(kind) = MessageKind::from_wire_id(id) else {
        return Ok(Some(Frame { message: None, len, payload: None }));
    };
    let message = read_body(kind, body, limits)?;
    let payload = (kind == MessageKind::Piece).then_some(PIECE_HEADER_LEN..len);
    Ok(Some(Frame { message: Some(message), len, payload }))
}

/// Appends the wire form of `message`; of a `Piece` only the 13 bytes that stand before its block.
pub fn encode(message: &Message, out: &mut Vec<u8>) {
    out.extend_from_slice(&(message.wire_len() - PREFIX as u32).to_be_bytes());
    out.extend(message.kind().wire_id());
    match message {
        Message::KeepAlive
        | Message::Choke
        | Message::Unchoke
        | Message::Interested
        | Message::NotInterested
        | Message::HaveAll
        | Message::HaveNone => {}
        Message::Have(piece) | Message::Suggest(piece) | Message::AllowedFast(piece) => {
            out.extend_from_slice(&piece.0.to_be_bytes());
        }
        Message::Bitfield(have) => out.extend_from_slice(&have.to_wire()),
        Message::Request(block) | Message::Cancel(block) | Message::Reject(block) => {
            write_words(out, &[block.piece.0, block.begin, block.len]);
        }
        Message::Piece(block) => write_words(out, &[block.piece.0, block.begin]),
        Message::Port(port) => out.extend_from_slice(&port.to_be_bytes()),
        Message::Extended(extended) => {
            out.push(extended.id);
            out.extend_from_slice(&extended.payload);
        }
    }
}

fn write_words(out: &mut Vec<u8>, words: &[u32]) {
    for word in words {
        out.extend_from_slice(&word.to_be_bytes());
    }
}

/// Whether a message of this kind can have this length prefix.
fn check_len(kind: MessageKind, len: u32, limits: &Limits) -> Result<(), WireError> {
    use MessageKind::*;
    let fits = match kind {
        KeepAlive => len == 0,
        Choke | Unchoke | Interested | NotInterested | HaveAll | HaveNone => len == 1,
        Have | Suggest | AllowedFast => len == 5,
        Port => len == 3,
        Request | Cancel | Reject => len == 13,
        Bitfield => limits.pieces.is_none_or(|pieces| len == 1 + pieces.div_ceil(8)),
        Piece => (9..=9 + limits.max_block).contains(&len),
        Extended => (2..=2 + MAX_EXTENDED_LEN).contains(&len),
    };
    if fits { Ok(()) } else { Err(WireError::WrongLength { kind, len }) }
}

/// Reads what follows the id. The length was checked by [`check_len`].
fn read_body(kind: MessageKind, body: &[u8], limits: &Limits) -> Result<Message, WireError> {
    let malformed = || WireError::WrongLength { kind, len: body.len() as u32 + 1 };
    let word = |number: usize| {
        let bytes = body.get(4 * number..).and_then(|rest| rest.first_chunk::<4>());
        bytes.map(|bytes| u32::from_be_bytes(*bytes)).ok_or_else(malformed)
    };
    let piece = || word(0).map(PieceIndex);
    let block = || Ok(Block { piece: piece()?, begin: word(1)?, len: word(2)? });
    Ok(match kind {
        MessageKind::KeepAlive => Message::KeepAlive,
        MessageKind::Choke => Message::Choke,
        MessageKind::Unchoke => Message::Unchoke,
        MessageKind::Interested => Message::Interested,
        MessageKind::NotInterested => Message::NotInterested,
        MessageKind::Have => Message::Have(piece()?),
        MessageKind::Bitfield => {
            let pieces = limits.pieces.unwrap_or(body.len() as u32 * 8);
            Message::Bitfield(Arc::new(Bitfield::from_wire(body, pieces).ok_or(WireError::SpareBits)?))
        }
        MessageKind::Request => Message::Request(block()?),
        MessageKind::Piece => {
            Message::Piece(Block { piece: piece()?, begin: word(1)?, len: (body.len() - 8) as u32 })
        }
        MessageKind::Cancel => Message::Cancel(block()?),
        MessageKind::Port => {
            Message::Port(body.first_chunk().map(|port| u16::from_be_bytes(*port)).ok_or_else(malformed)?)
        }
        MessageKind::Suggest => Message::Suggest(piece()?),
        MessageKind::HaveAll => Message::HaveAll,
        MessageKind::HaveNone => Message::HaveNone,
        MessageKind::Reject => Message::Reject(block()?),
        MessageKind::AllowedFast => Message::AllowedFast(piece()?),
        MessageKind::Extended => {
            let (&id, payload) = body.split_first().ok_or_else(malformed)?;
            Message::Extended(Box::new(Extended { id, payload: payload.into() }))
        }
    })
}

#[cfg(test)]
mod tests;
