//! What remotes ask for, and who of them is unchoked.

use super::*;

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
