//! Programs that run while the test looks at them: trackers, seeds and downloads on loopback.

use std::fs;
use std::net::SocketAddrV4;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::process::{LOOK_AGAIN, Process};
use crate::program::{command, run, shared_content};
use crate::scrape::{Counts, scrape};

/// Generous: it only bounds a test that would fail anyway.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until `condition` holds; fails with the last words of `processes` when it never does.
#[track_caller]
pub(crate) fn wait_until(what: &str, processes: &[&Process], mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !condition() {
        let words = || processes.iter().map(|process| process.last_words()).collect::<String>();
        assert!(Instant::now() < end, "not in time: {what}\n{}", words());
        thread::sleep(LOOK_AGAIN);
    }
}

/// Waits for the end of a program and gives its exit status.
#[track_caller]
pub(crate) fn wait_for_end(process: &mut Process) -> Option<i32> {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = process.ended() {
            return status.code();
        }
        assert!(Instant::now() < end, "it does not end\n{}", process.last_words());
        thread::sleep(LOOK_AGAIN);
    }
}

/// A tracker on a free port of loopback and content announced to it.
pub(crate) struct Swarm {
    /// Holds `content/` and `content.torrent`.
    folder: TempDir,
    logs: TempDir,
    _tracker: Process,
    endpoint: SocketAddrV4,
    info_hash: String,
}

impl Swarm {
    /// Starts the tracker, makes the torrent.
    pub(crate) fn start() -> Self {
        let logs = tempfile::tempdir().expect("a folder for the logs");
        let tracker = command(logs.path(), &["tracker", "--listen", "127.0.0.1:0"]);
        let tracker = Process::start("tracker", tracker, logs.path()).expect("the tracker starts");
        wait_until("the announce URL", &[&tracker], || tracker.output().contains("/announce\n"));
        let url = tracker.output().lines().next().expect("a line").to_owned();
        let folder = shared_content(&url);
        let shown = run(folder.path(), &["show", "content.torrent", "--json"]).document("show/1");
        let host = url.strip_prefix("http://").and_then(|url| url.strip_suffix("/announce"));
        Self {
            endpoint: host.and_then(|host| host.parse().ok()).unwrap_or_else(|| panic!("{url}")),
            info_hash: shown["info_hash"].as_str().expect("text").to_owned(),
            folder,
            logs,
            _tracker: tracker,
        }
    }

    /// The folder of the content and its torrent.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// An empty folder to download to.
    pub(crate) fn target(&self, name: &str) -> PathBuf {
        let target = self.folder.path().join(name);
        fs::create_dir_all(&target).expect("a folder to download to");
        target
    }

    /// Starts a program in the folder of the content, at a free port of loopback.
    pub(crate) fn spawn(&self, name: &str, arguments: &[&str]) -> Process {
        let arguments = [arguments, &["--listen", "127.0.0.1:0"]].concat();
        let program = command(self.folder.path(), &arguments);
        Process::start(name, program, self.logs.path()).expect("the program starts")
    }

    /// Starts a seed of the content and waits until the tracker knows it.
    pub(crate) fn seed(&self) -> Process {
        let seed = self.spawn("seed", &["seed", "content.torrent", "content"]);
        wait_until("the seed's announce", &[&seed], || self.counts().seeds == 1);
        seed
    }

    /// Who is there, to the tracker.
    pub(crate) fn counts(&self) -> Counts {
        scrape(self.endpoint, &self.info_hash).expect("the tracker answers")
    }

    /// Whether `target` has the same bytes as the content.
    pub(crate) fn is_copied_to(&self, target: &Path) -> bool {
        ["a.bin", "deep/er/b.bin", "empty"].iter().all(|name| {
            let original = fs::read(self.folder.path().join("content").join(name)).expect("the original");
            fs::read(target.join("content").join(name)).is_ok_and(|copy| copy == original)
        })
    }
}
