//! Downloads after bad luck: killed, damaged, other people's files in the way, a disk that is full.

use std::fs;
use std::path::Path;
use std::process::Command;

use rustix::process::Signal;

use crate::process::Process;
use crate::program::{command, document, run, shared_content};
use crate::running::{Swarm, wait_for_end, wait_until};

/// Nobody listens there.
const NO_TRACKER: &str = "http://127.0.0.1:9/announce";

const DOWNLOAD: [&str; 5] = ["download", "content.torrent", "-o", "copy", "--json"];

/// Pieces of the copy that are there.
fn pieces_in(target: &Path) -> u64 {
    let folder = target.parent().expect("the folder of the torrent");
    let verified = run(folder, &["verify", "content.torrent", "copy", "--json", "-q"]);
    document(&verified.stdout, "verify/1")["pieces_ok"].as_u64().expect("a number")
}

/// Runs the download to its end; gives how many bytes came.
fn fetch(swarm: &Swarm, name: &str) -> u64 {
    let mut download = swarm.spawn(name, &DOWNLOAD);
    assert_eq!(wait_for_end(&mut download), Some(0), "{}", download.last_words());
    document(&download.output(), "download/1")["downloaded"].as_u64().expect("a number")
}

#[test]
fn a_killed_download_loses_no_verified_piece() {
    let swarm = Swarm::start();
    let seed = swarm.spawn("slow", &["seed", "content.torrent", "content", "--max-up", "16 KiB/s"]);
    wait_until("the seed's announce", &[&seed], || swarm.counts().seeds == 1);
    let target = swarm.target("copy");
    let mut download = swarm.spawn("killed", &DOWNLOAD);
    wait_until("a piece", &[&seed, &download], || pieces_in(&target) > 0);
    download.signal(Signal::KILL);
    assert_eq!(wait_for_end(&mut download), None, "{}", download.last_words());
    drop(seed);
    let kept = pieces_in(&target);
    let _seed = swarm.spawn("quick", &["seed", "content.torrent", "content"]);
    let piece_length = 16_384;
    assert!(fetch(&swarm, "again") <= 70_000 - (kept - 1) * piece_length, "{kept} pieces were there");
    assert!(swarm.is_copied_to(&target));
    let hidden = fs::read_dir(&target).expect("the folder").count();
    assert_eq!(hidden, 1, "nothing but the content stays");
}

#[test]
fn damage_is_found_and_made_good() {
    let swarm = Swarm::start();
    let _seed = swarm.seed();
    let target = swarm.target("copy");
    assert_eq!(fetch(&swarm, "first"), 70_000);
    let file = target.join("content/deep/er/b.bin");
    let mut bytes = fs::read(&file).expect("the copy");
    bytes[25_000] ^= 1;
    fs::write(&file, &bytes).expect("damage");
    assert_eq!(fetch(&swarm, "modified"), 16_384);
    fs::write(&file, &bytes[..20_000]).expect("damage");
    assert!(fetch(&swarm, "truncated") < 60_000);
    assert!(swarm.is_copied_to(&target));
}

#[test]
fn files_of_others_are_left_alone_and_named() {
    let folder = shared_content(NO_TRACKER);
    let file = folder.path().join("copy/content/a.bin");
    fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
    for theirs in [&b"not a byte of it belongs to the torrent"[..], &[7; 20_001]] {
        fs::write(&file, theirs).expect("somebody's file");
        run(folder.path(), &DOWNLOAD).refused(1, &["a.bin", "another file", "-o"]);
        assert_eq!(fs::read(&file).expect("it is there"), theirs);
    }
    fs::remove_file(&file).expect("it is there");
    fs::create_dir(&file).expect("a folder");
    run(folder.path(), &DOWNLOAD).refused(1, &["a.bin", "not a file"]);
}

/// The program with files limited to so many blocks of 512 bytes, which is how a full disk looks to it.
fn with_small_files(folder: &Path, blocks: u32, arguments: &[&str]) -> Command {
    let inner = command(folder, arguments);
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("ulimit -f {blocks}; exec \"$0\" \"$@\"")]).arg(inner.get_program());
    shell.args(inner.get_args()).current_dir(folder).env("HOME", folder);
    shell
}

#[test]
fn a_file_that_cannot_grow_is_named() {
    let folder = shared_content(NO_TRACKER);
    let program = with_small_files(folder.path(), 50, &DOWNLOAD);
    let mut download = Process::start("small", program, folder.path()).expect("it starts");
    assert_eq!(wait_for_end(&mut download), Some(1), "{}", download.last_words());
    assert!(download.last_words().contains("b.bin"), "{}", download.last_words());
    assert_eq!(download.output(), "");
}
