//! The engine: one torrent of BitTorrent v1 at one endpoint, as a pure state machine (sans-IO).
//!
//! A driver (`net` with real sockets, `sim` with a simulated network) hands in what happened with the time at which
//! it happened and does what comes out. The engine never reads a clock, a socket or a file, and never sees content.
#![no_std]
#![forbid(unsafe_code)]
extern crate alloc;

mod bitfield;
mod boundary;
mod config;
mod handshake;
mod message;
mod random;
mod time;
mod torrent;
pub mod tracker;
pub mod wire;

pub use bitfield::Bitfield;
pub use boundary::{
    Announce, AnnounceEvent, AnnounceFailure, AnnounceReply, Announced, ChokeReason, CloseReason, ConnId,
    Direction, Input, Misbehaviour, Note, Opened, Output, PeerSource, PickReason, TrackerId, UnchokeReason,
};
pub use config::{Choker, Config, Picker, Pipeline, SeedChoker};
pub use handshake::{Handshake, HandshakeError, Handshaking, PeerId, Reserved, Step};
pub use message::{Extended, Message, MessageKind};
pub use random::Random;
pub use swarmlab_metainfo::{Block, InfoHash, Layout, PieceIndex};
pub use time::Instant;
pub use torrent::{Setup, Torrent};
