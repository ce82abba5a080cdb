//! Transcripts of one torrent, message by message, and whole swarms in memory.

mod swarms;
mod transcripts;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::{Ipv4Addr, SocketAddr};
use core::time::Duration;

use super::*;
use crate::{Block, Direction, Endgame, Opened, PeerSource, PieceIndex, Reserved};

const BLOCK: u32 = 16;

fn addr(host: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::from(0xc612_0000 + u32::from(host)), 6881))
}

fn peer_id(host: u16) -> PeerId {
    let mut id = [b'-'; 20];
    id[18..].copy_from_slice(&host.to_be_bytes());
    PeerId(id)
}

fn at(millis: u64) -> Instant {
    Instant::from_micros(millis * 1_000)
}
