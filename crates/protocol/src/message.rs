//! The peer messages, without their payload of content.

use alloc::boxed::Box;
use alloc::sync::Arc;

use swarmlab_metainfo::{Block, PieceIndex};

use crate::Bitfield;

/// A peer message (BEP 3; BEP 6 fast extension; BEP 10 extension protocol). `Piece` names the block it carries; the
/// bytes themselves stay with the driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Nothing, sent so that a quiet connection is not taken for dead (length prefix 0).
    KeepAlive,
    /// The sender will not answer requests (id 0).
    Choke,
    /// The sender will answer requests (id 1).
    Unchoke,
    /// The sender would request if unchoked (id 2).
    Interested,
    /// The sender lacks nothing the receiver has (id 3).
    NotInterested,
    /// The sender has completed and checked this piece (id 4).
    Have(PieceIndex),
    /// The pieces the sender has; only as the first message (id 5).
    Bitfield(Arc<Bitfield>),
    /// Asks for a block (id 6).
    Request(Block),
    /// Carries a block (id 7).
    Piece(Block),
    /// Withdraws a request (id 8).
    Cancel(Block),
    /// The UDP port of the sender's DHT node (id 9, BEP 5).
    Port(u16),
    /// A piece the sender would like to be asked for (id 13, BEP 6).
    Suggest(PieceIndex),
    /// The sender has every piece; in place of a bitfield (id 14, BEP 6).
    HaveAll,
    /// The sender has no piece; in place of a bitfield (id 15, BEP 6).
    HaveNone,
    /// The request will not be answered (id 16, BEP 6).
    Reject(Block),
    /// The sender answers requests for this piece even while it chokes (id 17, BEP 6).
    AllowedFast(PieceIndex),
    /// A message of the extension protocol (id 20, BEP 10).
    Extended(Box<Extended>),
}

/// A message of the extension protocol (BEP 10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extended {
    /// 0 for the extension handshake, otherwise the number the receiver assigned in its own.
    pub id: u8,
    /// What follows the id: a bencoded dictionary for the handshake.
    pub payload: Box<[u8]>,
}

/// What kind of message: for counting and for naming.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[allow(missing_docs)] // each is explained at `Message`
pub enum MessageKind {
    KeepAlive,
    Choke,
    Unchoke,
    Interested,
    NotInterested,
    Have,
    Bitfield,
    Request,
    Piece,
    Cancel,
    Port,
    Suggest,
    HaveAll,
    HaveNone,
    Reject,
    AllowedFast,
    Extended,
}

impl MessageKind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [MessageKind; 17] = {
        use MessageKind::*;
        [
            KeepAlive,
            Choke,
            Unchoke,
            Interested,
            NotInterested,
            Have,
            Bitfield,
            Request,
            Piece,
            Cancel,
            Port,
            Suggest,
            HaveAll,
            HaveNone,
            Reject,
            AllowedFast,
            Extended,
        ]
    };

    /// The name the specification uses.
    pub const fn name(self) -> &'static str {
        match self {
            MessageKind::KeepAlive => "keep-alive",
            MessageKind::Choke => "choke",
            MessageKind::Unchoke => "unchoke",
            MessageKind::Interested => "interested",
            MessageKind::NotInterested => "not interested",
            MessageKind::Have => "have",
            MessageKind::Bitfield => "bitfield",
            MessageKind::Request => "request",
            MessageKind::Piece => "piece",
            MessageKind::Cancel => "cancel",
            MessageKind::Port => "port",
            MessageKind::Suggest => "suggest",
            MessageKind::HaveAll => "have all",
            MessageKind::HaveNone => "have none",
            MessageKind::Reject => "reject",
            MessageKind::AllowedFast => "allowed fast",
            MessageKind::Extended => "extended",
        }
    }

    /// The id byte on the wire; `None` for keep-alive, which has no id.
    pub const fn wire_id(self) -> Option<u8> {
        Some(match self {
            MessageKind::KeepAlive => return None,
            MessageKind::Choke => 0,
            MessageKind::Unchoke => 1,
            MessageKind::Interested => 2,
            MessageKind::NotInterested => 3,
            MessageKind::Have => 4,
            MessageKind::Bitfield => 5,
            MessageKind::Request => 6,
            MessageKind::Piece => 7,
            MessageKind::Cancel => 8,
            MessageKind::Port => 9,
            MessageKind::Suggest => 13,
            MessageKind::HaveAll => 14,
            MessageKind::HaveNone => 15,
            MessageKind::Reject => 16,
            MessageKind::AllowedFast => 17,
            MessageKind::Extended => 20,
        })
    }

    /// The kind an id byte names, if anyone has assigned it.
    pub const fn from_wire_id(id: u8) -> Option<Self> {
        Some(match id {
            0 => MessageKind::Choke,
            1 => MessageKind::Unchoke,
            2 => MessageKind::Interested,
            3 => MessageKind::NotInterested,
            4 => MessageKind::Have,
            5 => MessageKind::Bitfield,
            6 => MessageKind::Request,
            7 => MessageKind::Piece,
            8 => MessageKind::Cancel,
            9 => MessageKind::Port,
            13 => MessageKind::Suggest,
            14 => MessageKind::HaveAll,
            15 => MessageKind::HaveNone,
            16 => MessageKind::Reject,
            17 => MessageKind::AllowedFast,
            20 => MessageKind::Extended,
            _ => return None,
        })
    }
}

impl Message {
    /// What kind of message this is.
    pub const fn kind(&self) -> MessageKind {
        match self {
            Message::KeepAlive => MessageKind::KeepAlive,
            Message::Choke => MessageKind::Choke,
            Message::Unchoke => MessageKind::Unchoke,
            Message::Interested => MessageKind::Interested,
            Message::NotInterested => MessageKind::NotInterested,
            Message::Have(_) => MessageKind::Have,
            Message::Bitfield(_) => MessageKind::Bitfield,
            Message::Request(_) => MessageKind::Request,
            Message::Piece(_) => MessageKind::Piece,
            Message::Cancel(_) => MessageKind::Cancel,
            Message::Port(_) => MessageKind::Port,
            Message::Suggest(_) => MessageKind::Suggest,
            Message::HaveAll => MessageKind::HaveAll,
            Message::HaveNone => MessageKind::HaveNone,
            Message::Reject(_) => MessageKind::Reject,
            Message::AllowedFast(_) => MessageKind::AllowedFast,
            Message::Extended(_) => MessageKind::Extended,
        }
    }

    /// Bytes the message takes on the wire, with its length prefix and, for `Piece`, the content.
    pub fn wire_len(&self) -> u32 {
        match self {
            Message::KeepAlive => 4,
            Message::Choke
            | Message::Unchoke
            | Message::Interested
            | Message::NotInterested
            | Message::HaveAll
            | Message::HaveNone => 5,
            Message::Have(_) | Message::Suggest(_) | Message::AllowedFast(_) => 9,
            Message::Bitfield(have) => 5 + have.wire_len(),
            Message::Request(_) | Message::Cancel(_) | Message::Reject(_) => 17,
            Message::Piece(block) => 13 + block.len,
            Message::Port(_) => 7,
            Message::Extended(extended) => 6 + extended.payload.len() as u32,
        }
    }
}

const _: () = assert!(size_of::<Message>() == 16);
