//! Ctrl-C and SIGTERM: a seed or a download says goodbye to its tracker and ends; a second signal ends it at once.

use std::net::TcpListener;

use rustix::process::Signal;

use crate::process::Process;
use crate::program::{command, document, shared_content};
use crate::running::{Swarm, wait_for_end, wait_until};
use crate::told::{accept, answer, download, tracker_of_the_test};

const SIGNALS: [(Signal, i32); 2] = [(Signal::INT, 130), (Signal::TERM, 143)];

#[test]
fn a_stopped_seed_has_left_the_tracker() {
    let swarm = Swarm::start();
    for (signal, status) in SIGNALS {
        let mut seed = swarm.seed();
        seed.signal(signal);
        assert_eq!(wait_for_end(&mut seed), Some(status), "{}", seed.last_words());
        assert_eq!(swarm.counts().seeds, 0, "no `stopped` arrived");
    }
}

#[test]
fn a_stopped_download_has_left_the_tracker_and_says_it_is_incomplete() {
    let swarm = Swarm::start();
    for (signal, status) in SIGNALS {
        let target = swarm.target("stopped");
        let out = target.to_str().expect("UTF-8");
        let mut download = swarm.spawn("download", &["download", "content.torrent", "-o", out, "--json"]);
        wait_until("the announce", &[&download], || swarm.counts().leechers == 1);
        download.signal(signal);
        assert_eq!(wait_for_end(&mut download), Some(status), "{}", download.last_words());
        assert_eq!(swarm.counts().leechers, 0, "no `stopped` arrived");
        assert_eq!(document(&download.output(), "download/1")["complete"], false);
    }
}

/// A tracker that answers the first announce and no other.
fn a_download_at_a_tracker_that_falls_silent() -> (Process, TcpListener, tempfile::TempDir) {
    let (listener, folder) = tracker_of_the_test();
    let download = download(&folder);
    answer(&mut accept(&listener, "event=started"), "d8:intervali1800e5:peers0:e");
    (download, listener, folder)
}

#[test]
fn a_silent_tracker_does_not_hold_up_the_end() {
    let (mut download, listener, _folder) = a_download_at_a_tracker_that_falls_silent();
    download.signal(Signal::INT);
    let _unanswered = accept(&listener, "event=stopped");
    assert_eq!(wait_for_end(&mut download), Some(130), "{}", download.last_words());
    assert_eq!(document(&download.output(), "download/1")["complete"], false);
}

#[test]
fn a_second_signal_ends_at_once() {
    let (mut download, listener, _folder) = a_download_at_a_tracker_that_falls_silent();
    download.signal(Signal::INT);
    let _unanswered = accept(&listener, "event=stopped");
    download.signal(Signal::INT);
    assert_eq!(wait_for_end(&mut download), Some(130), "{}", download.last_words());
    assert_eq!(download.output(), "", "it took the time to report");
}

#[test]
fn a_second_signal_leaves_no_temporary_copies_behind() {
    let folder = shared_content("http://127.0.0.1:9/announce");
    let temporary = folder.path().join("temporary");
    std::fs::create_dir(&temporary).expect("a folder for temporary files");
    let mut swarm = command(folder.path(), &["swarm", "content", "--leechers", "3", "--max-up", "1 kB/s"]);
    swarm.env("TMPDIR", &temporary);
    let mut swarm = Process::start("swarm", swarm, folder.path()).expect("it starts");
    let copies = || std::fs::read_dir(&temporary).expect("a folder").count();
    wait_until("the copies", &[&swarm], || copies() > 0);
    swarm.signal(Signal::INT);
    wait_until("the clean end", &[&swarm], || swarm.last_words().contains("stopping"));
    swarm.signal(Signal::INT);
    assert_eq!(wait_for_end(&mut swarm), Some(130), "{}", swarm.last_words());
    assert_eq!(copies(), 0);
}
