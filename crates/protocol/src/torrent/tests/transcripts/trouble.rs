//! Bad pieces and who is to blame, content that nobody asked for, disks that fail.

use super::*;

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
fn data_nobody_asked_for_is_dropped_and_ends_the_link_in_the_end() {
    let mut rig = Rig::new("....", sequential());
    rig.open(0, Reserved::default());
    let closed = (0..100).find(|_| rig.says(0, Message::Piece(block(3, 0))).contains("UnrequestedData"));
    assert!(closed.is_some() && rig.torrent.conn_count() == 0);
    assert_eq!(rig.torrent.totals().downloaded, rig.torrent.totals().wasted);
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
