use super::*;
use alloc::{borrow::ToOwned, vec, vec::Vec};

/// A torrent over `files` (path, length) with zeros for hashes.
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
fn a_multi_file_torrent_is_read() {
    let bytes = draft(&[("a/one", 10), ("empty", 0), ("b", 25)], 16).to_bytes().unwrap();
    let torrent = Metainfo::from_bytes(&bytes).unwrap();
    assert_eq!(torrent.name(), "tree");
    assert!(torrent.is_multi_file());
    assert_eq!((torrent.length(), torrent.layout().piece_count()), (35, 3));
    let files: Vec<_> = torrent.files().iter().map(|f| (f.display_path(), f.offset, f.length)).collect();
    assert_eq!(files, [("a/one".into(), 0, 10), ("empty".into(), 10, 0), ("b".into(), 10, 25)]);
    assert_eq!(torrent.warnings(), []);
}

#[test]
fn spans_cover_the_content_exactly_once() {
    let bytes = draft(&[("z", 0), ("a", 10), ("e", 0), ("f", 0), ("b", 1), ("c", 20), ("g", 0)], 7);
    let torrent = Metainfo::from_bytes(&bytes.to_bytes().unwrap()).unwrap();
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
