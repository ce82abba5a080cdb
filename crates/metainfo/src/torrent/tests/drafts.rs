//! Writing torrents.

use super::*;

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
}
