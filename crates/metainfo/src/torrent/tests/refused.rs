//! What is no torrent, and is said to be none with the key, the offset and the reason.

use super::*;

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
