extern crate std;

use alloc::vec;

use proptest::prelude::*;

use super::*;

fn decode(reply: &[u8]) -> AnnounceResponse {
    AnnounceResponse::decode(reply).unwrap()
}

fn refused(reply: &[u8]) -> String {
    AnnounceResponse::decode(reply).unwrap_err().to_string()
}

fn full(peers: PeerList) -> AnnounceResponse {
    AnnounceResponse {
        interval: Duration::from_secs(1800),
        min_interval: Some(Duration::from_secs(60)),
        complete: Some(1),
        incomplete: Some(2),
        downloaded: Some(3),
        tracker_id: Some(vec![0, 255]),
        warning: Some("careful".into()),
        external_ip: Some("192.0.2.9".parse().unwrap()),
        peers,
        dropped: 0,
    }
}

#[test]
fn compact_replies() {
    let response = full(PeerList::Compact { v4: vec![127, 0, 0, 1, 0x1a, 0xe1], v6: vec![1; 18] });
    let written = response.encode();
    let expected = [
        &b"d8:completei1e10:downloadedi3e11:external ip4:"[..],
        &[192, 0, 2, 9],
        b"10:incompletei2e8:intervali1800e12:min intervali60e5:peers6:",
        &[127, 0, 0, 1, 0x1a, 0xe1],
        b"6:peers618:",
        &[1; 18],
        b"10:tracker id2:\x00\xff15:warning message7:carefule",
    ]
    .concat();
    assert_eq!(written, expected);
    assert_eq!(decode(&written), response);
    let addrs = response.peers.addrs();
    assert_eq!(addrs[0], "127.0.0.1:6881".parse().unwrap());
    assert_eq!(addrs[1], "[101:101:101:101:101:101:101:101]:257".parse().unwrap());
    assert_eq!(response.peers.len(), 2);
    let engine = AnnounceReply::from(response);
    assert_eq!((engine.interval.as_secs(), engine.min_interval.unwrap().as_secs()), (1800, 60));
    assert_eq!(engine.peers, addrs);
}

#[test]
fn dictionary_replies_with_and_without_peer_id() {
    let peers = vec![
        ("10.0.0.1:80".parse().unwrap(), Some(PeerId(*b"-SL0001-abcdefghijkl"))),
        ("[::1]:81".parse().unwrap(), None),
    ];
    let response = AnnounceResponse {
        peers: PeerList::Dictionaries(peers),
        ..AnnounceResponse::new(Duration::from_secs(9))
    };
    let written = response.encode();
    assert_eq!(
        written,
        b"d8:intervali9e5:peersld2:ip8:10.0.0.17:peer id20:-SL0001-abcdefghijkl4:porti80eed2:ip3:::14:porti81eeee"
    );
    assert_eq!(decode(&written), response);
}

#[test]
fn an_empty_compact_list_is_written() {
    assert_eq!(AnnounceResponse::new(DEFAULT_INTERVAL).encode(), b"d8:intervali1800e5:peers0:e");
}

#[test]
fn what_real_trackers_leave_out_or_get_wrong_is_forgiven() {
    assert_eq!(decode(b"de"), AnnounceResponse::new(DEFAULT_INTERVAL));
    assert_eq!(decode(b"d5:peers0:8:intervali60ee\r\n").interval.as_secs(), 60);
    assert_eq!(decode(b"d8:interval4:soone").interval, DEFAULT_INTERVAL);
    assert_eq!(decode(b"d8:intervali0ee").interval.as_secs(), 1);
    assert_eq!(decode(b"d8:intervali-9223372036854775808ee").interval.as_secs(), 1);
    assert_eq!(decode(b"d8:intervali9223372036854775807ee").interval.as_secs(), 24 * 3600);
    let counts = decode(b"d8:completei-1e10:incompletei9223372036854775807ee");
    assert_eq!((counts.complete, counts.incomplete), (Some(0), Some(u32::MAX)));
    assert_eq!(decode(b"d11:external ip3:abce").external_ip, None);
    let v6 = decode(b"d11:external ip16:\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01e").external_ip;
    assert_eq!(v6, Some("::1".parse().unwrap()));
    let warning = decode(b"d15:warning message9:\x1b[2J\xff\n\0abe").warning.unwrap();
    assert_eq!(warning, " [2J\u{fffd}  ab");
}

#[test]
fn peers_nobody_can_connect_to_are_dropped_and_counted() {
    let response =
        decode(b"d5:peers12:\x01\x02\x03\x04\0\0\x01\x02\x03\x04\0\x016:peers618:aaaaaaaaaaaaaaaa\0\0e");
    assert_eq!(response.peers.addrs(), ["1.2.3.4:1".parse().unwrap()]);
    assert_eq!(response.dropped, 2);
    let list = b"d5:peersl\
        d2:ip7:1.2.3.44:porti1ee\
        d2:ip7:1.2.3.47:peer id3:abc4:porti2ee\
        d2:ip11:example.org4:porti1ee\
        d2:ip7:1.2.3.44:porti0ee\
        d2:ip7:1.2.3.44:porti65536ee\
        d2:ip7:1.2.3.4e\
        i5e\
        e6:peers618:\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\x03e";
    let response = decode(list);
    let addrs = ["1.2.3.4:1", "1.2.3.4:2", "[::1]:3"].map(|addr| addr.parse().unwrap());
    assert_eq!(response.peers.addrs(), addrs);
    assert_eq!(response.dropped, 5);
}

#[test]
fn a_flood_of_peers_is_cut() {
    let response = AnnounceResponse {
        peers: PeerList::Compact { v4: vec![1; 6 * 12_000], v6: vec![1; 18 * 500] },
        ..AnnounceResponse::new(DEFAULT_INTERVAL)
    };
    let read = decode(&response.encode());
    assert_eq!((read.peers.len(), read.dropped), (10_000, 2_500));
}

#[test]
fn unreadable_replies_say_what_they_are() {
    assert_eq!(refused(b"<html>"), "it is not bencode: byte 0: unexpected byte 0x3c ('<')");
    assert_eq!(refused(b"i5e"), "it is an integer, where a dictionary is due");
    assert_eq!(
        refused(b"d5:peers7:abcdefge"),
        "peers is a string of 7 bytes, where a list or a string of 6 bytes a peer is due"
    );
    assert_eq!(
        refused(b"d5:peersi1ee"),
        "peers is an integer, where a list or a string of 6 bytes a peer is due"
    );
    assert_eq!(refused(b"d6:peers6lee"), "peers6 is a list, where a string of 18 bytes a peer is due");
    assert!(refused(b"").starts_with("it is not bencode"));
    assert!(refused(&[b'l'; 1000]).contains("nested"));
}

#[test]
fn refusals() {
    let failure = |retry| Failure { reason: "go away".into(), retry };
    for (written, failure) in [
        (&b"d14:failure reason7:go awaye"[..], failure(None)),
        (b"d14:failure reason7:go away8:retry ini2ee", failure(Some(Retry::After(Duration::from_secs(120))))),
        (b"d14:failure reason7:go away8:retry in5:nevere", failure(Some(Retry::Never))),
    ] {
        assert_eq!(failure.encode(), written);
        assert_eq!(AnnounceResponse::decode(written), Err(failure.clone().into()));
        assert_eq!(ScrapeResponse::decode(written), Err(failure.into()));
    }
    let rounded = Failure { retry: Some(Retry::After(Duration::from_secs(61))), ..Failure::new("x") };
    assert_eq!(rounded.encode(), b"d14:failure reason1:x8:retry ini2ee");
    assert_eq!(refused(b"d14:failure reasoni5e5:peers0:e"), "(no words)");
    let long = [&b"d14:failure reason5000:"[..], &[b'x'; 5000], b"e"].concat();
    assert_eq!(refused(&long).len(), MAX_WORDS);
}

#[test]
fn scrapes() {
    let counts = Counts { complete: 5, incomplete: 10, downloaded: 50 };
    let response = ScrapeResponse {
        files: vec![(InfoHash([b'b'; 20]), Counts::default()), (InfoHash([b'a'; 20]), counts)],
        min_request_interval: Some(Duration::from_secs(900)),
    };
    let written = response.encode();
    assert_eq!(
        String::from_utf8_lossy(&written),
        "d5:filesd20:aaaaaaaaaaaaaaaaaaaad8:completei5e10:downloadedi50e10:incompletei10ee\
         20:bbbbbbbbbbbbbbbbbbbbd8:completei0e10:downloadedi0e10:incompletei0eee\
         5:flagsd20:min_request_intervali900eee"
    );
    let mut read = ScrapeResponse::decode(&written).unwrap();
    read.files.reverse();
    assert_eq!(read, response);
    assert_eq!(ScrapeResponse::decode(b"de"), Err(ReplyError::NoFiles));
    let odd = b"d5:filesd3:abcde20:aaaaaaaaaaaaaaaaaaaai1eee";
    assert_eq!(ScrapeResponse::decode(odd).unwrap().files, [(InfoHash([b'a'; 20]), Counts::default())]);
}

fn peer_list() -> impl Strategy<Value = PeerList> {
    let port = 1..=u16::MAX;
    let contact = |ip: Vec<u8>, port: u16| [&ip[..], &port.to_be_bytes()].concat();
    let contacts = move |ip_len: usize| {
        let one = (prop::collection::vec(any::<u8>(), ip_len), 1..=u16::MAX);
        prop::collection::vec(one.prop_map(move |(ip, port)| contact(ip, port)), 0..40)
            .prop_map(|list| list.concat())
    };
    let peer = (any::<IpAddr>(), port, any::<Option<[u8; 20]>>());
    prop_oneof![
        (contacts(4), contacts(16)).prop_map(|(v4, v6)| PeerList::Compact { v4, v6 }),
        prop::collection::vec(
            peer.prop_map(|(ip, port, id)| (SocketAddr::new(ip, port), id.map(PeerId))),
            0..40
        )
        .prop_map(PeerList::Dictionaries),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        peers in peer_list(),
        intervals in (1..=86_400u64, prop::option::of(1..=86_400u64)),
        counts in any::<[Option<u32>; 3]>(),
        tracker_id in prop::option::of(prop::collection::vec(any::<u8>(), 0..40)),
        warning in prop::option::of("[ -~é]{0,60}"),
        external_ip in any::<Option<IpAddr>>(),
    ) {
        let response = AnnounceResponse {
            interval: Duration::from_secs(intervals.0),
            min_interval: intervals.1.map(Duration::from_secs),
            complete: counts[0], incomplete: counts[1], downloaded: counts[2],
            tracker_id, warning, external_ip, peers, dropped: 0,
        };
        let written = response.encode();
        prop_assert!(Document::strict(&written).is_ok());
        prop_assert_eq!(AnnounceResponse::decode(&written), Ok(response));
    }

    #[test]
    fn reading_never_panics(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        parts in prop::collection::vec(
            "(8:interval|5:peers|6:peers6|2:ip|4:port|5:files|14:failure reason|[0-9]{1,2}:|i-?[0-9]{1,20}e|[lde])[ -~]{0,9}",
            0..30,
        ),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        peers in peer_list(),
    ) {
        let known = [b"d", parts.concat().as_bytes()].concat();
        let mut broken = full(peers).encode();
        let place = at.index(broken.len());
        broken[place] = byte;
        for reply in [&bytes, &known, &broken] {
            let _ = (AnnounceResponse::decode(reply), ScrapeResponse::decode(reply));
        }
    }
}
