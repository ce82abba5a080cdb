//! The two trackers of the suite, ours and `opentracker`, each looked into from outside.

use std::fs;
use std::net::SocketAddrV4;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::process::Process;
use crate::programs::{Program, SWARMLAB};
use crate::scrape::{Counts, scrape};
use crate::stage::Stage;
use crate::torrents::Torrent;

/// A tracker program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Swarmlab,
    Opentracker,
}

/// A running tracker.
pub(crate) struct Tracker {
    pub(crate) process: Process,
    endpoint: SocketAddrV4,
}

impl Kind {
    /// The part of a test's name that says it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Swarmlab => "our_tracker",
            Kind::Opentracker => "opentracker",
        }
    }

    /// The foreign program it is, if it is one.
    pub(crate) fn needs(self) -> Option<Program> {
        (self == Kind::Opentracker).then_some(Program::Opentracker)
    }
}

/// The announce URL of a tracker at `endpoint`.
pub(crate) fn announce_url(endpoint: SocketAddrV4) -> String {
    format!("http://{endpoint}/announce")
}

impl Tracker {
    /// Starts a tracker at `endpoint` that knows `torrent`, and waits until it answers.
    pub(crate) fn start(
        kind: Kind,
        stage: &Stage,
        endpoint: SocketAddrV4,
        torrent: &Torrent,
    ) -> Result<Self, String> {
        let folder = stage.make_folder("tracker")?;
        let command = match kind {
            Kind::Swarmlab => {
                let mut command = Command::new(SWARMLAB);
                command.args(["tracker", "--listen", &endpoint.to_string()]);
                command
            }
            Kind::Opentracker => {
                // Debian builds it with an allow-list, which it reads after it has left root's rights behind.
                fs::set_permissions(&folder, fs::Permissions::from_mode(0o755))
                    .map_err(|error| error.to_string())?;
                let list = folder.join("allowed");
                fs::write(list, format!("{}\n", torrent.info_hash)).map_err(|error| error.to_string())?;
                let port = endpoint.port().to_string();
                let mut command = Command::new("opentracker");
                command.args(["-i", &endpoint.ip().to_string(), "-p", &port, "-P", &port]);
                command.arg("-d").arg(&folder).args(["-u", "nobody", "-w", "allowed"]);
                command
            }
        };
        let process = Process::start("tracker", command, stage.root())?;
        let mut tracker = Self { process, endpoint };
        tracker.wait_for(stage, torrent, "an answer of the tracker", |_| true)?;
        Ok(tracker)
    }

    /// Waits until the tracker counts `seeds` seeds of the torrent or more.
    pub(crate) fn wait_for_seeds(
        &mut self,
        stage: &Stage,
        torrent: &Torrent,
        seeds: u32,
    ) -> Result<(), String> {
        self.wait_for(stage, torrent, "the seed's announce", |counts| counts.seeds >= seeds)
    }

    fn wait_for(
        &mut self,
        stage: &Stage,
        torrent: &Torrent,
        what: &str,
        enough: impl Fn(Counts) -> bool,
    ) -> Result<(), String> {
        let endpoint = self.endpoint;
        stage.wait_until(what, &mut [&mut self.process], |processes| {
            if let Some(status) = processes[0].ended() {
                return Err(format!("the tracker has ended: {status}"));
            }
            Ok(scrape(endpoint, &torrent.info_hash).is_some_and(&enough))
        })
    }
}
