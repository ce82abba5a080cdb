//! Transcripts of each odd client, and honest swarms with odd ones among them.

mod any;
mod swarms;
mod transcripts;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::{Ipv4Addr, SocketAddr};

use super::*;
use crate::{Bitfield, Layout, PeerId};

const BLOCK: u32 = 16;

fn addr(host: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::from(0xc612_0000 + u32::from(host)), 6881))
}

fn peer_id(host: u16) -> PeerId {
    let mut id = [b'-'; 20];
    id[18..].copy_from_slice(&host.to_be_bytes());
    PeerId(id)
}

/// `pieces`: a character per piece of two blocks, `x` for one that is here.
fn have(pieces: &str) -> Bitfield {
    let mut set = Bitfield::empty(pieces.len() as u32);
    for (at, _) in pieces.chars().enumerate().filter(|&(_, char)| char == 'x') {
        set.insert(crate::PieceIndex(at as u32));
    }
    set
}

fn setup(host: u16, have: Bitfield, config: Config, seed: u64) -> Setup {
    let piece_length = 2 * BLOCK;
    let layout = Layout::new(u64::from(have.len() * piece_length), u64::from(piece_length), BLOCK).unwrap();
    let (layout, config) = (Arc::new(layout), Arc::new(config));
    Setup {
        layout,
        config,
        peer_id: peer_id(host),
        have,
        tiers: Vec::new(),
        info_hash: crate::InfoHash([0; 20]),
        seed,
    }
}
