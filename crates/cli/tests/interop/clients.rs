//! The BitTorrent clients: how each is started as a seed or a leech at an address of its own, and how one knows that it
//! is complete. Each keeps its defaults (encryption tried first included) except that it may find peers through the
//! tracker only, over TCP.

use std::fs;
use std::net::SocketAddrV4;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::content::Content;
use crate::process::Process;
use crate::programs::{Program, SWARMLAB, python};
use crate::stage::Stage;
use crate::torrents::Torrent;

/// A client program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Client {
    Swarmlab,
    Transmission,
    Aria2,
    Libtorrent,
}

/// What a peer is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Has the content and gives it; `upload_limit` in bytes a second, 0 for none.
    Seed { upload_limit: u32 },
    /// Fetches the content.
    Leech,
}

/// A running client.
pub(crate) struct Peer {
    pub(crate) process: Process,
    client: Client,
    /// Where the content lies or goes.
    pub(crate) folder: PathBuf,
    /// Made by a foreign leech when it is complete.
    done: PathBuf,
}

/// The source of the libtorrent peer.
const LIBTORRENT_PEER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop/libtorrent_peer.py");

impl Client {
    /// The part of a test's name that says it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Client::Swarmlab => "swarmlab",
            Client::Transmission => "transmission",
            Client::Aria2 => "aria2",
            Client::Libtorrent => "libtorrent",
        }
    }

    /// Transmission 3 leaves out the empty files of a torrent it fetches.
    fn makes_empty_files(self) -> bool {
        self != Client::Transmission
    }

    /// The foreign program it is, if it is one.
    pub(crate) fn needs(self) -> Option<Program> {
        match self {
            Client::Swarmlab => None,
            Client::Transmission => Some(Program::TransmissionDaemon),
            Client::Aria2 => Some(Program::Aria2),
            Client::Libtorrent => Some(Program::Libtorrent),
        }
    }
}

/// Everything a client needs to know to take part.
struct Part<'a> {
    role: Role,
    torrent: &'a Torrent,
    content: &'a Content,
    folder: &'a Path,
    endpoint: SocketAddrV4,
    /// An empty folder for what it wants to remember.
    state: &'a Path,
    /// A script that makes the file `done`.
    hook: PathBuf,
    done: &'a Path,
}

impl Peer {
    /// Starts `client` as a seed of `content` or as a leech into a new folder. `name` is unique within the test.
    pub(crate) fn start(
        stage: &Stage,
        name: &str,
        client: Client,
        role: Role,
        (torrent, content): (&Torrent, &Content),
    ) -> Result<Self, String> {
        let folder = match role {
            Role::Seed { .. } => content.parent().to_owned(),
            Role::Leech => stage.make_folder(&format!("{name}.received"))?,
        };
        let state = stage.make_folder(&format!("{name}.state"))?;
        let done = state.join("done");
        let endpoint = stage.endpoint();
        let hook = write_hook(&state, &done)?;
        let part =
            Part { role, torrent, content, folder: &folder, endpoint, state: &state, hook, done: &done };
        let mut command = match client {
            Client::Swarmlab => swarmlab(&part),
            Client::Transmission => transmission(&part)?,
            Client::Aria2 => aria2(&part),
            Client::Libtorrent => libtorrent(&part)?,
        };
        command.env("HOME", &state);
        let process = Process::start(name, command, stage.root())?;
        Ok(Self { process, client, folder, done })
    }

    /// Waits until this leech and `others` are complete; `bystanders` (seeds, the tracker) must not end meanwhile.
    pub(crate) fn wait_complete(
        stage: &Stage,
        leeches: &mut [Peer],
        bystanders: &mut [&mut Process],
    ) -> Result<(), String> {
        for leech in leeches {
            let what = format!("{} complete", leech.client.name());
            let (client, done) = (leech.client, leech.done.clone());
            let mut watched = vec![&mut leech.process];
            watched.extend(bystanders.iter_mut().map(|process| &mut **process));
            stage.wait_until(&what, &mut watched, |processes| {
                for process in &mut processes[1..] {
                    if let Some(status) = process.ended() {
                        return Err(format!("another program has ended: {status}"));
                    }
                }
                match processes[0].ended() {
                    Some(status) if status.success() && client == Client::Swarmlab => Ok(true),
                    Some(status) => Err(format!("ended too early: {status}")),
                    None => Ok(done.exists()),
                }
            })?;
        }
        Ok(())
    }

    /// Ends a complete leech, so that everything it holds is written, and compares what it has.
    pub(crate) fn stop_and_compare(&mut self, content: &Content) -> Result<(), String> {
        self.process.stop();
        let compared = content.compare(&self.folder, self.client.makes_empty_files());
        compared.map_err(|difference| {
            format!("{}: {difference}\n{}", self.client.name(), self.process.last_words())
        })
    }

    /// The `download/1` document of our own leech after its end.
    pub(crate) fn report(&self) -> Result<Value, String> {
        let output = self.process.output();
        serde_json::from_str(&output).map_err(|error| format!("not one JSON document: {error}: {output}"))
    }

    /// Whether this is our own program.
    pub(crate) fn is_ours(&self) -> bool {
        self.client == Client::Swarmlab
    }
}

fn write_hook(state: &Path, done: &Path) -> Result<PathBuf, String> {
    let hook = state.join("on-complete");
    let script = format!("#!/bin/sh\n: > '{}'\n", done.display());
    let made =
        fs::write(&hook, script).and_then(|()| fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)));
    made.map_err(|error| format!("{}: {error}", hook.display()))?;
    Ok(hook)
}

fn swarmlab(part: &Part<'_>) -> Command {
    let mut command = Command::new(SWARMLAB);
    match part.role {
        Role::Seed { upload_limit } => {
            command.arg("seed").arg(&part.torrent.path).arg(&part.content.path);
            if upload_limit > 0 {
                command.arg(format!("--max-up={upload_limit} B/s"));
            }
            &mut command
        }
        Role::Leech => {
            command.arg("download").arg(&part.torrent.path).arg("-o").arg(part.folder).arg("--json")
        }
    };
    command.args(["--listen", &part.endpoint.to_string()]);
    command
}

/// Takes the torrent from its own folder at start; no remote control needed.
fn transmission(part: &Part<'_>) -> Result<Command, String> {
    let torrents = part.state.join("torrents");
    let settings = json!({
        "bind-address-ipv4": part.endpoint.ip().to_string(), "bind-address-ipv6": "::1",
        "peer-port": part.endpoint.port(), "port-forwarding-enabled": false,
        "dht-enabled": false, "lpd-enabled": false, "pex-enabled": false, "utp-enabled": false,
        "rpc-enabled": false, "download-dir": part.folder, "rename-partial-files": false,
        "script-torrent-done-enabled": true, "script-torrent-done-filename": part.hook,
        "ratio-limit-enabled": false, "idle-seeding-limit-enabled": false,
        "speed-limit-up-enabled": upload_limit(part.role) > 0, "speed-limit-up": upload_limit(part.role) / 1000,
    });
    let written = fs::create_dir_all(&torrents)
        .and_then(|()| fs::copy(&part.torrent.path, torrents.join("t.torrent")))
        .and_then(|_| fs::write(part.state.join("settings.json"), settings.to_string()));
    written.map_err(|error| format!("{}: {error}", part.state.display()))?;
    let mut command = Command::new("transmission-daemon");
    command.args(["--foreground", "--config-dir"]).arg(part.state);
    Ok(command)
}

fn aria2(part: &Part<'_>) -> Command {
    let mut command = Command::new("aria2c");
    command.args(["--no-conf", "--disable-ipv6", "--enable-dht=false", "--bt-enable-lpd=false"]);
    command.args(["--enable-peer-exchange=false", "--enable-rpc=false", "--summary-interval=0"]);
    command.args(["--show-console-readout=false", "--file-allocation=none", "--seed-ratio=0"]);
    command.arg(format!("--interface={}", part.endpoint.ip()));
    command.arg(format!("--listen-port={}", part.endpoint.port()));
    command.arg(format!("--max-upload-limit={}", upload_limit(part.role)));
    command.arg("--dir").arg(part.folder);
    match part.role {
        Role::Seed { .. } => command.arg("--check-integrity=true"),
        Role::Leech => command.arg("--on-bt-download-complete").arg(&part.hook),
    };
    command.arg("--torrent-file").arg(&part.torrent.path);
    command
}

fn libtorrent(part: &Part<'_>) -> Result<Command, String> {
    let mut command = Command::new(python().ok_or("no python with libtorrent")?);
    let role = if part.role == Role::Leech { "leech" } else { "seed" };
    command.args([LIBTORRENT_PEER, role]).arg(&part.torrent.path).arg(part.folder);
    command.args([part.endpoint.ip().to_string(), part.endpoint.port().to_string()]);
    command.arg(part.done).arg(json!({ "upload_rate_limit": upload_limit(part.role) }).to_string());
    Ok(command)
}

fn upload_limit(role: Role) -> u32 {
    match role {
        Role::Seed { upload_limit } => upload_limit,
        Role::Leech => 0,
    }
}
