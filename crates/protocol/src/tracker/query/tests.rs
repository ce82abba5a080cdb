extern crate std;

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::{format, vec::Vec};

use proptest::prelude::*;

use super::*;

const REQUIRED: &str = "info_hash=aaaaaaaaaaaaaaaaaaaa&peer_id=-XX0001-123456789012&port=6881&left=7";

fn parse(more: &str) -> Result<AnnounceQuery, QueryError> {
    AnnounceQuery::parse(format!("{REQUIRED}{more}").as_bytes())
}

fn full() -> AnnounceQuery {
    AnnounceQuery {
        info_hash: InfoHash(*b"\x00\x124Vx\x9a\xbc\xde\xf1#Eg\x89\xab\xcd\xef&=%+"),
        peer_id: PeerId(*b"-SL0001- /?#~._-\xff\x80\n\r"),
        port: 65_535,
        uploaded: 1,
        downloaded: u64::MAX,
        left: 0,
        event: AnnounceEvent::Completed,
        numwant: Some(80),
        compact: Some(true),
        no_peer_id: true,
        ip: Some(b"2001:db8::1".to_vec()),
        key: Some(b"0a1B&".to_vec()),
        tracker_id: Some(vec![0, 255]),
    }
}

#[test]
fn only_the_required_parameters() {
    let query = parse("").unwrap();
    assert_eq!(query.info_hash, InfoHash([b'a'; 20]));
    assert_eq!(query.peer_id, PeerId(*b"-XX0001-123456789012"));
    assert_eq!((query.port, query.left, query.uploaded, query.downloaded), (6881, 7, 0, 0));
    assert_eq!((query.event, query.numwant, query.compact, query.no_peer_id), Default::default());
    assert_eq!((query.ip, query.key, query.tracker_id), (None, None, None));
}

#[test]
fn every_parameter_is_written_and_read() {
    let url = full().url("http://tracker.example/announce");
    assert_eq!(
        url,
        "http://tracker.example/announce?info_hash=%00%124Vx%9A%BC%DE%F1%23Eg%89%AB%CD%EF%26%3D%25%2B\
         &peer_id=-SL0001-%20%2F%3F%23~._-%FF%80%0A%0D&port=65535&uploaded=1&downloaded=18446744073709551615&left=0\
         &event=completed&numwant=80&compact=1&no_peer_id=1&ip=2001%3Adb8%3A%3A1&key=0a1B%26&trackerid=%00%FF"
    );
    assert_eq!(AnnounceQuery::parse(url.split_once('?').unwrap().1.as_bytes()), Ok(full()));
    assert_eq!(full().claimed_ip(), Ok(Some("2001:db8::1".parse().unwrap())));
}

#[test]
fn an_announce_url_keeps_its_own_query() {
    for (announce, begin) in [
        ("http://t/announce?passkey=ab%20c", "http://t/announce?passkey=ab%20c&info_hash="),
        ("http://t/announce?", "http://t/announce?info_hash="),
        ("http://t/announce?a=b&", "http://t/announce?a=b&info_hash="),
        ("http://t/x#part", "http://t/x?info_hash="),
        ("http://t", "http://t?info_hash="),
    ] {
        assert!(full().url(announce).starts_with(begin), "{announce}");
    }
}

#[test]
fn odd_but_common_values_are_read() {
    assert_eq!(parse("&event=").unwrap().event, AnnounceEvent::None);
    assert_eq!(parse("&event=paused").unwrap().event, AnnounceEvent::None);
    assert_eq!(parse("&numwant=-1").unwrap().numwant, None);
    assert_eq!(parse("&compact=0").unwrap().compact, Some(false));
    assert_eq!(parse("&supportcrypto=1&corrupt=0&redundant=0&unknown&&").unwrap(), parse("").unwrap());
    assert_eq!(parse("&unknown=1&unknown=%zz").unwrap(), parse("").unwrap());
    assert_eq!(parse("&uploaded=%31%32").unwrap().uploaded, 12);
    assert_eq!(parse("&uploaded=0000000000000000000000000001").unwrap().uploaded, 1);
    assert_eq!(parse("&key=a+b").unwrap().key, Some(b"a+b".to_vec()));
    let left = AnnounceQuery::parse(REQUIRED.replace("left=7", "left=-1").as_bytes()).unwrap().left;
    assert_eq!(left, u64::MAX);
}

#[test]
fn each_refusal_names_parameter_and_reason() {
    for (more, words) in [
        ("&port=1", "port is given more than once"),
        ("&numwant=1&numwant=1", "numwant is given more than once"),
        ("&uploaded=", "uploaded is not a number"),
        ("&uploaded=-1", "uploaded is not a number"),
        ("&downloaded=1x", "downloaded is not a number"),
        ("&downloaded=18446744073709551616", "downloaded must be from 0 to 18446744073709551615"),
        ("&numwant=4294967296", "numwant must be from 0 to 4294967295"),
        ("&compact=yes", "compact must be 0 or 1"),
        ("&no_peer_id", "no_peer_id must be 0 or 1"),
        ("&event=finished", "event must be started, completed, stopped or empty"),
        ("&key=%", "key has a % that is not followed by two hexadecimal digits"),
        ("&key=%+1", "key has a % that is not followed by two hexadecimal digits"),
        ("&trackerid=%1", "trackerid has a % that is not followed by two hexadecimal digits"),
    ] {
        assert_eq!(parse(more).unwrap_err().to_string(), words, "{more}");
    }
    let long = format!("&key={}", "k".repeat(256));
    assert_eq!(parse(&long).unwrap_err().to_string(), "key is longer than 255 bytes");
    let longer = format!("&x={}", "k".repeat(MAX_QUERY));
    assert_eq!(parse(&longer).unwrap_err().to_string(), "the query is longer than 16384 bytes");
    for (from, to, words) in [
        ("info_hash=", "x=", "info_hash is missing"),
        ("peer_id=", "x=", "peer_id is missing"),
        ("port=", "x=", "port is missing"),
        ("left=", "x=", "left is missing"),
        ("info_hash=a", "info_hash=", "info_hash has 19 bytes; it must have 20"),
        ("peer_id=", "peer_id=%00", "peer_id has 21 bytes; it must have 20"),
        ("port=6881", "port=0", "port must be from 1 to 65535"),
        ("port=6881", "port=65536", "port must be from 1 to 65535"),
        ("left=7", "left=-2", "left is not a number"),
    ] {
        let error = AnnounceQuery::parse(REQUIRED.replacen(from, to, 1).as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), words);
    }
}

#[test]
fn a_claimed_address_is_judged_only_on_request() {
    assert_eq!(parse("").unwrap().claimed_ip(), Ok(None));
    assert_eq!(parse("&ip=192.0.2.1").unwrap().claimed_ip(), Ok(Some("192.0.2.1".parse().unwrap())));
    for wrong in ["&ip=", "&ip=example.org", "&ip=%ff", "&ip=1.2.3.4:5"] {
        assert_eq!(parse(wrong).unwrap().claimed_ip(), Err(Reason::NotAnAddress.of("ip")), "{wrong}");
    }
}

#[test]
fn scrapes_are_written_and_read() {
    let scrape = ScrapeQuery { info_hashes: vec![InfoHash([b'a'; 20]), InfoHash([0xff; 20])] };
    let url = scrape.url("http://t/x/announce.php?passkey=1").unwrap();
    let hashes = format!("info_hash={}&info_hash={}", "a".repeat(20), "%FF".repeat(20));
    assert_eq!(url, format!("http://t/x/scrape.php?passkey=1&{hashes}"));
    assert_eq!(ScrapeQuery::parse(url.split_once('?').unwrap().1.as_bytes()), Ok(scrape.clone()));
    assert_eq!(ScrapeQuery::parse(b""), Ok(ScrapeQuery::default()));
    assert_eq!(ScrapeQuery::default().url("http://t/announce").unwrap(), "http://t/scrape");
    assert_eq!(ScrapeQuery::parse(b"info_hash=a").unwrap_err(), Reason::Length(1).of("info_hash"));
    for cannot in ["http://t/a", "http://t/announce/x", "http://t/x?x=/announce", "http://t/xannounce", ""] {
        assert_eq!(scrape.url(cannot), None, "{cannot}");
    }
}

prop_compose! {
    fn any_query()(
        ids in any::<([u8; 20], [u8; 20])>(),
        port in 1..=u16::MAX,
        amounts in any::<(u64, u64, u64)>(),
        event in 0..4usize,
        options in any::<(Option<u32>, Option<bool>, bool)>(),
        texts in prop::array::uniform3(prop::option::of(prop::collection::vec(any::<u8>(), 0..=255))),
    ) -> AnnounceQuery {
        let [ip, key, tracker_id] = texts;
        let events =
            [AnnounceEvent::None, AnnounceEvent::Started, AnnounceEvent::Completed, AnnounceEvent::Stopped];
        AnnounceQuery {
            info_hash: InfoHash(ids.0), peer_id: PeerId(ids.1), port, uploaded: amounts.0,
            downloaded: amounts.1, left: amounts.2, event: events[event], numwant: options.0,
            compact: options.1, no_peer_id: options.2, ip, key, tracker_id,
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(query in any_query()) {
        let url = query.url("http://t/announce");
        prop_assert!(url.bytes().all(|byte| byte.is_ascii_graphic()));
        prop_assert_eq!(AnnounceQuery::parse(url.split_once('?').unwrap().1.as_bytes()), Ok(query));
    }

    #[test]
    fn reading_never_panics(
        query in prop::collection::vec(any::<u8>(), 0..400),
        parts in prop::collection::vec("(info_hash|peer_id|port|left|event|numwant|key|ip)=[%0-9a-f&=-]{0,30}", 0..12),
    ) {
        let _ = (AnnounceQuery::parse(&query), ScrapeQuery::parse(&query));
        let joined: String = parts.join("&");
        let known: Vec<u8> = joined.into_bytes();
        let _ = (AnnounceQuery::parse(&known), ScrapeQuery::parse(&known));
    }
}
