//! Ctrl-C and SIGTERM: a seed or a download says goodbye to its tracker and ends; a second signal ends it at once.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use rustix::process::Signal;

use crate::process::Process;
use crate::program::{command, document, shared_content};
use crate::running::{Swarm, wait_for_end, wait_until};

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
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/announce", listener.local_addr().expect("an address"));
    let folder = shared_content(&url);
    let arguments = ["download", "content.torrent", "-o", "target", "--listen", "127.0.0.1:0", "--json"];
    std::fs::create_dir(folder.path().join("target")).expect("a folder to download to");
    let download =
        Process::start("download", command(folder.path(), &arguments), folder.path()).expect("it starts");
    let mut first = accept(&listener, "event=started");
    let reply = "d8:intervali1800e5:peers0:e";
    write!(first, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{reply}", reply.len())
        .expect("the announcer reads");
    (download, listener, folder)
}

/// Takes a connection and reads its request, which must contain `words`.
fn accept(listener: &TcpListener, words: &str) -> TcpStream {
    let (mut stream, _) = listener.accept().expect("an announce");
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).expect("a request") == 1 {
        request.push(byte[0]);
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    assert!(request.contains(words), "{words:?} is not in {request}");
    stream
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
