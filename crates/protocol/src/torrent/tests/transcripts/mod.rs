//! Transcripts: one torrent, message by message.

mod asking;
mod connecting;
mod serving;
mod trouble;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec;

use super::*;
use crate::{AnnounceReply, Announced};

fn have(pieces: &str) -> Bitfield {
    let mut set = Bitfield::empty(pieces.len() as u32);
    for (at, _) in pieces.chars().enumerate().filter(|&(_, char)| char == 'x') {
        set.insert(PieceIndex(at as u32));
    }
    set
}

/// One torrent whose other side is the test. Pieces are of two blocks.
struct Rig {
    torrent: Torrent,
    now: u64,
    out: Vec<Output>,
}

impl Rig {
    /// `pieces`: a character per piece, `x` for one that is here.
    fn new(pieces: &str, config: Config) -> Self {
        Self::with_tiers(pieces, config, Vec::new())
    }

    fn with_tiers(pieces: &str, config: Config, tiers: Vec<u16>) -> Self {
        let layout =
            Layout::new(pieces.len() as u64 * u64::from(2 * BLOCK), u64::from(2 * BLOCK), BLOCK).unwrap();
        let setup = Setup {
            layout: Arc::new(layout),
            config: Arc::new(config),
            peer_id: peer_id(0),
            have: have(pieces),
            tiers,
            info_hash: crate::InfoHash([0; 20]),
            seed: 1,
        };
        Rig { torrent: Torrent::new(setup), now: 0, out: Vec::new() }
    }

    /// Hands in an input and gives what came out, a line each.
    fn hand(&mut self, input: Input) -> String {
        self.torrent.handle(at(self.now), input, &mut self.out);
        self.torrent.requests.check(&self.torrent.layout);
        self.out.drain(..).map(|output| line(&output)).collect::<Vec<_>>().join("\n")
    }

    fn open(&mut self, conn: u16, reserved: Reserved) -> String {
        self.open_as(conn, conn + 1, Direction::Incoming, reserved)
    }

    fn open_as(&mut self, conn: u16, host: u16, direction: Direction, reserved: Reserved) -> String {
        let peer = Opened { addr: addr(host), direction, peer_id: peer_id(host), reserved };
        self.hand(Input::Opened { conn: ConnId(conn), peer: Box::new(peer) })
    }

    fn says(&mut self, conn: u16, message: Message) -> String {
        self.hand(Input::Message { conn: ConnId(conn), message })
    }

    /// A remote that has these pieces and unchokes us.
    fn unchoked_by(&mut self, conn: u16, pieces: &str) -> String {
        self.open(conn, Reserved::default());
        let mut out = self.says(conn, Message::Bitfield(Arc::new(have(pieces))));
        out.push('\n');
        out + &self.says(conn, Message::Unchoke)
    }

    /// What a remote is asked for.
    fn asked(&self, conn: u16) -> Vec<Block> {
        let Some(row) = self.torrent.conns.get(ConnId(conn)) else { return Vec::new() };
        let asked = self.torrent.asked.iter(self.torrent.flows.get(row).asked);
        asked.map(|asked| self.torrent.layout.block(asked.piece, asked.number())).collect()
    }

    /// Lets the time pass, with every deadline kept.
    fn until(&mut self, millis: u64) -> String {
        let mut lines = Vec::new();
        while let Some(due) = self.torrent.deadline().filter(|&due| due <= at(millis)) {
            self.now = self.now.max(due.as_micros().div_ceil(1_000));
            lines.push(self.hand(Input::Deadline));
        }
        self.now = millis;
        lines.retain(|line| !line.is_empty());
        lines.join("\n")
    }
}

fn block(piece: u32, number: u32) -> Block {
    Block { piece: PieceIndex(piece), begin: number * BLOCK, len: BLOCK }
}

fn line(output: &Output) -> String {
    let block = |block: &Block| format!("{}.{}", block.piece, block.begin / BLOCK);
    match output {
        Output::Send { conn, message } => match message {
            Message::Request(b) | Message::Piece(b) | Message::Cancel(b) | Message::Reject(b) => {
                format!("{conn} {} {}", message.kind().name(), block(b))
            }
            Message::Have(piece) => format!("{conn} have {piece}"),
            _ => format!("{conn} {}", message.kind().name()),
        },
        Output::Store { block: b, .. } => format!("store {}", block(b)),
        Output::Verify { piece } => format!("verify {piece}"),
        Output::Close { conn, reason } => format!("{conn} close {reason:?}"),
        Output::Connect { addr } => format!("connect {}", addr.ip()),
        Output::Announce(announce) => format!("announce {:?} left {}", announce.event, announce.left),
        Output::Completed => "completed".into(),
        Output::Stopped => "stopped".into(),
        Output::Note(note) => format!("{note:?}"),
    }
}

fn sequential() -> Config {
    let picker = crate::Picker::Sequential;
    let pipeline = crate::Pipeline { min: 2, max: 2, span: Duration::from_secs(1) };
    Config { picker, pipeline, min_connections: 0, ..Config::default() }
}
