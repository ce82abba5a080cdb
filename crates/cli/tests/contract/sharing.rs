//! `share`, run again and again: its torrent is its own, what else lies there is not.

use std::fs;

use rustix::process::Signal;

use crate::process::Process;
use crate::program::{command, run, shared_content};
use crate::running::{wait_for_end, wait_until};

const SHARE: [&str; 6] = ["share", "content", "--listen", "127.0.0.1:0", "--tracker-listen", "127.0.0.1:0"];

#[test]
fn a_share_that_was_stopped_can_be_started_again() {
    let folder = shared_content("http://127.0.0.1:9/announce");
    let announce =
        || run(folder.path(), &["show", "content.torrent", "--json"]).document("show/1")["announce"].clone();
    let made = announce();
    for name in ["first", "second"] {
        let share = command(folder.path(), &SHARE);
        let mut share = Process::start(name, share, folder.path()).expect("it starts");
        wait_until("what to type", &[&share], || {
            share.output().contains("swarmlab download content.torrent")
        });
        assert_ne!(announce(), made, "the torrent names the tracker of this run");
        share.signal(Signal::INT);
        assert_eq!(wait_for_end(&mut share), Some(130), "{}", share.last_words());
    }
}

#[test]
fn a_share_does_not_overwrite_the_torrent_of_something_else() {
    let folder = shared_content("http://127.0.0.1:9/announce");
    let torrent = folder.path().join("content.torrent");
    let before = fs::read(&torrent).expect("a torrent");
    fs::write(folder.path().join("content/more"), b"more").expect("a file of the content");
    run(folder.path(), &SHARE).refused(1, &["content.torrent exists already", "-o"]);
    assert_eq!(fs::read(&torrent).expect("a torrent"), before);
}
