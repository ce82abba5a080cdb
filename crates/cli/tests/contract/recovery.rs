//! Downloads after bad luck: damaged copies, a disk that takes no more.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::process::Process;
use crate::program::{command, document, shared_content};
use crate::running::{Swarm, wait_for_end};

/// Nobody listens there.
const NO_TRACKER: &str = "http://127.0.0.1:9/announce";

const DOWNLOAD: [&str; 5] = ["download", "content.torrent", "-o", "copy", "--json"];

/// Runs the download to its end; gives how many bytes came.
fn fetch(swarm: &Swarm, name: &str) -> u64 {
    let mut download = swarm.spawn(name, &DOWNLOAD);
    assert_eq!(wait_for_end(&mut download), Some(0), "{}", download.last_words());
    document(&download.output(), "download/1")["downloaded"].as_u64().expect("a number")
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
