mod drafts;
mod paths;
mod refused;

use super::*;
use crate::{
    LayoutError,
    bencode::{self, Kind},
};
use alloc::{
    borrow::ToOwned,
    collections::{BTreeMap, BTreeSet},
    format,
    string::{String, ToString},
    vec,
    vec::Vec,
};
use proptest::prelude::*;

/// Bencoded values by key.
type Entries<'t> = BTreeMap<&'t str, String>;

fn string(content: &str) -> String {
    format!("{}:{content}", content.len())
}

fn hashes(count: usize) -> String {
    string(&"01234567890123456789".repeat(count))
}

fn write(entries: &Entries<'_>) -> String {
    let entries: String = entries.iter().map(|(key, value)| string(key) + value).collect();
    format!("d{entries}e")
}

/// A good torrent with changes: (key, bencoded value), an empty value removing the key. Keys of `info` are written
/// `info.key`.
fn torrent(info: &[(&'static str, String)], changes: &[(&'static str, &str)]) -> Vec<u8> {
    let mut outer = Entries::from([("announce", string("http://t.example/announce"))]);
    let mut inner: Entries<'_> = info.iter().cloned().collect();
    for (key, value) in changes {
        let (entries, key) = match key.strip_prefix("info.") {
            Some(key) => (&mut inner, key),
            None => (&mut outer, *key),
        };
        if value.is_empty() {
            entries.remove(key)
        } else {
            entries.insert(key, (*value).to_owned())
        };
    }
    let info = write(&inner);
    outer.entry("info").or_insert(info);
    if changes.contains(&("info", "")) {
        outer.remove("info");
    }
    write(&outer).into_bytes()
}

fn single(changes: &[(&'static str, &str)]) -> Vec<u8> {
    let info = [
        ("length", "i40000e".into()),
        ("name", string("file")),
        ("piece length", "i16384e".into()),
        ("pieces", hashes(3)),
    ];
    torrent(&info, changes)
}

fn multi(changes: &[(&'static str, &str)]) -> Vec<u8> {
    let files = "ld6:lengthi30000e4:pathl1:a3:oneeed6:lengthi10000e4:pathl3:twoeee";
    let info = [
        ("files", files.into()),
        ("name", string("tree")),
        ("piece length", "i16384e".into()),
        ("pieces", hashes(3)),
    ];
    torrent(&info, changes)
}

fn read(bytes: &[u8]) -> Metainfo {
    Metainfo::from_bytes(bytes).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(bytes)))
}

/// A draft over `files` (path, length) with zeros for hashes.
fn draft(files: &[(&str, u64)], piece_length: u32) -> Draft {
    let total: u64 = files.iter().map(|file| file.1).sum();
    let files = files
        .iter()
        .map(|(path, length)| DraftFile {
            path: path.split('/').map(str::to_owned).collect(),
            length: *length,
            ..DraftFile::default()
        })
        .collect();
    let hashes = vec![0; 20 * total.div_ceil(u64::from(piece_length)) as usize];
    Draft { name: "tree".into(), files, piece_length, hashes, ..Draft::default() }
}

#[test]
fn a_single_file_torrent_is_read() {
    let bytes = single(&[
        ("comment", "5:hello"),
        ("created by", "4:test"),
        ("creation date", "i1700000000e"),
        ("info.private", "i1e"),
    ]);
    let torrent = read(&bytes);
    assert_eq!(torrent.name(), "file");
    assert!(!torrent.is_multi_file());
    assert!(torrent.is_private());
    assert!(!torrent.is_hybrid());
    assert_eq!(torrent.files().len(), 1);
    assert_eq!(torrent.files()[0].path, ["file"]);
    assert_eq!((torrent.length(), torrent.layout().piece_count()), (40_000, 3));
    assert_eq!(&torrent.piece_hash(PieceIndex(2)), b"01234567890123456789");
    assert_eq!(torrent.comment(), Some("hello"));
    assert_eq!(torrent.created_by(), Some("test"));
    assert_eq!(torrent.creation_date(), Some(1_700_000_000));
    assert_eq!(torrent.tiers(), [["http://t.example/announce"]]);
    assert_eq!(torrent.warnings(), []);
}

#[test]
fn a_multi_file_torrent_is_read() {
    let torrent = read(&multi(&[]));
    assert_eq!(torrent.name(), "tree");
    assert!(torrent.is_multi_file());
    let files: Vec<_> = torrent.files().iter().map(|f| (f.display_path(), f.offset, f.length)).collect();
    assert_eq!(files, [("a/one".into(), 0, 30_000), ("two".into(), 30_000, 10_000)]);
    assert_eq!(torrent.warnings(), []);
}

#[test]
fn the_info_hash_is_that_of_the_raw_bytes() {
    // Unsorted keys and a leading zero: re-encoding would give other bytes.
    let info = "d4:name4:file6:lengthi05e12:piece lengthi16384e6:pieces20:01234567890123456789e";
    let torrent = read(format!("d4:info{info}e").as_bytes());
    assert_eq!(torrent.info_bytes(), info.as_bytes());
    // printf %s "$info" | sha1sum
    assert_eq!(torrent.info_hash().to_string(), INFO_HASH_OF_UNSORTED);
    let warnings: Vec<_> = torrent.warnings().iter().map(|w| (w.offset, w.oddity.clone())).collect();
    let expected = [(20, bencode::Reason::UnsortedKey), (29, bencode::Reason::LeadingZero)];
    assert_eq!(warnings, expected.map(|(offset, reason)| (offset, Oddity::Bencode(reason))));
}

const INFO_HASH_OF_UNSORTED: &str = "eb7084996b1587a8a030596030f41eb828c74ffd";

#[test]
fn torrents_of_no_length_are_sane() {
    let empty = read(&single(&[("info.length", "i0e"), ("info.pieces", "0:")]));
    assert_eq!((empty.length(), empty.layout().piece_count()), (0, 0));
    assert_eq!(empty.spans(0..u64::MAX).count(), 0);
    let files = "ld6:lengthi0e4:pathl1:aeed6:lengthi0e4:pathl1:beee";
    let empty = read(&multi(&[("info.files", files), ("info.pieces", "0:")]));
    assert_eq!(empty.files().len(), 2);
    assert_eq!(empty.spans(0..1).count(), 0);
}

/// What holds for every torrent that is read.
fn assert_sound(torrent: &Metainfo) {
    let layout = torrent.layout();
    let total: u64 = torrent.files().iter().map(|file| file.length).sum();
    assert_eq!(total, layout.length());
    let spans: u64 = torrent.spans(0..total).map(|span| span.len).sum();
    assert_eq!(spans, total);
    layout.pieces().take(100).for_each(|piece| {
        torrent.piece_hash(piece);
    });
    let mut taken = BTreeSet::new();
    let mut directories = BTreeSet::new();
    for file in torrent.files().iter().filter(|file| !file.pad) {
        let path: Vec<String> = file.path.iter().map(|name| name.to_lowercase()).collect();
        for depth in 1..path.len() {
            directories.insert(path[..depth].to_vec());
        }
        assert!(taken.insert(path), "{:?} is taken", file.path);
    }
    assert!(taken.is_disjoint(&directories));
    for name in torrent.files().iter().flat_map(|file| &file.path).chain([&torrent.name().to_owned()]) {
        assert!(!name.is_empty() && name != "." && name != ".." && name.len() <= 255, "{name:?}");
        assert!(!name.contains(['/', '\\', '\0']) && !name.ends_with(['.', ' ']), "{name:?}");
    }
    assert!(torrent.warnings().len() <= Warning::MOST);
}

#[test]
fn optional_keys_of_the_wrong_type_are_ignored_and_told() {
    for (key, value, kind, expected) in [
        ("announce", "i1e", Kind::Int, Kind::Bytes),
        ("announce-list", "3:abc", Kind::Bytes, Kind::List),
        ("comment", "le", Kind::List, Kind::Bytes),
        ("created by", "i7e", Kind::Int, Kind::Bytes),
        ("creation date", "10:1700000000", Kind::Bytes, Kind::Int),
        ("info.private", "1:1", Kind::Bytes, Kind::Int),
        ("url-list", "de", Kind::Dict, Kind::Bytes),
        ("url-list", "li1ee", Kind::Int, Kind::Bytes),
    ] {
        let torrent = read(&single(&[(key, value)]));
        let oddity = Oddity::Ignored { expected, found: kind };
        assert_eq!(torrent.warnings().len(), 1, "{key}");
        assert_eq!((torrent.warnings()[0].key.as_str(), &torrent.warnings()[0].oddity), (key, &oddity));
        assert!(!torrent.is_private() && torrent.web_seeds().is_empty() && torrent.comment().is_none());
    }
}

#[test]
fn trackers_stand_in_tiers() {
    let tiers = |list: &str| read(&single(&[("announce-list", list)])).tiers();
    assert_eq!(tiers("ll1:a1:bel1:cee"), [vec!["a", "b"], vec!["c"]]);
    assert_eq!(tiers("llel0:el3: a ee"), [["a"]], "empty entries and blanks");
    assert_eq!(tiers("l1:a1:be"), [["a"], ["b"]], "a plain list");
    assert_eq!(tiers("le"), [["http://t.example/announce"]], "an empty list does not count");
    assert_eq!(tiers("llee"), [["http://t.example/announce"]]);
    assert!(read(&single(&[("announce", "")])).tiers().is_empty());
    assert!(read(&single(&[("announce", "0:")])).announce().is_none());
    let forged = read(&single(&[("announce", "14:http://a\r\nX: y")]));
    assert_eq!((forged.announce(), &forged.warnings()[0].oddity), (None, &Oddity::UnreadableUrl));
}

#[test]
fn web_seeds_are_one_or_many() {
    let seeds = |value| read(&single(&[("url-list", value)])).web_seeds().to_vec();
    assert_eq!(seeds("8:http://a"), ["http://a"]);
    assert_eq!(seeds("l8:http://a0:8:http://be"), ["http://a", "http://b"]);
    assert!(seeds("0:").is_empty());
}

#[test]
fn a_hybrid_torrent_is_read_as_v1_and_says_so() {
    let torrent = read(&multi(&[("info.meta version", "i2e"), ("info.file tree", "de")]));
    assert!(torrent.is_hybrid());
    assert_eq!(torrent.warnings().len(), 1);
    assert_eq!(torrent.warnings()[0].oddity, Oddity::Hybrid);
}

#[test]
fn spans_cover_the_content_exactly_once() {
    let bytes = draft(&[("z", 0), ("a", 10), ("e", 0), ("f", 0), ("b", 1), ("c", 20), ("g", 0)], 7);
    let torrent = read(&bytes.to_bytes().unwrap());
    let spans = |range| torrent.spans(range).map(|s| (s.file, s.offset, s.len)).collect::<Vec<_>>();
    assert_eq!(spans(0..31), [(1, 0, 10), (4, 0, 1), (5, 0, 20)]);
    assert_eq!(spans(9..12), [(1, 9, 1), (4, 0, 1), (5, 0, 1)]);
    assert_eq!(spans(10..11), [(4, 0, 1)]);
    assert_eq!(spans(30..100), [(5, 19, 1)]);
    assert_eq!(spans(31..100), []);
    assert_eq!(spans(5..5), []);
    for start in 0..31 {
        for end in start..=31 {
            let total: u64 = torrent.spans(start..end).map(|span| span.len).sum();
            assert_eq!(total, end - start);
        }
    }
}
