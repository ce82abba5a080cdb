//! `seed` and `download`: what a download reports, what it refuses, what it never touches.

use std::fs;

use rustix::process::Signal;

use crate::program::{document, has_fields, run, shared_content};
use crate::running::{Swarm, wait_for_end, wait_until};

/// Nobody listens there.
const NO_TRACKER: &str = "http://127.0.0.1:9/announce";

/// The fields of `download/1` that scripts read.
const DOWNLOAD: [&str; 8] =
    ["info_hash", "length", "downloaded", "uploaded", "wasted", "seconds", "complete", "path"];

/// The content of the tests and its pieces, in bytes.
const LENGTH: u64 = 70_000;
const PIECE_LENGTH: u64 = 16_384;

#[test]
fn a_download_reports_what_it_did() {
    let swarm = Swarm::start();
    let _seed = swarm.seed();
    let target = swarm.target("copy");
    let arguments = ["download", "content.torrent", "-o", "copy", "--json"];
    let mut download = swarm.spawn("download", &arguments);
    assert_eq!(wait_for_end(&mut download), Some(0), "{}", download.last_words());
    let report = document(&download.output(), "download/1");
    has_fields(&report, &DOWNLOAD);
    assert_eq!((&report["complete"], &report["length"]), (&true.into(), &70_000.into()));
    assert_eq!((&report["downloaded"], &report["wasted"]), (&70_000.into(), &0.into()));
    assert!(swarm.is_copied_to(&target));

    let mut again = swarm.spawn("again", &arguments);
    assert_eq!(wait_for_end(&mut again), Some(0), "{}", again.last_words());
    let report = document(&again.output(), "download/1");
    assert_eq!((&report["complete"], &report["downloaded"]), (&true.into(), &0.into()));
}

#[test]
fn lines_tell_what_an_endpoint_does() {
    let swarm = Swarm::start();
    let _seed = swarm.seed();
    let arguments = ["download", "content.torrent", "-o", "copy", "--stats", "lines", "--upload-slots", "3"];
    let mut download = swarm.spawn("download", &arguments);
    assert_eq!(wait_for_end(&mut download), Some(0), "{}", download.last_words());
    let text = fs::read_to_string(swarm.folder().join("lines")).expect("the file");
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let last = lines.last().expect("a line");
    let fields =
        ["unix_ms", "elapsed_ms", "completed_after_ms", "uploaded", "downloaded", "wasted", "left", "peers"];
    has_fields(last, &fields);
    assert_eq!((&last["downloaded"], &last["left"]), (&70_000.into(), &0.into()));
    assert!(last["completed_after_ms"].as_u64() <= last["elapsed_ms"].as_u64(), "{last}");
    run(swarm.folder(), &["seed", "content.torrent", "content", "--stats", "no/such"])
        .refused(1, &["no/such"]);
}

#[test]
fn a_rate_without_a_unit_is_refused_with_that_reason() {
    let folder = shared_content(NO_TRACKER);
    for flag in ["--max-up", "--max-down"] {
        let arguments = ["download", "content.torrent", "-o", "copy", flag, "100"];
        run(folder.path(), &arguments).refused(2, &[flag, "unit"]);
    }
}

#[test]
fn what_is_no_torrent_is_neither_seeded_nor_downloaded() {
    let folder = shared_content(NO_TRACKER);
    fs::write(folder.path().join("text"), "hello").expect("a bad torrent");
    run(folder.path(), &["seed", "text"]).refused(2, &["text", "byte"]);
    run(folder.path(), &["download", "text", "-o", "copy"]).refused(2, &["text", "byte"]);
    assert!(!folder.path().join("copy").exists());
}

#[test]
fn files_of_somebody_else_are_left_alone() {
    let folder = shared_content(NO_TRACKER);
    let in_the_way = folder.path().join("copy/content/a.bin");
    fs::create_dir_all(in_the_way.parent().expect("a folder")).expect("a folder in the way");
    for other in [&b"short and precious"[..], &[7; 20_000], &[7; 20_001]] {
        fs::write(&in_the_way, other).expect("a file in the way");
        run(folder.path(), &["download", "content.torrent", "-o", "copy"]).refused(1, &["a.bin", "-o"]);
        assert_eq!(fs::read(&in_the_way).expect("still there"), other);
        let names: Vec<_> = fs::read_dir(folder.path().join("copy/content")).expect("a folder").collect();
        assert_eq!(names.len(), 1, "something was written beside it: {names:?}");
    }
    fs::remove_file(&in_the_way).expect("it is there");
    fs::create_dir(&in_the_way).expect("a folder");
    run(folder.path(), &["download", "content.torrent", "-o", "copy"]).refused(1, &["a.bin", "not a file"]);
}

/// Bytes of the pieces of the copy that are not there.
fn lacking(swarm: &Swarm) -> u64 {
    let verify = run(swarm.folder(), &["verify", "content.torrent", "copy", "--json"]).document("verify/1");
    let number = |value: &serde_json::Value| value.as_u64().expect("a number");
    let ranges = verify["bad_pieces"].as_array().expect("ranges of pieces");
    let pieces = ranges.iter().flat_map(|range| number(&range[0])..=number(&range[1]));
    // The last piece is shorter than the others.
    pieces.map(|piece| PIECE_LENGTH.min(LENGTH - piece * PIECE_LENGTH)).sum()
}

#[test]
fn a_killed_download_goes_on_from_what_was_verified() {
    let swarm = Swarm::start();
    let _seed = swarm.spawn("seed", &["seed", "content.torrent", "content", "--max-up", "20 kB/s"]);
    let target = swarm.target("copy");
    let arguments = ["download", "content.torrent", "-o", "copy", "--json"];
    let mut killed = swarm.spawn("killed", &arguments);
    wait_until("two pieces", &[&killed], || lacking(&swarm) <= LENGTH - 2 * PIECE_LENGTH);
    killed.signal(Signal::KILL);
    wait_for_end(&mut killed);
    let lacking = lacking(&swarm);

    let mut again = swarm.spawn("again", &arguments);
    assert_eq!(wait_for_end(&mut again), Some(0), "{}", again.last_words());
    let downloaded = document(&again.output(), "download/1")["downloaded"].as_u64().expect("a number");
    assert_eq!(downloaded, lacking, "just what was not there is fetched");
    assert!(swarm.is_copied_to(&target));
    let names: Vec<_> = fs::read_dir(&target).expect("a folder").collect();
    assert_eq!(names.len(), 1, "nothing but the content stays: {names:?}");
}
