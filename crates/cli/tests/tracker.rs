//! `swarmlab tracker` as a process: the URL it prints, its answers, its end.
#![cfg(unix)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

struct Running {
    child: Child,
    /// `IP:PORT` of the announce URL.
    host: String,
}

impl Running {
    /// Starts a tracker on a free port and waits for its announce URL.
    fn start(args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_swarmlab"))
            .args(["tracker", "--listen", "127.0.0.1:0"])
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut url = String::new();
        BufReader::new(child.stdout.as_mut().expect("piped")).read_line(&mut url).expect("a line");
        let host = url.trim_end().strip_prefix("http://").and_then(|url| url.strip_suffix("/announce"));
        let host = host.unwrap_or_else(|| panic!("{url}")).to_owned();
        Running { child, host }
    }

    fn get(&self, target: &str) -> String {
        let mut stream = TcpStream::connect(&self.host).expect("it listens");
        write!(stream, "GET {target} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n").expect("it reads");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("it answers");
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Asks it to stop; gives its exit status and what it printed on stderr.
    fn stop(mut self, signal: &str) -> (Option<i32>, String) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().expect("kill runs").success());
        let mut stderr = String::new();
        self.child.stderr.take().expect("piped").read_to_string(&mut stderr).expect("text");
        (self.child.wait().expect("it ends").code(), stderr)
    }
}

#[test]
fn it_tells_its_url_answers_and_stops_on_request() {
    for (signal, status) in [("-INT", 130), ("-TERM", 143)] {
        let tracker = Running::start(&["--interval", "5 min"]);
        let announce =
            format!("/announce?info_hash={}&peer_id={}&port=1&left=0", "a".repeat(20), "b".repeat(20));
        assert!(tracker.get(&announce).contains("8:intervali300e12:min intervali30e"));
        assert!(tracker.get("/stats.json").contains("\"seeds\":1,"));
        let (code, stderr) = tracker.stop(signal);
        assert_eq!(code, Some(status), "{stderr}");
        assert!(stderr.contains("/stats\n"), "{stderr}");
        assert!(stderr.ends_with("1 torrent, 1 peer (1 seed), 1 announce\n"), "{stderr}");
    }
}

#[test]
fn only_the_allowed_are_served() {
    let (ours, other) = ("a".repeat(20), "b".repeat(20));
    let tracker = Running::start(&["--allow", &"61".repeat(20)]);
    let announce =
        |hash: &str| tracker.get(&format!("/announce?info_hash={hash}&peer_id={other}&port=1&left=1"));
    assert!(announce(&ours).contains("10:incompletei1e"));
    assert!(announce(&other).contains("failure reason"));
    let (_, stderr) = tracker.stop("-INT");
    assert!(stderr.contains("1 refused"), "{stderr}");
}
