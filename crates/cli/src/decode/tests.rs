//! Tests of the invariant: every byte has a name, whatever the input.

use proptest::prelude::*;
use swarmlab_metainfo::bencode;
use swarmlab_protocol::{Block, Handshake, InfoHash, Message, PeerId, PieceIndex, Reserved, wire};

use super::*;
use crate::style::Palette;

const KINDS: [Kind; 6] =
    [Kind::Bencode, Kind::Torrent, Kind::Reply, Kind::Handshake, Kind::Messages, Kind::Request];

/// Panics unless the spans tile the range, and the children of each span tile it.
fn assert_tiles(spans: &[Span], range: std::ops::Range<usize>) {
    let mut at = range.start;
    for span in spans {
        assert_eq!(span.offset, at, "gap or overlap at {span:?}");
        assert!(span.len > 0, "empty {span:?}");
        if !span.children.is_empty() {
            assert_tiles(&span.children, span.offset..span.end());
        }
        at = span.end();
    }
    assert_eq!(at, range.end, "the end is not covered by {spans:?}");
}

fn check(kind: Kind, data: &[u8]) -> Explained {
    let explained = explain(kind, data);
    assert_tiles(&explained.spans, 0..data.len());
    for full in [false, true] {
        let text = render::render(&explained, data, full, Palette::new(false));
        assert!(!text.contains('\u{1b}'));
    }
    explained
}

#[track_caller]
fn sound(data: &[u8]) -> Explained {
    let explained = check(Kind::of(data), data);
    assert_eq!(explained.fault, None, "{}", data.escape_ascii());
    explained
}

fn tree() -> impl Strategy<Value = Vec<u8>> {
    let leaf = prop_oneof![any::<i64>().prop_map(bencode::int), any::<Vec<u8>>().prop_map(bencode::bytes)];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(|items| [
                b"l".to_vec(),
                items.concat(),
                b"e".to_vec()
            ]
            .concat()),
            prop::collection::btree_map(any::<Vec<u8>>(), inner, 0..6).prop_map(|entries| {
                let entries = entries.into_iter().flat_map(|(key, value)| [bencode::bytes(key), value]);
                [b"d".to_vec(), entries.collect::<Vec<_>>().concat(), b"e".to_vec()].concat()
            }),
        ]
    })
}

proptest! {
    #[test]
    fn any_bytes_are_tiled(data: Vec<u8>) {
        for kind in KINDS {
            check(kind, &data);
        }
    }

    #[test]
    fn nearly_sensible_bytes_are_tiled(data in "[dlie0-9:a-c&=?% /\r\n\\x00\\x13-]{0,40}") {
        for kind in KINDS {
            check(kind, data.as_bytes());
        }
        check(Kind::of(data.as_bytes()), data.as_bytes());
    }

    #[test]
    fn sound_bencode_is_understood_and_torn_bencode_is_not(data in tree(), cut: prop::sample::Index) {
        prop_assert_eq!(check(Kind::Bencode, &data).fault, None);
        let torn = &data[..cut.index(data.len())];
        prop_assert!(check(Kind::Bencode, torn).fault.is_some());
    }

    #[test]
    fn streams_of_messages_are_tiled_wherever_they_are_cut(
        pieces in prop::collection::vec(any::<u32>(), 0..8),
        cut: prop::sample::Index,
    ) {
        let hello = Handshake { reserved: Reserved::OURS, info_hash: InfoHash([7; 20]), peer_id: PeerId([b'x'; 20]) };
        let mut data = hello.to_bytes().to_vec();
        for piece in pieces {
            let piece = PieceIndex(piece);
            wire::encode(&Message::Have(piece), &mut data);
            wire::encode(&Message::Request(Block { piece, begin: 0, len: 16_384 }), &mut data);
            wire::encode(&Message::KeepAlive, &mut data);
            wire::encode(&Message::Piece(Block { piece, begin: 0, len: 3 }), &mut data);
            data.extend_from_slice(b"abc");
            data.extend_from_slice(b"\0\0\0\x0a\x14\x00d1:v1:xe");
            data.extend_from_slice(b"\0\0\0\x02\xc8!");
        }
        prop_assert_eq!(check(Kind::of(&data), &data).fault, None);
        check(Kind::Handshake, &data[..cut.index(data.len())]);
    }
}

#[test]
fn kinds_are_recognised() {
    for (data, kind) in [
        (&b"5:hello"[..], Kind::Bencode),
        (b"i42e", Kind::Bencode),
        (b"d4:infode", Kind::Torrent),
        (b"d8:intervali1800e5:peers0:e", Kind::Reply),
        (b"HTTP/1.1 200 OK\r\n\r\nd8:intervali1800e5:peers0:e", Kind::Reply),
        (b"\x13BitTorrent protocol", Kind::Handshake),
        (b"\0\0\0\0", Kind::Messages),
        (b"GET /announce?info_hash=x HTTP/1.1\r\n\r\n", Kind::Request),
        (b"http://t/announce?info_hash=x", Kind::Request),
        (b"info_hash=x&port=1", Kind::Request),
    ] {
        assert_eq!(Kind::of(data), kind, "{}", data.escape_ascii());
    }
}

#[test]
fn compact_peers_are_split() {
    let data = b"d8:intervali60e5:peers12:\x7f\0\0\x01\x1a\xe1\x0a\0\0\x02\0\x506:peers618:\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x1a\xe1e";
    let explained = sound(data);
    let text = render::render(&explained, data, false, Palette::new(false));
    for peer in ["127.0.0.1:6881", "10.0.0.2:80", "[::1]:6881"] {
        assert!(text.contains(peer), "{text}");
    }
}

#[test]
fn hostile_nesting_is_bounded() {
    let data = vec![b'l'; 1 << 20];
    let explained = check(Kind::Bencode, &data);
    assert_eq!(explained.fault.unwrap().offset, 100);
}

#[test]
fn a_query_that_a_tracker_refuses_names_the_parameter() {
    let data = b"/announce?info_hash=short&peer_id=-SL0100-abcdefghijkl&port=1&left=0";
    let explained = check(Kind::of(data), data);
    let fault = explained.fault.unwrap();
    assert_eq!(
        (fault.offset, fault.reason.as_str()),
        (10, "a tracker refuses this: info_hash has 5 bytes; it must have 20")
    );
}
