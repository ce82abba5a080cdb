//! The engine: one torrent of BitTorrent v1 at one endpoint, as a pure state machine (sans-IO).
//!
//! A driver (`net` with real sockets, `sim` with a simulated network) hands in what happened with the time at which
//! it happened and does what comes out. The engine never reads a clock, a socket or a file, and never sees content.
//!
//! The whole run loop of a driver, here with a swarm of nobody:
//!
//! ```
//! use std::sync::Arc;
//! use swarmlab_protocol::{Bitfield, Config, InfoHash, Input, Instant, Layout, Output, PeerId, Setup, Torrent};
//!
//! let layout = Arc::new(Layout::new(1_000_000, 65_536, Layout::BLOCK_LEN)?);
//! let mut torrent = Torrent::new(Setup {
//!     have: Bitfield::empty(layout.piece_count()),
//!     layout,
//!     config: Arc::new(Config::default()),
//!     peer_id: PeerId(*b"-SL0100-abcdefghijkl"),
//!     tiers: vec![1], // one tracker
//!     info_hash: InfoHash([0; 20]),
//!     seed: 42,
//! });
//! let mut out = Vec::new();
//! // The first input starts it; from then on: wait for something to happen or for the deadline, hand it in with the
//! // time, and do what comes out, in order.
//! let now = Instant::START;
//! torrent.handle(now, Input::Deadline, &mut out);
//! for output in out.drain(..) {
//!     match output {
//!         Output::Announce(announce) => assert_eq!(announce.left, 1_000_000), // ask tracker number announce.tracker
//!         other => unreachable!("{other:?}"),
//!     }
//! }
//! assert_eq!(torrent.deadline(), None); // it waits for the answer: Input::Announced
//! # Ok::<(), swarmlab_protocol::LayoutError>(())
//! ```
#![no_std]
#![forbid(unsafe_code)]
extern crate alloc;

mod active;
pub mod allowed_fast;
mod announce;
mod availability;
pub mod behaviour;
mod bitfield;
mod boundary;
pub mod choker;
mod config;
mod conn;
mod conns;
mod flows;
mod handshake;
mod message;
mod pages;
mod peers;
pub mod picker;
pub mod pipeline;
mod pool;
pub mod preset;
mod random;
mod remote_sets;
mod remotes;
mod requests;
mod seldom;
mod time;
mod torrent;
pub mod tracker;
pub mod wire;

pub use bitfield::Bitfield;
pub use boundary::{
    Announce, AnnounceEvent, AnnounceFailure, AnnounceReply, Announced, ChokeReason, CloseReason, ConnId,
    Direction, Input, Misbehaviour, Note, Opened, Output, PeerSource, PickReason, TrackerId, UnchokeReason,
};
pub use config::{
    Config, Endgame, LeechChoker, OptimisticRule, Picker, Pipeline, PipelineRule, SeedChoker, Unfinished,
};
pub use handshake::{Handshake, HandshakeError, Handshaking, PeerId, Reserved, Step};
pub use message::{Extended, Message, MessageKind};
pub use random::Random;
pub use swarmlab_metainfo::{Block, InfoHash, Layout, LayoutError, PieceIndex};
pub use time::Instant;
pub use torrent::{ConnView, Setup, Torrent, Totals};
