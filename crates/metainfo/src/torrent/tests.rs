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

/// The paths that files with these (raw) paths get, and the literal ones kept.
fn paths_of(raw: &[&[&[u8]]]) -> (Vec<String>, Vec<Option<String>>) {
    let bytes = bencode::dict(|torrent| {
        torrent.dict("info", |info| {
            info.bytes("name", "tree");
            info.int("piece length", 1 << 14);
            info.bytes("pieces", "");
            info.list("files", |files| {
                for path in raw {
                    files.dict(|file| {
                        file.int("length", 0);
                        file.list("path", |list| path.iter().for_each(|name| list.bytes(name)));
                    });
                }
            });
        });
    });
    let torrent = read(&bytes);
    let paths = torrent.files().iter().map(|file| file.display_path()).collect();
    let literals =
        torrent.files().iter().map(|file| file.literal.as_ref().map(|path| path.join("/"))).collect();
    (paths, literals)
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

#[test]
fn bad_torrents_are_refused_with_key_offset_and_reason() {
    use Fault::*;
    let wrong = |expected, found| WrongType { expected, found };
    let count = |expected, found| HashCount { expected, found };
    let negative = |value| Negative(value);
    let layout = |error| Layout(error);
    let too_many = |length, piece_length| layout(LayoutError::TooManyPieces { length, piece_length });
    let big = i64::MAX;
    let huge_file = format!("d6:lengthi{big}e4:pathl1:xee");
    let big_files = format!("l{huge_file}{huge_file}e");
    let (short, long, torn) = (hashes(2), hashes(4), string(&"x".repeat(59)));
    type Case<'c> = (Vec<(&'static str, &'c str)>, &'static str, &'c str, Fault);
    // (changes, key, what stands at the offset, fault)
    let of_single: Vec<Case<'_>> = vec![
        (vec![("info", "")], "info", "d8:announce", Missing),
        (vec![("info", "i1e")], "info", "i1e", wrong(Kind::Dict, Kind::Int)),
        (vec![("info", "le")], "info", "le", wrong(Kind::Dict, Kind::List)),
        (vec![("info", "1:x")], "info", "1:x", wrong(Kind::Dict, Kind::Bytes)),
        (vec![("info", "de")], "info.name", "de", Missing),
        (vec![("info.name", "")], "info.name", "d6:length", Missing),
        (vec![("info.name", "i5e")], "info.name", "i5e", wrong(Kind::Bytes, Kind::Int)),
        (vec![("info.name", "l1:ae")], "info.name", "l1:ae", wrong(Kind::Bytes, Kind::List)),
        (vec![("info.name", "de")], "info.name", "de", wrong(Kind::Bytes, Kind::Dict)),
        (vec![("info.piece length", "")], "info.piece length", "d6:length", Missing),
        (vec![("info.piece length", "1:5")], "info.piece length", "1:5", wrong(Kind::Int, Kind::Bytes)),
        (vec![("info.piece length", "le")], "info.piece length", "le", wrong(Kind::Int, Kind::List)),
        (vec![("info.piece length", "i-1e")], "info.piece length", "i-1e", negative(-1)),
        (vec![("info.piece length", "i0e")], "info.piece length", "i0e", layout(LayoutError::PieceLength(0))),
        (
            vec![("info.piece length", "i1073741825e")],
            "info.piece length",
            "i1073741825e",
            layout(LayoutError::PieceLength((1 << 30) + 1)),
        ),
        (
            vec![("info.piece length", "i9223372036854775807e")],
            "info.piece length",
            "i9223372036854775807e",
            layout(LayoutError::PieceLength(i64::MAX as u64)),
        ),
        (
            vec![("info.piece length", "i1e"), ("info.length", "i9223372036854775807e")],
            "info.piece length",
            "i1e",
            too_many(i64::MAX as u64, 1),
        ),
        (vec![("info.pieces", "")], "info.pieces", "d6:length", Missing),
        (vec![("info.pieces", "i1e")], "info.pieces", "i1e", wrong(Kind::Bytes, Kind::Int)),
        (vec![("info.pieces", "le")], "info.pieces", "le", wrong(Kind::Bytes, Kind::List)),
        (vec![("info.pieces", &torn)], "info.pieces", "59:", TornHashes(59)),
        (vec![("info.pieces", "1:x")], "info.pieces", "1:x", TornHashes(1)),
        (vec![("info.pieces", "0:")], "info.pieces", "0:", count(3, 0)),
        (vec![("info.pieces", &short)], "info.pieces", "40:", count(3, 2)),
        (vec![("info.pieces", &long)], "info.pieces", "80:", count(3, 4)),
        (vec![("info.length", "i0e")], "info.pieces", "60:", count(0, 3)),
        (vec![("info.length", "i49153e")], "info.pieces", "60:", count(4, 3)),
        (vec![("info.length", "i32768e")], "info.pieces", "60:", count(2, 3)),
        (vec![("info.length", "")], "info.length", "d4:name", NoLength),
        (vec![("info.length", "i-1e")], "info.length", "i-1e", negative(-1)),
        (vec![("info.length", "i-9223372036854775808e")], "info.length", "i-92", negative(i64::MIN)),
        (vec![("info.length", "1:5")], "info.length", "1:5", wrong(Kind::Int, Kind::Bytes)),
        (vec![("info.length", "de")], "info.length", "de", wrong(Kind::Int, Kind::Dict)),
        (vec![("info.files", "le")], "info.files", "le", LengthAndFiles),
        (vec![("info.files", "i1e")], "info.files", "i1e", wrong(Kind::List, Kind::Int)),
        (vec![("info.pieces", ""), ("info.meta version", "i2e")], "info", "d6:length", VersionTwoOnly),
        (vec![("info.pieces", ""), ("info.file tree", "de")], "info", "d9:file tree", VersionTwoOnly),
    ];
    let of_multi: Vec<Case<'_>> = vec![
        (vec![("info.length", "i40000e")], "info.files", "ld6:length", LengthAndFiles),
        (vec![("info.files", "")], "info.length", "d4:name", NoLength),
        (vec![("info.files", "le")], "info.files", "le", NoFiles),
        (vec![("info.files", "de")], "info.files", "de", wrong(Kind::List, Kind::Dict)),
        (vec![("info.files", "1:x")], "info.files", "1:x", wrong(Kind::List, Kind::Bytes)),
        (vec![("info.files", "li1ee")], "info.files[0]", "i1e", wrong(Kind::Dict, Kind::Int)),
        (vec![("info.files", "l1:xe")], "info.files[0]", "1:x", wrong(Kind::Dict, Kind::Bytes)),
        (vec![("info.files", "llee")], "info.files[0]", "le", wrong(Kind::Dict, Kind::List)),
        (vec![("info.files", "ldee")], "info.files[0].length", "de", Missing),
        (vec![("info.files", "ld6:lengthi40000eee")], "info.files[0].path", "d6:length", Missing),
        (vec![("info.files", "ld4:pathl1:aeee")], "info.files[0].length", "d4:path", Missing),
        (
            vec![("info.files", "ld6:lengthi40000e4:pathl1:aeed6:lengthi-3e4:pathl1:beee")],
            "info.files[1].length",
            "i-3e",
            negative(-3),
        ),
        (
            vec![("info.files", "ld6:length1:54:pathl1:aeee")],
            "info.files[0].length",
            "1:5",
            wrong(Kind::Int, Kind::Bytes),
        ),
        (
            vec![("info.files", "ld6:lengthi40000e4:path1:aee")],
            "info.files[0].path",
            "1:a",
            wrong(Kind::List, Kind::Bytes),
        ),
        (
            vec![("info.files", "ld6:lengthi40000e4:pathl1:ai7eeee")],
            "info.files[0].path[1]",
            "i7e",
            wrong(Kind::Bytes, Kind::Int),
        ),
        (vec![("info.files", &big_files)], "info.files[1].length", "i9223372036854775807e", TotalTooLong),
        (
            vec![("info.files", "ld6:lengthi40000e4:pathl1:aeee"), ("info.pieces", "0:")],
            "info.pieces",
            "0:",
            count(3, 0),
        ),
        (vec![("info.files", "ld6:lengthi0e4:pathl1:aeee")], "info.pieces", "60:", count(0, 3)),
    ];
    let cases = of_single.into_iter().map(|case| (single(&case.0), case));
    let cases = cases.chain(of_multi.into_iter().map(|case| (multi(&case.0), case)));
    for (bytes, (changes, key, at, fault)) in cases {
        match Metainfo::from_bytes(&bytes) {
            Err(TorrentError::Key { key: found_key, offset, fault: found }) => {
                assert_eq!((found_key.as_str(), &found), (key, &fault), "{changes:?}");
                let there = String::from_utf8_lossy(&bytes[offset..]);
                assert!(there.starts_with(at), "{changes:?}: {there} is not {at}");
            }
            other => panic!("{changes:?}: {other:?}"),
        }
    }
}

#[test]
fn what_is_no_dictionary_is_no_torrent() {
    for bytes in ["", "x", "<html></html>", "i1", "d4:infod", "l", "\u{feff}de"] {
        assert!(matches!(Metainfo::from_bytes(bytes.as_bytes()), Err(TorrentError::Bencode(_))), "{bytes}");
    }
    for (bytes, found) in [("i1e", Kind::Int), ("le", Kind::List), ("4:info", Kind::Bytes)] {
        let fault = Fault::WrongType { expected: Kind::Dict, found };
        let error = TorrentError::Key { key: "torrent".into(), offset: 0, fault };
        assert_eq!(Metainfo::from_bytes(bytes.as_bytes()), Err(error), "{bytes}");
    }
}

#[test]
fn every_truncation_is_refused() {
    for bytes in [single(&[]), multi(&[])] {
        for end in 0..bytes.len() {
            let error = Metainfo::from_bytes(&bytes[..end]).unwrap_err();
            assert!(matches!(error, TorrentError::Bencode(_)), "{end}: {error}");
        }
        // The same bytes, each changed to each of a few that mean something: no panic, and what is read is sound.
        for at in 0..bytes.len() {
            for byte in *b"0195:ilde-\0\xff" {
                let mut changed = bytes.clone();
                changed[at] = byte;
                if let Ok(torrent) = Metainfo::from_bytes(&changed) {
                    assert_sound(&torrent);
                }
            }
        }
    }
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
fn pad_files_take_room_but_no_path() {
    let files = "ld6:lengthi10000e4:pathl1:aeed4:attr1:p6:lengthi6384e4:pathl4:.pad4:6384ee\
                 d4:attr1:p6:lengthi0eed4:attr1:x6:lengthi23616e4:pathl4:.padeee";
    let torrent = read(&multi(&[("info.files", files)]));
    assert_eq!(torrent.files().iter().map(|file| file.pad).collect::<Vec<_>>(), [false, true, true, false]);
    assert!(torrent.files()[3].executable);
    assert_eq!(torrent.files()[3].path, [".pad"], "the pad file's directory is not made");
    assert_eq!(torrent.warnings(), []);
    let link = "ld4:attr1:l6:lengthi40000e4:pathl1:aeee";
    assert_eq!(read(&multi(&[("info.files", link)])).warnings()[0].oddity, Oddity::SymbolicLink);
}

#[test]
fn older_utf8_keys_win_over_local_encodings() {
    let torrent = read(&single(&[("info.name.utf-8", "5:f\u{fc}le")]));
    assert_eq!(torrent.name(), "füle");
    let files = "ld6:lengthi40000e4:pathl1:?e10:path.utf-8l2:\u{fc}eee";
    assert_eq!(read(&multi(&[("info.files", files)])).files()[0].path, ["ü"]);
    let files = "ld6:lengthi40000e4:pathl1:?e10:path.utf-8l2:\u{fc}i1eeee";
    assert_eq!(read(&multi(&[("info.files", files)])).files()[0].path, ["?"], "unusable, so not used");
}

#[test]
fn a_name_is_one_safe_component() {
    let name = |raw: &str| read(&single(&[("info.name", &string(raw))]));
    assert_eq!(name("a/b").name(), "a_b");
    assert_eq!(name("/etc/passwd").name(), "_etc_passwd");
    assert_eq!(name("../../x").name(), ".._.._x");
    let torrent = name("aux.c");
    assert_eq!((torrent.name(), torrent.literal_name()), ("_aux.c", Some("aux.c")));
    assert_eq!(torrent.files()[0].literal.as_deref(), Some(&["aux.c".to_owned()][..]));
    for nothing in ["", ".", ".."] {
        let torrent = name(nothing);
        assert_eq!(torrent.name(), torrent.info_hash().to_string());
        assert_eq!((torrent.literal_name(), torrent.warnings().len()), (None, 1));
    }
}

#[test]
fn unsafe_paths_are_changed_and_told() {
    let files = "ld6:lengthi40000e4:pathl2:..4:/etc6:pass\0deee";
    let torrent = read(&multi(&[("info.files", files)]));
    assert_eq!(torrent.files()[0].path, ["_etc", "pass_d"]);
    let warning = &torrent.warnings()[0];
    assert_eq!(
        warning.to_string(),
        "info.files[0].path (byte 76): \"..//etc/pass\\0d\" is not a safe name; \"_etc/pass_d\" is used"
    );
}

#[test]
fn no_two_files_share_a_path() {
    let (paths, literals) = paths_of(&[
        &[b"a"],
        &[b"a"],
        &[b"A"],
        &[b"a (2)"],
        &[b"dir", b"x.txt"],
        &[b"DIR", b"X.TXT"],
        &[b"Dir"],
        &[b".."],
        &[],
        &[b"..", b"a"],
        &[b"b", b"c", b"d"],
        &[b"b", b"c"],
        &[b"b"],
    ]);
    let expected = [
        "a",
        "a (2)",
        "A (3)",
        "a (2) (2)",
        "dir/x.txt",
        "DIR/X (2).TXT",
        "Dir (2)",
        "_",
        "_ (2)",
        "a (4)",
        "b/c/d",
        "b/c (2)",
        "b (2)",
    ];
    assert_eq!(paths, expected);
    assert_eq!(literals[1], None, "the same path again can be read from nowhere");
    assert_eq!(literals[2].as_deref(), Some("A"));
    assert_eq!(literals[5].as_deref(), Some("DIR/X.TXT"));
    assert_eq!(literals[7], None);
    assert_eq!(literals[8], None);
}

#[test]
fn ten_thousand_equal_names_are_told_apart_quickly() {
    let path: [&[u8]; 1] = [&[b'n'; 300]];
    let raw: Vec<&[&[u8]]> = vec![&path; 10_000];
    let (paths, _) = paths_of(&raw);
    assert_eq!(paths.iter().collect::<BTreeSet<_>>().len(), raw.len());
    assert!(paths.iter().all(|path| path.len() <= 255));
}

#[test]
fn a_path_of_many_components_is_read() {
    let components = vec![&b"a"[..]; 50_000];
    let (paths, _) = paths_of(&[&components, &components]);
    assert_eq!(paths[0].len(), 99_999);
    assert!(paths[1].ends_with("/a (2)"));
}

#[test]
fn warnings_are_bounded() {
    let files = format!("l{}e", "d6:lengthi0e4:pathl1:/ee".repeat(5_000));
    let torrent = read(&multi(&[("info.files", &files), ("info.pieces", "0:")]));
    assert_eq!(torrent.warnings().len(), Warning::MOST);
    assert_eq!(torrent.warnings().last().unwrap().oddity, Oddity::LeftOut(5_000 - (Warning::MOST - 1)));
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

#[test]
fn a_draft_is_written_in_the_order_of_the_keys() {
    let mut draft = draft(&[("a", 1), ("b/c", 2)], 1 << 14);
    draft.hashes = vec![b'h'; 20];
    draft.files[1].executable = true;
    draft.private = true;
    draft.tiers = vec![vec!["u1".into(), "u2".into()], vec![], vec!["u3".into()]];
    draft.web_seeds = vec!["w1".into(), "w2".into()];
    draft.comment = Some("c".into());
    draft.created_by = Some("p".into());
    draft.creation_date = Some(5);
    let expected = "d8:announce2:u113:announce-listll2:u12:u2el2:u3ee7:comment1:c10:created by1:p13:creation datei5e\
        4:infod5:filesld6:lengthi1e4:pathl1:aeed4:attr1:x6:lengthi2e4:pathl1:b1:ceee4:name4:tree12:piece lengthi16384e\
        6:pieces20:hhhhhhhhhhhhhhhhhhhh7:privatei1ee8:url-listl2:w12:w2ee";
    assert_eq!(String::from_utf8(draft.to_bytes().unwrap()).unwrap(), expected);
}

#[test]
fn drafts_that_could_not_be_read_are_not_written() {
    let good = draft(&[("a", 20_000)], 1 << 14);
    assert!(good.to_bytes().is_ok());
    let fault = |draft: &Draft| match draft.to_bytes() {
        Err(TorrentError::Key { fault, .. }) => fault,
        other => panic!("{other:?}"),
    };
    assert_eq!(fault(&Draft { files: vec![], ..good.clone() }), Fault::NoFiles);
    assert_eq!(
        fault(&Draft { hashes: vec![0; 20], ..good.clone() }),
        Fault::HashCount { expected: 2, found: 1 }
    );
    assert_eq!(fault(&Draft { piece_length: 0, ..good.clone() }), Fault::Layout(LayoutError::PieceLength(0)));
    assert_eq!(fault(&Draft { files: vec![DraftFile::single(u64::MAX)], ..good }), Fault::Negative(-1));
}

#[test]
fn the_recommended_piece_length_gives_1000_to_2000_pieces() {
    assert_eq!(recommended_piece_length(0), 16 << 10);
    assert_eq!(recommended_piece_length(1), 16 << 10);
    assert_eq!(recommended_piece_length(2_000 * (16 << 10)), 16 << 10);
    assert_eq!(recommended_piece_length(2_000 * (16 << 10) + 1), 32 << 10);
    assert_eq!(recommended_piece_length(u64::MAX), 16 << 20);
    let mut length = 2_000u64 * (16 << 10);
    while length <= 2_000 * (16 << 20) {
        let piece_length = recommended_piece_length(length);
        assert!(piece_length.is_power_of_two());
        let pieces = length.div_ceil(u64::from(piece_length));
        assert!((1_000..=2_000).contains(&pieces), "{length}: {pieces}");
        length += length / 7;
    }
}

fn any_draft() -> impl Strategy<Value = Draft> {
    let name = "[a-z]{1,8}";
    let file = (prop::collection::vec(name, 1..4), 0u64..100_000, any::<bool>(), any::<bool>()).prop_map(
        |(path, length, pad, executable)| DraftFile { path, length, pad, executable: executable && !pad },
    );
    let files = prop_oneof![
        (0u64..1_000_000).prop_map(|length| vec![DraftFile::single(length)]),
        prop::collection::vec(file, 1..12),
    ];
    let tiers = prop::collection::vec(prop::collection::vec("http://[a-z]{1,5}", 1..3), 0..4);
    let seeds = prop::collection::vec("http://[a-z]{1,5}", 0..4);
    let texts = (prop::option::of(".{0,20}"), prop::option::of(".{0,20}"), prop::option::of(any::<i64>()));
    (name, files, 14u32..20, any::<bool>(), tiers, seeds, texts).prop_map(
        |(name, files, log_piece_length, private, tiers, web_seeds, (comment, created_by, creation_date))| {
            let total: u64 = files.iter().map(|file| file.length).sum();
            let piece_count = total.div_ceil(1 << log_piece_length);
            Draft {
                name,
                files,
                piece_length: 1 << log_piece_length,
                hashes: (0..20 * piece_count).map(|at| at as u8).collect(),
                private,
                tiers,
                web_seeds,
                comment,
                created_by,
                creation_date,
            }
        },
    )
}

proptest! {
    #[test]
    fn what_a_draft_says_is_read_back(draft in any_draft()) {
        let bytes = draft.to_bytes().unwrap();
        prop_assert!(bencode::Document::strict(&bytes).is_ok());
        let torrent = Metainfo::from_bytes(&bytes).unwrap();
        assert_sound(&torrent);
        prop_assert_eq!(torrent.tiers(), draft.tiers);
        prop_assert_eq!(torrent.web_seeds(), draft.web_seeds);
        prop_assert_eq!(torrent.comment(), draft.comment.as_deref());
        prop_assert_eq!(torrent.created_by(), draft.created_by.as_deref());
        prop_assert_eq!(torrent.creation_date(), draft.creation_date);
        prop_assert_eq!(torrent.is_private(), draft.private);
        prop_assert_eq!(torrent.layout().piece_length(), draft.piece_length);
        prop_assert_eq!(torrent.is_multi_file(), !draft.files[0].path.is_empty());
        let of = |files: &[DraftFile]| files.iter().map(|f| (f.length, f.pad, f.executable)).collect::<Vec<_>>();
        let read: Vec<_> = torrent.files().iter().map(|f| (f.length, f.pad, f.executable)).collect();
        prop_assert_eq!(read, of(&draft.files));
        let hashes: Vec<u8> = torrent.layout().pieces().flat_map(|piece| torrent.piece_hash(piece)).collect();
        prop_assert_eq!(hashes, draft.hashes);
    }

    #[test]
    fn paths_of_any_bytes_become_safe(
        paths in prop::collection::vec(
            prop::collection::vec(prop_oneof![
                prop::collection::vec(any::<u8>(), 0..6),
                prop::sample::select(vec!["a", "A", "..", ".", "", "con", "COM1.x", "a.", "b ", "/", "C:"])
                    .prop_map(|name| name.as_bytes().to_vec()),
            ], 0..4),
            1..12,
        ),
    ) {
        let bytes = bencode::dict(|torrent| torrent.dict("info", |info| {
            info.bytes("name", "n");
            info.int("piece length", 1);
            info.bytes("pieces", "");
            info.list("files", |files| paths.iter().for_each(|path| files.dict(|file| {
                file.int("length", 0);
                file.list("path", |list| path.iter().for_each(|name| list.bytes(name)));
            })));
        }));
        assert_sound(&Metainfo::from_bytes(&bytes).unwrap());
    }
}
