//! Reads any bytes as a sequence of inputs to the engine, so that random tests and a fuzzer can drive it.

use std::collections::HashSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use swarmlab_protocol::{
    AnnounceEvent, AnnounceFailure, AnnounceReply, Announced, Bitfield, Block, CloseReason, Config, ConnId,
    Direction, Endgame, Extended, InfoHash, Input, Instant, Layout, Message, Opened, Output, PeerId,
    PeerSource, Picker, PieceIndex, Reserved, SeedChoker, Setup, Torrent, TrackerId,
};

const BLOCK: u32 = 16;
const PIECES: u32 = 9;

/// Reads numbers off the bytes; zeros once they have run out.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((&first, rest)) => {
                self.0 = rest;
                first
            }
            None => 0,
        }
    }

    fn below(&mut self, bound: u8) -> u8 {
        self.byte() % bound
    }

    /// Mostly a piece of the torrent, seldom one beyond.
    fn piece(&mut self) -> PieceIndex {
        let byte = self.byte();
        PieceIndex(if byte == 255 { PIECES } else { u32::from(byte) % PIECES })
    }

    /// Mostly a block of the torrent, seldom anything.
    fn block(&mut self) -> Block {
        let piece = self.piece();
        match self.byte() {
            255 => Block { piece, begin: u32::MAX - u32::from(self.byte()), len: u32::MAX },
            254 => Block { piece, begin: u32::from(self.byte()), len: u32::from(self.byte()) },
            other => Block { piece, begin: u32::from(other % 4) * BLOCK, len: BLOCK },
        }
    }

    fn bitfield(&mut self) -> Bitfield {
        let mut have = Bitfield::empty(PIECES + u32::from(self.byte() == 255));
        let bits = u16::from_be_bytes([self.byte(), self.byte()]);
        (0..PIECES)
            .filter(|piece| bits >> piece & 1 == 1)
            .for_each(|piece| _ = have.insert(PieceIndex(piece)));
        have
    }

    fn message(&mut self, asked: Option<Block>) -> Message {
        match self.below(20) {
            // Mostly an offence, since they must come first.
            7 | 15 | 16 if self.byte() < 200 => Message::Have(self.piece()),
            0 => Message::KeepAlive,
            1 => Message::Choke,
            2 | 3 => Message::Unchoke,
            4 => Message::Interested,
            5 => Message::NotInterested,
            6 => Message::Have(self.piece()),
            7 => Message::Bitfield(Arc::new(self.bitfield())),
            8 | 9 => Message::Request(self.block()),
            10..=13 => match asked {
                Some(block) if self.byte() < 240 => Message::Piece(block),
                _ => Message::Piece(self.block()),
            },
            14 => Message::Cancel(self.block()),
            15 => Message::HaveAll,
            16 => Message::HaveNone,
            17 => Message::Reject(self.block()),
            18 => Message::AllowedFast(self.piece()),
            _ => match self.below(3) {
                0 => Message::Port(1),
                1 => Message::Suggest(PieceIndex(u32::MAX)),
                _ => Message::Extended(Box::new(Extended { id: self.byte(), payload: Box::new([]) })),
            },
        }
    }

    fn addr(&mut self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::new(198, 18, 0, self.byte()), u16::from(self.below(3))))
    }

    fn input(&mut self, verifying: &HashSet<PieceIndex>, asked: &[(ConnId, Block)]) -> Input {
        let conn = ConnId(u16::from(self.below(6)));
        match self.below(32) {
            0..=2 => {
                let direction = if self.byte() & 1 == 0 { Direction::Incoming } else { Direction::Outgoing };
                let reserved = if self.byte() & 1 == 0 { Reserved::OURS } else { Reserved::default() };
                let (addr, peer_id) = (self.addr(), PeerId([self.byte(); 20]));
                Input::Opened { conn, peer: Box::new(Opened { addr, direction, peer_id, reserved }) }
            }
            3 => Input::Closed { conn },
            4 => Input::ConnectFailed { addr: Box::new(self.addr()) },
            5 | 6 => Input::Writable { conn, blocks: u16::from(self.byte()) },
            7..=9 => {
                let piece = self.piece();
                let piece = verifying.iter().copied().min().filter(|_| self.byte() < 200).unwrap_or(piece);
                Input::Verified { piece, ok: self.byte() < 230 }
            }
            10 => {
                let reply = AnnounceReply {
                    interval: Duration::from_secs(u64::from(self.byte()) * 1_000_000),
                    min_interval: (self.byte() & 1 == 0).then_some(Duration::from_secs(u64::MAX)),
                    peers: vec![self.addr(), self.addr()],
                };
                let event = [AnnounceEvent::Started, AnnounceEvent::None, AnnounceEvent::Completed]
                    [self.below(3) as usize];
                let outcome = if self.byte() < 160 { Ok(reply) } else { Err(AnnounceFailure::Unreachable) };
                Input::Announced(Box::new(Announced {
                    tracker: TrackerId(u16::from(self.byte())),
                    event,
                    outcome,
                }))
            }
            11 => Input::Peers { source: PeerSource::User, list: Box::new([self.addr()]) },
            12 if self.byte() > 200 => Input::DiskFailed { piece: self.piece() },
            13 if self.byte() > 200 => Input::ReadFailed { conn, block: self.block() },
            14 => Input::Congested { disk: self.byte() > 200 },
            15 if self.byte() == 255 && self.byte() == 255 => Input::Stop,
            16 | 17 => Input::Deadline,
            _ => {
                let asked = asked.iter().find(|(link, _)| *link == conn).map(|&(_, block)| block);
                Input::Message { conn, message: self.message(asked) }
            }
        }
    }
}

/// Drives an engine with these bytes and checks what must hold whatever is handed in. Gives how many blocks were
/// stored and how many remotes banned: whether the run reached anything.
pub(crate) fn drive(bytes: &[u8]) -> (u32, u32) {
    let mut reader = Reader(bytes);
    let config = Config {
        endgame: if reader.byte() & 1 == 0 { Endgame::Strict } else { Endgame::Full },
        picker: [Picker::RarestFirst, Picker::Random, Picker::Sequential][reader.below(3) as usize],
        seed_choker: [
            SeedChoker::Mainline4,
            SeedChoker::FastestUpload,
            SeedChoker::RoundRobin,
            SeedChoker::AntiLeech,
        ][reader.below(4) as usize],
        max_connections: u16::from(reader.below(7)),
        unchoke_slots: u16::from(reader.below(4)),
        max_queued_requests: 8,
        notes: reader.byte() & 1 == 0,
        ..Config::default()
    };
    let layout = Arc::new(Layout::new(u64::from(PIECES) * 48 - 7, 48, BLOCK).expect("a fair layout"));
    let have = (0..PIECES).fold(Bitfield::empty(PIECES), |mut have, piece| {
        if reader.byte() & 3 == 0 {
            have.insert(PieceIndex(piece));
        }
        have
    });
    let (config, peer_id) = (Arc::new(config), PeerId([255; 20]));
    let setup = Setup {
        layout: layout.clone(),
        config: config.clone(),
        peer_id,
        have,
        tiers: vec![1, 2],
        info_hash: InfoHash([0; 20]),
        seed: 1,
    };
    let mut torrent = Torrent::new(setup);
    let (mut stored, mut banned, mut asked) = (0, 0, Vec::new());
    let (mut now, mut out, mut verifying, mut open) = (0, Vec::new(), HashSet::new(), HashSet::new());
    while !reader.0.is_empty() {
        now += u64::from(reader.byte()).pow(3) / 20;
        let input = reader.input(&verifying, &asked);
        let taken = matches!(&input, Input::Opened { conn, .. } if open.contains(conn));
        if taken {
            continue; // a driver opens free slots only
        }
        match &input {
            Input::Opened { conn, .. } => _ = open.insert(*conn),
            Input::Closed { conn } => {
                open.remove(conn);
                asked.retain(|(link, _)| link != conn);
            }
            Input::Verified { piece, .. } => _ = verifying.remove(piece),
            Input::Message { conn, message: Message::Piece(block) } => {
                asked.retain(|one| one != &(*conn, *block))
            }
            _ => {}
        }
        torrent.handle(Instant::from_micros(now), input, &mut out);
        for output in out.drain(..) {
            match output {
                Output::Send { conn, message } => {
                    assert!(open.contains(&conn), "{message:?} to a link that is gone");
                    if let Message::Request(block) = message {
                        asked.push((conn, block));
                    }
                    if let Message::Request(block) | Message::Cancel(block) = message {
                        assert!(layout.block_number(block).is_some(), "asks for {block:?}");
                        assert!(
                            !torrent.have().contains(block.piece) || matches!(message, Message::Cancel(_))
                        );
                    }
                }
                Output::Close { conn, reason } => {
                    asked.retain(|(link, _)| *link != conn);
                    banned += u32::from(reason == CloseReason::Banned);
                    assert!(open.remove(&conn), "closes a link that is gone");
                }
                Output::Store { block, .. } => {
                    stored += 1;
                    assert!(!torrent.have().contains(block.piece));
                }
                Output::Verify { piece } => _ = verifying.insert(piece),
                _ => {}
            }
        }
        assert!(torrent.conn_count() <= config.max_connections);
        assert_eq!(usize::from(torrent.conn_count()), open.len());
        (0..7).map(ConnId).for_each(|conn| {
            for piece in [None, Some(PieceIndex(7)), Some(PieceIndex(u32::MAX))] {
                torrent.link_places(conn, piece, |_| ());
            }
            torrent.queue_places(conn, |_| ());
            torrent.block_places(conn, |_| ());
        });
        let totals = torrent.totals();
        assert!(totals.left <= layout.length());
        assert_eq!(torrent.is_complete(), totals.left == 0);
        for (_, view) in torrent.conns() {
            assert!(view.queued <= 8 && view.outstanding <= u32::from(config.pipeline.max));
            assert!(view.remote_count <= PIECES);
        }
    }
    (stored, banned)
}
