//! Transcripts: one torrent, message by message.

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
fn two_that_refuse_everything_are_not_asked_in_turn_without_end() {
    let mut rig = Rig::new(".", Config { endgame_askers: 1, ..sequential() });
    for conn in [0, 1] {
        rig.open(conn, Reserved::OURS);
        rig.says(conn, Message::HaveAll);
    }
    assert_eq!(rig.says(0, Message::Unchoke), "#0 request 0.0\n#0 request 0.1");
    assert_eq!(rig.says(1, Message::Unchoke), "");
    assert_eq!(rig.says(0, Message::Reject(block(0, 0))), "#1 request 0.0");
    assert_eq!(rig.says(1, Message::Reject(block(0, 0))), "", "both have refused");
    assert_eq!(rig.says(0, Message::Piece(block(0, 1))), "store 0.1\n#0 request 0.0", "it gives after all");
    assert_eq!(rig.says(0, Message::Reject(block(0, 0))), "");
    assert_eq!(rig.says(1, Message::Choke), "");
    assert_eq!(rig.says(1, Message::Unchoke), "#1 request 0.0", "it begins anew");
    assert_eq!(rig.says(1, Message::Reject(block(0, 0))), "");
    assert!(rig.until(11_000).ends_with("#0 request 0.0"), "a round has passed");
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
    let config =
        Config { notes: true, unchoke_most: 0, snub_after: Duration::from_secs(3_600), ..sequential() };
    let mut rig = Rig::new(&".".repeat(600), config);
    for conn in 0..8 {
        rig.unchoked_by(conn, &"x".repeat(600));
        rig.says(conn, Message::Interested);
    }
    let mut optimistic = BTreeMap::new();
    for round in 1..=60u64 {
        for conn in [2u16, 4, 6] {
            for _ in 0..conn {
                let asked = rig.asked(conn).first().copied();
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
                if !rig.torrent.conns.get(ConnId(conn)).unwrap().is(Flag::WeChoking) {
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
        let asked = rig.asked(conn)[0];
        rig.says(conn, Message::Piece(asked));
        asked.piece
    };
    // What both were asked for before is still shared; from then on each has pieces of its own.
    (0..3).for_each(|_| [0, 1].into_iter().for_each(|conn| _ = give(&mut rig, conn)));
    let mut last = PieceIndex(0);
    for turn in 0..4 {
        last = give(&mut rig, turn % 2);
    }
    assert_eq!(rig.torrent.requests.givers(last, &rig.torrent.layout).map(|givers| givers.len()), Some(1));
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
            let Some(&block) = rig.asked(conn).first() else { return };
            let out = rig.says(conn, Message::Piece(block));
            if good {
                tainted.remove(&block)
            } else {
                tainted.insert(block)
            };
            if out.contains("verify") {
                let ok = tainted.iter().all(|bad| bad.piece != block.piece);
                doubts += usize::from(
                    !ok && rig.torrent.requests.givers(block.piece, &rig.torrent.layout).unwrap().len() > 1,
                );
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
    let out = rig.hand(Input::ConnectFailed { addr: Box::new(addr(first)) });
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
fn a_link_on_which_content_has_passed_does_not_give_way_to_a_later_one() {
    let plain = Reserved::default();
    for useful in [false, true] {
        let mut rig = Rig::new("..", sequential());
        rig.open_as(0, 5, Direction::Incoming, plain);
        rig.says(0, Message::Bitfield(Arc::new(have("xx"))));
        rig.says(0, Message::Unchoke);
        if useful {
            assert!(rig.says(0, Message::Piece(block(0, 0))).starts_with("store 0.0"));
        }
        // Ours is the smaller id, so of two that crossed the one we opened stays.
        let out = rig.open_as(1, 5, Direction::Outgoing, plain);
        let given_way = if useful { "#1 close Duplicate" } else { "#0 close Duplicate" };
        assert!(out.starts_with(given_way), "{useful}: {out}");
    }
}

#[test]
fn who_has_called_from_the_address_it_listens_at_is_not_called() {
    let mut rig = Rig::new("..", sequential());
    rig.open_as(0, 5, Direction::Incoming, Reserved::default());
    let told = |rig: &mut Rig| {
        rig.hand(Input::Peers { source: PeerSource::Tracker, list: [addr(5), addr(6)].into() })
    };
    assert_eq!(told(&mut rig).matches("connect").count(), 2, "its address was not known when it called");
    let mut rig = Rig::new("..", Config { initiate_up_to: 0, ..sequential() });
    told(&mut rig);
    rig.open_as(0, 5, Direction::Incoming, Reserved::default());
    rig.torrent.config = Arc::new(Config { initiate_up_to: 9, ..sequential() });
    assert_eq!(told(&mut rig), "connect 198.18.0.6");
}

#[test]
fn a_block_that_could_not_be_read_was_not_uploaded() {
    let mut seed = Rig::new("xx", sequential());
    seed.open(0, Reserved::OURS);
    seed.says(0, Message::Interested);
    seed.hand(Input::Writable { conn: ConnId(0), blocks: 1 });
    assert_eq!(seed.says(0, Message::Request(block(1, 0))), "#0 piece 1.0");
    assert_eq!(seed.torrent.totals().uploaded, u64::from(BLOCK));
    seed.hand(Input::ReadFailed { conn: ConnId(0), block: block(1, 0) });
    assert_eq!(seed.torrent.totals().uploaded, 0);
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
    let depth = |rig: &Rig| rig.asked(0).len();
    let step = |rig: &mut Rig, millis| {
        let block = rig.asked(0)[0];
        rig.now += millis;
        rig.says(0, Message::Piece(block));
    };
    (0..50).for_each(|_| step(&mut rig, 1));
    assert_eq!(depth(&rig), 16, "a fast remote is kept busy");
    (0..50).for_each(|_| step(&mut rig, 300));
    assert!((2..=4).contains(&depth(&rig)), "a slow one holds little back: {}", depth(&rig));
}

#[test]
fn one_that_wants_nothing_of_a_seed_is_sent_away() {
    let mut rig = Rig::new("xx", sequential());
    rig.open(0, Reserved::default());
    rig.open(1, Reserved::default());
    rig.says(1, Message::Interested);
    assert_eq!(rig.until(59_000), "");
    assert_eq!(rig.until(60_000), "#0 close Useless", "it may have everything and never have said so");
    rig.says(1, Message::NotInterested);
    let out = rig.until(110_000);
    assert!(!out.contains("close"), "its time counts from when it lost interest:\n{out}");
    assert!(rig.until(120_000).contains("#1 close Useless"));
}

#[test]
fn a_piece_lost_and_fetched_again_is_no_second_completion() {
    let mut rig = Rig::with_tiers("x", sequential(), vec![1]);
    rig.until(0);
    let reply = AnnounceReply { interval: Duration::from_secs(1_800), ..AnnounceReply::default() };
    let event = AnnounceEvent::Started;
    rig.hand(Input::Announced(Box::new(Announced { tracker: TrackerId(0), event, outcome: Ok(reply) })));
    rig.open(0, Reserved::OURS);
    rig.says(0, Message::Bitfield(Arc::new(have("x"))));
    rig.open(1, Reserved::OURS);
    rig.hand(Input::ReadFailed { conn: ConnId(1), block: block(0, 0) });
    rig.says(1, Message::HaveAll);
    rig.says(1, Message::Unchoke);
    rig.says(1, Message::Piece(block(0, 0)));
    rig.says(1, Message::Piece(block(0, 1)));
    let out = rig.hand(Input::Verified { piece: PieceIndex(0), ok: true });
    assert_eq!(out, "#1 close BothSeeds\ncompleted", "and the tracker is told nothing");
}

#[test]
fn a_remote_may_ask_for_its_allowed_pieces_while_choked_but_not_for_ever() {
    let config = Config { allowed_fast: 2, unchoke_slots: 0, ..Config::default() };
    let mut rig = Rig::new("xxxxxx", config);
    let out = rig.open(0, Reserved::OURS);
    assert_eq!(out.lines().count(), 3, "have all and two pieces: {out}");
    let Torrent { config, info_hash, have, .. } = &rig.torrent;
    let set = links::allowed_set(config, info_hash, have.len(), addr(1));
    for piece in 0..6 {
        let block = Block { piece: PieceIndex(piece), begin: 0, len: BLOCK };
        let refused = rig.says(0, Message::Request(block)).contains("reject");
        assert_eq!(refused, !set.contains(&PieceIndex(piece)), "piece {piece} of {set:?}");
    }
    let block = Block { piece: set[0], begin: 0, len: BLOCK };
    let served = (2..100).take_while(|_| !rig.says(0, Message::Request(block)).contains("reject")).count();
    assert_eq!(served, 3 * 4 - 2, "three times each of the four blocks, two of which it has asked for");
    assert_eq!(rig.open(1, Reserved::default()).lines().count(), 1, "no fast extension, no offer");
}

#[test]
fn a_serial_names_one_link_even_when_they_begin_anew() {
    let mut rig = Rig::new("....", sequential());
    rig.open(0, Reserved::default());
    rig.torrent.next_serial = u16::MAX;
    rig.open(1, Reserved::default());
    rig.open(2, Reserved::default());
    let serials = [0, 1, 2].map(|conn| rig.torrent.conns.get(ConnId(conn)).unwrap().serial);
    assert_eq!(serials, [1, u16::MAX, 2], "0 names nobody, and 1 is taken");
}

#[test]
fn news_wait_for_company_or_ten_seconds() {
    let config = Config { have_delay: Duration::from_secs(10), random_first_pieces: 0, ..Config::default() };
    let mut rig = Rig::new("...", config);
    rig.unchoked_by(0, "xxx");
    rig.open(1, Reserved::default());
    rig.open(2, Reserved::default());
    rig.now = 1_000;
    let first = rig.asked(0)[0].piece;
    rig.says(0, Message::Piece(block(first.0, 0)));
    rig.says(0, Message::Piece(block(first.0, 1)));
    let out = rig.hand(Input::Verified { piece: first, ok: true });
    assert!(!out.contains("have"), "told nobody yet: {out}");
    let out = rig.says(1, Message::Interested);
    assert!(out == format!("#1 unchoke\n#1 have {first}"), "it goes along: {out}");
    rig.hand(Input::Closed { conn: ConnId(1) });
    assert!(!rig.until(10_900).contains("have"));
    assert_eq!(rig.until(11_100).matches(&format!("#2 have {first}")).count(), 1, "ten seconds are over");
}

#[test]
fn between_rounds_nobody_is_unchoked_nor_told_of_interest() {
    let config = Config { between_rounds: false, ..Config::default() };
    let mut rig = Rig::with_tiers(".x", config, vec![1]);
    rig.until(2_000);
    rig.open(0, Reserved::default());
    let mut out = rig.says(0, Message::Bitfield(Arc::new(have("x."))));
    out += &rig.says(0, Message::Interested);
    assert_eq!(out, "", "both wait");
    assert_eq!(rig.until(9_900), "");
    let out = rig.until(10_100);
    assert!(
        out.contains("#0 interested") && out.contains("#0 unchoke"),
        "the round is counted from the start: {out}"
    );
}

#[test]
fn a_pipeline_is_refilled_when_enough_of_it_has_come() {
    let pipeline = crate::Pipeline { min: 4, max: 4, span: Duration::from_secs(1) };
    let pipeline_rule = crate::PipelineRule::Fixed;
    let config = Config { refill_percent: 50, pipeline, pipeline_rule, ..Config::default() };
    let mut rig = Rig::new("....", config);
    rig.unchoked_by(0, "xxxx");
    let mut left = Vec::new();
    for _ in 0..4 {
        let next = rig.asked(0)[0];
        rig.says(0, Message::Piece(next));
        left.push(rig.asked(0).len());
    }
    assert_eq!(left, [3, 4, 3, 4], "at half of four it asks for two more");
}
