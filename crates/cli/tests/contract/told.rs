//! A tracker that the test itself is, and what a download passes on of its words.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::process::Process;
use crate::program::{command, shared_content};
use crate::running::{wait_for_end, wait_until};

/// A port for the tracker, and content announced to it.
pub(crate) fn tracker_of_the_test() -> (TcpListener, TempDir) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/announce", listener.local_addr().expect("an address"));
    (listener, shared_content(&url))
}

/// Starts a download of the content.
pub(crate) fn download(folder: &TempDir) -> Process {
    let arguments = ["download", "content.torrent", "-o", "target", "--listen", "127.0.0.1:0", "--json"];
    std::fs::create_dir(folder.path().join("target")).expect("a folder to download to");
    Process::start("download", command(folder.path(), &arguments), folder.path()).expect("it starts")
}

/// Takes a connection and reads its request, which must contain `words`.
pub(crate) fn accept(listener: &TcpListener, words: &str) -> TcpStream {
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

/// Answers an announce.
pub(crate) fn answer(stream: &mut TcpStream, reply: &str) {
    write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{reply}", reply.len())
        .expect("the announcer reads");
}

#[test]
fn warnings_of_a_tracker_are_passed_on_without_what_steers_a_terminal() {
    let (listener, folder) = tracker_of_the_test();
    let mut download = download(&folder);
    let reply = "d8:intervali1800e5:peers0:15:warning message9:moving\x1b[2e";
    answer(&mut accept(&listener, "event=started"), reply);
    wait_until("the warning", &[&download], || download.last_words().contains("/announce says: moving"));
    assert!(!download.last_words().contains('\x1b'));
    download.signal(Signal::INT);
    answer(&mut accept(&listener, "event=stopped"), "d8:intervali1800e5:peers0:e");
    assert_eq!(wait_for_end(&mut download), Some(130), "{}", download.last_words());
}
