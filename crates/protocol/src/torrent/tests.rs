//! Transcripts of one torrent, message by message, and whole swarms in memory.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::net::{Ipv4Addr, SocketAddr};
use core::time::Duration;

use super::*;
use crate::{
    AnnounceReply, Announced, Block, CloseReason, Direction, Endgame, Opened, PeerSource, Reserved,
    SeedChoker, UnchokeReason,
};

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
            seed: 1,
        };
        Rig { torrent: Torrent::new(setup), now: 0, out: Vec::new() }
    }

    /// Hands in an input and gives what came out, a line each.
    fn hand(&mut self, input: Input) -> String {
        self.torrent.handle(at(self.now), input, &mut self.out);
        self.torrent.requests.check();
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

#[test]
fn a_download_from_one_seed() {
    let mut rig = Rig::new("..", sequential());
    assert_eq!(rig.open(0, Reserved::default()), "", "nothing is told of nothing without the fast extension");
    assert_eq!(rig.says(0, Message::Bitfield(Arc::new(have("xx")))), "#0 interested");
    assert_eq!(rig.says(0, Message::Unchoke), "#0 request 0.0\n#0 request 0.1");
    assert_eq!(rig.says(0, Message::Piece(block(0, 0))), "store 0.0\n#0 request 1.0");
    assert_eq!(rig.says(0, Message::Piece(block(0, 1))), "store 0.1\nverify 0\n#0 request 1.1");
    assert_eq!(rig.hand(Input::Verified { piece: PieceIndex(0), ok: true }), "", "a seed is told no have");
    assert_eq!(rig.says(0, Message::Piece(block(1, 0))), "store 1.0");
    assert_eq!(rig.says(0, Message::Piece(block(1, 1))), "store 1.1\nverify 1");
    let done = rig.hand(Input::Verified { piece: PieceIndex(1), ok: true });
    assert_eq!(done, "#0 close BothSeeds\ncompleted");
    assert_eq!(rig.torrent.totals(), Totals { downloaded: 64, ..Totals::default() });
}

#[test]
fn what_is_here_is_told_first() {
    let ours = Reserved::OURS;
    let plain = Reserved::default();
    for (pieces, reserved, told) in [
        ("xx", ours, "#0 have all"),
        ("..", ours, "#0 have none"),
        ("x.", ours, "#0 bitfield"),
        ("xx", plain, "#0 bitfield"),
        ("..", plain, ""),
    ] {
        assert_eq!(Rig::new(pieces, sequential()).open(0, reserved), told);
    }
}

#[test]
fn interest_follows_what_the_remote_has() {
    let mut rig = Rig::new("x..", sequential());
    rig.open(0, Reserved::default());
    assert_eq!(rig.says(0, Message::Have(PieceIndex(0))), "", "we have that one");
    assert_eq!(rig.says(0, Message::Have(PieceIndex(1))), "#0 interested");
    assert_eq!(rig.says(0, Message::Unchoke), "#0 request 1.0\n#0 request 1.1");
    rig.says(0, Message::Piece(block(1, 0)));
    rig.says(0, Message::Piece(block(1, 1)));
    let done = rig.hand(Input::Verified { piece: PieceIndex(1), ok: true });
    assert_eq!(done, "#0 not interested", "and no have for a piece it has");
}

#[test]
fn redundant_haves_are_sent_where_asked_for() {
    let config = Config { redundant_have: true, ..sequential() };
    let mut rig = Rig::new("x..", config);
    rig.unchoked_by(0, ".x.");
    rig.says(0, Message::Piece(block(1, 0)));
    rig.says(0, Message::Piece(block(1, 1)));
    assert_eq!(rig.hand(Input::Verified { piece: PieceIndex(1), ok: true }), "#0 have 1\n#0 not interested");
}

#[test]
fn a_piece_begun_is_finished_before_another_is_begun() {
    let mut rig = Rig::new("....", sequential());
    rig.unchoked_by(0, "xxxx");
    rig.unchoked_by(1, "..xx");
    rig.says(1, Message::Choke);
    let out = rig.unchoked_by(2, "xxxx");
    assert_eq!(
        out, "#2 interested\n#2 request 2.0\n#2 request 2.1",
        "what the choke set free, before piece 1"
    );
}

#[test]
fn a_choke_without_the_fast_extension_withdraws_what_was_asked() {
    let mut rig = Rig::new("..", sequential());
    rig.unchoked_by(0, "xx");
    rig.unchoked_by(1, "xx");
    assert_eq!(rig.says(0, Message::Choke), "", "the other's pipeline is full");
    assert_eq!(rig.says(1, Message::Piece(block(1, 0))), "store 1.0\n#1 request 0.0");
    assert_eq!(
        rig.says(0, Message::Piece(block(0, 0))),
        "store 0.0\n#1 cancel 0.0\n#1 request 0.1",
        "it was in flight"
    );
    assert_eq!(rig.torrent.totals().wasted, 0);
}

#[test]
fn with_the_fast_extension_a_request_is_answered_or_rejected() {
    let mut rig = Rig::new("..", sequential());
    rig.open(0, Reserved::OURS);
    rig.says(0, Message::HaveAll);
    rig.says(0, Message::Unchoke);
    assert_eq!(rig.says(0, Message::Choke), "");
    assert_eq!(rig.says(0, Message::Piece(block(0, 0))), "store 0.0", "still valid");
    assert_eq!(rig.says(0, Message::Reject(block(0, 1))), "");
    assert_eq!(rig.says(0, Message::Unchoke), "#0 request 0.1\n#0 request 1.0");
    let mut plain = Rig::new("..", sequential());
    plain.open(0, Reserved::default());
    assert_eq!(plain.says(0, Message::HaveAll), "#0 close Misbehaved(UnagreedExtension)");
}

#[test]
fn allowed_fast_pieces_are_asked_for_while_choked() {
    let mut rig = Rig::new("...", sequential());
    rig.open(0, Reserved::OURS);
    rig.says(0, Message::HaveAll);
    assert_eq!(rig.says(0, Message::AllowedFast(PieceIndex(2))), "#0 request 2.0\n#0 request 2.1");
    rig.says(0, Message::Reject(block(2, 0)));
    assert_eq!(rig.says(0, Message::Reject(block(2, 1))), "", "one that rejects it is not asked again");
}

#[test]
fn uploads_wait_for_credit_and_can_be_withdrawn() {
    let mut rig = Rig::new("xx", sequential());
    rig.open(0, Reserved::OURS);
    assert_eq!(rig.says(0, Message::Request(block(0, 0))), "#0 reject 0.0", "choked");
    assert_eq!(rig.says(0, Message::Interested), "#0 unchoke", "a slot is free");
    assert_eq!(rig.hand(Input::Writable { conn: ConnId(0), blocks: 1 }), "");
    assert_eq!(rig.says(0, Message::Request(block(0, 0))), "#0 piece 0.0");
    assert_eq!(rig.says(0, Message::Request(block(0, 1))), "");
    assert_eq!(rig.says(0, Message::Request(block(1, 0))), "");
    assert_eq!(rig.says(0, Message::Cancel(block(0, 1))), "#0 reject 0.1");
    assert_eq!(rig.hand(Input::Writable { conn: ConnId(0), blocks: 2 }), "#0 piece 1.0");
    assert_eq!(rig.torrent.totals().uploaded, u64::from(2 * BLOCK));
    rig.says(0, Message::Request(block(0, 1)));
    rig.says(0, Message::Request(block(1, 1)));
    rig.says(0, Message::NotInterested);
    assert_eq!(rig.until(1_000), "#0 choke\n#0 reject 1.1", "what was not yet handed over is rejected");
}

#[test]
fn requests_beyond_the_queue_are_no_offence_of_another_kind() {
    let mut rig = Rig::new("xx", Config { max_queued_requests: 1, ..sequential() });
    rig.open(0, Reserved::default());
    rig.says(0, Message::Interested);
    for _ in 0..200 {
        assert_eq!(rig.says(0, Message::Request(block(0, 0))), "", "dropped: this remote cannot be told");
    }
    assert_eq!(rig.says(0, Message::Piece(block(0, 0))), "", "one stray block is forgiven");
    let closed = (0..20_000).find_map(|_| {
        let out = rig.says(0, Message::Request(block(0, 0)));
        (!out.is_empty()).then_some(out)
    });
    assert_eq!(closed.as_deref(), Some("#0 close Misbehaved(Flood)"));
}

#[test]
fn at_most_four_interested_remotes_are_unchoked() {
    let mut rig = Rig::new("xx", Config { notes: true, ..sequential() });
    for conn in 0..6 {
        rig.open(conn, Reserved::default());
        let out = rig.says(conn, Message::Interested);
        let unchoked = out.starts_with(&format!("#{conn} unchoke"));
        assert_eq!(unchoked, conn < 4, "{out}");
    }
    for round in 1..20 {
        rig.until(round * 10_000);
        let unchoked = rig.torrent.conns().filter(|(_, view)| !view.we_choking).count();
        assert_eq!(unchoked, 4);
    }
}

#[test]
fn who_gives_most_is_unchoked_and_one_chance_goes_round() {
    let config = Config { notes: true, snub_after: Duration::from_secs(3_600), ..sequential() };
    let mut rig = Rig::new(&".".repeat(600), config);
    for conn in 0..8 {
        rig.unchoked_by(conn, &"x".repeat(600));
        rig.says(conn, Message::Interested);
    }
    let mut optimistic = BTreeMap::new();
    for round in 1..=60u64 {
        for conn in [2u16, 4, 6] {
            for _ in 0..conn {
                let asked = rig.torrent.conns.get(ConnId(conn)).unwrap().outstanding.front().map(|o| o.block);
                if let Some(block) = asked {
                    rig.says(conn, Message::Piece(block));
                }
            }
        }
        (0..8).for_each(|conn| _ = rig.says(conn, Message::KeepAlive));
        let out = rig.until(round * 10_000);
        if round > 3 {
            for (id, view) in rig.torrent.conns() {
                let giver = [2, 4, 6].contains(&id.0);
                assert!(!giver || !view.we_choking, "round {round}: {id} gives and is choked\n{out}");
            }
            for conn in (0..8).filter(|conn| ![2, 4, 6].contains(conn)) {
                if !rig.torrent.conns.get(ConnId(conn)).unwrap().we_choking {
                    *optimistic.entry(conn).or_insert(0) += 1;
                }
            }
        }
    }
    assert_eq!(optimistic.len(), 5, "everyone got a chance: {optimistic:?}");
    assert!(optimistic.values().all(|&rounds| (6..=18).contains(&rounds)), "{optimistic:?}");
}

#[test]
fn a_snub_is_answered_in_kind() {
    let mut rig =
        Rig::new("....", Config { notes: true, unchoke_slots: 1, optimistic_slots: 0, ..sequential() });
    rig.unchoked_by(0, "xxxx");
    let out = rig.until(60_000);
    assert!(out.contains("Snubbed { conn: ConnId(0) }"), "{out}");
    let out = rig.unchoked_by(1, "xxxx");
    assert!(out.contains("#1 request 0.0"), "what the snubber owes may be asked of others:\n{out}");
}

#[test]
fn who_alone_gave_a_bad_piece_is_banned() {
    let mut rig = Rig::new("..", sequential());
    rig.unchoked_by(0, "xx");
    rig.says(0, Message::Piece(block(0, 0)));
    rig.says(0, Message::Piece(block(0, 1)));
    let out = rig.hand(Input::Verified { piece: PieceIndex(0), ok: false });
    assert_eq!(out, "#0 close Banned");
    assert_eq!(rig.open(0, Reserved::default()), "#0 close Banned");
    assert_eq!(rig.torrent.totals().bad_pieces, 1);
}

#[test]
fn where_two_gave_a_bad_piece_each_works_alone_until_it_is_known() {
    let config =
        Config { pipeline: crate::Pipeline { min: 1, max: 1, span: Duration::from_secs(1) }, ..sequential() };
    let mut rig = Rig::new("........", config);
    rig.unchoked_by(0, "xxxxxxxx");
    rig.unchoked_by(1, "xxxxxxxx");
    rig.says(0, Message::Piece(block(0, 0)));
    rig.says(1, Message::Piece(block(0, 1)));
    assert_eq!(
        rig.hand(Input::Verified { piece: PieceIndex(0), ok: false }),
        "",
        "in doubt nobody is banned"
    );
    let give = |rig: &mut Rig, conn| {
        let asked = rig.torrent.conns.get(ConnId(conn)).unwrap().outstanding[0].block;
        rig.says(conn, Message::Piece(asked));
        asked.piece
    };
    // What both were asked for before is still shared; from then on each has pieces of its own.
    (0..3).for_each(|_| [0, 1].into_iter().for_each(|conn| _ = give(&mut rig, conn)));
    let mut last = PieceIndex(0);
    for turn in 0..4 {
        last = give(&mut rig, turn % 2);
    }
    assert_eq!(rig.torrent.requests.givers(last).map(|givers| givers.len()), Some(1));
    assert_eq!(rig.hand(Input::Verified { piece: last, ok: false }), "#1 close Banned");
}

/// A remote gives one bad block among `blocks` good ones, often in a piece another one has a part in, so that both are
/// suspect; then it falls silent. Whatever it was asked for, alone or not, the other brings the download to its end.
#[test]
fn a_suspect_that_stalls_holds_up_no_other_suspect() {
    let pipeline = |min| crate::Pipeline { min, max: min, span: Duration::from_secs(1) };
    let mut doubts = 0;
    let cases = (2..=6).flat_map(|pieces| (1..=5).map(move |min| (pieces, min)));
    let cases =
        cases.flat_map(|case| (0..4).flat_map(move |bad| (bad..9).map(move |blocks| (case, bad, blocks))));
    for ((pieces, min), bad, blocks) in cases {
        let all = "x".repeat(pieces);
        let mut rig = Rig::new(&".".repeat(pieces), Config { pipeline: pipeline(min), ..sequential() });
        let mut tainted = BTreeSet::new();
        let mut give = |rig: &mut Rig, conn, good: bool| {
            let asked =
                rig.torrent.conns.get(ConnId(conn)).and_then(|conn| conn.outstanding.front().cloned());
            let Some(block) = asked.map(|request| request.block) else { return };
            let out = rig.says(conn, Message::Piece(block));
            if good {
                tainted.remove(&block)
            } else {
                tainted.insert(block)
            };
            if out.contains("verify") {
                let ok = tainted.iter().all(|bad| bad.piece != block.piece);
                doubts += usize::from(!ok && rig.torrent.requests.givers(block.piece).unwrap().len() > 1);
                rig.hand(Input::Verified { piece: block.piece, ok });
            }
        };
        [0, 1].into_iter().for_each(|conn| _ = rig.unchoked_by(conn, &all));
        for number in 0..=blocks {
            give(&mut rig, 0, number != bad);
            give(&mut rig, 1, true);
        }
        for second in 0..120 {
            rig.until(second * 1_000);
            give(&mut rig, 1, true);
        }
        assert!(rig.torrent.is_complete(), "{pieces} {min} {bad} {blocks}: {:?}", rig.torrent.have());
    }
    assert!(doubts > 20, "only {doubts} pieces left doubts");
}

#[test]
fn the_last_blocks_are_asked_of_all_and_cancelled_when_here() {
    let mut rig = Rig::new(".", Config { endgame: Endgame::Full, ..sequential() });
    rig.unchoked_by(0, "x");
    let out = rig.unchoked_by(1, "x");
    assert_eq!(out, "#1 interested\n#1 request 0.0\n#1 request 0.1", "asked of both");
    assert_eq!(rig.says(1, Message::Piece(block(0, 1))), "store 0.1\n#0 cancel 0.1");
    assert_eq!(rig.says(0, Message::Piece(block(0, 1))), "", "it crossed the cancel: wasted, no offence");
    assert_eq!(rig.torrent.totals().wasted, u64::from(BLOCK));
}

#[test]
fn offences_end_the_link() {
    let shrunken = Message::Bitfield(Arc::new(have("x.")));
    let beyond = Block { piece: PieceIndex(0), begin: 16, len: 17 };
    for (message, offence) in [
        (Message::Have(PieceIndex(2)), "PieceOutOfRange"),
        (shrunken, "ShrunkenBitfield"),
        (Message::HaveNone, "UnagreedExtension"),
        (Message::Request(beyond), "BadRequest"),
        (Message::Request(block(7, 0)), "BadRequest"),
    ] {
        let mut rig = Rig::new("..", sequential());
        rig.unchoked_by(0, "xx");
        assert_eq!(rig.says(0, message), format!("#0 close Misbehaved({offence})"));
    }
    let mut rig = Rig::new("..", sequential());
    rig.open(0, Reserved::default());
    let out = rig.says(0, Message::Bitfield(Arc::new(have("xxx"))));
    assert_eq!(out, "#0 close Misbehaved(MalformedBitfield)");
}

#[test]
fn a_later_bitfield_counts_for_what_it_adds() {
    let mut rig = Rig::new("....", sequential());
    rig.unchoked_by(0, "....");
    rig.says(0, Message::Have(PieceIndex(3)));
    let counts =
        |rig: &Rig| (0..4).map(|piece| rig.torrent.availability.of(PieceIndex(piece))).collect::<Vec<_>>();
    // As aria2 does when it has got several pieces at once.
    rig.says(0, Message::Bitfield(Arc::new(have(".x.x"))));
    assert_eq!(counts(&rig), [0, 1, 0, 1]);
    let out = rig.says(0, Message::Bitfield(Arc::new(have("..xx"))));
    assert_eq!(out, "#0 close Misbehaved(ShrunkenBitfield)", "piece 1 is gone");
    assert_eq!(counts(&rig), [0; 4]);

    let mut seed = Rig::new("xx", sequential());
    seed.unchoked_by(0, "x.");
    assert_eq!(seed.says(0, Message::Bitfield(Arc::new(have("xx")))), "#0 close BothSeeds");
}

#[test]
fn data_nobody_asked_for_is_dropped_and_ends_the_link_in_the_end() {
    let mut rig = Rig::new("....", sequential());
    rig.open(0, Reserved::default());
    let closed = (0..100).find(|_| rig.says(0, Message::Piece(block(3, 0))).contains("UnrequestedData"));
    assert!(closed.is_some() && rig.torrent.conn_count() == 0);
    assert_eq!(rig.torrent.totals().downloaded, rig.torrent.totals().wasted);
}

#[test]
fn two_links_to_one_peer_become_the_one_that_the_smaller_peer_id_opened() {
    let mut rig = Rig::new("..", sequential());
    let plain = Reserved::default();
    rig.open_as(0, 5, Direction::Incoming, plain);
    assert_eq!(rig.open_as(1, 5, Direction::Outgoing, plain), "#0 close Duplicate", "ours is the smaller id");
    assert_eq!(rig.open_as(0, 5, Direction::Incoming, plain), "#0 close Duplicate");
    assert_eq!(rig.open_as(0, 5, Direction::Outgoing, plain), "#0 close Duplicate");
    assert_eq!(rig.open_as(2, 0, Direction::Incoming, plain), "#2 close Duplicate", "ourselves");
}

#[test]
fn links_are_bounded_and_quiet_ones_kept_alive_then_closed() {
    let mut rig = Rig::new("..", Config { max_connections: 2, ..sequential() });
    rig.open(0, Reserved::default());
    rig.open(1, Reserved::default());
    assert_eq!(rig.open(2, Reserved::default()), "#2 close Full");
    assert_eq!(rig.until(120_000), "#0 keep-alive\n#1 keep-alive");
    rig.says(1, Message::KeepAlive);
    let out = rig.until(300_000);
    assert!(out.contains("#0 close Idle") && !out.contains("#1 close"), "{out}");
}

#[test]
fn addresses_are_tried_within_the_bounds() {
    let mut rig = Rig::new("..", Config { max_half_open: 2, initiate_up_to: 3, ..sequential() });
    let list: Box<[SocketAddr]> = (1..=9).map(addr).collect();
    let out = rig.hand(Input::Peers { source: PeerSource::Tracker, list });
    assert_eq!(out.lines().count(), 2, "{out}");
    let first = out.lines().next().unwrap().rsplit('.').next().unwrap().parse().unwrap();
    let out = rig.hand(Input::ConnectFailed { addr: addr(first) });
    assert_eq!(out.lines().count(), 1, "the next one");
    let connecting = out.rsplit('.').next().unwrap().parse().unwrap();
    let out = rig.open_as(0, connecting, Direction::Outgoing, Reserved::default());
    assert_eq!(out, "", "one is open, one under way; a third is allowed at the next chance");
}

#[test]
fn announces_begin_complete_and_end() {
    let mut rig = Rig::with_tiers(".", Config { min_connections: 20, ..sequential() }, vec![1]);
    assert_eq!(rig.until(0), "announce Started left 32");
    let reply = |event, peers| {
        let reply = AnnounceReply { interval: Duration::from_secs(1_800), min_interval: None, peers };
        Input::Announced(Box::new(Announced { tracker: TrackerId(0), event, outcome: Ok(reply) }))
    };
    assert_eq!(rig.hand(reply(AnnounceEvent::Started, vec![addr(1)])), "connect 198.18.0.1");
    assert_eq!(rig.until(120_000), "announce None left 32", "short of peers: after the least interval");
    rig.hand(reply(AnnounceEvent::None, Vec::new()));
    rig.unchoked_by(0, "x");
    rig.says(0, Message::Piece(block(0, 0)));
    rig.says(0, Message::Piece(block(0, 1)));
    let out = rig.hand(Input::Verified { piece: PieceIndex(0), ok: true });
    assert_eq!(out, "#0 close BothSeeds\ncompleted\nannounce Completed left 0");
    rig.hand(reply(AnnounceEvent::Completed, Vec::new()));
    rig.open(1, Reserved::default());
    assert_eq!(rig.hand(Input::Stop), "#1 close Stopping\nannounce Stopped left 0");
    assert_eq!(rig.open(1, Reserved::default()), "#1 close Stopping");
    assert_eq!(rig.until(130_000), "stopped", "a silent tracker does not hold us");
    assert_eq!(rig.torrent.deadline(), None);
}

#[test]
fn a_failing_disk_pauses_and_then_begins_the_piece_anew() {
    let mut rig = Rig::new("..", sequential());
    rig.unchoked_by(0, "xx");
    rig.says(0, Message::Piece(block(0, 0)));
    assert_eq!(rig.hand(Input::DiskFailed { piece: PieceIndex(0) }), "");
    assert_eq!(rig.says(0, Message::Piece(block(0, 1))), "", "lost as well");
    let out = rig.until(30_000);
    assert!(out.contains("#0 request 1.1"), "{out}");
    assert_eq!(rig.says(0, Message::Piece(block(1, 0))), "store 1.0\n#0 request 0.0");
    let mut seed = Rig::new("xx", sequential());
    seed.open(0, Reserved::OURS);
    let out = seed.hand(Input::ReadFailed { conn: ConnId(0), block: block(1, 0) });
    assert_eq!(out, "#0 reject 1.0");
    assert_eq!((seed.torrent.is_complete(), seed.torrent.totals().left), (false, 32));
}

#[test]
fn a_congested_disk_stops_requests() {
    let mut rig = Rig::new("..", sequential());
    rig.hand(Input::Congested { disk: true });
    assert_eq!(rig.unchoked_by(0, "xx"), "#0 interested\n");
    assert_eq!(rig.hand(Input::Congested { disk: false }), "#0 request 0.0\n#0 request 0.1");
}

#[test]
fn the_pipeline_follows_rate_and_latency() {
    let pipeline = crate::Pipeline { min: 2, max: 16, span: Duration::from_secs(1) };
    let mut rig = Rig::new(&".".repeat(200), Config { pipeline, ..sequential() });
    rig.unchoked_by(0, &"x".repeat(200));
    let depth = |rig: &Rig| rig.torrent.conns.get(ConnId(0)).unwrap().outstanding.len();
    let step = |rig: &mut Rig, millis| {
        let block = rig.torrent.conns.get(ConnId(0)).unwrap().outstanding[0].block;
        rig.now += millis;
        rig.says(0, Message::Piece(block));
    };
    (0..50).for_each(|_| step(&mut rig, 1));
    assert_eq!(depth(&rig), 16, "a fast remote is kept busy");
    (0..50).for_each(|_| step(&mut rig, 300));
    assert!((2..=4).contains(&depth(&rig)), "a slow one holds little back: {}", depth(&rig));
}

/// Endpoints joined by a queue without delay; every hash is right unless a giver of a block corrupts.
struct Swarm {
    ends: Vec<Torrent>,
    /// What is under way: to whom, and whether it is a corrupt block.
    wire: VecDeque<(usize, Input, bool)>,
    /// (endpoint, link) to the other side's (endpoint, link). Links are never numbered twice.
    links: BTreeMap<(usize, ConnId), (usize, ConnId)>,
    link_count: u16,
    /// The corrupt blocks that each endpoint keeps.
    tainted: Vec<BTreeSet<Block>>,
    /// The block being delivered is corrupt.
    corrupt: bool,
    corrupters: Vec<usize>,
    now: u64,
    completed: usize,
    /// Who banned whom.
    banned: Vec<(usize, usize)>,
}

impl Swarm {
    fn new(
        seeds: usize,
        leechers: usize,
        pieces: u32,
        config: &Config,
        seed: u64,
        fast: impl Fn(usize) -> bool,
    ) -> Self {
        let layout = Arc::new(Layout::new(u64::from(pieces) * 64 - 5, 64, BLOCK).unwrap());
        let end = |at: usize| {
            let have = if at < seeds { Bitfield::full(pieces) } else { Bitfield::empty(pieces) };
            let config = Arc::new(Config { fast_extension: fast(at), ..config.clone() });
            let (peer_id, seed) = (peer_id(at as u16), seed * 1_000 + at as u64);
            Torrent::new(Setup { layout: layout.clone(), config, peer_id, have, tiers: Vec::new(), seed })
        };
        let ends: Vec<Torrent> = (0..seeds + leechers).map(end).collect();
        let count = ends.len();
        let peers = |at: usize| Input::Peers {
            source: PeerSource::Tracker,
            list: (0..count).filter(|&other| other != at).map(|other| addr(other as u16)).collect(),
        };
        Swarm {
            ends,
            wire: (0..count).map(|at| (at, peers(at), false)).collect(),
            links: BTreeMap::new(),
            link_count: 0,
            tainted: vec![BTreeSet::new(); count],
            corrupt: false,
            corrupters: Vec::new(),
            now: 0,
            completed: 0,
            banned: Vec::new(),
        }
    }

    fn connect(&mut self, from: usize, to: usize) {
        let reserved =
            |end: &Torrent| if end.config.fast_extension { Reserved::OURS } else { Reserved::default() };
        let conn = ConnId(self.link_count);
        self.link_count += 1;
        self.links.insert((from, conn), (to, conn));
        self.links.insert((to, conn), (from, conn));
        for (end, other, direction) in [(from, to, Direction::Outgoing), (to, from, Direction::Incoming)] {
            let (reserved, peer_id) = (reserved(&self.ends[other]), peer_id(other as u16));
            let peer = Box::new(Opened { addr: addr(other as u16), direction, peer_id, reserved });
            self.wire.push_back((end, Input::Opened { conn, peer }, false));
            self.wire.push_back((end, Input::Writable { conn, blocks: 2 }, false));
        }
    }

    fn hand(&mut self, end: usize, input: Input) {
        let mut out = Vec::new();
        self.ends[end].handle(at(self.now), input, &mut out);
        self.ends[end].requests.check();
        for output in out {
            match output {
                Output::Connect { addr } => {
                    let SocketAddr::V4(addr) = addr else { panic!("only IPv4 here") };
                    self.connect(end, (u32::from(*addr.ip()) - 0xc612_0000) as usize);
                }
                Output::Send { conn, message } => {
                    let Some(&(to, conn)) = self.links.get(&(end, conn)) else { continue };
                    let block = matches!(message, Message::Piece(_));
                    if let Message::Piece(block) = message {
                        assert!(self.ends[end].have.contains(block.piece), "{end} sends what it has not");
                    }
                    self.wire.push_back((
                        to,
                        Input::Message { conn, message },
                        block && self.corrupters.contains(&end),
                    ));
                }
                Output::Close { conn, reason } => {
                    assert!(!matches!(reason, CloseReason::Misbehaved(_)), "{end}: {reason:?}");
                    let Some((to, far)) = self.links.remove(&(end, conn)) else { continue };
                    self.links.remove(&(to, far));
                    if reason == CloseReason::Banned {
                        self.banned.push((end, to));
                    }
                    self.wire.push_back((to, Input::Closed { conn: far }, false));
                }
                Output::Store { block, .. } if self.corrupt => _ = self.tainted[end].insert(block),
                Output::Store { block, .. } => _ = self.tainted[end].remove(&block),
                Output::Verify { piece } => {
                    let ok = self.tainted[end].iter().all(|block| block.piece != piece);
                    self.wire.push_front((end, Input::Verified { piece, ok }, false));
                }
                Output::Completed => self.completed += 1,
                Output::Announce(_) | Output::Stopped | Output::Note(_) => {}
            }
        }
    }

    /// Runs until nothing is under way, then lets the next deadline come; ends when so many have completed or after
    /// the simulated time.
    fn run(&mut self, all: usize, seconds: u64) {
        while self.completed < all && self.now < seconds * 1_000 {
            if let Some((to, input, corrupt)) = self.wire.pop_front() {
                self.deliver(to, input, corrupt);
                continue;
            }
            let next =
                self.ends.iter().filter_map(Torrent::deadline).min().expect("somebody waits for something");
            self.now = self.now.max(next.as_micros().div_ceil(1_000));
            for end in 0..self.ends.len() {
                if self.ends[end].deadline().is_some_and(|due| due <= at(self.now)) {
                    self.hand(end, Input::Deadline);
                }
            }
        }
    }

    fn deliver(&mut self, to: usize, input: Input, corrupt: bool) {
        let mut credit = None;
        if let Input::Message { conn, message: Message::Piece(_) } = input {
            credit = self.links.get(&(to, conn)).copied();
        }
        self.corrupt = corrupt;
        self.hand(to, input);
        self.corrupt = false;
        if let Some((from, conn)) = credit {
            self.hand(from, Input::Writable { conn, blocks: 1 });
        }
    }
}

#[test]
fn swarms_complete_whatever_the_seed() {
    for seed in 0..30 {
        let leechers = 1 + seed as usize % 9;
        let config = Config {
            endgame: if seed % 2 == 0 { Endgame::Strict } else { Endgame::Full },
            redundant_have: seed % 3 == 0,
            max_connections: 3 + seed as u16 % 7,
            seed_choker: [
                SeedChoker::Mainline4,
                SeedChoker::FastestUpload,
                SeedChoker::RoundRobin,
                SeedChoker::AntiLeech,
            ][seed as usize % 4],
            ..Config::default()
        };
        let mut swarm = Swarm::new(1, leechers, 3 + seed as u32 * 3, &config, seed, |at| {
            !(at + seed as usize).is_multiple_of(3)
        });
        swarm.run(leechers, 3_600);
        assert_eq!(swarm.completed, leechers, "seed {seed} at {} ms", swarm.now);
        let sum = |of: fn(Totals) -> u64| swarm.ends.iter().map(|end| of(end.totals())).sum::<u64>();
        assert_eq!(sum(|totals| totals.left), 0);
        let lacked = leechers as u64 * swarm.ends[0].layout.length();
        assert_eq!(sum(|totals| totals.downloaded) - sum(|totals| totals.wasted), lacked, "seed {seed}");
    }
}

#[test]
fn a_corrupter_is_found_and_the_honest_complete() {
    for seed in 0..20 {
        let mut swarm = Swarm::new(2, 5, 24, &Config::default(), seed, |at| at % 2 == 0);
        swarm.corrupters = vec![1];
        swarm.run(5, 3_600);
        assert_eq!(swarm.completed, 5, "seed {seed}");
        assert!(!swarm.banned.is_empty(), "seed {seed}: somebody must have noticed");
        assert!(swarm.banned.iter().all(|&(_, banned)| banned == 1), "seed {seed}: {:?}", swarm.banned);
    }
}

#[test]
fn a_new_link_is_three_times_as_likely_to_be_next_in_the_rotation() {
    let mut random = Random::new(5);
    let mut first = 0;
    const DRAWS: u32 = 10_000;
    for _ in 0..DRAWS {
        let mut choker = crate::choker::Choker::new();
        (0..9).for_each(|conn| choker.opened(ConnId(conn), &mut random));
        choker.opened(ConnId(9), &mut random);
        let config = Config { unchoke_slots: 1, optimistic_slots: 1, ..Config::default() };
        let view = |conn| crate::choker::ChokeView {
            conn: ConnId(conn),
            interested: true,
            unchoked: false,
            snubbed: false,
            received: 0,
            sent: 0,
            pending: false,
            since_unchoke: 0,
            pieces_since_unchoke: 0,
            progress: 0,
        };
        let views: Vec<_> = (0..10).map(view).collect();
        let decision = choker.decide(&config, false, true, &views, &mut random);
        assert_eq!(decision[0].1, UnchokeReason::Optimistic);
        first += u32::from(decision[0].0 == ConnId(9));
    }
    // 3 of 12 places; two-sided chi-square at p = 0.01 with one degree of freedom allows 6.63.
    let expected = f64::from(DRAWS) * 3.0 / 12.0;
    let chi = (f64::from(first) - expected).powi(2) / (expected * 0.75);
    assert!(chi < 6.63, "{first} of {DRAWS}");
}

#[test]
fn notes_change_nothing() {
    let run = |notes| {
        let mut swarm = Swarm::new(1, 6, 20, &Config { notes, ..Config::default() }, 9, |_| true);
        swarm.run(6, 600);
        swarm.ends.iter().map(Torrent::totals).collect::<Vec<_>>()
    };
    assert_eq!(run(false), run(true));
}
