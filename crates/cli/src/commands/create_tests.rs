//! Tests of `create` and, since they need torrents, of `show`.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::*;
use crate::testing::{Outcome, run_in};

fn tree() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("tree/sub")).unwrap();
    fs::write(dir.path().join("tree/b"), [7; 40_000]).unwrap();
    fs::write(dir.path().join("tree/sub/a"), b"hello").unwrap();
    fs::write(dir.path().join("tree/empty"), b"").unwrap();
    fs::write(dir.path().join("single"), [1; 20_000]).unwrap();
    dir
}

#[track_caller]
fn done(dir: &Path, args: &[&str]) -> Outcome {
    let outcome = run_in(dir, args);
    assert_eq!(outcome.status, 0, "{}", outcome.stderr);
    outcome
}

#[track_caller]
fn refused(dir: &Path, args: &[&str], status: u8, says: &[&str]) {
    let outcome = run_in(dir, args);
    assert_eq!(outcome.status, status, "{outcome:?}");
    assert_eq!(outcome.stdout, "");
    for text in says {
        assert!(outcome.stderr.contains(text), "{text:?} is not in {}", outcome.stderr);
    }
}

#[test]
fn the_result_is_told_with_the_next_step() {
    let dir = tree();
    let outcome = done(dir.path(), &["create", "tree", "--no-date", "-a", "http://t/announce"]);
    assert_eq!(
        outcome.stdout,
        "wrote tree.torrent\n\
         \x20 info hash   2b28b1e1bd0edf6ebbe1e978b8a1cf7a55e4aa5d\n\
         \x20 content     3 files, 39.1 KiB (40,005 bytes)\n\
         \x20 pieces      3 of 16 KiB\n\
         \x20 magnet      magnet:?xt=urn:btih:2b28b1e1bd0edf6ebbe1e978b8a1cf7a55e4aa5d&dn=tree&tr=http%3A%2F%2Ft%2Fannounce\n"
    );
    assert_eq!(outcome.stderr, "next: swarmlab seed tree.torrent tree\n");
}

#[test]
fn json_has_the_fields_scripts_read() {
    let dir = tree();
    let created = done(
        dir.path(),
        &[
            "create",
            "tree",
            "--json",
            "--no-date",
            "-o",
            "x.torrent",
            "-a",
            "http://a/1,http://b/2",
            "-a",
            "udp://c:3/announce",
            "-p",
            "-c",
            "so it is",
            "-w",
            "http://w/",
            "-n",
            "other",
            "-l",
            "32768",
            "-j",
            "1",
        ],
    )
    .json();
    let shown = done(dir.path(), &["show", "--json", "x.torrent"]).json();
    for (key, value) in shown.as_object().unwrap() {
        if key != "schema" {
            assert_eq!(created[key], *value, "{key}");
        }
    }
    assert_eq!(created["schema"], "create/1");
    assert_eq!(shown["schema"], "show/1");
    assert_eq!(created["path"], "x.torrent");
    assert_eq!(shown["info_hash"].as_str().unwrap().len(), 40);
    assert_eq!(shown["name"], "other");
    assert_eq!(shown["length"], 40_005);
    assert_eq!(shown["piece_length"], 32_768);
    assert_eq!(shown["piece_count"], 2);
    assert_eq!(shown["private"], true);
    assert_eq!(shown["announce"], "http://a/1");
    assert_eq!(shown["announce_list"], json!([["http://a/1", "http://b/2"], ["udp://c:3/announce"]]));
    let files = json!([
        {"path": "b", "length": 40_000}, {"path": "empty", "length": 0}, {"path": "sub/a", "length": 5}
    ]);
    assert_eq!(shown["files"], files);
    assert_eq!(shown["comment"], "so it is");
    assert_eq!(shown["created_by"], concat!("swarmlab/", env!("CARGO_PKG_VERSION")));
    assert_eq!(shown["creation_date"], json!(null));
    assert_eq!(shown["web_seeds"], json!(["http://w/"]));
}

#[test]
fn the_same_content_gives_the_same_bytes() {
    let dir = tree();
    done(dir.path(), &["create", "tree", "--no-date", "-o", "1", "-j", "1"]);
    done(dir.path(), &["create", "tree", "--no-date", "-o", "2", "-j", "4"]);
    assert_eq!(fs::read(dir.path().join("1")).unwrap(), fs::read(dir.path().join("2")).unwrap());
    let dated = done(dir.path(), &["create", "tree", "--json", "-o", "3"]).json();
    assert!(dated["creation_date"].as_i64().unwrap() > 1_700_000_000);
}

#[test]
fn a_single_file_is_its_own_content() {
    let dir = tree();
    let created = done(dir.path(), &["create", "single", "--json"]).json();
    assert_eq!(created["files"], json!([{"path": "single", "length": 20_000}]));
    assert_eq!(created["multi_file"], false);
    assert!(dir.path().join("single.torrent").exists());
}

#[test]
fn the_current_directory_has_a_name_and_leaves_out_the_torrent() {
    let dir = tree();
    let inside = dir.path().join("tree");
    let first = done(&inside, &["create", ".", "--json"]);
    assert_eq!(first.json()["name"], "tree");
    let again = done(&inside, &["create", ".", "--json", "-f"]);
    assert_eq!(first.json()["info_hash"], again.json()["info_hash"]);
    assert!(again.stderr.contains("left out"), "{}", again.stderr);
}

#[test]
fn nothing_is_overwritten_unasked() {
    let dir = tree();
    fs::write(dir.path().join("tree.torrent"), "mine").unwrap();
    refused(
        dir.path(),
        &["create", "tree"],
        1,
        &["error: tree.torrent exists already", "help: overwrite it with -f"],
    );
    assert_eq!(fs::read(dir.path().join("tree.torrent")).unwrap(), b"mine");
    done(dir.path(), &["create", "tree", "-f"]);
    assert_ne!(fs::read(dir.path().join("tree.torrent")).unwrap(), b"mine");
}

#[test]
fn what_cannot_be_done_is_said() {
    let dir = tree();
    fs::create_dir(dir.path().join("hollow")).unwrap();
    fs::create_dir(dir.path().join("void")).unwrap();
    fs::write(dir.path().join("void/zero"), "").unwrap();
    let at = dir.path();
    refused(at, &["create", "nothing"], 1, &["error: cannot read ", "nothing", "because: No such file"]);
    refused(at, &["create", "hollow"], 1, &["there is no file in "]);
    refused(at, &["create", "void"], 2, &["error: there is nothing in void: all files are empty"]);
    refused(at, &["create", "tree", "-o", "hollow"], 2, &["hollow is a directory", "-o hollow/NAME.torrent"]);
    refused(at, &["create", "tree", "-o", "no/such/x"], 1, &["cannot write no/such/x"]);
    refused(at, &["create", "tree", "-n", "a/b"], 2, &["'a/b' cannot be the name"]);
    refused(at, &["create", "tree", "-l", "100 kB"], 2, &["power of two", "the nearest is '128 KiB'"]);
    refused(at, &["create", "tree", "-l", "1"], 2, &["the nearest is '16 KiB'"]);
    refused(at, &["create", "tree", "-l", "16 kb"], 2, &["did you mean 'kB'?"]);
    refused(
        at,
        &["create", "tree", "-a", "tracker.org:80"],
        2,
        &["did you mean 'http://tracker.org:80/announce'?"],
    );
    refused(at, &["create", "tree", "-a", "http://a/,"], 2, &["a URL is empty"]);
    refused(at, &["create", "tree", "-a", "gopher://a/"], 2, &["'gopher' is none of http, https, udp"]);
    refused(at, &["create", "tree", "-j", "0"], 2, &["--threads"]);
    refused(at, &["create"], 2, &["PATH"]);
    assert_eq!(fs::read_dir(at).unwrap().count(), 4, "nothing was written");
}

#[test]
fn stopping_leaves_nothing_behind() {
    use crate::exit::Exit;
    use crate::stop::Signal;
    use crate::testing::Recorder;
    let dir = tree();
    let recorder = Recorder::default();
    let env = recorder.env_in(&[], false, dir.path());
    env.stop().request(Signal::Interrupt);
    let create = Create {
        path: "tree".into(),
        output: None,
        announce: Vec::new(),
        piece_length: None,
        name: None,
        private: false,
        comment: None,
        web_seed: Vec::new(),
        force: false,
        no_date: false,
        threads: None,
        json: false,
    };
    assert_eq!(create.run(&env).unwrap(), Exit::Interrupted(Signal::Interrupt));
    assert_eq!(recorder.stderr(), "interrupted; nothing was written\n");
    assert!(!dir.path().join("tree.torrent").exists());
}

#[test]
fn show_tells_what_a_person_wants_to_know() {
    let dir = tree();
    done(
        dir.path(),
        &[
            "create",
            "tree",
            "--no-date",
            "-p",
            "-a",
            "http://a/1,http://b/2",
            "-a",
            "http://c/3",
            "-c",
            "x\u{1b}[2J",
            "-w",
            "http://w/",
        ],
    );
    let outcome = done(dir.path(), &["show", "tree.torrent"]);
    assert_eq!(
        outcome.stdout,
        concat!(
            "tree\n",
            "  info hash   19dd31214499129f009bacd0ea9b5056fc4afbb6\n",
            "  size        39.1 KiB (40,005 bytes)\n",
            "  pieces      3 of 16 KiB\n",
            "  private     yes: peers come from its trackers only\n",
            "  tracker     1. http://a/1, http://b/2\n",
            "              2. http://c/3\n",
            "  web seed    http://w/\n",
            "  comment     x\\u{1b}[2J\n",
            "  created     by swarmlab/0.1.0\n",
            "  magnet      magnet:?xt=urn:btih:19dd31214499129f009bacd0ea9b5056fc4afbb6&dn=tree&tr=http%3A%2F%2Fa%2F1&tr=http%3A%2F%2Fb%2F2&tr=http%3A%2F%2Fc%2F3\n",
            "3 files\n",
            "    39.1 KiB  b\n",
            "         0 B  empty\n",
            "         5 B  sub/a\n",
        )
    );
}

#[test]
fn show_says_why_a_file_is_no_torrent() {
    let dir = tree();
    fs::write(dir.path().join("bad.torrent"), "d4:infod4:name1:aee").unwrap();
    fs::write(dir.path().join("torn.torrent"), "d4:inf").unwrap();
    let at = dir.path();
    refused(
        at,
        &["show", "bad.torrent"],
        2,
        &["error: bad.torrent is not a valid torrent", "because: info.", "(byte 7)"],
    );
    refused(
        at,
        &["show", "torn.torrent"],
        2,
        &["because: not a torrent: byte ", "help: swarmlab decode torn.torrent"],
    );
    refused(
        at,
        &["show", "bat.torrent"],
        1,
        &["cannot read the torrent bat.torrent", "help: did you mean bad.torrent?"],
    );
    refused(at, &["show", "tree"], 1, &["cannot read the torrent tree", "because: "]);
}

#[test]
fn a_torrent_that_cannot_be_written_names_no_file_but_its_own() {
    let dir = tree();
    let outcome = run_in(dir.path(), &["create", "single", "-o", "nowhere/a.torrent"]);
    assert_eq!(outcome.status, 1);
    assert!(outcome.stderr.starts_with("error: cannot write nowhere/a.torrent\n"), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains(".tmp"), "{}", outcome.stderr);
}

#[test]
fn names_that_steer_a_terminal_are_escaped() {
    let dir = tree();
    fs::rename(dir.path().join("single"), dir.path().join("red\x1b[31m")).unwrap();
    let outcome = done(dir.path(), &["create", "red\x1b[31m"]);
    let again = run_in(dir.path(), &["create", "red\x1b[31m"]);
    assert_eq!(again.status, 1);
    for text in [outcome.stdout, outcome.stderr, again.stderr] {
        assert!(!text.contains('\x1b'), "{text:?}");
    }
}
