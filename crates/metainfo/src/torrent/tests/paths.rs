//! Names and paths: what is changed, and that nothing leads out of the directory.

use super::*;

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

proptest! {
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
