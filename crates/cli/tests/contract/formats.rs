//! `create`, `show`, `verify`, `decode`: files in, an answer out.

use std::fs;

use crate::program::{has_fields, run, shared_content};

const URL: &str = "http://127.0.0.1:6969/announce";

/// The fields of `create/1` and `show/1` that scripts read.
const TORRENT: [&str; 13] = [
    "info_hash",
    "name",
    "length",
    "piece_length",
    "piece_count",
    "private",
    "announce",
    "announce_list",
    "files",
    "comment",
    "created_by",
    "creation_date",
    "web_seeds",
];

#[test]
fn create_and_show_tell_the_same_torrent() {
    let folder = shared_content(URL);
    let created = run(folder.path(), &["create", "content", "-o", "second.torrent", "-a", URL, "--json"]);
    created.done();
    let created = created.document("create/1");
    let shown = run(folder.path(), &["show", "second.torrent", "--json"]);
    shown.done();
    let shown = shown.document("show/1");
    has_fields(&created, &TORRENT);
    for field in TORRENT {
        assert_eq!(created[field], shown[field], "{field}");
    }
    let hash = shown["info_hash"].as_str().expect("text");
    assert!(hash.len() == 40 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()), "{hash}");
    assert_eq!(shown["length"], 70_000);
    assert_eq!(shown["announce"], URL);
    assert_eq!(shown["private"], false);
    assert_eq!(shown["files"][1]["path"], "deep/er/b.bin");
    assert_eq!(shown["files"][1]["length"], 50_000);
    assert!(shown["creation_date"].is_u64() && shown["comment"].is_null());
}

#[test]
fn without_a_date_the_same_content_gives_the_same_bytes() {
    let folder = shared_content(URL);
    run(folder.path(), &["create", "content", "-o", "second.torrent", "-a", URL, "--no-date", "-j", "1"])
        .done();
    let bytes = |name: &str| fs::read(folder.path().join(name)).expect("a torrent");
    assert_eq!(bytes("content.torrent"), bytes("second.torrent"));
}

#[test]
fn the_result_is_on_stdout_and_nothing_else() {
    let folder = shared_content(URL);
    for arguments in
        [&["show", "content.torrent"][..], &["verify", "content.torrent"], &["decode", "content.torrent"]]
    {
        let quiet = run(folder.path(), &[&["-q"], arguments].concat());
        assert!(!quiet.done().is_empty() && quiet.stderr.is_empty(), "{quiet:?}");
        assert!(!quiet.stdout.contains('\u{1b}'), "colour without a terminal");
    }
}

#[test]
fn an_existing_torrent_is_replaced_only_when_asked() {
    let folder = shared_content(URL);
    let torrent = folder.path().join("content.torrent");
    fs::write(&torrent, "precious").expect("a file in the way");
    run(folder.path(), &["create", "content", "-a", URL]).refused(1, &["content.torrent", "-f"]);
    assert_eq!(fs::read(&torrent).expect("still there"), b"precious");
    run(folder.path(), &["create", "content", "-a", URL, "-f"]).done();
    run(folder.path(), &["show", "content.torrent"]).done();
}

#[test]
fn verify_tells_right_from_wrong_by_its_status() {
    let folder = shared_content(URL);
    let right = run(folder.path(), &["verify", "content.torrent", "content", "--json"]);
    right.done();
    let right = right.document("verify/1");
    has_fields(&right, &["piece_count", "pieces_ok", "complete", "files"]);
    assert_eq!((&right["complete"], &right["pieces_ok"]), (&true.into(), &right["piece_count"]));

    let file = folder.path().join("content/deep/er/b.bin");
    let mut bytes = fs::read(&file).expect("a file of the content");
    bytes[49_999] ^= 1;
    fs::write(&file, bytes).expect("a wrong byte");
    let wrong = run(folder.path(), &["verify", "content.torrent", "--json"]);
    assert_eq!(wrong.status, Some(3), "{wrong:?}");
    let document = wrong.document("verify/1");
    let pieces = document["piece_count"].as_u64().expect("a number");
    assert_eq!((&document["complete"], document["pieces_ok"].as_u64()), (&false.into(), Some(pieces - 1)));

    fs::remove_dir_all(folder.path().join("content")).expect("content goes");
    let gone = run(folder.path(), &["verify", "content.torrent", "--json"]);
    assert_ne!(gone.status, Some(0), "{gone:?}");
}

#[test]
fn what_is_no_torrent_is_refused_with_its_place() {
    let folder = shared_content(URL);
    let whole = fs::read(folder.path().join("content.torrent")).expect("a torrent");
    for (name, bytes) in [("empty", &b""[..]), ("text", b"hello"), ("half", &whole[..whole.len() / 2])] {
        fs::write(folder.path().join(name), bytes).expect("a bad torrent");
        for command in ["show", "verify"] {
            run(folder.path(), &[command, name]).refused(2, &[name, "byte"]);
        }
    }
    run(folder.path(), &["show", "not-there"]).refused(1, &["not-there"]);
}

#[test]
fn a_wrong_number_names_the_nearest_right_one() {
    let folder = shared_content(URL);
    for (length, says) in [("1000", "16 KiB"), ("16 kXB", "KiB"), ("-1", "--piece-length")] {
        let arguments = ["create", "content", "-o", "x.torrent", &format!("--piece-length={length}")];
        run(folder.path(), &arguments).refused(2, &["--piece-length", says]);
    }
    assert!(!folder.path().join("x.torrent").exists());
}
