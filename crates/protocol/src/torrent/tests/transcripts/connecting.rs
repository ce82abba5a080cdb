//! Links: who is called and by whom, which of them are kept, and what the tracker is told.

use super::*;

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
fn a_serial_names_one_link_even_when_they_begin_anew() {
    let mut rig = Rig::new("....", sequential());
    rig.open(0, Reserved::default());
    rig.torrent.next_serial = u16::MAX;
    rig.open(1, Reserved::default());
    rig.open(2, Reserved::default());
    let serials = [0, 1, 2].map(|conn| rig.torrent.conns.get(ConnId(conn)).unwrap().serial);
    assert_eq!(serials, [1, u16::MAX, 2], "0 names nobody, and 1 is taken");
}
