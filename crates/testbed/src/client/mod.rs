//! The client programs: how each is started as a seed or a leech at an address of its own, how it is told to begin, and how
//! one learns what it has done. All keep their defaults, but that they find peers through the tracker only and speak plain
//! TCP: no DHT, local discovery, peer exchange, uTP or encryption, none of which a simulated client has.

mod aria2;
mod libtorrent;
mod swarmlab;
mod transmission;

use std::ffi::OsString;
use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The port every peer listens on: they differ by address.
pub(crate) const PORT: u16 = 6881;

/// A client program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// This program's `seed` and `download`.
    Swarmlab,
    /// libtorrent (Rasterbar) through its Python binding.
    Libtorrent,
    /// transmission-daemon.
    Transmission,
    /// aria2c.
    Aria2,
}

impl Client {
    /// All of them.
    pub const ALL: [Client; 4] = [Client::Swarmlab, Client::Libtorrent, Client::Transmission, Client::Aria2];

    /// What it is called on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Client::Swarmlab => "swarmlab",
            Client::Libtorrent => "libtorrent",
            Client::Transmission => "transmission",
            Client::Aria2 => "aria2",
        }
    }

    /// The presets of scenarios that are this client, in one version or another.
    pub(crate) const fn presets(self) -> &'static [&'static str] {
        match self {
            Client::Swarmlab => &["swarmlab"],
            Client::Libtorrent => &["libtorrent-2"],
            Client::Transmission => &["transmission-3", "transmission-4.0", "transmission-4"],
            Client::Aria2 => &["aria2"],
        }
    }

    /// The keys of a scenario's client that it can be told.
    pub(crate) const fn takes(self) -> &'static [&'static str] {
        match self {
            Client::Aria2 => &["max_connections"],
            _ => &["max_connections", "unchoke_slots"],
        }
    }

    /// Whether its process is there before its node comes, and then told to begin: those that take long to start.
    pub(crate) const fn waits(self) -> bool {
        matches!(self, Client::Libtorrent | Client::Transmission)
    }

    /// Whether it has to be asked what it has done.
    pub(crate) const fn is_asked(self) -> bool {
        matches!(self, Client::Transmission | Client::Aria2)
    }

    /// How it is asked what it has done; `None` for one that tells by itself, on its standard output.
    pub(crate) fn remote(self, torrent: &Path, folder: &Path, seed: bool) -> Option<Remote> {
        match self {
            Client::Transmission => Some(Remote::Transmission(transmission::Remote::new(torrent, folder))),
            Client::Aria2 => Some(Remote::Aria2 { seed }),
            Client::Swarmlab | Client::Libtorrent => None,
        }
    }

    /// The program and its arguments. Writes the settings it reads from files.
    pub(crate) fn command(self, part: &Part<'_>) -> io::Result<(PathBuf, Vec<OsString>)> {
        match self {
            Client::Swarmlab => Ok(swarmlab::command(part)),
            Client::Libtorrent => libtorrent::command(part),
            Client::Transmission => transmission::command(part),
            Client::Aria2 => Ok(aria2::command(part)),
        }
    }
}

impl FromStr for Client {
    type Err = String;

    fn from_str(name: &str) -> Result<Client, String> {
        let known = || Client::ALL.map(Client::name).join(", ");
        Client::ALL
            .into_iter()
            .find(|client| client.name() == name)
            .ok_or_else(|| format!("the clients are {}", known()))
    }
}

/// What of a scenario's client a program is told; `None` leaves its default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Connections at a time.
    pub(crate) max_connections: Option<u64>,
    /// Remotes unchoked at a time, the optimistic one among them.
    pub(crate) upload_slots: Option<u64>,
}

/// What a client needs to know to take part.
pub(crate) struct Part<'a> {
    /// Whether the content is in `folder` already.
    pub(crate) seed: bool,
    pub(crate) torrent: &'a Path,
    /// Where the content, a file named as the torrent says, lies or goes.
    pub(crate) folder: &'a Path,
    /// The content itself.
    pub(crate) content: &'a Path,
    /// A directory for what it wants to remember.
    pub(crate) state: &'a Path,
    pub(crate) address: Ipv4Addr,
    pub(crate) settings: Settings,
    /// This program.
    pub(crate) program: &'a Path,
}

impl Part<'_> {
    fn endpoint(&self) -> String {
        format!("{}:{PORT}", self.address)
    }
}

/// What a client says it has done so far. Content in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) uploaded: u64,
    pub(crate) downloaded: u64,
    pub(crate) wasted: u64,
    /// It has everything.
    pub(crate) complete: bool,
}

/// A client that is asked over HTTP, on loopback of its own namespace.
pub(crate) enum Remote {
    Transmission(transmission::Remote),
    Aria2 {
        /// What it has it did not receive.
        seed: bool,
    },
}

impl Remote {
    /// Whether it answers.
    pub(crate) fn is_ready(&mut self) -> bool {
        match self {
            Remote::Transmission(remote) => remote.is_ready(),
            Remote::Aria2 { .. } => aria2::counts().is_ok(),
        }
    }

    /// Tells it to begin, where it has to be told.
    pub(crate) fn begin(&mut self) -> io::Result<()> {
        match self {
            Remote::Transmission(remote) => remote.begin(),
            Remote::Aria2 { .. } => Ok(()),
        }
    }

    /// Asks what it has done.
    pub(crate) fn counts(&mut self) -> io::Result<Counts> {
        match self {
            Remote::Transmission(remote) => remote.counts(),
            Remote::Aria2 { seed: false } => aria2::counts(),
            Remote::Aria2 { seed: true } => aria2::counts().map(|counts| Counts { downloaded: 0, ..counts }),
        }
    }
}

/// What is wrong with an answer that is not what it should be.
fn unexpected(answer: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("unexpected answer: {answer}"))
}

/// Writes a file in a directory that is made if need be.
fn write(folder: &Path, name: &str, text: &str) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let path = folder.join(name);
    fs::write(&path, text)?;
    Ok(path)
}

/// Arguments of several types as one list.
fn arguments(list: &[&dyn AsRef<std::ffi::OsStr>]) -> Vec<OsString> {
    list.iter().map(|argument| argument.as_ref().to_owned()).collect()
}
