//! Bencode, `.torrent` files, magnet links, and the arithmetic of pieces, files and blocks.
//!
//! This crate owns the *formats*: it turns bytes into checked values and back. It refuses to know about
//! time, randomness, sockets or the file system; a path in a torrent is data here, never opened.
#![no_std]
#![forbid(unsafe_code)]
extern crate alloc;

pub mod bencode;
mod hash;
mod info_hash;
mod layout;
mod magnet;
mod path;
pub mod percent;
mod torrent;

pub use hash::sha1;
pub use info_hash::{InfoHash, InfoHashError};
pub use layout::{Block, Layout, LayoutError, PieceIndex};
pub use magnet::{Magnet, MagnetError};
pub use torrent::{
    Draft, DraftFile, Fault, File, FileSpan, Metainfo, Oddity, TorrentError, Warning, file_spans,
    recommended_piece_length,
};
