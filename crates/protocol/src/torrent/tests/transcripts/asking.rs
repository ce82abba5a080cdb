//! What is asked for, of whom, and what is told of it.

use super::*;

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

#[test]
fn what_is_told_is_asked_for_at_once_or_with_what_comes_next() {
    for (haves_ask, then) in [(true, "#1 request 1.0\n#1 request 1.1"), (false, "")] {
        let mut rig = Rig::new("...", Config { haves_ask, endgame: crate::Endgame::Strict, ..sequential() });
        rig.unchoked_by(0, "x..");
        rig.unchoked_by(1, "x..");
        assert_eq!((rig.asked(0).len(), rig.asked(1).len()), (2, 0), "all that both have is asked of one");
        assert_eq!(rig.says(1, Message::Have(PieceIndex(1))), then);
        // A remote of which nothing was wanted is asked by either.
        rig.open(2, Reserved::default());
        rig.says(2, Message::Unchoke);
        let told = rig.says(2, Message::Have(PieceIndex(2)));
        assert_eq!(told, "#2 interested\n#2 request 2.0\n#2 request 2.1");
    }
}
